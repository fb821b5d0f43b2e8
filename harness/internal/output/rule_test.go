package output

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/internal/config"
	"github.com/proompteng/nevermigrate/harness/internal/generated"
	"github.com/proompteng/nevermigrate/harness/report"
)

func explained(t *testing.T) []ExplainedRule {
	t.Helper()
	known, err := catalogue.BuiltIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rules, err := known.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	examples, err := catalogue.Examples()
	if err != nil {
		t.Fatal(err)
	}
	var all []ExplainedRule
	for _, rule := range rules {
		example := examples[rule.Code]
		all = append(all, ExplainedRule{Rule: rule, Example: &example})
	}
	return all
}

// TestRulePages holds the page of each rule, and the list of rules in docs/contract.md,
// to the catalogue.
func TestRulePages(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "docs", "rules")
	list := "| code | severity | what is wrong |\n|---|---|---|\n"
	pages := map[string]bool{}
	for _, rule := range explained(t) {
		generated.Whole(t, *update, "docs/rules/"+rule.Code+".md", rulePage(t, rule))
		pages[rule.Code+".md"] = true
		if want := report.Home + "/blob/main/docs/rules/" + rule.Code + ".md"; report.PageOf(rule.Code) != want {
			t.Errorf("reports link to %q, want %s", report.PageOf(rule.Code), want)
		}
		list += fmt.Sprintf("| [%s](rules/%[1]s.md) | %s | %s |\n", rule.Code, rule.Severity, rule.Title)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !pages[entry.Name()] {
			t.Errorf("docs/rules/%s is the page of no rule", entry.Name())
		}
	}
	generated.Between(t, *update, "docs/contract.md", "<!-- rules -->\n", "<!-- end of rules -->\n", list)
}

// rulePage is what WriteRule writes as a page in Markdown.
func rulePage(t *testing.T, rule ExplainedRule) string {
	t.Helper()
	change, err := rule.change()
	if err != nil {
		t.Fatal(err)
	}
	exempt := `For two weeks, while it cannot be mended, an entry of ` + "`.nevermigrate.yaml`" + ` lets it pass, and every report names it:

` + "```yaml\nexemptions:\n- code: " + rule.Code + `
  path: apps/agents
  reason: what it waits for
  until: 2027-01-31
` + "```" + `

Where the finding names a workload, ` + "`workload: Kind/name`" + ` and ` + "`container: name`" + ` make it narrower. Who owns the configuration merges it; after that day it is refused. [Adopting](../adopting.md#two-weeks-for-one-finding) shows a run.
`
	mend := rule.Remedy + "\n\nA report says where: at `Cause:`, and what to write there at `Fix:`. [`verified`](../causes.md#what-a-verified-fix-is) says that it was tried.\n"
	switch rule.Code {
	case "CNM000":
		exempt, mend = "Nothing exempts it: no constraint, no verdict.\n", rule.Remedy+"\n"
	case "CNM008":
		exempt, mend = "Nothing needs to: who owns the contract judges the change by itself, with `--trust-head` or the input `trust-head` of [the action](../../.github/actions/check/README.md).\n", rule.Remedy+"\n"
	}
	return fmt.Sprintf(`# %s: %s

Severity: %s. %s

## Example

%s It fires with the line marked `+"`-`"+`, and is right with the one marked `+"`+`"+`.

`+"```diff\n%s```"+`

## The message

> %s

## How to mend it

%s
## How to exempt it

%s`, rule.Code, rule.Title, rule.Severity, rule.Description, rule.Example.Why, change, rule.Example.Finds, mend, exempt)
}

// TestRulePagesExempt: what the page of a rule says of an exemption is a configuration.
func TestRulePagesExempt(t *testing.T) {
	for _, rule := range explained(t) {
		_, shown, found := strings.Cut(rulePage(t, rule), "```yaml\n")
		if want := rule.Code != "CNM000" && rule.Code != "CNM008"; found != want {
			t.Errorf("%s: its page shows an exemption: %v, want %v", rule.Code, found, want)
		}
		if !found {
			continue
		}
		shown, _, _ = strings.Cut(shown, "```")
		dir := t.TempDir()
		t.Chdir(dir)
		file := filepath.Join(dir, ".nevermigrate.yaml")
		if err := errors.Join(os.Mkdir(filepath.Join(dir, ".git"), 0o755), os.WriteFile(file, []byte(shown), 0o600)); err != nil {
			t.Fatal(err)
		}
		read, err := config.Load(file, time.Date(2027, 1, 17, 0, 0, 0, 0, time.UTC))
		if err != nil {
			t.Errorf("%s: %v", rule.Code, err)
			continue
		}
		if len(read.Exemptions) != 1 || read.Exemptions[0].Code != rule.Code || read.Exemptions[0].Until != "2027-01-31" {
			t.Errorf("%s: its page exempts %+v", rule.Code, read.Exemptions)
		}
	}
}

// TestWriteRule holds the whole text of one rule.
func TestWriteRule(t *testing.T) {
	rules := explained(t)
	rule := rules[slices.IndexFunc(rules, func(r ExplainedRule) bool { return r.Code == "CNM102" })]
	rule.Example.Fires, rule.Example.Right = "kind: A\nvalue: \"off\"\n", "kind: A\nvalue: skip\n"
	var got bytes.Buffer
	if err := WriteRule(&got, rule); err != nil {
		t.Fatal(err)
	}
	const want = `CNM102 (warn): A control plane with a value that says neither auto nor skip

It means auto, which may not be what its author meant.
Remedy: Set it to value: "auto" or to value: "skip".

Example: A typo in the control plane means auto all the same. It fires with the line marked -, and is right with the one marked +.

   kind: A
  -value: "off"
  +value: skip

It finds: JANGAR_MIGRATIONS in spec.template.spec.containers[0].env[0] is "skpi", which is neither auto nor a skip value, so the service migrates. Set it to value: "auto" or to value: "skip".

Page: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM102.md
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
