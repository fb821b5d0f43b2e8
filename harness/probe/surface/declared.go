package surface

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml/goyaml.v3"
)

// declareValues puts the chart's own values at the places.
func (u *unit) declareValues() error {
	lines := lines{line: 1}
	if data := rawFile(u.chart, "values.yaml"); len(data) > 0 {
		var document yaml.Node
		if err := yaml.Unmarshal(data, &document); err != nil {
			return fmt.Errorf("parse %svalues.yaml: %w", u.folder, err)
		}
		lines = lines.of(&document)
	}
	u.declare(u.values, u.chart.Values, &lines)
	return nil
}

func (u *unit) declare(n *node, v any, at *lines) {
	switch v := v.(type) {
	case map[string]any:
		n.kinds |= Map
		for key, below := range v {
			c := n.child(key)
			line := at.below(key)
			c.addSource(Source{u.folder + "values.yaml", line.line})
			u.declare(c, below, line)
		}
	case []any:
		n.kinds |= List
		for _, element := range v {
			u.declareElement(n.element(), element)
		}
	case nil:
	default:
		n.kinds |= Scalar
	}
}

// declareElement declares what is in an element of a list: a place of its own it
// is not.
func (u *unit) declareElement(n *node, v any) {
	switch v := v.(type) {
	case map[string]any:
		n.kinds |= Map
		for key, below := range v {
			u.declareElement(n.child(key), below)
		}
	case []any:
		n.kinds |= List
		for _, element := range v {
			u.declareElement(n.element(), element)
		}
	case nil:
	default:
		n.kinds |= Scalar
	}
}

// lines are where the keys of a YAML map stand.
type lines struct {
	line int
	keys map[string]*lines
}

// below are the lines below a key: those of the map itself when the key does
// not stand in it, as with an alias of YAML.
func (l *lines) below(key string) *lines {
	if below, ok := l.keys[key]; ok {
		return below
	}
	return &lines{line: l.line}
}

func (l lines) of(n *yaml.Node) lines {
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	l.line = n.Line
	if n.Kind == yaml.MappingNode {
		l.keys = map[string]*lines{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			below := lines{}.of(n.Content[i+1])
			below.line = n.Content[i].Line
			l.keys[n.Content[i].Value] = &below
		}
	}
	return l
}

// setDefaults puts at n and below what the chart's own values files give.
func setDefaults(n *node, v any) {
	n.def = v
	if fields, ok := v.(map[string]any); ok {
		for key, below := range fields {
			setDefaults(n.child(key), below)
		}
	}
}

// settle spreads what is known of the values of a map to its keys, and what is
// known of a place to what is in it.
func settle(n *node) {
	own := maps.Clone(n.files) // not those of one key for another
	if n.elem != nil {
		settleElement(n)
		settle(n.elem)
	}
	for _, key := range n.sortedKeys() {
		c := n.children[key]
		c.raw = c.raw || n.raw
		c.template = c.template || n.template
		if n.raw || n.template {
			c.addFiles(own)
		}
		settle(c)
		n.read = n.read || c.read
		n.addFiles(c.files)
	}
	if n.elem != nil {
		n.read = n.read || n.elem.read
		n.addFiles(n.elem.files)
	}
	if n.raw || n.template {
		n.read = true
	}
	slices.SortFunc(n.sources, compareSources)
	slices.Sort(n.compared)
}

func settleElement(n *node) {
	n.elem.raw = n.elem.raw || n.raw
	n.elem.template = n.elem.template || n.template
	n.elem.addFiles(n.files) // of those that go through its elements
	for _, key := range n.sortedKeys() {
		n.children[key].absorb(n.elem)
	}
}

// absorb adds to n what is known of any key.
func (n *node) absorb(every *node) {
	n.kinds |= every.kinds
	n.raw = n.raw || every.raw
	n.template = n.template || every.template
	n.decides = n.decides || every.decides
	n.name = n.name || every.name
	n.read = n.read || every.read
	n.addFiles(every.files)
	for _, text := range every.compared {
		n.addCompared(text)
	}
	if len(n.enum) == 0 {
		n.enum = every.enum
	}
	if len(n.types) == 0 {
		n.types = every.types
	}
	if len(n.sources) == 0 || every.read {
		for _, s := range every.sources {
			n.addSource(s)
		}
	}
	if _, isMap := n.def.(map[string]any); n.def != nil && !isMap {
		if _, isList := n.def.([]any); isList && every.elem != nil {
			n.element().absorb(every.elem)
		}
		return // a scalar has no keys
	}
	for _, key := range every.sortedKeys() {
		n.child(key).absorb(every.children[key])
	}
	if every.elem != nil {
		n.element().absorb(every.elem)
	}
}

func compareSources(a, b Source) int {
	if a.File != b.File {
		return strings.Compare(a.File, b.File)
	}
	return a.Line - b.Line
}
