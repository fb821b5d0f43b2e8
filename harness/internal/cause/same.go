package cause

import (
	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// readsAs reports whether a text holds documents, whatever its style and its comments.
// Of texts, which are nodes that hold YAML, what they hold is compared.
func readsAs(text []byte, documents []*yaml.Node, texts map[*yaml.Node]bool) bool {
	read, err := manifest.Nodes(text)
	return err == nil && sameAll(read, documents, texts)
}

func sameAll(a, b []*yaml.Node, texts map[*yaml.Node]bool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !same(a[i], b[i], texts) {
			return false
		}
	}
	return true
}

func same(a, b *yaml.Node, texts map[*yaml.Node]bool) bool {
	if a.Kind != b.Kind || a.Anchor != b.Anchor {
		return false
	}
	switch a.Kind {
	case yaml.AliasNode:
		return a.Value == b.Value
	case yaml.ScalarNode:
		if texts[b] {
			inB, err := manifest.Nodes([]byte(masked(b.Value)))
			return err == nil && readsAs([]byte(masked(a.Value)), inB, nil)
		}
		return a.Value == b.Value && a.ShortTag() == b.ShortTag()
	default:
		return sameAll(a.Content, b.Content, texts)
	}
}
