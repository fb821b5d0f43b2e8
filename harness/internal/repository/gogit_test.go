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

// TestShallow: a history ends where a shallow clone ends.
func TestShallow(t *testing.T) {
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
	commit := func(name string) *Commit {
		found, err := r.Resolve(name)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	got, err := r.MergeBase(commit("origin/main"), commit("origin/side"))
	if err != nil {
		t.Fatal(err)
	}
	if want := repositorytest.Git(t, dir, "-C", "clone", "merge-base", "origin/main", "origin/side"); got.Hash.String() != want || !r.shallow[got.Hash] {
		t.Errorf("merge base %s, want %s, at which the clone ends", got.Hash, want)
	}
}

// TestMissingHistory: a commit that is missing is not the beginning of the history,
// for which go-git takes it.
func TestMissingHistory(t *testing.T) {
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
	if _, err := repository.MergeBase(a, b); !errors.Is(err, plumbing.ErrObjectNotFound) {
		t.Errorf("error %v, want one that says what is missing", err)
	}
	if _, err := repository.MergeBase(b, a); !errors.Is(err, plumbing.ErrObjectNotFound) {
		t.Errorf("error %v, want one that says what is missing", err)
	}
}

// TestMergeBases: they are git's own, also where clocks were wrong or the same.
func TestMergeBases(t *testing.T) {
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
			for _, other := range hashes[:i+1] {
				a, err := repository.commit(one)
				r.Must(err)
				b, err := repository.commit(other)
				r.Must(err)
				found, err := repository.mergeBases(a, b)
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

// TestObjectsAreGoGits compares what is read of commits, tags and trees with what
// go-git's package object reads of them.
func TestObjectsAreGoGits(t *testing.T) {
	store := func(r *repositorytest.Repository, kind plumbing.ObjectType, text string) plumbing.Hash {
		o := r.Storage.NewEncodedObject()
		o.SetType(kind)
		w, err := o.Writer()
		r.Must(err)
		_, err = w.Write([]byte(text))
		r.Must(err)
		r.Must(w.Close())
		hash, err := r.Storage.SetEncodedObject(o)
		r.Must(err)
		return hash
	}
	r := repositorytest.New(t)
	const hash = "0123456789012345678901234567890123456789"
	const head = "tree " + hash + "\nparent " + hash + "\n"
	commits := map[string]plumbing.Hash{}
	for what, text := range map[string]string{
		"whole":            head + "author A <a> 1 +0000\ncommitter B <b> 2000000000 +0200\n\nmessage\n\ntree x\n",
		"two parents":      head + "parent " + hash[1:] + "a\nauthor A <a> 1 +0000\ncommitter B <b> 2 +0000\n\n",
		"no parent":        "tree " + hash + "\nauthor A <a> 1 +0000\ncommitter B <b> 2 +0000\n\nm",
		"a signature":      head + "author A <a> 1 +0000\ncommitter B <b> 3 +0000\ngpgsig -----BEGIN\n parent x\n -----END\n\nm",
		"a merged tag":     head + "author A <a> 1 +0000\ncommitter B <b> 4 +0000\nmergetag object " + hash + "\n type commit\n tag x\n\nm",
		"a name like a >":  head + "author A <a> 1 +0000\ncommitter B > C <b> 5 +0000\n\nm",
		"a date before":    head + "author A <a> 1 +0000\ncommitter B <b> -7 +0000\n\nm",
		"no end of header": head + "author A <a> 1 +0000\ncommitter B <b> 6 +0000\n",
	} {
		commits[what] = store(r, plumbing.CommitObject, text)
	}
	broken := []plumbing.Hash{
		store(r, plumbing.CommitObject, ""),
		store(r, plumbing.CommitObject, "author A <a> 1 +0000\ncommitter B <b> 2 +0000\n\nm"),
		store(r, plumbing.CommitObject, "tree x\n\n"),
		store(r, plumbing.TreeObject, ""),
	}
	tag := store(r, plumbing.TagObject, "object "+hash+"\ntype commit\ntag v1\ntagger A <a> 1 +0000\n\nm\n")
	entries := "40000 d\x00" + strings.Repeat("d", 20) + "100644 f\x00" + strings.Repeat("f", 20) + "100755 x\x00" + strings.Repeat("x", 20) +
		"100664 g\x00" + strings.Repeat("g", 20) + "120000 l\x00" + strings.Repeat("l", 20) + "160000 s\x00" + strings.Repeat("s", 20)
	tree := store(r, plumbing.TreeObject, entries)

	repository := open(t, r.Dir)
	for what, hash := range commits {
		want, err := object.GetCommit(r.Storage, hash)
		r.Must(err)
		got, err := repository.readCommit(hash)
		r.Must(err)
		if got.tree != want.TreeHash || !slices.Equal(got.parents, want.ParentHashes) || got.committed != want.Committer.When.Unix() {
			t.Errorf("%s: %v, want %v %v %v", what, got, want.TreeHash, want.ParentHashes, want.Committer.When.Unix())
		}
	}
	for i, hash := range broken {
		if c, err := repository.readCommit(hash); err == nil {
			t.Errorf("broken commit %d is read as %v", i, c)
		}
	}
	wantTag, err := object.GetTag(r.Storage, tag)
	r.Must(err)
	if got, err := repository.tagged(tag); err != nil || got != wantTag.Target {
		t.Errorf("tag of %s, error %v", got, err)
	}
	wantTree, err := object.GetTree(r.Storage, tree)
	r.Must(err)
	var got []object.TreeEntry
	r.Must(repository.entries(tree, func(e entry) error {
		got = append(got, object.TreeEntry{Name: e.name, Mode: e.mode, Hash: e.hash})
		return nil
	}))
	if !slices.Equal(got, wantTree.Entries) {
		t.Errorf("entries %v, want %v", got, wantTree.Entries)
	}
	for end := 1; end < len("40000 d\x00")+20; end++ {
		cut := store(r, plumbing.TreeObject, entries[:end])
		if err := repository.entries(cut, func(entry) error { return nil }); err == nil {
			t.Errorf("a tree that ends after %d bytes is read", end)
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
