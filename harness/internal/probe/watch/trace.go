package watch

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"text/template"

	"helm.sh/helm/v4/pkg/chart/common"

	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// Outcome is what a site did, once or more: which way a branch went, or whether a
// result was empty. Without a site it is the place of which something was printed,
// and the file.
type Outcome struct {
	Site int
	// Under is the site of the include in which it was; 0 for none.
	Under int
	What  string
}

// The outcomes of branches.
const (
	Taken    = "taken"
	NotTaken = "not taken"
)

// Decides reports whether an outcome is the way of a branch, what a comparison
// said, or what a table gave; else it is whether something was empty.
func (o Outcome) Decides() bool {
	return slices.Contains([]string{Taken, NotTaken, "true", "false"}, o.What) || strings.HasPrefix(o.What, gives)
}

// gives is before what a table gave.
const gives = "gives "

// CallEvent is a call.
type CallEvent struct {
	Site    *Site
	Under   int // as that of an Outcome
	Args    []any
	Origins [][]Origin
	Result  any
}

// Test is what a branch went by.
type Test struct {
	Site    *Site
	Under   int // as that of an Outcome
	Value   any
	Origins []Origin
	Taken   bool
}

// UseKind is what a template does with a value.
type UseKind int

// The kinds of use.
const (
	Printed   UseKind = iota + 1 // written, itself or what is made of it
	Raw                          // written with all that is in it
	Ranged                       // gone through
	Templated                    // executed as a template
	Looked                       // one of its keys was read
	Missing                      // read, and not there
)

// Use is one use of a place.
type Use struct {
	Place Place
	Kind  UseKind
	// File is the one that was executed.
	File string
}

// Trace is what one rendering did. Only its reader's own goroutine may use it.
type Trace struct {
	// Values are those that the templates got, subcharts' defaults included.
	Values   map[string]any
	Outcomes map[Outcome]bool
	Calls    []CallEvent
	Tests    []Test
	Uses     map[Use]bool
	// Reads are where places were read: by place, the sites.
	Reads map[Place]map[int]bool

	origins
	chart   *Chart
	sites   []*Site
	vars    map[string]bound
	last    []Origin // of what was evaluated last
	calls   []pending
	decided []Origin         // what branches went by
	lists   map[uintptr]bool // that a template made
	printed []Origin
	file    string
}

// bound is whence the value of a variable, or a dot, came: an element of what the
// origins are, or that itself.
type bound struct {
	origins []Origin
	element bool
}

// pending is an argument of a call that is still to come.
type pending struct {
	site    *Site
	arg     int
	value   any
	origins []Origin
	// How much had been printed and decided.
	printed, decided int
}

// Template templates the chart as render.Chart.TemplateAs does, and tells what was
// done. The trace is there when the chart refused, too.
func (c *Chart) Template(ctx context.Context, values map[string]any, told render.Told) ([]render.File, *Trace, error) {
	t := &Trace{
		Outcomes: map[Outcome]bool{}, Uses: map[Use]bool{}, Reads: map[Place]map[int]bool{}, Values: map[string]any{},
		origins: origins{made: map[uintptr]madeValue{}, fields: map[uintptr]map[string][]Origin{}},
		chart:   c, vars: map[string]bound{}, lists: map[uintptr]bool{},
	}
	files, err := c.watched.TemplateAs(ctx, values, render.Execution{Told: told, Functions: t.hooks(), Top: t.top})
	return files, t, err
}

func (t *Trace) hooks() template.FuncMap {
	return template.FuncMap{
		fileHook: t.begin, readHook: t.read, argHook: t.arg, callHook: t.call,
		branchHook: t.branch, setHook: t.set, printHook: t.print,
	}
}

func (t *Trace) top(top map[string]any) {
	values, _ := fieldsOf(top["Values"])
	t.own(values, "")
	t.own(top["Release"], Release)
	t.sort()
	t.Values = values
	if capabilities, ok := top["Capabilities"].(*common.Capabilities); ok {
		t.note(capabilities.APIVersions, []Origin{{Place: APIVersions, Exact: true}})
	}
}

func (t *Trace) site(id int) *Site {
	if id >= len(t.sites) {
		t.chart.mu.Lock()
		t.sites = t.chart.sites[:len(t.chart.sites):len(t.chart.sites)]
		t.chart.mu.Unlock()
	}
	return t.sites[id]
}

func (t *Trace) begin(file string) string {
	t.file = file
	return ""
}

// whence tells whence a value came that was just evaluated.
func (t *Trace) whence(arg Arg, value any) []Origin {
	switch {
	case arg.Literal:
		return nil
	case arg.from != "":
		known := t.vars[arg.from]
		if known.element {
			return t.of(value, t.elements(known.origins, value))
		}
		return t.of(value, known.origins)
	}
	return t.of(value, t.last)
}

func (t *Trace) outcome(site *Site, what string) {
	t.Outcomes[Outcome{site.ID, t.under(), what}] = true
}

// under is the site of the include that is executed; 0 for none.
func (t *Trace) under() int {
	for i := len(t.calls) - 1; i >= 0; i-- {
		if t.calls[i].site.Function == "include" {
			return t.calls[i].site.ID
		}
	}
	return 0
}

func (t *Trace) use(origins []Origin, kind UseKind) {
	for _, origin := range origins {
		if origin.Place.IsValue() {
			t.Uses[Use{origin.Place, kind, t.file}] = true
		}
	}
}

// told stands for what is told of the cluster.
type told struct{}

// read is told of what fields are about to be read, and gives it back.
func (t *Trace) read(id int, base any) any {
	site := t.site(id)
	at, from := base, t.whence(site.Args[0], base)
	for _, field := range site.Fields {
		var next any
		switch value := at.(type) {
		case map[string]any, common.Values:
			fields, _ := fieldsOf(value)
			var there bool
			next, there = fields[field]
			below := t.below(value, from, field)
			t.use(from, Looked)
			if !there || next == nil {
				t.use(below, Missing)
			}
			from = t.of(next, below)
		case nil, string, bool, float64, int64, int, []any:
			var below []Origin
			for _, origin := range from {
				below = joined(below, Origin{Place: origin.Place.Key(field)})
			}
			t.use(from, Looked)
			t.use(below, Missing)
			from = below
		case *common.Capabilities:
			from = []Origin{{Place: Place(notValues + field), Exact: true}}
			next = told{} // what is below comes from there
		default:
			next = value
		}
		for _, origin := range from {
			if t.Reads[origin.Place] == nil {
				t.Reads[origin.Place] = map[int]bool{}
			}
			t.Reads[origin.Place][id] = true
		}
		at = next
	}
	t.last = from
	return base
}

// arg is told an argument of a call, and gives it back.
func (t *Trace) arg(id, i int, value any) any {
	site := t.site(id)
	origins := t.whence(site.Args[i], value)
	t.calls = append(t.calls, pending{site, i, value, origins, len(t.printed), len(t.decided)})
	switch site.Function {
	case "include":
		if i == 1 {
			name, _ := t.argument(site, 0).(string)
			t.vars[dotOf(name)] = bound{origins: origins}
			if !site.Args[0].Literal {
				t.chart.include(site.Template, name)
			}
		}
	case "tpl":
		if i == 1 {
			t.vars[dotOf("")] = bound{origins: origins}
			break
		}
		t.use(origins, Templated)
		if text, ok := value.(string); ok {
			return t.chart.template(text)
		}
	}
	return value
}

// argument is one of a call that is pending.
func (t *Trace) argument(site *Site, i int) any {
	if site.Args[i].Literal {
		return site.Args[i].Value
	}
	for n := len(t.calls) - 1; n >= 0 && t.calls[n].site == site; n-- {
		if t.calls[n].arg == i {
			return t.calls[n].value
		}
	}
	return nil
}

// call is told what came of a call, and gives it back.
func (t *Trace) call(id int, result any) any {
	site := t.site(id)
	event := CallEvent{Site: site, Args: make([]any, len(site.Args)), Origins: make([][]Origin, len(site.Args)), Result: result}
	var all, maps []Origin
	began, before := len(t.printed), len(t.decided)
	table := len(t.of(result, nil)) == 0
	if strings.HasPrefix(site.Function, "APIVersions.") {
		all = []Origin{{Place: APIVersions}}
	}
	for i, arg := range site.Args {
		event.Args[i] = arg.Value
	}
	told := t.calls[len(t.calls)-min(len(t.calls), countOf(site)):]
	t.calls = t.calls[:len(t.calls)-len(told)]
	same := false // whether the result is an argument
	for _, p := range told {
		event.Args[p.arg], event.Origins[p.arg] = p.value, p.origins
		began, before = min(began, p.printed), min(before, p.decided)
		same = same || where(p.value) != 0 && where(p.value) == where(result)
	}
	for i := range event.Args {
		all = joined(all, event.Origins[i]...)
		if _, ok := fieldsOf(event.Args[i]); ok {
			maps = joined(maps, event.Origins[i]...)
		}
	}
	switch site.Function {
	case "include", "tpl":
		all = madeFrom(joined(all[:0:0], t.printed[began:]...))
		t.printed = t.printed[:began]
		if len(all) == 0 {
			all = madeFrom(joined(all, t.decided[before:]...))
		}
		t.decided = t.decided[:before]
		table = len(all) == 0 // what it gives is none of the values
		if site.Function == "tpl" {
			all = joined(all, madeFrom(event.Origins[0])...)
		}
	case "lookup":
		all = []Origin{{Place: Lookup}}
	case "list":
		t.lists[where(result)] = true
	case "dict", "set":
		t.fill(site, event, result)
	}
	if site.IsDecision() {
		t.outcome(site, t.choice(event))
	}
	t.outcome(site, bucket(result))
	if text, ok := result.(string); ok && lookups[site.Function] && table {
		t.outcome(site, gives+text[:min(len(text), 64)])
	}
	event.Under = t.under()
	t.Calls = append(t.Calls, event)
	made, known := madeFrom(all), t.of(result, nil)
	switch _, isMap := fieldsOf(result); {
	case site.Function == "dict" || site.Function == "list":
	case isMap && len(maps) > 0 && (same || len(known) == 0):
		t.note(result, joined(known, madeFrom(maps)...))
	case len(known) == 0 || !isMap && !t.isLeaf(result):
		t.note(result, made)
	}
	t.last = t.of(result, made)
	if key := chosen(event); key >= 0 {
		t.last = t.of(result, event.Origins[key])
	}
	return result
}

// countOf is how many arguments of a call are told.
func countOf(site *Site) int {
	n := 0
	for _, arg := range site.Args {
		if !arg.Literal {
			n++
		}
	}
	return n
}

// fill keeps whence the fields came of a map that a template makes.
func (t *Trace) fill(site *Site, event CallEvent, result any) {
	at, first := where(result), 0
	if site.Function == "set" {
		first = 1
	}
	if at == 0 {
		return
	}
	if t.fields[at] == nil {
		t.fields[at] = map[string][]Origin{}
		t.made[at] = madeValue{result, t.made[at].origins}
	}
	for i := first; i+1 < len(event.Args); i += 2 {
		if key, ok := event.Args[i].(string); ok {
			t.fields[at][key] = event.Origins[i+1]
		}
	}
}

// chosen is the argument that a choice gives; -1 for another function.
func chosen(event CallEvent) int {
	n := len(event.Args)
	switch event.Site.Function {
	case "default":
		if n == 2 && isTrue(event.Args[1]) {
			return 1
		}
		return 0
	case "ternary":
		if n == 3 && isTrue(event.Args[2]) {
			return 0
		}
		return min(1, n-1)
	case "coalesce":
		for i, arg := range event.Args {
			if isTrue(arg) {
				return i
			}
		}
	}
	return -1
}

// choice is the outcome of a choice: whether it gives what it was given.
func (t *Trace) choice(event CallEvent) string {
	key := chosen(event)
	if event.Site.Function == "default" && key == 1 || event.Site.Function != "default" && key == 0 {
		return Taken
	}
	return NotTaken
}

func isTrue(value any) bool {
	truth, _ := template.IsTrue(value)
	return truth
}

// lookups are the functions of which each result counts that is no value itself: a
// table has few.
var lookups = map[string]bool{"get": true, "index": true, "dig": true, "pluck": true, "include": true, "Files.Get": true, "ternary": true}

// bucket is what is told of a result: little, so that what is new counts.
func bucket(result any) string {
	switch result := result.(type) {
	case bool:
		if result {
			return "true"
		}
		return "false"
	case nil:
		return "nil"
	case string:
		if result == "" {
			return "empty"
		}
		return "text"
	}
	v := reflect.ValueOf(result)
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		if v.Len() == 0 {
			return "empty"
		}
	}
	return "other"
}

// branch is told what a branch goes by, and gives it back.
func (t *Trace) branch(id int, value any) any {
	site := t.site(id)
	origins, taken := t.whence(site.Args[0], value), isTrue(value)
	what := NotTaken
	if taken {
		what = Taken
	}
	t.outcome(site, what)
	if site.Kind == Range && t.lists[where(value)] {
		t.Tests = append(t.Tests, Test{site, t.under(), value, nil, taken})
	} else {
		t.Tests = append(t.Tests, Test{site, t.under(), value, origins, taken})
		t.decided = append(t.decided, origins...)
	}
	if site.Kind == Range {
		t.use(origins, Ranged)
	}
	if site.dot != "" {
		t.vars[site.dot] = bound{origins, site.Kind == Range}
	}
	for i, variable := range site.Variables {
		if site.Kind == Range && i == 0 && len(site.Variables) > 1 {
			delete(t.vars, variable) // a key, known by its place in memory
			continue
		}
		t.vars[variable] = bound{origins, site.Kind == Range}
	}
	t.last = origins
	return value
}

// set is told what a variable is, and gives it back.
func (t *Trace) set(id int, value any) any {
	site := t.site(id)
	origins := t.whence(site.Args[0], value)
	for _, variable := range site.Variables {
		t.vars[variable] = bound{origins: origins}
	}
	t.last = origins
	return value
}

// print is told what is printed, and gives it back.
func (t *Trace) print(id int, value any) any {
	site := t.site(id)
	origins := t.whence(site.Args[0], value)
	t.printed = append(t.printed, origins...)
	for _, origin := range origins {
		if !origin.Place.IsValue() {
			continue
		}
		t.Outcomes[Outcome{What: "prints " + string(origin.Place) + " in " + t.file}] = true
		kind := Printed
		switch at, _ := At(t.Values, origin.Place); at.(type) {
		case map[string]any, []any:
			kind = Raw
		}
		t.use([]Origin{origin}, kind)
	}
	return value
}

// include notes that a template includes another by a name that is put together.
func (c *Chart) include(template, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.includes(template, name)
}
