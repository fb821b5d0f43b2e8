// Package cause finds the place in a repository that makes a finding so, by
// experiment: it changes one place of one file in memory, renders the app
// again, and looks whether the finding changes.
//
// Experiments need no knowledge of a chart's templates, and no guess is
// reported: a place is a cause because the finding changed with it, and a fix
// is verified because the finding was gone when the app was rendered with it.
package cause

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Defaults of Options.
const (
	DefaultMaxRenders = 300
	DefaultTimeout    = time.Minute
)

// maxRenderTime bounds one experiment.
const maxRenderTime = 15 * time.Second

// Options bound a search. The zero value is ready to use.
type Options struct {
	// MaxRenders bounds the renderings for one finding. Zero:
	// DefaultMaxRenders.
	MaxRenders int
	// Timeout bounds the search for the causes of all findings of an app.
	// Zero: DefaultTimeout.
	Timeout time.Duration
	// Render says how the app is rendered. A helm command is not run: the
	// embedded Helm makes all experiments.
	Render render.Options
}

// App is an app whose findings are looked into. The renderings of one finding
// serve the others. It is for one goroutine.
type App struct {
	lab     *lab
	sources *sources
	max     int
}

// New prepares to look into an app that renders.
func New(dir string, evaluators []*evaluate.Evaluator, options Options) *App {
	if options.MaxRenders == 0 {
		options.MaxRenders = DefaultMaxRenders
	}
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	options.Render.HelmCommand = ""
	// The app itself rendered; a change with which it takes longer than this is
	// no cause.
	if options.Render.Timeout == 0 || options.Render.Timeout > maxRenderTime {
		options.Render.Timeout = maxRenderTime
	}
	maxBytes := options.Render.MaxBytes
	if maxBytes == 0 {
		maxBytes = render.DefaultMaxBytes
	}
	// Overlays go by absolute paths.
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	return &App{
		max:     options.MaxRenders,
		sources: readSources(dir, maxBytes, shownPath),
		lab: &lab{
			dir: dir, options: options.Render, evaluators: evaluators,
			deadline: time.Now().Add(options.Timeout), known: map[[sha256.Size]byte]*world{},
		},
	}
}

// shownPath is a path as reports show it: relative to the working directory
// where it is near, with forward slashes.
func shownPath(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return filepath.ToSlash(path)
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	relative, err := filepath.Rel(dir, path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	return filepath.ToSlash(relative)
}

// shownFile is shownPath for a path that may be relative or a link.
func shownFile(path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	if real, err := filepath.EvalSymlinks(absolute); err == nil {
		absolute = real
	}
	return shownPath(absolute)
}

// Find fills in the causes of a finding, what they override, and a fix. It
// leaves the finding as it is when no cause can be shown. The evaluator is the
// one that made the finding.
func (a *App) Find(ctx context.Context, evaluator *evaluate.Evaluator, finding *report.Finding) (err error) {
	defer func() {
		// What an app can do to a YAML library must not cost the verdict.
		if p := recover(); p != nil {
			err = fmt.Errorf("look for the cause: %v", p)
		}
	}()
	a.lab.left = a.max
	envVar, skip := evaluator.Variable()
	s := &search{lab: a.lab, sources: a.sources, evaluator: evaluator, finding: finding, envVar: envVar, skip: skip}
	find := (*result).find
	if s.measure = s.onWorkload; finding.Workload == "" {
		find, s.measure = (*result).findAbsent, s.onTarget
	}
	var result result
	truncated, err := bounded(find(&result, ctx, s))
	if err != nil {
		return err
	}
	if len(result.causes) > 0 {
		finding.Causes = result.causes
	}
	finding.Overridden, finding.Fix = result.overridden, result.fix
	finding.CausesTruncated = truncated || a.sources.truncated()
	return nil
}

type result struct {
	causes, overridden []report.Cause
	fix                *report.Fix
}

// maxCauses bounds how many causes of one finding are reported.
const maxCauses = 5

func (r *result) find(ctx context.Context, s *search) error {
	if err := s.run(ctx); err != nil {
		r.collect(s, nil)
		return err
	}
	var templates []templateHit
	var err error
	if len(s.hits) == 0 {
		err = s.batches(ctx, s.leaves(true))
	}
	if err == nil {
		templates, err = s.overrides(ctx)
	}
	if err == nil && len(s.hits) == 0 && len(templates) == 0 {
		err = s.batches(ctx, s.leaves(false))
	}
	if err == nil && len(s.hits) == 0 && len(templates) == 0 {
		templates, err = s.writers(ctx)
	}
	r.collect(s, templates)
	if err != nil {
		return err
	}
	if len(s.binding) > 0 {
		// Whether the container or its name is wrong is for people to say; to
		// make a control plane skip would mend the finding and nothing else.
		return nil
	}
	if r.fix, err = s.fix(ctx, s.proposals(templates)); err != nil {
		return err
	}
	if len(s.hits) > 0 && isValue(s.hits[0].place, s.envVar) {
		at := containerOf{s.finding.Workload, s.finding.Namespace, s.finding.Container}
		r.overridden, err = s.chain(ctx, at, []*place{removable(s.hits[0].place)})
	}
	return err
}

// collect orders the causes: what made the finding go away before what changed
// its words, and values that an app sets before those of a chart.
func (r *result) collect(s *search, templates []templateHit) {
	slices.SortStableFunc(s.hits, func(a, b hit) int { return int(b.effect) - int(a.effect) })
	var seen []*place
	for _, p := range s.binding {
		r.causes = append(r.causes, s.causeAt(p))
	}
	for _, h := range s.hits {
		// What holds a cause is no other cause.
		if !slices.ContainsFunc(seen, func(p *place) bool { return p.under(h.place) }) {
			seen = append(seen, h.place)
			r.causes = append(r.causes, s.causeAt(h.place))
		}
	}
	for _, h := range templates {
		r.causes = append(r.causes, h.cause)
	}
	r.causes = r.causes[:min(len(r.causes), maxCauses)]
}
