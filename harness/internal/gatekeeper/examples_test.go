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

// The part of suite.yaml that is written stands between these lines.
const (
	writtenBegins = "  # The example of each rule and its twin. Written by: scripts/generate\n"
	writtenEnds   = "  # By hand from here on.\n"
)

// TestExamples writes the first samples: the example of each rule that denies an
// object, and its twin. So a new rule has its samples by itself.
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
	written := "  - name: " + defaults + "\n    template: template.yaml\n    constraint: samples/" + defaults + "/constraint.yaml\n    cases:\n"
	files := map[string]string{}
	for _, rule := range rules {
		if rule.Severity != "deny" || slices.Contains([]string{"CNM000", stated.Absent, stated.Weaker}, rule.Code) {
			continue // admission has violations only, and sees one object at a time
		}
		name := strings.ToLower(rule.Code)
		fires, right := differingDocument(t, examples[rule.Code])
		allowed, disallowed := "example-allowed-"+name, "example-disallowed-"+name
		files[fileOf(disallowed)], files[fileOf(allowed)] = fires, right
		written += fmt.Sprintf("      - name: %s\n        object: samples/%s/%s\n        assertions:\n          - violations: 0\n"+
			"      - name: %s\n        object: samples/%s/%s\n        assertions:\n          - violations: 1\n"+
			"          - violations: 1\n            message: '^%s '\n", allowed, defaults, fileOf(allowed), disallowed, defaults, fileOf(disallowed), rule.Code)
	}
	folder := filepath.Join(samples, "samples", defaults)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		committed(t, filepath.Join(folder, name), func(context.Context) ([]byte, error) { return []byte(files[name]), nil })
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	// The constraint is there too.
	if len(entries) != len(files)+1 || len(files) < 12 {
		t.Errorf("%s has %d files, and %d are written: remove what is none", folder, len(entries), len(files)+1)
	}
	suite := filepath.Join(samples, "suite.yaml")
	text, err := os.ReadFile(suite)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), writtenBegins)
	_, after, ends := strings.Cut(rest, writtenEnds)
	if !begins || !ends {
		t.Fatalf("%s lacks the line %q or %q", suite, writtenBegins, writtenEnds)
	}
	committed(t, suite, func(context.Context) ([]byte, error) {
		return []byte(before + writtenBegins + written + writtenEnds + after), nil
	})
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
