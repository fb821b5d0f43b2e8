package reads

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"
)

// Kind says how something was looked at.
type Kind string

// The kinds of looks.
const (
	// Stat asks whether there is something, what, and where links lead.
	Stat Kind = "stat"
	// File asks for the content of a file, too.
	File Kind = "file"
	// List asks for the names in a folder, and what they are.
	List Kind = "list"
	// Tree asks for all files of a folder and below it, through links.
	Tree Kind = "tree"
	// Glob asks which files a pattern of github.com/bmatcuk/doublestar matches.
	Glob Kind = "glob"
	// Chart asks for a chart that is not among the files, by what names it.
	Chart Kind = "chart"
)

// Look is what was looked at, and how.
type Look struct {
	Kind Kind `json:"look"`
	// Path is relative to the folder of the disk, with forward slashes, or absolute
	// when it is outside of that.
	Path string `json:"path"`
}

// Read is a look, and what was there.
type Read struct {
	Look
	State string `json:"state"`
}

// unknown is what is there when that cannot be told. It is never the same again.
const unknown = "?"

// Bounds of one tree. What is larger is not known.
const (
	maxTreeFiles = 20_000
	maxTreeBytes = 512 << 20
)

// Disk is what is below a folder, each thing as it was when it was first looked at: many
// targets read the same. It is safe for concurrent use.
type Disk struct {
	// base is the folder as it was given, and real where that leads; both are empty
	// when it is the root of the file system.
	base, real string
	chart      func(name string) string

	mu      sync.Mutex
	states  map[Look]func() string
	folders map[string]string // where folders lead, by their paths
}

// NewDisk is what is below a folder; empty: all that there is. Chart says which chart has
// a name, by the digest of its archive; nil: none is known.
func NewDisk(base string, chart func(name string) string) *Disk {
	d := &Disk{base: base, real: base, chart: chart, states: map[Look]func() string{}, folders: map[string]string{}}
	if real, err := filepath.EvalSymlinks(base); err == nil && base != "" {
		d.real = real
	}
	return d
}

// Fresh is the same folder, of which nothing was looked at yet.
func (d *Disk) Fresh() *Disk { return NewDisk(d.base, d.chart) }

// Relative is a path as a Look has it.
func (d *Disk) Relative(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	for _, base := range []string{d.base, d.real} {
		if relative, err := filepath.Rel(base, path); base != "" && err == nil && filepath.IsLocal(relative) {
			return filepath.ToSlash(relative)
		}
	}
	return filepath.ToSlash(path)
}

// isOutside reports whether a path of a Look is outside of the folder.
func (d *Disk) isOutside(path string) bool { return d.base != "" && filepath.IsAbs(path) }

// absolute is the path that a Look has.
func (d *Disk) absolute(path string) string {
	if path = filepath.FromSlash(path); filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(d.real, path)
}

// State is what is there: the same text for the same, wherever the folder is.
func (d *Disk) State(look Look) string {
	d.mu.Lock()
	state, ok := d.states[look]
	if !ok {
		state = sync.OnceValue(func() string { return d.state(look) })
		d.states[look] = state
	}
	d.mu.Unlock()
	return state()
}

// Has reports whether all is there as it was read.
func (d *Disk) Has(all []Read) bool {
	return !slices.ContainsFunc(all, func(r Read) bool { return r.State == unknown || d.State(r.Look) != r.State })
}

func (d *Disk) state(look Look) string {
	switch look.Kind {
	case Chart:
		if d.chart == nil {
			return unknown
		}
		return d.chart(look.Path)
	case Glob:
		return d.glob(look.Path)
	}
	path := d.absolute(look.Path)
	is, mode := d.stat(path)
	switch {
	case look.Kind == File && mode.IsRegular() && !strings.HasPrefix(is, absent):
		sum, err := content(path)
		if err != nil {
			return unknown
		}
		return is + " " + hex.EncodeToString(sum)
	case look.Kind == List && mode.IsDir():
		sum := sha256.New()
		entries, err := os.ReadDir(path)
		if err != nil {
			return unknown
		}
		for _, entry := range entries {
			fmt.Fprintf(sum, "%q %s\n", entry.Name(), entry.Type())
		}
		return is + " " + hex.EncodeToString(sum.Sum(nil))
	case look.Kind == Tree && mode.IsDir():
		if d.isOutside(look.Path) {
			return unknown
		}
		t := tree{disk: d, sum: sha256.New()}
		if err := t.folder(path, nil); err != nil {
			return unknown
		}
		return is + " " + hex.EncodeToString(t.sum.Sum(nil))
	}
	return is
}

// absent is the state of what is not there.
const absent = "absent"

// stat is what is at a path: what it is, and where it leads when that is elsewhere.
func (d *Disk) stat(path string) (state string, mode fs.FileMode) {
	real, err := d.folder(filepath.Dir(path))
	var info fs.FileInfo
	link := ""
	if err == nil {
		real = filepath.Join(real, filepath.Base(path))
		info, err = os.Lstat(real)
	}
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if link, err = os.Readlink(real); err == nil {
			real, err = filepath.EvalSymlinks(real)
		}
		if err == nil {
			info, err = os.Stat(real)
		}
	}
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		state = absent + " for another reason" // no folder on the way, a link to itself
	case err != nil:
		state = absent
	case info.IsDir():
		state, mode = "folder", info.Mode()
	case info.Mode().IsRegular():
		state, mode = "file", info.Mode()
	default:
		state, mode = info.Mode().Type().String(), info.Mode()
	}
	if err == nil {
		if at := d.Relative(real); at != d.Relative(path) {
			state += fmt.Sprintf(" at %q", at)
		}
	}
	if link != "" {
		state += fmt.Sprintf(" by %q", link)
	}
	return state, mode
}

// folder is where a folder leads. Many paths are in one.
func (d *Disk) folder(path string) (real string, err error) {
	d.mu.Lock()
	real, ok := d.folders[path]
	d.mu.Unlock()
	if ok {
		return real, nil
	}
	if real, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.folders[path] = real
	return real, nil
}

// small is how large a file may be to be read at once, in bytes.
const small = 1 << 20

// content is the SHA-256 of a file.
func content(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, small))
	if err != nil {
		return nil, err
	}
	if len(text) < small {
		sum := sha256.Sum256(text)
		return sum[:], nil
	}
	sum := sha256.New()
	sum.Write(text)
	_, err = io.Copy(sum, file)
	return sum.Sum(nil), err
}

// tree sums up a folder.
type tree struct {
	disk  *Disk
	sum   hash.Hash
	files int
	bytes int64
}

var errTooLarge = errors.New("it is too large to be summed up")

// folder adds a folder, which is in others.
func (t *tree) folder(path string, above []string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	if slices.Contains(above, real) {
		fmt.Fprintf(t.sum, "again\n")
		return nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.sum, "%d\n", len(entries))
	for _, entry := range entries {
		if t.files++; t.files > maxTreeFiles {
			return errTooLarge
		}
		file := filepath.Join(path, entry.Name())
		is, mode := "", entry.Type()
		if entry.Type()&fs.ModeSymlink != 0 {
			if is, mode = t.disk.stat(file); strings.HasPrefix(is, absent) {
				mode = fs.ModeIrregular
			}
		}
		fmt.Fprintf(t.sum, "%q %s %s\n", entry.Name(), entry.Type(), is)
		switch {
		case mode.IsDir():
			err = t.folder(file, append(slices.Clone(above), real))
		case mode.IsRegular():
			err = t.file(file)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// file adds a file.
func (t *tree) file(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if t.bytes += info.Size(); t.bytes > maxTreeBytes {
		return errTooLarge
	}
	sum, err := content(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.sum, "%x\n", sum)
	return nil
}

// glob is what a pattern matches: FOLDER, a zero, and the pattern from there.
func (d *Disk) glob(path string) string {
	folder, pattern, _ := strings.Cut(path, "\x00")
	if d.isOutside(folder) {
		return unknown
	}
	matches, err := doublestar.FilepathGlob(globPattern(d.absolute(folder), pattern))
	if err != nil {
		return unknown
	}
	sum := sha256.New()
	for _, match := range matches {
		fmt.Fprintf(sum, "%q\n", d.Relative(match))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// globPattern is a pattern that stands below a folder, in whose name nothing is one.
func globPattern(folder, pattern string) string {
	return filepath.Join(strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `{`, `\{`, `\`, `\\`).Replace(folder), filepath.FromSlash(pattern))
}
