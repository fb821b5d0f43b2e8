package diff

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/proompteng/nevermigrate/harness/internal/repository/repositorytest"
)

// TestRepositories: the forms in which git keeps a repository are read, or
// refused in so many words.
func TestRepositories(t *testing.T) {
	origin := newRepository(t)
	origin.WriteFiles(pod("x-controllers", "skip"))
	repositorytest.Git(t, origin.Dir, "init") // so that git takes it for a repository
	origin.Commit("main")
	origin.WriteFiles(pod("x-controllers", "auto"))
	origin.Commit("main")
	repositorytest.Git(t, origin.Dir, "reset", "-q", "--hard")
	repositorytest.Git(t, origin.Dir, "config", "uploadpack.allowFilter", "true")
	url := "file://" + origin.Dir

	const flipped = `
changed app fail
  changed Pod/x-controllers controllers main: skip → auto
  new CNM002 Pod/x-controllers main
`
	for _, test := range []struct {
		name string
		make func(dir string)
		base string
		want string
		err  string
	}{
		{"clone", func(dir string) { repositorytest.Git(t, dir, "clone", "-q", url, "x") }, "HEAD~1", flipped, ""},
		{"packed clone", func(dir string) {
			repositorytest.Git(t, dir, "clone", "-q", url, "x")
			repositorytest.Git(t, dir, "-C", "x", "gc", "-q", "--aggressive")
		}, "origin/main~1", flipped, ""},
		{"shared clone", func(dir string) { repositorytest.Git(t, dir, "clone", "-q", "--shared", origin.Dir, "x") }, "HEAD~1", flipped, ""},
		{"shared clone by a relative path", func(dir string) {
			repositorytest.Git(t, dir, "clone", "-q", "--shared", origin.Dir, "x")
			objects := filepath.Join(dir, "x", ".git", "objects")
			relative, err := filepath.Rel(objects, filepath.Join(origin.Dir, ".git", "objects"))
			origin.Must(err)
			origin.Must(os.WriteFile(filepath.Join(objects, "info", "alternates"), []byte(relative+"\n"), 0o644))
		}, "HEAD~1", flipped, ""},
		{"worktree", func(dir string) {
			repositorytest.Git(t, dir, "clone", "-q", "--bare", url, "bare")
			repositorytest.Git(t, dir, "-C", "bare", "config", "extensions.worktreeConfig", "true")
			repositorytest.Git(t, dir, "-C", "bare", "worktree", "add", "-q", "--detach", "../x", "main")
		}, "main~1", flipped, ""},
		{"detached head", func(dir string) {
			repositorytest.Git(t, dir, "clone", "-q", url, "x")
			repositorytest.Git(t, dir, "-C", "x", "checkout", "-q", "--detach")
		}, "main~1", flipped, ""},
		{"sparse working tree", func(dir string) {
			repositorytest.Git(t, dir, "clone", "-q", url, "x")
			repositorytest.Git(t, dir, "-C", "x", "sparse-checkout", "set", "app")
		}, "HEAD~1", flipped, ""},
		{"shallow clone", func(dir string) { repositorytest.Git(t, dir, "clone", "-q", "--depth=1", url, "x") }, "HEAD~1", "",
			`revision "HEAD~1" is not in this repository: the history ends at commit HEAD: this clone is shallow; fetch it with its history: git fetch --unshallow origin HEAD (in GitHub Actions: fetch-depth: 0 for actions/checkout)`},
		{"shallow clone, revision fetched alone", func(dir string) {
			repositorytest.Git(t, dir, "clone", "-q", "--depth=1", url, "x")
			repositorytest.Git(t, dir, "-C", "x", "fetch", "-q", "--depth=1", "origin", repositorytest.Git(t, origin.Dir, "rev-parse", "HEAD~1"))
		}, "FETCH_HEAD", "", "no common ancestor of HEAD~1 and HEAD is in this shallow clone: fetch more history (git fetch --unshallow, or in GitHub Actions fetch-depth: 0 for actions/checkout), or pass --no-merge-base to compare with the revision itself"},
		{"partial clone", func(dir string) { repositorytest.Git(t, dir, "clone", "-q", "--filter=blob:none", url, "x") }, "HEAD~1", "",
			"read the files of HEAD~1 (HEAD~1): app/pod.yaml is not in this repository: it may be a partial clone, of which git fetches files when it needs them; run `git fetch --refetch --no-filter`"},
		{"no commit", func(dir string) { repositorytest.Git(t, dir, "init", "-q", "x") }, "HEAD", "", `revision "HEAD" is not in this repository: fetch it: git fetch origin HEAD`},
		{"sha256", func(dir string) { repositorytest.Git(t, dir, "init", "-q", "--object-format=sha256", "x") }, "HEAD", "", "open repository DIR: its objects have the format sha256: only sha1 is supported"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, err := filepath.EvalSymlinks(t.TempDir())
			origin.Must(err)
			test.make(dir)
			t.Chdir(filepath.Join(dir, "x"))
			repositorytest.Git(t, dir, "-C", "x", "config", "gc.auto", "0")
			d, err := Run(t.Context(), []string{"."}, Options{Base: test.base, Check: quick})
			if test.err != "" {
				want := strings.ReplaceAll(test.err, "commit HEAD", "commit "+short(t, origin.Dir, "HEAD"))
				want = strings.ReplaceAll(want, "(HEAD~1)", "("+short(t, origin.Dir, "HEAD~1")+")")
				want = strings.ReplaceAll(want, "ancestor of HEAD~1", "ancestor of "+short(t, origin.Dir, "HEAD~1"))
				want = strings.ReplaceAll(want, "DIR", filepath.Join(dir, "x"))
				if err == nil || err.Error() != want {
					t.Errorf("error %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			origin.in(t).expect(d, test.want, 1)
		})
	}
}

func short(t testing.TB, dir, revision string) string {
	return repositorytest.Git(t, dir, "rev-parse", revision)[:12]
}

// TestNoMergeBase: what others changed on the base since is told only when the
// revision itself is compared with.
func TestNoMergeBase(t *testing.T) {
	r := newRepository(t)
	t.Chdir(r.Dir)
	r.WriteFiles(pod("x-controllers", "auto"))
	r.Commit("main")
	r.Must(r.Storage.SetReference(plumbing.NewHashReference("refs/heads/release", plumbing.NewHash(r.head()))))
	r.WriteFiles(pod("x-controllers", "skip"))
	r.Commit("release")
	r.WriteFiles(pod("x-controllers", "auto"))
	r.expect(r.run("release", "."), "unchanged app fail\n  kept CNM002 Pod/x-controllers main\n", 1)
	d, err := Run(t.Context(), []string{"."}, Options{Base: "release", NoMergeBase: true, Check: quick})
	r.Must(err)
	r.expect(d, "changed app fail\n  changed Pod/x-controllers controllers main: skip → auto\n  new CNM002 Pod/x-controllers main\n", 1)
}

// TestGoGitRenames: go-git gives a file of an app that moved to another app that
// is new.
func TestGoGitRenames(t *testing.T) {
	r := newRepository(t)
	t.Chdir(r.Dir)
	r.WriteFiles(strings.ReplaceAll(pod("x-controllers", "skip"), "app/", "apps/old/"))
	r.Commit("main")
	base, err := object.GetTree(r.Storage, r.Tree(r.Dir))
	r.Must(err)
	r.Move("apps/old", "moved/x")
	r.Replace("moved/x/kustomization.yaml", "resources", "namespace: x\nresources")
	r.WriteFiles(strings.ReplaceAll(pod("y-controllers", "skip"), "app/", "apps/new/"))
	head, err := object.GetTree(r.Storage, r.Tree(r.Dir))
	r.Must(err)
	changes, err := object.DiffTreeWithOptions(t.Context(), base, head, &object.DiffTreeOptions{DetectRenames: true, RenameScore: 50})
	r.Must(err)
	var renames []string
	for _, change := range changes {
		if change.From.Name != "" {
			renames = append(renames, change.From.Name+" → "+change.To.Name)
		}
	}
	want := []string{"apps/old/kustomization.yaml → apps/new/kustomization.yaml", "apps/old/pod.yaml → moved/x/pod.yaml"}
	if !slices.Equal(renames, want) {
		t.Errorf("go-git: %q", renames)
	}
	r.expect(r.run("main", "."), `
added apps/new pass
  added Pod/y-controllers controllers main: skip
moved apps/old → moved/x pass
  added Pod/x-controllers controllers main: skip
  removed Pod/x-controllers controllers main: skip
`, 0)
}
