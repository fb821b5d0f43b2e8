package policy_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/proompteng/nevermigrate/policy"
)

// rule is what the annotation of a rule says.
type rule struct{ title, description, code, severity, remedy string }

var codePattern = regexp.MustCompile(`CNM[0-9]{3}`)

// annotatedRules reads the rules of package main that give findings, by code.
func annotatedRules(t *testing.T) map[string]rule {
	t.Helper()
	module := modules(t, policy.FS, false)["main.rego"]
	found := map[string]rule{}
	for _, annotation := range module.Annotations {
		code, ok := annotation.Custom["code"].(string)
		if !ok {
			continue
		}
		if _, twice := found[code]; twice {
			t.Errorf("%s is annotated twice", code)
		}
		severity, _ := annotation.Custom["severity"].(string)
		remedy, _ := annotation.Custom["remedy"].(string)
		found[code] = rule{annotation.Title, annotation.Description, code, severity, remedy}
	}
	return found
}

// TestAnnotations makes sure that the annotations can be trusted: Gatekeeper
// drops them, so the rules do not read them and repeat the code.
func TestAnnotations(t *testing.T) {
	rules := annotatedRules(t)
	var codes []string
	for code, rule := range rules {
		codes = append(codes, code)
		if rule.title == "" || rule.description == "" || rule.remedy == "" {
			t.Errorf("%s lacks a title, a description or a remedy", code)
		}
	}
	slices.Sort(codes)
	want := []string{"CNM000", "CNM001", "CNM002", "CNM003", "CNM004", "CNM005", "CNM006", "CNM101", "CNM102"}
	if !slices.Equal(codes, want) {
		t.Errorf("annotated codes are %v, want %v", codes, want)
	}

	// Each rule uses the code of the annotation above it, and adds to the set
	// that its severity says.
	sets := map[string]string{"deny": "_broken", "warn": "_doubtful"}
	used := map[string]bool{}
	current := rule{}
	module := modules(t, policy.FS, false)["main.rego"]
	for _, item := range module.Rules {
		for _, annotation := range item.Annotations {
			if code, ok := annotation.Custom["code"].(string); ok {
				current = rules[code]
			}
		}
		for _, code := range codePattern.FindAllString(item.String(), -1) {
			used[code] = true
			if code != current.code {
				t.Errorf("a rule gives %s under the annotation of %s: %s", code, current.code, item.Location)
			}
			if set := item.Head.Name.String(); set != sets[current.severity] {
				t.Errorf("%s has severity %q and adds to %s", code, current.severity, set)
			}
		}
	}
	for code := range rules {
		if !used[code] {
			t.Errorf("%s is annotated and no rule gives it", code)
		}
	}
}

func TestPackagesAreAnnotated(t *testing.T) {
	for path, module := range modules(t, policy.FS, false) {
		titled := false
		for _, annotation := range module.Annotations {
			if annotation.Scope == "package" && annotation.Title != "" {
				titled = true
			}
		}
		if !titled {
			t.Errorf("%s has no title", path)
		}
		if want := "data." + strings.ReplaceAll(strings.TrimSuffix(path, ".rego"), "/", "."); module.Package.Path.String() != want {
			t.Errorf("%s holds %s, want %s", path, module.Package.Path, want)
		}
	}
}

// TestEachRuleHasItsTests holds the names of the tests to a convention: a case
// that fires, a near miss, and one where a field is missing.
func TestEachRuleHasItsTests(t *testing.T) {
	module, err := os.ReadFile("main_test.rego")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ast.ParseModule("main_test.rego", string(module))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, test := range parsed.Rules {
		names = append(names, test.Head.Name.String())
	}
	for code, rule := range annotatedRules(t) {
		fires := map[string]string{"deny": "denies", "warn": "warns"}[rule.severity]
		for _, verb := range []string{fires, "allows", "missing"} {
			prefix := fmt.Sprintf("test_%s_%s_", verb, strings.ToLower(code))
			if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, prefix) }) {
				t.Errorf("no test is named %s…", prefix)
			}
		}
	}
}
