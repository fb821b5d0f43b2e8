package gatekeeper_test

import (
	"context"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/constraint"
	"github.com/proompteng/nevermigrate/harness/gatekeeper"
	"github.com/proompteng/nevermigrate/policy"
)

var update = flag.Bool("update", false, "write the files in policy/gatekeeper")

// TestCommittedFiles compares what is committed with what is written now.
func TestCommittedFiles(t *testing.T) {
	for name, write := range map[string]func(context.Context) ([]byte, error){
		"template.yaml": gatekeeper.Template,
		"constraint.yaml": func(ctx context.Context) ([]byte, error) {
			constraint, err := gatekeeper.Defaults(ctx)
			if err != nil {
				return nil, err
			}
			return constraint.YAML(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := write(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("..", "..", "policy", "gatekeeper", name)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s is not what is written now: run go test ./harness/gatekeeper -update (-committed +now):\n%s", file, diff)
			}
		})
	}
}

// TestTemplateHoldsThePolicy reads the template back: each embedded file but
// the one that reads the constraint is in it, byte for byte.
func TestTemplateHoldsThePolicy(t *testing.T) {
	text, err := gatekeeper.Template(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Spec struct {
			Targets []struct {
				Code []struct {
					Engine string
					Source struct {
						Version, Rego string
						Libs          []string
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	code := template.Spec.Targets[0].Code[0]
	if len(template.Spec.Targets) != 1 || len(template.Spec.Targets[0].Code) != 1 || code.Engine != "Rego" || code.Source.Version != "v1" {
		t.Errorf("the template has other code than one Rego v1 source")
	}
	got := append([]string{code.Source.Rego}, code.Source.Libs...)
	var want []string
	for _, path := range []string{"main.rego", "lib/*.rego"} {
		files, err := fs.Glob(policy.FS, path)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if file == "lib/constraint.rego" {
				continue
			}
			text, err := policy.FS.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, string(text))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 10 {
		t.Errorf("the template has other files than the policy (-policy +template):\n%s", diff)
	}
}

// TestConstraint writes constraints and reads them as the gate does.
func TestConstraint(t *testing.T) {
	defaults, err := gatekeeper.Defaults(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*gatekeeper.Constraint)
		want   map[string]any // the spec without kinds
		err    string
	}{
		"defaults": {
			change: func(*gatekeeper.Constraint) {},
			want: map[string]any{
				"enforcementAction": "deny",
				"match":             map[string]any{"excludedNamespaces": []any{}},
				"parameters": map[string]any{
					"envVar":       "JANGAR_MIGRATIONS",
					"skipValues":   []any{"skip", "disabled", "false", "0", "off"},
					"controllers":  []any{"*-controllers"},
					"exemptImages": []any{},
				},
			},
		},
		"all chosen, with text that is no string without quotes": {
			change: func(c *gatekeeper.Constraint) {
				*c = gatekeeper.Constraint{
					Name: "agents", EnforcementAction: "dryrun",
					Namespaces: []string{"agents", "*-dev"}, ExcludedNamespaces: []string{"null"},
					Parameters: gatekeeper.Parameters{
						EnvVar: "No", SkipValues: []string{"n", "1", "a, b", "#x"},
						Controllers: []string{"*", "a: b", "[x"}, ExemptImages: []string{"~", "a\nb: c"},
					},
				}
			},
			want: map[string]any{
				"enforcementAction": "dryrun",
				"match":             map[string]any{"namespaces": []any{"agents", "*-dev"}, "excludedNamespaces": []any{"null"}},
				"parameters": map[string]any{
					"envVar":       "No",
					"skipValues":   []any{"n", "1", "a, b", "#x"},
					"controllers":  []any{"*", "a: b", "[x"},
					"exemptImages": []any{"~", "a\nb: c"},
				},
			},
		},
		"the policy refuses": {
			change: func(c *gatekeeper.Constraint) { c.EnforcementAction, c.Parameters.Controllers = "block", nil },
			err: `load constraint controllers-never-migrate: spec.enforcementAction is "block", which is not supported. Use deny, warn or dryrun.
load constraint controllers-never-migrate: spec.parameters.controllers is empty. Name at least one, or leave the key out to use the default.`,
		},
		"no name": {
			change: func(c *gatekeeper.Constraint) { c.Name = "Agents" },
			err:    `write constraint: the name "Agents" cannot be one: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
		},
		"long name": {
			change: func(c *gatekeeper.Constraint) { c.Name = strings.Repeat("a", 64) },
			err:    `write constraint: the name "` + strings.Repeat("a", 64) + `" has 64 characters: Gatekeeper takes at most 63`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := defaults
			test.change(&c)
			text, err := c.YAML(t.Context())
			if test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Errorf("error:\n%v\nwant:\n%s", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "constraint.yaml")
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			loaded, err := constraint.Load([]string{file})
			if err != nil {
				t.Fatal(err)
			}
			got := loaded[0].Content["spec"].(map[string]any)
			delete(got["match"].(map[string]any), "kinds")
			if diff := cmp.Diff(test.want, got); diff != "" || loaded[0].Name != c.Name {
				t.Errorf("%s was read as %s (-want +got):\n%s", text, loaded[0].Name, diff)
			}
		})
	}
}
