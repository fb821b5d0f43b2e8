package harness

import (
	"context"
	"slices"

	"github.com/proompteng/nevermigrate/harness/cause"
	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/report"
)

// findCauses fills in the causes of the findings that deny; data is what was
// judged. A verdict does not depend on them: when the search fails, the finding
// stands without a cause.
func findCauses(ctx context.Context, judged *report.Target, target Target, data []byte, evaluators []*evaluate.Evaluator, options Options) {
	var looked *cause.App
	var read *cause.Manifest
	for i := range judged.Findings {
		finding := &judged.Findings[i]
		if finding.Severity != report.Deny {
			continue
		}
		by := evaluators[slices.IndexFunc(evaluators, func(e *evaluate.Evaluator) bool { return e.ConstraintName() == finding.Constraint })]
		if target.kind != app {
			if read == nil {
				read = cause.NewManifest(target.Path, data)
			}
			read.Find(finding)
			continue
		}
		if looked == nil {
			looked = cause.New(target.Path, evaluators, cause.Options{Render: options.Render})
		}
		_ = looked.Find(ctx, by, finding)
	}
}
