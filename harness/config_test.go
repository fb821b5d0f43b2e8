package harness_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/proompteng/nevermigrate/harness"
)

// TestOptionsConfig: the configuration says what the options do not, for a program
// that asks for it; else none is read.
func TestOptionsConfig(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		".git/HEAD": "",
		"pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: x-controllers}\nspec:\n  containers:\n" +
			"  - {name: main, image: x, env: [{name: OURS, value: auto}, {name: JANGAR_MIGRATIONS, value: skip}]}\n",
		"constraint.yaml": "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: ControllersNeverMigrate\nmetadata: {name: ours}\n" +
			"spec: {parameters: {envVar: OURS}}\n",
		".nevermigrate.yaml": "constraints: [constraint.yaml]\n",
		"exempting.yaml":     "constraints: [constraint.yaml]\nexemptions: [{code: CNM002, path: pod.yaml, reason: it moves}]\n",
		"broken.yaml":        "constraint: [constraint.yaml]\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string][2]int{"": {0, 0}, ".nevermigrate.yaml": {1, 0}, "exempting.yaml": {0, 1}} {
		result, err := harness.Check(t.Context(), "pod.yaml", harness.Options{Config: file})
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]int{result.Summary.Denied, result.Summary.Exempted}; got != want {
			t.Errorf("%q: denied and exempted are %v, want %v", file, got, want)
		}
	}
	options := harness.Options{Config: "broken.yaml"}
	_, checkErr := harness.Check(t.Context(), "pod.yaml", options)
	_, explainErr := harness.Explain(t.Context(), []string{"pod.yaml"}, options)
	_, renderErr := harness.Render(t.Context(), "pod.yaml", options)
	for _, err := range []error{checkErr, explainErr, renderErr} {
		if err == nil || !strings.HasPrefix(err.Error(), "load configuration: broken.yaml: line 1: constraint: unknown key: ") {
			t.Errorf("error %v", err)
		}
	}
}
