package watch

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"helm.sh/helm/v4/pkg/chart/common"
)

// Origin is a place from which a value came.
type Origin struct {
	Place Place
	// Exact is true for the value of the place itself; else it was made from it.
	Exact bool
	// Key is true for the last key of the place in place of its value.
	Key bool
}

// maxOrigins bounds from how many places a value is said to come.
const maxOrigins = 12

func joined(all []Origin, more ...Origin) []Origin {
	for _, origin := range more {
		if len(all) >= maxOrigins {
			break
		}
		if i := slices.IndexFunc(all, func(o Origin) bool { return o.Place == origin.Place }); i < 0 {
			all = append(all[:len(all):len(all)], origin)
		}
	}
	return all
}

// madeFrom are origins of what is made of a value.
func madeFrom(origins []Origin) []Origin {
	made := slices.Clone(origins)
	for i := range made {
		made[i].Exact = false
	}
	return made
}

// origins knows whence values came. Maps, lists and texts are known by where they
// are in memory: templates hand them on as they are, and a part of a text is in
// the text. So each text of the values gets a memory of its own.
type origins struct {
	leaves []leaf // sorted by where they are
	made   map[uintptr]madeValue
	fields map[uintptr]map[string][]Origin // of maps that a template made
}

type leaf struct {
	start  uintptr
	text   string
	origin Origin
}

// madeValue holds the value, so that nothing else takes its place in memory.
type madeValue struct {
	value   any
	origins []Origin
}

// own copies the texts of a value, and notes where all of it is.
func (o *origins) own(value any, place Place) any {
	switch value := value.(type) {
	case string:
		return o.text(value, Origin{Place: place, Exact: true})
	case []any:
		for i, item := range value {
			value[i] = o.own(item, place.Element(i))
		}
		o.note(value, []Origin{{Place: place, Exact: true}})
	default:
		if fields, ok := fieldsOf(value); ok {
			for _, key := range sortedKeys(fields) {
				below := place.Key(key)
				item := o.own(fields[key], below)
				delete(fields, key)
				fields[o.text(key, Origin{Place: below, Exact: true, Key: true})] = item
			}
			o.note(value, []Origin{{Place: place, Exact: true}})
		}
	}
	return value
}

// text copies a text, and notes where it is.
func (o *origins) text(text string, origin Origin) string {
	text = strings.Clone(text + " ")[:len(text)] // the empty text is somewhere, too
	o.leaves = append(o.leaves, leaf{start(text), text, origin})
	return text
}

// isLeaf reports whether a value is a text of the values, or a part of one.
func (o *origins) isLeaf(value any) bool {
	text, ok := value.(string)
	if !ok {
		return false
	}
	_, found := o.leafOf(text)
	return found
}

// leafOf tells from which text of the values a text was taken.
func (o *origins) leafOf(text string) (Origin, bool) {
	at := start(text)
	i, found := slices.BinarySearchFunc(o.leaves, at, func(l leaf, at uintptr) int { return cmp.Compare(l.start, at) })
	if !found {
		i--
	}
	if i < 0 || at == 0 || at+uintptr(len(text)) > o.leaves[i].start+uintptr(len(o.leaves[i].text)) {
		return Origin{}, false
	}
	origin := o.leaves[i].origin
	origin.Exact = len(text) == len(o.leaves[i].text)
	return origin, true
}

func (o *origins) sort() {
	slices.SortFunc(o.leaves, func(a, b leaf) int { return cmp.Compare(a.start, b.start) })
}

func start(text string) uintptr { return uintptr(unsafe.Pointer(unsafe.StringData(text))) }

func fieldsOf(value any) (map[string]any, bool) {
	switch value := value.(type) {
	case map[string]any:
		return value, true
	case common.Values:
		return value, true
	}
	return nil, false
}

// where is where a map, a list or a text is in memory; 0 for what has no place.
func where(value any) uintptr {
	if text, ok := value.(string); ok {
		if text == "" {
			return 0
		}
		return start(text)
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Map:
		return v.Pointer()
	case reflect.Slice:
		if v.Cap() > 0 {
			return v.Pointer()
		}
	}
	return 0
}

// note keeps whence a value came.
func (o *origins) note(value any, from []Origin) {
	if at := where(value); at != 0 && len(from) > 0 {
		o.made[at] = madeValue{value, from}
	}
}

// of tells whence a value came; when its place in memory does not tell, it is what
// is given.
func (o *origins) of(value any, otherwise []Origin) []Origin {
	if text, ok := value.(string); ok {
		if origin, found := o.leafOf(text); found {
			return []Origin{origin}
		}
	}
	if at := where(value); at != 0 {
		if known, ok := o.made[at]; ok {
			return known.origins
		}
	}
	return otherwise
}

// below tells whence the value under a key came, when its place in memory does not
// tell.
func (t *Trace) below(value any, from []Origin, key string) []Origin {
	if known, ok := t.fields[where(value)][key]; ok {
		return known
	}
	fields, _ := fieldsOf(value)
	var all, equal []Origin
	for _, origin := range from {
		below := Origin{Place: origin.Place.Key(key), Exact: origin.Exact}
		all = joined(all, below)
		if at, ok := At(t.Values, below.Place); ok && reflect.DeepEqual(at, fields[key]) {
			equal = joined(equal, below)
		}
	}
	if len(equal) > 0 {
		return equal
	}
	return all
}

// elements tells whence the elements of a collection came that are known by their
// value only.
func (t *Trace) elements(from []Origin, value any) []Origin {
	var all []Origin
	for _, origin := range from {
		collection, _ := At(t.Values, origin.Place)
		if list, ok := collection.([]any); ok {
			for i, item := range list {
				if reflect.DeepEqual(item, value) {
					all = joined(all, Origin{Place: origin.Place.Element(i), Exact: origin.Exact})
				}
			}
		}
		fields, _ := fieldsOf(collection)
		for _, key := range sortedKeys(fields) {
			if reflect.DeepEqual(fields[key], value) {
				all = joined(all, Origin{Place: origin.Place.Key(key), Exact: origin.Exact})
			}
		}
		if len(all) == 0 {
			all = joined(all, Origin{Place: origin.Place})
		}
	}
	return all
}

// String writes a place for people.
func (p Place) String() string {
	var b strings.Builder
	for i, key := range p.Keys() {
		if n, ok := Index(key); ok {
			b.WriteString("[" + strconv.Itoa(n) + "]")
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strings.TrimPrefix(key, notValues))
	}
	return b.String()
}
