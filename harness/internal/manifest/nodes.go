package manifest

import (
	"bytes"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// Nodes are the documents of a stream, counted as Read counts them, as nodes with
// their lines and columns. A text need not hold objects.
func Nodes(data []byte) ([]*yaml.Node, error) {
	tree, err := readTree(data, nil)
	return tree.Documents, err
}

// Tree are the documents of a stream as Nodes gives them, but for what stands in a list
// of JSON, which may have tens of thousands of objects: that is read when Fill asks for
// it. It is for one goroutine.
type Tree struct {
	Documents []*yaml.Node
	data      []byte
	unread    map[*yaml.Node]int // see jsonText
}

// ReadTree reads a stream.
func ReadTree(data []byte) (*Tree, error) {
	return readTree(data, map[*yaml.Node]int{})
}

// Fill reads what is left of a node of the tree, where something is.
func (t *Tree) Fill(node *yaml.Node) error {
	begin, ok := t.unread[node]
	if !ok {
		return nil
	}
	text := newJSONText(t.data[begin:], true)
	text.line, text.column = node.Line, node.Column-1
	read, err := text.value(2)
	if err != nil {
		return err
	}
	*node = *read
	delete(t.unread, node)
	return nil
}

// readTree reads a stream; unread is filled when it is not nil.
func readTree(data []byte, unread map[*yaml.Node]int) (*Tree, error) {
	if looksLikeJSON(data) {
		located := newJSONText(data, true)
		located.unread = unread
		documents, err := allNodes(func() (*yaml.Node, error) {
			value, err := located.next()
			if err != nil {
				return nil, err
			}
			return &yaml.Node{Kind: yaml.DocumentNode, Line: value.Line, Column: value.Column, Content: []*yaml.Node{value}}, nil
		})
		if err == nil {
			return &Tree{documents, data, unread}, nil
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	documents, err := allNodes(func() (*yaml.Node, error) {
		document := &yaml.Node{}
		return document, decoder.Decode(document)
	})
	return &Tree{Documents: documents}, err
}

func allNodes(next func() (*yaml.Node, error)) ([]*yaml.Node, error) {
	var documents []*yaml.Node
	for {
		document, err := next()
		if isEOF(err) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
}

// Member finds the member of a map with the key that a function wants, as kubectl
// has it: the last of several, and of what << merges what is not overridden. It is
// nil where there is none.
func Member(mapping *yaml.Node, wanted func(key string) bool) (name, value *yaml.Node) {
	return member(mapping, wanted, map[*yaml.Node]bool{})
}

// member is Member; what was looked into need not be looked into again.
func member(mapping *yaml.Node, wanted func(key string) bool, seen map[*yaml.Node]bool) (name, value *yaml.Node) {
	mapping = referred(mapping)
	if mapping.Kind != yaml.MappingNode || seen[mapping] {
		return nil, nil
	}
	seen[mapping] = true
	for i := len(mapping.Content) - 2; i >= 0; i -= 2 {
		name, value := mapping.Content[i], mapping.Content[i+1]
		if !isMerge(name) {
			if wanted(referred(name).Value) {
				return name, value
			}
			continue
		}
		merged := []*yaml.Node{value}
		if value.Kind == yaml.SequenceNode {
			merged = value.Content
		}
		for _, one := range merged {
			if name, value := member(one, wanted, seen); value != nil {
				return name, value
			}
		}
	}
	return nil, nil
}
