// Package contract asserts, in anybody's `go test`, that controllers never
// migrate:
//
//	func TestControllersNeverMigrate(t *testing.T) {
//		contract.Assert(t, "argocd/applications/agents", harness.Options{})
//	}
package contract

import (
	"context"
	"strings"

	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/report"
)

// TB is the part of testing.TB that Assert needs.
type TB interface {
	Helper()
	Context() context.Context
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// Assert fails the test when the contract is broken, or cannot be decided, for
// the app or the manifest at path, which is relative to the test's package. The
// failure shows the report as `nevermigrate check` prints it; warnings are
// logged.
func Assert(t TB, path string, options harness.Options) {
	t.Helper()
	result, err := harness.Check(t.Context(), path, options)
	if err != nil {
		t.Fatalf("controllers-never-migrate: %v", err)
		return
	}
	var table strings.Builder
	if err := harness.Write(t.Context(), &table, result, "table", harness.WriteOptions{}); err != nil {
		t.Fatalf("controllers-never-migrate: %v", err)
		return
	}
	if result.ExitStatus(false) != report.ExitHolds {
		t.Fatalf("controllers-never-migrate:\n%s", table.String())
		return
	}
	if result.Summary.Warned > 0 {
		t.Logf("controllers-never-migrate:\n%s", table.String())
	}
}
