// Package cause finds the place in a repository that makes a finding so, and the
// places that decide the mode of a container. It does both by experiment: it
// changes one place of one file in memory, renders the app again, and looks
// whether anything changes.
//
// Experiments need no knowledge of a chart's templates, and no guess is
// reported: a place is a cause because the finding changed with it, and a fix
// is verified because the finding was gone when the app was rendered with it.
package cause

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

// maxTime bounds the search for all findings or containers of an app.
const maxTime = time.Minute

// maxRenderTime bounds one experiment: the app itself rendered, and a change with
// which it takes longer is no cause.
const maxRenderTime = 15 * time.Second

// Options bound a search. The zero value is ready to use.
type Options struct {
	// MaxRenders bounds the renderings for one finding or container. Zero: 300.
	MaxRenders int
	// Render says how the app is rendered. A helm command is not run: the
	// embedded Helm makes all experiments.
	Render render.Options
}

// App is an app that is looked into. The renderings of one search serve the
// others. It is for one goroutine.
type App struct {
	experiments *experiments
	sources     *sources
	maxRenders  int
}

// NewApp prepares to look into an app that renders.
func NewApp(dir string, evaluators []*evaluate.Evaluator, options Options) *App {
	// Changed files go by absolute paths.
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	files := newSources(cmp.Or(options.Render.MaxBytes, render.DefaultMaxBytes), options.Render.Reads)
	files.downloaded = options.Render.Charts
	files.kustomization(dir, "")
	return newApp(files, func(ctx context.Context, options render.Options) ([]map[string]any, error) {
		return render.Objects(ctx, dir, options)
	}, evaluators, options)
}

// Deployment is an app that something else renders, such as Argo CD.
type Deployment struct {
	// Objects renders it, with the overlay of the options.
	Objects func(ctx context.Context, options render.Options) ([]map[string]any, error)
	// Applications are the files with the Application or what makes it; Folders hold
	// kustomizations or charts, Manifests are files with objects, and Values are files
	// with values.
	Applications, Folders, Manifests, Values []string
}

// NewDeployment prepares to look into a deployment that renders.
func NewDeployment(d Deployment, evaluators []*evaluate.Evaluator, options Options) *App {
	files := newSources(cmp.Or(options.Render.MaxBytes, render.DefaultMaxBytes), options.Render.Reads)
	files.downloaded = options.Render.Charts
	for _, file := range d.Applications {
		files.file(files.realPath(file), source{layer: report.ApplicationLayer})
	}
	for _, file := range d.Values {
		files.file(files.realPath(file), source{layer: report.ValuesFile})
	}
	for _, file := range d.Manifests {
		files.file(files.realPath(file), source{layer: report.Resource})
	}
	for _, folder := range d.Folders {
		folder = files.realPath(folder)
		files.kustomization(folder, "")
		if files.isChart(folder) {
			c := &chart{}
			c.top = c
			for _, file := range d.Values {
				if values := root(files.file(files.realPath(file), source{layer: report.ValuesFile})); values != nil {
					c.set = append(c.set, values)
				}
			}
			files.chart(c, tree{folder: folder, reads: files.reads})
			files.readFiles(c)
		}
	}
	return newApp(files, d.Objects, evaluators, options)
}

func newApp(files *sources, objects func(context.Context, render.Options) ([]map[string]any, error), evaluators []*evaluate.Evaluator, options Options) *App {
	options.Render.HelmCommand = ""
	options.Render.Timeout = min(cmp.Or(options.Render.Timeout, maxRenderTime), maxRenderTime)
	return &App{
		maxRenders: cmp.Or(options.MaxRenders, 300), sources: files,
		experiments: &experiments{
			objects: objects, options: options.Render, evaluators: evaluators,
			deadline: time.Now().Add(maxTime), known: map[[sha256.Size]byte]*rendering{},
		},
	}
}

// shownPath is a path as reports show it: relative to the working directory,
// with forward slashes.
func shownPath(path string) string {
	path = render.RealPath(path)
	if dir, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(render.RealPath(dir), path); err == nil {
			path = relative
		}
	}
	return filepath.ToSlash(path)
}

// Find fills in the causes of a finding, what they override, and a fix. It
// leaves the finding as it is when no cause can be shown, and when it returns an
// error. The evaluator is the one that made the finding.
func (a *App) Find(ctx context.Context, evaluator *evaluate.Evaluator, finding *report.Finding) (err error) {
	defer recovered(&err)
	s := a.search(evaluator, container{finding.Workload, finding.Namespace, finding.Container}, finding)
	switch {
	case finding.Code == stated.Fallback:
		s.findFallback(ctx)
	case finding.Workload == "":
		s.findAbsent(ctx)
	case finding.Code == resemblance:
		s.findResemblance(ctx)
	default:
		s.findCauses(ctx)
	}
	if finding.CausesTruncated, err = a.ended(s.err); err != nil {
		return err
	}
	if causes := s.causes(); len(causes) > 0 {
		finding.Causes = causes
	} else if !finding.CausesTruncated {
		finding.CausesError = s.notFound()
	}
	finding.Overridden, finding.Fix = s.overridden, s.fix
	return nil
}

// notFound says that no cause was found, where there must be one.
func (s *search) notFound() string {
	switch {
	case s.entry != lastEntry:
		return "env declares the variable, and the place was not found"
	case s.finding.Severity == report.Warn && s.finding.Code != stated.Absent:
		return "the place was not found"
	default:
		return ""
	}
}

// ended tells how a search ended: at a bound, or with an error.
func (a *App) ended(err error) (truncated bool, _ error) {
	switch {
	case errors.Is(err, errBound):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("look for the cause: %w", err)
	default:
		return a.sources.placesLeft < 0, nil
	}
}

// Explain fills in what decides the mode of a container: the place that does
// first, then those that would if the ones before were not there.
func (a *App) Explain(ctx context.Context, evaluator *evaluate.Evaluator, workload report.Workload, explained *report.ExplainedContainer) (err error) {
	defer recovered(&err)
	at := container{workload.Kind + "/" + workload.Name, workload.Namespace, explained.Name}
	s := a.search(evaluator, at, &report.Finding{})
	s.rendered = s.declaration(s.base(ctx))
	explained.Declared, explained.Chain = s.rendered.declared, s.causesOf(s.chain(ctx, nil))
	explained.Truncated, err = a.ended(s.err)
	return err
}

// recovered turns a panic into an error: what an app can do to a YAML library
// must not cost the verdict.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("look for the cause: %v", p)
	}
}

func (a *App) search(evaluator *evaluate.Evaluator, at container, finding *report.Finding) *search {
	a.experiments.left = a.maxRenders
	envVar, skip := evaluator.Variable()
	right := skip
	if finding.Code == typo || finding.Code == stated.Fallback {
		right = auto
	}
	return &search{
		experiments: a.experiments, sources: a.sources, evaluator: evaluator,
		container: at, entry: lastEntry, finding: finding, envVar: envVar, skip: skip, right: right,
	}
}
