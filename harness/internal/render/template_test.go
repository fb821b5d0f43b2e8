package render

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// TestTemplateIsHelms: a chart by itself gives what helm template prints, and fails
// where that fails.
func TestTemplateIsHelms(t *testing.T) {
	lane.Full(t)
	helm := stock.Tool(t, "helm")
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	values := write("values.yaml", "replicas: 2\nlist: [a, b]\nnested: {a: {b: 1}}\n")
	more := write("more.yaml", "nested: {a: {c: 2}}\n")
	write("small/Chart.yaml", "apiVersion: v2\nname: small\nversion: 1.0.0\n")
	write("small/values.yaml", "replicas: 1\n")
	write("small/templates/a.yaml", "kind: A\nvalues: {{ toJson .Values }}\nrelease: {{ toJson .Release }}\nversion: {{ .Capabilities.KubeVersion }}\n")
	write("small/templates/b.yaml", "{{- if .Values.fails }}{{ fail \"no\" }}{{ end }}\nkind: B\nmetadata:\n  name: b\n  annotations: {helm.sh/hook: pre-install}\n")
	write("small/templates/NOTES.txt", "notes\n")
	write("strict/Chart.yaml", "apiVersion: v2\nname: strict\nversion: 1.0.0\n")
	write("strict/values.schema.json", `{"properties": {"replicas": {"type": "integer"}}}`)
	write("strict/crds/crd.yaml", "kind: CustomResourceDefinition\nmetadata: {name: a}\n")
	write("strict/templates/a.yaml", "kind: A\nmetadata: {name: a}\nreplicas: {{ .Values.replicas }}\n")
	write("strict/templates/test.yaml", "kind: B\nmetadata:\n  name: b\n  annotations: {helm.sh/hook: test}\n")
	write("empty/Chart.yaml", "apiVersion: v2\nname: empty\nversion: 1.0.0\n")
	write("library/Chart.yaml", "apiVersion: v2\nname: library\nversion: 1.0.0\ntype: library\n")
	agents := filepath.Join(stock.Root(t), "fixtures", "charts", "agents")
	small, strict := filepath.Join(dir, "small"), filepath.Join(dir, "strict")
	compared := 0
	for _, test := range []struct {
		chart   string
		release Release
		args    []string
	}{
		{agents, Release{}, nil},
		{agents, Release{Name: "prod", Namespace: "agents"}, []string{"--namespace", "agents", "--name-template", "prod"}},
		{agents, Release{Values: Values{Set: []string{"controllersMigrationsGuard=off", "controllers.env.vars.JANGAR_MIGRATIONS=auto"}}},
			[]string{"--set", "controllersMigrationsGuard=off", "--set", "controllers.env.vars.JANGAR_MIGRATIONS=auto"}},
		{agents, Release{Values: Values{Set: []string{"controllers.env.vars.JANGAR_MIGRATIONS=auto"}}}, []string{"--set", "controllers.env.vars.JANGAR_MIGRATIONS=auto"}},
		{small, Release{}, nil},
		{small, Release{Values: Values{Files: []string{values, more}}}, []string{"-f", values, "-f", more}},
		{small, Release{Values: Values{
			Files: []string{values}, SetJSON: []string{`nested={"a": {"d": [1]}}`, `{"list": ["x"]}`}, Set: []string{"list[1]=y,a.b=1", "c={1,2}"}, SetString: []string{"a.b=1"},
		}}, []string{"-f", values, "--set-json", `nested={"a": {"d": [1]}}`, "--set-json", `{"list": ["x"]}`, "--set", "list[1]=y,a.b=1", "--set", "c={1,2}", "--set-string", "a.b=1"}},
		{small, Release{Values: Values{
			Texts:   []ValuesText{{"one", []byte("nested: {a: {c: 3}}\n")}, {"two", []byte("nested: {a: {b: null}}\n")}},
			SetFile: []ValuesText{{"nested.file", []byte("a,b\n")}, {"list[0]", nil}},
		}}, []string{"-f", write("one.yaml", "nested: {a: {c: 3}}\n"), "-f", write("two.yaml", "nested: {a: {b: null}}\n"), "--set-file", "nested.file=" + write("text", "a,b\n"), "--set-file", "list[0]=" + write("nothing", "")}},
		{strict, Release{Values: Values{Set: []string{"replicas=many"}}}, []string{"--set", "replicas=many"}},
		{strict, Release{Values: Values{Set: []string{"replicas=many"}}, SkipSchemaValidation: true}, []string{"--set", "replicas=many", "--skip-schema-validation"}},
		{strict, Release{IncludeCRDs: true, SkipTests: true}, []string{"--include-crds", "--skip-tests"}},
		{strict, Release{}, nil},
		{small, Release{Values: Values{Set: []string{"fails=true"}}}, []string{"--set", "fails=true"}},
		{small, Release{Name: "Not A Name"}, []string{"--name-template", "Not A Name"}},
		{small, Release{Values: Values{Set: []string{"a[=1"}}}, []string{"--set", "a[=1"}},
		{filepath.Join(dir, "empty"), Release{}, nil},
		{filepath.Join(dir, "library"), Release{}, nil},
	} {
		command := exec.CommandContext(t.Context(), helm, append([]string{"template", "--kube-version", DefaultKubeVersion, test.chart}, test.args...)...)
		want, stockErr := command.Output()
		got, err := Template(t.Context(), test.chart, test.release, Options{})
		if err == ErrNothingRendered {
			err = nil
		}
		if (err == nil) != (stockErr == nil) {
			t.Errorf("%s %v: error %v, and helm's is %v", filepath.Base(test.chart), test.args, err, stockErr)
			continue
		}
		if diff := cmp.Diff(string(bytes.TrimSpace(want)), string(bytes.TrimSpace(got))); err == nil && diff != "" {
			t.Errorf("%s %v (-helm +got):\n%s", filepath.Base(test.chart), test.args, diff)
		}
		compared++
	}
	t.Logf("compared %d charts", compared)
}
