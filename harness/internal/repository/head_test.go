package repository

import (
	"path/filepath"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/repository/repositorytest"
)

// TestHeadCommit: the commit that is checked out, and nothing where there is none.
func TestHeadCommit(t *testing.T) {
	r := repositorytest.New(t)
	if got := HeadCommit(r.Dir); got != "" {
		t.Errorf("without a commit: %q", got)
	}
	r.WriteFiles("-- sub/a.txt --\na\n")
	hash := r.Commit("main")
	for _, dir := range []string{r.Dir, filepath.Join(r.Dir, "sub")} {
		if got := HeadCommit(dir); got != hash.String() {
			t.Errorf("HeadCommit(%s) is %q, want %s", dir, got, hash)
		}
	}
	if got := HeadCommit(t.TempDir()); got != "" {
		t.Errorf("in no repository: %q", got)
	}
}
