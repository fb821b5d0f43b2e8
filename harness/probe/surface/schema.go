package surface

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A schema is a JSON value with the lines of its keys.
type schema struct {
	line     int
	value    any                // a scalar
	fields   map[string]*schema // of an object
	elements []*schema          // of a list
	list     bool
}

// readSchema reads JSON.
func readSchema(data []byte) (*schema, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	line, last := 1, 0
	next := func() (json.Token, error) {
		token, err := decoder.Token()
		now := min(int(decoder.InputOffset()), len(data))
		line += bytes.Count(data[last:now], []byte("\n"))
		last = now
		return token, err
	}
	var read func(token json.Token) (*schema, error)
	read = func(token json.Token) (*schema, error) {
		s := &schema{line: line}
		delim, ok := token.(json.Delim)
		if !ok {
			s.value = token
			return s, nil
		}
		s.list = delim == '['
		if !s.list {
			s.fields = map[string]*schema{}
		}
		for {
			token, err := next()
			if err != nil {
				return nil, err
			}
			if token == json.Delim('}') || token == json.Delim(']') {
				return s, nil
			}
			if s.list {
				element, err := read(token)
				if err != nil {
					return nil, err
				}
				s.elements = append(s.elements, element)
				continue
			}
			key, at := token.(string), line
			if token, err = next(); err != nil {
				return nil, err
			}
			field, err := read(token)
			if err != nil {
				return nil, err
			}
			field.line = at
			s.fields[key] = field
		}
	}
	token, err := next()
	if err != nil {
		return nil, err
	}
	s, err := read(token)
	if err != nil {
		return nil, err
	}
	if _, err := next(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something after the first value")
	}
	return s, nil
}

// plain is the JSON value as the values have it.
func (s *schema) plain() any {
	switch {
	case s.list:
		all := make([]any, 0, len(s.elements))
		for _, element := range s.elements {
			all = append(all, element.plain())
		}
		return all
	case s.fields != nil:
		all := map[string]any{}
		for key, field := range s.fields {
			all[key] = field.plain()
		}
		return all
	}
	if number, ok := s.value.(json.Number); ok {
		if whole, err := number.Int64(); err == nil {
			return whole
		}
		float, _ := number.Float64()
		return float
	}
	return s.value
}

// A declaration walks a schema along the places.
type declaration struct {
	*machine
	steps int
	root  *schema
	file  string
	// open are the schemas being walked, by place: a schema can contain itself.
	open map[*schema]int
}

// declareSchema marks what the chart's schema allows.
func (u *unit) declareSchema(m *machine) error {
	if len(u.chart.Schema) == 0 {
		return nil
	}
	root, err := readSchema(u.chart.Schema)
	if err != nil {
		return fmt.Errorf("parse %svalues.schema.json: %w", u.folder, err)
	}
	d := &declaration{machine: m, root: root, file: u.folder + "values.schema.json", open: map[*schema]int{}}
	d.declare(u.values, root)
	return nil
}

// mostSchemas is far above what real charts need (about 1,000).
const mostSchemas = 20_000

// recursion is how often a schema is followed inside itself.
const recursion = 2

func (d *declaration) declare(n *node, s *schema) {
	if s.fields == nil {
		return // true or false
	}
	if d.steps++; d.steps > mostSchemas {
		d.note(Source{d.file, 1}, "the schema is too large to be followed to the end")
		return
	}
	if d.open[s] >= recursion {
		d.note(Source{d.file, s.line}, "the schema contains itself: it is followed %d times", recursion)
		return
	}
	d.open[s]++
	defer func() { d.open[s]-- }()

	if types, any := d.types(s, nil); !any {
		if n.types == nil {
			n.types = types
		} else if both := intersect(n.types, types); len(both) > 0 {
			n.types = both
		}
		for _, name := range types {
			switch name {
			case "object":
				n.kinds |= Map
			case "array":
				n.kinds |= List
			case "null":
			default:
				n.kinds |= Scalar
			}
		}
	}
	if s.fields["enum"] != nil {
		d.allow(n, s.fields["enum"].elements)
	}
	if constant := s.fields["const"]; constant != nil {
		d.allow(n, []*schema{constant})
	}
	for _, key := range slices.Sorted(maps.Keys(s.fields)) {
		d.keyword(n, key, s.fields[key])
	}
}

func (d *declaration) keyword(n *node, key string, s *schema) {
	at := Source{d.file, s.line}
	switch key {
	case "$ref":
		if target := d.resolve(s); target != nil {
			d.declare(n, target)
		} else {
			d.note(at, "the reference %q leads out of the file or nowhere", s.value)
		}
	case "$dynamicRef", "$recursiveRef":
		d.note(at, "%s is not followed", key)
	case "properties":
		n.kinds |= Map
		for _, name := range slices.Sorted(maps.Keys(s.fields)) {
			c := n.child(name)
			c.addSource(Source{d.file, s.fields[name].line})
			d.declare(c, s.fields[name])
		}
	case "additionalProperties", "unevaluatedProperties":
		if s.value == false {
			n.closed = true
		} else if s.fields != nil {
			d.element(n, Map, s)
		}
	case "patternProperties":
		for _, pattern := range slices.Sorted(maps.Keys(s.fields)) {
			d.element(n, Map, s.fields[pattern])
		}
	case "additionalItems", "unevaluatedItems", "contains":
		if s.fields != nil {
			d.element(n, List, s)
		}
	case "items", "prefixItems":
		if s.fields != nil {
			d.element(n, List, s)
		}
		for _, element := range s.elements {
			d.element(n, List, element)
		}
	case "allOf", "anyOf", "oneOf":
		for _, one := range s.elements {
			d.declare(n, one)
		}
	case "if", "then", "else":
		d.declare(n, s)
	case "dependentSchemas", "dependencies":
		for _, name := range slices.Sorted(maps.Keys(s.fields)) {
			d.declare(n, s.fields[name])
		}
	}
}

func (d *declaration) element(n *node, kind Kind, s *schema) {
	n.kinds |= kind
	n.element().addSource(Source{d.file, s.line})
	d.declare(n.element(), s)
}

func (d *declaration) allow(n *node, values []*schema) {
	for _, v := range values {
		plain := v.plain()
		if !slices.ContainsFunc(n.enum, func(other any) bool { return reflect.DeepEqual(other, plain) }) {
			n.enum = append(n.enum, plain)
		}
		switch plain.(type) {
		case map[string]any:
			n.kinds |= Map
		case []any:
			n.kinds |= List
		case nil:
		default:
			n.kinds |= Scalar
		}
	}
}

// resolve finds what a reference inside the file names, nil when it is
// elsewhere.
func (d *declaration) resolve(reference *schema) *schema {
	text, _ := reference.value.(string)
	pointer, ok := strings.CutPrefix(text, "#")
	if !ok {
		return nil
	}
	pointer, err := url.PathUnescape(pointer)
	if err != nil {
		return nil
	}
	if pointer != "" && !strings.HasPrefix(pointer, "/") {
		return d.anchor(d.root, pointer)
	}
	s := d.root
	for i, key := range strings.Split(pointer, "/") {
		if i == 0 {
			continue
		}
		key = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
		if s.list {
			at, err := strconv.Atoi(key)
			if err != nil || at < 0 || at >= len(s.elements) {
				return nil
			}
			s = s.elements[at]
		} else if s = s.fields[key]; s == nil {
			return nil
		}
	}
	return s
}

// anchor finds a schema by its $anchor, or by its $id that is only a fragment.
func (d *declaration) anchor(s *schema, name string) *schema {
	if a := s.fields["$anchor"]; a != nil && a.value == name {
		return s
	}
	for _, key := range []string{"$id", "id"} {
		if id := s.fields[key]; id != nil && id.value == "#"+name {
			return s
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.fields)) {
		if found := d.anchor(s.fields[key], name); found != nil {
			return found
		}
	}
	for _, element := range s.elements {
		if found := d.anchor(element, name); found != nil {
			return found
		}
	}
	return nil
}

// types are the JSON types that a schema allows; any is true when it does not
// restrict them.
func (d *declaration) types(s *schema, open []*schema) (types []string, any bool) {
	if d.steps++; s.fields == nil || slices.Contains(open, s) || d.steps > mostSchemas {
		return nil, true
	}
	open = append(open, s)
	any = true
	restrict := func(more []string) {
		slices.Sort(more)
		more = slices.Compact(more)
		if any {
			types, any = more, false
		} else {
			types = intersect(types, more)
		}
	}
	if t := s.fields["type"]; t != nil {
		var own []string
		for _, one := range append([]*schema{t}, t.elements...) {
			if name, ok := one.value.(string); ok {
				own = append(own, name)
			}
		}
		restrict(own)
	}
	if reference := s.fields["$ref"]; reference != nil {
		if target := d.resolve(reference); target != nil {
			if more, every := d.types(target, open); !every {
				restrict(more)
			}
		}
	}
	if all := s.fields["allOf"]; all != nil {
		for _, one := range all.elements {
			if more, every := d.types(one, open); !every {
				restrict(more)
			}
		}
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if s.fields[key] == nil {
			continue
		}
		var either []string
		open := slices.Clone(open)
		free := false
		for _, one := range s.fields[key].elements {
			more, every := d.types(one, open)
			either, free = append(either, more...), free || every
		}
		if !free {
			restrict(either)
		}
	}
	return types, any
}

// intersect are the types that both lists allow. A number may be an integer.
func intersect(a, b []string) []string {
	allows := func(types []string, name string) bool {
		return slices.Contains(types, name) || name == "integer" && slices.Contains(types, "number")
	}
	var both []string
	for _, name := range append(slices.Clone(a), b...) {
		if allows(a, name) && allows(b, name) && !slices.Contains(both, name) {
			both = append(both, name)
		}
	}
	slices.Sort(both)
	return both
}
