package chartguard_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/chartguard"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
)

var update = flag.Bool("update", false, "write the golden files and the fixture chart's guard")

var chartDir = filepath.Join("..", "..", "..", "fixtures", "charts", "agents")

const guardPath = "templates/controllers-migrations-guard.yaml"

// fixtureOptions are those of the fixture chart's guard.
func fixtureOptions() chartguard.Options {
	return chartguard.Options{
		Name:      "agents.controllersMigrationsGuard",
		Others:    []string{"templates/deployment.yaml"},
		ValuePath: "controllers.env.vars.JANGAR_MIGRATIONS",
		Command:   "nevermigrate template chart-guard --name agents.controllersMigrationsGuard --other templates/deployment.yaml --value-path controllers.env.vars.JANGAR_MIGRATIONS",
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs, run scripts/generate (-there +printed):\n%s", file, diff)
	}
}

func TestFixtureChart(t *testing.T) {
	guard, err := chartguard.Print(t.Context(), fixtureOptions())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join(chartDir, guardPath), guard)
}

// TestVerdicts: of the templates that a guard defines, those judge that do not
// decide whether and where the findings are shown. A guard that was edited has
// none: nobody knows what it does.
func TestVerdicts(t *testing.T) {
	for name, options := range map[string]chartguard.Options{
		"the fixture chart's": fixtureOptions(),
		"one with parameters": otherOptions(),
	} {
		printed, err := chartguard.Print(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		guard := string(printed)
		names, err := chartguard.Verdicts(t.Context(), guard)
		if err != nil {
			t.Fatal(err)
		}
		var others []string
		for _, m := range regexp.MustCompile(`define "([^"]+)"`).FindAllStringSubmatch(guard, -1) {
			if !names[m[1]] {
				others = append(others, m[1][strings.LastIndex(m[1], ".")+1:])
			}
		}
		want := []string{"mode", "annotations", "notes", "violations", "judge", "quoted"}
		if diff := cmp.Diff(want, others); diff != "" || len(names) != 26 {
			t.Errorf("%s: these judge: %v; these do not (-want +got):\n%s", name, names, diff)
		}
		for edit, edited := range map[string]string{
			"a space more":            guard + " ",
			"another template":        guard + `{{ define "more" }}{{ end }}`,
			"a word changed":          strings.Replace(guard, "$out.variable", "$out.variables", 1),
			"another command":         strings.Replace(guard, "nevermigrate template chart-guard", "nevermigrate template chart-guard --other x", 1) + " ",
			"no origin":               regexp.MustCompile(`(?m)^from\n.*\n`).ReplaceAllString(guard, ""),
			"an origin not readable":  strings.Replace(guard, `{"name":`, `{"name"`, 1),
			"an origin not usable":    strings.Replace(guard, `"valuesKey":"`, `"valuesKey":".`, 1),
			"parameters not usable":   strings.Replace(guard, `{"name":`, `{"parameters":{"envVar":3},"name":`, 1),
			"nothing":                 "",
			"a guard in another file": "# other\n" + guard,
		} {
			if edited == guard {
				t.Fatalf("%s: %s changes nothing", name, edit)
			}
			if names, err := chartguard.Verdicts(t.Context(), edited); names != nil || err != nil {
				t.Errorf("%s, %s: got %v, %v; want none", name, edit, names, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := chartguard.Verdicts(ctx, guard); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: canceled: got %v", name, err)
		}
	}
}

// otherOptions set every option and parameter.
func otherOptions() chartguard.Options {
	return chartguard.Options{
		Constraint: &constraint.Constraint{Name: "other", Content: map[string]any{
			"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": constraint.Kind,
			"metadata": map[string]any{"name": "other"},
			"spec": map[string]any{"parameters": map[string]any{
				"envVar": "agents.migrations", "skipValues": []any{"never", `"no" */ }}`},
				"controllers":  []any{"*-workers", "w.*"},
				"exemptImages": []any{"mesh/*", "proxy:1"},
			}},
		}},
		Templates: []string{"templates/workers.yaml", "templates/more/workers.yml"},
		Others:    []string{"templates/server.yaml"},
		ValuesKey: "guards.migrations",
	}
}

// TestOtherParameters: every option and parameter shows where it must.
func TestOtherParameters(t *testing.T) {
	guard, err := chartguard.Print(t.Context(), otherOptions())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "other.yaml"), guard)
	// The text is a template that Helm can read.
	content := map[string]string{
		"Chart.yaml":                 "apiVersion: v2\nname: other\nversion: 1.0.0\n",
		"templates/guard.yaml":       string(guard),
		"templates/server.yaml":      "",
		"templates/more/workers.yml": "{}",
		"templates/workers.yaml":     asManifest(t, "a-workers", map[string]any{"name": "c", "image": "proxy:2"}),
	}
	_, err = renderChart(t, loadChart(t, content), nil)
	got, _ := refusal(err)
	want := []violation{
		{Code: "CNM001", Workload: "Deployment/a-workers", Container: "c", Path: "spec.template.spec.containers[0].env"},
		{Code: "CNM007", Path: "templates/more/workers.yml"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%v", diff, err)
	}
	if remedy := `Declare it once in env of this container, as name: agents.migrations with value: "never".`; !strings.Contains(fmt.Sprint(err), remedy) {
		t.Errorf("the remedy %q is not in: %v", remedy, err)
	}
}

// TestTwoGuards: two charts below one umbrella have guards with other
// parameters, and neither takes the other's.
func TestTwoGuards(t *testing.T) {
	print := func(name, variable string) string {
		guard, err := chartguard.Print(t.Context(), chartguard.Options{Name: name, Constraint: &constraint.Constraint{
			Content: map[string]any{
				"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": constraint.Kind, "metadata": map[string]any{"name": name},
				"spec": map[string]any{"parameters": map[string]any{"envVar": variable}},
			}}})
		if err != nil {
			t.Fatal(err)
		}
		return string(guard)
	}
	content := map[string]string{"Chart.yaml": "apiVersion: v2\nname: both\nversion: 1.0.0\n"}
	for name, variable := range map[string]string{"one": "ONE", "two": "TWO"} {
		below := "charts/" + name + "/"
		content[below+"Chart.yaml"] = "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n"
		content[below+"templates/guard.yaml"] = print(name+".guard", variable)
		content[below+"templates/deployment-controllers.yaml"] = asManifest(t, name+"-controllers",
			map[string]any{"name": "c", "env": []any{map[string]any{"name": variable, "value": "skip"}}})
	}
	if _, err := renderChart(t, loadChart(t, content), nil); err != nil {
		t.Error(err)
	}
}
