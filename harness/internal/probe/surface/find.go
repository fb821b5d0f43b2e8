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
	top := newNode(nil, "")
	root := newUnit(c, c.Name(), top, "", c.Name())
	m := &machine{
		units:     root.all(),
		functions: functions(),
		notes:     map[string]bool{},
		parsed:    map[string]map[string]*parse.Tree{},
		users:     map[*unit]map[string]bool{},
	}
	for _, u := range m.units {
		u.values.isValues = true
		if err := u.declareValues(); err != nil {
			return nil, err
		}
		if err := u.declareSchema(m); err != nil {
			return nil, err
		}
	}
	setDefaults(top, root.defaults)
	all, err := m.parseAll(ctx)
	if err != nil {
		return nil, err
	}
	root.giveContext()
	m.run(all)
	for _, u := range m.units {
		u.declareDependencies(m, top)
	}
	top.settle()
	return &Surface{Places: places(top), Notes: slices.Sorted(maps.Keys(m.notes))}, nil
}

// run executes the files. When one changed the values, the others see that, so
// all are executed once more.
func (m *machine) run(all []*file) {
	for range 2 {
		m.changed = false
		for _, f := range all {
			def, ok := m.definitions[f.name]
			if !ok || f.partial() {
				continue
			}
			f.unit.context.fields["Template"] = newObject(map[string]value{
				"Name":     {literal(f.name)},
				"BasePath": {literal(f.unit.full + "/templates")},
			})
			m.file = f.name
			written := m.execute(f.name, def, value{f.unit.context}, Source{f.shown, 1})
			if !strings.HasSuffix(f.name, "NOTES.txt") {
				written.whole.places(alike|contents|wholes, func(n *node) { n.marks |= raw | read })
			}
		}
		if !m.changed {
			return
		}
	}
}

// giveContext makes what the templates of the unit and of those below get.
func (u *unit) giveContext() {
	metadata := u.chart.Metadata
	below := map[string]value{}
	for _, sub := range u.units {
		sub.giveContext()
		below[sub.name] = with(below[sub.name], any(sub.context))
	}
	u.context = &object{entries{fields: map[string]value{
		"Values":    {u.values},
		"Files":     {files{u}},
		"Subcharts": newObject(below),
		"Chart": newObject(map[string]value{
			"Name":       {literal(u.name)},
			"Version":    {literal(metadata.Version)},
			"AppVersion": {literal(metadata.AppVersion)},
			"Type":       {literal(metadata.Type)},
		}),
	}}}
}

// places lists the places below the root, and the root where it is one.
func places(root *node) []Place {
	var all []Place
	if root.marks.Has(raw|isTemplate) || root.elem != nil {
		all = append(all, root.place(nil))
	}
	var list func(n *node, path []string)
	list = func(n *node, path []string) {
		for _, key := range sortedKeys(n.children) {
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
	shape := *n.shape()
	shape.Fields = nil
	return Place{
		Path: path, Shape: shape, Read: n.marks.Has(read), Default: n.def,
		Sources: n.whence(), Files: slices.Sorted(maps.Keys(n.files)),
	}
}

// shape is what is known of n and of what is in it.
func (n *node) shape() *Shape {
	s := &Shape{
		Kinds: n.marks & (Scalar | Map | List), Raw: n.marks.Has(raw), Template: n.marks.Has(isTemplate),
		Switch: n.marks.Has(decides), Name: n.marks.Has(isName), Closed: n.marks.Has(closed),
		Enum: n.enum, Types: n.types, Compared: n.compared,
	}
	if len(n.children) > 0 {
		s.Fields = map[string]*Shape{}
		for key, c := range n.children {
			s.Fields[key] = c.shape()
		}
	}
	if n.elem != nil {
		s.Element = n.elem.shape()
	}
	return s
}
