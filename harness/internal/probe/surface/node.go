package surface

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// What is known of a place besides the kinds of its value; see Shape and Place.
const (
	raw Kind = List << (1 + iota)
	isTemplate
	decides // Switch
	isName
	read
	closed
)

// A node is a place in the values, or what stands for all elements of a list
// or all values of a map (elem).
type node struct {
	parent   *node
	key      string // below parent; "" for an elem and for the root
	depth    int    // how many keys and elements lie above
	children map[string]*node
	elem     *node

	marks    Kind
	def      any // the charts' own value
	enum     []any
	types    []string // nil is any
	compared []string
	sources  []Source
	files    map[string]bool // that read it

	// isValues is true for the .Values of a chart.
	isValues bool
	// also are places whose values Helm puts here as well: a subchart's global
	// is its parent's too.
	also []*node
	// written is what templates put into the values, with set and merge.
	written entries
}

func newNode(parent *node, key string) *node {
	n := &node{parent: parent, key: key, children: map[string]*node{}, files: map[string]bool{}}
	if parent != nil {
		n.depth = parent.depth + 1
	}
	return n
}

func (n *node) child(key string) *node {
	c, ok := n.children[key]
	if !ok {
		c = newNode(n, key)
		n.children[key] = c
		for _, other := range n.also {
			c.also = append(c.also, other.child(key))
		}
	}
	return c
}

func (n *node) element() *node {
	if n.elem == nil {
		n.elem = newNode(n, "")
		for _, other := range n.also {
			n.elem.also = append(n.elem.also, other.element())
		}
	}
	return n.elem
}

// at is the node below n.
func (n *node) at(path ...string) *node {
	for _, key := range path {
		n = n.child(key)
	}
	return n
}

// String is the path of n for people, `*` for any key or element.
func (n *node) String() string {
	if n.parent == nil {
		return "the values"
	}
	var keys []string
	for ; n.parent != nil; n = n.parent {
		key := n.key
		if n.parent.elem == n {
			key = "*"
		} else if key == "" || strings.ContainsAny(key, ". ") {
			key = strconv.Quote(key)
		}
		keys = append(keys, key)
	}
	slices.Reverse(keys)
	return strings.Join(keys, ".")
}

func (n *node) addSource(s Source) {
	if s.File != "" {
		n.sources = with(n.sources, s)
	}
}

// whence is where n is read or declared: if nowhere itself, where what is in
// it is.
func (n *node) whence() []Source {
	if len(n.sources) > 0 {
		return n.sources
	}
	var all []Source
	for _, c := range n.children {
		all = append(all, c.whence()...)
	}
	if n.elem != nil {
		all = append(all, n.elem.whence()...)
	}
	slices.SortFunc(all, compareSources)
	return slices.Compact(all)
}

func compareSources(a, b Source) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
}

// readers adds the files that read n or what is in it.
func (n *node) readers(files map[string]bool) {
	maps.Copy(files, n.files)
	for _, c := range n.children {
		c.readers(files)
	}
	if n.elem != nil {
		n.elem.readers(files)
	}
}

// settle spreads what is known of the values of a map to its keys, and what is
// known of a place to what is in it.
func (n *node) settle() {
	own := maps.Clone(n.files) // not those of one key for another
	every := n.elem
	if every != nil {
		every.marks |= n.marks & (raw | isTemplate)
		maps.Copy(every.files, n.files) // of those that go through its elements
		for _, key := range sortedKeys(n.children) {
			n.children[key].absorb(every)
		}
		every.settle()
	}
	for _, key := range sortedKeys(n.children) {
		c := n.children[key]
		if whole := n.marks & (raw | isTemplate); whole != 0 {
			c.marks |= whole
			maps.Copy(c.files, own)
		}
		c.settle()
		n.marks |= c.marks & read
		maps.Copy(n.files, c.files)
	}
	if every != nil {
		n.marks |= every.marks & read
		maps.Copy(n.files, every.files)
	}
	if n.marks.Has(raw | isTemplate) {
		n.marks |= read
	}
	slices.SortFunc(n.sources, compareSources)
	slices.Sort(n.compared)
}

// absorb adds to n what is known of any key.
func (n *node) absorb(every *node) {
	n.marks |= every.marks &^ closed
	maps.Copy(n.files, every.files)
	n.compared = with(n.compared, every.compared...)
	if len(n.enum) == 0 {
		n.enum = every.enum
	}
	if len(n.types) == 0 {
		n.types = every.types
	}
	if len(n.sources) == 0 || every.marks.Has(read) {
		n.sources = with(n.sources, every.sources...)
	}
	// What is a list has no keys, and what is a scalar has neither.
	kind := KindOf(n.def)
	if kind == Map || kind == 0 {
		for _, key := range sortedKeys(every.children) {
			n.child(key).absorb(every.children[key])
		}
	}
	if kind != Scalar && every.elem != nil {
		n.element().absorb(every.elem)
	}
}

// with adds to a set what is not in it.
func with[S ~[]E, E comparable](set S, more ...E) S {
	for _, e := range more {
		if !slices.Contains(set, e) {
			set = append(set, e)
		}
	}
	return set
}

func sortedKeys[V any](fields map[string]V) []string { return slices.Sorted(maps.Keys(fields)) }
