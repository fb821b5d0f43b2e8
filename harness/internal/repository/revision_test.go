package repository

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

	"github.com/proompteng/nevermigrate/harness/internal/repository/repositorytest"
)

func open(t testing.TB, dir string) *Repository {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// TestRevisions: a revision means what it means to git, or is an error.
func TestRevisions(t *testing.T) {
	dir := t.TempDir()
	repositorytest.Git(t, dir, "init")
	commits := 0
	commit := func() {
		commits++ // equal commits of one second would be one
		repositorytest.Git(t, dir, "commit", "-q", "--allow-empty", "-m", fmt.Sprint(commits))
	}
	commit()
	commit()
	repositorytest.Git(t, dir, "branch", "feature/one")
	repositorytest.Git(t, dir, "tag", "light")
	repositorytest.Git(t, dir, "tag", "-a", "-m", "test", "heavy")
	repositorytest.Git(t, dir, "tag", "-a", "-m", "test", "heavier", "heavy")
	repositorytest.Git(t, dir, "checkout", "-q", "-b", "side", "HEAD~1")
	commit()
	repositorytest.Git(t, dir, "checkout", "-q", "main")
	repositorytest.Git(t, dir, "merge", "--no-ff", "-m", "test", "side")
	repositorytest.Git(t, dir, "update-ref", "refs/remotes/origin/main", "HEAD~1")
	repositorytest.Git(t, dir, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	// A branch whose name is the beginning of a hash is the branch.
	repositorytest.Git(t, dir, "branch", repositorytest.Git(t, dir, "rev-parse", "HEAD")[:6], "HEAD~1")
	repositorytest.Git(t, dir, "tag", "both", "HEAD~1")
	repositorytest.Git(t, dir, "branch", "both", "HEAD")
	octopus := repositorytest.Git(t, dir, "commit-tree", "-p", "main", "-p", "side", "-p", "HEAD~1", "-m", "test", "HEAD^{tree}")
	repositorytest.Git(t, dir, "branch", "octopus", octopus)
	revisions := []string{
		"HEAD", "@", "main", "refs/heads/main", "heads/main", "feature/one", "light", "heavy", "heavier", "tags/heavy", "heavy^{commit}", "heavy^{}",
		"HEAD~", "HEAD~1", "HEAD^", "HEAD^2", "HEAD^0", "HEAD~1^", "HEAD^2~1", "@~2", "HEAD^^", "HEAD~0", "origin/main", "origin", "both",
		repositorytest.Git(t, dir, "rev-parse", "HEAD"), repositorytest.Git(t, dir, "rev-parse", "HEAD~1")[:7], repositorytest.Git(t, dir, "rev-parse", "HEAD~1")[:10], strings.ToUpper(repositorytest.Git(t, dir, "rev-parse", "HEAD~1")[:8]),
		repositorytest.Git(t, dir, "rev-parse", "HEAD")[:6], repositorytest.Git(t, dir, "rev-parse", "heavy")[:9],
		"octopus^3", "octopus^2~1", strings.ToUpper(repositorytest.Git(t, dir, "rev-parse", "HEAD~1")[:9]),
	}
	for _, packed := range []bool{false, true} {
		if packed {
			repositorytest.Git(t, dir, "gc", "-q")
		}
		r := open(t, dir)
		for _, revision := range revisions {
			commit, err := r.Resolve(revision)
			if err != nil {
				t.Errorf("packed %v: %v", packed, err)
				continue
			}
			if want := repositorytest.Git(t, dir, "rev-parse", revision+"^{commit}"); commit.Hash.String() != want {
				t.Errorf("packed %v: %s is %s, want %s", packed, revision, commit.Hash, want)
			}
		}
		for _, revision := range []string{"", "nope", "HEAD~9", "HEAD^3", "main@{0}", "main@{upstream}", ":/test", "HEAD:file", "HEAD^{tree}", "main..side", "^main", "config", "description", "abc", "-h", "../HEAD", "refs/heads/../../config", repositorytest.Git(t, dir, "rev-parse", "HEAD")[:3]} {
			if commit, err := r.Resolve(revision); err == nil {
				t.Errorf("packed %v: %q is %s", packed, revision, commit.Hash)
			}
		}
	}
}

// TestMergeBase compares with git on a history with merges, also crosswise.
func TestMergeBase(t *testing.T) {
	r := repositorytest.New(t)
	tree := r.Store(&object.Tree{})
	names := map[string]plumbing.Hash{}
	for _, line := range []string{"a", "b a", "c a", "d b c", "e c b", "f d", "g e", "h", "i h a", "j f", "k j g"} {
		words := strings.Fields(line)
		var parents []plumbing.Hash
		for _, parent := range words[1:] {
			parents = append(parents, names[parent])
		}
		names[words[0]] = r.CommitTree(tree, parents...)
		r.Must(r.Storage.SetReference(plumbing.NewHashReference(plumbing.NewBranchReferenceName(words[0]), names[words[0]])))
	}
	repository := open(t, r.Dir)
	checked := 0
	for one := range names {
		for other := range names {
			a, err := repository.Resolve(one)
			r.Must(err)
			b, err := repository.Resolve(other)
			r.Must(err)
			got, err := repository.MergeBase(a, b)
			if one == "h" != (other == "h") && one != "i" && other != "i" {
				if err == nil {
					t.Errorf("merge base of %s and %s: %s, want none", one, other, got.Hash)
				}
				continue
			}
			r.Must(err)
			want := repositorytest.Git(t, r.Dir, "merge-base", "--all", one, other)
			if !strings.Contains(want, got.Hash.String()) {
				t.Errorf("merge base of %s and %s: %s, want one of %s", one, other, got.Hash, want)
			}
			again, err := repository.MergeBase(b, a)
			r.Must(err)
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

// TestHostileTrees: a tree that git itself would not make writes nothing outside
// of its folder, and does not go on for ever.
func TestHostileTrees(t *testing.T) {
	r := repositorytest.New(t)
	blob := r.Blob([]byte("x"))
	entry := func(name string, mode filemode.FileMode, hash plumbing.Hash) object.TreeEntry {
		return object.TreeEntry{Name: name, Mode: mode, Hash: hash}
	}
	parent := filepath.Join(r.Dir, "parent")
	r.Must(os.Mkdir(parent, 0o755))
	deep := r.Store(&object.Tree{})
	for range maxDepth + 5 {
		deep = r.Store(&object.Tree{Entries: []object.TreeEntry{entry("d", filemode.Dir, deep)}})
	}
	for _, test := range []struct {
		name string
		tree *object.Tree
		want string
	}{
		{"up", &object.Tree{Entries: []object.TreeEntry{entry("..", filemode.Dir, r.Store(&object.Tree{Entries: []object.TreeEntry{entry("f", filemode.Regular, blob)}}))}}, `git does not allow the name ".."`},
		{"git folder", &object.Tree{Entries: []object.TreeEntry{entry(".GIT", filemode.Regular, blob)}}, `git does not allow the name ".GIT"`},
		{"path", &object.Tree{Entries: []object.TreeEntry{entry("a/../../f", filemode.Regular, blob)}}, `git does not allow the name "a/../../f"`},
		{"twice", &object.Tree{Entries: []object.TreeEntry{entry("f", filemode.Regular, blob), entry("f", filemode.Regular, blob)}}, "file exists"},
		{"link and folder of one name", &object.Tree{Entries: []object.TreeEntry{
			entry("f", filemode.Symlink, r.Blob([]byte(".."))),
			entry("f", filemode.Dir, r.Store(&object.Tree{Entries: []object.TreeEntry{entry("g", filemode.Regular, blob)}})),
		}}, "file exists"},
		{"deep", &object.Tree{Entries: []object.TreeEntry{entry("d", filemode.Dir, deep)}}, "more than 200 folders deep"},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := filepath.Join(parent, strings.ReplaceAll(test.name, " ", "-"))
			r.Must(os.Mkdir(folder, 0o755))
			// Encoding refuses what git would refuse, so the bytes are ours.
			var text []byte
			for _, e := range test.tree.Entries {
				text = append(text, strings.TrimLeft(e.Mode.String(), "0")+" "+e.Name+"\x00"+string(e.Hash[:])...)
			}
			o := r.Storage.NewEncodedObject()
			o.SetType(plumbing.TreeObject)
			w, err := o.Writer()
			r.Must(err)
			_, err = w.Write(text)
			r.Must(err)
			r.Must(w.Close())
			hash, err := r.Storage.SetEncodedObject(o)
			r.Must(err)
			repository := open(t, r.Dir)
			commit, err := repository.commit(r.CommitTree(hash))
			r.Must(err)
			_, err = repository.Write(t.Context(), commit, folder, 1<<20, MaxTreeBytes)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
	entries, err := os.ReadDir(parent)
	r.Must(err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if diff := cmp.Diff([]string{"deep", "git-folder", "link-and-folder-of-one-name", "path", "twice", "up"}, names); diff != "" {
		t.Errorf("beside the folders (-want +got):\n%s", diff)
	}
}
