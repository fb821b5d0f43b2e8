package probetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// Chart is a random chart.
type Chart struct {
	// Files are the chart's, by their slash paths.
	Files map[string]string
	// Hole are values with which its controllers migrate; nil when there are none.
	Hole map[string]any
	// Functions say what decides: the conditions, the way in which they are nested,
	// and what is behind them.
	Functions []string
	// wanted are values that open what can be opened: the hole, or what the
	// contradiction or the guard keeps shut.
	wanted map[string]any
}

// Write writes the chart into a folder that has its name.
func (c Chart) Write(t testing.TB) string {
	t.Helper()
	return write(t, c.Files)
}

// Random makes a chart: one to four conditions, nested, before a place where
// controllers could be made to migrate. Two of three have a hole there, the rest
// have conditions that contradict each other, or a guard behind them. The same
// seed gives the same chart.
func Random(seed uint64) Chart {
	p := &plan{
		rand: rand.New(rand.NewPCG(seed, 0)), defaults: map[string]any{}, hole: map[string]any{},
		taken: map[string]bool{}, files: map[string]string{},
	}
	depth := 1 + p.rand.IntN(4)
	closed := p.rand.IntN(3) == 0
	guarded := closed && p.one(3)
	contradicted := -1
	if closed && !guarded {
		contradicted = p.rand.IntN(depth)
	}
	var conditions []string
	for i := range depth {
		conditions = append(conditions, p.condition(i == contradicted))
	}
	if p.one(2) {
		p.noise()
	}
	pick(p, layouts).write(p, conditions, guarded)
	c := Chart{Files: p.files, Functions: p.functions, wanted: p.hole}
	if !closed {
		c.Hole = p.hole
	}
	p.finish()
	return c
}

// plan is a chart that is being made. In its expressions @ stands for what comes
// before .Values, which is nothing, or $ where the dot is something else.
type plan struct {
	rand           *rand.Rand
	defaults, hole map[string]any
	taken          map[string]bool
	files          map[string]string
	helpers        []string
	env            string // of both workloads
	functions      []string
}

// one is true once in n times.
func (p *plan) one(n int) bool { return p.rand.IntN(n) == 0 }

// pick gives one of some.
func pick[T any](p *plan, of []T) T { return of[p.rand.IntN(len(of))] }

var (
	groups     = []string{"database", "schema", "rollout", "operator", "worker", "storage", "cluster", "runtime", "startup", "tenancy"}
	below      = []string{"settings", "advanced", "policy", "options", "extra"}
	leaves     = []string{"mode", "profile", "tier", "stage", "phase", "channel", "kind", "level", "strategy", "layout", "track", "class", "scope", "plan", "run-mode", "first-run", "size", "state"}
	vocabulary = []string{"bootstrap", "standard", "production", "recovery", "sandbox", "preview", "legacy", "managed", "primary", "replica",
		"rolling", "blank", "seeded", "local", "remote", "edge", "stable", "nightly", "initial", "steady"}
)

// words gives two different ones of four letters or more, in lower case.
func (p *plan) words() (string, string) {
	i := p.rand.IntN(len(vocabulary))
	j := (i + 1 + p.rand.IntN(len(vocabulary)-1)) % len(vocabulary)
	return vocabulary[i], vocabulary[j]
}

// fresh is a path in the values that is not used yet.
func (p *plan) fresh() []string {
	for {
		path := []string{pick(p, leaves)}
		if !p.one(4) {
			path = slices.Insert(path, 0, pick(p, groups))
			if p.one(3) {
				path = slices.Insert(path, 1, pick(p, below))
			}
		}
		if key := strings.Join(path, "."); !p.taken[key] {
			p.taken[key] = true
			return path
		}
	}
}

// put sets what is at a path of values, and makes the maps above it. What else is
// there gives way to them.
func put(values map[string]any, path []string, value any) {
	for _, key := range path[:len(path)-1] {
		inner, isMap := values[key].(map[string]any)
		if !isMap {
			inner = map[string]any{}
			values[key] = inner
		}
		values = inner
	}
	values[path[len(path)-1]] = value
}

// place gives a place of the values as an expression, with what is there by
// default and what opens the condition.
func (p *plan) place(usual, opens any) string {
	path := p.fresh()
	put(p.defaults, path, usual)
	put(p.hole, path, opens)
	return p.access(path)
}

// unset is a place at which there is nothing by default.
func (p *plan) unset(opens any) string {
	path := p.fresh()
	if len(path) > 1 {
		put(p.defaults, append(slices.Clone(path[:len(path)-1]), "enabled"), true)
	}
	put(p.hole, path, opens)
	return p.access(path)
}

// access writes a path as people do.
func (p *plan) access(path []string) string {
	last := len(path) - 1
	above := "@Values" + strings.Join(append([]string{""}, path[:last]...), ".")
	switch dash := strings.Contains(path[last], "-"); {
	case last > 0 && p.one(6):
		return fmt.Sprintf("(get %s %q)", above, path[last])
	case dash || p.one(6):
		return fmt.Sprintf("(index @Values \"%s\")", strings.Join(path, `" "`))
	default:
		return above + "." + path[last]
	}
}

// condition is an expression: one of the conditions, in one of three cases in a
// named template of its own.
func (p *plan) condition(contradicted bool) string {
	c := pick(p, conditions)
	p.functions = append(p.functions, c.function)
	expression, never := c.write(p)
	if contradicted {
		expression = never
	}
	if p.one(3) {
		return p.helper(fmt.Sprintf("{{- if %s -}}\ntrue\n{{- end -}}\n", expression))
	}
	return expression
}

// define adds a named template and returns its name.
func (p *plan) define(name, body string) string {
	name = fmt.Sprintf("agents.%s", name)
	p.helpers = append(p.helpers, fmt.Sprintf("{{- define %q -}}\n%s{{- end -}}\n", name, at(body, "")))
	return name
}

// helper is an expression that is true when a named template with a body says so.
func (p *plan) helper(body string) string {
	return fmt.Sprintf(`include %q $ | eq "true"`, p.define(fmt.Sprintf("is%d", len(p.helpers)), body))
}

// noise adds a variable to both workloads behind a condition that decides nothing
// of importance.
func (p *plan) noise() {
	hole := p.hole
	p.hole = map[string]any{}
	expression, _ := pick(p, conditions).write(p)
	p.hole = hole
	name := p.define("logLevel", fmt.Sprintf("{{- if %s -}}\ndebug\n{{- else -}}\ninfo\n{{- end -}}\n", expression))
	p.env = fmt.Sprintf("- name: LOG_LEVEL\n  value: {{ include %q $ }}\n", name)
}

// at writes an expression for a place where the values are behind before.
func at(text, before string) string { return strings.ReplaceAll(text, "@", before+".") }

// all joins conditions.
func all(conditions []string) string {
	if len(conditions) == 1 {
		return conditions[0]
	}
	return "and (" + strings.Join(conditions, ") (") + ")"
}

// finish writes what each chart has.
func (p *plan) finish() {
	p.files["Chart.yaml"] = "apiVersion: v2\nname: agents\nversion: 1.4.0\nappVersion: \"2.7.1\"\n"
	values, err := yaml.Marshal(p.defaults)
	if err != nil {
		panic(err) // they are maps, lists and scalars
	}
	p.files["values.yaml"] = string(values)
	if len(p.helpers) > 0 {
		p.files["templates/_helpers.tpl"] = strings.Join(p.helpers, "\n")
	}
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		if strings.Contains(p.files[name], "@") {
			panic(name + " has a place that nobody wrote") // a mistake in this package
		}
	}
}
