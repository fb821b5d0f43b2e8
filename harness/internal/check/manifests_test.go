package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/report"
)

// TestNobodyMigratesInManifests: that nobody applies migrations has its causes in each
// file with a control plane.
func TestNobodyMigratesInManifests(t *testing.T) {
	deployment := func(name string) string {
		return fmt.Sprintf(`{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": %q}, "spec": {"template": {"spec": {"containers": [
{"name": "app", "image": "app:1", "env": [{"name": "JANGAR_MIGRATIONS",
"value": "skip"}]}]}}}}
`, name)
	}
	cause := func(file string, line int, path string) report.Cause {
		return report.Cause{File: file, Line: line, Column: 1, Path: path + "spec.template.spec.containers[0].env[0].value", Value: "skip", Layer: report.Resource}
	}
	for _, test := range []struct {
		name   string
		files  map[string]string
		causes []report.Cause
	}{
		{"one file", map[string]string{"a.json": deployment("agents") + deployment("agents-controllers")}, []report.Cause{cause("a.json", 3, "")}},
		{"several files", map[string]string{
			"a.yaml": deployment("agents"), "b.json": `{"kind": "List", "items": [` + deployment("other") + "," + deployment("agents-controllers") + "]}", "c.yaml": deployment("agents-controllers"),
		}, []report.Cause{cause("a.yaml", 3, ""), cause("b.json", 3, "items[0].")}},
		{"a Template", map[string]string{"t.json": `{"kind": "Template", "objects": [` + deployment("agents") + "]}", "c.yaml": deployment("agents-controllers")},
			[]report.Cause{cause("t.json", 3, "objects[0].")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for name, text := range test.files {
				if err := os.WriteFile(filepath.Join(".", name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := check.AllOnce(t.Context(), []string{"."}, check.Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := []report.Finding{{
				Code: "CNM103", Severity: report.Warn, Page: report.PageOf("CNM103"),
				Message: "Every workload that declares the migrations variable skips migrations, so nobody applies them.",
				Causes:  test.causes,
			}}
			want[0].Remedy = got.Targets[0].Findings[0].Remedy
			if diff := cmp.Diff(want, got.Targets[0].Findings); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
