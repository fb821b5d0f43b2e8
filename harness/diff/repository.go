package diff

import (
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

// repository reads commits and refs. Nothing is ever written to it.
//
// It stands on go-git's storage and not on its Repository, which refuses what
// makes no difference to a reader (partial clones, the configuration of a
// worktree) and, as a reader of revisions, ignores what it does not know.
type repository struct {
	// top is the real path of the working tree.
	top     string
	storage *filesystem.Storage
	objects objects
	// shallow are the commits whose parents a shallow clone left out.
	shallow map[plumbing.Hash]bool
}

// openRepository opens the repository that a folder is in. No git is run, and
// no configuration of the repository is acted on.
func openRepository(dir string) (*repository, error) {
	top, dot, err := findDotGit(dir)
	if err != nil {
		return nil, err
	}
	common := dot
	if text, err := os.ReadFile(filepath.Join(dot, "commondir")); err == nil {
		common = absolute(dot, strings.TrimSpace(string(text)))
	}
	if _, err := os.Stat(filepath.Join(common, "objects")); err != nil {
		return nil, fmt.Errorf("open repository %s: %w", top, err)
	}
	var files billy.Filesystem = osfs.New(dot)
	if common != dot {
		files = dotgit.NewRepositoryFilesystem(files, osfs.New(common))
	}
	r := &repository{top: top, shallow: map[plumbing.Hash]bool{}}
	r.storage = filesystem.NewStorageWithOptions(files, cache.NewObjectLRUDefault(), storageOptions)
	if err := r.refuseFormat(); err != nil {
		return nil, fmt.Errorf("open repository %s: %w", top, err)
	}
	shallow, err := r.storage.Shallow()
	if err != nil {
		return nil, fmt.Errorf("open repository %s: read shallow commits: %w", top, err)
	}
	for _, hash := range shallow {
		r.shallow[hash] = true
	}
	r.objects = objects{Storage: r.storage, alternates: alternates(filepath.Join(common, "objects"), 0)}
	return r, nil
}

// storageOptions keep packs open while a tree is read, and do not keep a large
// file in memory.
var storageOptions = filesystem.Options{KeepDescriptors: true, LargeObjectThreshold: 16 << 20}

func (r *repository) close() {
	_ = r.storage.Close()
	for _, alternate := range r.objects.alternates {
		_ = alternate.Close()
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
func (r *repository) refuseFormat() error {
	config, err := r.storage.Config()
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

// objects are a repository's own and those that it borrows from others, as
// clones with --shared and --reference do. Go-git looks for borrowed objects
// anew each time, and not where git does when the path is relative.
type objects struct {
	*filesystem.Storage
	alternates []*filesystem.ObjectStorage
}

// EncodedObject implements storer.EncodedObjectStorer.
func (o objects) EncodedObject(kind plumbing.ObjectType, hash plumbing.Hash) (plumbing.EncodedObject, error) {
	for _, alternate := range o.alternates {
		if object, err := alternate.EncodedObject(kind, hash); err == nil {
			return object, nil
		}
	}
	return o.Storage.EncodedObject(kind, hash)
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

// absolute is a path as seen from a folder.
func absolute(folder, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(folder, path)
}
