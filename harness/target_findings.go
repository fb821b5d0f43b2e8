package harness

import (
	"slices"

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

func absentFinding(c report.ShardConstraint, message string) report.Finding {
	return targetFinding(c, CodeAbsent, report.Deny, message, absentRemedy)
}

// fallbackFindings is CNM103: other workloads declare the variable, and none of
// them applies migrations. An unknown mode may be auto, and is no reason to warn.
func fallbackFindings(c report.ShardConstraint, workloads []report.Workload) []report.Finding {
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
	return []report.Finding{targetFinding(c, CodeFallback, report.Warn,
		"Every workload that declares the migrations variable skips migrations, so nobody applies them.",
		fallbackRemedy)}
}

// targetFinding is a finding about a whole target, under the enforcement of a
// constraint.
func targetFinding(c report.ShardConstraint, code string, severity report.Severity, message, remedy string) report.Finding {
	finding := report.Finding{
		Code: code, Severity: severity, Constraint: c.Name,
		Message: message, Remedy: remedy, Causes: []report.Cause{},
	}
	if c.Enforcement != "deny" {
		finding.Severity, finding.Enforcement = report.Warn, c.Enforcement
	}
	return finding
}
