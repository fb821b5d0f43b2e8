package evaluate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// workload is a Deployment with one container whose env has a value.
func workload(name, value string) map[string]any {
	return map[string]any{
		"apiVersion": "apps/v1",
		"kind":       "Deployment",
		"metadata":   map[string]any{"name": name, "namespace": "agents"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{
			"name":  "app",
			"image": "registry.example.com/app:1",
			"env":   []any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": value}},
		}}}}},
	}
}

// list is a List of workloads as kubectl prints it: most are others', one in eight is
// controllers.
func list(n int) map[string]any {
	items := make([]any, n)
	for i := range items {
		name := fmt.Sprintf("app-%d", i)
		if i%8 == 0 {
			name = fmt.Sprintf("app-%d-controllers", i)
		}
		items[i] = workload(name, "skip")
	}
	return map[string]any{"apiVersion": "v1", "kind": "List", "items": items}
}

// realWorkload is a Deployment that a chart wrote, with probes, volumes and 20
// entries of env.
func realWorkload(b *testing.B) map[string]any {
	b.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "real.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	objects, err := manifest.Read(text)
	if err != nil {
		b.Fatal(err)
	}
	return objects[0].Content
}

// BenchmarkEvaluate is the policy alone: a small Deployment that passes, a real one,
// one that is denied, and Lists.
func BenchmarkEvaluate(b *testing.B) {
	e, err := evaluate.New(b.Context(), nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name     string
		object   map[string]any
		findings int
	}{
		{"other", workload("app", "skip"), 0},
		{"small", workload("agents-controllers", "skip"), 0},
		{"real", realWorkload(b), 0},
		{"denied", workload("agents-controllers", "auto"), 1},
		{"list1000", list(1000), 0},
		{"list8000", list(8000), 0},
		{"list40000", list(40000), 0},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				result, err := e.Evaluate(b.Context(), []manifest.Object{{Document: 1, Content: bench.object}})
				if err != nil {
					b.Fatal(err)
				}
				if len(result.Findings) != bench.findings {
					b.Fatalf("%d findings, want %d", len(result.Findings), bench.findings)
				}
			}
		})
	}
}
