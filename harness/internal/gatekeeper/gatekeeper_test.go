package gatekeeper_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/types"
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
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
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
	files := map[string]func(context.Context) ([]byte, error){
		"template.yaml":       gatekeeper.Template,
		"artifacthub-pkg.yml": gatekeeper.Package,
	}
	// Each folder of samples has its constraint, as in Gatekeeper's own library.
	for _, test := range readSuite(t, "suite.yaml").Tests {
		if !slices.Contains(ownConstraint, test.Name) && !test.Invalid {
			files["samples/"+test.Name+"/constraint.yaml"] = func(ctx context.Context) ([]byte, error) {
				constraint, err := gatekeeper.Defaults(ctx)
				if err != nil {
					return nil, err
				}
				return constraint.YAML(ctx)
			}
		}
	}
	for file, write := range files {
		t.Run(file, func(t *testing.T) {
			committed(t, filepath.Join(samples, file), write)
		})
	}
}

// TestLayout: the folder has what a policy of Gatekeeper's own library has, and no more.
// TestSuiteIsComplete looks at the samples.
func TestLayout(t *testing.T) {
	entries, err := os.ReadDir(samples)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if diff := cmp.Diff([]string{"artifacthub-pkg.yml", "kustomization.yaml", "samples", "suite.yaml", "template.yaml"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// ownConstraint are the samples with a constraint of their own.
var ownConstraint = []string{"parameters", "match", "cnm000-unusable-constraint"}

// TestKustomization: as in Gatekeeper's own library it has the template, and whoever
// takes it adds a constraint.
func TestKustomization(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(samples, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var got types.Kustomization
	if err := yaml.UnmarshalStrict(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(types.Kustomization{Resources: []string{"template.yaml"}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestPackage holds what Artifact Hub is told to what is true of the files.
func TestPackage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(samples, "artifacthub-pkg.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Version, Name, DisplayName, CreatedAt, Description, Digest, License, HomeURL, Readme, Install string
		Keywords                                                                                      []string
		Links                                                                                         []struct{ Name, URL string }
		Provider                                                                                      struct{ Name string }
	}
	if err := yaml.UnmarshalStrict(text, &got); err != nil {
		t.Fatal(err)
	}
	template, err := os.ReadFile(filepath.Join(samples, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var about struct {
		Metadata struct {
			Name        string
			Annotations map[string]string
		}
	}
	if err := yaml.Unmarshal(template, &about); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"version": policy.Version, "name": about.Metadata.Name, "title": about.Metadata.Annotations["metadata.gatekeeper.sh/title"],
		"description": about.Metadata.Annotations["description"], "digest": fmt.Sprintf("%x", sha256.Sum256(template)), "license": "Apache-2.0",
		"home": "https://github.com/proompteng/nevermigrate", "provider": "proompteng",
	}
	has := map[string]string{
		"version": got.Version, "name": got.Name, "title": got.DisplayName, "description": got.Description, "digest": got.Digest,
		"license": got.License, "home": got.HomeURL, "provider": got.Provider.Name,
	}
	if diff := cmp.Diff(want, has); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := time.Parse(time.RFC3339, got.CreatedAt); err != nil {
		t.Error(err)
	}
	if _, err := semver.StrictNewVersion(got.Version); err != nil {
		t.Error(err)
	}
	// What it names in this repository is there.
	const here = "https://github.com/proompteng/nevermigrate/blob/main/"
	paths := regexp.MustCompile(regexp.QuoteMeta(here)+"[a-z/.-]+[a-z]").FindAllString(string(text), -1)
	for _, path := range paths {
		if _, err := os.Stat(filepath.Join("../../..", strings.TrimPrefix(path, here))); err != nil {
			t.Error(err)
		}
	}
	if len(paths) < 2 || len(got.Keywords) < 3 || len(got.Links) < 2 || got.Readme == "" || !strings.Contains(got.Install, "kubectl apply") {
		t.Errorf("something is missing: %+v", got)
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
