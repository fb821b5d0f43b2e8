package check

import (
	"context"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Explain tells what decides the mode of each container of the workloads that
// the contract binds or that declare the variable. What goes wrong with one
// target stands in the explanation, as its Error.
func Explain(ctx context.Context, paths []string, options Options) (*report.Explanation, error) {
	found, deploys, err := options.found(ctx, paths)
	if err != nil {
		return nil, err
	}
	defer deploys.close()
	evaluators, err := loadEvaluators(ctx, options)
	if err != nil {
		return nil, err
	}
	explanation := &report.Explanation{Version: report.Version, Targets: []report.ExplainedTarget{}}
	for _, target := range found.Targets {
		explained := report.ExplainedTarget{Path: target.Path}
		what, err := contentOf(ctx, target, options)
		if err == nil {
			explained.Workloads, err = explain(ctx, target, what, evaluators, options)
		}
		if err != nil {
			explained.Error, explained.Workloads = relativeMessage(err), []report.ExplainedWorkload{}
		}
		explanation.Targets = append(explanation.Targets, explained)
	}
	return explanation, nil
}

func explain(ctx context.Context, t find.Target, what content, evaluators []*evaluate.Evaluator, options Options) ([]report.ExplainedWorkload, error) {
	var judged report.Target
	if _, err := evaluateAll(ctx, &judged, what.objects, evaluators, options); err != nil {
		return nil, err
	}
	newSearch, done := newSearcher(t, what, judged.Workloads, evaluators, options)
	defer done()
	search, err := newSearch()
	if err != nil {
		return nil, err
	}
	explained := []report.ExplainedWorkload{}
	for _, workload := range judged.Workloads {
		one := report.ExplainedWorkload{
			Kind: workload.Kind, Namespace: workload.Namespace, Name: workload.Name,
			Role: workload.Role, Constraint: workload.Constraint, Containers: []report.ExplainedContainer{},
		}
		for _, container := range workload.Containers {
			shown := report.ExplainedContainer{Container: container, Chain: []report.Cause{}}
			if err := search.Explain(ctx, named(evaluators, workload.Constraint), workload, &shown); err != nil {
				return nil, err
			}
			one.Containers = append(one.Containers, shown)
		}
		explained = append(explained, one)
	}
	return explained, nil
}
