package evaluate_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/proompteng/nevermigrate/harness/internal/bench/workloads"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

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

// cpuTime is what the process has computed, which other work on the machine changes less
// than the time that passed.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
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
		object   func() map[string]any
		findings int
	}{
		{"other", func() map[string]any { return workloads.Deployment("app", "skip") }, 0},
		{"small", func() map[string]any { return workloads.Deployment("agents-controllers", "skip") }, 0},
		{"real", func() map[string]any { return realWorkload(b) }, 0},
		{"denied", func() map[string]any { return workloads.Deployment("agents-controllers", "auto") }, 1},
		{"list1000", func() map[string]any { return workloads.List(1000) }, 0},
		{"list8000", func() map[string]any { return workloads.List(8000) }, 0},
		{"list40000", func() map[string]any { return workloads.List(40000) }, 0},
	} {
		b.Run(bench.name, func(b *testing.B) {
			object := bench.object()
			before := cpuTime(b)
			defer func() { b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op") }()
			for b.Loop() {
				result, err := e.Evaluate(b.Context(), []manifest.Object{{Document: 1, Content: object}})
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
