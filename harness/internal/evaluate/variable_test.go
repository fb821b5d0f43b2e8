package evaluate_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/mode"
)

// lenient is a policy that accepts any constraint, as one of a user may.
var lenient = map[string]string{
	"policy/main.rego":       "package main\n\ndeny contains {} if false\n",
	"policy/constraint.rego": "package lib.constraint\n\nproblems := []\n",
	"policy/summary.rego":    "package lib.summary\n\nworkloads := []\n",
}

func TestVariable(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	given := func(name, parameters string) *constraint.Constraint {
		loaded, err := constraint.Load([]string{write(name, `apiVersion: constraints.gatekeeper.sh/v1beta1
kind: ControllersNeverMigrate
metadata: {name: `+name+`}
spec: {parameters: `+parameters+`}
`)})
		if err != nil || len(loaded) != 1 {
			t.Fatalf("load %s: %v", name, err)
		}
		return &loaded[0]
	}
	for name, test := range map[string]struct {
		constraint *constraint.Constraint
		want       mode.Rules
	}{
		"no constraint": {nil, mode.Defaults()},
		"empty":         {given("empty", "{}"), mode.Defaults()},
		"renamed": {given("renamed", `{envVar: AGENTS_MIGRATIONS, skipValues: [never, "no"]}`),
			mode.Rules{Variable: "AGENTS_MIGRATIONS", SkipValues: []string{"never", "no"}}},
	} {
		evaluator, err := load(t, "", test.constraint)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		variable, plain := evaluator.Variable()
		if variable != test.want.Variable || plain != test.want.Plain() {
			t.Errorf("%s: got %s and %s", name, variable, plain)
		}
	}

	// Another policy may accept parameters that say nothing about the mode.
	broken := given("broken", "{skipValues: [false]}")
	if _, err := load(t, "", broken); err == nil {
		t.Error("the policy accepted skipValues: [false]")
	}
	policy := filepath.Join(folder, "policy")
	if err := os.Mkdir(policy, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range lenient {
		write(name, text)
	}
	evaluator, err := load(t, policy, broken)
	if err != nil {
		t.Fatalf("the lenient policy: %v", err)
	}
	if variable, plain := evaluator.Variable(); variable != "JANGAR_MIGRATIONS" || plain != "skip" {
		t.Errorf("got %s and %s, want the defaults", variable, plain)
	}
}
