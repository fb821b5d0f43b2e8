package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/proompteng/nevermigrate/harness/internal/ordered"
)

// Limits on what is written for the base side. A tree that repeats itself can
// be small in the repository and endless on the disk.
const (
	maxFiles     = 1_000_000
	MaxTreeBytes = 4 << 30
	maxDepth     = 200
)

// checkout is a commit's tree in a folder. Go-git's own checkout writes into the
// repository too, and its TreeWalker ends without an error at a folder that is
// not in the repository, as if nothing came after it.
type checkout struct {
	repository *Repository
	root       *os.Root
	maxBytes   int64
	// maxTree bounds all files.
	maxTree int64

	files []file
	// What follows several workers change.
	bytes atomic.Int64
	lock  sync.Mutex
	links map[string]string // name → target
	// leftOut are the paths that are in the tree and not in the folder.
	leftOut []string
}

// file is an entry of a tree that is not a folder, by its path from the top.
type file struct {
	entry
	path string
}

// Write writes the files of a commit into a folder, which must be empty, and
// returns the paths that it left out, sorted: symbolic links that lead out of
// the tree, which would show the machine's files as the repository's, and files
// of more than maxBytes, which rendering would refuse. It is an error when all files
// together have more than maxTree bytes. Submodules are not part
// of the tree, and git filters (LFS) are not run.
func (r *Repository) Write(ctx context.Context, commit *Commit, folder string, maxBytes, maxTree int64) ([]string, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	c := &checkout{repository: r, root: root, maxBytes: maxBytes, maxTree: maxTree, links: map[string]string{}}
	if err := c.tree(ctx, commit.tree, ".", 0); err != nil {
		return nil, err
	}
	if err := c.blobs(ctx); err != nil {
		return nil, err
	}
	if err := c.writeLinks(); err != nil {
		return nil, err
	}
	slices.Sort(c.leftOut)
	return c.leftOut, nil
}

// tree makes the folders of a tree, and notes its files.
func (c *checkout) tree(ctx context.Context, hash plumbing.Hash, folder string, depth int) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if depth > maxDepth {
		return fmt.Errorf("%s: more than %d folders deep", folder, maxDepth)
	}
	var entries []entry
	err := c.repository.entries(hash, func(e entry) error {
		if entries = append(entries, e); len(entries) > maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		return nil
	})
	if err != nil {
		return unreadable(folder, err)
	}
	for _, entry := range entries {
		if !safeName(entry.name) {
			return fmt.Errorf("%s: git does not allow the name %q", folder, entry.name)
		}
		name := path.Join(folder, entry.name)
		switch entry.mode {
		case filemode.Dir:
			if err := c.root.Mkdir(name, 0o700); err != nil {
				return err
			}
			if err := c.tree(ctx, entry.hash, name, depth+1); err != nil {
				return err
			}
		case filemode.Submodule:
		default:
			if c.files = append(c.files, file{entry, name}); len(c.files) > maxFiles {
				return fmt.Errorf("more than %d files", maxFiles)
			}
		}
	}
	return nil
}

// safeName is git's own rule for the names in a tree: one element of a path,
// which is not special.
func safeName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.EqualFold(name, ".git") && !strings.ContainsAny(name, "/\\\x00")
}

// perWorker is how many files are worth another worker.
const perWorker = 100

// blobs writes the files, several at the same time: each worker has the repository open
// for itself.
func (c *checkout) blobs(ctx context.Context) error {
	workers := min(1+len(c.files)/perWorker, runtime.GOMAXPROCS(0))
	return ordered.Do(len(c.files), workers, func(number int, each func(func(int) error)) error {
		from := c.repository
		if number > 0 {
			var err error
			if from, err = Open(c.repository.Top); err != nil {
				return err
			}
			defer from.Close()
		}
		each(func(i int) error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			return c.blob(from, c.files[i].entry, c.files[i].path)
		})
		return nil
	})
}

func (c *checkout) blob(from *Repository, entry entry, name string) (err error) {
	blob, err := from.EncodedObject(plumbing.BlobObject, entry.hash)
	if err != nil {
		return unreadable(name, err)
	}
	if blob.Size() > c.maxBytes {
		c.lock.Lock()
		defer c.lock.Unlock()
		c.leftOut = append(c.leftOut, name)
		return nil
	}
	if c.bytes.Add(blob.Size()) > c.maxTree {
		return fmt.Errorf("more than %d MiB of files", c.maxTree>>20)
	}
	content, err := blob.Reader()
	if err != nil {
		return unreadable(name, err)
	}
	defer content.Close()
	if entry.mode == filemode.Symlink {
		target, err := io.ReadAll(content)
		if err != nil {
			return unreadable(name, err)
		}
		c.lock.Lock()
		defer c.lock.Unlock()
		c.links[name] = string(target)
		return nil
	}
	permissions := fs.FileMode(0o600)
	if entry.mode == filemode.Executable {
		permissions = 0o700
	}
	file, err := c.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, permissions)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, content); err != nil {
		file.Close()
		return unreadable(name, err)
	}
	return file.Close()
}

// unreadable explains an object that cannot be read.
func unreadable(name string, err error) error {
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return fmt.Errorf("%s is not in this repository: it may be a partial clone, of which git fetches files when it needs them; run `git fetch --refetch --no-filter`", name)
	}
	return fmt.Errorf("read %s: %w", name, err)
}

// writeLinks writes the symbolic links, when all else is there, and removes
// those that lead out of the folder, also by way of another link.
func (c *checkout) writeLinks() error {
	var bad []string
	for name, target := range c.links {
		if target == "" || strings.Contains(target, "\x00") {
			bad = append(bad, name)
		} else if err := c.root.Symlink(target, name); err != nil {
			return err
		}
	}
	for name := range c.links {
		// Root follows links as the kernel does, and refuses to leave.
		if _, err := c.root.Stat(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			bad = append(bad, name)
		}
	}
	for _, name := range bad {
		if err := c.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	c.leftOut = append(c.leftOut, bad...)
	return nil
}
