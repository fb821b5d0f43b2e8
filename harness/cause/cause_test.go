package cause_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/cause"
	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/manifest"
	"github.com/proompteng/nevermigrate/harness/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// The causes of the cases below fixtures/cases are tested with the cases. Here
// is what these cannot show: other ways to write a layer, bounds, and what a
// report must not tell.

const chart = `
-- charts/agents/Chart.yaml --
apiVersion: v2
name: agents
version: 1.0.0
-- charts/agents/values.yaml --
mode: %s
-- charts/agents/templates/deployment.yaml --
apiVersion: apps/v1
kind: Deployment
metadata:
  name: agents-controllers
spec:
  template:
    spec:
      containers:
      - name: main
        image: example.com/agents
        env:
        - {name: JANGAR_MIGRATIONS, value: {{ .Values.mode | quote }}}
`

const resource = `
-- deployment.yaml --
apiVersion: apps/v1
kind: Deployment
metadata:
  name: agents-controllers
spec:
  template:
    spec:
      containers:
      - name: main
        image: example.com/agents
        env:
        - {name: JANGAR_MIGRATIONS, value: skip}
`

// write makes the files of an app: each begins with a line `-- name --`.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	name, text := "", map[string]string{}
	for _, line := range strings.SplitAfter(strings.Join(files, "\n"), "\n") {
		if rest, ok := strings.CutPrefix(line, "-- "); ok {
			name = strings.TrimSuffix(strings.TrimSpace(rest), " --")
			continue
		}
		if name != "" {
			text[name] += line
		}
	}
	for name, text := range text {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return dir
}

// find returns the denied findings of the app in the working directory, with
// their causes.
func find(t *testing.T, options cause.Options) []report.Finding {
	t.Helper()
	ctx := t.Context()
	evaluator, err := evaluate.New(ctx, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := render.App(ctx, ".", render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	objects, err := manifest.Read(manifests)
	if err != nil {
		t.Fatal(err)
	}
	result, err := evaluator.Evaluate(ctx, objects)
	if err != nil {
		t.Fatal(err)
	}
	app := cause.New(".", []*evaluate.Evaluator{evaluator}, options)
	for i := range result.Findings {
		if err := app.Find(ctx, evaluator, &result.Findings[i]); err != nil {
			t.Fatal(err)
		}
	}
	if len(result.Findings) == 0 {
		t.Fatal("there are no findings")
	}
	return result.Findings
}

func TestLayersInOtherForms(t *testing.T) {
	for _, test := range []struct {
		name  string
		files []string
		want  report.Cause
		fix   string
	}{
		{"a patch in a file", []string{resource, `
-- kustomization.yaml --
resources: [deployment.yaml]
patches:
- path: patch.yaml
-- patch.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: agents-controllers}
spec:
  template:
    spec:
      containers:
      - name: main
        env:
        - name: JANGAR_MIGRATIONS
          value: auto
`}, report.Cause{File: "patch.yaml", Line: 11, Column: 11, Path: "spec.template.spec.containers[0].env[0].value", Value: "auto", Layer: report.Patch},
			`set spec.template.spec.containers[0].env[0].value to "skip"`},
		{"a quoted patch, whose lines are not those of the file", []string{resource, `
-- kustomization.yaml --
resources: [deployment.yaml]
patches:
- target: {kind: Deployment}
  patch: '[{"op": "replace", "path": "/spec/template/spec/containers/0/env/0/value", "value": "auto"}]'
`}, report.Cause{File: "kustomization.yaml", Line: 4, Column: 3, Path: "patches[0].patch[0].value", Value: "auto", Layer: report.Patch},
			`set patches[0].patch[0].value to "skip"`},
		{"the older field for patches", []string{resource, `
-- kustomization.yaml --
resources: [deployment.yaml]
patchesStrategicMerge:
- |-
  apiVersion: apps/v1
  kind: Deployment
  metadata: {name: agents-controllers}
  spec: {template: {spec: {containers: [{name: main, env: [{name: JANGAR_MIGRATIONS, value: auto}]}]}}}
`}, report.Cause{File: "kustomization.yaml", Line: 7, Column: 86, Path: "patchesStrategicMerge[0].spec.template.spec.containers[0].env[0].value", Value: "auto", Layer: report.Patch},
			`set patchesStrategicMerge[0].spec.template.spec.containers[0].env[0].value to "skip"`},
		{"a value that is an alias", []string{`
-- kustomization.yaml --
resources: [deployment.yaml]
-- deployment.yaml --
apiVersion: apps/v1
kind: Deployment
metadata:
  name: agents-controllers
  annotations: {mode: &mode auto}
spec:
  template:
    spec:
      containers:
      - name: main
        env:
        - {name: JANGAR_MIGRATIONS, value: *mode}
`}, report.Cause{File: "deployment.yaml", Line: 12, Column: 37, Path: "spec.template.spec.containers[0].env[0].value", Value: "auto", Layer: report.Resource},
			`set spec.template.spec.containers[0].env[0].value to "skip"`},
		{"a values file of a base", []string{strings.Replace(chart, "%s", "skip", 1), `
-- kustomization.yaml --
resources: [base]
-- base/kustomization.yaml --
helmGlobals: {chartHome: ../charts}
helmCharts:
- name: agents
  valuesFile: values.yaml
-- base/values.yaml --
mode: auto
`}, report.Cause{File: "base/values.yaml", Line: 1, Column: 1, Path: "mode", Value: "auto", Layer: report.ValuesFile},
			`set mode to "skip"`},
		{"only the chart's own values", []string{strings.Replace(chart, "%s", "auto", 1), `
-- kustomization.yaml --
helmCharts:
- name: agents
`}, report.Cause{File: "charts/agents/values.yaml", Line: 1, Column: 1, Path: "mode", Value: "auto", Layer: report.ChartValues},
			`set mode to "skip"`},
		{"a template that says so itself", []string{strings.ReplaceAll(strings.Replace(chart, "%s", "skip", 1), "{{ .Values.mode | quote }}", "auto"), `
-- kustomization.yaml --
helmCharts:
- name: agents
`}, report.Cause{File: "charts/agents/templates/deployment.yaml", Line: 12, Column: 18, Value: "auto", Layer: report.Template}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			write(t, test.files...)
			got := find(t, cause.Options{})[0]
			if len(got.Causes) == 0 {
				t.Fatalf("there is no cause: %+v", got)
			}
			if diff := cmp.Diff(test.want, got.Causes[0]); diff != "" {
				t.Errorf("cause (-want +got):\n%s", diff)
			}
			change := ""
			if got.Fix != nil {
				change = got.Fix.Change
				if !got.Fix.Verified {
					t.Error("the fix is not verified")
				}
			}
			if change != test.fix {
				t.Errorf("fix %q, want %q", change, test.fix)
			}
		})
	}
}

// A search that ends at its bound says so, and claims nothing it has not seen.
func TestBound(t *testing.T) {
	write(t, strings.ReplaceAll(strings.Replace(chart, "%s", "skip", 1), "{{ .Values.mode | quote }}", "auto"), `
-- kustomization.yaml --
helmCharts:
- name: agents
`)
	got := find(t, cause.Options{MaxRenders: 1})[0]
	if !got.CausesTruncated || len(got.Causes) != 0 || got.Fix != nil {
		t.Errorf("got %+v", got)
	}
	if got := find(t, cause.Options{})[0]; got.CausesTruncated {
		t.Errorf("without a bound: %+v", got)
	}
}

// An app that is the other way round when it is rendered again has no cause.
func TestFindingThatDoesNotComeBack(t *testing.T) {
	write(t, resource, `
-- kustomization.yaml --
resources: [deployment.yaml]
`)
	evaluator, err := evaluate.New(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	finding := report.Finding{Code: "CNM002", Workload: "Deployment/agents-controllers", Container: "main"}
	err = cause.New(".", []*evaluate.Evaluator{evaluator}, cause.Options{}).Find(t.Context(), evaluator, &finding)
	if err == nil || len(finding.Causes) != 0 {
		t.Errorf("error %v, causes %v", err, finding.Causes)
	}
}

// Nothing but the migrations variable is told, and no file is touched.
func TestNothingElseIsToldOrTouched(t *testing.T) {
	dir := write(t, `
-- kustomization.yaml --
resources: [deployment.yaml]
configMapGenerator:
- name: settings
  literals: [TOKEN=hunter2]
-- deployment.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: agents-controllers}
spec:
  template:
    spec:
      containers:
      - name: main
        command: [sh, -c, "PASSWORD=hunter2 JANGAR_MIGRATIONS=auto TOKEN=hunter2 node server.js --key hunter2"]
        env:
        - {name: PASSWORD, value: hunter2}
        - {name: JANGAR_MIGRATIONS, value: auto}
        - {name: JANGAR_MIGRATIONS, valueFrom: {secretKeyRef: {name: hunter, key: two}}}
`)
	before := snapshot(t, dir)
	findings := find(t, cause.Options{})
	text, err := json.Marshal(findings)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hunter2") {
		t.Errorf("a value is told: %s", text)
	}
	if len(findings) != 4 {
		t.Errorf("%d findings, want CNM002, CNM003, CNM004 and CNM005", len(findings))
	}
	for _, finding := range findings {
		if len(finding.Causes) == 0 {
			t.Errorf("%s has no cause", finding.Code)
		}
	}
	if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
		t.Errorf("files were changed (-before +after):\n%s", diff)
	}
}

func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A fix that breaks something else is none.
func TestFixBreaksNothing(t *testing.T) {
	write(t, strings.Replace(chart, "%s", "auto", 1), `
-- charts/agents/templates/other.yaml --
{{- if eq .Values.mode "skip" }}
apiVersion: v1
kind: Pod
metadata: {name: other-controllers}
spec:
  containers: [{name: other, image: example.com/agents}]
{{- end }}
-- kustomization.yaml --
helmCharts:
- name: agents
`)
	got := find(t, cause.Options{})[0]
	if len(got.Causes) == 0 || got.Causes[0].Path != "mode" {
		t.Errorf("causes %+v", got.Causes)
	}
	if got.Fix != nil {
		t.Errorf("the fix %q makes another workload migrate", got.Fix.Change)
	}
}

func TestFindInManifest(t *testing.T) {
	text := `kind: List
items:
- kind: Pod
  metadata: {name: a}
- kind: Pod
  metadata: {name: b, namespace: n}
  spec:
    containers:
    - {name: main}
    - name: side
      env:
      - {name: JANGAR_MIGRATIONS, value: auto}
`
	for _, test := range []struct {
		name string
		path string
		want []report.Cause
	}{
		{"the place itself", "items[1].spec.containers[1].env[0].value",
			[]report.Cause{{File: "f.yaml", Line: 12, Column: 35, Path: "items[1].spec.containers[1].env[0].value", Value: "auto", Layer: report.Resource}}},
		{"what holds a place that is not there", "items[1].spec.containers[0].env",
			[]report.Cause{{File: "f.yaml", Line: 9, Column: 7, Path: "items[1].spec.containers[0]", Layer: report.Resource}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			finding := report.Finding{Workload: "Pod/b", Namespace: "n", Path: test.path}
			cause.NewManifest("f.yaml", []byte(text)).Find(&finding)
			if diff := cmp.Diff(test.want, finding.Causes); diff != "" {
				t.Errorf("causes (-want +got):\n%s", diff)
			}
		})
	}
	missing := report.Finding{Workload: "Pod/c", Path: "spec"}
	cause.NewManifest("f.yaml", []byte(text)).Find(&missing)
	cause.NewManifest("f.yaml", []byte("{ no yaml")).Find(&missing)
	if missing.Causes != nil {
		t.Errorf("a cause for nothing: %+v", missing.Causes)
	}
}
