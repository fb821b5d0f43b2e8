package appset

import (
	"fmt"
	"strconv"
)

// flatten is a nested map as texts by paths like a.b.0: Flatten of
// github.com/jeremywohl/flatten, as Argo CD uses it. Keys that two different
// values have are told, too: Argo CD takes either.
func flatten(nested map[string]any) (flat map[string]string, twice map[string]bool) {
	flat, twice = map[string]string{}, map[string]bool{}
	var visit func(path string, value any)
	visit = func(path string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for key, below := range value {
				visit(path+"."+key, below)
			}
		case []any:
			for i, below := range value {
				visit(path+"."+strconv.Itoa(i), below)
			}
		default:
			text := fmt.Sprintf("%v", value)
			if other, ok := flat[path]; ok && other != text {
				twice[path] = true
			}
			flat[path] = text
		}
	}
	for key, value := range nested {
		visit(key, value)
	}
	return flat, twice
}

// asMaps turns maps of texts below maps into maps that flatten descends into:
// normalizeMapForFlatten of Argo CD.
func asMaps(params map[string]any) map[string]any {
	made := make(map[string]any, len(params))
	for key, value := range params {
		switch value := value.(type) {
		case map[string]string:
			below := make(map[string]any, len(value))
			for key, value := range value {
				below[key] = value
			}
			made[key] = below
		case map[string]any:
			made[key] = asMaps(value)
		default:
			made[key] = value
		}
	}
	return made
}
