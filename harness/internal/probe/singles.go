package probe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common/util"

	"github.com/proompteng/nevermigrate/harness/internal/probe/surface"
)

// single is a configuration that sets something at one place, or below it.
type single struct {
	configuration
	place int // by its index in the surface
}

// generator makes the configurations that set one place at a time.
type generator struct {
	corpora []corpus // one for each constraint
	corpus  corpus   // the one whose values are being made
	surface *surface.Surface
	now     map[string]any // the base with the chart's own values
	pinned  [][]string
	seen    map[string]bool
}

func newGenerator(s *subject, places *surface.Surface, pins configuration) (*generator, error) {
	coalesced, err := util.CoalesceValues(s.chart.Loaded(), s.base)
	if err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	g := &generator{corpora: s.judge.corpora, surface: places, now: coalesced, seen: map[string]bool{}}
	for _, pin := range pins {
		g.pinned = append(g.pinned, pin.path)
	}
	return g, nil
}

// ranks are how little places promise: the last is for texts of several lines.
const ranks = 5

// singles are the configurations to try first, those that promise most first.
func (g *generator) singles() ([]single, error) {
	type turned struct {
		single
		turn int
	}
	var all []single
	for rank := range ranks {
		var ofRank []turned
		for _, g.corpus = range g.corpora {
			for i := range g.surface.Places {
				place := &g.surface.Places[i]
				var values []any
				switch {
				case rank == g.rank(place):
					values = g.values(place)
				case rank == ranks-1 && g.printed(place):
					values = g.corpus.Texts
				}
				singles, err := g.typed(i, values)
				if err != nil {
					return nil, err
				}
				for turn, one := range singles {
					if g.hasVariable(one.configuration) {
						turn /= 4
					}
					ofRank = append(ofRank, turned{one, turn})
				}
			}
		}
		// The plainest of every place before the second plainest of any.
		slices.SortStableFunc(ofRank, func(a, b turned) int { return a.turn - b.turn })
		for _, turned := range ofRank {
			all = append(all, turned.single)
		}
	}
	return all, nil
}

// more are the further spellings for a place that has had an effect.
func (g *generator) more(i int) ([]single, error) {
	place := &g.surface.Places[i]
	if !g.kinds(place).Has(surface.Scalar) || len(place.Enum) > 0 {
		return nil, nil
	}
	var spellings []any
	for _, corpus := range g.corpora {
		spellings = append(spellings, corpus.Spellings...)
	}
	return g.typed(i, spellings)
}

// typed makes configurations of values of a place, and drops what was there
// before and what is pinned.
func (g *generator) typed(i int, values []any) ([]single, error) {
	var singles []single
	for _, value := range values {
		c, err := configure(g.surface.Places[i].Path, value).typed()
		if err != nil {
			return nil, err
		}
		key := c.key()
		if len(c) == 0 || g.seen[key] || g.pins(c) {
			continue
		}
		g.seen[key] = true
		singles = append(singles, single{c, i})
	}
	return singles, nil
}

func (g *generator) pins(c configuration) bool {
	return slices.ContainsFunc(c, func(change change) bool {
		return len(change.path) == 0 || slices.ContainsFunc(g.pinned, func(path []string) bool { return related(path, change.path) })
	})
}

// rank is how little a place promises.
func (g *generator) rank(place *surface.Place) int {
	_, isBool := g.at(place.Path).(bool)
	switch {
	case slices.ContainsFunc(place.Path, g.isVariable), place.Raw, place.Template, place.Element != nil, place.Switch && isBool:
		return 0
	case place.Switch, place.Name, len(place.Compared) > 0:
		return 1
	case place.Read:
		return 2
	default:
		return 3
	}
}

// printed reports whether a text of a place may be written as it is, so that
// several lines of it become YAML.
func (g *generator) printed(place *surface.Place) bool {
	texts := len(place.Types) == 0 || slices.Contains(place.Types, "string")
	return place.Read && g.kinds(place).Has(surface.Scalar) && texts && len(place.Enum) == 0 &&
		!slices.ContainsFunc(g.surface.Places, func(other surface.Place) bool { return other.Raw && below(place.Path, other.Path) })
}

// hasVariable reports whether a configuration sets one key, of a variable's name
// or below that.
func (g *generator) hasVariable(c configuration) bool {
	return len(c) == 1 && slices.ContainsFunc(c[0].path, g.isVariable)
}

func (g *generator) isVariable(name string) bool {
	return slices.ContainsFunc(g.corpora, func(c corpus) bool { return c.variable == name })
}

// switches reports whether a single turns a switch: to true, to another boolean
// than now, or to what a template compares it with.
func (g *generator) switches(one single) bool {
	place := &g.surface.Places[one.place]
	if len(one.configuration) != 1 || len(one.configuration[0].path) != len(place.Path) {
		return false
	}
	switch value := one.configuration[0].value.(type) {
	case string:
		return slices.Contains(place.Compared, value)
	case bool:
		return place.Switch && (value || g.at(place.Path) == true)
	}
	return false
}

// at is the value at a path now.
func (g *generator) at(path []string) any {
	var at any = g.now
	for _, key := range path {
		fields, _ := at.(map[string]any)
		at = fields[key]
	}
	return at
}

// kindsOf are the kinds as which a value is read or declared: all when nothing
// is known of it.
func kindsOf(kinds surface.Kind) surface.Kind {
	if kinds == 0 {
		return surface.Scalar | surface.List | surface.Map
	}
	return kinds
}

// kinds are those as which a place is read or declared, and that it has now.
func (g *generator) kinds(place *surface.Place) surface.Kind {
	return kindsOf(place.Kinds | surface.KindOf(g.at(place.Path)))
}

// values are what is set at a place.
func (g *generator) values(place *surface.Place) []any {
	var values []any
	now, kinds := g.at(place.Path), g.kinds(place)
	if kinds.Has(surface.Scalar) {
		values = append(values, g.scalars(&place.Shape, now)...)
		if n := len(place.Path); n > 0 && place.Path[n-1] == g.corpus.variable {
			values = append(values, g.corpus.Spellings...)
		}
	}
	if kinds.Has(surface.List) {
		lists := g.lists(&place.Shape)
		values = append(values, lists...)
		if before, ok := now.([]any); ok && len(before) > 0 {
			for _, added := range lists {
				values = append(values, slices.Concat(before, added.([]any)))
			}
		}
	}
	if kinds.Has(surface.Map) {
		values = append(values, g.maps(place, now)...)
	}
	if len(place.Path) > 0 {
		values = append(values, nil, "probe")
	}
	return values
}

func (g *generator) scalars(shape *surface.Shape, now any) []any {
	if len(shape.Enum) > 0 {
		return append(slices.Clone(shape.Enum), "probe")
	}
	var values []any
	if now, ok := now.(bool); ok {
		values = append(values, !now)
	}
	values = append(values, g.corpus.Plain...)
	if shape.Switch || slices.Contains(shape.Types, "boolean") {
		values = append(values, true, false)
	}
	for _, literal := range shape.Compared {
		values = append(values, literal)
	}
	if number, ok := now.(float64); ok {
		values = append(values, number+1)
	}
	if shape.Name {
		values = append(values, g.corpus.Names...)
	}
	if shape.Template {
		values = append(values, g.corpus.Texts...)
	}
	return values
}

func (g *generator) lists(shape *surface.Shape) []any {
	var lists []any
	if shape.Element != nil && shape.Element.Kinds == surface.Scalar {
		lists = append(lists, g.corpus.Commands...)
	}
	for _, element := range g.elements(shape.Element, 0, false) {
		lists = append(lists, []any{element})
	}
	if shape.Raw || shape.Element == nil || shape.Element.Raw || shape.Element.Kinds.Has(surface.Scalar) {
		lists = append(lists, g.corpus.Lists...)
	}
	return append(lists, []any{})
}

func (g *generator) maps(place *surface.Place, now any) []any {
	var values []any
	if place.Element != nil {
		for _, element := range g.elements(place.Element, 0, true) {
			values = append(values, map[string]any{g.corpus.variable: element})
			if _, ok := element.(map[string]any); ok {
				values = append(values, map[string]any{"probe": element})
			}
		}
		fields, _ := now.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			for _, value := range []any{nil, "auto", ""} {
				values = append(values, map[string]any{key: value})
			}
		}
	}
	isLeaf := !slices.ContainsFunc(g.surface.Places, func(other surface.Place) bool { return below(other.Path, place.Path) })
	if place.Raw || place.Element == nil && isLeaf {
		for _, value := range g.corpus.Plain {
			values = append(values, map[string]any{g.corpus.variable: value})
		}
		values = append(values, g.corpus.Maps...)
	}
	return values
}

// deepest bounds how deep elements are made.
const deepest = 3

// elements are what an element of a list, or of a map whose keys may be the
// variable, may be.
func (g *generator) elements(shape *surface.Shape, depth int, ofMap bool) []any {
	if shape == nil || depth > deepest {
		return nil
	}
	var elements []any
	kinds := kindsOf(shape.Kinds)
	if kinds.Has(surface.Scalar) {
		elements = append(elements, g.corpus.Plain...)
		if ofMap {
			elements = append(elements, g.corpus.Spellings...)
		}
		elements = append(elements, g.corpus.variable, g.corpus.variable+"=auto")
		if shape.Raw || shape.Template {
			elements = append(elements, g.corpus.Texts...)
		}
	}
	if !kinds.Has(surface.Map) {
		return elements
	}
	if len(shape.Fields) > 0 {
		if ofMap {
			texts, _ := fieldsOf(shape)
			for _, name := range texts {
				for _, value := range g.corpus.Plain {
					elements = append(elements, map[string]any{name: value})
				}
			}
		}
		elements = append(elements, g.structs(shape, depth)...)
	}
	if shape.Raw || len(shape.Fields) == 0 {
		containers := g.corpus.Containers
		elements = append(elements, containers[:2]...)
		elements = append(elements, g.corpus.Entries...)
		elements = append(elements, containers[2:]...)
		elements = append(elements, map[string]any{"value": "auto"}, map[string]any{"valueFrom": g.corpus.Sources[0]})
	}
	return append(elements, g.underVariable(shape.Element, depth)...)
}

// underVariable are maps with an element under the variable's name.
func (g *generator) underVariable(shape *surface.Shape, depth int) []any {
	var all []any
	for _, element := range g.elements(shape, depth+1, true) {
		all = append(all, map[string]any{g.corpus.variable: element})
	}
	return all
}

// fieldsOf are the fields that may be texts, and all others.
func fieldsOf(shape *surface.Shape) (texts, others []string) {
	for _, name := range slices.Sorted(maps.Keys(shape.Fields)) {
		if field := shape.Fields[name]; kindsOf(field.Kinds).Has(surface.Scalar) && len(field.Fields) == 0 {
			texts = append(texts, name)
		} else {
			others = append(others, name)
		}
	}
	return texts, others
}

var (
	nameFields  = []string{"name", "key", "variable", "env", "envvar", "varname", "envname", "id"}
	valueFields = []string{"value", "val", "default", "text", "content", "data"}
)

// likeFirst are fields with those first whose names stand in a list.
func likeFirst(fields, like []string) []string {
	rank := func(name string) int {
		if i := slices.Index(like, strings.ToLower(name)); i >= 0 {
			return i
		}
		return len(like)
	}
	return slices.SortedStableFunc(slices.Values(fields), func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
}

// structs are maps with the fields that are read, the migrations variable in
// each of them, and a value in each other.
func (g *generator) structs(shape *surface.Shape, depth int) []any {
	texts, others := fieldsOf(shape)
	names, values := likeFirst(texts, nameFields), likeFirst(texts, valueFields)
	variable := g.corpus.variable
	var all []any
	// add adds a map with all fields that may be texts.
	add := func(set map[string]any) {
		filled := map[string]any{}
		for _, name := range texts {
			filled[name] = filler(name, shape.Fields[name])
		}
		maps.Copy(filled, set)
		all = append(all, filled)
	}
	for n, name := range names {
		add(map[string]any{name: variable})
		contents := []any{"auto"}
		if n == 0 { // all contents for the likeliest fields
			contents = slices.Concat(g.corpus.Plain, g.corpus.Spellings)
		}
		for _, value := range values {
			if value == name {
				continue
			}
			for _, content := range contents {
				add(map[string]any{name: variable, value: content})
			}
			contents = []any{"auto"}
		}
		// Without the fields that are not required, too.
		all = append(all, map[string]any{name: variable})
	}
	for _, other := range others {
		for _, content := range g.contents(shape.Fields[other], depth) {
			if len(names) == 0 {
				all = append(all, map[string]any{other: content})
				continue
			}
			add(map[string]any{other: content, names[0]: variable})
			all = append(all, map[string]any{names[0]: variable, other: content})
			all = append(all, map[string]any{names[0]: "probe", other: content})
		}
	}
	return all
}

// contents are what a field that is no text may be.
func (g *generator) contents(shape *surface.Shape, depth int) []any {
	var contents []any
	kinds := kindsOf(shape.Kinds)
	if kinds.Has(surface.List) {
		for _, element := range g.elements(shape.Element, depth+1, false) {
			contents = append(contents, []any{element})
		}
		if shape.Raw || shape.Element == nil || shape.Element.Raw {
			contents = append(contents, []any{g.corpus.Entries[0]}, g.corpus.Commands[0], []any{g.corpus.Containers[0]})
		}
	}
	if kinds.Has(surface.Map) {
		if len(shape.Fields) > 0 {
			contents = append(contents, g.structs(shape, depth+1)...)
		}
		contents = append(contents, g.underVariable(shape.Element, depth)...)
		if shape.Raw || len(shape.Fields) == 0 && shape.Element == nil {
			contents = append(contents, g.corpus.Sources...)
			contents = append(contents, map[string]any{g.corpus.variable: "auto"})
		}
	}
	return contents
}

// filler is a value that a field may have.
func filler(name string, shape *surface.Shape) any {
	if len(shape.Enum) > 0 {
		return shape.Enum[0]
	}
	if len(shape.Types) > 0 && !slices.Contains(shape.Types, "string") {
		for _, name := range shape.Types {
			switch name {
			case "integer", "number":
				return float64(1)
			case "boolean":
				return true
			}
		}
	}
	if slices.Contains(valueFields, strings.ToLower(name)) {
		return "auto"
	}
	return "probe"
}
