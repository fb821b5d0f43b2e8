// Package decider is what the policy gives to a decider: a statement of the
// contract in another language, which finds code and place by itself and takes
// everything else from the policy.
package decider

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
)

// Facts are what the policy says under a constraint.
type Facts struct {
	// Parameters are all parameters by name: strings and lists of strings. Those
	// below have fields of their own.
	Parameters map[string]any

	Variable    string
	PlainSkip   string
	SkipValues  []string
	Controllers []string
	// ExemptPattern is a regular expression for the images that hold no service,
	// ServicePattern one for those of the service. Empty: there are none, and all.
	ExemptPattern, ServicePattern string

	// Kinds are the kinds of workload by name.
	Kinds map[string]Kind
	// Versions are those in which the workloads of an API group are read.
	Versions map[string]string
	// Templates are the places in which some kind has its pod template.
	Templates [][]string
	// NameLabels are the labels that count as names, and ComponentLabel is the one
	// that names a component of what the others name.
	NameLabels     []string
	ComponentLabel string
	// Singles are the keys under which a kind that is not in Kinds has one container.
	Singles []string
	// Lists are the fields of a pod that hold containers.
	Lists []string

	// WhiteSpace is what the service trims.
	WhiteSpace string
	// Reference is a regular expression for $(NAME) and $$ in a value.
	Reference string

	// Hooks are the commands of a container that are run beside its own, Maps the
	// maps down to them, and Lines the commands that are read as one line.
	Hooks, Maps [][]string
	Lines       [][][]string
	// Reading are the regular expressions by which commands are read, by their names
	// in lib.reading of the policy; Patterns are those for what sets, removes and
	// clears the variable.
	Reading  map[string]string
	Patterns map[string][]Pattern

	// Words are title and remedy by code and form of the catalogue.
	Words map[string]map[string]string
}

// Pattern is a regular expression, and a text without which it does not match.
type Pattern struct{ Needs, Pattern string }

// Kind is a kind of workload.
type Kind struct {
	Groups    []string `json:"groups"`
	Resources []string `json:"resources"`
	// Template is the place of the pod template.
	Template []string `json:"template"`
}

// factsQuery gives the fields of Facts.
const factsQuery = `{
	"parameters": data.lib.parameters.values,
	"variable": data.lib.parameters.env_var,
	"plainSkip": data.lib.parameters.plain_skip,
	"skipValues": data.lib.parameters.skip_values,
	"controllers": data.lib.parameters.controllers,
	"exemptPattern": data.lib.parameters.exempt_pattern,
	"servicePattern": data.lib.parameters.service_pattern,
	"kinds": data.lib.kind.workloads,
	"versions": data.lib.kind.versions,
	"templates": data.lib.kind.templates,
	"nameLabels": data.lib.kind.name_labels,
	"componentLabel": data.lib.kind.component_label,
	"singles": data.lib.kind.singles,
	"lists": data.lib.workload.lists,
	"whiteSpace": data.lib.mode.white_space,
	"reference": data.lib.env.reference,
	"hooks": data.lib.process.hooks,
	"maps": data.lib.process.maps,
	"lines": data.lib.process.lines,
	"reading": data.lib.reading.expressions,
	"patterns": data.lib.reading.patterns,
	"words": data.lib.catalogue.decided({
		"variable": data.lib.parameters.env_var,
		"skip": sprintf("%q", [data.lib.parameters.plain_skip]),
	}),
}`

// Read asks a policy under its constraint.
func Read(ctx context.Context, evaluator *evaluate.Evaluator) (*Facts, error) {
	var f Facts
	if err := evaluator.Value(ctx, factsQuery, &f); err != nil {
		return nil, err
	}
	return &f, nil
}

// Says are the title and the remedy of a form of a code, the rule's own when no
// form is named. It is an error when the catalogue has none, or none that is
// said without arguments.
func (f *Facts) Says(code string, form ...string) (string, error) {
	words, ok := f.Words[code][strings.Join(form, "")]
	if !ok {
		return "", fmt.Errorf("the catalogue has no words for %s %s", code, form)
	}
	return words, nil
}

// List is a parameter that is a list of strings, for a template. It is an error
// when there is none of that name.
func (f *Facts) List(name string) ([]string, error) {
	entries, ok := f.Parameters[name].([]any)
	if !ok {
		return nil, fmt.Errorf("there is no parameter %s that is a list", name)
	}
	var texts []string
	for _, entry := range entries {
		texts = append(texts, fmt.Sprint(entry))
	}
	return texts, nil
}

// KindNames are the names of the kinds, in order.
func (f *Facts) KindNames() []string { return slices.Sorted(maps.Keys(f.Kinds)) }

// Regular expressions. Go, CEL and Helm's templates have the same.

// AnyOf is an expression for any of some texts, each made an expression.
func AnyOf(texts []string, expression func(string) string) string {
	var all []string
	for _, text := range texts {
		all = append(all, expression(text))
	}
	return strings.Join(all, "|")
}

// Glob is the expression for a pattern in which only * is special.
func Glob(pattern string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
}

// Whole is the expression for a text that matches another as a whole.
func Whole(expression string) string { return `(?s)\A(?:` + expression + `)\z` }
