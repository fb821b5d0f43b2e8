package check

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/proompteng/nevermigrate/harness/internal/cause"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

// searcher finds the places in the files of a target.
type searcher interface {
	// Find fills in the causes of a finding of an evaluator.
	Find(context.Context, *evaluate.Evaluator, *report.Finding) error
	// Explain fills in what decides the mode of a workload's container.
	Explain(context.Context, *evaluate.Evaluator, report.Workload, *report.ExplainedContainer) error
}

// newSearcher returns what prepares to look into a target with what was judged of it,
// the content and its workloads, and what is to be called in the end.
func newSearcher(target find.Target, what content, workloads []report.Workload, evaluators []*evaluate.Evaluator, options Options) (search func() (searcher, error), done func()) {
	remove := func() {}
	search = func() (searcher, error) {
		switch {
		case target.Kind == find.Application:
			return newApplicationSearcher(target, what, evaluators, options), nil
		case target.IsKustomization():
			return cause.NewApp(target.Path, evaluators, cause.Options{Render: options.Render}), nil
		case target.Kind == find.Chart:
			app, removeApp, err := releaseApp(target, options)
			if err != nil {
				return nil, err
			}
			remove = removeApp
			options.Render.Reads.Ignore(app)
			options.Render.Reads.Ignore(render.RealPath(app))
			// The app is in no repository.
			options.Render.Root = ""
			return chartSearcher{cause.NewApp(app, evaluators, cause.Options{Render: options.Render}), app, releaseOf(target, options).Values.Files}, nil
		}
		var all manifests
		for _, file := range what.files {
			all = append(all, cause.NewManifest(file.path, file.text, file.objects, workloads))
		}
		return all, nil
	}
	return search, func() { remove() }
}

// manifests are looked into one after the other.
type manifests []*cause.Manifest

// Find implements searcher.
func (m manifests) Find(ctx context.Context, evaluator *evaluate.Evaluator, finding *report.Finding) (err error) {
	for _, one := range m {
		err = one.Find(ctx, evaluator, finding)
		// Each of them may hold a control plane.
		if isDone := finding.Code != stated.Fallback; isDone == (err == nil) {
			return err
		}
	}
	if finding.Code == stated.Fallback && len(finding.Causes) == 0 {
		return errors.New("look for the place: no control plane is found in what was read")
	}
	return err
}

// Explain implements searcher.
func (m manifests) Explain(ctx context.Context, evaluator *evaluate.Evaluator, workload report.Workload, explained *report.ExplainedContainer) error {
	for _, one := range m {
		if err := one.Explain(ctx, evaluator, workload, explained); err != nil {
			return err
		}
		if explained.Declared {
			return nil
		}
	}
	return nil
}

// chartSearcher looks into an app that was made for a chart. The app's own files hold
// the values that were given by flags: a place in them is one in a file of these, or
// none.
type chartSearcher struct {
	*cause.App
	dir    string
	values []string
}

// Find implements searcher.
func (s chartSearcher) Find(ctx context.Context, evaluator *evaluate.Evaluator, finding *report.Finding) error {
	err := s.App.Find(ctx, evaluator, finding)
	finding.Causes = s.given(finding.Causes)
	finding.Overridden = s.given(finding.Overridden)
	if fix := finding.Fix; fix != nil && s.isOfApp(fix.File) {
		found, ok := s.inValues(fix.Path)
		if fix.File, fix.Line = found.File, found.Line; !ok {
			finding.Fix = nil
		}
		// What was tried is the values of all files together. To remove a value from
		// one of them may leave that of another.
		isSet := strings.HasPrefix(fix.Change, "set "+fix.Path+" to ")
		fix.Verified = fix.Verified && isSet && cause.CanSet(fix.File, fix.Path)
	}
	return err
}

// Explain implements searcher.
func (s chartSearcher) Explain(ctx context.Context, evaluator *evaluate.Evaluator, workload report.Workload, explained *report.ExplainedContainer) error {
	err := s.App.Explain(ctx, evaluator, workload, explained)
	explained.Chain = s.given(explained.Chain)
	return err
}

// given puts the files of the flags in the place of the app's own.
func (s chartSearcher) given(causes []report.Cause) []report.Cause {
	kept := []report.Cause{}
	for _, c := range causes {
		if s.isOfApp(c.File) {
			found, ok := s.inValues(c.Path)
			if !ok {
				continue
			}
			found.Value = c.Value
			c = found
		}
		kept = append(kept, c)
	}
	return kept
}

// inValues is the place of a path in the last file that has it.
func (s chartSearcher) inValues(path string) (report.Cause, bool) {
	for _, file := range slices.Backward(s.values) {
		if found, ok := cause.InValues(file, path); ok {
			return found, true
		}
	}
	return report.Cause{}, false
}

func (s chartSearcher) isOfApp(file string) bool {
	return filepath.Base(filepath.Dir(filepath.FromSlash(file))) == filepath.Base(s.dir)
}

// releaseApp makes an app for a chart in a folder of its own, and returns what
// removes it.
func releaseApp(t find.Target, options Options) (dir string, remove func(), err error) {
	if dir, err = os.MkdirTemp("", "nevermigrate-chart-*"); err != nil {
		return "", nil, fmt.Errorf("look into chart: %w", err)
	}
	remove = func() { _ = os.RemoveAll(dir) }
	if err := render.WriteReleaseApp(dir, t.Path, releaseOf(t, options), options.Render); err != nil {
		remove()
		return "", nil, fmt.Errorf("look into chart: %w", err)
	}
	return dir, remove, nil
}

// findCauses fills in the causes of the findings that are wanted, warnings too. A verdict
// does not depend on them: when the search fails, the finding stands and says so.
func findCauses(ctx context.Context, judged *report.Target, wanted []bool, evaluators []*evaluate.Evaluator, newSearcher func() (searcher, error)) {
	var search searcher
	var inOrder []*report.Finding // what denies first, for the search has a bound
	for _, severity := range []report.Severity{report.Deny, report.Warn} {
		for i := range judged.Findings {
			if f := &judged.Findings[i]; f.Severity == severity && wanted[i] {
				inOrder = append(inOrder, f)
			}
		}
	}
	for _, finding := range inOrder {
		if search == nil {
			var err error
			if search, err = newSearcher(); err != nil {
				finding.CausesError = relativeMessage(err)
				search = nil
				continue
			}
		}
		if err := search.Find(ctx, named(evaluators, finding.Constraint), finding); err != nil {
			finding.CausesError = relativeMessage(err)
		}
	}
}

// causesLater fills in the causes of findings of targets that are judged: of those that
// are wanted and do not come with them.
func causesLater(ctx context.Context, targets []find.Target, judged []report.Target, causesOf func([]report.Target) ([][]bool, error), evaluators []*evaluate.Evaluator, options Options) error {
	wanted, err := causesOf(judged)
	if err != nil {
		return err
	}
	options.keeper = nil // a verdict is kept with all causes or with none
	var group errgroup.Group
	group.SetLimit(options.jobs())
	for i := range judged {
		for j, f := range judged[i].Findings {
			wanted[i][j] = wanted[i][j] && len(f.Causes) == 0
		}
		at := slices.IndexFunc(targets, func(t find.Target) bool { return t.Path == judged[i].Path })
		if at < 0 || !slices.Contains(wanted[i], true) {
			continue
		}
		group.Go(func() error {
			what, err := contentOf(ctx, targets[at], options)
			if err != nil {
				return nil // of what is not there, or is no longer
			}
			search, done := newSearcher(targets[at], what, judged[i].Workloads, evaluators, options)
			defer done()
			findCauses(ctx, &judged[i], wanted[i], evaluators, search)
			return nil
		})
	}
	return group.Wait()
}

// named is the evaluator for a constraint.
func named(evaluators []*evaluate.Evaluator, constraint string) *evaluate.Evaluator {
	return evaluators[slices.IndexFunc(evaluators, func(e *evaluate.Evaluator) bool { return e.ConstraintName() == constraint })]
}
