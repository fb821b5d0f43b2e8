package cause

import (
	"regexp"
	"strconv"
	"strings"
)

var indexPattern = regexp.MustCompile(`^\[(\d+)\]`)

// segments splits a path inside an object, as findings have it, into keys and
// indexes: `items[2].labels["a.b/c"]` is "items", 2, "labels", "a.b/c". It ends
// where the path is none.
func segments(path string) []any {
	var all []any
	for path != "" {
		if found := indexPattern.FindStringSubmatch(path); found != nil {
			i, err := strconv.Atoi(found[1])
			if err != nil {
				return all
			}
			all, path = append(all, i), path[len(found[0]):]
			continue
		}
		if path[0] == '[' {
			quoted, err := strconv.QuotedPrefix(path[1:])
			if err != nil || !strings.HasPrefix(path[1+len(quoted):], "]") {
				return all
			}
			key, err := strconv.Unquote(quoted)
			if err != nil {
				return all
			}
			all, path = append(all, key), path[len(quoted)+2:]
			continue
		}
		key := strings.TrimPrefix(path, ".")
		if end := strings.IndexAny(key, ".["); end >= 0 {
			key, path = key[:end], key[end:]
		} else {
			path = ""
		}
		if key != "" {
			all = append(all, key)
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
