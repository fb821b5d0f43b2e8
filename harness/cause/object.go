package cause

import (
	"regexp"
	"strconv"
	"strings"
)

var segmentPattern = regexp.MustCompile(`^([^\[\]]*)((?:\[\d+\])*)$`)

// segments splits a path inside an object, as findings have it, into keys and
// indexes: `items[2].spec` is "items", 2, "spec".
func segments(path string) []any {
	var all []any
	for _, part := range strings.Split(path, ".") {
		found := segmentPattern.FindStringSubmatch(part)
		if found == nil {
			return all
		}
		if found[1] != "" {
			all = append(all, found[1])
		}
		for _, index := range strings.FieldsFunc(found[2], func(r rune) bool { return r == '[' || r == ']' }) {
			i, err := strconv.Atoi(index)
			if err != nil {
				return all
			}
			all = append(all, i)
		}
	}
	return all
}

// textAt is the string at a path inside an object.
func textAt(node any, path string) (string, bool) {
	for _, segment := range segments(path) {
		switch segment := segment.(type) {
		case string:
			object, ok := node.(map[string]any)
			if !ok {
				return "", false
			}
			node = object[segment]
		case int:
			list, ok := node.([]any)
			if !ok || segment >= len(list) {
				return "", false
			}
			node = list[segment]
		}
	}
	text, ok := node.(string)
	return text, ok
}
