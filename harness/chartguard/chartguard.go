// Package chartguard prints a Helm template that makes a chart refuse to render
// when its controllers would migrate.
//
// The template renders the chart's own templates once more and judges what they
// write as the policy would: the tables and patterns in it are the policy's, and
// so are the words of its findings.
package chartguard

import (
	"bytes"
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

	"github.com/proompteng/nevermigrate/harness/constraint"
	"github.com/proompteng/nevermigrate/harness/evaluate"
)

// Options say what the guard judges and how it is called in the chart. The zero
// value of each is its default.
type Options struct {
	// Constraint holds the parameters of the contract. Nil: the defaults. Its
	// match and its enforcementAction are not read: what the guard does is set
	// where the chart is installed.
	Constraint *constraint.Constraint
	// Templates are files of the chart that must write a controllers workload.
	// Default: DefaultTemplate.
	Templates []string
	// Others are files of the chart whose workloads are judged where the
	// contract binds them.
	Others []string
	// ValuesKey is the value that switches the guard, a path with dots.
	// Default: DefaultValuesKey.
	ValuesKey string
	// ValuePath is the value that sets the variable for the controllers, for
	// the messages. Empty: they do not name it.
	ValuePath string
	// Name starts the names of the templates that the guard defines. Charts
	// below one umbrella share these names, so each needs its own. Default:
	// the last word of ValuesKey.
	Name string
	// Command is how the guard is made again, for its comment.
	Command string
}

// Defaults of Options.
const (
	DefaultTemplate  = "templates/deployment-controllers.yaml"
	DefaultValuesKey = "controllersMigrationsGuard"
)

// ErrOption says that an option cannot be used.
var ErrOption = errors.New("cannot be used")

//go:embed guard.yaml.tmpl
var text string

// facts are what the template is made from, besides the options.
type facts struct {
	Variable     string
	SkipValues   []string
	PlainSkip    string
	Controllers  []string
	ExemptImages []string

	Kinds        map[string]any
	WhiteSpace   string
	CommandLines [][][]string
	CommandMaps  [][]string
}

// commands are the policy's patterns for commands, in which NAME stands for the
// variable.
type commands struct {
	Sets, Removes, Clears []string
	Echo                  string
}

const factsQuery = `{
	"variable": data.lib.parameters.env_var,
	"skipValues": data.lib.parameters.skip_values,
	"plainSkip": data.lib.parameters.plain_skip,
	"controllers": data.lib.parameters.controllers,
	"exemptImages": data.lib.parameters.exempt_images,
	"kinds": data.lib.kind.workloads,
	"whiteSpace": data.lib.mode._white_space,
	"commandLines": data.lib.process._lines,
	"commandMaps": data.lib.process._maps,
}`

const commandsQuery = `{
	"sets": data.lib.process._patterns.sets,
	"removes": data.lib.process._patterns.removes,
	"clears": data.lib.process._patterns.clears,
	"echo": data.lib.process._echo,
}`

// Print returns the template. It is an ErrOption when an option cannot stand in
// a chart, and an error when the policy finds a problem in the constraint.
func Print(ctx context.Context, options Options) ([]byte, error) {
	options = withDefaults(options)
	if err := check(options); err != nil {
		return nil, err
	}
	var f facts
	if err := ask(ctx, options.Constraint, factsQuery, &f); err != nil {
		return nil, err
	}
	var c commands
	if err := ask(ctx, placeholder(), commandsQuery, &c); err != nil {
		return nil, err
	}
	guard, err := template.New("guard").Delims("<%", "%>").Funcs(functions).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("read the guard's text: %w", err)
	}
	var out bytes.Buffer
	origin, err := originOf(options).text()
	if err != nil {
		return nil, err
	}
	if err := guard.Execute(&out, struct {
		Options
		facts
		commands
		Origin string
	}{options, f, c, origin}); err != nil {
		return nil, fmt.Errorf("write the guard: %w", err)
	}
	return out.Bytes(), nil
}

func withDefaults(o Options) Options {
	if len(o.Templates) == 0 {
		o.Templates = []string{DefaultTemplate}
	}
	if o.ValuesKey == "" {
		o.ValuesKey = DefaultValuesKey
	}
	if o.Name == "" {
		o.Name = o.ValuesKey[strings.LastIndex(o.ValuesKey, ".")+1:]
	}
	if o.Command == "" {
		o.Command = "nevermigrate template chart-guard"
	}
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
	if !strings.HasPrefix(o.Command, "nevermigrate template chart-guard") || strings.Contains(o.Command, "*/") || strings.ContainsAny(o.Command, "\n\r") {
		return fmt.Errorf("the command %q %w: it must be one of nevermigrate template chart-guard, on one line", o.Command, ErrOption)
	}
	return nil
}

func ask(ctx context.Context, c *constraint.Constraint, query string, into any) error {
	evaluator, err := evaluate.New(ctx, nil, c)
	if err != nil {
		return err
	}
	if err := evaluator.Value(ctx, query, into); err != nil {
		return fmt.Errorf("ask the policy: %w", err)
	}
	return nil
}

// placeholder is a constraint under which the patterns have NAME for the
// variable. No pattern has that word for anything else.
func placeholder() *constraint.Constraint {
	return &constraint.Constraint{Name: "placeholder", Content: map[string]any{
		"apiVersion": "constraints.gatekeeper.sh/v1beta1",
		"kind":       constraint.Kind,
		"metadata":   map[string]any{"name": "placeholder"},
		"spec":       map[string]any{"parameters": map[string]any{"envVar": "NAME"}},
	}}
}

// OtherFiles are the files that are judged besides, as paths below the chart's
// folder of templates.
func (o Options) OtherFiles() []string { return below(o.Others) }

// Parts are texts of which a name that the contract binds has one: the longest
// of each pattern. That of * is empty, which every text has.
func (f facts) Parts() []string {
	var parts []string
	for _, glob := range f.Controllers {
		parts = append(parts, slices.MaxFunc(strings.Split(glob, "*"), func(a, b string) int { return len(a) - len(b) }))
	}
	return parts
}

// TemplateFiles are the files that must write a controllers workload, as paths
// below the chart's folder of templates.
func (o Options) TemplateFiles() []string { return below(o.Templates) }

func below(files []string) []string {
	var paths []string
	for _, file := range files {
		paths = append(paths, strings.TrimPrefix(file, "templates/"))
	}
	return paths
}

// ValuesPath is ValuesKey, key by key.
func (o Options) ValuesPath() []string { return strings.Split(o.ValuesKey, ".") }

// Patterns are those for the controllers as regular expressions.
func (f facts) Patterns() []string {
	var patterns []string
	for _, glob := range f.Controllers {
		parts := strings.Split(glob, "*")
		for i, part := range parts {
			parts[i] = regexp.QuoteMeta(part)
		}
		patterns = append(patterns, `(?s)\A`+strings.Join(parts, ".*")+`\z`)
	}
	return patterns
}

var functions = template.FuncMap{
	"lit":    literal,
	"ascii":  strconv.QuoteToASCII,
	"list":   list,
	"json":   asJSON,
	"join":   joined,
	"exempt": exempt,
	"matches": func(patterns []string) string {
		// Inside of a string in the template.
		quoted := strconv.Quote(strings.ReplaceAll(strings.Join(patterns, " or "), "%", "%%"))
		return quoted[1 : len(quoted)-1]
	},
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

// exempt is the condition under which an image is not judged: it is equal, or
// starts as an entry with a trailing * does.
func exempt(entry string) string {
	if prefix, ok := strings.CutSuffix(entry, "*"); ok {
		return fmt.Sprintf("hasPrefix %s $image", strconv.Quote(prefix))
	}
	return fmt.Sprintf("eq %s $image", strconv.Quote(entry))
}
