package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/stock"
	"github.com/proompteng/nevermigrate/harness/render"
)

// TestRealCharts probes charts that others wrote, each under a constraint that
// takes one of its variables for the migrations variable, and the value that it
// has for skip.
func TestRealCharts(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(stock.Root(t), "harness", "testdata", "realcharts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var charts []struct {
		Name, Module, Folder string
		Unvendored           []string
	}
	if err := yaml.Unmarshal(data, &charts); err != nil {
		t.Fatal(err)
	}
	var modules []string
	for _, chart := range charts {
		modules = append(modules, chart.Module)
	}
	folders := stock.Modules(t, "charts", modules)
	probed := 0
	for _, chart := range charts {
		if len(chart.Unvendored) > 0 {
			continue
		}
		folder := filepath.Join(folders[chart.Module], filepath.FromSlash(chart.Folder))
		t.Run(chart.Name, func(t *testing.T) {
			constraint, ok := constraintFor(t, folder)
			if !ok {
				t.Log("it has no variable with a plain value")
				return
			}
			file := writeFile(t, "constraint.yaml", constraint)
			r := run(t, folder, Options{Budget: 60, Constraints: []string{file}})
			counts := r.Charts[0].Counts
			if r.Charts[0].Base != Harmless || counts.Total() != 60 || counts.Escaped > 0 || r.Summary.Unconfirmed > 0 {
				t.Errorf("base %s, %+v, %v", r.Charts[0].Base, counts, shown(r))
			}
			t.Logf("%d places, %+v, %d holes", r.Charts[0].Places, counts, len(r.Charts[0].Holes))
			probed++
		})
	}
	if probed < 5 {
		t.Errorf("%d charts were probed", probed)
	}
}

var plainValue = regexp.MustCompile(`^[a-z0-9][a-z0-9.:/_-]*$`)

// constraintFor makes a constraint under which a chart is sound as it comes.
func constraintFor(t *testing.T, folder string) (text string, ok bool) {
	t.Helper()
	chart, err := render.OpenChart(folder, "probed", "default", nil, render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	chart, err = render.OpenChart(folder, chart.Loaded().Name(), "default", nil, render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files, err := chart.Template(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		objects, err := chart.Objects(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range objects {
			w, isWorkload := workloadOf(object.Content)
			if !isWorkload || len(w.containers) != 1 {
				continue
			}
			env, _ := w.containers[0]["env"].([]any)
			for _, entry := range env {
				fields, _ := entry.(map[string]any)
				value, _ := fields["value"].(string)
				if plainValue.MatchString(value) && value != "auto" {
					return fmt.Sprintf("apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: ControllersNeverMigrate\nmetadata:\n  name: probed\nspec:\n  parameters:\n    envVar: %s\n    skipValues: [%q]\n    controllers: [%q]\n",
						fields["name"], value, w.name), true
				}
			}
		}
	}
	return "", false
}
