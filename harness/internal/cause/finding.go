package cause

import (
	"context"
	"slices"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

// mends reports whether the finding is gone from what is rendered. A container
// that is gone too, or that has another role, proves nothing.
func (s *search) mends(ctx context.Context, after *rendering) bool {
	if s.finding.Code == stated.Fallback {
		judged := after.judge(ctx, container{}, s.evaluator)
		return judged != nil && roleOf(judged.Workloads, s.container) == s.role && !stated.NobodyMigrates(s.evaluator.ConstraintName(), judged.Workloads)
	}
	if s.finding.Workload == "" { // no controllers workload was rendered
		judged := after.judge(ctx, container{}, s.experiments.evaluators...)
		return judged != nil && hasControllers(judged)
	}
	judged := after.judge(ctx, s.container, s.evaluator)
	return judged != nil && len(judged.Workloads) > 0 && (s.container.name == "" || roleOf(judged.Workloads, s.container) == s.role) &&
		count(judged.Findings, s.finding) < count(s.before.Findings, s.finding) &&
		(s.finding.Severity == report.Deny || s.about(judged.Findings) < s.about(s.before.Findings))
}

// about counts the findings about the container: a warning that something worse
// takes the place of is not mended.
func (s *search) about(findings []report.Finding) (n int) {
	for _, f := range findings {
		if f.Workload == s.container.workload && f.Namespace == s.container.namespace && f.Container == s.container.name {
			n++
		}
	}
	return n
}

func hasControllers(judged *evaluate.Result) bool {
	return slices.ContainsFunc(judged.Workloads, func(w report.Workload) bool { return w.Role == report.Controllers })
}

// binds reports whether the contract binds a container.
func binds(workloads []report.Workload, at container) bool {
	return roleOf(workloads, at) == report.Controllers
}

// roleOf is the role of a container that is not exempt, or empty. When one of
// several of that name is bound, so is it.
func roleOf(workloads []report.Workload, at container) (role report.Role) {
	for _, w := range workloads {
		if w.Kind+"/"+w.Name == at.workload && w.Namespace == at.namespace && role != report.Controllers &&
			slices.ContainsFunc(w.Containers, func(c report.Container) bool { return c.Name == at.name && !c.Exempt }) {
			role = w.Role
		}
	}
	return role
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
