package surface

import (
	"fmt"
	"slices"

	yaml "sigs.k8s.io/yaml/goyaml.v3"
)

// A document is YAML or JSON with the lines of its keys.
type document struct {
	line     int
	content  *yaml.Node
	fields   map[string]*document // of a map
	elements []*document          // of a list
}

func readDocument(data []byte) (*document, error) {
	var content yaml.Node
	if err := yaml.Unmarshal(data, &content); err != nil {
		return nil, err
	}
	if len(content.Content) == 0 {
		return &document{line: 1, content: &content}, nil // empty
	}
	return documentOf(content.Content[0]), nil
}

func documentOf(n *yaml.Node) *document {
	d := &document{line: n.Line, content: n}
	switch n.Kind {
	case yaml.MappingNode:
		d.fields = map[string]*document{}
		for pair := range slices.Chunk(n.Content, 2) {
			field := documentOf(pair[1])
			field.line = pair[0].Line
			d.fields[pair[0].Value] = field
		}
	case yaml.SequenceNode:
		for _, element := range n.Content {
			d.elements = append(d.elements, documentOf(element))
		}
	}
	return d
}

// value is the document as the values have it; nil when it cannot be decoded.
func (d *document) value() any {
	var v any
	if err := d.content.Decode(&v); err != nil {
		return nil
	}
	return v
}

// declareValues marks what stands in the chart's own values file.
func (u *unit) declareValues() error {
	at, err := readDocument(rawFile(u.chart, "values.yaml"))
	if err != nil {
		return fmt.Errorf("parse %svalues.yaml: %w", u.folder, err)
	}
	u.declare(u.values, u.chart.Values, at)
	return nil
}

// declare marks a value, and what is in it. At is where it stands, nil below the
// elements of a list: they are no places of their own.
func (u *unit) declare(n *node, v any, at *document) {
	n.marks |= KindOf(v)
	switch v := v.(type) {
	case map[string]any:
		for key, below := range v {
			c, field := n.child(key), at
			if at != nil {
				if own, ok := at.fields[key]; ok {
					field = own
				} else { // it comes from an alias of YAML
					field = &document{line: at.line}
				}
				c.addSource(Source{u.folder + "values.yaml", field.line})
			}
			u.declare(c, below, field)
		}
	case []any:
		for _, element := range v {
			u.declare(n.element(), element, nil)
		}
	}
}

// setDefaults puts at n and below what the charts' own values files give.
func setDefaults(n *node, v any) {
	n.def = v
	if fields, ok := v.(map[string]any); ok {
		for key, below := range fields {
			setDefaults(n.child(key), below)
		}
	}
}
