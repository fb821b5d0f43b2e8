package harness_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"

	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/report"
)

// One call renders an app, judges it, and returns the report.
func ExampleCheck() {
	result, err := harness.Check(context.Background(), "../fixtures/argocd/applications/agents", harness.Options{})
	if err != nil {
		log.Fatal(err)
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

// A report is written in any of the formats of the command line.
func ExampleWrite() {
	ctx := context.Background()
	result, err := harness.Check(ctx, "../fixtures/cases/job-auto", harness.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if err := harness.Write(ctx, os.Stdout, result, "table", harness.WriteOptions{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// ../fixtures/cases/job-auto: fail
	//   WORKLOAD                ROLE         CONTAINER           MODE
	//   Job/agents-controllers  controllers  agents-controllers  auto
	//
	//   CNM002 deny Job/agents-controllers in namespace agents, container agents-controllers
	//     JANGAR_MIGRATIONS in spec.template.spec.containers[0].env[0] is "auto", so the service migrates.
	//     Remedy: Set it to value: "skip".
	//     Cause: ../fixtures/cases/job-auto/workload.yaml:16:15 spec.template.spec.containers[0].env[0].value is "auto" (resource)
	//     Fix (verified): in ../fixtures/cases/job-auto/workload.yaml:16 set spec.template.spec.containers[0].env[0].value to "skip"
	//     Page: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM002.md
	//
	// fail: the contract is broken. 1 target, 1 controllers workload, 1 container judged, 1 denied, 0 warned, 0 errors.
}

// An explanation tells which place decides the mode of each container.
func ExampleExplain() {
	explanation, err := harness.Explain(context.Background(), []string{"../fixtures/cases/job-auto"}, harness.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if err := harness.WriteExplanation(os.Stdout, explanation); err != nil {
		log.Fatal(err)
	}
	// Output:
	// ../fixtures/cases/job-auto
	//   Job/agents-controllers in namespace agents (controllers)
	//     agents-controllers: auto
	//       Decided by: ../fixtures/cases/job-auto/workload.yaml:16:15 spec.template.spec.containers[0].env[0].value is "auto" (resource)
}

// The manifests are those that Argo CD would apply.
func ExampleRender() {
	manifests, err := harness.Render(context.Background(), "../fixtures/argocd/applications/agents", harness.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(bytes.Count(manifests, []byte("\nkind: Deployment\n")), "Deployments")
	// Output:
	// 2 Deployments
}

// Each machine checks its part, and the reports are joined.
func ExampleMerge() {
	ctx := context.Background()
	var parts []*report.Report
	for k := 1; k <= 2; k++ {
		part, err := harness.Check(ctx, "../fixtures/argocd/applications", harness.Options{Shard: harness.Shard{K: k, N: 2}})
		if err != nil {
			log.Fatal(err)
		}
		parts = append(parts, part)
	}
	whole, err := harness.Merge(ctx, parts)
	if err != nil {
		log.Fatal(err)
	}
	for _, target := range whole.Targets {
		fmt.Println(target.Path, target.Status)
	}
	// Output:
	// ../fixtures/argocd/applications/agents pass
	// ../fixtures/argocd/applications/agents-guarded pass
}
