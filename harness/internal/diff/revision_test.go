package diff

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"
)

func open(t testing.TB, dir string) *repository {
	t.Helper()
	r, err := openRepository(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return r
}

// TestRevisions: a revision means what it means to git, or is an error.
func TestRevisions(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init")
	commits := 0
	commit := func() {
		commits++ // equal commits of one second would be one
		git(t, dir, "commit", "-q", "--allow-empty", "-m", fmt.Sprint(commits))
	}
	commit()
	commit()
	git(t, dir, "branch", "feature/one")
	git(t, dir, "tag", "light")
	git(t, dir, "tag", "-a", "-m", "test", "heavy")
	git(t, dir, "tag", "-a", "-m", "test", "heavier", "heavy")
	git(t, dir, "checkout", "-q", "-b", "side", "HEAD~1")
	commit()
	git(t, dir, "checkout", "-q", "main")
	git(t, dir, "merge", "--no-ff", "-m", "test", "side")
	git(t, dir, "update-ref", "refs/remotes/origin/main", "HEAD~1")
	git(t, dir, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	// A branch whose name is the beginning of a hash is the branch.
	git(t, dir, "branch", git(t, dir, "rev-parse", "HEAD")[:6], "HEAD~1")
	git(t, dir, "tag", "both", "HEAD~1")
	git(t, dir, "branch", "both", "HEAD")
	octopus := git(t, dir, "commit-tree", "-p", "main", "-p", "side", "-p", "HEAD~1", "-m", "test", "HEAD^{tree}")
	git(t, dir, "branch", "octopus", octopus)
	revisions := []string{
		"HEAD", "@", "main", "refs/heads/main", "heads/main", "feature/one", "light", "heavy", "heavier", "tags/heavy", "heavy^{commit}", "heavy^{}",
		"HEAD~", "HEAD~1", "HEAD^", "HEAD^2", "HEAD^0", "HEAD~1^", "HEAD^2~1", "@~2", "HEAD^^", "HEAD~0", "origin/main", "origin", "both",
		git(t, dir, "rev-parse", "HEAD"), git(t, dir, "rev-parse", "HEAD~1")[:7], git(t, dir, "rev-parse", "HEAD~1")[:10], strings.ToUpper(git(t, dir, "rev-parse", "HEAD~1")[:8]),
		git(t, dir, "rev-parse", "HEAD")[:6], git(t, dir, "rev-parse", "heavy")[:9],
		"octopus^3", "octopus^2~1", strings.ToUpper(git(t, dir, "rev-parse", "HEAD~1")[:9]),
	}
	for _, packed := range []bool{false, true} {
		if packed {
			git(t, dir, "gc", "-q")
		}
		r := open(t, dir)
		for _, revision := range revisions {
			commit, err := r.resolve(revision)
			if err != nil {
				t.Errorf("packed %v: %v", packed, err)
				continue
			}
			if want := git(t, dir, "rev-parse", revision+"^{commit}"); commit.Hash.String() != want {
				t.Errorf("packed %v: %s is %s, want %s", packed, revision, commit.Hash, want)
			}
		}
		for _, revision := range []string{"", "nope", "HEAD~9", "HEAD^3", "main@{0}", "main@{upstream}", ":/test", "HEAD:file", "HEAD^{tree}", "main..side", "^main", "config", "description", "abc", "-h", "../HEAD", "refs/heads/../../config", git(t, dir, "rev-parse", "HEAD")[:3]} {
			if commit, err := r.resolve(revision); err == nil {
				t.Errorf("packed %v: %q is %s", packed, revision, commit.Hash)
			}
		}
	}
}

// TestMergeBase compares with git on a history with merges, also crosswise.
func TestMergeBase(t *testing.T) {
	r := newRepository(t)
	tree := r.store(&object.Tree{})
	names := map[string]plumbing.Hash{}
	for _, line := range []string{"a", "b a", "c a", "d b c", "e c b", "f d", "g e", "h", "i h a", "j f", "k j g"} {
		words := strings.Fields(line)
		var parents []plumbing.Hash
		for _, parent := range words[1:] {
			parents = append(parents, names[parent])
		}
		names[words[0]] = r.commitTree(tree, parents...)
		r.must(r.storage.SetReference(plumbing.NewHashReference(plumbing.NewBranchReferenceName(words[0]), names[words[0]])))
	}
	repository := open(t, r.dir)
	checked := 0
	for one := range names {
		for other := range names {
			a, err := repository.resolve(one)
			r.must(err)
			b, err := repository.resolve(other)
			r.must(err)
			got, err := repository.mergeBase(a, b)
			if one == "h" != (other == "h") && one != "i" && other != "i" {
				if err == nil {
					t.Errorf("merge base of %s and %s: %s, want none", one, other, got.Hash)
				}
				continue
			}
			r.must(err)
			want := git(t, r.dir, "merge-base", "--all", one, other)
			if !strings.Contains(want, got.Hash.String()) {
				t.Errorf("merge base of %s and %s: %s, want one of %s", one, other, got.Hash, want)
			}
			again, err := repository.mergeBase(b, a)
			r.must(err)
			if again.Hash != got.Hash {
				t.Errorf("merge base of %s and %s depends on their order", one, other)
			}
			checked++
		}
	}
	if checked < 80 {
		t.Errorf("only %d pairs were compared", checked)
	}
}

// TestRepositories: the forms in which git keeps a repository are read, or
// refused in so many words.
func TestRepositories(t *testing.T) {
	origin := newRepository(t)
	origin.write(pod("x-controllers", "skip"))
	git(t, origin.dir, "init") // so that git takes it for a repository
	origin.commit("main")
	origin.write(pod("x-controllers", "auto"))
	origin.commit("main")
	git(t, origin.dir, "reset", "-q", "--hard")
	git(t, origin.dir, "config", "uploadpack.allowFilter", "true")
	url := "file://" + origin.dir

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
		{"clone", func(dir string) { git(t, dir, "clone", "-q", url, "x") }, "HEAD~1", flipped, ""},
		{"packed clone", func(dir string) {
			git(t, dir, "clone", "-q", url, "x")
			git(t, dir, "-C", "x", "gc", "-q", "--aggressive")
		}, "origin/main~1", flipped, ""},
		{"shared clone", func(dir string) { git(t, dir, "clone", "-q", "--shared", origin.dir, "x") }, "HEAD~1", flipped, ""},
		{"shared clone by a relative path", func(dir string) {
			git(t, dir, "clone", "-q", "--shared", origin.dir, "x")
			objects := filepath.Join(dir, "x", ".git", "objects")
			relative, err := filepath.Rel(objects, filepath.Join(origin.dir, ".git", "objects"))
			origin.must(err)
			origin.must(os.WriteFile(filepath.Join(objects, "info", "alternates"), []byte(relative+"\n"), 0o644))
		}, "HEAD~1", flipped, ""},
		{"worktree", func(dir string) {
			git(t, dir, "clone", "-q", "--bare", url, "bare")
			git(t, dir, "-C", "bare", "config", "extensions.worktreeConfig", "true")
			git(t, dir, "-C", "bare", "worktree", "add", "-q", "--detach", "../x", "main")
		}, "main~1", flipped, ""},
		{"detached head", func(dir string) {
			git(t, dir, "clone", "-q", url, "x")
			git(t, dir, "-C", "x", "checkout", "-q", "--detach")
		}, "main~1", flipped, ""},
		{"sparse working tree", func(dir string) {
			git(t, dir, "clone", "-q", url, "x")
			git(t, dir, "-C", "x", "sparse-checkout", "set", "app")
		}, "HEAD~1", flipped, ""},
		{"shallow clone", func(dir string) { git(t, dir, "clone", "-q", "--depth=1", url, "x") }, "HEAD~1", "",
			`revision "HEAD~1" is not in this repository: the history ends at commit HEAD: this clone is shallow; fetch it with its history: git fetch --unshallow origin HEAD (in GitHub Actions: fetch-depth: 0 for actions/checkout)`},
		{"shallow clone, revision fetched alone", func(dir string) {
			git(t, dir, "clone", "-q", "--depth=1", url, "x")
			git(t, dir, "-C", "x", "fetch", "-q", "--depth=1", "origin", git(t, origin.dir, "rev-parse", "HEAD~1"))
		}, "FETCH_HEAD", "", "no common ancestor of HEAD~1 and HEAD is in this shallow clone: fetch more history (git fetch --unshallow, or in GitHub Actions fetch-depth: 0 for actions/checkout), or pass --no-merge-base to compare with the revision itself"},
		{"partial clone", func(dir string) { git(t, dir, "clone", "-q", "--filter=blob:none", url, "x") }, "HEAD~1", "",
			"read the files of HEAD~1 (HEAD~1): app/pod.yaml is not in this repository: it may be a partial clone, of which git fetches files when it needs them; run `git fetch --refetch --no-filter`"},
		{"no commit", func(dir string) { git(t, dir, "init", "-q", "x") }, "HEAD", "", `revision "HEAD" is not in this repository: fetch it: git fetch origin HEAD`},
		{"sha256", func(dir string) { git(t, dir, "init", "-q", "--object-format=sha256", "x") }, "HEAD", "", "open repository DIR: its objects have the format sha256: only sha1 is supported"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, err := filepath.EvalSymlinks(t.TempDir())
			origin.must(err)
			test.make(dir)
			t.Chdir(filepath.Join(dir, "x"))
			git(t, dir, "-C", "x", "config", "gc.auto", "0")
			d, err := Run(t.Context(), []string{"."}, Options{Base: test.base, Check: quick})
			if test.err != "" {
				want := strings.ReplaceAll(test.err, "commit HEAD", "commit "+short(t, origin.dir, "HEAD"))
				want = strings.ReplaceAll(want, "(HEAD~1)", "("+short(t, origin.dir, "HEAD~1")+")")
				want = strings.ReplaceAll(want, "ancestor of HEAD~1", "ancestor of "+short(t, origin.dir, "HEAD~1"))
				want = strings.ReplaceAll(want, "DIR", filepath.Join(dir, "x"))
				if err == nil || err.Error() != want {
					t.Errorf("error %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r := *origin
			r.TB = t
			r.expect(d, test.want, 1)
		})
	}
}

func short(t testing.TB, dir, revision string) string {
	return git(t, dir, "rev-parse", revision)[:12]
}

// TestNoMergeBase: what others changed on the base since is told only when the
// revision itself is compared with.
func TestNoMergeBase(t *testing.T) {
	r := newRepository(t)
	t.Chdir(r.dir)
	r.write(pod("x-controllers", "auto"))
	r.commit("main")
	r.must(r.storage.SetReference(plumbing.NewHashReference("refs/heads/release", plumbing.NewHash(r.head()))))
	r.write(pod("x-controllers", "skip"))
	r.commit("release")
	r.write(pod("x-controllers", "auto"))
	r.expect(r.run("release", "."), "unchanged app fail\n  kept CNM002 Pod/x-controllers main\n", 1)
	d, err := Run(t.Context(), []string{"."}, Options{Base: "release", NoMergeBase: true, Check: quick})
	r.must(err)
	r.expect(d, "changed app fail\n  changed Pod/x-controllers controllers main: skip → auto\n  new CNM002 Pod/x-controllers main\n", 1)
}

// TestHostileTrees: a tree that git itself would not make writes nothing outside
// of its folder, and does not go on for ever.
func TestHostileTrees(t *testing.T) {
	r := newRepository(t)
	blob := r.blob([]byte("x"))
	entry := func(name string, mode filemode.FileMode, hash plumbing.Hash) object.TreeEntry {
		return object.TreeEntry{Name: name, Mode: mode, Hash: hash}
	}
	parent := filepath.Join(r.dir, "parent")
	r.must(os.Mkdir(parent, 0o755))
	deep := r.store(&object.Tree{})
	for range maxDepth + 5 {
		deep = r.store(&object.Tree{Entries: []object.TreeEntry{entry("d", filemode.Dir, deep)}})
	}
	for _, test := range []struct {
		name string
		tree *object.Tree
		want string
	}{
		{"up", &object.Tree{Entries: []object.TreeEntry{entry("..", filemode.Dir, r.store(&object.Tree{Entries: []object.TreeEntry{entry("f", filemode.Regular, blob)}}))}}, `git does not allow the name ".."`},
		{"git folder", &object.Tree{Entries: []object.TreeEntry{entry(".GIT", filemode.Regular, blob)}}, `git does not allow the name ".GIT"`},
		{"path", &object.Tree{Entries: []object.TreeEntry{entry("a/../../f", filemode.Regular, blob)}}, `git does not allow the name "a/../../f"`},
		{"twice", &object.Tree{Entries: []object.TreeEntry{entry("f", filemode.Regular, blob), entry("f", filemode.Regular, blob)}}, "file exists"},
		{"link and folder of one name", &object.Tree{Entries: []object.TreeEntry{
			entry("f", filemode.Symlink, r.blob([]byte(".."))),
			entry("f", filemode.Dir, r.store(&object.Tree{Entries: []object.TreeEntry{entry("g", filemode.Regular, blob)}})),
		}}, "file exists"},
		{"deep", &object.Tree{Entries: []object.TreeEntry{entry("d", filemode.Dir, deep)}}, "more than 200 folders deep"},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := filepath.Join(parent, strings.ReplaceAll(test.name, " ", "-"))
			r.must(os.Mkdir(folder, 0o755))
			// Encoding refuses what git would refuse, so the bytes are ours.
			var text []byte
			for _, e := range test.tree.Entries {
				text = append(text, strings.TrimLeft(e.Mode.String(), "0")+" "+e.Name+"\x00"+string(e.Hash[:])...)
			}
			o := r.storage.NewEncodedObject()
			o.SetType(plumbing.TreeObject)
			w, err := o.Writer()
			r.must(err)
			_, err = w.Write(text)
			r.must(err)
			r.must(w.Close())
			hash, err := r.storage.SetEncodedObject(o)
			r.must(err)
			repository := open(t, r.dir)
			commit, err := repository.commit(r.commitTree(hash))
			r.must(err)
			_, err = repository.write(t.Context(), commit, folder, 1<<20)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
	entries, err := os.ReadDir(parent)
	r.must(err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if diff := cmp.Diff([]string{"deep", "git-folder", "link-and-folder-of-one-name", "path", "twice", "up"}, names); diff != "" {
		t.Errorf("beside the folders (-want +got):\n%s", diff)
	}
}
