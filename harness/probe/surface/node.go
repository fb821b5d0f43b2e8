package surface

import (
	"slices"
	"strconv"
	"strings"
)

// A node is a place in the values, or what stands for all elements of a list
// or all values of a map (elem).
type node struct {
	parent   *node
	key      string // below parent; "" for an elem and for the root
	children map[string]*node
	elem     *node

	kinds                                      Kind
	raw, template, decides, name, read, closed bool
	def                                        any // the charts' own value
	enum                                       []any
	types                                      []string // nil is any
	compared                                   []string
	sources                                    []Source
	files                                      map[string]bool // that read it

	// also are places whose values Helm puts here as well: a subchart's global
	// is its parent's too.
	unitRoot bool // it is the .Values of a chart
	also     []*node
	// What templates write into the values with set and merge.
	set    map[string]value
	setAny value
	like   value
}

func (n *node) child(key string) *node {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	c, ok := n.children[key]
	if !ok {
		c = &node{parent: n, key: key}
		n.children[key] = c
		for _, other := range n.also {
			c.also = append(c.also, other.child(key))
		}
	}
	return c
}

func (n *node) element() *node {
	if n.elem == nil {
		n.elem = &node{parent: n}
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

// depth is how many keys and elements lie above n.
func (n *node) depth() int {
	depth := 0
	for ; n.parent != nil; n = n.parent {
		depth++
	}
	return depth
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
	if s.File != "" && !slices.Contains(n.sources, s) {
		n.sources = append(n.sources, s)
	}
}

func (n *node) addFile(name string) {
	if n.files == nil {
		n.files = map[string]bool{}
	}
	n.files[name] = true
}

func (n *node) addFiles(others map[string]bool) {
	for name := range others {
		n.addFile(name)
	}
}

func (n *node) addCompared(text string) {
	if !slices.Contains(n.compared, text) {
		n.compared = append(n.compared, text)
	}
}

func (n *node) sortedKeys() []string {
	keys := make([]string, 0, len(n.children))
	for key := range n.children {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
