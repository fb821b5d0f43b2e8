// Package stock finds, for tests, the command line tools that the harness must
// agree with, and the servers that they run against, built from their modules at
// the versions that the modules below .ci pin.
package stock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// Modules are the folders in Go's module cache of the modules with these paths,
// downloaded when they are not there. The go.mod of a folder of .ci requires
// each directly.
//
// The modules are named: Go then needs no other module than these, not even
// their go.mod files, and checks each against go.sum. What go.sum lacks Go would
// take on trust and add, so that is looked at first.
func Modules(t testing.TB, folder string, paths []string) map[string]string {
	t.Helper()
	dir := filepath.Join(Root(t), ".ci", folder)
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	paths = slices.Compact(slices.Sorted(slices.Values(paths)))
	command := exec.Command("go", append([]string{"mod", "download", "-json"}, paths...)...)
	command.Dir = dir
	command.Stderr = os.Stderr
	out, commandErr := command.Output()
	folders := map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var module struct{ Path, Version, Dir, Sum, Error string }
		if err := decoder.Decode(&module); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v: %v", command, err)
		}
		if module.Error != "" {
			t.Fatalf("download %s: %s", module.Path, module.Error)
		}
		line := fmt.Sprintf("%s %s %s\n", module.Path, module.Version, module.Sum)
		if module.Sum == "" || !bytes.Contains(sums, []byte(line)) {
			t.Fatalf(".ci/%s/go.sum lacks %s", folder, line)
		}
		folders[module.Path] = module.Dir
	}
	if commandErr != nil {
		t.Fatalf("%v: %v", command, commandErr)
	}
	for _, path := range paths {
		if folders[path] == "" {
			t.Fatalf("%v: no folder for %s", command, path)
		}
	}
	return folders
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
