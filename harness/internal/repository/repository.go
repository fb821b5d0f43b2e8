// Package repository reads a git repository: its commits, its files as a commit has
// them, and what is checked out. No git is run, and nothing is ever written to it.
package repository

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

// Repository reads commits and refs. It is not safe for concurrent use.
//
// It is go-git's storage, and not its Repository, because that one refuses to
// open a partial clone and a repository with extensions.worktreeConfig, and
// links SSH and HTTP into the program. What is overridden below is what go-git's
// storage gets wrong: borrowed objects.
type Repository struct {
	*filesystem.Storage
	// Top is the real path of the working tree.
	Top string
	// stores hold the objects: those that are borrowed, as clones with --shared and
	// --reference do, and last the repository's own. Go-git takes a relative path
	// in objects/info/alternates for one below .git, does not follow the alternates
	// of an alternate, and opens all of them anew for each object.
	stores []*filesystem.ObjectStorage
	// shallow are the commits whose parents a shallow clone left out.
	shallow map[plumbing.Hash]bool
}

// Open opens the repository that a folder is in, by its real path. No git is run, and
// no configuration of the repository is acted on. It is to be closed.
func Open(dir string) (*Repository, error) {
	top, dot, err := findDotGit(dir)
	if err != nil {
		return nil, err
	}
	r := &Repository{Top: top, shallow: map[plumbing.Hash]bool{}}
	if err := r.open(dot); err != nil {
		return nil, fmt.Errorf("open repository %s: %w", top, err)
	}
	return r, nil
}

// HeadCommit is the hash of the commit that is checked out in the work tree of a
// folder; empty when there is none, or when it cannot be read.
func HeadCommit(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	r, err := Open(dir)
	if err != nil {
		return ""
	}
	defer r.Close()
	hash, err := r.lookUpName("HEAD")
	if err != nil {
		return ""
	}
	return hash.String()
}

// storageOptions keep packs open while a tree is read, and do not keep a large
// file in memory.
var storageOptions = filesystem.Options{KeepDescriptors: true, LargeObjectThreshold: 16 << 20}

func (r *Repository) open(dot string) error {
	common := dot
	if text, err := os.ReadFile(filepath.Join(dot, "commondir")); err == nil {
		common = absolute(dot, strings.TrimSpace(string(text)))
	}
	if _, err := os.Stat(filepath.Join(common, "objects")); err != nil {
		return err
	}
	var files billy.Filesystem = osfs.New(dot)
	if common != dot {
		files = dotgit.NewRepositoryFilesystem(files, osfs.New(common))
	}
	r.Storage = filesystem.NewStorageWithOptions(files, cache.NewObjectLRUDefault(), storageOptions)
	if err := r.refuseFormat(); err != nil {
		return err
	}
	shallow, err := r.Shallow()
	if err != nil {
		return fmt.Errorf("read shallow commits: %w", err)
	}
	for _, hash := range shallow {
		r.shallow[hash] = true
	}
	r.stores = append(alternates(filepath.Join(common, "objects"), 0), &r.ObjectStorage)
	return nil
}

// Close closes the files of the repository.
func (r *Repository) Close() {
	for _, store := range r.stores {
		_ = store.Close()
	}
}

// findDotGit finds the working tree that a folder is in, and its git folder,
// which a worktree and a submodule name in a file.
func findDotGit(dir string) (top, dot string, err error) {
	for top = dir; ; top = filepath.Dir(top) {
		dot = filepath.Join(top, ".git")
		info, err := os.Stat(dot)
		switch {
		case err == nil && info.IsDir():
			return top, dot, nil
		case err == nil:
			text, err := os.ReadFile(dot)
			if err != nil {
				return "", "", fmt.Errorf("open repository: %w", err)
			}
			path, found := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
			if !found {
				return "", "", fmt.Errorf("open repository: %s names no git folder", dot)
			}
			return top, absolute(top, path), nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", "", fmt.Errorf("open repository: %w", err)
		case isBare(top):
			return "", "", errors.New("this repository is bare: it has no working tree, which is the head side; make one with `git worktree add`")
		case top == filepath.Dir(top):
			return "", "", errors.New("not in a git repository: run diff inside of the working tree that is compared")
		}
	}
}

func isBare(dir string) bool {
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// refuseFormat refuses a repository whose objects or refs have a form that is
// not read here. Other extensions do not concern a reader.
func (r *Repository) refuseFormat() error {
	config, err := r.Config()
	if err != nil {
		return fmt.Errorf("read its configuration: %w", err)
	}
	extensions := config.Raw.Section("extensions")
	if format := extensions.Option("objectformat"); format != "" && !strings.EqualFold(format, "sha1") {
		return fmt.Errorf("its objects have the format %s: only sha1 is supported", format)
	}
	if format := extensions.Option("refstorage"); format != "" && !strings.EqualFold(format, "files") {
		return fmt.Errorf("its refs have the format %s: only files is supported", format)
	}
	return nil
}

// alternates are what an objects folder borrows from, up to git's own depth.
func alternates(folder string, depth int) []*filesystem.ObjectStorage {
	text, err := os.ReadFile(filepath.Join(folder, "info", "alternates"))
	if err != nil || depth > 5 {
		return nil
	}
	var found []*filesystem.ObjectStorage
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		other := absolute(folder, line)
		dir := dotgit.New(osfs.New(filepath.Dir(other)))
		found = append(found, filesystem.NewObjectStorageWithOptions(dir, cache.NewObjectLRUDefault(), storageOptions))
		found = append(found, alternates(other, depth+1)...)
	}
	return found
}

// EncodedObject implements storer.EncodedObjectStorer.
func (r *Repository) EncodedObject(kind plumbing.ObjectType, hash plumbing.Hash) (found plumbing.EncodedObject, err error) {
	for _, store := range r.stores {
		if found, err = store.EncodedObject(kind, hash); err == nil {
			break
		}
	}
	return found, err
}

// HashesWithPrefix lists the objects whose hashes begin so.
func (r *Repository) HashesWithPrefix(prefix []byte) (hashes []plumbing.Hash, err error) {
	for _, store := range r.stores {
		found, storeErr := store.HashesWithPrefix(prefix)
		hashes, err = append(hashes, found...), cmp.Or(err, storeErr)
	}
	return hashes, err
}

// absolute is a path as seen from a folder.
func absolute(folder, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(folder, path)
}
