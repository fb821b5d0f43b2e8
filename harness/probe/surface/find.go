package surface

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template/parse"

	chart "helm.sh/helm/v4/pkg/chart/v2"
)

// Find tells what can be set in the values of a chart and its subcharts. Its
// errors are those of a chart that Helm could not render whatever the values: a
// template or a schema that cannot be parsed. It does not change the chart.
func Find(ctx context.Context, c *chart.Chart) (*Surface, error) {
	if c == nil || c.Metadata == nil {
		return nil, errors.New("find what can be set: the chart has no Chart.yaml")
	}
	s, err := find(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("find what can be set in chart %s: %w", c.Name(), err)
	}
	return s, nil
}

func find(ctx context.Context, c *chart.Chart) (*Surface, error) {
	top := &node{}
	root, err := newUnit(c, c.Name(), top, "", c.Name())
	if err != nil {
		return nil, err
	}
	units := root.all()
	m := &machine{
		units:     units,
		functions: functions(),
		notes:     map[string]bool{},
		parsed:    map[string]map[string]*parse.Tree{},
		turns:     map[*parse.RangeNode]int{},
		users:     map[*unit]map[string]bool{},
	}
	for _, u := range units {
		u.values.unitRoot = true
		if err := u.declareValues(); err != nil {
			return nil, err
		}
		if err := u.declareSchema(m); err != nil {
			return nil, err
		}
	}
	setDefaults(top, root.defaults)
	all, definitions, err := parseAll(ctx, units)
	if err != nil {
		return nil, err
	}
	m.definitions = definitions
	root.giveContext()
	m.run(all)
	for _, u := range units {
		u.declareDependencies(m, top)
	}
	settle(top)
	return &Surface{Places: places(top), Notes: slices.Sorted(maps.Keys(m.notes))}, nil
}

// run executes the files. When one changed the values, the others see that, so
// all are executed once more.
func (m *machine) run(all []*file) {
	for range 2 {
		m.changed = false
		for _, f := range all {
			if f.partial() {
				continue
			}
			def, ok := m.definitions[f.name]
			if !ok {
				continue
			}
			f.unit.context.fields["Template"] = value{&object{fields: map[string]value{
				"Name":     {literal(f.name)},
				"BasePath": {literal(f.unit.full + "/templates")},
			}}}
			m.file = f.name
			written := m.execute(f.name, def, value{f.unit.context}, Source{f.shown, 1})
			if !strings.HasSuffix(f.name, "NOTES.txt") {
				written.writeWhole(map[any]bool{})
			}
		}
		if !m.changed {
			return
		}
	}
}

// writeWhole marks what is written with all its content.
func (t *text) writeWhole(seen map[any]bool) {
	t.whole.walk(seen, func(n *node) { n.raw, n.read = true, true }, func(below *text) {
		below.writeWhole(seen)
	})
}

// giveContext makes what the templates of the unit and of those below get.
func (u *unit) giveContext() {
	metadata := u.chart.Metadata
	below := &object{}
	for _, sub := range u.units {
		sub.giveContext()
		below.put(sub.name, value{sub.context})
	}
	u.context = &object{fields: map[string]value{
		"Values":    {u.values},
		"Files":     {files{u}},
		"Subcharts": {below},
		"Chart": {&object{fields: map[string]value{
			"Name":       {literal(u.name)},
			"Version":    {literal(metadata.Version)},
			"AppVersion": {literal(metadata.AppVersion)},
			"Type":       {literal(metadata.Type)},
		}}},
	}}
}

// places lists the places below the root, and the root where it is one.
func places(root *node) []Place {
	var all []Place
	if root.raw || root.template || root.elem != nil {
		all = append(all, root.place(nil))
	}
	var list func(n *node, path []string)
	list = func(n *node, path []string) {
		for _, key := range n.sortedKeys() {
			c, own := n.children[key], append(slices.Clone(path), key)
			place := c.place(own)
			if len(place.Sources) == 0 {
				continue // a subchart's global that nothing reads or declares
			}
			all = append(all, place)
			list(c, own)
		}
	}
	list(root, nil)
	slices.SortFunc(all, func(a, b Place) int { return slices.Compare(a.Path, b.Path) })
	return all
}

func (n *node) place(path []string) Place {
	return Place{Path: path, Shape: *n.shape(false), Read: n.read, Default: n.def, Sources: n.whence(), Files: slices.Sorted(maps.Keys(n.files))}
}

// whence is where n is read or declared: if nowhere itself, where what is in
// it is.
func (n *node) whence() []Source {
	if len(n.sources) > 0 {
		return n.sources
	}
	var all []Source
	for _, key := range n.sortedKeys() {
		all = append(all, n.children[key].whence()...)
	}
	if n.elem != nil {
		all = append(all, n.elem.whence()...)
	}
	slices.SortFunc(all, compareSources)
	return slices.Compact(all)
}

// shape is what is known of n, and of its keys when fields is true.
func (n *node) shape(fields bool) *Shape {
	s := &Shape{
		Kinds: n.kinds, Raw: n.raw, Template: n.template, Switch: n.decides, Name: n.name,
		Enum: n.enum, Types: n.types, Closed: n.closed, Compared: n.compared,
	}
	if fields && len(n.children) > 0 {
		s.Fields = map[string]*Shape{}
		for _, key := range n.sortedKeys() {
			s.Fields[key] = n.children[key].shape(true)
		}
	}
	if n.elem != nil {
		s.Element = n.elem.shape(true)
	}
	return s
}
