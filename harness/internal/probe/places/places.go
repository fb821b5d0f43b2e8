// Package places reads in a chart what the execution of its templates does not
// show: what the JSON schemas of the values allow, and the values that switch
// subcharts on and off. It renders nothing.
package places

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	chart "helm.sh/helm/v4/pkg/chart/v2"

	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
)

// Shape is what a schema says of a value. The zero value says nothing.
type Shape struct {
	// Types are the JSON types that are allowed; none for any.
	Types []string
	// Enum has the values that are listed.
	Enum []any
	// Pattern is that of a text.
	Pattern string
	// loose is true when there are alternatives, so that nothing is ruled out.
	loose bool
	// Fields are the keys that are declared, and Required those that must be there.
	Fields   map[string]*Shape
	Required []string
	// Element is what is said of a list's elements, or of the values under other keys.
	Element *Shape
}

// Allows reports whether a type is allowed.
func (s *Shape) Allows(name string) bool {
	return s == nil || s.loose || len(s.Types) == 0 || slices.Contains(s.Types, name)
}

// Refuses reports whether a value is surely none that is allowed. Nil takes away
// what is there, which is always allowed.
func (s *Shape) Refuses(value any) bool {
	if s == nil || s.loose || value == nil {
		return false
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(listed any) bool { return reflect.DeepEqual(listed, value) }) {
		return true
	}
	switch value.(type) {
	case string:
		return !s.Allows("string")
	case bool:
		return !s.Allows("boolean")
	case []any:
		return !s.Allows("array")
	case map[string]any:
		return !s.Allows("object")
	}
	return !s.Allows("integer") && !s.Allows("number")
}

// Of is what a chart says of its values, with those of its subcharts below their
// names. Its errors are those of a schema that cannot be read.
func Of(c *chart.Chart) (*Shape, error) {
	root := &Shape{}
	if len(c.Schema) > 0 {
		var schema map[string]any
		if err := json.Unmarshal(c.Schema, &schema); err != nil {
			return nil, fmt.Errorf("read values.schema.json of chart %s: %w", c.Name(), err)
		}
		root.read(schema, schema, 0)
	}
	for _, below := range c.Dependencies() {
		shape, err := Of(below)
		if err != nil {
			return nil, err
		}
		for _, name := range namesOf(c, below) {
			if root.Fields == nil {
				root.Fields = map[string]*Shape{}
			}
			root.Fields[name] = root.Fields[name].with(shape)
		}
	}
	return root, nil
}

// with is a shape with what another says, where it says nothing itself.
func (s *Shape) with(other *Shape) *Shape {
	if s == nil || other == nil {
		return cmp.Or(s, other)
	}
	both := *other
	both.loose = s.loose || other.loose
	if len(s.Types) > 0 {
		both.Types = s.Types
	}
	if len(s.Enum) > 0 {
		both.Enum = s.Enum
	}
	both.Fields = maps.Clone(other.Fields)
	for key, field := range s.Fields {
		if both.Fields == nil {
			both.Fields = map[string]*Shape{}
		}
		both.Fields[key] = field.with(other.Fields[key])
	}
	both.Element = s.Element.with(other.Element)
	return &both
}

// namesOf are the names under which a chart depends on another.
func namesOf(c, below *chart.Chart) []string {
	names := []string{below.Name()}
	for _, declared := range c.Metadata.Dependencies {
		if declared.Name == below.Name() && declared.Alias != "" {
			names = append(names, declared.Alias)
		}
	}
	return names
}

const deepest = 12

// read adds what a schema says. References are followed within the document.
func (s *Shape) read(schema any, document map[string]any, depth int) {
	fields, _ := schema.(map[string]any)
	if fields == nil || depth > deepest {
		return
	}
	if ref, ok := fields["$ref"].(string); ok {
		if pointer, local := strings.CutPrefix(ref, "#/"); local {
			var at any = document
			for _, key := range strings.Split(pointer, "/") {
				below, _ := at.(map[string]any)
				at = below[key]
			}
			s.read(at, document, depth+1)
		}
	}
	switch types := fields["type"].(type) {
	case string:
		s.Types = append(s.Types, types)
	case []any:
		for _, name := range types {
			s.Types = append(s.Types, fmt.Sprint(name))
		}
	}
	if enum, ok := fields["enum"].([]any); ok {
		s.Enum = append(s.Enum, enum...)
	}
	if constant, ok := fields["const"]; ok {
		s.Enum = append(s.Enum, constant)
	}
	if pattern, ok := fields["pattern"].(string); ok {
		s.Pattern = pattern
	}
	required, _ := fields["required"].([]any)
	for _, name := range required {
		s.Required = append(s.Required, fmt.Sprint(name))
	}
	properties, _ := fields["properties"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		if s.Fields == nil {
			s.Fields = map[string]*Shape{}
		}
		if s.Fields[key] == nil {
			s.Fields[key] = &Shape{}
		}
		s.Fields[key].read(properties[key], document, depth+1)
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if _, ok := fields[key].(map[string]any); ok {
			if s.Element == nil {
				s.Element = &Shape{}
			}
			s.Element.read(fields[key], document, depth+1)
		}
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		all, _ := fields[key].([]any)
		s.loose = s.loose || len(all) > 0 && key != "allOf"
		for _, one := range all {
			s.read(one, document, depth+1)
		}
	}
	for _, key := range []string{"then", "else"} {
		s.loose = s.loose || fields[key] != nil
		s.read(fields[key], document, depth+1)
	}
}

// At is what is said of a place; nil when nothing is.
func (s *Shape) At(place watch.Place) *Shape {
	for _, key := range place.Keys() {
		if s == nil {
			return nil
		}
		if _, isIndex := watch.Index(key); isIndex || s.Fields[key] == nil {
			s = s.Element
		} else {
			s = s.Fields[key]
		}
	}
	return s
}

// Walk tells each place that is declared below one, of which this is the shape.
func (s *Shape) Walk(place watch.Place, tell func(place watch.Place, shape *Shape)) {
	for _, key := range slices.Sorted(maps.Keys(s.Fields)) {
		tell(place.Key(key), s.Fields[key])
		s.Fields[key].Walk(place.Key(key), tell)
	}
}

// Sample is a value that fits, as far as the shape tells: with all fields that are
// declared, or with those alone that must be there.
func (s *Shape) Sample(all bool) any {
	switch {
	case s == nil:
		return "probe"
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Allows("object") && len(s.Fields) > 0:
		fields := map[string]any{}
		for key, shape := range s.Fields {
			if all || slices.Contains(s.Required, key) {
				fields[key] = shape.Sample(false)
			}
		}
		return fields
	case s.Allows("string"):
		return "probe"
	case s.Allows("boolean"):
		return true
	case s.Allows("integer"), s.Allows("number"):
		return 1.0
	case s.Allows("array"):
		return []any{}
	}
	return map[string]any{}
}

// Switches are the places that switch a chart's dependencies on and off.
func Switches(c *chart.Chart) []watch.Place {
	var all []watch.Place
	each(c, "", func(c *chart.Chart, above watch.Place) {
		for _, declared := range c.Metadata.Dependencies {
			for condition := range strings.SplitSeq(declared.Condition, ",") {
				if condition = strings.TrimSpace(condition); condition != "" {
					place := above
					for key := range strings.SplitSeq(condition, ".") {
						place = place.Key(key)
					}
					all = append(all, place)
				}
			}
			for _, tag := range declared.Tags {
				all = append(all, watch.PlaceOf("tags", tag))
			}
		}
	})
	slices.Sort(all)
	return slices.Compact(all)
}

// Subcharts are the places of the values of subcharts.
func Subcharts(c *chart.Chart) map[watch.Place]bool {
	all := map[watch.Place]bool{}
	each(c, "", func(_ *chart.Chart, place watch.Place) { all[place] = true })
	delete(all, "") // the chart itself
	return all
}

// each tells a chart, and those below it, with the places of their values.
func each(c *chart.Chart, place watch.Place, tell func(c *chart.Chart, place watch.Place)) {
	tell(c, place)
	for _, below := range c.Dependencies() {
		for _, name := range namesOf(c, below) {
			each(below, place.Key(name), tell)
		}
	}
}
