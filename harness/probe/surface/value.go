package surface

import (
	"maps"
	"slices"
)

// A value is what an expression of a template can be: any of its atoms.
//
//	*node      what is set at a place
//	keyOf      a key of what is set at a place, or an index
//	literal    a literal of the template
//	*object    a map that templates put together
//	*sequence  a list that templates put together
//	*text      what a template writes, or what a function makes of its arguments
//	files      the chart's files
type value []any

type keyOf struct{ node *node }

type literal string

type object struct {
	fields map[string]value
	any    value // under keys that are not known
	like   value // the object has what these have, too
}

// A sequence has its elements in any order, and those whose place is known.
type sequence struct {
	elem  value
	items []value
}

type files struct{ unit *unit }

// A text tells where the content of a text comes from.
type text struct {
	printed value // places that are printed as scalars, or decide on the text
	whole   value // values that are written with all their content
	words   bool  // there is literal text in it
	known   []string
	unknown bool // other strings than the known ones are possible
}

func (v value) with(atoms ...any) value {
	for _, a := range atoms {
		if !slices.Contains(v, a) {
			v = append(v, a)
		}
	}
	return v
}

func union(values ...value) value {
	var all value
	for _, v := range values {
		all = all.with(v...)
	}
	return all
}

// visit calls f for each place that v can be or that is in it, once.
func (v value) visit(f func(n *node)) { v.walk(map[any]bool{}, f, nil) }

// walk visits the places in v. A text is handed to texts when that is not nil,
// instead of being walked.
func (v value) walk(seen map[any]bool, f func(n *node), texts func(t *text)) {
	for _, atom := range v {
		if seen[atom] {
			continue
		}
		seen[atom] = true
		switch a := atom.(type) {
		case *node:
			f(a)
			a.like.walk(seen, f, texts)
			a.setAny.walk(seen, f, texts)
			for _, v := range a.set {
				v.walk(seen, f, texts)
			}
		case *object:
			for _, v := range a.fields {
				v.walk(seen, f, texts)
			}
			a.any.walk(seen, f, texts)
			a.like.walk(seen, f, texts)
		case *sequence:
			a.elem.walk(seen, f, texts)
		case *text:
			if texts != nil {
				texts(a)
				continue
			}
			a.printed.walk(seen, f, texts)
			a.whole.walk(seen, f, texts)
		}
	}
}

// direct calls f for each place that v can be, or of which it is computed; not
// for those inside maps and lists that v can be.
func (v value) direct(f func(n *node)) {
	seen := map[any]bool{}
	var direct func(v value)
	direct = func(v value) {
		for _, atom := range v {
			if seen[atom] {
				continue
			}
			seen[atom] = true
			switch a := atom.(type) {
			case *node:
				f(a)
			case *object:
				direct(a.like)
			case *text:
				direct(a.printed)
				direct(a.whole)
			}
		}
	}
	direct(v)
}

// strings are the strings that v is known to be; all is true when it can be no
// other.
func (v value) strings() (known []string, all bool) {
	all = len(v) > 0
	for _, atom := range v {
		switch a := atom.(type) {
		case literal:
			known = append(known, string(a))
		case *text:
			known = append(known, a.known...)
			all = all && !a.unknown
		default:
			all = false
		}
	}
	return known, all
}

const (
	mostStrings   = 16
	longestString = 256
)

// write adds what is written after t.
func (t *text) write(other *text) {
	t.printed = t.printed.with(other.printed...)
	t.whole = t.whole.with(other.whole...)
	t.words = t.words || other.words
	if t.unknown || other.unknown || len(t.known)*len(other.known) > mostStrings {
		t.known, t.unknown = nil, true
		return
	}
	var known []string
	for _, first := range t.known {
		for _, second := range other.known {
			if len(first)+len(second) > longestString {
				t.known, t.unknown = nil, true
				return
			}
			known = append(known, first+second)
		}
	}
	t.known = known
}

// either is the text that is one or the other.
func either(a, b *text) *text {
	return &text{
		printed: union(a.printed, b.printed),
		whole:   union(a.whole, b.whole),
		words:   a.words || b.words,
		known:   append(slices.Clone(a.known), b.known...),
		unknown: a.unknown || b.unknown,
	}
}

func newText(known ...string) *text { return &text{known: known} }

func (o *object) put(key string, v value) {
	if o.fields == nil {
		o.fields = map[string]value{}
	}
	o.fields[key] = union(o.fields[key], v)
}

func sortedKeys(fields map[string]value) []string { return slices.Sorted(maps.Keys(fields)) }
