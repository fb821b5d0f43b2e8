package appset

import (
	"fmt"
	"regexp"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// spot is a path in an ApplicationSet with its node, if there is one.
type spot struct {
	text string
	// name is the key by which it stands in a map.
	name, node *yaml.Node
}

// topOf is the top of a document.
func topOf(node *yaml.Node) spot {
	if node != nil && node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		node = node.Content[0]
	}
	return spot{node: node}
}

// path is a member of a member and so on.
func (s spot) path(keys ...string) spot {
	for _, key := range keys {
		s = s.member(key)
	}
	return s
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_$/-]+$`)

func (s spot) member(key string) spot {
	member := spot{text: key}
	switch {
	case !plainKey.MatchString(key):
		member.text = fmt.Sprintf("%s[%q]", s.text, key)
	case s.text != "":
		member.text = s.text + "." + key
	}
	if s.node != nil {
		member.name, member.node = manifest.Member(s.node, func(name string) bool { return name == key })
	}
	return member
}

func (s spot) item(i int) spot {
	item := spot{text: fmt.Sprintf("%s[%d]", s.text, i)}
	list := referred(s.node)
	switch {
	case list == nil:
	case list.Kind != yaml.SequenceNode:
		// It stands in a text, or comes from a merge of maps.
		item.name, item.node = s.name, s.node
	case i < len(list.Content):
		item.node = list.Content[i]
	}
	return item
}

func referred(node *yaml.Node) *yaml.Node {
	if node != nil && node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// place is the spot for a report. A member stands where its key stands.
func (s spot) place() Place {
	place := Place{Path: s.text}
	switch {
	case s.name != nil:
		place.Line, place.Column = s.name.Line, s.name.Column
	case s.node != nil:
		place.Line, place.Column = s.node.Line, s.node.Column
	}
	return place
}

// inner is the top of the YAML that stands as text in a spot. Its lines are known
// where the text is a literal block that no template changed.
func (s spot) inner(text string) spot {
	inner := spot{text: s.text, name: s.name, node: s.node}
	node := referred(s.node)
	if node == nil || node.Style&yaml.LiteralStyle == 0 || node.Value != text {
		return inner
	}
	documents, err := manifest.Nodes([]byte(text))
	if err != nil || len(documents) != 1 || len(documents[0].Content) != 1 {
		return inner
	}
	top := documents[0].Content[0]
	shift(top, node.Line)
	inner.node = top
	return inner
}

// shift moves a node and those below it down. Columns in there are not those of
// the file.
func shift(node *yaml.Node, lines int) {
	node.Line += lines
	node.Column = 0
	for _, below := range node.Content {
		shift(below, lines)
	}
}
