package check

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

// aboutSomethingElse are the codes whose findings are about an entry of env and say
// something else than what decides, so that explain has another answer or none. A
// finding about no entry is not compared.
var aboutSomethingElse = map[string]string{
	"CNM004": "of two entries check names the one that is too many, explain the one that decides",
	"CNM006": "what is unreadable may be anything else than the entry",
}

// otherwise are cases in which check has a reason to name another place first
// than explain.
var otherwise = map[string]string{
	"controllers-inside-the-control-plane": "it is the name of another container that makes it a finding, and that decides no mode",
	"json-patch-adds-an-earlier-entry":     "the finding is about the first of two entries, and the last decides",
	"template-lists-joined":                "as above",
}

// TestCheckAndExplainAgree compares check's most decisive cause with the first
// place that explain names, over every case with a finding that denies.
func TestCheckAndExplainAgree(t *testing.T) {
	cases, err := fixtures.Cases(filepath.Join("..", "..", "..", "fixtures", "cases"))
	if err != nil {
		t.Fatal(err)
	}
	agreed, used := 0, map[string]bool{}
	cases = slices.DeleteFunc(cases, func(c fixtures.Case) bool { return c.Status != "fail" })
	for _, c := range lane.Part(t, cases, 12) {
		options := Options{AllowAbsent: c.AllowAbsent, Constraints: c.ConstraintPaths()}
		evaluators, err := evaluatorsOnce(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		judged, explained := checkAndExplain(t, c.Path(), evaluators, options)
		for _, finding := range judged.Findings {
			if finding.Severity != report.Deny || !strings.Contains(finding.Path, ".env[") {
				continue
			}
			first := firstLink(explained, finding)
			switch {
			case first != nil && len(finding.Causes) > 0 && *first == finding.Causes[0]:
				agreed++
			case aboutSomethingElse[finding.Code]+otherwise[c.Name] == "":
				t.Errorf("%s: %s: check names %+v, explain %+v", c.Name, finding.Code, finding.Causes, first)
			default:
				used[finding.Code], used[c.Name] = true, true
			}
		}
	}
	full := lane.IsFull(t)
	for _, exceptions := range []map[string]string{aboutSomethingElse, otherwise} {
		for name := range exceptions {
			if !used[name] && full {
				t.Errorf("%s is no exception any more", name)
			}
		}
	}
	t.Logf("check and explain name the same place for %d findings", agreed)
	if atLeast := lane.Rounds(t, 8, 100); agreed < atLeast {
		t.Errorf("fewer than %d findings were compared", atLeast)
	}
}

// TestPlacesInEditedCharts asks check and explain for the place in copies of the
// fixture chart with one edit each. They name the same, or both say that they
// did not find it.
func TestPlacesInEditedCharts(t *testing.T) {
	evaluators, err := evaluatorsOnce(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	const (
		env       = "charts/agents/templates/_env.tpl"
		envLine   = "JANGAR_MIGRATIONS: skip"
		container = "charts/agents/templates/deployment-controllers.yaml"
	)
	edits := []struct {
		name string
		// edit changes the app in the working directory.
		edit func(t *testing.T)
		want string // FILE:LINE PATH, or empty when the place is not to be found
	}{
		{"the template's default, while the shared value is the same",
			func(t *testing.T) { replace(t, env, envLine, "JANGAR_MIGRATIONS: auto") },
			env + ":43 agents.controllers.defaults"},
		{"a name that is put together in the template",
			func(t *testing.T) { replace(t, env, envLine, `{{ printf "JANGAR_%s: auto" "MIGRATIONS" }}`) },
			""},
		{"a key that is there twice", func(t *testing.T) {
			write(t, "values.yaml", "controllers:\n  env:\n    vars:\n      JANGAR_MIGRATIONS: skip\n      JANGAR_MIGRATIONS: auto\n")
		}, "values.yaml:5 controllers.env.vars.JANGAR_MIGRATIONS"},
		{"a map that is there twice", func(t *testing.T) {
			write(t, "values.yaml", "controllers: {env: {vars: {JANGAR_MIGRATIONS: skip}}}\ncontrollers: {env: {vars: {JANGAR_MIGRATIONS: auto}}}\n")
		}, "values.yaml:2 controllers.env.vars.JANGAR_MIGRATIONS"},
		{"a replacement from a generated ConfigMap", func(t *testing.T) {
			kustomization(t, `
configMapGenerator:
- name: settings
  literals: [migrations=auto]
replacements:
- source: {kind: ConfigMap, name: settings, fieldPath: data.migrations}
  targets:
  - select: {kind: Deployment, name: agents-controllers}
    fieldPaths: ["spec.template.spec.containers.0.env.[name=JANGAR_MIGRATIONS].value"]
`)
		}, "kustomization.yaml:9 configMapGenerator[0].literals[0]"},
		{"a replacement from a file of settings", func(t *testing.T) {
			write(t, "settings.env", "migrations=auto\n")
			kustomization(t, `
configMapGenerator:
- name: settings
  envs: [settings.env]
replacements:
- source: {kind: ConfigMap, name: settings, fieldPath: data.migrations}
  targets:
  - select: {kind: Deployment, name: agents-controllers}
    fieldPaths: ["spec.template.spec.containers.0.env.[name=JANGAR_MIGRATIONS].value"]
`)
		}, "settings.env:1 migrations"},
		{"a transformer", func(t *testing.T) {
			write(t, "transformer.yaml", `apiVersion: builtin
kind: PatchTransformer
metadata: {name: transformer}
target: {kind: Deployment, name: agents-controllers}
patch: '[{"op": "replace", "path": "/spec/template/spec/containers/0/env/3/value", "value": "auto"}]'
`)
			kustomization(t, "transformers: [transformer.yaml]\n")
		}, "kustomization.yaml:7 transformers[0]"},
		{"a file that the template reads", func(t *testing.T) {
			write(t, "charts/agents/env.yaml", "- {name: JANGAR_MIGRATIONS, value: auto}\n")
			replace(t, container, `{{- include "agents.controllers.env" . | trim | nindent 12 }}`, `{{- .Files.Get "env.yaml" | trim | nindent 12 }}`)
		}, "charts/agents/env.yaml:1 "},
		{"a packed chart", func(t *testing.T) {
			replace(t, env, envLine, "JANGAR_MIGRATIONS: auto")
			pack(t, "charts/agents", "charts/above/charts/agents-1.0.0.tgz")
			write(t, "charts/above/Chart.yaml", "apiVersion: v2\nname: above\nversion: 1.0.0\n")
			replace(t, "kustomization.yaml", "name: agents\n", "name: above\n")
			write(t, "values.yaml", "agents: {controllers: {enabled: true}}\n")
		}, "charts/above/charts/agents-1.0.0.tgz!/agents/templates/_env.tpl:43 agents.controllers.defaults"},
		{"a chart whose schema allows few values", func(t *testing.T) {
			write(t, "charts/agents/values.schema.json", `{"properties": {"controllers": {"properties": {"env": {"properties": {"vars": {"properties":
				{"JANGAR_MIGRATIONS": {"enum": ["auto", "skip"]}}}}}}}}}`)
			write(t, "values.yaml", "controllers: {env: {vars: {JANGAR_MIGRATIONS: auto}}}\n")
		}, "values.yaml:1 controllers.env.vars.JANGAR_MIGRATIONS"},
		{"a switch that selects the template's line", func(t *testing.T) {
			replace(t, env, envLine, `JANGAR_MIGRATIONS: {{ ternary "auto" "skip" .Values.metrics.enabled }}`)
			write(t, "values.yaml", "metrics:\n  enabled: true\n")
		}, "values.yaml:2 metrics.enabled"},
	}
	for _, test := range lane.Part(t, edits, 4) {
		t.Run(test.name, func(t *testing.T) {
			copyApp(t)
			test.edit(t)
			judged, explained := checkAndExplain(t, ".", evaluators, Options{})
			if len(judged.Findings) != 1 || judged.Findings[0].Code != "CNM002" {
				t.Fatalf("findings %+v, want CNM002", judged.Findings)
			}
			finding := judged.Findings[0]
			first, causes := firstLink(explained, finding), finding.Causes
			if test.want == "" {
				if first != nil || len(causes) > 0 || finding.CausesError == "" || !isDeclared(explained, finding) {
					t.Errorf("check: causes %+v, error %q; explain: %+v", causes, finding.CausesError, first)
				}
				return
			}
			if first == nil || len(causes) == 0 {
				t.Fatalf("check: causes %+v, error %q; explain: %+v", causes, finding.CausesError, first)
			}
			if *first != causes[0] {
				t.Errorf("check names %+v, explain %+v", causes[0], *first)
			}
			if got := fmt.Sprintf("%s:%d %s", first.File, first.Line, first.Path); got != test.want {
				t.Errorf("the place is %s, want %s", got, test.want)
			}
		})
	}
}

// A chart that guards itself renders with nothing but skip, and is explained.
func TestExplainGuardedApp(t *testing.T) {
	got, err := Explain(t.Context(), []string{filepath.Join("..", "..", "..", "fixtures", "argocd", "applications", "agents-guarded")}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, w := range got.Targets[0].Workloads {
		for _, c := range w.Containers {
			for _, link := range c.Chain {
				values = append(values, fmt.Sprintf("%s %s:%d", c.Name, filepath.Base(link.File), link.Line))
			}
		}
	}
	want := []string{
		"agents values.yaml:16", "agents values.yaml:28",
		"agents-controllers values.yaml:21", "agents-controllers _env.tpl:43",
		"migrations-guard values.yaml:21", "migrations-guard _env.tpl:43",
	}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

// A search that fails leaves the finding, and says so.
func TestFailedSearchIsReported(t *testing.T) {
	evaluators, err := evaluatorsOnce(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	judged := report.Target{Findings: []report.Finding{{Code: "CNM002", Severity: report.Deny}, {Code: "CNM102", Severity: report.Warn}}}
	findCauses(t.Context(), &judged, []bool{true, true}, evaluators, func() (searcher, error) {
		return failing(func() error { return errors.New("read a file") }), nil
	})
	for _, finding := range judged.Findings {
		if finding.CausesError != "read a file" {
			t.Errorf("%s: error %q", finding.Code, finding.CausesError)
		}
	}
}

// failing is a search that fails.
type failing func() error

func (f failing) Find(context.Context, *evaluate.Evaluator, *report.Finding) error { return f() }

func (f failing) Explain(context.Context, *evaluate.Evaluator, report.Workload, *report.ExplainedContainer) error {
	return f()
}

// copyApp makes an app with a copy of the fixture chart the working directory.
func copyApp(t *testing.T) {
	t.Helper()
	chart, err := filepath.Abs(filepath.Join("..", "..", "..", "fixtures", "charts", "agents"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "charts", "agents"), os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	write(t, "kustomization.yaml", `namespace: agents
helmGlobals: {chartHome: charts}
helmCharts:
- releaseName: agents
  name: agents
  valuesFile: values.yaml
`)
	write(t, "values.yaml", "controllers: {enabled: true}\n")
}

func kustomization(t *testing.T, more string) {
	t.Helper()
	text, err := os.ReadFile("kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "kustomization.yaml", string(text)+strings.TrimPrefix(more, "\n"))
}

func replace(t *testing.T, file, old, text string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(data), old) != 1 {
		t.Fatalf("%s does not hold %q once", file, old)
	}
	write(t, file, strings.Replace(string(data), old, text, 1))
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// pack moves a chart into an archive.
func pack(t *testing.T, folder, archive string) {
	t.Helper()
	write(t, archive, "")
	if out, err := exec.Command("tar", "-czf", archive, "-C", filepath.Dir(folder), filepath.Base(folder)).CombinedOutput(); err != nil {
		t.Fatalf("pack %s: %v: %s", folder, err, out)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
}

func checkAndExplain(t *testing.T, path string, evaluators []*evaluate.Evaluator, options Options) (report.Target, []report.ExplainedWorkload) {
	t.Helper()
	targets, err := find.Targets([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	what, err := contentOf(t.Context(), targets[0], options)
	if err != nil {
		t.Fatal(err)
	}
	var judged report.Target
	if _, err := evaluateAll(t.Context(), &judged, what.objects, evaluators, options); err != nil {
		t.Fatal(err)
	}
	search, done := newSearcher(targets[0], what, judged.Workloads, evaluators, options)
	defer done()
	findCauses(t.Context(), &judged, options.wanted(judged, false), evaluators, search)
	explained, err := explain(t.Context(), targets[0], what, evaluators, options)
	if err != nil {
		t.Fatal(err)
	}
	return judged, explained
}

// firstLink is the first place that explain names for the container of a
// finding, or nil.
func firstLink(workloads []report.ExplainedWorkload, finding report.Finding) *report.Cause {
	if c := containerOf(workloads, finding); c != nil && len(c.Chain) > 0 {
		return &c.Chain[0]
	}
	return nil
}

func isDeclared(workloads []report.ExplainedWorkload, finding report.Finding) bool {
	c := containerOf(workloads, finding)
	return c != nil && c.Declared
}

func containerOf(workloads []report.ExplainedWorkload, finding report.Finding) *report.ExplainedContainer {
	for _, w := range workloads {
		if w.Kind+"/"+w.Name != finding.Workload || w.Namespace != finding.Namespace || w.Constraint != finding.Constraint {
			continue
		}
		for i := range w.Containers {
			if w.Containers[i].Name == finding.Container {
				return &w.Containers[i]
			}
		}
	}
	return nil
}

// TestNoManifestHasAControlPlane: what is found has a place, or it is said that there is
// none.
func TestNoManifestHasAControlPlane(t *testing.T) {
	finding := report.Finding{Code: stated.Fallback}
	err := manifests{}.Find(t.Context(), nil, &finding)
	if err == nil || err.Error() != "look for the place: no control plane is found in what was read" {
		t.Errorf("error %v", err)
	}
}
