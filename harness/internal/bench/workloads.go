package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/bench/workloads"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// workloads is (i): what many workloads cost, as `kubectl get deployments -A` prints
// them, and what the policy alone takes for one.
func (b *bencher) workloads(ctx context.Context) error {
	if err := b.evaluations(ctx); err != nil {
		return err
	}
	for _, n := range []int{8000, 40000} {
		file := filepath.Join(b.work, fmt.Sprintf("list-%d.json", n))
		text, err := json.Marshal(workloads.List(n))
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, b.ours, "check", "-o", "json", file)
		took, err := seconds(1, cmd.Run)
		if err != nil {
			return fmt.Errorf("check a List of %d: %w", n, err)
		}
		peak, err := peakOf(cmd)
		if err != nil {
			return err
		}
		fmt.Printf("| (i) a List of %d Deployments | %s, %d MiB | | | 40000: at most 20 s and 400 MiB |\n", n, duration(took), peak)
	}
	return b.documents(ctx)
}

// evaluations are the rows of the policy alone, in process.
func (b *bencher) evaluations(ctx context.Context) error {
	evaluator, err := evaluate.New(ctx, nil, nil)
	if err != nil {
		return err
	}
	text, err := os.ReadFile("harness/internal/evaluate/testdata/real.yaml")
	if err != nil {
		return err
	}
	written, err := manifest.Read(text)
	if err != nil {
		return err
	}
	for _, one := range []struct {
		what, target string
		object       map[string]any
	}{
		{"a small Deployment", "at most 0.25 ms", workloads.Deployment("agents-controllers", "skip")},
		{"a real Deployment", "at most 0.4 ms", written[0].Content},
		{"a small Deployment that is denied", "at most twice one that passes", workloads.Deployment("agents-controllers", "auto")},
	} {
		const rounds = 15
		var all []float64
		for range rounds {
			took, err := seconds(200, func() error {
				_, err := evaluator.Evaluate(ctx, []manifest.Object{{Document: 1, Content: one.object}})
				return err
			})
			if err != nil {
				return err
			}
			all = append(all, took)
		}
		fmt.Printf("| (i) the policy alone: %s | %.2f ms | | | %s |\n", one.what, median(all)*1000, one.target)
	}
	return nil
}

// documents is the row of conftest, which takes documents and no lists apart.
func (b *bencher) documents(ctx context.Context) error {
	const n = 2000
	file := filepath.Join(b.work, "documents.yaml")
	var text strings.Builder
	for _, object := range workloads.Deployments(n) {
		one, err := json.Marshal(object)
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "---\n%s\n", one)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		return err
	}
	times, err := b.hyperfine(ctx, 3, fmt.Sprintf("%s check %s", b.ours, file), fmt.Sprintf("%s test --policy policy %s", b.conftest, file))
	if err != nil {
		return err
	}
	row(fmt.Sprintf("(i) %d Deployments in one file", n), times[0], "`conftest test`", times[1], "at least 8")
	return nil
}
