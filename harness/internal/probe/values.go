package probe

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/probe/places"
	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// readPins reads what the options set, as a configuration.
func readPins(options Options) (configuration, error) {
	values := render.Values{SetJSON: options.SetJSON, Set: options.Set, SetString: options.SetString}
	set, err := values.Over(nil)
	if err != nil {
		return nil, err
	}
	return configure(nil, set).typed()
}

// baseOf is what is given for a chart: its release's values, the files of the
// options over them, and what is pinned over all.
func baseOf(chart *render.Chart, options Options, pins configuration) (map[string]any, error) {
	base, err := render.Values{Files: options.Values}.Over(chart.Values)
	if err != nil {
		return nil, err
	}
	return pins.over(base), nil
}

// uses are what the templates that write controllers do with a place, and those
// that may write any object.
type uses struct {
	printed, raw, ranged, templated, looked, missing bool
	// objects is true where whole objects may be written.
	objects bool
}

func (u *uses) add(kind watch.UseKind) {
	switch kind {
	case watch.Printed:
		u.printed = true
	case watch.Raw:
		u.raw = true
	case watch.Ranged:
		u.ranged = true
	case watch.Templated:
		u.templated = true
	case watch.Looked:
		u.looked = true
	case watch.Missing:
		u.missing = true
	}
}

// filling makes the values that may do harm at a place.
type filling struct {
	corpus corpus
	shape  *places.Shape // of the place
	key    string        // its last
	now    any
	uses   uses
}

// values are those to try: the plainest of each kind, then the next ones.
func (f *filling) values() []any {
	_, isMap := f.now.(map[string]any)
	list, isList := f.now.([]any)
	unknown := f.now == nil
	var kinds [][]any
	if f.uses.objects && (f.uses.raw || f.uses.ranged || f.uses.templated || f.uses.printed) {
		kinds = append(kinds, f.objects(isMap, isList, unknown))
	}
	if f.shape != nil && len(f.shape.Enum) > 0 {
		return interleaved(append(kinds, f.shape.Enum)...)
	}
	if !isMap && !isList && (f.uses.printed || f.uses.templated || f.isVariable()) {
		kinds = append(kinds, f.scalars())
	}
	if f.isVariable() && (unknown || f.uses.looked) && !isMap {
		kinds = append(kinds, []any{map[string]any{"probe": "probe"}})
	}
	if (isList || unknown && f.shape.Allows("array")) && (f.uses.ranged || f.uses.raw) {
		var lists []any
		for _, added := range f.lists() {
			lists = append(lists, added)
			if len(list) > 0 && len(added) > 0 {
				lists = append(lists, slices.Concat(list, added))
			}
		}
		kinds = append(kinds, lists)
	}
	if (isMap || unknown && f.shape.Allows("object")) && (f.uses.ranged || f.uses.raw) {
		kinds = append(kinds, f.maps())
	}
	if f.uses.printed || f.uses.raw || f.uses.ranged || f.isVariable() {
		kinds = append(kinds, []any{nil, "probe"})
	}
	return interleaved(kinds...)
}

// interleaved gives the first of each list, then the second, and so on.
func interleaved(lists ...[]any) []any {
	var all []any
	for i, more := 0, true; more; i++ {
		more = false
		for _, list := range lists {
			if i < len(list) {
				all, more = append(all, list[i]), true
			}
		}
	}
	return all
}

// names are those by which a workload becomes one of the controllers, where there
// are none yet.
func (f *filling) names() []any {
	_, isMap := f.now.(map[string]any)
	_, isList := f.now.([]any)
	switch {
	case f.uses.objects:
		return f.values()
	case f.uses.ranged && !isList:
		var all []any
		for _, key := range []string{f.corpus.name, "controllers"} {
			all = append(all, map[string]any{key: map[string]any{"probe": "probe"}}, map[string]any{key: "probe"})
		}
		return all
	case f.uses.printed && !isMap && !isList:
		return []any{f.corpus.name, "controllers"}
	}
	return nil
}

func (f *filling) isVariable() bool { return f.key == f.corpus.variable }

// scalars are texts and the like.
func (f *filling) scalars() []any {
	all := slices.Clone(f.corpus.Plain)
	if f.shape != nil && f.shape.Allows("boolean") && !f.shape.Allows("string") {
		return []any{true, false}
	}
	if !f.shape.Allows("string") {
		return []any{0.0, 1.0, nil}
	}
	if f.isVariable() {
		all = append(all, f.corpus.Spellings...)
	} else {
		all = []any{"auto", "", nil, "probe", f.corpus.variable}
	}
	if strings.Contains(strings.ToLower(f.key), "name") {
		all = append(all, f.corpus.Names...)
	}
	if f.uses.printed {
		all = slices.Insert(all, 1, any(lineBreak))
	}
	return append(all, f.corpus.Texts...)
}

// lineBreak is a text of two lines. Where it is written as it is, the second line
// is a comment, and another text can go on with what does harm.
const lineBreak = "probe\n# probe"

// quotesOf are the quotes in which some texts have lineBreak as it is: none, and of
// both kinds.
func quotesOf(texts []render.File) []string {
	var quotes []string
	for _, file := range texts {
		before, _, found := strings.Cut(file.Text, lineBreak)
		for found {
			line := before[strings.LastIndexByte(before, '\n')+1:]
			quote := ""
			for _, r := range line {
				switch {
				case quote == string(r):
					quote = ""
				case quote == "" && (r == '"' || r == '\''):
					quote = string(r)
				}
			}
			quotes = insert(quotes, quote)
			file.Text = file.Text[len(before)+len(lineBreak):]
			before, _, found = strings.Cut(file.Text, lineBreak)
		}
	}
	return quotes
}

// lineBreaks are texts that end the line on which they are written, within quotes
// or not, and go on with an entry of env or a field of a container. What stood
// behind becomes a comment.
func (c corpus) lineBreaks(quote string, items, fields []string) []any {
	var all []any
	for _, indent := range items {
		all = append(all, fmt.Sprintf("probe%s\n%s- name: %s\n%s  value: auto #", quote, indent, c.variable, indent))
	}
	for _, indent := range fields {
		all = append(all, fmt.Sprintf("probe%s\n%scommand: [sh, -c, %s=auto exec node server.js] #", quote, indent, c.variable))
	}
	return all
}

var (
	itemLine  = regexp.MustCompile(`(?m)^( *)- "?name"?:`)
	fieldLine = regexp.MustCompile(`(?m)^( *)(?:- )?"?image"?:`)
)

// indents are those before what a pattern finds in a text, added to others.
func indents(all []string, pattern *regexp.Regexp, text string) []string {
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		all = insert(all, m[1])
	}
	return all
}

// lists are lists with what may do harm in them.
func (f *filling) lists() [][]any {
	var all [][]any
	var element *places.Shape
	if f.shape != nil {
		element = f.shape.Element
	}
	for _, item := range f.structs(element, nil) {
		all = append(all, []any{item})
	}
	if f.uses.raw || element.Allows("string") && (element == nil || len(element.Fields) == 0) {
		for _, given := range f.corpus.Lists {
			if items, ok := given.([]any); ok {
				all = append(all, items)
			}
		}
		for _, text := range []string{f.corpus.variable, f.corpus.variable + "=auto"} {
			all = append(all, []any{text})
		}
	}
	return append(all, []any{map[string]any{"probe": "probe"}}, []any{"auto"}, []any{})
}

// maps are maps with what may do harm in them.
func (f *filling) maps() []any {
	var plain, known, raw, others []any
	under := func(value any) map[string]any { return map[string]any{f.corpus.variable: value} }
	for _, value := range f.corpus.Plain {
		plain = append(plain, under(value))
	}
	for _, item := range f.structs(nil, nil) {
		plain = append(plain, under(item))
	}
	fields, _ := f.now.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		known = append(known, map[string]any{key: nil}, map[string]any{key: "auto"}, map[string]any{key: ""})
	}
	if f.uses.raw {
		raw = f.corpus.Maps
	}
	for _, spelling := range f.corpus.Spellings {
		others = append(others, under(spelling))
	}
	for _, source := range f.corpus.Sources {
		others = append(others, under(source), under(map[string]any{"valueFrom": source}))
	}
	return append(append(interleaved(plain, known, raw), others...), map[string]any{"probe": map[string]any{"probe": "probe"}})
}

// objects are whole objects, as what the place may hold.
func (f *filling) objects(isMap, isList, unknown bool) []any {
	var all []any
	for i, object := range f.corpus.Objects {
		if isList || unknown {
			all = append(all, []any{object}, []any{f.corpus.Documents[i]})
		}
		if isMap || unknown {
			all = append(all, map[string]any{"probe": object}, map[string]any{"probe": f.corpus.Documents[i]}, object)
		}
		if !isMap && !isList {
			all = append(all, f.corpus.Documents[i], "probe\n---\n"+f.corpus.Documents[i].(string))
		}
	}
	return all
}

// structs are maps of the fields that a schema declares or a template reads, with
// the variable in one of them.
func (f *filling) structs(shape *places.Shape, read []string) []any {
	fields := map[string]any{}
	if shape != nil {
		for name, field := range shape.Fields {
			fields[name] = field.Sample(false)
		}
	}
	for _, name := range read {
		if fields[name] == nil {
			fields[name] = "probe"
		}
	}
	if len(fields) == 0 {
		return nil
	}
	var all []any
	names := slices.Sorted(maps.Keys(fields))
	if i := slices.Index(names, "name"); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, "name")
	}
	for _, name := range names {
		if fields[name] != "probe" {
			continue
		}
		auto, plain := maps.Clone(fields), maps.Clone(fields)
		for _, other := range names {
			if auto[other] == "probe" {
				auto[other] = "auto"
			}
		}
		auto[name], plain[name] = f.corpus.variable, f.corpus.variable
		all = append(all, plain, auto)
		if f.uses.raw {
			continue // nothing is left out that Kubernetes needs
		}
		only := maps.Clone(fields)
		for key := range only {
			if key != name && (shape == nil || !slices.Contains(shape.Required, key)) {
				delete(only, key)
			}
		}
		only[name] = "auto"
		all = append(all, only)
	}
	return append(all, fields)
}
