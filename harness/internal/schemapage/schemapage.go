// Package schemapage makes the reference of a JSON document of its JSON Schema: a table
// of Markdown with each key that the document may have.
package schemapage

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// Table is a table with a row for each key of a schema, in its order: the path, the
// type, the default or that it is required, in the words that are given, and what it is.
// A list has [] in a path, and a map <name>. The column has the name that is given. An
// error says what of the schema is not understood.
func Table(schema []byte, column, required string) (string, error) {
	root, err := yaml.Parse(string(schema))
	if err != nil {
		return "", fmt.Errorf("read schema: %w", err)
	}
	t := table{root: root, required: required}
	if err := t.properties(root, "", nil); err != nil {
		return "", err
	}
	if len(t.rows) == 0 {
		return "", fmt.Errorf("read schema: %s has no keys", text(root, "$id"))
	}
	return "| key | type | " + column + " | what it is |\n|---|---|---|---|\n" + strings.Join(t.rows, ""), nil
}

// Description is what a schema says of the whole document.
func Description(schema []byte) (string, error) {
	root, err := yaml.Parse(string(schema))
	if err != nil {
		return "", fmt.Errorf("read schema: %w", err)
	}
	return plain(text(root, "description")), nil
}

type table struct {
	root     *yaml.RNode
	required string
	rows     []string
}

// properties adds the rows of the keys of an object. Open are the definitions that it
// is part of.
func (t *table) properties(object *yaml.RNode, path string, open []string) error {
	required := texts(object.Field("required"))
	properties := object.Field("properties")
	if properties == nil {
		return nil
	}
	return properties.Value.VisitFields(func(field *yaml.MapNode) error {
		name := field.Key.YNode().Value
		return t.add(path+name, field.Value, slices.Contains(required, name), open)
	})
}

// add adds the row of a key, and the rows below it.
func (t *table) add(path string, node *yaml.RNode, required bool, open []string) error {
	about, open, again, err := t.resolve(node, open)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	kind, err := t.kind(about, open)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	state := ""
	if value := first(about, "default"); value != nil {
		state = "`" + strings.Join(texts(&yaml.MapNode{Value: value}), "`, `") + "`"
	} else if required {
		state = t.required
	}
	description := ""
	for _, node := range about {
		if description = text(node, "description"); description != "" {
			break
		}
	}
	if description == "" && first(about, "const") != nil {
		description = "Always this."
	}
	t.rows = append(t.rows, fmt.Sprintf("| `%s` | %s | %s | %s |\n", path, kind, state, plain(description)))
	if again {
		return nil
	}
	branches, err := t.branches(about)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, branch := range branches {
		if err := t.below(path, branch, open); err != nil {
			return err
		}
	}
	for _, node := range about {
		if err := t.members(path, node, open); err != nil {
			return err
		}
		if values := node.Field("additionalProperties"); values != nil && values.Value.YNode().Kind == yaml.MappingNode {
			if err := t.add(path+".<name>", values.Value, false, open); err != nil {
				return err
			}
		}
	}
	return nil
}

// below adds the rows of what a list holds, or of one of several types.
func (t *table) below(path string, node *yaml.RNode, open []string) error {
	about, open, again, err := t.resolve(node, open)
	if err != nil || again {
		return err
	}
	for _, node := range about {
		if err := t.members(path, node, open); err != nil {
			return err
		}
	}
	return nil
}

// members adds the rows of the keys of a node, and of those of what its list holds.
func (t *table) members(path string, node *yaml.RNode, open []string) error {
	if err := t.properties(node, path+".", open); err != nil {
		return err
	}
	if items := node.Field("items"); items != nil {
		return t.below(path+"[]", items.Value, open)
	}
	return nil
}

// resolve returns a node and the definitions that it refers to, one after the other, and
// whether one of them is open already: then its keys have been told.
func (t *table) resolve(node *yaml.RNode, open []string) (about []*yaml.RNode, now []string, again bool, err error) {
	about, now = []*yaml.RNode{node}, slices.Clone(open)
	for {
		ref := text(node, "$ref")
		if ref == "" {
			return about, now, again, nil
		}
		name, ok := strings.CutPrefix(ref, "#/$defs/")
		definitions := t.root.Field("$defs")
		if !ok || definitions == nil || definitions.Value.Field(name) == nil {
			return nil, nil, false, fmt.Errorf("there is no %s", ref)
		}
		if slices.Contains(open, name) {
			again = true
		}
		now = append(now, name)
		node = definitions.Value.Field(name).Value
		about = append(about, node)
	}
}

// kind is the type of a key in words.
func (t *table) kind(about []*yaml.RNode, open []string) (string, error) {
	if value := first(about, "const"); value != nil {
		return "`" + value.YNode().Value + "`", nil
	}
	if values := first(about, "enum"); values != nil {
		return "`" + strings.Join(texts(&yaml.MapNode{Value: values}), "`, `") + "`", nil
	}
	if format := first(about, "format"); format != nil && format.YNode().Value == "date" {
		return "date", nil
	}
	kinds := first(about, "type")
	if kinds == nil {
		return t.either(about, open)
	}
	var words []string
	for _, kind := range texts(&yaml.MapNode{Value: kinds}) {
		switch kind {
		case "string":
			words = append(words, "text")
		case "integer", "number":
			words = append(words, "number")
		case "boolean":
			words = append(words, "true or false")
		case "null":
			words = append(words, "null")
		case "object":
			words = append(words, "map")
		case "array":
			items := first(about, "items")
			if items == nil {
				words = append(words, "list")
				continue
			}
			below, now, _, err := t.resolve(items, open)
			if err != nil {
				return "", err
			}
			of, err := t.kind(below, now)
			if err != nil {
				return "", err
			}
			words = append(words, "list of "+plural(of))
		default:
			return "", fmt.Errorf("the type %q is not known", kind)
		}
	}
	return strings.Join(words, " or "), nil
}

// either is the type of a key that has one of several; any, when nothing is said.
func (t *table) either(about []*yaml.RNode, open []string) (string, error) {
	branches, err := t.branches(about)
	if err != nil || len(branches) == 0 {
		return "any", err
	}
	var words []string
	for _, node := range branches {
		about, now, _, err := t.resolve(node, open)
		if err != nil {
			return "", err
		}
		kind, err := t.kind(about, now)
		if err != nil {
			return "", err
		}
		if !slices.Contains(words, kind) {
			words = append(words, kind)
		}
	}
	return strings.Join(words, " or "), nil
}

// branches are the types of which a key has one.
func (t *table) branches(about []*yaml.RNode) ([]*yaml.RNode, error) {
	if first(about, "type") != nil {
		return nil, nil // they only say which keys go together
	}
	for _, keyword := range []string{"oneOf", "anyOf"} {
		if of := first(about, keyword); of != nil {
			return of.Elements()
		}
	}
	return nil, nil
}

func plural(kind string) string {
	first, rest, _ := strings.Cut(kind, " of ")
	switch first {
	case "text", "number", "map":
		return kind + "s"
	case "list":
		return "lists of " + rest
	}
	return kind
}

// first is the value of a keyword, of the first node that has it.
func first(about []*yaml.RNode, keyword string) *yaml.RNode {
	for _, node := range about {
		if field := node.Field(keyword); field != nil {
			return field.Value
		}
	}
	return nil
}

func text(node *yaml.RNode, keyword string) string {
	if field := node.Field(keyword); field != nil {
		return field.Value.YNode().Value
	}
	return ""
}

// texts are the texts of a list, or a single one.
func texts(field *yaml.MapNode) []string {
	if field == nil {
		return nil
	}
	node := field.Value.YNode()
	if node.Kind == yaml.ScalarNode {
		return []string{node.Value}
	}
	var found []string
	for _, item := range node.Content {
		found = append(found, item.Value)
	}
	return found
}

var (
	quotedPattern = regexp.MustCompile("`[^`]*`")
	markPattern   = regexp.MustCompile(`[\\*_<>\[\]|#~]`)
)

// plain is a text that Markdown shows as it is, but for what is quoted.
func plain(text string) string {
	var b strings.Builder
	at := 0
	mark := func(s string) string { return markPattern.ReplaceAllString(s, `\$0`) }
	for _, quoted := range quotedPattern.FindAllStringIndex(text, -1) {
		b.WriteString(mark(text[at:quoted[0]]) + strings.ReplaceAll(text[quoted[0]:quoted[1]], "|", `\|`))
		at = quoted[1]
	}
	return b.String() + mark(text[at:])
}
