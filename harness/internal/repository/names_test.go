package repository

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/repository/repositorytest"
)

// TestNames: branches, those of remotes and tags, loose, packed and seen from a
// worktree, each by a name that Resolve takes.
func TestNames(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	top := filepath.Join(dir, "top")
	run := func(args ...string) { repositorytest.Git(t, dir, append([]string{"-C", top}, args...)...) }
	repositorytest.Git(t, dir, "init", "-q", "-b", "main", top)
	if names, err := open(t, top).Names(); err != nil || len(names) > 0 {
		t.Errorf("without a commit: %v, error %v", names, err)
	}
	run("commit", "-q", "--allow-empty", "-m", "test")
	run("branch", "feature/one")
	run("branch", "both")
	run("tag", "both")
	run("tag", "-a", "-m", "annotated", "v1.0.0")
	run("update-ref", "refs/remotes/origin/main", "HEAD")
	run("update-ref", "refs/remotes/both", "HEAD")
	run("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	run("update-ref", "refs/notes/commits", "HEAD")
	run("pack-refs", "--all")
	run("branch", "loose")
	run("worktree", "add", "-q", filepath.Join(dir, "worktree"), "-b", "other")
	want := []Name{
		{"feature/one", "branch"}, {"loose", "branch"}, {"main", "branch"}, {"other", "branch"},
		{"origin/main", "branch of a remote"},
		{"both", "tag"}, {"v1.0.0", "tag"},
	}
	for _, place := range []string{"top", "worktree"} {
		r := open(t, filepath.Join(dir, place))
		got, err := r.Names()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", place, diff)
		}
		for _, name := range got {
			if _, err := r.Resolve(name.Name); err != nil {
				t.Errorf("%s: %s: %v", place, name.Name, err)
			}
		}
	}
}
