// Package chartguard prints a Helm template that makes a chart refuse to render
// when its controllers would migrate.
//
// The template renders the chart's own templates once more and judges what they
// write as the policy would: it finds code, container and path, and the tables,
// patterns and words in it are the policy's.
package chartguard

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/decider"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
)

// Options say what the guard judges and how it is called in the chart. The zero
// value of each is its default.
type Options struct {
	// Name starts the names of the templates that the guard defines. Charts
	// below one umbrella share these names, so each needs its own. Default:
	// the last word of ValuesKey.
	Name string `json:"name"`
	// Templates are files of the chart that must write a controllers workload.
	// Default: DefaultTemplate.
	Templates []string `json:"templates"`
	// Others are files of the chart whose workloads are judged where the
	// contract binds them.
	Others []string `json:"others,omitempty"`
	// ValuesKey is the value that switches the guard, a path with dots.
	// Default: DefaultValuesKey.
	ValuesKey string `json:"valuesKey"`
	// ValuePath is the value that sets the variable for the controllers, for
	// the messages. Empty: they do not name it.
	ValuePath string `json:"valuePath,omitempty"`
	// Command is how the guard is made again, for its comment.
	Command string `json:"-"`
	// Constraint holds the parameters of the contract. Nil: the defaults. Its
	// match and its enforcementAction are not read: what the guard does is set
	// where the chart is installed.
	Constraint *constraint.Constraint `json:"-"`
}

// Defaults of Options.
const (
	defaultCommand   = "nevermigrate template chart-guard"
	DefaultTemplate  = "templates/deployment-controllers.yaml"
	DefaultValuesKey = "controllersMigrationsGuard"
)

// ErrOption says that an option cannot be used.
var ErrOption = errors.New("cannot be used")

//go:embed guard.yaml.tmpl
var text string

// facts are what the template is made from, besides the options.
type facts struct {
	*decider.Facts
}

// factsFor asks the policy under the constraint.
func factsFor(ctx context.Context, c *constraint.Constraint) (*facts, error) {
	evaluator, err := evaluate.New(ctx, nil, c)
	if err != nil {
		return nil, err
	}
	known, err := decider.Read(ctx, evaluator)
	if err != nil {
		return nil, err
	}
	return &facts{known}, nil
}

// Setting are the expressions for what sets or removes the variable.
func (f *facts) Setting() []decider.Pattern {
	return slices.Concat(f.Patterns["sets"], f.Patterns["removes"])
}

// Clearing are the expressions for what clears the environment.
func (f *facts) Clearing() []decider.Pattern { return f.Patterns["clears"] }

// Labels are all labels from which a name is made.
func (f *facts) Labels() []string { return slices.Concat(f.NameLabels, []string{f.ComponentLabel}) }

// Print returns the template. It is an ErrOption when an option cannot stand in
// a chart, and an error when the policy finds a problem in the constraint.
func Print(ctx context.Context, options Options) ([]byte, error) {
	options = withDefaults(options)
	if err := check(options); err != nil {
		return nil, err
	}
	f, err := factsFor(ctx, options.Constraint)
	if err != nil {
		return nil, err
	}
	guard, err := template.New("guard").Delims("<%", "%>").Funcs(functions(f)).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("read the guard's text: %w", err)
	}
	var out bytes.Buffer
	origin, err := originOf(options)
	if err != nil {
		return nil, err
	}
	if err := guard.Execute(&out, struct {
		Options
		*facts
		Origin string
	}{options, f, origin}); err != nil {
		return nil, fmt.Errorf("write the guard: %w", err)
	}
	return out.Bytes(), nil
}

func withDefaults(o Options) Options {
	if len(o.Templates) == 0 {
		o.Templates = []string{DefaultTemplate}
	}
	o.ValuesKey = cmp.Or(o.ValuesKey, DefaultValuesKey)
	o.Name = cmp.Or(o.Name, o.ValuesKey[strings.LastIndex(o.ValuesKey, ".")+1:])
	o.Command = cmp.Or(o.Command, defaultCommand)
	return o
}

var (
	dotted = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)
	// A value path may name an environment variable, and an item of a list.
	shownPath    = regexp.MustCompile(`^[A-Za-z_][-A-Za-z0-9_.\[\]]*$`)
	definedName  = regexp.MustCompile(`^[A-Za-z_][-A-Za-z0-9_.]*$`)
	templateFile = regexp.MustCompile(`^templates(/[A-Za-z0-9_][-A-Za-z0-9_.]*)+\.(yaml|yml|tpl)$`)
)

func check(o Options) error {
	for _, option := range []struct {
		what, value string
		pattern     *regexp.Regexp
		want        string
	}{
		{"values key", o.ValuesKey, dotted, "names with dots between them, as in guards.migrations"},
		{"name", o.Name, definedName, "letters, digits, _, - and ., as in agents.migrationsGuard"},
		{"value path", o.ValuePath, shownPath, "a path in the values, as in controllers.env.vars.JANGAR_MIGRATIONS"},
	} {
		if option.value != "" && !option.pattern.MatchString(option.value) {
			return fmt.Errorf("the %s %q %w: write %s", option.what, option.value, ErrOption, option.want)
		}
	}
	seen := map[string]bool{}
	for _, file := range slices.Concat(o.Templates, o.Others) {
		if !templateFile.MatchString(file) {
			return fmt.Errorf("the template %q %w: write a path in the chart, as in %s", file, ErrOption, DefaultTemplate)
		}
		if seen[file] {
			return fmt.Errorf("the template %q %w twice: name it once", file, ErrOption)
		}
		seen[file] = true
	}
	if !strings.HasPrefix(o.Command, defaultCommand) || strings.Contains(o.Command, "*/") || strings.ContainsAny(o.Command, "\n\r") {
		return fmt.Errorf("the command %q %w: it must be one of nevermigrate template chart-guard, on one line", o.Command, ErrOption)
	}
	return nil
}

// withParameters is a constraint that sets parameters and nothing else.
func withParameters(name string, parameters map[string]any) *constraint.Constraint {
	return &constraint.Constraint{Name: name, Content: map[string]any{
		"apiVersion": "constraints.gatekeeper.sh/v1beta1",
		"kind":       constraint.Kind,
		"metadata":   map[string]any{"name": name},
		"spec":       map[string]any{"parameters": parameters},
	}}
}

// Parts are texts of which one stands in whatever has a name that the contract
// binds: the longest of each pattern. A dash ends one, for it may stand between a
// name and a component. That of * is empty, which every text has.
func (f *facts) Parts() []string {
	var parts []string
	for _, glob := range f.Controllers {
		words := strings.FieldsFunc(glob, func(r rune) bool { return r == '*' || r == '-' })
		longest := ""
		for _, word := range words {
			if len(word) > len(longest) {
				longest = word
			}
		}
		parts = append(parts, longest)
	}
	slices.Sort(parts)
	return slices.Compact(parts)
}

// below are files as paths below the chart's folder of templates.
func below(files []string) []string {
	var paths []string
	for _, file := range files {
		paths = append(paths, strings.TrimPrefix(file, "templates/"))
	}
	return paths
}

// ValuesPath is ValuesKey, key by key.
func (o Options) ValuesPath() []string { return strings.Split(o.ValuesKey, ".") }

// Names are the patterns for the controllers as regular expressions.
func (f *facts) Names() []string {
	var names []string
	for _, pattern := range f.Controllers {
		names = append(names, decider.Whole(decider.Glob(pattern)))
	}
	return names
}

// Workloads are the kinds of workload as the template reads them.
func (f *facts) Workloads() map[string]any {
	kinds := map[string]any{}
	for name, kind := range f.Kinds {
		kinds[name] = map[string]any{"groups": kind.Groups, "template": kind.Template}
	}
	return kinds
}

func functions(f *facts) template.FuncMap {
	expression := func(name string) (string, error) {
		found, ok := f.Reading[name]
		if !ok {
			return "", fmt.Errorf("the policy reads by no expression %s", name)
		}
		return found, nil
	}
	return template.FuncMap{
		"below":   below,
		"lit":     literal,
		"ascii":   strconv.QuoteToASCII,
		"list":    list,
		"json":    asJSON,
		"join":    joined,
		"matches": matches,
		// expression is one of the policy's, by its name.
		"expression": func(name string) (string, error) {
			found, err := expression(name)
			return literal(found), err
		},
		// match is the condition that one of the policy's matches a text.
		"match": func(name, text string) (string, error) {
			found, err := expression(name)
			if err != nil {
				return "", err
			}
			return matches(found, text)
		},
		"says": func(code string, form ...string) (string, error) {
			says, err := f.Says(code, form...)
			return literal(says), err
		},
	}
}

// literal is a string as a template has it.
func literal(s string) string {
	if !strings.ContainsAny(s, "`\n\r") {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

// list is a call that makes a list of strings.
func list(values []string) string {
	words := []string{"list"}
	for _, value := range values {
		words = append(words, strconv.Quote(value))
	}
	return "(" + strings.Join(words, " ") + ")"
}

func asJSON(value any) (string, error) {
	encoded, err := json.Marshal(value)
	return literal(string(encoded)), err
}

// joined is a list in a comment, which nothing in it can end.
func joined(values []string) string {
	return strings.ReplaceAll(strings.Join(values, ", "), "*/", "* /")
}
