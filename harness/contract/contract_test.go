package contract_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/contract"
)

// TestControllersNeverMigrate is all that a repository needs.
func TestControllersNeverMigrate(t *testing.T) {
	contract.Assert(t, "../../fixtures/argocd/applications/agents", harness.Options{})
}

// recorder stands in for a test and notes what Assert says.
type recorder struct{ failure, log string }

func (r *recorder) Helper()                           {}
func (r *recorder) Context() context.Context          { return context.Background() }
func (r *recorder) Fatalf(format string, args ...any) { r.failure = fmt.Sprintf(format, args...) }
func (r *recorder) Logf(format string, args ...any)   { r.log = fmt.Sprintf(format, args...) }

func TestAssertFails(t *testing.T) {
	for name, test := range map[string]struct{ manifest, wantFailure, wantLog string }{
		"holds": {pod("skip"), "", ""},
		"is broken": {pod("auto"), `controllers-never-migrate:
DIR/pod.yaml: fail
  WORKLOAD           ROLE         CONTAINER  MODE
  Pod/x-controllers  controllers  main       auto

  CNM002 deny Pod/x-controllers, container main
    JANGAR_MIGRATIONS in spec.containers[0].env[0] is "auto", so the service migrates.
    Remedy: Set it to value: "skip".
    Cause: DIR/pod.yaml:6:50 spec.containers[0].env[0].value is "auto" (resource)
    Page: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM002.md

fail: the contract is broken. 1 target, 1 controllers workload, 1 container judged, 1 denied, 0 warned, 0 errors.
`, ""},
		"warns": {pod("'off'"), "", `controllers-never-migrate:
DIR/pod.yaml: pass
  WORKLOAD           ROLE         CONTAINER  MODE
  Pod/x-controllers  controllers  main       skip

  CNM101 warn Pod/x-controllers, container main
    JANGAR_MIGRATIONS in spec.containers[0].env[0] is "off", another spelling of "skip".
    Remedy: Set it to value: "skip".
    Cause: DIR/pod.yaml:6:50 spec.containers[0].env[0].value is "off" (resource)
    Page: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM101.md

pass: the contract holds. 1 target, 1 controllers workload, 1 container judged, 0 denied, 1 warned, 0 errors.
`},
		"cannot be decided": {"kind: [", `controllers-never-migrate:
DIR/pod.yaml: error
  read DIR/pod.yaml: document 1: line 1: did not find expected node content

error: it could not be decided. 1 target, 0 controllers workloads, 0 containers judged, 0 denied, 0 warned, 1 error.
`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "pod.yaml")
			if err := os.WriteFile(file, []byte(test.manifest), 0o600); err != nil {
				t.Fatal(err)
			}
			var got recorder
			contract.Assert(&got, file, harness.Options{})
			if diff := cmp.Diff(test.wantFailure, strings.ReplaceAll(got.failure, dir, "DIR")); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.wantLog, strings.ReplaceAll(got.log, dir, "DIR")); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
	var got recorder
	contract.Assert(&got, "gone", harness.Options{})
	if want := "controllers-never-migrate: gone: no such file or folder"; got.failure != want {
		t.Errorf("failure %q, want %q", got.failure, want)
	}
}

func pod(value string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: x-controllers}\nspec:\n  containers:\n" +
		"  - {name: main, env: [{name: JANGAR_MIGRATIONS, value: " + value + "}]}\n"
}
