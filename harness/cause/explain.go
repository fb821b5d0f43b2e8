package cause

import (
	"context"

	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Chain returns what decides the mode of a container: the place that does
// first, then those that would if the ones before were not there. It is empty
// when nothing declares the variable. Truncated says that the search ended at
// its bound.
func (a *App) Chain(ctx context.Context, evaluator *evaluate.Evaluator, workload report.Workload, container string) (chain []report.Cause, truncated bool, err error) {
	a.lab.left = a.max
	envVar, skip := evaluator.Variable()
	at := containerOf{workload.Kind + "/" + workload.Name, workload.Namespace, container}
	s := &search{
		lab: a.lab, sources: a.sources, evaluator: evaluator, envVar: envVar, skip: skip,
		finding: &report.Finding{Workload: at.workload, Namespace: at.namespace, Container: container},
	}
	base, err := a.lab.render(ctx, nil)
	if err != nil {
		truncated, err = bounded(err)
		return nil, truncated, err
	}
	s.rendered = base.declared(at, envVar)
	if !s.rendered.declared {
		return nil, false, nil
	}
	chain, err = s.chain(ctx, at, nil)
	truncated, err = bounded(err)
	return chain, truncated || a.sources.truncated(), err
}
