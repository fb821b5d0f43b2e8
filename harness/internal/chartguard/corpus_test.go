package chartguard_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/chartguard"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// files is what a rendering reads in place of some files' content.
type files map[string][]byte

// switched is the chart's values with the guard in another mode.
func switched(t *testing.T, mode string) files {
	t.Helper()
	file := real(t, filepath.Join(chartDir, "values.yaml"))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const written = `controllersMigrationsGuard: "warn"`
	if strings.Count(string(text), written) != 1 {
		t.Fatalf("%s does not say %s once", file, written)
	}
	return files{file: []byte(strings.Replace(string(text), written, fmt.Sprintf("controllersMigrationsGuard: %q", mode), 1))}
}

func real(t *testing.T, path string) string {
	t.Helper()
	absolute, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.EvalSymlinks(absolute)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// chartKeys are the keys of a kustomization that say which charts are rendered,
// with which values. All others add to what the charts write, or change it.
var chartKeys = []string{"apiVersion", "kind", "namespace", "helmCharts", "helmGlobals"}

// chartsOnly is a kustomization, and those it names, without what stands
// outside of the charts. It counts the charts.
func chartsOnly(t *testing.T, dir string, into files) (charts int) {
	t.Helper()
	file := real(t, filepath.Join(dir, "kustomization.yaml"))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var content map[string]any
	if err := yaml.Unmarshal(text, &content); err != nil {
		t.Fatal(err)
	}
	kept := map[string]any{}
	for _, key := range chartKeys {
		if value, ok := content[key]; ok {
			kept[key] = value
		}
	}
	named, _ := content["helmCharts"].([]any)
	charts = len(named)
	resources, _ := content["resources"].([]any)
	var folders []any
	for _, resource := range resources {
		below := filepath.Join(dir, resource.(string))
		if info, err := os.Stat(below); err == nil && info.IsDir() {
			charts += chartsOnly(t, below, into)
			folders = append(folders, resource)
		}
	}
	if folders != nil {
		kept["resources"] = folders
	}
	if into[file], err = yaml.Marshal(kept); err != nil {
		t.Fatal(err)
	}
	return charts
}

// violation is what the policy and the guard both find.
type violation struct{ Code, Workload, Container, Path string }

var violationPattern = regexp.MustCompile(`(?m)^(CNM\d{3})(?: ([^\s,]+))?(?:, container (\S+))?\n  (\S+)(?: .*)?\n  .+$`)

// refusal is what the guard says in the error of a rendering; false when the
// error is another one.
func refusal(err error) ([]violation, bool) {
	if err == nil || !strings.Contains(err.Error(), `of "controllers never migrate".`) {
		return nil, false
	}
	var found []violation
	for _, m := range violationPattern.FindAllStringSubmatch(err.Error(), -1) {
		found = append(found, violation{m[1], m[2], m[3], m[4]})
	}
	return sorted(found), true
}

func sorted(found []violation) []violation {
	slices.SortFunc(found, func(a, b violation) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return append([]violation{}, slices.Compact(found)...)
}

// judged is what the policy says of objects, of what denies.
func judged(t *testing.T, evaluator *evaluate.Evaluator, rendered []map[string]any) ([]violation, *evaluate.Result) {
	t.Helper()
	result, err := evaluator.Evaluate(t.Context(), manifest.Rendered(rendered))
	if err != nil {
		t.Fatal(err)
	}
	var found []violation
	for _, f := range result.Findings {
		if f.Code < "CNM1" {
			found = append(found, violation{f.Code, f.Workload, f.Container, f.Path})
		}
	}
	return sorted(found), result
}

// withoutReach is a constraint's parameters alone: the guard does not read the
// rest.
func withoutReach(c *constraint.Constraint) *constraint.Constraint {
	if c == nil {
		return nil
	}
	only := *c
	only.Content = maps.Clone(c.Content)
	spec, _ := c.Content["spec"].(map[string]any)
	only.Content["spec"] = map[string]any{}
	if parameters, ok := spec["parameters"]; ok {
		only.Content["spec"] = map[string]any{"parameters": parameters}
	}
	return &only
}

// controllersWritten tells whether the policy binds what the controllers
// template wrote: its own container comes first.
func controllersWritten(result *evaluate.Result) bool {
	return slices.ContainsFunc(result.Workloads, func(w report.Workload) bool {
		return w.Role == "controllers" && len(w.Containers) > 0 && w.Containers[0].Name == "agents-controllers"
	})
}

// onlyForHelm is what the guard says besides, because Helm reads the manifests
// of some cases in another way than kustomize. Helm's is that of helm install.
var onlyForHelm = map[string][]violation{
	"template-unquoted-off": {{
		Code: "CNM006", Workload: "Deployment/agents-controllers", Container: "agents-controllers",
		Path: "spec.template.spec.containers[0].env[3].value",
	}},
}

// TestCorpus renders every case that has a chart with the guard enforced, and
// compares it with the policy's verdict on what the charts alone write: the same
// findings, word by word. Then it compares with the verdict on the whole case,
// and tells the reason of each difference.
func TestCorpus(t *testing.T) {
	cases, err := fixtures.Cases(filepath.Join("..", "..", "..", "fixtures", "cases"))
	if err != nil {
		t.Fatal(err)
	}
	defaults, err := evaluate.New(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	guardFile := real(t, filepath.Join(chartDir, guardPath))
	counts := map[string]int{}
	differ := map[string][]string{}
	for _, c := range lane.Part(t, cases, 6) {
		if c.Manifest != "" {
			counts["a manifest, no app"]++
			continue
		}
		alone := files{}
		charts := chartsOnly(t, c.Dir, alone)
		if charts == 0 {
			counts["an app without a chart"]++
			continue
		}
		if own, _ := filepath.Glob(filepath.Join(c.Dir, "charts", "*")); len(own) > 0 {
			counts["a chart of its own, without the guard"]++
			continue
		}
		constraints, err := constraint.Load(c.ConstraintPaths())
		if err != nil {
			t.Fatal(err)
		}
		under := []*constraint.Constraint{nil}
		if len(constraints) > 0 {
			under = nil
			for i := range constraints {
				under = append(under, &constraints[i])
			}
		}
		var said []string
		for _, given := range under {
			evaluator, off, enforced := defaults, switched(t, "off"), switched(t, "enforce")
			if given != nil {
				if evaluator, err = evaluate.New(t.Context(), nil, withoutReach(given)); err != nil {
					t.Fatal(err)
				}
				options := fixtureOptions()
				options.Constraint = given
				guard, err := chartguard.Print(t.Context(), options)
				if err != nil {
					t.Fatal(err)
				}
				enforced[guardFile] = guard
			}
			maps.Copy(off, alone)
			maps.Copy(enforced, alone)
			objects, err := render.Objects(t.Context(), c.Dir, render.Options{Overlay: off})
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			want, result := judged(t, evaluator, objects)
			_, err = render.Objects(t.Context(), c.Dir, render.Options{Overlay: enforced})
			got, refused := refusal(err)
			if err != nil && !refused {
				t.Errorf("%s: %v", c.Name, err)
				continue
			}
			counts["renderings compared"]++
			if refused {
				counts["renderings refused"]++
			}
			absent := slices.ContainsFunc(got, func(v violation) bool { return v.Code == "CNM007" })
			if absent == controllersWritten(result) {
				t.Errorf("%s: the guard says CNM007: %v, and the policy binds what the controllers template wrote: %v", c.Name, absent, !absent)
			}
			got = slices.DeleteFunc(got, func(v violation) bool { return v.Code == "CNM007" })
			if got == nil {
				got = []violation{}
			}
			want = append(want, onlyForHelm[c.Name]...)
			if charts > 1 && refused {
				// The first chart that refuses ends the rendering.
				want = slices.DeleteFunc(want, func(v violation) bool {
					return !slices.ContainsFunc(got, func(mine violation) bool { return mine.Workload == v.Workload })
				})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-policy +guard):\n%s", c.Name, diff)
			}
			counts["findings compared"] += len(want)
			for _, v := range got {
				said = append(said, v.Code)
			}
			if absent {
				said = append(said, "CNM007")
			}
		}
		var gate []string
		for _, f := range c.Findings {
			if f.Code < "CNM1" {
				gate = append(gate, f.Code)
			}
		}
		slices.Sort(gate)
		slices.Sort(said)
		if !slices.Equal(slices.Compact(gate), slices.Compact(said)) {
			reason := reasonFor(t, c, charts, constraints)
			differ[reason] = append(differ[reason], fmt.Sprintf("%s (gate %v, guard %v)", c.Name, gate, said))
		}
	}
	if atLeast := lane.Rounds(t, 8, 60); counts["renderings refused"] < atLeast || counts["findings compared"] < atLeast {
		t.Errorf("too little was compared: %v", counts)
	}
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%d %s", counts[what], what)
	}
	for _, reason := range slices.Sorted(maps.Keys(differ)) {
		t.Logf("%d cases in which the gate and the guard differ: %s\n  %s", len(differ[reason]), reason, strings.Join(differ[reason], "\n  "))
	}
	if found := differ[""]; found != nil {
		t.Errorf("for no reason, the gate and the guard differ in\n  %s", strings.Join(found, "\n  "))
	}
}

// reasonFor is why the guard may say something else of a case than the gate:
// what the kustomization does to the charts' output, a constraint that does
// not reach the app, a chart without controllers beside another. Empty: none.
func reasonFor(t *testing.T, c fixtures.Case, charts int, constraints []constraint.Constraint) string {
	t.Helper()
	var outside []string
	for name, lines := range c.Files {
		if filepath.Base(name) != "kustomization.yaml" {
			continue
		}
		for _, line := range lines {
			key, _, ok := strings.Cut(line, ":")
			if ok && regexp.MustCompile(`^[a-zA-Z]+$`).MatchString(key) && !slices.Contains(append(chartKeys, "resources"), key) {
				outside = append(outside, key)
			}
		}
	}
	slices.Sort(outside)
	if outside != nil {
		return "what " + strings.Join(slices.Compact(outside), ", ") + " of the kustomization change is outside of the chart"
	}
	for _, one := range constraints {
		spec, _ := one.Content["spec"].(map[string]any)
		if _, ok := spec["match"]; ok {
			return "match of the constraint leaves the app out, and the guard is switched off by the chart's value instead"
		}
	}
	if onlyForHelm[c.Name] != nil {
		return "kustomize reads an unquoted off as a string, and Helm as a boolean"
	}
	if c.AllowAbsent {
		return "no controllers workload is accepted, and the guard is switched off by the chart's value instead"
	}
	return ""
}
