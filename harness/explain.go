package harness

import (
	"context"
	"slices"

	"github.com/proompteng/nevermigrate/harness/cause"
	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Explain tells what decides the mode of each container of the workloads that
// the contract binds or that declare the variable. What goes wrong with one
// target stands in the explanation, as its Error.
func Explain(ctx context.Context, paths []string, options Options) (*report.Explanation, error) {
	targets, err := FindTargets(paths)
	if err != nil {
		return nil, err
	}
	evaluators, err := loadEvaluators(ctx, options)
	if err != nil {
		return nil, err
	}
	explanation := &report.Explanation{Version: report.Version, Targets: []report.ExplainedTarget{}}
	for _, target := range targets {
		explained := report.ExplainedTarget{Path: target.Path}
		if explained.Workloads, err = target.explain(ctx, evaluators, options); err != nil {
			explained.Error, explained.Workloads = relativeMessage(err), []report.ExplainedWorkload{}
		}
		explanation.Targets = append(explanation.Targets, explained)
	}
	return explanation, nil
}

func (t Target) explain(ctx context.Context, evaluators []*evaluate.Evaluator, options Options) ([]report.ExplainedWorkload, error) {
	objects, manifests, err := t.objects(ctx, options)
	if err != nil {
		return nil, err
	}
	var judged report.Target
	if err := t.evaluate(ctx, &judged, objects, evaluators, options); err != nil {
		return nil, err
	}
	var looked *cause.App
	var read *cause.Manifest
	if t.kind == app {
		looked = cause.New(t.Path, evaluators, cause.Options{Render: options.Render})
	} else {
		read = cause.NewManifest(t.Path, manifests)
	}
	explained := []report.ExplainedWorkload{}
	for _, workload := range judged.Workloads {
		by := evaluators[slices.IndexFunc(evaluators, func(e *evaluate.Evaluator) bool { return e.ConstraintName() == workload.Constraint })]
		one := report.ExplainedWorkload{
			Kind: workload.Kind, Namespace: workload.Namespace, Name: workload.Name,
			Role: workload.Role, Constraint: workload.Constraint, Containers: []report.ExplainedContainer{},
		}
		for _, container := range workload.Containers {
			shown := report.ExplainedContainer{Container: container}
			if looked != nil {
				if shown.Chain, shown.Truncated, err = looked.Chain(ctx, by, workload, container.Name); err != nil {
					return nil, err
				}
			} else {
				envVar, _ := by.Variable()
				shown.Chain = read.Chain(envVar, workload, container.Name)
			}
			if shown.Chain == nil {
				shown.Chain = []report.Cause{}
			}
			one.Containers = append(one.Containers, shown)
		}
		explained = append(explained, one)
	}
	return explained, nil
}
