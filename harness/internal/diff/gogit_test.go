package diff

import (
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// These tests show what go-git answers where this package has code of its own in
// its place. When one fails because go-git has become right, that code can go.

// TestGoGitAlternates: go-git does not find what a relative path borrows, nor
// what is borrowed by way of another repository.
func TestGoGitAlternates(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	git(t, dir, "init", "-q", "origin")
	git(t, dir, "-C", "origin", "commit", "-q", "--allow-empty", "-m", "test")
	git(t, dir, "clone", "-q", "--shared", "origin", "absolute")
	git(t, dir, "clone", "-q", "--shared", "absolute", "nested")
	git(t, dir, "clone", "-q", "--shared", "origin", "relative")
	alternates := filepath.Join(dir, "relative", ".git", "objects", "info", "alternates")
	if err := os.WriteFile(alternates, []byte("../../../origin/.git/objects\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	head := plumbing.NewHash(git(t, dir, "-C", "origin", "rev-parse", "HEAD"))
	for name, found := range map[string]bool{"absolute": true, "nested": false, "relative": false} {
		dot := osfs.New(filepath.Join(dir, name, ".git"))
		storage := filesystem.NewStorageWithOptions(dot, cache.NewObjectLRUDefault(), filesystem.Options{AlternatesFS: osfs.New("/")})
		if _, err := object.GetCommit(storage, head); (err == nil) != found {
			t.Errorf("go-git, %s: %v", name, err)
		}
		if _, err := open(t, filepath.Join(dir, name)).resolve("HEAD"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGoGitShallow: go-git looks for the parents that a shallow clone left out.
func TestGoGitShallow(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q", "origin")
	for i := range 7 {
		if i == 5 {
			git(t, dir, "-C", "origin", "checkout", "-q", "-b", "side", "HEAD~2")
		}
		git(t, dir, "-C", "origin", "commit", "-q", "--allow-empty", "-m", fmt.Sprint(i))
	}
	git(t, dir, "clone", "-q", "--depth=3", "--no-single-branch", "file://"+filepath.Join(dir, "origin"), "clone")
	r := open(t, filepath.Join(dir, "clone"))
	commit := func(name string) *object.Commit {
		found, err := r.resolve(name)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	main, side := commit("origin/main"), commit("origin/side")
	got, err := r.mergeBase(main, side)
	if err != nil {
		t.Fatal(err)
	}
	if want := git(t, dir, "-C", "clone", "merge-base", "origin/main", "origin/side"); got.Hash.String() != want || !r.shallow[got.Hash] {
		t.Errorf("merge base %s, want %s, at which the clone ends", got.Hash, want)
	}
	goGits := func(c *object.Commit) *object.Commit {
		found, err := object.GetCommit(r.Storage, c.Hash)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if _, err := goGits(main).MergeBase(goGits(side)); !errors.Is(err, plumbing.ErrObjectNotFound) {
		t.Errorf("go-git: %v", err)
	}
}

// TestGoGitMissingHistory: go-git takes a commit that is missing for the
// beginning of the history.
func TestGoGitMissingHistory(t *testing.T) {
	r := newRepository(t)
	tree := r.store(&object.Tree{})
	root := r.commitTree(tree)
	missing := r.commitTree(tree, root)
	base := r.commitTree(tree, missing)
	head := r.commitTree(tree, root)
	name := missing.String()
	r.must(os.Remove(filepath.Join(r.dir, ".git", "objects", name[:2], name[2:])))
	repository := open(t, r.dir)
	a, err := repository.commit(base)
	r.must(err)
	b, err := repository.commit(head)
	r.must(err)
	if found, err := a.MergeBase(b); err != nil || len(found) > 0 {
		t.Errorf("go-git: %v, %v", found, err)
	}
	if _, err := repository.mergeBase(a, b); !errors.Is(err, plumbing.ErrObjectNotFound) {
		t.Errorf("error %v, want one that says what is missing", err)
	}
}

// TestGoGitMergeBase: go-git's merge bases are git's own, also where clocks were
// wrong or the same.
func TestGoGitMergeBase(t *testing.T) {
	const commits = 14
	for seed := range 5 {
		random := rand.New(rand.NewSource(int64(seed)))
		r := newRepository(t)
		tree := r.store(&object.Tree{})
		var hashes []plumbing.Hash
		for i := range commits {
			var parents []plumbing.Hash
			for range min(i, 1+random.Intn(3)) {
				if parent := hashes[i-1-random.Intn(min(i, 5))]; !slices.Contains(parents, parent) {
					parents = append(parents, parent)
				}
			}
			who := object.Signature{Name: "test", When: time.Date(2030, 1, 1, 0, random.Intn(commits), 0, 0, time.UTC)}
			hash := r.store(&object.Commit{Author: who, Committer: who, Message: fmt.Sprint(i), TreeHash: tree, ParentHashes: parents})
			hashes = append(hashes, hash)
		}
		r.must(r.storage.SetReference(plumbing.NewHashReference("refs/heads/main", hashes[commits-1])))
		repository := open(t, r.dir)
		for i, one := range hashes {
			for _, other := range hashes[:i] {
				a, err := repository.commit(one)
				r.must(err)
				b, err := repository.commit(other)
				r.must(err)
				found, err := a.MergeBase(b)
				r.must(err)
				var got []string
				for _, commit := range found {
					got = append(got, commit.Hash.String())
				}
				want := strings.Fields(git(t, r.dir, "merge-base", "--all", one.String(), other.String()))
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("seed %d: merge bases of %s and %s: %v, want %v", seed, one, other, got, want)
				}
			}
		}
	}
}

// TestGoGitTreeWalker: go-git's walk ends at a folder that is missing, as in a
// clone with --filter=tree:0, as if there were no more.
func TestGoGitTreeWalker(t *testing.T) {
	r := newRepository(t)
	hash := r.store(&object.Tree{Entries: []object.TreeEntry{
		{Name: "a", Mode: filemode.Dir, Hash: plumbing.NewHash("0123456789012345678901234567890123456789")},
		{Name: "b", Mode: filemode.Regular, Hash: r.blob([]byte("x"))},
	}})
	tree, err := object.GetTree(r.storage, hash)
	r.must(err)
	if name, _, err := object.NewTreeWalker(tree, true, nil).Next(); err != io.EOF {
		t.Errorf("go-git: %s, %v", name, err)
	}
	repository := open(t, r.dir)
	commit, err := repository.commit(r.commitTree(hash))
	r.must(err)
	if _, err := repository.write(t.Context(), commit, t.TempDir(), 1); err == nil || !strings.HasPrefix(err.Error(), "a is not in this repository") {
		t.Errorf("error %v, want one that says what is missing", err)
	}
}

// TestGoGitRenames: go-git gives a file of an app that moved to another app that
// is new.
func TestGoGitRenames(t *testing.T) {
	r := newRepository(t)
	t.Chdir(r.dir)
	r.write(strings.ReplaceAll(pod("x-controllers", "skip"), "app/", "apps/old/"))
	r.commit("main")
	base, err := object.GetTree(r.storage, r.tree(r.dir))
	r.must(err)
	r.move("apps/old", "moved/x")
	r.replace("moved/x/kustomization.yaml", "resources", "namespace: x\nresources")
	r.write(strings.ReplaceAll(pod("y-controllers", "skip"), "app/", "apps/new/"))
	head, err := object.GetTree(r.storage, r.tree(r.dir))
	r.must(err)
	changes, err := object.DiffTreeWithOptions(t.Context(), base, head, &object.DiffTreeOptions{DetectRenames: true, RenameScore: 50})
	r.must(err)
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
