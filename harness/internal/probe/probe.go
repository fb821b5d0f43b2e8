// Package probe searches the values of a Helm chart for a configuration that
// makes controllers migrate. The gate judges one configuration; the probe looks
// at all that it can think of.
//
// Data flows one way: target → chart → places → configurations → rendered →
// judged → distinct holes → confirmed → report.
package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/proompteng/nevermigrate/harness/internal/bundle"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// Options say how to search. The zero value is ready to use.
type Options struct {
	// Values are files with values to start from, over the chart's own or the
	// app's. A later file wins.
	Values []string
	// Set, SetString and SetJSON are values as helm's --set, --set-string and
	// --set-json take them, over all others. What they set is pinned: no
	// configuration changes it.
	Set, SetString, SetJSON []string
	// ReleaseName and Namespace are those of a chart's release. Empty: the
	// chart's name, and "default". An app has its own.
	ReleaseName, Namespace string
	// Constraints are files with constraints; each is evaluated. Empty: the
	// policy's defaults.
	Constraints []string
	// Policy is a folder or a bundle with a policy to use in place of the
	// built-in one.
	Policy string
	// Verification says how a bundle must be signed.
	Verification bundle.Verification
	// Render says how charts are rendered. A helm command is not used.
	Render render.Options
	// Budget is the number of configurations to try for each chart. Zero:
	// DefaultBudget.
	Budget int
	// Seed decides which combinations are tried when the budget is too small for
	// all. The same seed gives the same report.
	Seed uint64
	// Jobs is how many configurations are tried at the same time, which makes no
	// difference to the report. Zero: one for each processor.
	Jobs int
	// Baseline is a file with holes that are known: a JSON report, or their names.
	Baseline string
	// Progress is told, now and then, how many configurations of the budget have
	// been tried. Its calls do not overlap.
	Progress func(tried, budget int)
}

// DefaultBudget is enough for all single configurations of a chart of some size.
const DefaultBudget = 5000

func (o Options) withDefaults() (Options, error) {
	if o.Budget < 0 || o.Jobs < 0 {
		return o, errors.New("budget and jobs cannot be negative")
	}
	o.Budget = cmp.Or(o.Budget, DefaultBudget)
	o.Jobs = cmp.Or(o.Jobs, runtime.GOMAXPROCS(0))
	return o, nil
}

// ErrNoControllers says that there was nothing to probe.
var ErrNoControllers = errors.New("no chart renders a controllers workload, so there is nothing to probe: check the path, the values that enable the controllers, and the constraint's controllers patterns")

// Run probes a chart, or each chart of an app, and returns the report. An error
// means that nothing can be said: no chart, a constraint, a policy or values
// that cannot be used, a base that does not render, ErrNoControllers, or a
// rendering without end.
func Run(ctx context.Context, target string, options Options) (*Report, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	var known []string
	if options.Baseline != "" {
		if known, err = loadBaseline(options.Baseline); err != nil {
			return nil, err
		}
	}
	judge, err := newJudge(ctx, options)
	if err != nil {
		return nil, err
	}
	return probeTarget(ctx, target, options, judge, known)
}

// probeTarget probes each chart of a target.
func probeTarget(ctx context.Context, target string, options Options, judge *judge, known []string) (*Report, error) {
	pins, err := readPins(options)
	if err != nil {
		return nil, err
	}
	charts, err := open(ctx, target, options)
	if err != nil {
		return nil, err
	}
	r := &Report{Version: reportVersion, Target: find.DisplayPath(target), Seed: options.Seed, Budget: options.Budget, Charts: []Chart{}, Gone: []string{}}
	probed := false
	for _, chart := range charts {
		base, err := baseOf(chart, options, pins)
		if err != nil {
			return nil, err
		}
		s := &subject{chart: chart, base: base, judge: judge, options: options.Render}
		// No command is run, and nothing takes as long as an app may.
		s.options.HelmCommand, s.options.Overlay = "", nil
		s.options.Timeout = cmp.Or(options.Render.Timeout, time.Minute)
		found, err := probeChart(ctx, s, pins, options)
		if err != nil {
			return nil, fmt.Errorf("probe chart %s: %w", chart.Loaded().Name(), err)
		}
		probed = probed || found.Base != NoControllers || found.Ended != ""
		r.Charts = append(r.Charts, *found)
	}
	if !probed {
		return nil, ErrNoControllers
	}
	r.finish(known)
	return r, nil
}

// open finds the charts of a target: a chart's folder, or an app.
func open(ctx context.Context, target string, options Options) ([]*render.Chart, error) {
	if info, err := os.Stat(target); err != nil {
		return nil, fmt.Errorf("%s: no such folder", target)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s: not a folder: name a chart or an app", target)
	}
	if render.IsChart(target) {
		chart, err := render.OpenChart(target, options.ReleaseName, cmp.Or(options.Namespace, "default"), options.Render)
		if err != nil {
			return nil, fmt.Errorf("load chart %s: %w", target, err)
		}
		return []*render.Chart{chart}, nil
	}
	if !render.IsApp(target) {
		return nil, fmt.Errorf("%s: neither a chart (a folder with a Chart.yaml) nor an app (a folder with a kustomization.yaml)", target)
	}
	if options.ReleaseName != "" || options.Namespace != "" {
		return nil, fmt.Errorf("%s: an app has its own release names and namespaces", target)
	}
	charts, err := render.Charts(ctx, target, options.Render)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", target, err)
	}
	if len(charts) == 0 {
		return nil, fmt.Errorf("%s: the app has no helmCharts, so it has no values to probe", target)
	}
	return charts, nil
}

// shownFolder is what a report calls the folder of a chart.
func shownFolder(chart *render.Chart, options render.Options) string {
	if options.Charts != nil {
		if shown, ok := options.Charts.Shown(chart.Folder); ok {
			return shown
		}
	}
	return find.DisplayPath(chart.Folder)
}

// probeChart probes one chart under its base.
func probeChart(ctx context.Context, s *subject, pins configuration, options Options) (*Chart, error) {
	found := &Chart{
		Folder: shownFolder(s.chart, options.Render), Name: s.chart.Loaded().Name(), Release: s.chart.ReleaseName, Namespace: s.chart.Namespace,
		Base: NoControllers, Coverage: Coverage{NotTaken: []Branch{}, Templates: []TemplateCoverage{}}, Holes: []Hole{},
	}
	files, refused, err := s.render(ctx, nil)
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return nil, fmt.Errorf("the base is refused, so there is nothing to compare with: %s", strings.TrimSpace(refused.Error()))
	}
	var wrote []string
	for _, file := range files {
		s.controllers += file.controllers
		s.bound = append(s.bound, file.bound...)
		if file.controllers > 0 || len(file.findings) > 0 {
			s.writers = append(s.writers, file.name)
		}
		if file.workloads > 0 {
			wrote = append(wrote, file.name)
		}
	}
	if s.watched, err = watch.New(ctx, s.chart, wrote, watch.Nothing); err != nil {
		return nil, err
	}
	atBase := outcome{verdict: Harmless}
	if len(files) > 0 {
		if atBase, err = s.try(ctx, nil); err != nil {
			return nil, err
		}
	}
	search, err := newSearch(s, pins, atBase, options)
	if err != nil {
		return nil, err
	}
	var groups []*group
	if atBase.verdict != Harmless {
		// Whatever is set, the controllers migrate; that is to be mended first.
		for _, file := range atBase.files {
			for _, w := range s.parties(file) {
				own := judgedFile{file.name, s.of(file, w)}
				groups = append(groups, &group{verdict: own.verdict(), file: file.name, who: w, judged: own.judged, count: 1, codes: own.codes()})
			}
		}
		found.Base = atBase.verdict
		found.Counts.add(atBase.verdict)
		found.Holes, err = s.confirmed(ctx, groups, nil, options.Jobs)
		return found, err
	}
	if err := search.run(ctx); err != nil {
		return nil, err
	}
	if groups, err = search.distinct(ctx); err != nil {
		return nil, err
	}
	if len(s.writers) > 0 {
		found.Base = Harmless
	} else if len(search.writers) == 0 && len(groups) == 0 {
		return found, nil
	}
	found.Counts, found.Places, found.Ended, found.Coverage = search.counts, len(search.coverage.places), search.ended, search.report()
	found.Holes, err = s.confirmed(ctx, groups, search.coverage.reads, options.Jobs)
	return found, err
}

// confirmed are the groups as holes, each with what came of confirming it.
func (s *subject) confirmed(ctx context.Context, groups []*group, reads map[watch.Place]map[int]bool, jobs int) ([]Hole, error) {
	holes := make([]Hole, len(groups))
	running, ctx := errgroup.WithContext(ctx)
	running.SetLimit(jobs)
	for i, g := range groups {
		running.Go(func() error {
			holes[i] = s.newHole(g, reads)
			if err := s.confirm(ctx, g); err != nil {
				holes[i].Unconfirmed = err.Error()
			}
			return ctx.Err()
		})
	}
	return holes, running.Wait()
}

// confirm renders a configuration once more as an app, and requires the same to
// be found there.
func (s *subject) confirm(ctx context.Context, g *group) error {
	if told := g.best.told(); told.Upgrade || told.Revision > 0 {
		return nil // a kustomization cannot say so
	}
	contents, refused, err := s.asApp(ctx, g.best)
	if err != nil {
		return err
	}
	if refused != nil {
		return fmt.Errorf("rendered as an app, it is refused: %w", refused)
	}
	j, err := s.judge.objects(ctx, contents)
	if err != nil {
		return err
	}
	if g.verdict == Vanished && j.controllers >= s.controllers {
		return fmt.Errorf("rendered as an app, it has %d controllers workloads", j.controllers)
	}
	for _, want := range g.judged.findings {
		if !slices.ContainsFunc(j.findings, func(got *finding) bool {
			return got.workload == want.workload && got.container == want.container && slices.Equal(got.codes, want.codes) && got.mode == want.mode
		}) {
			return fmt.Errorf("rendered as an app, %s has no such finding", want.workload)
		}
	}
	return nil
}
