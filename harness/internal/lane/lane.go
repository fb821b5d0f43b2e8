// Package lane says how much a test does. The quick lane is what `go test ./...`
// runs: it needs nothing but Go. The full lane is the rest: what builds and starts
// other projects' tools, tries every mutant of the rules, or needs minutes.
//
// A test binary that imports it also collects garbage less often: rendering and
// compiling make much, and a third of the time went to collecting it.
package lane

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

func init() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	// Several test binaries run at once, whatever GOGC is.
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(1200 << 20)
	}
}

// variable is the environment variable that chooses the full lane.
const variable = "NEVERMIGRATE_TESTS"

func isFull() bool { return os.Getenv(variable) == "full" }

// IsFull reports whether the full lane runs, for a test that does more there. In the
// quick lane the test says so: scripts/test --rest runs all tests that do.
func IsFull(t testing.TB) bool {
	t.Helper()
	if !isFull() {
		t.Logf("the quick lane does a part; all: %s", command(t))
	}
	return isFull()
}

// Full skips a test that belongs to the full lane when only the quick one runs.
func Full(t testing.TB) {
	t.Helper()
	if !isFull() {
		t.Skipf("in the full lane only: %s", command(t))
	}
}

// Part is what a test judges: all of some items in the full lane, and each nth
// of them in the quick lane.
func Part[T any](t testing.TB, items []T, n int) []T {
	t.Helper()
	if isFull() {
		return items
	}
	var part []T
	for i := 0; i < len(items); i += n {
		part = append(part, items[i])
	}
	t.Logf("the quick lane takes %d of %d; all: %s", len(part), len(items), command(t))
	return part
}

// Rounds is how often a test repeats something: full times in the full lane, and
// quick times in the quick one.
func Rounds(t testing.TB, quick, full int) int {
	t.Helper()
	if isFull() {
		return full
	}
	t.Logf("the quick lane takes %d of %d; all: %s", quick, full, command(t))
	return quick
}

// command runs a test in the full lane.
func command(t testing.TB) string {
	var levels []string
	for level := range strings.SplitSeq(t.Name(), "/") {
		levels = append(levels, "^"+level+"$")
	}
	return fmt.Sprintf("scripts/test --full -run '%s' ./%s", strings.Join(levels, "/"), folder())
}

// folder is that of the tests, from the root of the repository.
func folder() string {
	dir, err := os.Getwd()
	if err != nil {
		return "..."
	}
	for root := dir; root != filepath.Dir(root); root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
			continue
		}
		if below, err := filepath.Rel(root, dir); err == nil {
			return filepath.ToSlash(below)
		}
	}
	return "..."
}
