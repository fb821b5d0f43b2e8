package probe

import (
	"maps"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/probe/surface"
)

// push is one configuration to try, and the place that it pushes.
type push struct {
	configuration
	place int // by its index in the surface
}

// pusher makes the configurations that push one place at a time.
type pusher struct {
	corpora []corpus // one for each contract
	corpus  corpus   // the one whose values are being made
	surface *surface.Surface
	base    map[string]any // with the chart's own values
	pinned  [][]string
	seen    map[string]bool
}

// singles are the configurations to try first, those that promise most first.
func (p *pusher) singles() ([]push, error) {
	type ranked struct {
		push
		rank int
	}
	var all []push
	for class := range 5 {
		var ofClass []ranked
		for _, p.corpus = range p.corpora {
			for i := range p.surface.Places {
				place := &p.surface.Places[i]
				var values []any
				switch {
				case class == p.class(place):
					values = p.values(place)
				case class == 4 && p.printed(place):
					values = p.corpus.texts()
				}
				pushes, err := p.typed(i, values)
				if err != nil {
					return nil, err
				}
				for rank, push := range pushes {
					if p.names(push.configuration) {
						rank /= 4
					}
					ofClass = append(ofClass, ranked{push, rank})
				}
			}
		}
		// The plainest of every place before the second plainest of any.
		slices.SortStableFunc(ofClass, func(a, b ranked) int { return a.rank - b.rank })
		for _, ranked := range ofClass {
			all = append(all, ranked.push)
		}
	}
	return all, nil
}

// printed reports whether a text of a place may be written as it is, so that
// several lines of it become YAML.
func (p *pusher) printed(place *surface.Place) bool {
	scalar, _, _ := kindsOf(&place.Shape, p.at(place.Path))
	texts := len(place.Types) == 0 || slices.Contains(place.Types, "string")
	return place.Read && scalar && texts && len(place.Enum) == 0 && !p.within(place.Path, func(above *surface.Place) bool { return above.Raw })
}

// within reports whether a place above a path is of some sort.
func (p *pusher) within(path []string, sort func(*surface.Place) bool) bool {
	return slices.ContainsFunc(p.surface.Places, func(other surface.Place) bool {
		return len(other.Path) < len(path) && related(other.Path, path) && sort(&other)
	})
}

// above reports whether a place has others below it.
func (p *pusher) above(path []string) bool {
	return slices.ContainsFunc(p.surface.Places, func(other surface.Place) bool {
		return len(other.Path) > len(path) && related(other.Path, path)
	})
}

// class is how little a place promises.
func (p *pusher) class(place *surface.Place) int {
	switch {
	case p.hasVariable(place.Path), place.Raw, place.Template, place.Element != nil:
		return 0
	case place.Switch && isBool(p.at(place.Path)):
		return 0
	case place.Switch, place.Name, len(place.Compared) > 0:
		return 1
	case place.Read:
		return 2
	default:
		return 3
	}
}

// more are the further spellings for a place that has been seen to matter.
func (p *pusher) more(i int) ([]push, error) {
	place := &p.surface.Places[i]
	if scalar, _, _ := kindsOf(&place.Shape, p.at(place.Path)); !scalar || len(place.Enum) > 0 {
		return nil, nil
	}
	var spellings []any
	for _, corpus := range p.corpora {
		spellings = append(spellings, corpus.spellings()...)
	}
	return p.typed(i, spellings)
}

// typed makes configurations of values of a place, and drops what was there
// before and what is pinned.
func (p *pusher) typed(i int, values []any) ([]push, error) {
	var pushes []push
	for _, value := range values {
		c, err := configure(p.surface.Places[i].Path, value).typed()
		if err != nil {
			return nil, err
		}
		key := c.key()
		if len(c) == 0 || p.seen[key] || p.pins(c) {
			continue
		}
		p.seen[key] = true
		pushes = append(pushes, push{c, i})
	}
	return pushes, nil
}

// names reports whether a configuration sets a key of a variable's name.
func (p *pusher) names(c configuration) bool {
	return len(c) == 1 && p.hasVariable(c[0].path)
}

// hasVariable reports whether a path has a key of a variable's name.
func (p *pusher) hasVariable(path []string) bool {
	return slices.ContainsFunc(path, p.isVariable)
}

func (p *pusher) isVariable(name string) bool {
	return slices.ContainsFunc(p.corpora, func(c corpus) bool { return c.variable == name })
}

// switches reports whether a push turns a switch: to true, to another boolean
// than now, or to what a template compares it with.
func (p *pusher) switches(push push) bool {
	place := &p.surface.Places[push.place]
	if len(push.configuration) != 1 || len(push.configuration[0].path) != len(place.Path) {
		return false
	}
	value := push.configuration[0].value
	if text, ok := value.(string); ok {
		return slices.Contains(place.Compared, text)
	}
	_, isBool := value.(bool)
	return isBool && place.Switch && (value == true || p.at(place.Path) == true)
}

func (p *pusher) pins(c configuration) bool {
	return slices.ContainsFunc(c, func(change change) bool {
		return len(change.path) == 0 || slices.ContainsFunc(p.pinned, func(path []string) bool { return related(path, change.path) })
	})
}

// values are what is pushed into a place.
func (p *pusher) values(place *surface.Place) []any {
	var values []any
	last := ""
	if len(place.Path) > 0 {
		last = place.Path[len(place.Path)-1]
	}
	now := p.at(place.Path)
	scalar, list, isMap := kindsOf(&place.Shape, now)
	if scalar {
		values = append(values, p.scalars(&place.Shape, now)...)
		if last == p.corpus.variable {
			values = append(values, p.corpus.spellings()...)
		}
	}
	if list {
		lists := p.lists(&place.Shape)
		values = append(values, lists...)
		if before, ok := now.([]any); ok && len(before) > 0 {
			for _, added := range lists {
				values = append(values, slices.Concat(before, added.([]any)))
			}
		}
	}
	if isMap {
		values = append(values, p.maps(place, now)...)
	}
	if len(place.Path) > 0 {
		values = append(values, nil, "probe")
	}
	return values
}

// at is the value at a path now.
func (p *pusher) at(path []string) any {
	var at any = p.base
	for _, key := range path {
		fields, _ := at.(map[string]any)
		at = fields[key]
	}
	return at
}

// kindsOf tells as what a value is to be pushed: as what it is read, declared
// and set now, and as everything when nothing is known of it.
func kindsOf(shape *surface.Shape, now any) (scalar, list, isMap bool) {
	kinds := shape.Kinds
	switch now.(type) {
	case nil:
	case []any:
		kinds |= surface.List
	case map[string]any:
		kinds |= surface.Map
	default:
		kinds |= surface.Scalar
	}
	for _, name := range shape.Types {
		switch name {
		case "array":
			kinds |= surface.List
		case "object":
			kinds |= surface.Map
		case "null":
		default:
			kinds |= surface.Scalar
		}
	}
	if kinds == 0 {
		kinds = surface.Scalar | surface.List | surface.Map
	}
	return kinds&surface.Scalar != 0, kinds&surface.List != 0, kinds&surface.Map != 0
}

func isBool(value any) bool {
	_, ok := value.(bool)
	return ok
}

func (p *pusher) scalars(shape *surface.Shape, now any) []any {
	if len(shape.Enum) > 0 {
		return append(slices.Clone(shape.Enum), "probe")
	}
	values := p.corpus.few()
	if now, ok := now.(bool); ok {
		values = slices.Concat([]any{!now}, values)
	}
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
		values = append(values, p.corpus.names()...)
	}
	if shape.Template {
		values = append(values, p.corpus.texts()...)
	}
	return values
}

func (p *pusher) lists(shape *surface.Shape) []any {
	var lists []any
	if shape.Element != nil && shape.Element.Kinds == surface.Scalar {
		for _, words := range p.corpus.commands() {
			lists = append(lists, words)
		}
	}
	for _, element := range p.elements(shape.Element, 0, false) {
		lists = append(lists, []any{element})
	}
	if shape.Raw || shape.Element == nil || shape.Element.Raw || shape.Element.Kinds&surface.Scalar != 0 {
		lists = append(lists, p.corpus.lists()...)
	}
	return append(lists, []any{})
}

func (p *pusher) maps(place *surface.Place, now any) []any {
	shape := &place.Shape
	var values []any
	if shape.Element != nil {
		for _, element := range p.elements(shape.Element, 0, true) {
			values = append(values, map[string]any{p.corpus.variable: element})
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
	if shape.Raw || shape.Element == nil && !p.above(place.Path) {
		for _, value := range p.corpus.few() {
			values = append(values, map[string]any{p.corpus.variable: value})
		}
		values = append(values, p.corpus.maps()...)
	}
	return values
}

// deepest bounds how deep elements are made.
const deepest = 3

// elements are what an element of a list, or of a map whose keys may be the
// variable, may be.
func (p *pusher) elements(shape *surface.Shape, depth int, ofMap bool) []any {
	if shape == nil || depth > deepest {
		return nil
	}
	var elements []any
	scalar, _, isMap := kindsOf(shape, nil)
	if len(shape.Fields) > 0 {
		scalar, isMap = shape.Kinds&surface.Scalar != 0, true
	}
	if scalar {
		elements = append(elements, p.corpus.few()...)
		if ofMap {
			elements = append(elements, p.corpus.spellings()...)
		}
		elements = append(elements, p.corpus.variable, p.corpus.variable+"=auto")
		if shape.Raw || shape.Template {
			elements = append(elements, p.corpus.texts()...)
		}
	}
	if isMap && len(shape.Fields) > 0 {
		if ofMap {
			elements = append(elements, p.named(shape)...)
		}
		elements = append(elements, p.structs(shape, depth)...)
	}
	if isMap && (shape.Raw || len(shape.Fields) == 0) {
		containers := p.corpus.containers()
		elements = append(elements, containers[:2]...)
		elements = append(elements, p.corpus.entries()...)
		elements = append(elements, containers[2:]...)
		elements = append(elements, map[string]any{"value": "auto"}, map[string]any{"valueFrom": p.corpus.sources()[0]})
	}
	if shape.Element != nil && isMap {
		for _, below := range p.elements(shape.Element, depth+1, true) {
			elements = append(elements, map[string]any{p.corpus.variable: below})
		}
	}
	return elements
}

// fieldsOf are the fields that may be texts, and all others.
func fieldsOf(shape *surface.Shape) (texts, others []string) {
	for _, name := range slices.Sorted(maps.Keys(shape.Fields)) {
		if scalar, _, _ := kindsOf(shape.Fields[name], nil); scalar && len(shape.Fields[name].Fields) == 0 {
			texts = append(texts, name)
		} else {
			others = append(others, name)
		}
	}
	return texts, others
}

// named are maps for the key of the variable's name: with a value in each field.
func (p *pusher) named(shape *surface.Shape) []any {
	texts, _ := fieldsOf(shape)
	var all []any
	for _, name := range texts {
		for _, value := range p.corpus.few() {
			all = append(all, map[string]any{name: value})
		}
	}
	return all
}

var (
	nameFields  = []string{"name", "key", "variable", "env", "envvar", "varname", "envname", "id"}
	valueFields = []string{"value", "val", "default", "text", "content", "data"}
)

// structs are maps with the fields that are read, the migrations variable in
// each of them, and a value in each other.
func (p *pusher) structs(shape *surface.Shape, depth int) []any {
	texts, others := fieldsOf(shape)
	byLikeness := func(like []string) func(a, b string) int {
		rank := func(name string) int {
			if i := slices.Index(like, strings.ToLower(name)); i >= 0 {
				return i
			}
			return len(like)
		}
		return func(a, b string) int { return rank(a) - rank(b) }
	}
	names, values := slices.Clone(texts), slices.Clone(texts)
	slices.SortStableFunc(names, byLikeness(nameFields))
	slices.SortStableFunc(values, byLikeness(valueFields))

	fill := func(set map[string]any) map[string]any {
		filled := map[string]any{}
		for _, name := range texts {
			filled[name] = filler(name, shape.Fields[name])
		}
		maps.Copy(filled, set)
		return filled
	}
	var all []any
	for n, name := range names {
		tried := 0
		all = append(all, fill(map[string]any{name: p.corpus.variable}))
		for _, value := range values {
			if value == name {
				continue
			}
			pushed := []any{"auto"}
			if n == 0 && tried == 0 {
				pushed = slices.Concat(p.corpus.few(), p.corpus.spellings())
			}
			for _, v := range pushed {
				all = append(all, fill(map[string]any{name: p.corpus.variable, value: v}))
			}
			tried++
		}
		// Without the fields that are not required, too.
		all = append(all, map[string]any{name: p.corpus.variable})
	}
	for _, other := range others {
		for _, content := range p.contents(shape.Fields[other], depth) {
			set := map[string]any{other: content}
			if len(names) > 0 {
				set[names[0]] = p.corpus.variable
				all = append(all, fill(set))
				all = append(all, map[string]any{names[0]: p.corpus.variable, other: content})
				all = append(all, map[string]any{names[0]: "probe", other: content})
			} else {
				all = append(all, set)
			}
		}
	}
	return all
}

// contents are what a field that is no text may be.
func (p *pusher) contents(shape *surface.Shape, depth int) []any {
	_, list, isMap := kindsOf(shape, nil)
	var contents []any
	if list {
		for _, element := range p.elements(shape.Element, depth+1, false) {
			contents = append(contents, []any{element})
		}
		if shape.Raw || shape.Element == nil || shape.Element.Raw {
			contents = append(contents, []any{p.corpus.entry("auto")}, p.corpus.commands()[0], []any{p.corpus.containers()[0]})
		}
	}
	if isMap {
		if len(shape.Fields) > 0 {
			contents = append(contents, p.structs(shape, depth+1)...)
		}
		if shape.Element != nil {
			for _, below := range p.elements(shape.Element, depth+1, true) {
				contents = append(contents, map[string]any{p.corpus.variable: below})
			}
		}
		if shape.Raw || len(shape.Fields) == 0 && shape.Element == nil {
			contents = append(contents, p.corpus.sources()...)
			contents = append(contents, map[string]any{p.corpus.variable: "auto"})
		}
	}
	return contents
}

// filler is a value that a field may have.
func filler(name string, shape *surface.Shape) any {
	text := any("probe")
	if slices.Contains(valueFields, strings.ToLower(name)) {
		text = "auto"
	}
	switch {
	case len(shape.Enum) > 0:
		return shape.Enum[0]
	case len(shape.Types) == 0 || slices.Contains(shape.Types, "string"):
		return text
	}
	for _, name := range shape.Types {
		switch name {
		case "integer", "number":
			return float64(1)
		case "boolean":
			return true
		}
	}
	return text
}
