package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/check"
)

// TestFaultsOfApps: what cannot be read is named with file and line, whatever
// kustomize and Helm say of it, and nothing of what it holds is told.
func TestFaultsOfApps(t *testing.T) {
	const (
		unrendered = "a template was not rendered, {{ … }} is left over: render it with helm template or kustomize build, or name the app's folder"
		object     = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: agents-controllers}\nspec:\n  template: {spec: {containers: [{name: app, image: x}]}}\n"
		resources  = "resources: [d.yaml]\n"
		patched    = "resources: [d.yaml]\npatches: [{path: p, target: {kind: Deployment}}]\n"
		values     = "helmCharts: [{name: c, valuesFile: v}]\n"
		merged     = "helmCharts: [{name: c, valuesFile: v, valuesInline: {z: 1}}]\n"
	)
	for name, test := range map[string]struct {
		kustomization, file, text, want string
	}{
		"a kustomization":                                     {"resources:\n- d.yaml\npatches: [\n", "", "", "app/kustomization.yaml: line 3: did not find expected node content"},
		"a kustomization that is a template":                  {"resources: [d.yaml]\nnamePrefix: {{ .x }}\n", "", "", "app/kustomization.yaml: line 2: " + unrendered},
		"a manifest":                                          {resources, "d.yaml", object + "x: [\n", "app/d.yaml: line 6: did not find expected node content"},
		"a manifest with a key twice":                         {resources, "d.yaml", object + "status: hunter2\nstatus: {}\n", `app/d.yaml: line 7: key "status" is given twice, first in line 6`},
		"a manifest with the variable twice":                  {resources, "d.yaml", object + "env:\n- name: JANGAR_MIGRATIONS\n  value: auto\n  value: skip\n", `app/d.yaml: line 9: key "value" is given twice, first in line 8`},
		"a manifest that is a template":                       {resources, "d.yaml", object + "x: {{ .Values.x }}\n", "app/d.yaml: line 6: " + unrendered},
		"a manifest with a condition":                         {resources, "d.yaml", "{{- if .Values.x }}\n" + object + "{{- end }}\n", "app/d.yaml: line 1: " + unrendered},
		"a manifest that is a list":                           {resources, "d.yaml", "\n- a\n", "app/d.yaml: line 2: a manifest is an object, and here is a list"},
		"a manifest in JSON that breaks off":                  {resources, "d.yaml", "{\"kind\": \"A\",\n\"apiVersion\": \"v1\"\n", "app/d.yaml: line 2: did not find expected ',' or '}'"},
		"a patch":                                             {patched, "p", "kind: Deployment\nspec: [\n", "app/p: line 2: did not find expected node content"},
		"a patch that is a template":                          {patched, "p", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: agents-controllers}\nspec: {replicas: {{ .n }}}\n", "app/p: line 4: " + unrendered},
		"a JSON patch":                                        {patched, "p", "- op: add\n  path: /a\n  value: [\n", "app/p: line 3: did not find expected node content"},
		"a JSON patch with rubbish after it":                  {patched, "p", "[{\"op\": \"add\", \"path\": \"/a\", \"value\": 1}]\nrubbish\n", "app/p: line 2: no JSON: invalid character 'r' looking for beginning of value"},
		"a JSON patch that breaks off":                        {patched, "p", "[{\"op\": \"add\",\n\"path\"", "app/p: line 2: did not find expected ',' or '}'"},
		"a JSON patch of another type":                        {patched, "p", "\"a\"\n", "app/p: line 1: a patch is an object or a list of operations, and here is a value"},
		"an inline patch":                                     {"resources: [d.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: |\n    - op: add\n      path: [\n", "", "", "app/kustomization.yaml: line 4: in patches[0].patch: line 2: did not find expected node content"},
		"values":                                              {values, "v", "password: hunter2\nb: [\n", "app/v: line 2: did not find expected node content"},
		"values that are a template":                          {values, "v", "a: 1\nb: {{ .x }}\n", "app/v: line 2: " + unrendered},
		"values that are a list":                              {values, "v", "- 1\n", "app/v: line 1: values are a map, and here is a list"},
		"values in JSON":                                      {values, "v", "{\"a\": 1,\n\"b\": 2", "app/v: line 2: did not find expected ',' or '}'"},
		"values below inline values":                          {merged, "v", "a: 1\nb: [\n", "app/v: line 2: did not find expected node content"},
		"values below inline values, with a key twice":        {merged, "v", "a: 1\npassword: hunter2\na: 2\n", `app/v: line 3: key "a" is given twice, first in line 1`},
		"values below inline values, with the variable twice": {merged, "v", "JANGAR_MIGRATIONS: auto\nJANGAR_MIGRATIONS: skip\n", `app/v: line 2: key "JANGAR_MIGRATIONS" is given twice, first in line 1`},
		"additional values":                                   {"helmCharts: [{name: c, additionalValuesFiles: [v]}]\n", "v", "a: 1\nb: [\n", "app/v: line 2: did not find expected node content"},
		"a chart's values":                                    {values, "charts/c/values.yaml", "a: 1\nb: [\n", "app/charts/c/values.yaml: line 2: did not find expected node content"},
		"what is no fault of a text":                          {"resources: [gone.yaml]\n", "", "", "app/kustomization.yaml: gone.yaml: no such file or folder"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			files := map[string]string{
				"kustomization.yaml": test.kustomization, "d.yaml": object, "v": "{}\n",
				"charts/c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n", "charts/c/values.yaml": "{}\n", "charts/c/templates/d.yaml": object,
			}
			if test.file != "" {
				files[test.file] = test.text
			}
			for name, text := range files {
				file := filepath.Join("app", name)
				if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := check.AllOnce(t.Context(), []string{"app"}, check.Options{WithoutCauses: true})
			if err != nil {
				t.Fatal(err)
			}
			if want := "render app: " + test.want; got.Targets[0].Error != want || strings.Contains(want, "hunter2") {
				t.Errorf("error %q, want %q", got.Targets[0].Error, want)
			}
		})
	}
}
