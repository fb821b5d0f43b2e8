package repository

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

	"github.com/proompteng/nevermigrate/harness/internal/repository/repositorytest"
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
	repositorytest.Git(t, dir, "init", "-q", "origin")
	repositorytest.Git(t, dir, "-C", "origin", "commit", "-q", "--allow-empty", "-m", "test")
	repositorytest.Git(t, dir, "clone", "-q", "--shared", "origin", "absolute")
	repositorytest.Git(t, dir, "clone", "-q", "--shared", "absolute", "nested")
	repositorytest.Git(t, dir, "clone", "-q", "--shared", "origin", "relative")
	alternates := filepath.Join(dir, "relative", ".git", "objects", "info", "alternates")
	if err := os.WriteFile(alternates, []byte("../../../origin/.git/objects\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	head := plumbing.NewHash(repositorytest.Git(t, dir, "-C", "origin", "rev-parse", "HEAD"))
	for name, found := range map[string]bool{"absolute": true, "nested": false, "relative": false} {
		dot := osfs.New(filepath.Join(dir, name, ".git"))
		storage := filesystem.NewStorageWithOptions(dot, cache.NewObjectLRUDefault(), filesystem.Options{AlternatesFS: osfs.New("/")})
		if _, err := object.GetCommit(storage, head); (err == nil) != found {
			t.Errorf("go-git, %s: %v", name, err)
		}
		if _, err := open(t, filepath.Join(dir, name)).Resolve("HEAD"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGoGitShallow: go-git looks for the parents that a shallow clone left out.
func TestGoGitShallow(t *testing.T) {
	dir := t.TempDir()
	repositorytest.Git(t, dir, "init", "-q", "origin")
	for i := range 7 {
		if i == 5 {
			repositorytest.Git(t, dir, "-C", "origin", "checkout", "-q", "-b", "side", "HEAD~2")
		}
		repositorytest.Git(t, dir, "-C", "origin", "commit", "-q", "--allow-empty", "-m", fmt.Sprint(i))
	}
	repositorytest.Git(t, dir, "clone", "-q", "--depth=3", "--no-single-branch", "file://"+filepath.Join(dir, "origin"), "clone")
	r := open(t, filepath.Join(dir, "clone"))
	commit := func(name string) *object.Commit {
		found, err := r.Resolve(name)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	main, side := commit("origin/main"), commit("origin/side")
	got, err := r.MergeBase(main, side)
	if err != nil {
		t.Fatal(err)
	}
	if want := repositorytest.Git(t, dir, "-C", "clone", "merge-base", "origin/main", "origin/side"); got.Hash.String() != want || !r.shallow[got.Hash] {
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
	r := repositorytest.New(t)
	tree := r.Store(&object.Tree{})
	root := r.CommitTree(tree)
	missing := r.CommitTree(tree, root)
	base := r.CommitTree(tree, missing)
	head := r.CommitTree(tree, root)
	name := missing.String()
	r.Must(os.Remove(filepath.Join(r.Dir, ".git", "objects", name[:2], name[2:])))
	repository := open(t, r.Dir)
	a, err := repository.commit(base)
	r.Must(err)
	b, err := repository.commit(head)
	r.Must(err)
	if found, err := a.MergeBase(b); err != nil || len(found) > 0 {
		t.Errorf("go-git: %v, %v", found, err)
	}
	if _, err := repository.MergeBase(a, b); !errors.Is(err, plumbing.ErrObjectNotFound) {
		t.Errorf("error %v, want one that says what is missing", err)
	}
}

// TestGoGitMergeBase: go-git's merge bases are git's own, also where clocks were
// wrong or the same.
func TestGoGitMergeBase(t *testing.T) {
	const commits = 14
	for seed := range 5 {
		random := rand.New(rand.NewSource(int64(seed)))
		r := repositorytest.New(t)
		tree := r.Store(&object.Tree{})
		var hashes []plumbing.Hash
		for i := range commits {
			var parents []plumbing.Hash
			for range min(i, 1+random.Intn(3)) {
				if parent := hashes[i-1-random.Intn(min(i, 5))]; !slices.Contains(parents, parent) {
					parents = append(parents, parent)
				}
			}
			who := object.Signature{Name: "test", When: time.Date(2030, 1, 1, 0, random.Intn(commits), 0, 0, time.UTC)}
			hash := r.Store(&object.Commit{Author: who, Committer: who, Message: fmt.Sprint(i), TreeHash: tree, ParentHashes: parents})
			hashes = append(hashes, hash)
		}
		r.Must(r.Storage.SetReference(plumbing.NewHashReference("refs/heads/main", hashes[commits-1])))
		repository := open(t, r.Dir)
		for i, one := range hashes {
			for _, other := range hashes[:i] {
				a, err := repository.commit(one)
				r.Must(err)
				b, err := repository.commit(other)
				r.Must(err)
				found, err := a.MergeBase(b)
				r.Must(err)
				var got []string
				for _, commit := range found {
					got = append(got, commit.Hash.String())
				}
				want := strings.Fields(repositorytest.Git(t, r.Dir, "merge-base", "--all", one.String(), other.String()))
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
	r := repositorytest.New(t)
	hash := r.Store(&object.Tree{Entries: []object.TreeEntry{
		{Name: "a", Mode: filemode.Dir, Hash: plumbing.NewHash("0123456789012345678901234567890123456789")},
		{Name: "b", Mode: filemode.Regular, Hash: r.Blob([]byte("x"))},
	}})
	tree, err := object.GetTree(r.Storage, hash)
	r.Must(err)
	if name, _, err := object.NewTreeWalker(tree, true, nil).Next(); err != io.EOF {
		t.Errorf("go-git: %s, %v", name, err)
	}
	repository := open(t, r.Dir)
	commit, err := repository.commit(r.CommitTree(hash))
	r.Must(err)
	if _, err := repository.Write(t.Context(), commit, t.TempDir(), 1, MaxTreeBytes); err == nil || !strings.HasPrefix(err.Error(), "a is not in this repository") {
		t.Errorf("error %v, want one that says what is missing", err)
	}
}
