package surface

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// A declaration walks a schema along the places.
type declaration struct {
	*machine
	steps int
	file  string
	// targets are the schemas by the references that lead to them: #/a/b for the
	// place in the file, #name for an anchor.
	targets map[string]*document
	// open are the schemas being walked: a schema can contain itself.
	open map[*document]int
}

const (
	// mostSchemas is far above what real charts need (about 1,000).
	mostSchemas = 20_000
	// recursion is how often a schema is followed inside itself.
	recursion = 2
)

// declareSchema marks what the chart's schema allows.
func (u *unit) declareSchema(m *machine) error {
	if len(u.chart.Schema) == 0 {
		return nil
	}
	root, err := readJSON(u.chart.Schema)
	if err != nil {
		return fmt.Errorf("parse %svalues.schema.json: %w", u.folder, err)
	}
	d := &declaration{machine: m, file: u.folder + "values.schema.json", targets: map[string]*document{}, open: map[*document]int{}}
	d.index(root, "#")
	d.declare(u.values, root)
	return nil
}

// readJSON reads JSON. JSON that is no YAML, for its escapes, loses its lines.
func readJSON(data []byte) (*document, error) {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	if d, err := readDocument(data); err == nil {
		return d, nil
	}
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return readDocument(plain)
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// index fills the targets with a schema, under its reference and its anchors,
// and with what is in it.
func (d *declaration) index(s *document, reference string) {
	d.targets[reference] = s
	for _, key := range []string{"$anchor", "$id", "id"} {
		if name := s.text(key); name != "" {
			if key == "$anchor" {
				name = "#" + name
			}
			if _, ok := d.targets[name]; !ok && strings.HasPrefix(name, "#") {
				d.targets[name] = s
			}
		}
	}
	for _, key := range sortedKeys(s.fields) {
		d.index(s.fields[key], reference+"/"+pointerEscape.Replace(key))
	}
	for i, element := range s.elements {
		d.index(element, fmt.Sprint(reference, "/", i))
	}
}

// text is a text under a key, empty when there is none.
func (d *document) text(key string) string {
	if field := d.fields[key]; field != nil {
		text, _ := field.value().(string)
		return text
	}
	return ""
}

// resolve finds what the schema's reference names, nil when that is elsewhere.
func (d *declaration) resolve(s *document) *document {
	reference, err := url.PathUnescape(s.text("$ref"))
	if err != nil {
		return nil
	}
	return d.targets[reference]
}

// declare declares what a schema says of n, and returns the JSON types that it
// allows; nil when it does not restrict them.
func (d *declaration) declare(n *node, s *document) (types []string) {
	if s.fields == nil {
		return nil // true or false
	}
	if d.steps++; d.steps > mostSchemas {
		d.note(Source{d.file, 1}, "the schema is too large to be followed to the end")
		return nil
	}
	if d.open[s] >= recursion {
		d.note(Source{d.file, s.line}, "the schema contains itself: it is followed %d times", recursion)
		return typesOf(s)
	}
	d.open[s]++
	defer func() { d.open[s]-- }()

	if enum := s.fields["enum"]; enum != nil {
		for _, element := range enum.elements {
			d.allow(n, element.value())
		}
	}
	if constant := s.fields["const"]; constant != nil {
		d.allow(n, constant.value())
	}
	for _, key := range sortedKeys(s.fields) {
		types = intersect(types, d.keyword(n, key, s))
	}
	for _, name := range types {
		n.marks |= kindOfType(name)
	}
	if both := intersect(n.types, types); len(both) > 0 {
		n.types = both
	}
	return types
}

// typesOf are the types that the schema itself names.
func typesOf(s *document) (types []string) {
	if t := s.fields["type"]; t != nil {
		for _, one := range append([]*document{t}, t.elements...) {
			if name, ok := one.value().(string); ok {
				types = with(types, name)
			}
		}
		slices.Sort(types)
	}
	return types
}

// kindOfType is the kind of the values of a JSON type, zero for null.
func kindOfType(name string) Kind {
	switch name {
	case "object":
		return Map
	case "array":
		return List
	case "null":
		return 0
	default:
		return Scalar
	}
}

// keyword declares what a keyword of a schema says of n, and returns the types
// that it allows.
func (d *declaration) keyword(n *node, key string, within *document) (types []string) {
	s := within.fields[key]
	at := Source{d.file, s.line}
	switch key {
	case "type":
		return typesOf(within)
	case "$ref":
		if target := d.resolve(within); target != nil {
			return d.declare(n, target)
		}
		d.note(at, "the reference %q leads out of the file or nowhere", s.content.Value)
	case "$dynamicRef", "$recursiveRef":
		d.note(at, "%s is not followed", key)
	case "properties":
		n.marks |= Map
		for _, name := range sortedKeys(s.fields) {
			c := n.child(name)
			c.addSource(Source{d.file, s.fields[name].line})
			d.declare(c, s.fields[name])
		}
	case "additionalProperties", "unevaluatedProperties":
		if s.fields == nil && s.value() == false {
			n.marks |= closed
		}
		d.element(n, Map, s)
	case "patternProperties":
		for _, pattern := range sortedKeys(s.fields) {
			d.element(n, Map, s.fields[pattern])
		}
	case "additionalItems", "unevaluatedItems", "contains", "items", "prefixItems":
		for _, one := range append([]*document{s}, s.elements...) {
			d.element(n, List, one)
		}
	case "allOf":
		for _, one := range s.elements {
			types = intersect(types, d.declare(n, one))
		}
	case "anyOf", "oneOf":
		any := false
		for _, one := range s.elements {
			own := d.declare(n, one)
			types, any = with(types, own...), any || own == nil
		}
		if any {
			return nil
		}
		slices.Sort(types)
	case "if", "then", "else":
		d.declare(n, s)
	case "dependentSchemas", "dependencies":
		for _, name := range sortedKeys(s.fields) {
			d.declare(n, s.fields[name])
		}
	}
	return types
}

// element declares the elements of a list or map.
func (d *declaration) element(n *node, kind Kind, s *document) {
	if s.fields == nil {
		return // true, false or a list of schemas
	}
	n.marks |= kind
	n.element().addSource(Source{d.file, s.line})
	d.declare(n.element(), s)
}

// allow adds a value to those that a schema lists.
func (d *declaration) allow(n *node, v any) {
	n.marks |= KindOf(v)
	if !slices.ContainsFunc(n.enum, func(other any) bool { return reflect.DeepEqual(other, v) }) {
		n.enum = append(n.enum, v)
	}
}

// intersect are the types that both lists allow; nil allows any. A number may be
// an integer.
func intersect(a, b []string) []string {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	allows := func(types []string, name string) bool {
		return slices.Contains(types, name) || name == "integer" && slices.Contains(types, "number")
	}
	both := []string{}
	for _, name := range slices.Concat(a, b) {
		if allows(a, name) && allows(b, name) {
			both = with(both, name)
		}
	}
	slices.Sort(both)
	return both
}
