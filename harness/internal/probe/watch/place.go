package watch

import (
	"strconv"
	"strings"
)

// Place is a path in the values, or below one of the roots that are no values.
// Its keys stand one after the other; an element of a list has its index.
type Place string

const (
	separator = "\x1f"
	element   = "\x1e"
	notValues = "\x1d"
)

// The places of what templates are told that is no values.
const (
	Release     Place = notValues + "Release"
	KubeVersion Place = notValues + "KubeVersion"
	APIVersions Place = notValues + "APIVersions"
	// Lookup is what the cluster says, which nobody knows here.
	Lookup Place = notValues + "lookup"
)

// PlaceOf is the place of a path.
func PlaceOf(path ...string) Place { return Place(strings.Join(path, separator)) }

// Keys is the path of a place. That of the values as a whole is empty.
func (p Place) Keys() []string {
	if p == "" {
		return nil
	}
	return strings.Split(string(p), separator)
}

// Key is the place of a key below.
func (p Place) Key(key string) Place {
	if p == "" {
		return Place(key)
	}
	return p + separator + Place(key)
}

// Element is the place of an element of a list.
func (p Place) Element(i int) Place { return p.Key(element + strconv.Itoa(i)) }

// First is the place with the first element for each that is an element of a list.
func (p Place) First() Place {
	keys := p.Keys()
	for i, key := range keys {
		if strings.HasPrefix(key, element) {
			keys[i] = element + "0"
		}
	}
	return PlaceOf(keys...)
}

// IsBelow reports whether a place lies below another.
func (p Place) IsBelow(above Place) bool {
	return above == "" && p != "" || strings.HasPrefix(string(p), string(above)+separator)
}

// IsValue reports whether a place is in the values.
func (p Place) IsValue() bool { return !strings.HasPrefix(string(p), notValues) }

// Index is the index that a key of a path stands for; false for a key of a map.
func Index(key string) (int, bool) {
	number, ok := strings.CutPrefix(key, element)
	if !ok {
		return 0, false
	}
	i, err := strconv.Atoi(number)
	return i, err == nil
}

// At is the value at a place; false when nothing is there.
func At(values map[string]any, place Place) (any, bool) {
	var at any = values
	for _, key := range place.Keys() {
		if i, ok := Index(key); ok {
			list, _ := at.([]any)
			if i >= len(list) {
				return nil, false
			}
			at = list[i]
			continue
		}
		fields, ok := fieldsOf(at)
		if !ok {
			return nil, false
		}
		if at, ok = fields[key]; !ok {
			return nil, false
		}
	}
	return at, true
}
