package cause

import (
	"context"
	"slices"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/report"
)

// mends reports whether the finding is gone from what is rendered. A container
// that is gone too, or that the contract no longer binds, proves nothing.
func (s *search) mends(ctx context.Context, after *rendering) bool {
	if s.finding.Workload == "" { // no controllers workload was rendered
		judged := after.judge(ctx, container{}, s.experiments.evaluators...)
		return judged != nil && hasControllers(judged)
	}
	judged := after.judge(ctx, s.container, s.evaluator)
	return judged != nil && len(judged.Workloads) > 0 && (s.container.name == "" || binds(judged.Workloads, s.container)) &&
		count(judged.Findings, s.finding) < count(s.before.Findings, s.finding)
}

func hasControllers(judged *evaluate.Result) bool {
	return slices.ContainsFunc(judged.Workloads, func(w report.Workload) bool { return w.Role == report.Controllers })
}

// binds reports whether the contract binds a container.
func binds(workloads []report.Workload, at container) bool {
	return slices.ContainsFunc(workloads, func(w report.Workload) bool {
		return w.Role == report.Controllers && w.Kind+"/"+w.Name == at.workload && w.Namespace == at.namespace &&
			slices.ContainsFunc(w.Containers, func(c report.Container) bool { return c.Name == at.name && !c.Exempt })
	})
}

// count counts the findings of the same code about the same container.
func count(findings []report.Finding, like *report.Finding) int {
	n := 0
	for _, f := range findings {
		if f.Code == like.Code && f.Constraint == like.Constraint && f.Workload == like.Workload && f.Namespace == like.Namespace && f.Container == like.Container {
			n++
		}
	}
	return n
}
