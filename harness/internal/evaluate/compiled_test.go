package evaluate

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/proompteng/nevermigrate/harness/internal/bundle"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/policy"
)

// TestCompiledOnce: evaluators of one policy share its rules, and each reads its own
// constraint, also when they are made and asked at the same time.
func TestCompiledOnce(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, policy.FS); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"built in": "", "a folder": dir} {
		t.Run(name, func(t *testing.T) {
			p, err := LoadPolicy(path, bundle.Verification{})
			if err != nil {
				t.Fatal(err)
			}
			variables := []string{"ONE", "TWO", "THREE", "FOUR"}
			evaluators := make([]*Evaluator, len(variables))
			got := map[string]string{}
			var group errgroup.Group
			for i, variable := range variables {
				group.Go(func() (err error) {
					evaluators[i], err = New(t.Context(), p, withVariable(variable))
					return err
				})
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			for i, variable := range variables {
				if evaluators[i].rules != evaluators[0].rules {
					t.Errorf("%s: its rules were compiled once more", variable)
				}
				var read string
				if err := evaluators[i].Value(t.Context(), "data.lib.parameters.env_var", &read); err != nil {
					t.Fatal(err)
				}
				got[variable], want[variable] = read, variable
			}
			if !maps.Equal(got, want) {
				t.Errorf("variables by constraint: %v", got)
			}
		})
	}
}

// TestCompiledAnew: a policy that is loaded again is what its files are by then.
func TestCompiledAnew(t *testing.T) {
	dir := t.TempDir()
	load := func() error {
		p, err := LoadPolicy(dir, bundle.Verification{})
		if err != nil {
			return err
		}
		_, err = New(t.Context(), p, nil)
		return err
	}
	if err := os.CopyFS(dir, policy.FS); err != nil {
		t.Fatal(err)
	}
	if err := load(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "broken.rego"), []byte("package main\n\nviolation contains x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if load() == nil {
		t.Error("a file that does not compile came, and the policy was loaded all the same")
	}
}

// withVariable is a constraint of another variable.
func withVariable(name string) *constraint.Constraint {
	return &constraint.Constraint{File: name + ".yaml", Name: name, Content: map[string]any{
		"apiVersion": "constraints.gatekeeper.sh/v1beta1",
		"kind":       "ControllersNeverMigrate",
		"metadata":   map[string]any{"name": name},
		"spec":       map[string]any{"parameters": map[string]any{"envVar": name}},
	}}
}
