package harness

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Rules returns the texts of all rules, in the order of their codes: those that
// the annotations of a policy carry, and those of the rules that judge a whole
// target. The policy is that of the options, of which nothing else counts.
func Rules(options Options) ([]report.Rule, error) {
	policy, err := evaluate.LoadPolicy(options.Policy, options.Verification)
	if err != nil {
		return nil, err
	}
	source := policy.Rules()
	rules := slices.Clone(targetRules)
	err = fs.WalkDir(source, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".rego" || strings.HasSuffix(name, "_test.rego") {
			return err
		}
		found, err := annotatedRules(source, name)
		rules = append(rules, found...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the rules of the policy: %w", err)
	}
	slices.SortStableFunc(rules, func(a, b report.Rule) int { return cmp.Compare(a.Code, b.Code) })
	return slices.CompactFunc(rules, func(a, b report.Rule) bool { return a.Code == b.Code }), nil
}

// annotatedRules reads the rules of a file whose annotations have a code.
func annotatedRules(source fs.FS, name string) ([]report.Rule, error) {
	text, err := fs.ReadFile(source, name)
	if err != nil {
		return nil, err
	}
	module, err := ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1})
	if err != nil {
		return nil, err
	}
	var rules []report.Rule
	for _, annotation := range module.Annotations {
		custom := func(key string) string { value, _ := annotation.Custom[key].(string); return value }
		if custom("code") == "" {
			continue
		}
		rules = append(rules, report.Rule{
			Code: custom("code"), Title: annotation.Title, Description: annotation.Description,
			Remedy: custom("remedy"), Severity: report.Severity(custom("severity")),
		})
	}
	return rules, nil
}
