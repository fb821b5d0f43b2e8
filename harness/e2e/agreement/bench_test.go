package agreement_test

import (
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/bench/workloads"
	"github.com/proompteng/nevermigrate/harness/internal/gatekeeper"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

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
		{"other", workloads.Deployment("app", "skip"), 0},
		{"small", workloads.Deployment("agents-controllers", "skip"), 0},
		{"real", objects[0].Content, 0},
		{"denied", workloads.Deployment("agents-controllers", "auto"), 1},
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
