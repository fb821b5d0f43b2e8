package cause_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/cause"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
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
	objects, err := render.Objects(ctx, ".", render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := evaluator.Evaluate(ctx, manifest.Rendered(objects))
	if err != nil {
		t.Fatal(err)
	}
	app := cause.NewApp(".", []*evaluate.Evaluator{evaluator}, options)
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
	err = cause.NewApp(".", []*evaluate.Evaluator{evaluator}, cause.Options{}).Find(t.Context(), evaluator, &finding)
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
  metadata: {name: b, namespace: apps}
  spec:
    containers:
    - {name: main}
    - name: side
      env:
      - {name: JANGAR_MIGRATIONS, value: auto}
- metadata: {generateName: c-}
  spec: {}
`
	for _, test := range []struct {
		name                string
		workload, namespace string
		path                string
		want                []report.Cause
	}{
		{"the place itself", "Pod/b", "apps", "items[1].spec.containers[1].env[0].value",
			[]report.Cause{{File: "f.yaml", Line: 12, Column: 35, Path: "items[1].spec.containers[1].env[0].value", Value: "auto", Layer: report.Resource}}},
		{"what holds a place that is not there", "Pod/b", "apps", "items[1].spec.containers[0].env",
			[]report.Cause{{File: "f.yaml", Line: 9, Column: 7, Path: "items[1].spec.containers[0]", Layer: report.Resource}}},
		{"an object without a kind, and with a part of a name", "unknown/c-", "", "items[2].spec.containers",
			[]report.Cause{{File: "f.yaml", Line: 14, Column: 3, Path: "items[2].spec", Layer: report.Resource}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			finding := report.Finding{Workload: test.workload, Namespace: test.namespace, Path: test.path}
			if err := inManifest(t, text).Find(t.Context(), nil, &finding); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, finding.Causes); diff != "" {
				t.Errorf("causes (-want +got):\n%s", diff)
			}
		})
	}
}

// Objects of JSON that follow each other have places like any others.
func TestFindInJSONStream(t *testing.T) {
	const pod = `{"kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "main", "env": [{"name": "JANGAR_MIGRATIONS", "value": "auto"}]}]}}`
	const path = "spec.containers[0].env[0].value"
	for name, test := range map[string]struct {
		text string
		want report.Cause
	}{
		"one object":            {pod, report.Cause{Line: 1, Column: 123, Value: "auto"}},
		"two in two lines":      {`{"kind": "Job"}` + "\n" + pod, report.Cause{Line: 2, Column: 123, Value: "auto"}},
		"two in one line":       {`{"kind": "Job"}` + pod, report.Cause{Line: 1, Column: 138, Value: "auto"}},
		"what is no YAML":       {`{"kind": "Job", "x": "\/"}` + "\n" + pod, report.Cause{Line: 2, Column: 123, Value: "auto"}},
		"characters, not bytes": {strings.Replace(pod, `"main"`, `"mäin 🚀", "x": "\/"`, 1), report.Cause{Line: 1, Column: 136, Value: "auto"}},
		"indented with tabs": {"{\n\t\"kind\": \"Pod\",\n\t\"metadata\": {\"name\": \"a\"},\n\t\"spec\": {\n\t\t\"containers\": [{\"env\": [{\n" +
			"\t\t\t\"name\": \"JANGAR_MIGRATIONS\",\n\t\t\t\"value\": \"auto\"\n\t\t}]}]}}\n{\"kind\": \"Job\"}\n", report.Cause{Line: 7, Column: 4, Value: "auto"}},
		"a value of another type": {`{"kind": "Job"}` + "\n" + strings.Replace(pod, `"auto"`, `false`, 1), report.Cause{Line: 2, Column: 123, Value: "false"}},
	} {
		t.Run(name, func(t *testing.T) {
			finding := report.Finding{Workload: "Pod/a", Path: path}
			if err := inManifest(t, test.text).Find(t.Context(), nil, &finding); err != nil {
				t.Fatal(err)
			}
			test.want.File, test.want.Path, test.want.Layer = "f.yaml", path, report.Resource
			if diff := cmp.Diff([]report.Cause{test.want}, finding.Causes); diff != "" {
				t.Errorf("causes (-want +got):\n%s", diff)
			}
		})
	}
}

// What << merges has its place where it is written.
func TestFindMergedInManifest(t *testing.T) {
	const head = "kind: Pod\nmetadata: {name: a}\nx: &auto {name: JANGAR_MIGRATIONS, value: auto}\n" +
		"y: &skip {name: JANGAR_MIGRATIONS, value: skip}\nspec:\n  containers:\n  - env:\n"
	anchor, own := report.Cause{Line: 3, Column: 36, Value: "auto"}, report.Cause{Line: 9, Column: 7, Value: "auto"}
	for name, test := range map[string]struct {
		entry string
		want  report.Cause
	}{
		"merged":                       {"    - <<: *auto\n      x: 1\n", anchor},
		"overridden":                   {"    - <<: *skip\n      value: auto\n", own},
		"overridden by what is merged": {"    - value: skip\n      <<: *auto\n", anchor},
		"from a list":                  {"    - <<: [*auto, *skip]\n", anchor},
		"from a map that merges":       {"    - <<: {<<: *auto}\n", anchor},
		"in quotes it merges nothing":  {"    - '<<': *skip\n      value: auto\n", own},
	} {
		t.Run(name, func(t *testing.T) {
			finding := report.Finding{Workload: "Pod/a", Path: "spec.containers[0].env[0].value"}
			if err := inManifest(t, head+test.entry).Find(t.Context(), nil, &finding); err != nil {
				t.Fatal(err)
			}
			test.want.File, test.want.Path, test.want.Layer = "f.yaml", finding.Path, report.Resource
			if diff := cmp.Diff([]report.Cause{test.want}, finding.Causes); diff != "" {
				t.Errorf("causes (-want +got):\n%s", diff)
			}
		})
	}
}

// The place of a value that << merges is found by experiment, too.
func TestFindMergedInApp(t *testing.T) {
	values := "-- kustomization.yaml --\nhelmCharts: [{name: agents, valuesFile: values.yaml}]\n-- values.yaml --\n"
	const entry = "        - {name: JANGAR_MIGRATIONS, value: skip}"
	for name, test := range map[string]struct {
		files  []string
		want   report.Cause
		change string
	}{
		"in values": {
			[]string{strings.Replace(chart, "%s", "skip", 1), values + "common: &common {mode: auto, other: 1}\n<<: *common\nother: 2\n"},
			report.Cause{File: "values.yaml", Line: 1, Column: 18, Path: "common.mode", Value: "auto", Layer: report.ValuesFile},
			`set common.mode to "skip"`,
		},
		"overridden in values": {
			[]string{strings.Replace(chart, "%s", "skip", 1), values + "common: &common {mode: skip, other: 1}\n<<: *common\nmode: auto\n"},
			report.Cause{File: "values.yaml", Line: 3, Column: 1, Path: "mode", Value: "auto", Layer: report.ValuesFile},
			`set mode to "skip"`,
		},
		"in an entry": {
			[]string{"-- kustomization.yaml --\nresources: [deployment.yaml]\n",
				strings.Replace(resource, entry, "        - &a {name: OTHER, value: auto}\n        - <<: *a\n          name: JANGAR_MIGRATIONS", 1)},
			report.Cause{File: "deployment.yaml", Line: 13, Column: 11, Path: "spec.template.spec.containers[0].env[1]", Layer: report.Resource},
			`add spec.template.spec.containers[0].env[1].value: "skip"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, test.files...)
			got := find(t, cause.Options{})[0]
			if len(got.Causes) == 0 {
				t.Fatal("no cause")
			}
			if diff := cmp.Diff(test.want, got.Causes[0]); diff != "" {
				t.Errorf("cause (-want +got):\n%s", diff)
			}
			if got.Fix == nil || got.Fix.Change != test.change || !got.Fix.Verified {
				t.Errorf("fix %+v, want %q", got.Fix, test.change)
			}
		})
	}
}

// A place that is not found is an error, and no cause.
func TestManifestWithoutThePlace(t *testing.T) {
	objects := []manifest.Object{{Document: 1, Content: map[string]any{"kind": "Pod", "metadata": map[string]any{"name": "c"}}}}
	for _, test := range []struct {
		name, text, workload, want string
	}{
		{"another object", "kind: Pod\nmetadata: {name: c}\n", "Pod/d", "look for the place in f.yaml: Pod/d is not found there"},
		{"another text", "kind: Pod\nmetadata: {name: d}\n", "Pod/c", "look for the place in f.yaml: Pod/c is not found there"},
		{"no YAML", "{ no yaml", "Pod/c", "look for the place in f.yaml: yaml: line 1: did not find expected ',' or '}'"},
		{"a long text", strings.Repeat("#\n", 6<<20), "Pod/c", "look for the place in f.yaml: it is larger than 10485760 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			finding := report.Finding{Workload: test.workload, Path: "spec"}
			err := cause.NewManifest("f.yaml", []byte(test.text), objects, nil).Find(t.Context(), nil, &finding)
			if err == nil || err.Error() != test.want || finding.Causes != nil {
				t.Errorf("error %v, want %s; causes %v", err, test.want, finding.Causes)
			}
		})
	}
}

func inManifest(t *testing.T, text string) *cause.Manifest {
	t.Helper()
	objects, err := manifest.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cause.NewManifest("f.yaml", []byte(text), objects, nil)
}
