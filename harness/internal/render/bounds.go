package render

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/reads"
)

// maxChartFiles bounds the files of a chart with the charts below it. Symbolic
// links can make a few files look like any number.
const maxChartFiles = 20_000

// bounds are what an app may read from. Kustomize and Helm follow symbolic
// links, so a link in a pull request could show them any file of the machine.
type bounds struct {
	// root is the real path of the folder that holds all that the app may read;
	// empty when none is known.
	root string
	// app is the real path of the app.
	app      string
	maxBytes int64
	reads    *reads.Log
}

// newBounds finds what an app may read from: the given root or, without one,
// the git work tree that its path is in. It is an error when the app itself is
// outside of that.
func newBounds(dir string, options Options) (bounds, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return bounds{}, err
	}
	b := bounds{root: options.Root, maxBytes: options.MaxBytes, reads: options.Reads}
	if b.root == "" {
		b.root = WorkTree(absolute)
	}
	if b.root != "" {
		if b.root, err = b.reads.EvalSymlinks(b.root); err != nil {
			return bounds{}, err
		}
	}
	if b.app, err = b.reads.EvalSymlinks(absolute); err != nil {
		return b, nil // as kustomize will say
	}
	if b.root != "" && !within(b.root, b.app) {
		return b, b.outside(absolute, b.app)
	}
	return b, nil
}

// WorkTree is the git work tree that an absolute path is in, or empty. Below a
// symbolic link it is the one that the link is in, if there is one.
func WorkTree(path string) string {
	behindLink, tree := "", ""
	for ; ; path = filepath.Dir(path) {
		if _, err := os.Lstat(filepath.Join(path, ".git")); err == nil && tree == "" {
			tree = path
		}
		if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			if behindLink == "" {
				behindLink = tree
			}
			tree = ""
		}
		if path == filepath.Dir(path) {
			break
		}
	}
	if tree == "" {
		return behindLink
	}
	return tree
}

// LinkLeadsOut reports, as an error that names it, a symbolic link that leads
// out of the git work tree that it is in.
func LinkLeadsOut(link string) error {
	b, err := newBounds(link, Options{})
	if err != nil && b.app != "" {
		return err
	}
	return nil
}

// check refuses an absolute path that leads out of the bounds. Where no root is
// known, a path may say what it likes, as in kustomize, but a symbolic link may
// not lead out of the nearest folder that holds both the link and the app.
func (b bounds) check(path string) error {
	real, err := b.reads.EvalSymlinks(path)
	if err != nil {
		return nil // as whoever opens it will say
	}
	if b.root != "" {
		if !within(b.root, real) {
			return b.outside(path, real)
		}
		return nil
	}
	link := b.firstLink(path, b.app)
	if link == "" || within(commonFolder(filepath.Dir(link), b.app), real) {
		return nil
	}
	return fmt.Errorf("%s: symbolic link that leads to %s: outside of a git repository, a link may lead to the nearest folder that holds both it and the app, %s; commit a copy in its place",
		link, real, commonFolder(filepath.Dir(link), b.app))
}

// outside is the error for a path that leads out of the root.
func (b bounds) outside(path, real string) error {
	if link := b.firstLink(path, b.root); link != "" {
		return fmt.Errorf("%s: symbolic link that leads to %s, out of the repository %s: rendering reads nothing outside of it; commit a copy in its place", link, real, b.root)
	}
	return fmt.Errorf("%s: outside of the repository %s: rendering reads nothing outside of it; commit a copy and refer to that", real, b.root)
}

// firstLink is the topmost symbolic link on a path that is not on the way to a
// folder, or empty.
func (b bounds) firstLink(path, folder string) string {
	link := ""
	for ; path != filepath.Dir(path) && !within(path, folder); path = filepath.Dir(path) {
		if info, err := b.reads.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			link = path
		}
	}
	return link
}

// commonFolder is the nearest folder that holds two absolute paths.
func commonFolder(a, b string) string {
	for !within(a, b) {
		a = filepath.Dir(a)
	}
	return a
}

// within reports whether a path is a folder or below it.
func within(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(relative)
}

// checkFile refuses a file that cannot be read in bounded time and memory: a
// pipe, a device, or too much text.
func (b bounds) checkFile(path string) error {
	info, err := b.reads.Stat(path)
	switch {
	case err != nil || info.IsDir():
		return nil // as whoever reads it will say
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: neither a file nor a folder but a %s: commit a file in its place", path, fileKind(info.Mode()))
	case info.Size() > b.maxBytes:
		return fmt.Errorf("%s: file has %d bytes, more than the limit of %d", path, info.Size(), b.maxBytes)
	}
	return nil
}

func fileKind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	default:
		return "device"
	}
}

// checkChart looks at the files of a chart before Helm reads them, through
// symbolic links as Helm does. It refuses what leads out of the bounds, links
// that lead into themselves, what is no file, and too much of it.
func (b bounds) checkChart(folder string) error {
	if err := b.check(folder); err != nil {
		return err
	}
	b.reads.Note(reads.Tree, folder)
	files := 0
	var above []string // the real paths of the folders that are being looked at
	var visit func(path string) error
	visit = func(path string) error {
		real, err := b.reads.EvalSymlinks(path)
		if err != nil {
			return plainLinkError(path, err)
		}
		if slices.Contains(above, real) {
			return fmt.Errorf("%s: symbolic link that leads to a folder it is in: remove it", path)
		}
		above = append(above, real)
		defer func() { above = above[:len(above)-1] }()
		entries, err := b.reads.ReadDir(path)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if files++; files > maxChartFiles {
				return fmt.Errorf("%s: chart has more than %d files, symbolic links followed: remove what it does not need", folder, maxChartFiles)
			}
			file := filepath.Join(path, entry.Name())
			isDir := entry.IsDir()
			if entry.Type()&fs.ModeSymlink != 0 {
				if err := b.check(file); err != nil {
					return err
				}
				info, err := b.reads.Stat(file)
				if err != nil {
					return plainLinkError(file, err)
				}
				isDir = info.IsDir()
			}
			if isDir {
				err = visit(file)
			} else {
				err = b.checkFile(file)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return visit(folder)
}

// plainLinkError says what is wrong with a symbolic link that leads nowhere.
func plainLinkError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: symbolic link that leads to nothing: remove it or commit what it should lead to", path)
	}
	if strings.Contains(err.Error(), "too many links") || strings.Contains(err.Error(), "too many levels") {
		return fmt.Errorf("%s: symbolic link that leads to itself: remove it", path)
	}
	return err
}

// RealPath is the absolute path of what a path leads to; of nothing, its own. By it two
// ways to a file are seen to be one.
func RealPath(path string) string {
	if absolute, err := filepath.Abs(filepath.FromSlash(path)); err == nil {
		path = absolute
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return path
}
