// Package stock finds, for tests, the command line tools that the harness must
// agree with, and the servers that they run against, built from their modules at
// the versions that the modules below .ci pin.
package stock

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Tool is the path of a tool named in .ci/tools/go.mod: kustomize, helm,
// conftest, opa. Go builds it and keeps it in its build cache.
func Tool(t testing.TB, name string) string {
	t.Helper()
	return ToolOf(t, "tools", name)
}

// ToolOf is the path of a tool named in the go.mod of a folder of .ci: tools,
// cluster, gatekeeper.
func ToolOf(t testing.TB, folder, name string) string {
	t.Helper()
	return run(t, folder, "tool", "-n", name)
}

// Source is the folder with the source of a module that the go.mod of a folder
// of .ci names.
func Source(t testing.TB, folder, module string) string {
	t.Helper()
	return run(t, folder, "list", "-m", "-f", "{{.Dir}}", module)
}

func run(t testing.TB, folder string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = filepath.Join(Root(t), ".ci", folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run go %s in .ci/%s: %v", strings.Join(args, " "), folder, err)
	}
	return strings.TrimSpace(string(out))
}

// Root is the folder of the repository.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".ci", "tools", "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("not inside the repository")
		}
	}
}
