package gatekeeper_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
)

// TestExamples writes a suite of its own for gator: the example of each rule that
// denies an object, and its twin. So a new rule has its samples by itself.
func TestExamples(t *testing.T) {
	examples, err := catalogue.Examples()
	if err != nil {
		t.Fatal(err)
	}
	known, err := catalogue.BuiltIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rules, err := known.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	suite := "# The example of each rule and its twin.\n# Written by: scripts/generate\n" +
		"apiVersion: test.gatekeeper.sh/v1alpha1\nkind: Suite\nmetadata:\n  name: controllers-never-migrate-examples\ntests:\n" +
		"  - name: examples\n    template: ../template.yaml\n    constraint: ../constraint.yaml\n    cases:\n"
	files := map[string]string{}
	for _, rule := range rules {
		if rule.Severity != "deny" || slices.Contains([]string{"CNM000", stated.Absent, stated.Weaker}, rule.Code) {
			continue // admission has violations only, and sees one object at a time
		}
		name := strings.ToLower(rule.Code)
		fires, right := differingDocument(t, examples[rule.Code])
		files["disallowed-"+name+".yaml"], files["allowed-"+name+".yaml"] = fires, right
		suite += fmt.Sprintf("      - name: allowed-%[1]s\n        object: allowed-%[1]s.yaml\n        assertions:\n          - violations: 0\n"+
			"      - name: disallowed-%[1]s\n        object: disallowed-%[1]s.yaml\n        assertions:\n          - violations: 1\n"+
			"          - violations: 1\n            message: '^%[2]s '\n", name, rule.Code)
	}
	files["suite.yaml"] = suite
	folder := filepath.Join(samples, "examples")
	if *update {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		committed(t, filepath.Join(folder, name), func(context.Context) ([]byte, error) { return []byte(files[name]), nil })
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(files) || len(files) < 13 {
		t.Errorf("%s has %d files, and %d are written: remove what is none", folder, len(entries), len(files))
	}
}

// differingDocument is the document in which an example and its twin differ.
func differingDocument(t *testing.T, example catalogue.Example) (fires, right string) {
	t.Helper()
	a, b := strings.Split(example.Fires, "---\n"), strings.Split(example.Right, "---\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i], b[i]
		}
	}
	t.Fatalf("the example and its twin do not differ: %s", example.Why)
	return "", ""
}
