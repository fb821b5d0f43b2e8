// Package gator runs the stock gator over what this project commits for
// Gatekeeper.
package gator

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// TestSuite runs the suites of policy/gatekeeper: each sample is let pass or
// refused as it says. What the suite must hold is tested beside the package
// that writes the template.
func TestSuite(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), stock.ToolOf(t, "gatekeeper", "gator"), "verify", "--verbose", "./...")
	cmd.Dir = filepath.Join(stock.Root(t), "policy", "gatekeeper")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("gator verify: %v\n%s", err, out)
	}
	passed := strings.Count(string(out), "    --- PASS: ")
	t.Logf("ran %d cases", passed)
	if passed < 92 || strings.Contains(string(out), "SKIP") {
		t.Errorf("only %d cases passed, or some were skipped:\n%s", passed, out)
	}
}
