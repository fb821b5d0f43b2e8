package catalogue_test

import (
	"os"
	"regexp"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/report"
)

func builtIn(t *testing.T) *catalogue.Catalogue {
	t.Helper()
	known, err := catalogue.BuiltIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// TestRules: every rule has all texts, in the order of the codes. Codes from
// CNM100 on warn.
func TestRules(t *testing.T) {
	rules, err := builtIn(t).Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, rule := range rules {
		codes = append(codes, rule.Code)
		if rule.Title == "" || rule.Description == "" || rule.Remedy == "" {
			t.Errorf("%s lacks a text: %+v", rule.Code, rule)
		}
		want := report.Deny
		if rule.Code > "CNM1" {
			want = report.Warn
		}
		if rule.Severity != want {
			t.Errorf("%s: severity %q, want %q", rule.Code, rule.Severity, want)
		}
		if argument := regexp.MustCompile(`\{[a-z_]*\}`).FindString(rule.Remedy); argument != "" {
			t.Errorf("%s: the remedy has the argument %s, which a page cannot fill in", rule.Code, argument)
		}
	}
	if len(codes) < 11 || !slices.IsSorted(codes) {
		t.Errorf("codes %v", codes)
	}
}

// TestFolder reads another policy than the one in the binary, and one without a
// catalogue.
func TestFolder(t *testing.T) {
	folder, err := catalogue.Load(t.Context(), os.DirFS("../../../policy"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := folder.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, err := builtIn(t).Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-built in +folder):\n%s", diff)
	}
	none, err := catalogue.Load(t.Context(), fstest.MapFS{"main.rego": {Data: []byte("package main")}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := none.Rules(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("a policy without a catalogue has the rules %v, error %v", got, err)
	}
	if _, err := none.Finding(t.Context(), "CNM001", []string{"undeclared"}, nil); err == nil {
		t.Error("a policy without a catalogue has words for CNM001")
	}
	if _, err := catalogue.Load(t.Context(), fstest.MapFS{"lib/catalogue.rego": {Data: []byte("package")}}); err == nil {
		t.Error("no error for a catalogue that is no Rego")
	}
}

func TestFinding(t *testing.T) {
	got, err := builtIn(t).Finding(t.Context(), "CNM101", []string{"spelling"}, map[string]any{
		"variable": "MODE", "place": "env[0]", "value": `"off"`, "skip": `"skip"`,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := report.Finding{
		Code: "CNM101", Severity: report.Warn, Causes: []report.Cause{},
		Message: `MODE in env[0] is "off", another spelling of "skip".`,
		Remedy:  `Set it to value: "skip".`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := builtIn(t).Finding(t.Context(), "CNM999", []string{"spelling"}, nil); err == nil {
		t.Errorf("a code that is not there gives %+v", got)
	}
}
