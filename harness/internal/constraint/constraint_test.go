package constraint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const head = "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: ControllersNeverMigrate\n"

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.yaml"), filepath.Join(dir, "two.json")
	write(t, one, head+"metadata: {name: a}\nspec: {enforcementAction: warn}\n---\n"+head+"metadata: {name: b}\n")
	write(t, two, `{"kind": "ControllersNeverMigrate", "metadata": {"name": "c"}}`)
	got, err := Load([]string{one, two})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range got {
		names = append(names, filepath.Base(c.File)+" "+c.Name)
	}
	if diff := cmp.Diff([]string{"one.yaml a", "one.yaml b", "two.json c"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"enforcementAction": "warn"}, got[0].Content["spec"]); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

func TestLoadErrors(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":                {"", "load constraint DIR/c.yaml: no objects: the manifest is empty"},
		"no YAML":              {"kind: [\n", "load constraint DIR/c.yaml: document 1: line 1: did not find expected node content"},
		"no end":               {`{"kind": "ControllersNeverMigrate",` + "\n", "load constraint DIR/c.yaml: document 1: line 1: did not find expected node content"},
		"rubbish after":        {`{"kind": "ControllersNeverMigrate", "metadata": {"name": "a"}}` + "\nrubbish\n", "load constraint DIR/c.yaml: document 2: line 2: no JSON: invalid character 'r' looking for beginning of value"},
		"a key twice, as JSON": {`{"kind": "ControllersNeverMigrate",` + "\n" + `"kind": "A"}`, `load constraint DIR/c.yaml: document 1: line 2: key "kind" is given twice, first in line 1`},
		"a list":               {"- kind: A\n", "load constraint DIR/c.yaml: document 1: line 1: not a Kubernetes object but a list"},
		"a template":           {head + "metadata: {name: {{ .Values.name }}}\n", "load constraint DIR/c.yaml: document 1: line 3: a template was not rendered, {{ … }} is left over: render it with helm template or kustomize build, or name the app's folder"},
		"another kind":         {"kind: ConfigMap\n", "load constraint DIR/c.yaml: document 1: kind is ConfigMap: a constraint has kind ControllersNeverMigrate"},
		"unknown key":          {head + "metadata: {name: a}\nsepc: {}\n", "load constraint DIR/c.yaml: document 1: sepc: unknown key: a constraint has apiVersion, kind, metadata, spec, status"},
		"a key twice":          {head + "metadata: {name: a}\nspec: {}\nspec: {}\n", `load constraint DIR/c.yaml: document 1: line 5: key "spec" is given twice, first in line 4`},
		"no name":              {head + "spec: {}\n", "load constraint DIR/c.yaml: document 1: metadata.name is missing: name the constraint"},
		"too large":            {strings.Repeat("#", maxBytes+1), "load constraint: DIR/c.yaml: it is larger than the limit of 1048576 bytes for constraints"},
		"two of one name":      {head + "metadata: {name: a}\n---\n" + head + "metadata: {name: a}\n", `load constraint DIR/c.yaml: the name "a" is taken by a constraint in DIR/c.yaml: give each its own metadata.name`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "c.yaml")
			write(t, file, test.text)
			_, err := Load([]string{file})
			if err == nil {
				t.Fatal("no error")
			}
			if got := strings.ReplaceAll(err.Error(), dir, "DIR"); got != test.want {
				t.Errorf("error %q, want %q", got, test.want)
			}
		})
	}
	if _, err := Load([]string{"gone.yaml"}); err == nil || err.Error() != "load constraint: open gone.yaml: no such file or directory" {
		t.Errorf("error %v", err)
	}
}

func TestSpec(t *testing.T) {
	parameters := map[string]any{"envVar": "X"}
	for name, test := range map[string]struct {
		c                *Constraint
		spec, parameters map[string]any
	}{
		"no constraint":    {nil, nil, nil},
		"no spec":          {&Constraint{Content: map[string]any{}}, nil, nil},
		"spec is no map":   {&Constraint{Content: map[string]any{"spec": "x"}}, nil, nil},
		"no parameters":    {&Constraint{Content: map[string]any{"spec": map[string]any{}}}, map[string]any{}, nil},
		"parameters a map": {&Constraint{Content: map[string]any{"spec": map[string]any{"parameters": parameters}}}, map[string]any{"parameters": parameters}, parameters},
	} {
		if diff := cmp.Diff(test.spec, test.c.Spec()); diff != "" {
			t.Errorf("%s: spec (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(test.parameters, test.c.Parameters()); diff != "" {
			t.Errorf("%s: parameters (-want +got):\n%s", name, diff)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
