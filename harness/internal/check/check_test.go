package check_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/check"
)

// TestNothingIsLeft: the policy is loaded while the paths are looked for, and has no
// folder any more when there is nothing at one.
func TestNothingIsLeft(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	missing := filepath.Join(t.TempDir(), "missing")
	_, err := check.All(t.Context(), []string{missing}, check.Options{})
	if err == nil || err.Error() != missing+": no such file or folder" {
		t.Errorf("error %v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}
