package repository

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/repository/repositorytest"
)

// TestCheckout: what git has in its index, its remotes and its branches.
func TestCheckout(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) { repositorytest.Git(t, dir, args...) }
	expect := func(what string, want Checkout) {
		t.Helper()
		got, err := open(t, dir).Checkout()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	run("init", "-q")
	expect("empty", Checkout{Branches: []string{"main"}})
	for _, name := range []string{"b/two", "a", "c d", "untracked"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("add", "a", "b", "c d")
	run("commit", "-q", "-m", "test")
	run("update-index", "--add", "--cacheinfo", "160000,0123456789012345678901234567890123456789,sub/module")
	run("remote", "add", "origin", "https://example.com/a.git")
	run("remote", "add", "backup", "git@example.com:b.git")
	run("update-ref", "refs/remotes/origin/trunk", "HEAD")
	run("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
	want := Checkout{
		URLs: []string{"git@example.com:b.git", "https://example.com/a.git"}, Branches: []string{"main", "trunk"},
		Tracked: []string{"a", "b/two", "c d"}, Submodules: []string{"sub/module"},
	}
	expect("with everything", want)
	run("checkout", "-q", "--detach")
	want.Branches = []string{"trunk"}
	expect("detached", want)
}
