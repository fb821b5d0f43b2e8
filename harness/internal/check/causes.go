package check

import (
	"context"
	"slices"

	"github.com/proompteng/nevermigrate/harness/internal/cause"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/report"
)

// searcher finds the places in the files of a target.
type searcher interface {
	// Find fills in the causes of a finding of an evaluator.
	Find(context.Context, *evaluate.Evaluator, *report.Finding) error
	// Explain fills in what decides the mode of a workload's container.
	Explain(context.Context, *evaluate.Evaluator, report.Workload, *report.ExplainedContainer) error
}

// newSearcher prepares to look into a target with what was judged of it: its
// objects, and for manifests their text.
func newSearcher(target find.Target, objects []manifest.Object, text []byte, evaluators []*evaluate.Evaluator, options Options) searcher {
	if target.Kind == find.App {
		return cause.NewApp(target.Path, evaluators, cause.Options{Render: options.Render})
	}
	return cause.NewManifest(target.Path, text, objects)
}

// findCauses fills in the causes of the findings that deny. A verdict does not
// depend on them: when the search fails, the finding stands and says so.
func findCauses(ctx context.Context, judged *report.Target, evaluators []*evaluate.Evaluator, options Options, newSearcher func() searcher) {
	var search searcher
	var wanted []bool
	if options.CausesOf != nil {
		wanted = options.CausesOf(*judged)
	}
	for i := range judged.Findings {
		finding := &judged.Findings[i]
		if finding.Severity != report.Deny || wanted != nil && !wanted[i] {
			continue
		}
		if search == nil {
			search = newSearcher()
		}
		if err := search.Find(ctx, named(evaluators, finding.Constraint), finding); err != nil {
			finding.CausesError = relativeMessage(err)
		}
	}
}

// named is the evaluator for a constraint.
func named(evaluators []*evaluate.Evaluator, constraint string) *evaluate.Evaluator {
	return evaluators[slices.IndexFunc(evaluators, func(e *evaluate.Evaluator) bool { return e.ConstraintName() == constraint })]
}
