package probe

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/independent"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// TestRealCharts probes charts that others wrote, each under a constraint that
// takes one of its variables for the migrations variable, and the value that it
// has for skip.
func TestRealCharts(t *testing.T) {
	lane.Full(t)
	data, err := os.ReadFile(filepath.Join(stock.Root(t), "harness", "internal", "check", "testdata", "realcharts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var charts []struct {
		Name, Module, Folder string
		Unvendored           []string
		Renderings           []struct {
			HelmChart struct{ ValuesInline map[string]any }
		}
	}
	if err := yaml.Unmarshal(data, &charts); err != nil {
		t.Fatal(err)
	}
	var modules []string
	for _, chart := range charts {
		modules = append(modules, chart.Module)
	}
	const budget = 30
	folders := stock.Modules(t, "charts", modules)
	var probed atomic.Int32
	t.Cleanup(func() { // after the subtests
		if n := probed.Load(); n < 5 {
			t.Errorf("%d charts were probed", n)
		}
	})
	for _, chart := range charts {
		folder := filepath.Join(folders[chart.Module], filepath.FromSlash(chart.Folder))
		t.Run(chart.Name, func(t *testing.T) {
			t.Parallel()
			if len(chart.Unvendored) > 0 {
				folder = without(t, folder, chart.Unvendored)
			}
			var constraint string
			var values []byte
			for _, rendering := range chart.Renderings {
				given := rendering.HelmChart.ValuesInline
				if constraint = constraintFor(t, folder, given); constraint != "" {
					if values, err = yaml.Marshal(given); err != nil {
						t.Fatal(err)
					}
					break
				}
			}
			if constraint == "" {
				t.Log("it has no variable with a plain value")
				return
			}
			file := writeFile(t, "constraint.yaml", constraint)
			r := run(t, folder, Options{Budget: budget, Constraints: []string{file}, Values: []string{writeFile(t, "values.yaml", string(values))}})
			counts := r.Charts[0].Counts
			if r.Charts[0].Base != Harmless || counts.Total() == 0 || counts.Escaped > 0 || r.Summary.Unconfirmed > 0 {
				t.Errorf("base %s, %+v, %v", r.Charts[0].Base, counts, shown(r))
			}
			t.Logf("%d places, %+v, %d holes", r.Charts[0].Places, counts, len(r.Charts[0].Holes))
			probed.Add(1)
		})
	}
}

// without is a copy of a chart that does not depend on some charts.
func without(t *testing.T, folder string, names []string) string {
	t.Helper()
	copied := filepath.Join(t.TempDir(), filepath.Base(folder))
	if err := os.CopyFS(copied, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(copied, "Chart.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var chart map[string]any
	if err := yaml.Unmarshal(text, &chart); err != nil {
		t.Fatal(err)
	}
	dependencies, _ := chart["dependencies"].([]any)
	chart["dependencies"] = slices.DeleteFunc(dependencies, func(dependency any) bool {
		fields, _ := dependency.(map[string]any)
		name, _ := fields["name"].(string)
		return slices.Contains(names, name)
	})
	if text, err = yaml.Marshal(chart); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}

var plainValue = regexp.MustCompile(`^[!-#%-~]([ -#%-~]*[!-#%-~])?$`)

// constraintFor makes a constraint under which a chart is sound as it comes: for
// the first variable of the first container that has one with
// a plain value; empty when there is none.
func constraintFor(t *testing.T, folder string, values map[string]any) string {
	t.Helper()
	chart, err := render.OpenChart(folder, "", "default", render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files, err := chart.Template(t.Context(), values)
	if err != nil {
		return "" // with these values alone the chart does not render
	}
	for _, file := range files {
		objects, err := chart.Objects(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range objects {
			workloads := independent.Workloads(object.Content)
			metadata, _ := object.Content["metadata"].(map[string]any)
			annotations, _ := metadata["annotations"].(map[string]any)
			if len(workloads) != 1 || annotations["helm.sh/hook"] != nil {
				continue
			}
			w := workloads[0]
			for _, container := range w.Containers {
				env, _ := container["env"].([]any)
				for _, entry := range env {
					fields, _ := entry.(map[string]any)
					name, _ := fields["name"].(string)
					value, _ := fields["value"].(string)
					if !plainValue.MatchString(value) || value == "auto" || len(declarations(container, name)) != 1 {
						continue
					}
					constraint, err := yaml.Marshal(map[string]any{
						"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "ControllersNeverMigrate",
						"metadata": map[string]any{"name": "probed"},
						"spec": map[string]any{"parameters": map[string]any{
							"envVar": name, "skipValues": []string{strings.ToLower(value)}, "controllers": []string{w.Name}, "images": []any{container["image"]},
						}},
					})
					if err != nil {
						t.Fatal(err)
					}
					return string(constraint)
				}
			}
		}
	}
	return ""
}
