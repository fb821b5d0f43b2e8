package harness_test

import (
	"context"
	"fmt"

	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/report"
)

// One call renders an app, judges it, and returns the report.
func ExampleCheck() {
	result, err := harness.Check(context.Background(), "../fixtures/argocd/applications/agents", harness.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, workload := range result.Targets[0].Workloads {
		for _, container := range workload.Containers {
			fmt.Println(workload.Role, workload.Name, container.Name, container.Mode)
		}
	}
	fmt.Println(result.ExitStatus(false) == report.ExitHolds)
	// Output:
	// control-plane agents agents auto
	// controllers agents-controllers agents-controllers skip
	// true
}
