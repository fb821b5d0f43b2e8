package gatekeeper_test

import (
	"context"
	"encoding/json"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/gatekeeper"
	"github.com/proompteng/nevermigrate/policy"
)

var update = flag.Bool("update", false, "write the files in policy/gatekeeper")

// TestParameters comes first where files are written: it writes what the program
// is then built from.
func TestParameters(t *testing.T) { committed(t, "parameters.json", described) }

// committed compares a committed file with what is written now, or writes it.
func committed(t *testing.T, file string, write func(context.Context) ([]byte, error)) {
	t.Helper()
	got, err := write(t.Context())
	if err != nil {
		t.Fatal(err)
	}
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
		t.Errorf("%s is not what is written now: run scripts/generate (-committed +now):\n%s", file, diff)
	}
}

// TestCommittedFiles compares what is committed with what is written now.
func TestCommittedFiles(t *testing.T) {
	const folder = "../../../policy/gatekeeper"
	for file, write := range map[string]func(context.Context) ([]byte, error){
		folder + "/template.yaml": gatekeeper.Template,
		folder + "/constraint.yaml": func(ctx context.Context) ([]byte, error) {
			constraint, err := gatekeeper.Defaults(ctx)
			if err != nil {
				return nil, err
			}
			return constraint.YAML(ctx)
		},
	} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			committed(t, file, write)
		})
	}
}

// described is data.lib.parameters.described.
func described(ctx context.Context) ([]byte, error) {
	policy, err := evaluate.New(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	var all []any
	if err := policy.Value(ctx, "data.lib.parameters.described", &all); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(all, "", "  ")
	return append(text, '\n'), err
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
					"envVar":      "JANGAR_MIGRATIONS",
					"skipValues":  []any{"skip", "disabled", "false", "0", "off"},
					"controllers": []any{"*-controllers", "*-controllers-*"},
				},
			},
		},
		"all chosen, with text that is no string without quotes": {
			change: func(c *gatekeeper.Constraint) {
				c.Name, c.EnforcementAction = "agents", "dryrun"
				c.Namespaces, c.ExcludedNamespaces = []string{"agents", "*-dev"}, []string{"null"}
				maps.Copy(c.Parameters, map[string][]string{
					"envVar": {"No"}, "skipValues": {"n", "1", "a, b", "#x"},
					"controllers": {"*", "a: b", "[x"}, "exemptImages": {"~1", "a\nb: c"},
				})
			},
			want: map[string]any{
				"enforcementAction": "dryrun",
				"match":             map[string]any{"namespaces": []any{"agents", "*-dev"}, "excludedNamespaces": []any{"null"}},
				"parameters": map[string]any{
					"envVar":       "No",
					"skipValues":   []any{"n", "1", "a, b", "#x"},
					"controllers":  []any{"*", "a: b", "[x"},
					"exemptImages": []any{"~1", "a\nb: c"},
				},
			},
		},
		"the policy refuses": {
			change: func(c *gatekeeper.Constraint) { c.EnforcementAction, c.Parameters["controllers"] = "block", nil },
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
			c.Parameters = maps.Clone(defaults.Parameters)
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
			// A parameter that this test does not know is there with its default.
			parameters, err := gatekeeper.Parameters()
			if err != nil {
				t.Fatal(err)
			}
			for _, parameter := range parameters {
				wanted := test.want["parameters"].(map[string]any)
				if _, known := wanted[parameter.Name]; !known {
					var value any
					if err := json.Unmarshal(parameter.Schema.Default.Raw, &value); err != nil {
						t.Fatal(err)
					}
					wanted[parameter.Name] = value
				}
			}
			delete(got["match"].(map[string]any), "kinds")
			if diff := cmp.Diff(test.want, got); diff != "" || loaded[0].Name != c.Name {
				t.Errorf("%s was read as %s (-want +got):\n%s", text, loaded[0].Name, diff)
			}
		})
	}
}
