package output

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// ExplainedRule is a rule with an example, if there is one.
type ExplainedRule struct {
	catalogue.Rule
	Example *catalogue.Example `json:"example,omitempty"`
	// Page is the address of the rule's page; empty for what is none of the policy's.
	// It is filled in when the rule is written.
	Page string `json:"page,omitempty"`
}

// WriteRule writes what a rule means, for people: the example with the line that
// breaks it, and the one that is right in its place.
func WriteRule(w io.Writer, rule ExplainedRule) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s (%s): %s\n\n%s\nRemedy: %s\n", rule.Code, rule.Severity, rule.Title, rule.Description, rule.Remedy)
	if rule.Example != nil {
		change, err := rule.change()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "\nExample: %s It fires with the line marked -, and is right with the one marked +.\n\n%s\nIt finds: %s\n",
			rule.Example.Why, indentLines(change, "  "), rule.Example.Finds)
	}
	if address := report.PageOf(rule.Code); address != "" {
		fmt.Fprintf(&b, "\nPage: %s\n", address)
	}
	return plaintext.Write(w, b.String())
}

// WriteRulesJSON writes rules for programs, in the shape of the schema "rules".
func WriteRulesJSON(w io.Writer, rules []ExplainedRule) error {
	rules = slices.Clone(rules)
	for i, rule := range rules {
		rules[i].Page = report.PageOf(rule.Code)
	}
	return plaintext.WriteJSON(w, struct {
		Version int             `json:"version"`
		Rules   []ExplainedRule `json:"rules"`
	}{report.Version, rules})
}

// change is the example and its twin as one text: each line with two characters
// before it, the line that fires with -, and the one that is right with +.
func (r ExplainedRule) change() (string, error) {
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(strings.TrimSuffix(r.Example.Fires, "\n")), B: difflib.SplitLines(strings.TrimSuffix(r.Example.Right, "\n")),
		Context: strings.Count(r.Example.Fires, "\n"),
	})
	if err != nil {
		return "", fmt.Errorf("write rule: %w", err)
	}
	_, lines, _ := strings.Cut(text, "\n") // the first line has line numbers
	return lines, nil
}

func indentLines(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+by) + "\n"
}
