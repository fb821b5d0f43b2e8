package appset

import "github.com/proompteng/nevermigrate/harness/internal/argocd/api"

// warningsOf are those fields by which a live Application may differ from what is
// made here. Strategies and preservedFields are none of them: the first change
// when an Application is updated, the second keep annotations and labels of the
// Application itself.
func warningsOf(set *api.ApplicationSet, top spot) []Warning {
	var warnings []Warning
	if policy := set.Spec.SyncPolicy; policy != nil && policy.ApplicationsSync != nil {
		switch *policy.ApplicationsSync {
		case "create-only", "create-delete":
			warnings = append(warnings, Warning{
				top.path("spec", "syncPolicy", "applicationsSync").place(),
				*policy.ApplicationsSync + ": Applications that are there are not updated, so live ones may differ from what Git says",
			})
		}
	}
	for i := range set.Spec.IgnoreApplicationDifferences {
		warnings = append(warnings, Warning{
			top.path("spec", "ignoreApplicationDifferences").item(i).place(),
			"fields of Applications that are there stay as they are, so live ones may differ from what Git says",
		})
	}
	return warnings
}
