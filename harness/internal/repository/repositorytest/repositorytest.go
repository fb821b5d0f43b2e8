// Package repositorytest makes git repositories for tests.
package repositorytest

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

// Repository is a repository of a test, made without git.
type Repository struct {
	testing.TB
	// Dir is its real path.
	Dir     string
	Storage *filesystem.Storage
	commits int
}

// New makes a repository without a commit, whose branch is main.
func New(t testing.TB) *Repository {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &Repository{TB: t, Dir: dir}
	r.Storage = filesystem.NewStorage(osfs.New(filepath.Join(dir, ".git")), cache.NewObjectLRUDefault())
	r.Must(r.Storage.Init())
	r.Must(r.Storage.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, "refs/heads/main")))
	return r
}

func (r *Repository) Must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// WriteFiles writes the files of an archive into the working tree.
func (r *Repository) WriteFiles(archive string) {
	r.Helper()
	for _, file := range txtar.Parse([]byte(archive)).Files {
		name := filepath.Join(r.Dir, file.Name)
		r.Must(os.MkdirAll(filepath.Dir(name), 0o755))
		r.Must(os.WriteFile(name, file.Data, 0o644))
	}
}

// Replace replaces a text, which must be there, in a file.
func (r *Repository) Replace(file, old, new string) {
	r.Helper()
	name := filepath.Join(r.Dir, file)
	text, err := os.ReadFile(name)
	r.Must(err)
	if !strings.Contains(string(text), old) {
		r.Fatalf("%s has no %q", file, old)
	}
	r.Must(os.WriteFile(name, []byte(strings.Replace(string(text), old, new, 1)), 0o644))
}

func (r *Repository) Remove(name string) {
	r.Helper()
	if _, err := os.Lstat(filepath.Join(r.Dir, name)); err != nil {
		r.Fatal(err)
	}
	r.Must(os.RemoveAll(filepath.Join(r.Dir, name)))
}

func (r *Repository) Move(from, to string) {
	r.Helper()
	r.Must(os.MkdirAll(filepath.Dir(filepath.Join(r.Dir, to)), 0o755))
	r.Must(os.Rename(filepath.Join(r.Dir, from), filepath.Join(r.Dir, to)))
}

// Commit commits the whole working tree on the branch, with the branch's last
// Commit and others as parents.
func (r *Repository) Commit(branch string, others ...plumbing.Hash) plumbing.Hash {
	r.Helper()
	name := plumbing.NewBranchReferenceName(branch)
	var parents []plumbing.Hash
	if ref, err := r.Storage.Reference(name); err == nil {
		parents = append(parents, ref.Hash())
	}
	hash := r.CommitTree(r.Tree(r.Dir), append(parents, others...)...)
	r.Must(r.Storage.SetReference(plumbing.NewHashReference(name, hash)))
	return hash
}

func (r *Repository) CommitTree(tree plumbing.Hash, parents ...plumbing.Hash) plumbing.Hash {
	r.Helper()
	r.commits++
	who := object.Signature{Name: "test", When: time.Date(2030, 1, 1, 0, r.commits, 0, 0, time.UTC)}
	return r.Store(&object.Commit{Author: who, Committer: who, Message: "test", TreeHash: tree, ParentHashes: parents})
}

func (r *Repository) Store(encoded interface {
	Encode(plumbing.EncodedObject) error
},
) plumbing.Hash {
	r.Helper()
	o := r.Storage.NewEncodedObject()
	r.Must(encoded.Encode(o))
	hash, err := r.Storage.SetEncodedObject(o)
	r.Must(err)
	return hash
}

func (r *Repository) Blob(content []byte) plumbing.Hash {
	r.Helper()
	o := r.Storage.NewEncodedObject()
	o.SetType(plumbing.BlobObject)
	w, err := o.Writer()
	r.Must(err)
	_, err = w.Write(content)
	r.Must(err)
	r.Must(w.Close())
	hash, err := r.Storage.SetEncodedObject(o)
	r.Must(err)
	return hash
}

func (r *Repository) Tree(folder string) plumbing.Hash {
	r.Helper()
	entries, err := os.ReadDir(folder)
	r.Must(err)
	tree := &object.Tree{}
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		switch {
		case entry.Name() == ".git":
		case entry.IsDir():
			tree.Entries = append(tree.Entries, object.TreeEntry{Name: entry.Name(), Mode: filemode.Dir, Hash: r.Tree(name)})
		case entry.Type() == os.ModeSymlink:
			target, err := os.Readlink(name)
			r.Must(err)
			tree.Entries = append(tree.Entries, object.TreeEntry{Name: entry.Name(), Mode: filemode.Symlink, Hash: r.Blob([]byte(target))})
		default:
			content, err := os.ReadFile(name)
			r.Must(err)
			tree.Entries = append(tree.Entries, object.TreeEntry{Name: entry.Name(), Mode: filemode.Regular, Hash: r.Blob(content)})
		}
	}
	slices.SortFunc(tree.Entries, func(a, b object.TreeEntry) int {
		return strings.Compare(sortName(a), sortName(b))
	})
	return r.Store(tree)
}

func sortName(e object.TreeEntry) string {
	if e.Mode == filemode.Dir {
		return e.Name + "/"
	}
	return e.Name
}

// Git runs git in a folder and returns what it prints. Without git the test is skipped.
func Git(t testing.TB, dir string, args ...string) string {
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
