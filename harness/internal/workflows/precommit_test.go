package workflows

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// TestPreCommit: a commit that breaks the contract is refused with the report, by each
// hook, and one that keeps it is made.
func TestPreCommit(t *testing.T) {
	lane.Full(t)
	needs(t, "pre-commit", "git")
	w := workplace{t, t.TempDir()}
	if out, err := exec.Command("pre-commit", "validate-manifest", filepath.Join(stock.Root(t), ".pre-commit-hooks.yaml")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w.snapshot(filepath.Join(w.root, "hooks"))
	at := w.commit(filepath.Join(w.root, "hooks"), "main")
	found, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	caches := strings.Fields(string(found))
	const refused = `controllers never migrate................................................Failed
- hook id: %s
- exit code: 1

apps/a: fail
  WORKLOAD           ROLE         CONTAINER  MODE
  Pod/a-controllers  controllers  main       auto

  CNM002 deny Pod/a-controllers, container main
    JANGAR_MIGRATIONS in spec.containers[0].env[0] is "auto", so the service migrates.
    Remedy: Set it to value: "skip".
    Cause: apps/a/pod.yaml:8:33 spec.containers[0].env[0].value is "auto" (resource)
    Fix (verified): in apps/a/pod.yaml:8 set spec.containers[0].env[0].value to "skip"
    Page: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM002.md

fail: the contract is broken. 1 target, 1 controllers workload, 1 container judged, 1 denied, 0 warned, 0 errors.

`
	for _, test := range []struct {
		hook, path string
	}{
		{"controllers-never-migrate-system", filepath.Dir(program(t)) + ":" + os.Getenv("PATH")},
		{"controllers-never-migrate", os.Getenv("PATH")},
	} {
		t.Run(test.hook, func(t *testing.T) {
			dir := filepath.Join(w.root, "of-"+test.hook)
			pods := filepath.Join(dir, "apps/a/pod.yaml")
			write(t, pods, fmt.Sprintf(pod, "skip"), 0o644)
			write(t, filepath.Join(dir, "apps/a/kustomization.yaml"), "resources: [pod.yaml]\n", 0o644)
			write(t, filepath.Join(dir, ".nevermigrate.yaml"), "paths: [apps]\n", 0o644)
			write(t, filepath.Join(dir, ".pre-commit-config.yaml"), fmt.Sprintf("repos:\n  - repo: %s\n    rev: %s\n    hooks:\n      - id: %s\n", filepath.Join(w.root, "hooks"), at, test.hook), 0o644)
			w.commit(dir, "main")
			env := map[string]string{
				"PATH": test.path, "HOME": w.root, "PRE_COMMIT_HOME": filepath.Join(w.root, "pre-commit"), "GOCACHE": caches[0], "GOMODCACHE": caches[1],
				"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
			}
			requireEqual(t, "install", ran{Out: "pre-commit installed at .git/hooks/pre-commit\n"}, run(t, dir, env, "pre-commit", "install"))
			if got := run(t, dir, env, "pre-commit", "install-hooks"); got.Status != 0 {
				t.Fatal(got)
			}
			before := w.git(dir, "rev-parse", "HEAD")
			write(t, pods, fmt.Sprintf(pod, "auto"), 0o644)
			requireEqual(t, "a commit that breaks it", ran{fmt.Sprintf(refused, test.hook), 1}, run(t, dir, env, "git", "commit", "-q", "-a", "-m", "break"))
			requireEqual(t, "HEAD", before, w.git(dir, "rev-parse", "HEAD"))
			write(t, pods, fmt.Sprintf(pod, `"skip"`), 0o644)
			requireEqual(t, "a commit that keeps it", ran{Out: "controllers never migrate................................................Passed\n"}, run(t, dir, env, "git", "commit", "-q", "-a", "-m", "keep"))
			if got := w.git(dir, "rev-parse", "HEAD"); got == before {
				t.Error("nothing was committed")
			}
			if test.path == os.Getenv("PATH") {
				return
			}
			// Without the program nothing passes.
			env["PATH"] = os.Getenv("PATH")
			write(t, pods, fmt.Sprintf(pod, "auto"), 0o644)
			requireEqual(t, "a commit without the program", ran{"controllers never migrate................................................Failed\n- hook id: " + test.hook + "\n- exit code: 1\n\nExecutable `nevermigrate` not found\n\n", 1},
				run(t, dir, env, "git", "commit", "-q", "-a", "-m", "break"))
		})
	}
}
