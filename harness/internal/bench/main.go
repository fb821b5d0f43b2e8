// Command bench compares nevermigrate with the stock tools, in one run on one
// machine, and prints a table of ratios. scripts/bench runs it.
//
// It builds the tools from their modules, makes apps that differ, and lets
// hyperfine time whole commands. What it prints is Markdown, for docs/performance.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/loader"
	valueloader "helm.sh/helm/v4/pkg/chart/v2/loader"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/probe"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	debug.SetGCPercent(400) // as the command does
	debug.SetMemoryLimit(144 << 20)
	var b bencher
	flag.IntVar(&b.runs, "runs", 10, "how often a command on one app is timed")
	flag.IntVar(&b.many, "apps", 200, "how many apps the comparison on many has")
	flag.IntVar(&b.largest, "largest", 2000, "how many apps the largest measurements of memory and of a change have")
	flag.IntVar(&b.sharded, "sharded", 20000, "how many apps are divided among shards")
	steps := flag.String("steps", "abcdefghi", "which measurements to make")
	flag.Parse()
	if err := b.bench(context.Background(), *steps); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

type bencher struct {
	work                            string
	runs, many, largest, sharded    int
	ours, kustomize, helm, conftest string
}

func (b *bencher) bench(ctx context.Context, steps string) (err error) {
	if b.work, err = os.MkdirTemp("", "nevermigrate-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.work)
	if err := b.build(); err != nil {
		return err
	}
	apps := 1
	if strings.ContainsAny(steps, "bc") {
		apps = max(b.many, b.largest)
	}
	if err := b.makeApps(max(apps, 200)); err != nil {
		return err
	}
	fmt.Printf("%s, %d cores, %s, %s\n\n", cpu(), runtime.NumCPU(), runtime.GOOS+"/"+runtime.GOARCH, runtime.Version())
	fmt.Println("| what | nevermigrate | compared with | ratio | target |")
	fmt.Println("|---|---|---|---|---|")
	for i, step := range []func(context.Context) error{b.oneApp, b.manyApps, b.memory, b.marginal, b.guard, b.probe, b.oneChange, b.shards, b.workloads} {
		if !strings.Contains(steps, string(rune('a'+i))) {
			continue
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// build builds the program and finds the stock tools, which Go builds at the
// versions that .ci/tools pins.
func (b *bencher) build() error {
	b.ours = filepath.Join(b.work, "nevermigrate")
	cmd := exec.Command("go", "build", "-o", b.ours, "./harness/cmd/nevermigrate")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as the README says
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build nevermigrate: %w\n%s", err, out)
	}
	for name, path := range map[string]*string{"kustomize": &b.kustomize, "helm": &b.helm, "conftest": &b.conftest} {
		cmd := exec.Command("go", "tool", "-n", name)
		cmd.Dir = filepath.Join(".ci", "tools")
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("build %s: %w", name, err)
		}
		*path = strings.TrimSpace(string(out))
	}
	return nil
}

// makeApps makes n apps like the fixture app that differ in their values.
func (b *bencher) makeApps(n int) error {
	if err := os.CopyFS(filepath.Join(b.work, "charts", "agents"), os.DirFS("fixtures/charts/agents")); err != nil {
		return err
	}
	for i := range n {
		if err := b.makeApp(b.app(i), i); err != nil {
			return err
		}
	}
	return nil
}

// makeApp makes the app of a number in a folder, beside charts/agents.
func (b *bencher) makeApp(dir string, i int) error {
	if err := os.CopyFS(dir, os.DirFS("fixtures/argocd/applications/agents")); err != nil {
		return err
	}
	if err := replace(filepath.Join(dir, "kustomization.yaml"), "../../../charts", "../../charts"); err != nil {
		return err
	}
	return replace(filepath.Join(dir, "values.yaml"), "NODE_ENV: production", fmt.Sprintf("NODE_ENV: production-%d", i))
}

// replace replaces a text in a file.
func replace(file, old, new string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(strings.ReplaceAll(string(text), old, new)), 0o644)
}

func (b *bencher) app(i int) string { return filepath.Join(b.work, "apps", fmt.Sprintf("app-%04d", i)) }

func (b *bencher) apps(n int) []string {
	var dirs []string
	for i := range n {
		dirs = append(dirs, b.app(i))
	}
	return dirs
}

func (b *bencher) pipeline(app string) string {
	return fmt.Sprintf("%s build --enable-helm --helm-command %s %s | %s test --policy policy -", b.kustomize, b.helm, app, b.conftest)
}

// oneApp is (a): the whole process on one app.
func (b *bencher) oneApp(ctx context.Context) error {
	app := b.app(0)
	times, err := b.inTurns(ctx,
		fmt.Sprintf("%s check %s", b.ours, app),
		b.pipeline(app),
		fmt.Sprintf("%s template agents %s -f %s/values.yaml --include-crds", b.helm, filepath.Join(b.work, "charts", "agents"), app))
	if err != nil {
		return err
	}
	row("(a) one app, whole process", times[0], "`kustomize build \\| conftest test`", times[1], "at least 5")
	fmt.Printf("| (a) the floor | %s | `helm template`: %s | %.2f | at most 1.2 |\n", duration(times[0]), duration(times[2]), times[0]/times[2])
	return nil
}

// inTurns returns the median time of each command, in seconds. A machine is not as fast
// all the time.
func (b *bencher) inTurns(ctx context.Context, commands ...string) ([]float64, error) {
	const rounds = 7
	all := make([][]float64, len(commands))
	for range rounds {
		times, err := b.hyperfine(ctx, b.runs, commands...)
		if err != nil {
			return nil, err
		}
		for i, took := range times {
			all[i] = append(all[i], took)
		}
	}
	var medians []float64
	for _, times := range all {
		medians = append(medians, median(times))
	}
	return medians, nil
}

// manyApps is (b): many apps, one run of ours against a loop over the pipeline.
func (b *bencher) manyApps(ctx context.Context) error {
	list := filepath.Join(b.work, "list")
	if err := os.WriteFile(list, []byte(strings.Join(b.apps(b.many), "\n")+"\n"), 0o644); err != nil {
		return err
	}
	loop := fmt.Sprintf("while read -r app; do %s || exit 1; done < %s", b.pipeline("$app"), list)
	ours, err := b.hyperfine(ctx, 3, fmt.Sprintf("%s check $(cat %s)", b.ours, list))
	if err != nil {
		return err
	}
	stock, err := b.hyperfine(ctx, 1, loop)
	if err != nil {
		return err
	}
	row(fmt.Sprintf("(b) %d apps", b.many), ours[0], "the same in a loop", stock[0], "at least 35")
	return nil
}

// hyperfine returns the median time of each command, in seconds.
func (b *bencher) hyperfine(ctx context.Context, runs int, commands ...string) ([]float64, error) {
	return b.prepared(ctx, runs, "", commands...)
}

// prepared is hyperfine with a command before each that is timed.
func (b *bencher) prepared(ctx context.Context, runs int, before string, commands ...string) ([]float64, error) {
	export := filepath.Join(b.work, "hyperfine.json")
	args := []string{"--style", "none", "--export-json", export, "--runs", fmt.Sprint(runs)}
	if runs > 1 {
		args = append(args, "--warmup", "1")
	}
	if before != "" {
		args = append(args, "--prepare", before)
	}
	cmd := exec.CommandContext(ctx, "hyperfine", append(args, commands...)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("hyperfine: %w", err)
	}
	text, err := os.ReadFile(export)
	if err != nil {
		return nil, err
	}
	var results struct{ Results []struct{ Median float64 } }
	if err := json.Unmarshal(text, &results); err != nil {
		return nil, err
	}
	var times []float64
	for _, result := range results.Results {
		times = append(times, result.Median)
	}
	return times, nil
}

// memory is (c): the largest resident set of one run over more and more apps.
func (b *bencher) memory(ctx context.Context) error {
	var peaks []string
	for _, n := range []int{20, 200, b.largest} {
		cmd := exec.CommandContext(ctx, b.ours, append([]string{"check", "-o", "json"}, b.apps(n)...)...)
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("check %d apps: %w", n, err)
		}
		peak, err := peakOf(cmd)
		if err != nil {
			return err
		}
		peaks = append(peaks, fmt.Sprintf("%d MiB at %d apps", peak, n))
	}
	fmt.Printf("| (c) peak memory | %s | | | under 250 MiB, flat |\n", strings.Join(peaks, ", "))
	return nil
}

// peakOf is the largest resident set of a command that ended, in MiB.
func peakOf(cmd *exec.Cmd) (int64, error) {
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, errors.New("this system does not tell the memory of a process")
	}
	return usage.Maxrss >> 10, nil
}

// marginal is (d): what one app more costs in a process that runs, against
// Helm's render of its chart in the same process.
func (b *bencher) marginal(ctx context.Context) error {
	const few, more, rounds = 10, 60, 7
	check := func(n int) func() error {
		return func() error {
			_, err := check.All(ctx, b.apps(n), check.Options{})
			return err
		}
	}
	// In turns, so that what else the machine does weighs on all alike.
	var marginals, renders []float64
	for range rounds {
		app, err := seconds(1, check(few))
		if err != nil {
			return err
		}
		apps, err := seconds(1, check(more))
		if err != nil {
			return err
		}
		render, err := seconds(20, func() error { return b.helmRender("warn") })
		if err != nil {
			return err
		}
		marginals = append(marginals, (apps-app)/(more-few))
		renders = append(renders, render)
	}
	marginal, helm := median(marginals), median(renders)
	fmt.Printf("| (d) one app more | %s | Helm's render in process: %s | %.2f | at most 1.3 |\n", duration(marginal), duration(helm), marginal/helm)
	return nil
}

// probe is (f): how many configurations of the chart the probe tries in a
// second, with its start and its end, against Helm's render in the same process.
func (b *bencher) probe(ctx context.Context) error {
	var rates, renders []float64
	var peaks []int64
	var took float64
	for _, n := range []int{500, probe.DefaultBudget, probe.DefaultBudget, probe.DefaultBudget} {
		tried := 0
		var err error
		took, err = seconds(1, func() error {
			var peak int64
			var err error
			tried, peak, err = b.probeRun(ctx, n)
			peaks = append(peaks, peak)
			return err
		})
		if err != nil {
			return err
		}
		render, err := seconds(20, func() error { return b.helmRender("warn") })
		if err != nil {
			return err
		}
		renders = append(renders, render)
		if n == probe.DefaultBudget {
			rates = append(rates, float64(tried)/took)
		}
	}
	rate, helm := median(rates), median(renders)
	fmt.Printf("| (f) probe, configurations a second | %.0f | Helm's render in process: %s, %.0f a second on one core | %.1f | at least 150 |\n", rate, duration(helm), 1/helm, rate*helm)
	fmt.Printf("| (f) probe, the whole run | %s | | | at most 20 s |\n", duration(took))
	fmt.Printf("| (f) peak memory of probe | %d MiB at 500 configurations, %d MiB for the whole run | | | at most 250 MiB |\n", peaks[0], slices.Max(peaks[1:]))
	return nil
}

// probeRun probes the chart with n configurations at most. It gives how many were
// tried, and the peak memory of the process in MiB.
func (b *bencher) probeRun(ctx context.Context, n int) (tried int, peak int64, err error) {
	cmd := exec.CommandContext(ctx, b.ours, "probe", "--output", "json", "--budget", fmt.Sprint(n), filepath.Join(b.work, "charts", "agents"))
	out, err := cmd.Output()
	var status *exec.ExitError
	if err != nil && (!errors.As(err, &status) || status.ExitCode() != 1) {
		return 0, 0, fmt.Errorf("probe: %w", err)
	}
	var report probe.Report
	if err := json.Unmarshal(out, &report); err != nil {
		return 0, 0, fmt.Errorf("read probe's report: %w", err)
	}
	peak, err = peakOf(cmd)
	return report.Summary.Configurations, peak, err
}

// guard is (e): what the chart guard adds to the time in which the chart
// renders, and of that how much while Helm is at work.
func (b *bencher) guard(ctx context.Context) error {
	with := filepath.Join(b.work, "charts", "agents")
	without := filepath.Join(b.work, "charts", "agents-without-guard")
	if err := os.CopyFS(without, os.DirFS(with)); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(without, "templates", "controllers-migrations-guard.yaml")); err != nil {
		return err
	}
	const empty = `{{ define "agents.controllersMigrationsGuard.annotations" }}{{ end }}{{ define "agents.controllersMigrationsGuard.notes" }}{{ end }}`
	if err := os.WriteFile(filepath.Join(without, "templates", "_guard.tpl"), []byte(empty), 0o644); err != nil {
		return err
	}
	template := fmt.Sprintf("%s template agents -f %s/values.yaml --include-crds", b.helm, b.app(0))
	times, err := b.inTurns(ctx,
		template+" "+without,
		template+" "+with+" --set-string controllersMigrationsGuard=enforce",
		template+" "+with+" --set-string controllersMigrationsGuard=warn")
	if err != nil {
		return err
	}
	whole := map[string]float64{"without": times[0], "enforce": times[1], "warn": times[2]}
	const rounds = 15
	inside := map[string][]float64{}
	for range rounds {
		for _, mode := range []string{"off", "enforce", "warn"} {
			took, err := seconds(10, func() error { return b.helmRender(mode) })
			if err != nil {
				return err
			}
			inside[mode] = append(inside[mode], took)
		}
	}
	bare, off := whole["without"], median(inside["off"])
	for _, row := range []struct{ mode, target string }{{"enforce", "under 1.20"}, {"warn", "none"}} {
		on := whole[row.mode]
		fmt.Printf("| (e) the chart guard: %s | `helm template`: %s | without the guard: %s | %.2f | %s |\n", row.mode, fine(on), fine(bare), on/bare, row.target)
		on = median(inside[row.mode])
		fmt.Printf("| (e) the same, Helm's SDK alone | in process: %s | off: %s | %.2f | none |\n", fine(on), fine(off), on/off)
	}
	return nil
}

// fine is a time in milliseconds, to a tenth.
func fine(seconds float64) string { return fmt.Sprintf("%.1f ms", seconds*1000) }

// helmRender renders the chart of the first app with Helm's SDK alone, with the
// chart guard in a mode.
func (b *bencher) helmRender(guard string) error {
	install := action.NewInstall(action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler)))
	install.DryRunStrategy, install.Replace, install.IncludeCRDs = action.DryRunClient, true, true
	install.ReleaseName, install.Namespace = "agents", "agents"
	version, err := common.ParseKubeVersion(render.DefaultKubeVersion)
	if err != nil {
		return err
	}
	install.KubeVersion = version
	chart, err := loader.Load(filepath.Join(b.work, "charts", "agents"))
	if err != nil {
		return err
	}
	file, err := os.Open(filepath.Join(b.app(0), "values.yaml"))
	if err != nil {
		return err
	}
	defer file.Close()
	values, err := valueloader.LoadValues(file)
	if err != nil {
		return err
	}
	values["controllersMigrationsGuard"] = guard
	_, err = install.Run(chart, values)
	return err
}

// seconds is the time that a function takes, as the mean of n runs.
func seconds(n int, f func() error) (float64, error) {
	start := time.Now()
	for range n {
		if err := f(); err != nil {
			return 0, err
		}
	}
	return time.Since(start).Seconds() / float64(n), nil
}

func median(times []float64) float64 {
	slices.Sort(times)
	return times[len(times)/2]
}

func row(what string, ours float64, with string, theirs float64, target string) {
	fmt.Printf("| %s | %s | %s: %s | %.1f | %s |\n", what, duration(ours), with, duration(theirs), theirs/ours, target)
}

func duration(seconds float64) string {
	if seconds < 1 {
		return fmt.Sprintf("%.0f ms", seconds*1000)
	}
	return fmt.Sprintf("%.1f s", seconds)
}

// cpu is the name of the processor, where it can be known.
func cpu() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(info)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
			}
		}
	}
	return "unknown processor"
}
