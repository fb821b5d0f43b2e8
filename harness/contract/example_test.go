package contract_test

import (
	"context"
	"fmt"

	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/contract"
)

// printer stands for the *testing.T of a test, and prints what it is told.
type printer struct{}

func (printer) Helper()                           {}
func (printer) Context() context.Context          { return context.Background() }
func (printer) Fatalf(format string, args ...any) { fmt.Printf(format, args...) }
func (printer) Logf(format string, args ...any)   { fmt.Printf(format, args...) }

// In a test t is its *testing.T. The app of this example is broken.
func ExampleAssert() {
	t := printer{}
	contract.Assert(t, "../../fixtures/cases/job-auto", harness.Options{})
	// Output:
	// controllers-never-migrate:
	// ../../fixtures/cases/job-auto: fail
	//   WORKLOAD                ROLE         CONTAINER           MODE
	//   Job/agents-controllers  controllers  agents-controllers  auto
	//
	//   CNM002 deny Job/agents-controllers in namespace agents, container agents-controllers
	//     JANGAR_MIGRATIONS in spec.template.spec.containers[0].env[0] is "auto", so the service migrates.
	//     Remedy: Set it to value: "skip".
	//     Cause: ../../fixtures/cases/job-auto/workload.yaml:16:15 spec.template.spec.containers[0].env[0].value is "auto" (resource)
	//     Fix (verified): in ../../fixtures/cases/job-auto/workload.yaml:16 set spec.template.spec.containers[0].env[0].value to "skip"
	//     Page: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM002.md
	//
	// fail: the contract is broken. 1 target, 1 controllers workload, 1 container judged, 1 denied, 0 warned, 0 errors.
}
