package cause_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/cause"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/report"
)

// controlPlane is a workload that may migrate, with a name, a command and a value.
const controlPlane = `
-- NAME.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  template:
    spec:
      containers:
      - name: main
        image: example.com/agents
        command: COMMAND
        env:
        - {name: JANGAR_MIGRATIONS, value: VALUE}
`

func workload(name, command, value string) string {
	return strings.NewReplacer("NAME", name, "COMMAND", command, "VALUE", value).Replace(controlPlane)
}

func chartWorkload(name, command, value string) string {
	return strings.ReplaceAll(strings.Replace(strings.Replace(chart, "%s", value, 1), "  name: agents-controllers", "  name: "+name, 1),
		"        env:", "        command: "+command+"\n        env:")
}

// other is a second workload of the chart.
var other = strings.Replace(chart[strings.Index(chart, "-- charts/agents/templates"):], "deployment.yaml", "other.yaml", 1)

const oneChart = "-- kustomization.yaml --\nhelmCharts: [{name: agents}]\n"

func at(causes []report.Cause) []report.Cause {
	var places []report.Cause
	for _, c := range causes {
		places = append(places, report.Cause{File: c.File, Line: c.Line, Path: c.Path, Value: c.Value})
	}
	return places
}

// Warnings have causes, and a fix where one thing is certainly meant.
func TestWarnings(t *testing.T) {
	for name, test := range map[string]struct {
		files []string
		code  string
		want  []report.Cause
		fix   string
	}{
		"another spelling": {
			[]string{chartWorkload("agents-controllers", "[node]", "'off'"), oneChart}, "CNM101",
			[]report.Cause{{File: "charts/agents/values.yaml", Line: 1, Path: "mode", Value: "off"}},
			`set mode to "skip"`,
		},
		"a misspelled value of a control plane": {
			[]string{chartWorkload("agents", "[node]", "skipp"), oneChart}, "CNM102",
			[]report.Cause{{File: "charts/agents/values.yaml", Line: 1, Path: "mode", Value: "skipp"}},
			`set mode to "auto", which is how the service reads it now`,
		},
		"a command that loads a file": {
			[]string{workload("agents-controllers", "[sh, -c, '. /config/env; exec node']", "skip"), "-- kustomization.yaml --\nresources: [agents-controllers.yaml]\n"}, "CNM104",
			[]report.Cause{{File: "agents-controllers.yaml", Line: 10, Path: "spec.template.spec.containers[0].command[2]"}}, "",
		},
		"a command in a template": {
			[]string{chartWorkload("agents-controllers", "[sh, -c, '. /config/env; exec node']", "skip"), oneChart}, "CNM104",
			[]report.Cause{{File: "charts/agents/templates/deployment.yaml", Line: 11}}, "",
		},
		"a name in a manifest": {
			[]string{workload("agents-controller", "[node]", "auto"), "-- kustomization.yaml --\nresources: [agents-controller.yaml]\n"}, "CNM105",
			[]report.Cause{{File: "agents-controller.yaml", Line: 3, Path: "metadata.name"}}, "",
		},
		"a name by a suffix": {
			[]string{workload("agents", "[node]", "auto"), "-- kustomization.yaml --\nresources: [agents.yaml]\nnameSuffix: -controller\n"}, "CNM105",
			[]report.Cause{{File: "kustomization.yaml", Line: 2, Path: "nameSuffix"}}, "",
		},
		"a name in a template": {
			[]string{chartWorkload("{{ .Release.Name }}-controller", "[node]", "auto"), oneChart}, "CNM105",
			[]report.Cause{{File: "charts/agents/templates/deployment.yaml", Line: 4}}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, test.files...)
			got := find(t, cause.Options{})[0]
			if got.Code != test.code {
				t.Fatalf("%s, want %s", got.Code, test.code)
			}
			if diff := cmp.Diff(test.want, at(got.Causes)); diff != "" {
				t.Errorf("causes (-want +got):\n%s", diff)
			}
			if change := changeOf(got.Fix); change != test.fix {
				t.Errorf("fix %q, want %q", change, test.fix)
			}
		})
	}
}

func changeOf(fix *report.Fix) string {
	switch {
	case fix == nil:
		return ""
	case !fix.Verified:
		return "not verified: " + fix.Change
	default:
		return fix.Change
	}
}

// findOne looks for the causes of a finding that no single object shows.
func findOne(t *testing.T, finding report.Finding) report.Finding {
	t.Helper()
	evaluator, err := evaluate.New(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := cause.NewApp(".", []*evaluate.Evaluator{evaluator}, cause.Options{}).Find(t.Context(), evaluator, &finding); err != nil {
		t.Fatal(err)
	}
	return finding
}

// Nobody migrates because each control plane skips. Which of several is to migrate
// is not certain.
func TestNobodyMigrates(t *testing.T) {
	nobody := report.Finding{Code: "CNM103", Severity: report.Warn}
	t.Run("one", func(t *testing.T) {
		write(t, workload("agents", "[node]", "skip"), workload("a-controllers", "[node]", "skip"),
			"-- kustomization.yaml --\nresources: [agents.yaml, a-controllers.yaml]\n")
		got := findOne(t, nobody)
		want := []report.Cause{{File: "agents.yaml", Line: 12, Path: "spec.template.spec.containers[0].env[0].value", Value: "skip"}}
		if diff := cmp.Diff(want, at(got.Causes)); diff != "" {
			t.Errorf("causes (-want +got):\n%s", diff)
		}
		if change := changeOf(got.Fix); change != `set spec.template.spec.containers[0].env[0].value to "auto"` {
			t.Errorf("fix %q", change)
		}
	})
	t.Run("two", func(t *testing.T) {
		write(t, workload("agents", "[node]", "skip"), workload("gateway", "[node]", "'off'"), workload("a-controllers", "[node]", "skip"),
			"-- kustomization.yaml --\nresources: [agents.yaml, gateway.yaml, a-controllers.yaml]\n")
		got := findOne(t, nobody)
		want := []report.Cause{
			{File: "agents.yaml", Line: 12, Path: "spec.template.spec.containers[0].env[0].value", Value: "skip"},
			{File: "gateway.yaml", Line: 12, Path: "spec.template.spec.containers[0].env[0].value", Value: "off"},
		}
		if diff := cmp.Diff(want, at(got.Causes)); diff != "" || got.Fix != nil {
			t.Errorf("fix %+v, causes (-want +got):\n%s", got.Fix, diff)
		}
	})
	t.Run("one value for all", func(t *testing.T) {
		write(t, strings.Replace(chart, "%s", "skip", 1), other, oneChart)
		rename(t, "charts/agents/templates/other.yaml", "agents-controllers", "agents")
		got := findOne(t, nobody)
		if want := []report.Cause{{File: "charts/agents/values.yaml", Line: 1, Path: "mode", Value: "skip"}}; cmp.Diff(want, at(got.Causes)) != "" {
			t.Errorf("causes %+v", got.Causes)
		}
		if got.Fix != nil {
			t.Errorf("the fix %q makes the controllers migrate", got.Fix.Change)
		}
	})
}

// The fix of a warning makes no other: here, that nobody migrates any more.
func TestFixOfAWarningMakesNone(t *testing.T) {
	write(t, strings.Replace(chart, "%s", "'off '", 1), other, oneChart)
	rename(t, "charts/agents/templates/other.yaml", "agents-controllers", "agents")
	rename(t, "charts/agents/templates/other.yaml", "{{ .Values.mode | quote }}", `{{ ternary "auto" "skip" (eq .Values.mode "off ") }}`)
	got := find(t, cause.Options{})[0]
	if got.Code != "CNM101" || len(got.Causes) != 1 || got.Causes[0].Path != "mode" {
		t.Errorf("%s with causes %+v", got.Code, got.Causes)
	}
	if got.Fix != nil {
		t.Errorf("the fix %q stops all migrations", got.Fix.Change)
	}
}

// rename changes a text in a file.
func rename(t *testing.T, file, from, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), from, to)), 0o600); err != nil {
		t.Fatal(err)
	}
}
