package diff

import (
	"os"
	"os/exec"
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
	"github.com/rogpeppe/go-internal/txtar"
)

// testRepository is a repository of a test, made without git.
type testRepository struct {
	testing.TB
	dir     string
	storage *filesystem.Storage
	commits int
}

func newRepository(t testing.TB) *testRepository {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &testRepository{TB: t, dir: dir}
	r.storage = filesystem.NewStorage(osfs.New(filepath.Join(dir, ".git")), cache.NewObjectLRUDefault())
	r.must(r.storage.Init())
	r.must(r.storage.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, "refs/heads/main")))
	return r
}

func (r *testRepository) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// write writes the files of an archive into the working tree.
func (r *testRepository) write(archive string) {
	r.Helper()
	for _, file := range txtar.Parse([]byte(archive)).Files {
		name := filepath.Join(r.dir, file.Name)
		r.must(os.MkdirAll(filepath.Dir(name), 0o755))
		r.must(os.WriteFile(name, file.Data, 0o644))
	}
}

// replace replaces a text, which must be there, in a file.
func (r *testRepository) replace(file, old, new string) {
	r.Helper()
	name := filepath.Join(r.dir, file)
	text, err := os.ReadFile(name)
	r.must(err)
	if !strings.Contains(string(text), old) {
		r.Fatalf("%s has no %q", file, old)
	}
	r.must(os.WriteFile(name, []byte(strings.Replace(string(text), old, new, 1)), 0o644))
}

func (r *testRepository) remove(name string) {
	r.Helper()
	if _, err := os.Lstat(filepath.Join(r.dir, name)); err != nil {
		r.Fatal(err)
	}
	r.must(os.RemoveAll(filepath.Join(r.dir, name)))
}

func (r *testRepository) move(from, to string) {
	r.Helper()
	r.must(os.MkdirAll(filepath.Dir(filepath.Join(r.dir, to)), 0o755))
	r.must(os.Rename(filepath.Join(r.dir, from), filepath.Join(r.dir, to)))
}

// commit commits the whole working tree on the branch, with the branch's last
// commit and others as parents.
func (r *testRepository) commit(branch string, others ...plumbing.Hash) plumbing.Hash {
	r.Helper()
	name := plumbing.NewBranchReferenceName(branch)
	var parents []plumbing.Hash
	if ref, err := r.storage.Reference(name); err == nil {
		parents = append(parents, ref.Hash())
	}
	hash := r.commitTree(r.tree(r.dir), append(parents, others...)...)
	r.must(r.storage.SetReference(plumbing.NewHashReference(name, hash)))
	return hash
}

func (r *testRepository) commitTree(tree plumbing.Hash, parents ...plumbing.Hash) plumbing.Hash {
	r.Helper()
	r.commits++
	who := object.Signature{Name: "test", When: time.Date(2030, 1, 1, 0, r.commits, 0, 0, time.UTC)}
	return r.store(&object.Commit{Author: who, Committer: who, Message: "test", TreeHash: tree, ParentHashes: parents})
}

func (r *testRepository) store(encoded interface {
	Encode(plumbing.EncodedObject) error
},
) plumbing.Hash {
	r.Helper()
	o := r.storage.NewEncodedObject()
	r.must(encoded.Encode(o))
	hash, err := r.storage.SetEncodedObject(o)
	r.must(err)
	return hash
}

func (r *testRepository) blob(content []byte) plumbing.Hash {
	r.Helper()
	o := r.storage.NewEncodedObject()
	o.SetType(plumbing.BlobObject)
	w, err := o.Writer()
	r.must(err)
	_, err = w.Write(content)
	r.must(err)
	r.must(w.Close())
	hash, err := r.storage.SetEncodedObject(o)
	r.must(err)
	return hash
}

func (r *testRepository) tree(folder string) plumbing.Hash {
	r.Helper()
	entries, err := os.ReadDir(folder)
	r.must(err)
	tree := &object.Tree{}
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		switch {
		case entry.Name() == ".git":
		case entry.IsDir():
			tree.Entries = append(tree.Entries, object.TreeEntry{Name: entry.Name(), Mode: filemode.Dir, Hash: r.tree(name)})
		case entry.Type() == os.ModeSymlink:
			target, err := os.Readlink(name)
			r.must(err)
			tree.Entries = append(tree.Entries, object.TreeEntry{Name: entry.Name(), Mode: filemode.Symlink, Hash: r.blob([]byte(target))})
		default:
			content, err := os.ReadFile(name)
			r.must(err)
			tree.Entries = append(tree.Entries, object.TreeEntry{Name: entry.Name(), Mode: filemode.Regular, Hash: r.blob(content)})
		}
	}
	slices.SortFunc(tree.Entries, func(a, b object.TreeEntry) int {
		return strings.Compare(sortName(a), sortName(b))
	})
	return r.store(tree)
}

func sortName(e object.TreeEntry) string {
	if e.Mode == filemode.Dir {
		return e.Name + "/"
	}
	return e.Name
}

// git runs git in a folder. These tests show that what git writes is read.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	cmd := exec.Command(path, append([]string{"-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@example.com", "GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@example.com")
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(stdout.String())
}

// TestHeadCommit: the commit that is checked out, and nothing where there is none.
func TestHeadCommit(t *testing.T) {
	r := newRepository(t)
	if got := HeadCommit(r.dir); got != "" {
		t.Errorf("without a commit: %q", got)
	}
	r.write("-- sub/a.txt --\na\n")
	hash := r.commit("main")
	for _, dir := range []string{r.dir, filepath.Join(r.dir, "sub")} {
		if got := HeadCommit(dir); got != hash.String() {
			t.Errorf("HeadCommit(%s) is %q, want %s", dir, got, hash)
		}
	}
	if got := HeadCommit(t.TempDir()); got != "" {
		t.Errorf("in no repository: %q", got)
	}
}
