package cause

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// edit is one change of a source.
type edit struct {
	at    *place
	apply func(located) error
}

// located is a node in a fresh copy of a source, with the node that holds it.
type located struct{ node, parent *yaml.Node }

// set gives a place a string. Aliases of it get that too.
func set(at *place, value string) edit {
	return edit{at, func(l located) error {
		*l.node = yaml.Node{Kind: yaml.ScalarNode, Tag: yaml.NodeTagString, Value: value, Style: yaml.DoubleQuotedStyle, Anchor: l.node.Anchor}
		return nil
	}}
}

// setPlain gives a place a value that is no string, as it is written.
func setPlain(at *place, tag, value string) edit {
	return edit{at, func(l located) error {
		*l.node = yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value, Anchor: l.node.Anchor}
		return nil
	}}
}

// remove takes a map member or a list item away.
func remove(at *place) edit {
	return edit{at, func(l located) error {
		if l.parent == nil {
			return errors.New("a whole document cannot be removed")
		}
		i := slices.Index(l.parent.Content, l.node)
		if i < 0 {
			return errors.New("it is gone already")
		}
		first := i
		if l.parent.Kind == yaml.MappingNode {
			first--
		}
		l.parent.Content = slices.Delete(l.parent.Content, first, i+1)
		return nil
	}}
}

// rename gives a map member another key.
func rename(at *place, key string) edit {
	return edit{at, func(l located) error {
		i := slices.Index(l.parent.Content, l.node)
		if l.parent.Kind != yaml.MappingNode || i < 1 {
			return errors.New("not a map member")
		}
		name := *l.parent.Content[i-1]
		name.Value = key
		l.parent.Content[i-1] = &name
		return nil
	}}
}

// add sets what stands below a map at keys, and makes the maps that lack. The
// value is a scalar, or {name, value} to append to a list.
func add(at *place, keys []string, value *yaml.Node) edit {
	return edit{at, func(l located) error {
		node := l.node
		for i, key := range keys {
			if node.Kind == yaml.ScalarNode && node.ShortTag() == yaml.NodeTagNull {
				*node = yaml.Node{Kind: yaml.MappingNode, Tag: yaml.NodeTagMap}
			}
			if node.Kind != yaml.MappingNode {
				return fmt.Errorf("%s is no map", key)
			}
			next := lookup(node, key)
			if next == nil {
				next = &yaml.Node{Kind: yaml.MappingNode, Tag: yaml.NodeTagMap}
				if i == len(keys)-1 && value.Kind == yaml.MappingNode {
					next.Kind, next.Tag = yaml.SequenceNode, yaml.NodeTagSeq
				}
				node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, next)
			}
			node = next
		}
		if value.Kind == yaml.ScalarNode {
			*node = *value
			return nil
		}
		if node.Kind != yaml.SequenceNode {
			*node = yaml.Node{Kind: yaml.SequenceNode, Tag: yaml.NodeTagSeq}
		}
		node.Content = append(node.Content, value)
		return nil
	}}
}

// lookup is the value of a key in a map, the first of several; nil in what is no
// map.
func lookup(mapping *yaml.Node, key string) *yaml.Node {
	if mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func stringNode(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: yaml.NodeTagString, Value: value, Style: yaml.DoubleQuotedStyle}
}

// entryNode is an entry of a container's env.
func entryNode(name, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: yaml.NodeTagMap, Content: []*yaml.Node{
		{Kind: yaml.ScalarNode, Value: "name"}, stringNode(name),
		{Kind: yaml.ScalarNode, Value: "value"}, stringNode(value),
	}}
}

// editor is a copy of a source that is being changed.
type editor struct {
	documents []*yaml.Node
	nested    []nestedText
}

// nestedText is a scalar whose text has been read as YAML.
type nestedText struct {
	scalar    *yaml.Node
	documents []*yaml.Node
}

// overlay applies edits and returns the files that they change, by real path.
func overlay(edits []edit) (map[string][]byte, error) {
	files := map[string][]byte{}
	bySource := map[*source][]edit{}
	for _, e := range edits {
		bySource[e.at.source] = append(bySource[e.at.source], e)
	}
	for source, edits := range bySource {
		documents, err := parse(source.text)
		if err != nil {
			return nil, err
		}
		editor := &editor{documents: documents}
		// All nodes are found before any of them moves.
		found := make([]located, len(edits))
		for i, e := range edits {
			if found[i], err = editor.locate(e.at.steps); err != nil {
				return nil, fmt.Errorf("find %s: %w", e.at.path, err)
			}
		}
		for i, e := range edits {
			if err := e.apply(found[i]); err != nil {
				return nil, fmt.Errorf("change %s: %w", e.at.path, err)
			}
		}
		text, err := editor.write()
		if err != nil {
			return nil, err
		}
		if bytes.Contains(source.text, []byte("&")) {
			// An alias may refer to what is gone.
			if _, err := parse(text); err != nil {
				return nil, fmt.Errorf("change %s: %w", source.shown, err)
			}
		}
		files[source.file] = text
	}
	return files, nil
}

func (e *editor) locate(steps []step) (located, error) {
	var at located
	for i, s := range steps {
		switch {
		case i == 0 || s.nested:
			documents := e.documents
			if s.nested {
				var err error
				if documents, err = e.inside(at.node); err != nil {
					return at, err
				}
			}
			if s.index >= len(documents) || len(documents[s.index].Content) != 1 {
				return at, errors.New("no such document")
			}
			// A document holds its node as a list of one.
			at = located{node: documents[s.index].Content[0]}
		case s.isKey:
			next := lookup(at.node, s.key)
			if next == nil {
				return at, fmt.Errorf("no key %s", s.key)
			}
			at = located{next, at.node}
		default:
			// Under a key that is there twice, the first may be no list.
			if at.node.Kind != yaml.SequenceNode || s.index >= len(at.node.Content) {
				return at, fmt.Errorf("no item %d", s.index)
			}
			at = located{at.node.Content[s.index], at.node}
		}
	}
	return at, nil
}

func (e *editor) inside(scalar *yaml.Node) ([]*yaml.Node, error) {
	for _, n := range e.nested {
		if n.scalar == scalar {
			return n.documents, nil
		}
	}
	documents, err := parse([]byte(scalar.Value))
	if err != nil {
		return nil, err
	}
	e.nested = append(e.nested, nestedText{scalar, documents})
	return documents, nil
}

func (e *editor) write() ([]byte, error) {
	for _, n := range e.nested {
		text, err := encode(n.documents)
		if err != nil {
			return nil, err
		}
		n.scalar.Value, n.scalar.Style, n.scalar.Tag = string(text), yaml.LiteralStyle, yaml.NodeTagString
	}
	return encode(e.documents)
}

func encode(documents []*yaml.Node) ([]byte, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	for _, document := range documents {
		if err := encoder.Encode(document); err != nil {
			return nil, err
		}
	}
	if err := encoder.Close(); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}
