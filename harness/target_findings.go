package harness

import (
	"slices"

	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/report"
)

// The rules that judge a whole target, not one object. They cannot stand in the
// policy, which sees one object at a time.
const (
	// CodeAbsent: no controllers workload where one is required.
	CodeAbsent = "CNM007"
	// CodeFallback: nobody applies migrations.
	CodeFallback = "CNM103"
)

const (
	absentRemedy   = "Check the path, the values that enable the controllers, and the constraint's controllers patterns and match. Pass --allow-absent when there are none on purpose."
	fallbackRemedy = "Set the control plane's variable to auto, unless migrations are applied by hand for now."
)

// targetRules are their texts, in the shape that the annotations of the policy
// have.
var targetRules = []report.Rule{
	{
		Code: CodeAbsent, Severity: report.Deny,
		Title:       "There is no controllers workload",
		Description: "Where one is required and none is found, the check says nothing about controllers.",
		Remedy:      absentRemedy,
	},
	{
		Code: CodeFallback, Severity: report.Warn,
		Title:       "Nobody applies migrations",
		Description: "Other workloads declare the variable, and all of them skip migrations: the emergency fallback is in force.",
		Remedy:      fallbackRemedy,
	},
}

func hasControllers(workloads []report.Workload) bool {
	return slices.ContainsFunc(workloads, func(w report.Workload) bool { return w.Role == report.Controllers })
}

func absentFinding(evaluator *evaluate.Evaluator, message string) report.Finding {
	return targetFinding(evaluator, CodeAbsent, report.Deny, message, absentRemedy)
}

// fallbackFindings is CNM103: other workloads declare the variable, and none of
// them applies migrations. An unknown mode may be auto, and is no reason to warn.
func fallbackFindings(evaluator *evaluate.Evaluator, workloads []report.Workload) []report.Finding {
	declared := false
	for _, workload := range workloads {
		if workload.Role != report.ControlPlane {
			continue
		}
		for _, container := range workload.Containers {
			if container.Mode != report.Skip {
				return nil
			}
			declared = true
		}
	}
	if !declared {
		return nil
	}
	return []report.Finding{targetFinding(evaluator, CodeFallback, report.Warn,
		"Every workload that declares the migrations variable skips migrations, so nobody applies them.",
		fallbackRemedy)}
}

// targetFinding is a finding about a whole target, under the enforcement of the
// evaluator's constraint.
func targetFinding(evaluator *evaluate.Evaluator, code string, severity report.Severity, message, remedy string) report.Finding {
	finding := report.Finding{
		Code: code, Severity: severity, Constraint: evaluator.ConstraintName(),
		Message: message, Remedy: remedy, Causes: []report.Cause{},
	}
	if action := evaluator.EnforcementAction(); action != "deny" {
		finding.Severity, finding.Enforcement = report.Warn, action
	}
	return finding
}

// absentEverywhere is CNM007 over all targets: a folder in which no app has
// controllers, a manifest without any, and a constraint that bound nothing
// while others did. Targets that must have controllers by themselves speak for
// themselves.
func absentEverywhere(targets []Target, judged []report.Target, evaluators []*evaluate.Evaluator) []report.Target {
	undecided := slices.ContainsFunc(judged, func(t report.Target) bool { return t.Error != "" })
	if undecided {
		// The missing controllers may be in what could not be judged, and the
		// exit status says already that nothing is proven.
		return nil
	}
	if len(targets) == 0 {
		return []report.Target{{Path: ".", Findings: []report.Finding{absentFinding(evaluators[0],
			"There is no app and no manifest, so the check says nothing about controllers.")}}}
	}
	var extra []report.Target
	found := slices.ContainsFunc(judged, func(t report.Target) bool { return hasControllers(t.Workloads) })
	if !found {
		for i, target := range targets {
			if target.required {
				continue
			}
			finding := absentFinding(evaluators[0], "No controllers workload was found anywhere, so the check says nothing about controllers.")
			if target.kind != app {
				doubtful := slices.IndexFunc(judged[i].Findings, func(f report.Finding) bool { return f.Code == CodeFallback })
				if doubtful < 0 {
					doubtful = len(judged[i].Findings)
				}
				judged[i].Findings = slices.Insert(judged[i].Findings, doubtful, finding)
				continue
			}
			path := displayPath(target.argument)
			if !slices.ContainsFunc(extra, func(t report.Target) bool { return t.Path == path }) {
				extra = append(extra, report.Target{Path: path, Findings: []report.Finding{finding}})
			}
		}
		return extra
	}
	for _, evaluator := range evaluators {
		bound := slices.ContainsFunc(judged, func(t report.Target) bool {
			return slices.ContainsFunc(t.Workloads, func(w report.Workload) bool {
				return w.Role == report.Controllers && w.Constraint == evaluator.ConstraintName()
			})
		})
		if !bound {
			extra = append(extra, report.Target{Path: displayPath(evaluator.Constraint().File), Findings: []report.Finding{
				absentFinding(evaluator, "The constraint binds no controllers workload of any target, so it checks nothing.")}})
		}
	}
	return extra
}
