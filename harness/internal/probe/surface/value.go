package surface

import "slices"

// A value is what an expression of a template can be: any of its atoms.
//
//	*node       what is set at a place
//	keyOf       a key of what is set at a place, or an index
//	literal     a literal of the template
//	*object     a map that templates put together
//	*sequence   a list that templates put together
//	*text       what a template writes, or what a function makes of its arguments
//	files       the chart's files
//	fileMethod  a method of the chart's files
type value []any

type keyOf struct{ node *node }

type literal string

type object struct{ entries }

// entries are what templates put into a map.
type entries struct {
	fields map[string]value
	any    value // under keys that are not known
	like   value // the map has what these have, too
}

func newObject(fields map[string]value) value { return value{&object{entries{fields: fields}}} }

// A sequence has its elements in any order, and those whose place is known.
type sequence struct {
	elem  value
	items []value
}

type files struct{ unit *unit }

type fileMethod struct {
	files files
	name  string
}

// A text tells where the content of a text comes from.
type text struct {
	printed value // places that are printed as scalars, or decide on the text
	whole   value // values that are written with all their content
	words   bool  // there is literal text in it
	known   []string
	unknown bool // other strings than the known ones are possible
}

func union(values ...value) value {
	var all value
	for _, v := range values {
		all = with(all, v...)
	}
	return all
}

// A reach says how far walk goes from what a value can be.
type reach uint8

const (
	alike    reach = 1 << iota // to what a map has the content of
	wholes                     // to what is written whole in a text
	prints                     // to what is printed in a text
	contents                   // to what is in maps and lists

	direct = alike | wholes | prints // what v can be, or of which it is computed
	deep   = direct | contents
)

// walk calls f once for each atom within reach.
func (v value) walk(far reach, f func(atom any)) {
	seen := map[any]bool{}
	var walk func(v value)
	walk = func(v value) {
		for _, atom := range v {
			if seen[atom] {
				continue
			}
			seen[atom] = true
			f(atom)
			var next []value
			switch a := atom.(type) {
			case *node:
				next = a.written.reached(far)
			case *object:
				next = a.reached(far)
			case *sequence:
				if far&contents != 0 {
					next = []value{a.elem}
				}
			case *text:
				if far&prints != 0 {
					walk(a.printed)
				}
				if far&wholes != 0 {
					walk(a.whole)
				}
			}
			for _, v := range next {
				walk(v)
			}
		}
	}
	walk(v)
}

func (e *entries) reached(far reach) []value {
	var all []value
	if far&alike != 0 {
		all = append(all, e.like)
	}
	if far&contents != 0 {
		all = append(all, e.any)
		for _, key := range sortedKeys(e.fields) {
			all = append(all, e.fields[key])
		}
	}
	return all
}

// places calls f once for each place within reach.
func (v value) places(far reach, f func(n *node)) {
	v.walk(far, func(atom any) {
		if n, ok := atom.(*node); ok {
			f(n)
		}
	})
}

// mark marks the places that v can be, or of which it is computed.
func (v value) mark(marks Kind) {
	v.places(direct, func(n *node) { n.marks |= marks })
}

// put adds what can be under a key. An entry of a map that is put under its own
// key leaves the entries like that map.
func (e *entries) put(key, v value) {
	known, all := key.strings()
	if e.fields == nil {
		e.fields = map[string]value{}
	}
	for _, k := range known {
		e.fields[k] = union(e.fields[k], v)
	}
	if all {
		return
	}
	for _, atom := range v {
		if n, ok := atom.(*node); ok && n.parent != nil && n.parent.elem == n && slices.Contains(key, any(keyOf{n.parent})) {
			e.like = with(e.like, any(n.parent))
		} else {
			e.any = with(e.any, atom)
		}
	}
}

// ranged are the keys and the elements of v.
func (v value) ranged() (keys, elements value) {
	v.walk(alike, func(atom any) {
		switch a := atom.(type) {
		case *node:
			keys = with(keys, any(keyOf{a}))
			for _, n := range append([]*node{a.element()}, a.element().also...) {
				if !n.parent.marks.Has(Map | List) {
					n.parent.marks |= Map | List
				}
				elements = with(elements, any(n))
			}
			_, more := a.written.ranged()
			elements = with(elements, more...)
		case *object:
			more, values := a.ranged()
			keys, elements = with(keys, more...), with(elements, values...)
		case *sequence:
			elements = with(elements, a.elem...)
		case *text:
			elements = with(elements, any(a))
		}
	})
	return keys, elements
}

func (e *entries) ranged() (keys, elements value) {
	for _, key := range sortedKeys(e.fields) {
		keys = with(keys, any(literal(key)))
		elements = with(elements, e.fields[key]...)
	}
	return keys, with(elements, e.any...)
}

// inside is what is in v under a key.
func (v value) inside(key string) value {
	var found value
	// Of a text that is parsed again: the scalars in it, and, where a value was
	// not alone in it, that value as a whole.
	v.walk(alike|wholes, func(atom any) {
		switch a := atom.(type) {
		case *node:
			for _, n := range append([]*node{a.child(key)}, a.child(key).also...) {
				n.parent.marks |= Map
				found = with(found, any(n))
			}
			found = union(found, a.written.fields[key], a.written.any)
		case *object:
			found = union(found, a.fields[key], a.any)
		case *text:
			found = with(found, any(a))
		}
	})
	return found
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

func newText(known ...string) *text { return &text{known: known} }

// add adds where another text comes from.
func (t *text) add(other *text) {
	t.printed = with(t.printed, other.printed...)
	t.whole = with(t.whole, other.whole...)
	t.words = t.words || other.words
}

// write adds what is written after t.
func (t *text) write(other *text) {
	t.add(other)
	t.unknown = t.unknown || other.unknown || len(t.known)*len(other.known) > mostStrings
	var known []string
	for _, first := range t.known {
		for _, second := range other.known {
			t.unknown = t.unknown || len(first)+len(second) > longestString
			if t.unknown {
				t.known = nil
				return
			}
			known = append(known, first+second)
		}
	}
	t.known = known
}

// either is the text that is one or the other.
func either(a, b *text) *text {
	t := &text{known: slices.Concat(a.known, b.known), unknown: a.unknown || b.unknown}
	t.add(a)
	t.add(b)
	return t
}
