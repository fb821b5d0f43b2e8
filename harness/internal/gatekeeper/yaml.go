package gatekeeper

import (
	"bytes"
	"encoding/json"
	"strings"
	"text/template"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// writeYAML fills in a template, in which values stand as JSON, and gives them
// the form of YAML for people: texts of many lines as they are, and lists in
// the style that is kept, 0 for one line an item.
func writeYAML(text string, keep yaml.Style, data any) ([]byte, error) {
	filled, err := template.New("").Funcs(template.FuncMap{"json": asJSON}).Parse(text)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := filled.Execute(&out, data); err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(out.Bytes(), &document); err != nil {
		return nil, err
	}
	if err := restyle(&document, keep); err != nil {
		return nil, err
	}
	return yaml.MarshalWithOptions(&document, &yaml.EncoderOptions{SeqIndent: yaml.WideSequenceStyle})
}

func asJSON(value any) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

// restyle takes the form of JSON, except for a style to keep, from a node and
// what is in it.
func restyle(node *yaml.Node, keep yaml.Style) error {
	switch {
	case node.Kind != yaml.ScalarNode:
		node.Style &= keep
	case strings.Contains(node.Value, "\n") && keep == 0:
		node.Style = yaml.LiteralStyle
	case node.Tag == yaml.NodeTagString:
		// Quotes stay where YAML 1.1 needs them.
		var plain yaml.Node
		if err := plain.Encode(node.Value); err != nil {
			return err
		}
		node.Style = plain.Style
	}
	for _, child := range node.Content {
		if err := restyle(child, keep); err != nil {
			return err
		}
	}
	return nil
}
