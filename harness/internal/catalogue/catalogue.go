// Package catalogue is what the policy knows of each code: severity, title,
// description, remedy, and the words of its findings. They are data in Rego, in
// policy/lib/catalogue.rego, and stand nowhere else.
package catalogue

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
	"github.com/proompteng/nevermigrate/harness/report"
	"github.com/proompteng/nevermigrate/policy"
)

// Rule is what is known of a rule by its code, whatever it was broken by.
type Rule struct {
	Code     string          `json:"code"`
	Severity report.Severity `json:"severity"`
	// Title is a short sentence without a full stop.
	Title       string `json:"title"`
	Description string `json:"description"`
	// Remedy is what to do in general; a finding has a remedy of its own.
	Remedy string `json:"remedy"`
}

// file is where a policy has its catalogue.
const file = "lib/catalogue.rego"

// Catalogue is the catalogue of a policy. It is safe for concurrent use.
type Catalogue struct{ finding, described rego.PreparedEvalQuery }

// Load reads the catalogue of the policy that lies in a file system. A policy
// that has none has an empty one. It is an error when it cannot be compiled.
func Load(ctx context.Context, rules fs.FS) (*Catalogue, error) {
	text, err := fs.ReadFile(rules, file)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = []byte("package lib.catalogue\n\ndescribed(_) := {}\n\ntexts(_, _, _) := {}\n\nrules := {}"), nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	compiler, err := ast.CompileModules(map[string]string{file: string(text)})
	if err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	var c Catalogue
	for query, into := range map[string]*rego.PreparedEvalQuery{
		"data.lib.catalogue.described(input)": &c.described,
		`object.union(data.lib.catalogue.texts(input.code, input.says, input.arguments),
			{"code": input.code, "severity": data.lib.catalogue.rules[input.code].severity})`: &c.finding,
	} {
		if *into, err = rego.New(rego.Query(query), rego.Compiler(compiler)).PrepareForEval(ctx); err != nil {
			return nil, fmt.Errorf("load the catalogue: %w", err)
		}
	}
	return &c, nil
}

// BuiltIn is the catalogue of the policy in this binary.
func BuiltIn(ctx context.Context) (*Catalogue, error) { return Load(ctx, policy.FS) }

// Rules are all codes with what is known of them, in the order of the codes. A
// remedy names the default variable and value.
func (c *Catalogue) Rules(ctx context.Context) ([]Rule, error) {
	described := map[string]Rule{}
	defaults := mode.Defaults()
	arguments := map[string]any{"variable": defaults.Variable, "skip": strconv.Quote(defaults.Plain())}
	if err := ask(ctx, c.described, arguments, &described); err != nil {
		return nil, err
	}
	for code, rule := range described {
		rule.Code = code
		described[code] = rule
	}
	return slices.SortedFunc(maps.Values(described), func(a, b Rule) int { return cmp.Compare(a.Code, b.Code) }), nil
}

// Finding is a finding of a code about nothing in particular: its severity, and
// the message and remedy of forms of the catalogue with their arguments by name.
// A code that the catalogue does not have is an error.
func (c *Catalogue) Finding(ctx context.Context, code string, says []string, arguments map[string]any) (report.Finding, error) {
	if arguments == nil {
		arguments = map[string]any{}
	}
	finding := report.Finding{Causes: []report.Cause{}}
	err := ask(ctx, c.finding, map[string]any{"code": code, "says": says, "arguments": arguments}, &finding)
	return finding, err
}

// ask decodes what a query of the catalogue gives.
func ask(ctx context.Context, query rego.PreparedEvalQuery, input, into any) error {
	results, err := query.Eval(ctx, rego.EvalInput(input))
	if err != nil {
		return fmt.Errorf("read the catalogue: %w", err)
	}
	if len(results) != 1 {
		return fmt.Errorf("read the catalogue: it has nothing for %v", input)
	}
	text, err := json.Marshal(results[0].Expressions[0].Value)
	if err != nil {
		return fmt.Errorf("read the catalogue: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read the catalogue: %w", err)
	}
	return nil
}
