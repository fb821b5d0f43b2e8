package harness_test

import (
	"slices"
	"testing"

	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/report"
)

// TestRules: every rule has all texts, whether the policy or the harness states
// it.
func TestRules(t *testing.T) {
	rules, err := harness.Rules(harness.Options{})
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
	}
	want := []string{
		"CNM000", "CNM001", "CNM002", "CNM003", "CNM004", "CNM005", "CNM006", "CNM007", "CNM101", "CNM102", "CNM103",
	}
	if !slices.Equal(codes, want) {
		t.Errorf("codes %v, want %v", codes, want)
	}
}

// TestRulesOfFolder reads another policy than the one in the binary.
func TestRulesOfFolder(t *testing.T) {
	rules, err := harness.Rules(harness.Options{Policy: "../policy"})
	if err != nil {
		t.Fatal(err)
	}
	builtIn, err := harness.Rules(harness.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(rules, builtIn) {
		t.Errorf("got %v, want %v", rules, builtIn)
	}
	if _, err := harness.Rules(harness.Options{Policy: "testdata/no-such-folder"}); err == nil {
		t.Error("no error for a folder that does not exist")
	}
}
