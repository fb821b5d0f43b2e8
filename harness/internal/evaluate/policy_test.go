package evaluate_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	opa "github.com/open-policy-agent/opa/v1/bundle"

	"github.com/proompteng/nevermigrate/harness/internal/bundle"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// rules are a small policy of somebody's own, which reads data.
const rules = `package main

violation contains {"msg": "m", "details": {"code": "OWN001", "severity": "deny", "message": "m", "remedy": "r"}} if {
	input.kind in data.own.kinds
}
`

// library is what the harness asks of a policy besides rules.
var library = map[string]string{
	"/lib/summary.rego":    "package lib.summary\n\nworkloads := []\n",
	"/lib/constraint.rego": "package lib.constraint\n\nproblems := []\n",
}

// write writes a bundle with the library, other modules and data.
func write(t *testing.T, modules map[string]string, data map[string]any) string {
	t.Helper()
	all := maps.Clone(library)
	maps.Copy(all, modules)
	b := opa.Bundle{Data: map[string]any{}}
	maps.Copy(b.Data, data)
	for name, text := range all {
		b.Modules = append(b.Modules, opa.ModuleFile{URL: name, Path: name, Raw: []byte(text)})
	}
	var buffer bytes.Buffer
	if err := opa.NewWriter(&buffer).DisableFormat(true).Write(b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "own.tar.gz")
	if err := os.WriteFile(path, buffer.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, path string, c *constraint.Constraint) (*evaluate.Evaluator, error) {
	t.Helper()
	policy, err := evaluate.LoadPolicy(path, bundle.Verification{})
	if err != nil {
		return nil, err
	}
	return evaluate.New(t.Context(), policy, c)
}

// TestBundleData: the rules see the data of their bundle, and beside it the
// constraint.
func TestBundleData(t *testing.T) {
	reading := strings.Replace(rules, "data.own.kinds", "data.own.kinds\n\tdata.spec.parameters.armed", 1)
	data := map[string]any{"own": map[string]any{"kinds": []any{"Pod"}}}
	armed := &constraint.Constraint{File: "c.yaml", Name: "c", Content: map[string]any{
		"kind": "ControllersNeverMigrate", "spec": map[string]any{"parameters": map[string]any{"armed": true}},
	}}
	for name, test := range map[string]struct {
		rules string
		data  map[string]any
		c     *constraint.Constraint
		want  int
	}{
		"data":                    {rules, data, nil, 1},
		"no data":                 {rules, map[string]any{}, nil, 0},
		"data and constraint":     {reading, data, armed, 1},
		"data without constraint": {reading, data, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := load(t, write(t, map[string]string{"/main.rego": test.rules}, test.data), test.c)
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Evaluate(t.Context(), []manifest.Object{{Document: 1, Content: map[string]any{"kind": "Pod"}}})
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Findings) != test.want {
				t.Errorf("%d findings, want %d: %v", len(got.Findings), test.want, got.Findings)
			}
		})
	}
}

// TestBundleRefused: whole messages, with places as they are in the bundle.
func TestBundleRefused(t *testing.T) {
	main := map[string]string{"/main.rego": rules}
	with := func(name, text string) map[string]string {
		modules := maps.Clone(main)
		modules[name] = text
		return modules
	}
	atRoot := func(key string) string {
		return "load bundle FILE: its data has " + key + " at the root, where the rules look for the constraint: leave the constraint out of the bundle and give it with --constraint"
	}
	for name, test := range map[string]struct {
		modules map[string]string
		data    map[string]any
		want    string
	}{
		"a constraint inside": {main, map[string]any{"apiVersion": "x", "kind": "ControllersNeverMigrate", "metadata": 1, "spec": 1}, atRoot("apiVersion")},
		"kind":                {main, map[string]any{"kind": "x"}, atRoot("kind")},
		"spec":                {main, map[string]any{"spec": nil}, atRoot("spec")},
		"a misplaced key":     {main, map[string]any{"parameters": map[string]any{}}, atRoot("parameters")},
		"data over a rule": {main, map[string]any{"lib": map[string]any{"summary": map[string]any{"workloads": 1}}},
			"load bundle FILE: 1 error occurred: lib/summary.rego:3: rego_compile_error: conflicting rule for data path lib/summary/workloads found"},
		"does not compile": {with("/main.rego", "package main\n\nviolation contains x\n"), nil,
			"load bundle FILE: 1 error occurred: main.rego:3: rego_unsafe_var_error: var x is unsafe"},
		"reaches out": {with("/main.rego", "package main\n\nviolation contains http.send({})\n"), nil,
			"load bundle FILE: 1 error occurred: main.rego:3: rego_type_error: undefined function http.send"},
		"no package main": {map[string]string{}, nil, "load bundle FILE: it has no package main"},
		"no rule":         {with("/main.rego", "package main\n\nx := 1\n"), nil, "load bundle FILE: package main has no rule violation, deny or warn"},
		"an exception": {with("/main.rego", rules+"\nexception contains []\n"), nil,
			"load bundle FILE: main.rego:7: exceptions are not supported: they would disarm rules"},
		"data.conftest": {with("/lib/more.rego", "package lib.more\n\nx := data.conftest\n"), nil,
			"load bundle FILE: lib/more.rego refers to data.conftest, which is not there"},
		"a problem without a constraint": {with("/lib/constraint.rego", "package lib.constraint\n\nproblems := [{\"message\": \"It is wrong.\", \"remedy\": \"Right it.\"}]\n"), nil,
			"load bundle FILE: it finds a problem in the constraint, and none was given: It is wrong. Right it."},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, test.modules, test.data)
			_, err := load(t, path, nil)
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(strings.ReplaceAll(test.want, "FILE", path), err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPolicyPlaces: a key without something that can be signed is an error.
func TestPolicyPlaces(t *testing.T) {
	for name, test := range map[string]struct{ path, key, want string }{
		"key and nothing":       {"", "k.pem", `verify the built-in policy with k\.pem: it is part of this program and not signed: name a bundle, or leave out the key`},
		"key and a folder":      {".", "k.pem", `read verification key: open k\.pem: no such file or directory`},
		"no such file":          {"gone.tar.gz", "", `load policy gone\.tar\.gz: no such folder or bundle`},
		"below a file":          {"policy.go/x", "", `load policy: stat policy\.go/x: not a directory`},
		"a file that is no one": {"policy.go", "", `load bundle policy\.go: it is no OPA bundle, which is a gzipped tar archive: gzip: invalid header`},
		"a device":              {os.DevNull, "", `load bundle /dev/null: it is no file`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := evaluate.LoadPolicy(test.path, bundle.Verification{KeyFile: test.key})
			if err == nil || !regexp.MustCompile(`\A`+test.want+`\z`).MatchString(err.Error()) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// TestFirstError: of several documents that cannot be judged, which workers take at the
// same time, the error names the first.
func TestFirstError(t *testing.T) {
	path := write(t, map[string]string{"/main.rego": rules + `
violation contains {"msg": msg} if msg := _said

_said := "a" if input.both

_said := "b" if input.both
`}, map[string]any{"own": map[string]any{"kinds": []any{}}})
	e, err := load(t, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var objects []manifest.Object
	for i := range 60 {
		objects = append(objects, manifest.Object{Document: i + 1, Content: map[string]any{"kind": "A", "both": i == 23 || i == 24 || i == 50}})
	}
	for range 50 {
		_, err := e.Evaluate(t.Context(), objects)
		if err == nil || !strings.HasPrefix(err.Error(), "evaluate document 24: ") {
			t.Fatalf("error %v, want one of document 24", err)
		}
	}
}
