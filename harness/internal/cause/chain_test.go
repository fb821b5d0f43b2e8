package cause_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	chartloader "helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"

	"github.com/proompteng/nevermigrate/harness/internal/cause"
	"github.com/proompteng/nevermigrate/harness/report"
)

// replaced copies a value of a generated object over the container's.
const replaced = `
replacements:
- source: {kind: KIND, name: settings, fieldPath: data.mode}
  targets:
  - select: {kind: Deployment}
    fieldPaths: ["spec.template.spec.containers.[name=main].env.[name=JANGAR_MIGRATIONS].value"]
`

// mounting is a workload that runs a file of a ConfigMap.
const mounting = `
-- mounting.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: agents-controllers}
spec:
  template:
    spec:
      volumes: [{name: scripts, configMap: {name: settings}}]
      containers:
      - name: main
        image: example.com/agents
        command: [sh, /scripts/start.sh]
        volumeMounts: [{name: scripts, mountPath: /scripts}]
        env:
        - {name: JANGAR_MIGRATIONS, value: skip}
`

func chartWith(value string, files ...string) string {
	return strings.Join(append([]string{oneChart,
		strings.Replace(strings.Replace(chart, "%s", "1", 1), "{{ .Values.mode | quote }}", value, 1)}, files...), "\n")
}

const (
	chartHead  = "-- charts/agents/Chart.yaml --\napiVersion: v2\nname: agents\nversion: 1.0.0\n-- charts/agents/values.yaml --\n{}\n"
	packedHead = "-- charts/agents/packed/small/Chart.yaml --\napiVersion: v2\nname: small\nversion: 1.0.0\n"
)

// subchart has values and a template that reads them, in a folder.
func subchart(folder, values, value string) string {
	return "-- " + folder + "/Chart.yaml --\napiVersion: v2\nname: small\nversion: 1.0.0\n-- " + folder + "/values.yaml --\n" + values +
		"-- " + folder + "/templates/deployment.yaml --\n" + strings.Replace(chart[strings.Index(chart, "apiVersion: apps"):], "{{ .Values.mode | quote }}", value, 1)
}

// The cause is the place where the value is written, however it gets into the
// container.
func TestEndOfTheChain(t *testing.T) {
	generated := func(kind, generator, rest string) string {
		return "-- kustomization.yaml --\nresources: [deployment.yaml]\n" + generator + strings.Replace(replaced, "KIND", kind, 1) + rest
	}
	for name, test := range map[string]struct {
		files []string
		want  report.Cause
		fix   string
	}{
		"a literal of a generator": {
			[]string{resource, generated("ConfigMap", "configMapGenerator:\n- name: settings\n  literals: [mode=auto]\n", "")},
			report.Cause{File: "kustomization.yaml", Line: 4, Column: 14, Path: "configMapGenerator[0].literals[0]", Layer: report.KustomizationLayer},
			`set configMapGenerator[0].literals[0] to "mode=skip"`,
		},
		"an env file of a generator": {
			[]string{resource, generated("ConfigMap", "configMapGenerator:\n- name: settings\n  envs: [settings.env]\n", "-- settings.env --\n# the mode\nother=1\nmode=auto\n")},
			report.Cause{File: "settings.env", Line: 3, Column: 1, Path: "mode", Value: "auto", Layer: report.KustomizationLayer},
			`set the line to mode=skip`,
		},
		"the older field for an env file": {
			[]string{resource, generated("ConfigMap", "configMapGenerator:\n- name: settings\n  env: settings.env\n", "-- settings.env --\nmode=auto\n")},
			report.Cause{File: "settings.env", Line: 1, Column: 1, Path: "mode", Value: "auto", Layer: report.KustomizationLayer},
			`set the line to mode=skip`,
		},
		"a file of a generator": {
			[]string{resource, generated("ConfigMap", "configMapGenerator:\n- name: settings\n  files: [mode=mode.txt]\n", "-- mode.txt --\nauto\n")},
			report.Cause{File: "mode.txt", Line: 1, Column: 1, Value: "auto", Layer: report.KustomizationLayer},
			"remove replacements[0] and leave replacements: []", // the text ends in a line break, which would be a warning
		},
		"a literal of a generator of Secrets": {
			[]string{resource, generated("Secret", "secretGenerator:\n- name: settings\n  literals: [mode=auto]\n", "")},
			report.Cause{File: "kustomization.yaml", Line: 4, Column: 14, Path: "secretGenerator[0].literals[0]", Layer: report.KustomizationLayer},
			"remove replacements[0] and leave replacements: []",
		},
		"an env file of a generator of Secrets": {
			[]string{resource, generated("Secret", "secretGenerator:\n- name: settings\n  envs: [settings.env]\n", "-- settings.env --\nmode=auto\n")},
			report.Cause{File: "settings.env", Line: 1, Column: 1, Path: "mode", Layer: report.KustomizationLayer},
			"remove replacements[0] and leave replacements: []",
		},
		"a file of a chart": {
			[]string{chartWith(`{{ .Files.Get "mode.txt" | trim | quote }}`, "-- charts/agents/mode.txt --\nauto\n")},
			report.Cause{File: "charts/agents/mode.txt", Line: 1, Column: 1, Value: "auto", Layer: report.Template},
			`replace "auto" by "skip"`,
		},
		"a file of a chart that is YAML": {
			[]string{chartWith(`{{ (.Files.Get "config/settings.yaml" | fromYaml).migrations.mode }}`, "-- charts/agents/config/settings.yaml --\nmigrations:\n  # which\n  mode: auto\n")},
			report.Cause{File: "charts/agents/config/settings.yaml", Line: 3, Column: 9, Value: "auto", Layer: report.Template},
			`replace "auto" by "skip"`,
		},
		"lines of a file of a chart": {
			[]string{chartWith(`{{ range .Files.Lines "app.env" }}{{ if hasPrefix "JANGAR_MIGRATIONS=" . }}{{ trimPrefix "JANGAR_MIGRATIONS=" . }}{{ end }}{{ end }}`, "-- charts/agents/app.env --\nA=auto\nJANGAR_MIGRATIONS=auto\n")},
			report.Cause{File: "charts/agents/app.env", Line: 2, Column: 1, Path: "JANGAR_MIGRATIONS", Value: "auto", Layer: report.Template},
			`set the line to JANGAR_MIGRATIONS=skip`,
		},
		"files of a chart by a pattern": {
			[]string{chartWith(`{{ range $path, $text := .Files.Glob "modes/*" }}{{ $text | toString | trim }}{{ end }}`, "-- charts/agents/modes/one --\nauto\n")},
			report.Cause{File: "charts/agents/modes/one", Line: 1, Column: 1, Value: "auto", Layer: report.Template},
			`replace "auto" by "skip"`,
		},
		"a script of a generator": {
			[]string{mounting, "-- kustomization.yaml --\nresources: [mounting.yaml]\nconfigMapGenerator:\n- name: settings\n  files: [start.sh]\n-- start.sh --\nset -e\nexport JANGAR_MIGRATIONS=auto\nexec node server.js\n"},
			report.Cause{File: "start.sh", Line: 2, Column: 1, Value: "export JANGAR_MIGRATIONS=auto", Layer: report.KustomizationLayer},
			`take "export JANGAR_MIGRATIONS=auto" out of the line`,
		},
		"a script in a ConfigMap": {
			[]string{mounting, "-- kustomization.yaml --\nresources: [mounting.yaml, settings.yaml]\n-- settings.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n  start.sh: |\n    export JANGAR_MIGRATIONS=auto\n    exec node server.js\n"},
			report.Cause{File: "settings.yaml", Line: 5, Column: 3, Path: `data["start.sh"]`, Value: "export JANGAR_MIGRATIONS=auto", Layer: report.Resource},
			`take "export JANGAR_MIGRATIONS=auto" out of data["start.sh"]`,
		},
		"a script among the files of a chart": {
			[]string{oneChart, chartHead, strings.Replace(mounting, "-- mounting.yaml", "-- charts/agents/templates/deployment.yaml", 1),
				"-- charts/agents/templates/settings.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n{{ (.Files.Glob \"scripts/*\").AsConfig | indent 2 }}\n-- charts/agents/scripts/start.sh --\nexport JANGAR_MIGRATIONS=auto\nexec node server.js\n"},
			report.Cause{File: "charts/agents/scripts/start.sh", Line: 1, Column: 1, Value: "export JANGAR_MIGRATIONS=auto", Layer: report.Template},
			`take "export JANGAR_MIGRATIONS=auto" out of the line`,
		},
		"values of a packed chart": {
			[]string{oneChart, chartHead, subchart("charts/agents/packed/small", "mode: auto\n", "{{ .Values.mode }}")},
			report.Cause{File: "charts/agents/charts/small-1.0.0.tgz!/small/values.yaml", Line: 1, Column: 1, Path: "mode", Value: "auto", Layer: report.ChartValues},
			`set helmCharts[0].valuesInline.small.mode to "skip"`,
		},
		"a template of a packed chart": {
			[]string{oneChart, chartHead, subchart("charts/agents/packed/small", "mode: skip\n", "auto")},
			report.Cause{File: "charts/agents/charts/small-1.0.0.tgz!/small/templates/deployment.yaml", Line: 12, Column: 18, Value: "auto", Layer: report.Template},
			"",
		},
		"a file of a packed chart": {
			[]string{oneChart, chartHead, subchart("charts/agents/packed/small", "mode: skip\n", `{{ .Files.Get "mode" | trim }}`) + "-- charts/agents/packed/small/mode --\nauto\n"},
			report.Cause{File: "charts/agents/charts/small-1.0.0.tgz!/small/mode", Line: 1, Column: 1, Value: "auto", Layer: report.Template},
			"",
		},
		"values of a chart below a packed one": {
			[]string{oneChart, chartHead, packedHead, subchart("charts/agents/packed/small/charts/small", "mode: auto\n", "{{ .Values.mode }}")},
			report.Cause{File: "charts/agents/charts/small-1.0.0.tgz!/small/charts/small/values.yaml", Line: 1, Column: 1, Path: "mode", Value: "auto", Layer: report.ChartValues},
			`set helmCharts[0].valuesInline.small.small.mode to "skip"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			pack(t, write(t, test.files...))
			got := find(t, cause.Options{})[0]
			if len(got.Causes) == 0 {
				t.Fatalf("there is no cause: %+v", got)
			}
			if diff := cmp.Diff(test.want, got.Causes[0]); diff != "" {
				t.Errorf("cause (-want +got):\n%s", diff)
			}
			if change := changeOf(got.Fix); change != test.fix {
				t.Errorf("fix %q, want %q", change, test.fix)
			}
			if got.Fix != nil && strings.Contains(got.Fix.File, "!") {
				t.Errorf("the fix is in an archive: %s", got.Fix.File)
			}
		})
	}
}

// pack makes archives of the charts below a chart's folder packed.
func pack(t *testing.T, dir string) {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(dir, "charts", "*", "packed", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		loaded, err := chartloader.LoadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		parent := filepath.Dir(filepath.Dir(folder))
		if _, err := chartutil.Save(loaded, filepath.Join(parent, "charts")); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Dir(folder)); err != nil {
			t.Fatal(err)
		}
	}
}
