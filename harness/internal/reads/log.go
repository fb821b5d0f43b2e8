// Package reads is how the files of what is judged are read: it notes what was looked at,
// and what was there. Whoever finds all of it the same would come to the same verdict,
// and need not judge again.
//
// A look at what is not there counts as well: a values file that appears is a change. So
// everything that judging reads goes through a Log; TestNobodyReadsAround of this package
// says so of the packages that do.
package reads

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"
)

// Log notes what is read for one target. Its methods read as those of package os do that
// have their names. What is there is noted before it is read, so that a file which
// changes meanwhile is not taken for what was read; see Disk.Fresh. A nil Log reads, and
// notes nothing. It is safe for concurrent use.
type Log struct {
	disk *Disk

	mu      sync.Mutex
	looks   map[Look]bool
	ignored []string
	unsure  bool
}

// NewLog is a log of what is read from a disk.
func NewLog(disk *Disk) *Log { return &Log{disk: disk, looks: map[Look]bool{}} }

// Reads are what was noted, each once, in order. They are not ok when something was read
// of which nobody can tell whether it is still the same.
func (l *Log) Reads() (all []Read, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for look := range l.looks {
		if l.isPartOfOther(look) {
			continue
		}
		state := l.disk.State(look)
		if state == unknown {
			return nil, false
		}
		all = append(all, Read{look, state})
	}
	slices.SortFunc(all, func(a, b Read) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind)) })
	return all, !l.unsure
}

// isPartOfOther reports whether another look sees all that this one does.
func (l *Log) isPartOfOther(look Look) bool {
	if look.Kind == Glob || look.Kind == Chart {
		return false
	}
	if look.Kind == Stat && (l.looks[Look{File, look.Path}] || l.looks[Look{List, look.Path}]) {
		return true
	}
	if look.Kind != Tree && l.looks[Look{Tree, look.Path}] {
		return true
	}
	for folder := look.Path; folder != "." && folder != "/"; {
		folder = parent(folder)
		if l.looks[Look{Tree, folder}] {
			return true
		}
	}
	return false
}

// parent is the folder of a path of a Look.
func parent(path string) string {
	i := strings.LastIndexByte(path, '/')
	switch {
	case i < 0:
		return "."
	case i == 0:
		return "/"
	default:
		return path[:i]
	}
}

// Unsure says that something is read that cannot be noted.
func (l *Log) Unsure() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unsure = true
}

// Ignore says that what is in a folder need not be noted: it was made for the target of
// what was.
func (l *Log) Ignore(folder string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ignored = append(l.ignored, folder)
}

// Note notes a look at a path, of which somebody else reads what there is.
func (l *Log) Note(kind Kind, path string) {
	if l == nil {
		return
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		l.Unsure()
		return
	}
	l.mu.Lock()
	for _, folder := range l.ignored {
		if relative, err := filepath.Rel(folder, absolute); err == nil && filepath.IsLocal(relative) {
			l.mu.Unlock()
			return
		}
	}
	look := Look{kind, l.disk.Relative(absolute)}
	isNew := !l.looks[look] && !l.isPartOfOther(look)
	if isNew {
		l.looks[look] = true
	}
	l.mu.Unlock()
	if isNew {
		l.disk.State(look)
	}
}

// Chart notes that a chart was asked for that is not among the files.
func (l *Log) Chart(name string) {
	if l == nil {
		return
	}
	look := Look{Chart, name}
	l.mu.Lock()
	l.looks[look] = true
	l.mu.Unlock()
	l.disk.State(look)
}

// Stat reads what is at a path.
func (l *Log) Stat(path string) (fs.FileInfo, error) {
	l.Note(Stat, path)
	return os.Stat(path)
}

// Lstat is Stat of a link.
func (l *Log) Lstat(path string) (fs.FileInfo, error) {
	l.Note(Stat, path)
	return os.Lstat(path)
}

// Readlink reads where a link leads.
func (l *Log) Readlink(path string) (string, error) {
	l.Note(Stat, path)
	return os.Readlink(path)
}

// EvalSymlinks is filepath.EvalSymlinks.
func (l *Log) EvalSymlinks(path string) (string, error) {
	l.Note(Stat, path)
	return filepath.EvalSymlinks(path)
}

// ReadFile reads a file.
func (l *Log) ReadFile(path string) ([]byte, error) {
	l.Note(File, path)
	return os.ReadFile(path)
}

// Open opens a file. One that is no regular file gives something else each time.
func (l *Log) Open(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		l.Unsure()
	} else {
		l.Note(File, path)
	}
	return os.Open(path)
}

// ReadDir reads a folder.
func (l *Log) ReadDir(path string) ([]fs.DirEntry, error) {
	l.Note(List, path)
	return os.ReadDir(path)
}

// Walk is filepath.Walk. Of the folders that it enters the names are noted.
func (l *Log) Walk(root string, visit filepath.WalkFunc) error {
	l.Note(Stat, root)
	return filepath.Walk(root, func(path string, info fs.FileInfo, err error) error {
		visitErr := visit(path, info, err)
		if visitErr == nil && info != nil && info.IsDir() {
			l.Note(List, path)
		}
		return visitErr
	})
}

// WalkDir is filepath.WalkDir, and notes as Walk does.
func (l *Log) WalkDir(root string, visit fs.WalkDirFunc) error {
	l.Note(Stat, root)
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		visitErr := visit(path, entry, err)
		if visitErr == nil && entry != nil && entry.IsDir() {
			l.Note(List, path)
		}
		return visitErr
	})
}

// Glob returns the files below a folder that a pattern of github.com/bmatcuk/doublestar
// matches.
func (l *Log) Glob(folder, pattern string) ([]string, error) {
	if l != nil {
		look := Look{Glob, l.disk.Relative(folder) + "\x00" + filepath.ToSlash(pattern)}
		l.mu.Lock()
		l.looks[look] = true
		l.mu.Unlock()
		l.disk.State(look)
	}
	return doublestar.FilepathGlob(globPattern(folder, pattern))
}
