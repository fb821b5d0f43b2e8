package agreement_test

import (
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/gatekeeper"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// deployment is a Deployment with one container whose env has a value.
func deployment(name, value string) map[string]any {
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

// BenchmarkReview is what Gatekeeper's engine takes to review the creation of a
// Deployment: one of others, a small and a real one that pass, and one that is denied.
func BenchmarkReview(b *testing.B) {
	e := newEngine(b)
	if err := e.apply(b.Context(), chosen(b, func(*gatekeeper.Constraint) {}).Content); err != nil {
		b.Fatal(err)
	}
	objects, err := manifest.Read(readFile(b, "../../internal/evaluate/testdata/real.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name     string
		object   map[string]any
		findings int
	}{
		{"other", deployment("app", "skip"), 0},
		{"small", deployment("agents-controllers", "skip"), 0},
		{"real", objects[0].Content, 0},
		{"denied", deployment("agents-controllers", "auto"), 1},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				findings, err := e.create(b.Context(), bench.object)
				if err != nil {
					b.Fatal(err)
				}
				if len(findings) != bench.findings {
					b.Fatalf("%d findings, want %d", len(findings), bench.findings)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reviews/s")
		})
	}
}
