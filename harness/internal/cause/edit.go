package cause

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// edit is one change of a source: of a place or, in a template, of a part of its
// text.
type edit struct {
	source *source

	at *place
	// change makes it in the nodes, and write in the text; parent is nil for a whole
	// document.
	change func(node, parent *yaml.Node) error
	write  func(*layout) ([]splice, error)

	start, end int
	text       string // in place of that from start to end
}

func editAt(at *place, change func(node, parent *yaml.Node) error, write func(*layout) ([]splice, error)) edit {
	return edit{source: at.source, at: at, change: change, write: write}
}

// holder is the node that a place is a part of; nil for a whole document.
func (p *place) holder() *yaml.Node {
	if p == nil || p.parent == nil || p.inText {
		return nil
	}
	return p.parent.node
}

// set gives a place a string. Aliases of it get that too.
func set(at *place, value string) edit { return setNode(at, stringNode(value)) }

// setNode gives a place a scalar.
func setNode(at *place, scalar *yaml.Node) edit {
	return editAt(at, func(node, _ *yaml.Node) error {
		anchor := node.Anchor
		*node = *scalar
		node.Anchor = anchor
		return nil
	}, func(l *layout) ([]splice, error) { return l.setting(at.holder(), at.node, scalar) })
}

// remove takes a map member or a list item away.
func remove(at *place) edit {
	return editAt(at, func(node, parent *yaml.Node) error {
		if parent == nil {
			return errors.New("a whole document cannot be removed")
		}
		i := slices.Index(parent.Content, node)
		if i < 0 {
			return errors.New("it is gone already")
		}
		first := i
		if parent.Kind == yaml.MappingNode {
			first--
		}
		parent.Content = slices.Delete(parent.Content, first, i+1)
		return nil
	}, func(l *layout) ([]splice, error) {
		if at.holder() == nil {
			return nil, errLayout
		}
		return l.removing(at.parent.holder(), at.holder(), at.node)
	})
}

// replace puts a member with another key and a scalar in the place of one. Where
// there is a member of that key, it is set, and the one is removed.
func replace(at *place, key string, scalar *yaml.Node) []edit {
	if existing := at.parent.member(key); existing != nil {
		return []edit{setNode(existing, scalar), remove(at)}
	}
	return []edit{editAt(at, func(node, parent *yaml.Node) error {
		i := slices.Index(parent.Content, node)
		if i < 1 {
			return errors.New("it is gone already")
		}
		set := *scalar
		parent.Content[i-1], parent.Content[i] = &yaml.Node{Kind: yaml.ScalarNode, Value: key}, &set
		return nil
	}, func(l *layout) ([]splice, error) { return l.replacing(at.holder(), at.node, key, scalar) })}
}

// rename gives a map member another key.
func rename(at *place, key string) edit {
	return editAt(at, func(node, parent *yaml.Node) error {
		i := slices.Index(parent.Content, node)
		if i < 1 {
			return errors.New("it is gone already")
		}
		if lookup(parent, key) != nil {
			return fmt.Errorf("there is a %s already", key)
		}
		parent.Content[i-1].Value = key
		return nil
	}, func(l *layout) ([]splice, error) { return l.renaming(at.holder(), at.node, key) })
}

// add sets what stands below a map at keys, and makes the maps that lack. The
// value is a scalar, or {name, value} to append to a list.
func add(at *place, keys []string, value *yaml.Node) edit {
	return editAt(at, func(node, _ *yaml.Node) error {
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
	}, func(l *layout) ([]splice, error) { return l.adding(at.holder(), at.node, keys, value) })
}

// lookup is the value of a key in a map, the last of several; nil in what is no
// map.
func lookup(mapping *yaml.Node, key string) *yaml.Node {
	_, value := member(mapping, key)
	return value
}

func member(mapping *yaml.Node, key string) (name, value *yaml.Node) {
	if mapping != nil && mapping.Kind == yaml.MappingNode {
		for i := len(mapping.Content) - 2; i >= 0; i -= 2 {
			if mapping.Content[i].Value == key {
				return mapping.Content[i], mapping.Content[i+1]
			}
		}
	}
	return nil, nil
}

func stringNode(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: yaml.NodeTagString, Value: value, Style: yaml.DoubleQuotedStyle}
}

// entryNode is an entry of a container's env.
func entryNode(name, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: yaml.NodeTagMap, Content: []*yaml.Node{
		{Kind: yaml.ScalarNode, Value: "name"}, {Kind: yaml.ScalarNode, Tag: yaml.NodeTagString, Value: name},
		{Kind: yaml.ScalarNode, Value: "value"}, stringNode(value),
	}}
}

// overlay applies edits and returns the files that they change, by real path, and
// whether a person would write these texts.
func overlay(edits []edit) (files map[string][]byte, written bool, err error) {
	changed := changes{map[string][]byte{}, map[*archive]map[string][]byte{}}
	bySource := map[*source][]edit{}
	for _, e := range edits {
		bySource[e.source] = append(bySource[e.source], e)
	}
	written = true
	for source, edits := range bySource {
		text, isWritten, err := source.edited(edits)
		if err != nil {
			return nil, false, fmt.Errorf("change %s: %w", source.shown, err)
		}
		written = written && isWritten
		changed.set(source, text)
	}
	files, err = changed.overlay()
	return files, written, err
}

// edited is the text of a source with edits, and whether a person would write it so:
// where that is not possible, or says something else, all of the file is written
// again from its nodes.
func (s *source) edited(edits []edit) (text []byte, written bool, err error) {
	if s.plain {
		text := s.text
		slices.SortFunc(edits, func(a, b edit) int { return b.start - a.start })
		for _, e := range edits {
			text = slices.Concat(text[:e.start], []byte(e.text), text[e.end:])
		}
		return text, true, nil
	}
	copied := copies{}
	for _, e := range edits {
		var parent *yaml.Node
		if e.at.parent != nil && !e.at.inText {
			parent = copied.of(e.at.parent.node)
		}
		if err := e.change(copied.of(e.at.node), parent); err != nil {
			return nil, false, fmt.Errorf("change %s: %w", e.at.path, err)
		}
	}
	texts, unwritten := s.written(edits)
	holders := map[*yaml.Node]bool{}
	for _, p := range holdersOf(edits) {
		scalar := copied.of(p.node)
		switch {
		case !p.template:
			text, err := encode(copied.all(p.documents))
			if err != nil {
				return nil, false, err
			}
			scalar.Value, scalar.Style, scalar.Tag = string(text), yaml.LiteralStyle, yaml.NodeTagString
		case unwritten != nil: // its nodes lack what the template does
			return nil, false, unwritten
		case !readsAs([]byte(masked(texts[p])), copied.all(p.documents), holders):
			return nil, false, errLayout
		default:
			scalar.Value = texts[p]
		}
		holders[scalar] = true
	}
	if unwritten == nil && readsAs([]byte(texts[nil]), copied.all(s.documents), holders) {
		return []byte(texts[nil]), true, nil
	}
	text, err = encode(copied.all(s.documents))
	if err == nil && bytes.Contains(s.text, []byte("&")) {
		// An alias may refer to what is gone.
		_, err = manifest.Nodes(text)
	}
	return text, false, err
}

// copies are copies of nodes, by what they are copies of.
type copies map[*yaml.Node]*yaml.Node

func (c copies) of(node *yaml.Node) *yaml.Node {
	if node == nil || c[node] != nil {
		return c[node]
	}
	copied := *node
	c[node] = &copied
	copied.Content, copied.Alias = c.all(node.Content), c.of(node.Alias)
	return &copied
}

func (c copies) all(nodes []*yaml.Node) []*yaml.Node {
	var copied []*yaml.Node
	for _, node := range nodes {
		copied = append(copied, c.of(node))
	}
	return copied
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
