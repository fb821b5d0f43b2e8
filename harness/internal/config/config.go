// Package config reads the configuration, .nevermigrate.yaml: what is judged and
// how, for a laptop and CI alike.
//
// A configuration comes from a pull request that nobody has reviewed yet. So it
// names nothing outside of the git work tree that it is in, and one that cannot
// be read is an error, never ignored.
package config

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/proompteng/nevermigrate/harness/internal/committed"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Name is the name of the configuration at the top of a git work tree.
const Name = ".nevermigrate.yaml"

// MaxBytes bounds the configuration.
const MaxBytes = 1 << 20

// misspelt are names that somebody means a configuration by.
var misspelt = []string{".nevermigrate.yml", ".nevermigrate.json", "nevermigrate.yaml", "nevermigrate.yml"}

var (
	// Schema is the JSON Schema of the configuration.
	//
	//go:embed config.schema.json
	Schema []byte
	// InForceSchema is the JSON Schema of what `nevermigrate config -o json`
	// prints.
	//
	//go:embed in-force.schema.json
	InForceSchema []byte
)

// Text is a text of the configuration and the line that it stands in.
type Text struct {
	Value string
	Line  int
}

// Exclusion takes what a glob matches out of what is judged.
type Exclusion struct {
	// Path is a glob, relative to the folder of the configuration.
	Path   string
	Reason string
	// Until is the last day of the exclusion, as YYYY-MM-DD; empty: there is none.
	Until string
	Line  int
}

// Exemption lets a finding pass. Its path is relative to the folder of the
// configuration.
type Exemption struct {
	report.Exemption
	Line int
}

// Config is a configuration. A value that is not there is empty, with the line 0.
type Config struct {
	// File is the file that it was read from, relative to the working directory,
	// with forward slashes; empty: there is none.
	File string
	// SHA256 is the digest of the file; empty when there is none.
	SHA256 string
	// Constraints are files with constraints, and Paths what is judged, relative to
	// the folder of the configuration; see Local.
	Constraints []Text
	Paths       []Text
	Exclude     []Exclusion
	Exemptions  []Exemption
	// Baseline is a file with a report, relative to the folder of the configuration.
	Baseline    Text
	KubeVersion Text
	APIVersions []Text
	// ArgoCD is what Argo CD knows; nil: nobody says.
	ArgoCD *ArgoCD
	// Outputs are each FORMAT or FORMAT=FILE, the file relative to the folder of the
	// configuration.
	Outputs []Text

	// top is the real path of the work tree, folder that of the folder of the
	// configuration, and workDir that of the working directory.
	top, folder, workDir string
}

// Find is the configuration at the top of the git work tree that a folder is in;
// it is empty when there is none, or no work tree. A file that is called like a
// configuration, but for its ending, is an error.
func Find(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the configuration: %w", err)
	}
	top := render.WorkTree(absolute)
	if top == "" {
		return "", nil
	}
	for _, name := range append([]string{Name}, misspelt...) {
		switch _, err := os.Lstat(filepath.Join(top, name)); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return "", fmt.Errorf("find the configuration: %w", err)
		case name != Name:
			return "", fmt.Errorf("%s: a configuration is called %s: rename the file", display(filepath.Join(top, name)), Name)
		default:
			return filepath.Join(top, name), nil
		}
	}
	return "", nil
}

// Default is where the configuration of the git work tree that a folder is in stands,
// or would, as seen from the working directory.
func Default(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the configuration: %w", err)
	}
	top := render.WorkTree(absolute)
	if top == "" {
		top = absolute
	}
	return filepath.FromSlash(display(filepath.Join(top, Name))), nil
}

// AtTop is a file at the top of the work tree, as seen from the working directory.
func (c *Config) AtTop(name string) string { return display(filepath.Join(c.top, name)) }

// Load reads a configuration. It is an error when it is no regular file in the
// work tree of the working directory, is larger than MaxBytes, holds anything
// that the schema refuses, names a file outside of the work tree, or when the
// until of an entry is past at the time now.
func Load(file string, now time.Time) (*Config, error) {
	c, err := place(file)
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	data, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	return c.with(data, now)
}

// LoadAs is Load of what is read from another file, such as that of another commit,
// as if it stood in a file. Without the other file there is no configuration, as with
// None.
func LoadAs(file, from string, now time.Time) (*Config, error) {
	data, err := read(from)
	if _, statErr := os.Lstat(from); errors.Is(statErr, fs.ErrNotExist) {
		return None()
	}
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	return Parse(file, data, now)
}

// Parse is Load of a text, as if it stood in a file.
func Parse(file string, data []byte, now time.Time) (*Config, error) {
	c, err := place(file)
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	return c.with(data, now)
}

// Source is the file of the configuration; nil when there is none.
func (c *Config) Source() *report.FileSource {
	if c.SHA256 == "" {
		return nil
	}
	return &report.FileSource{File: c.File, SHA256: c.SHA256}
}

// with is the configuration with what a text says.
func (c *Config) with(data []byte, now time.Time) (*Config, error) {
	c.SHA256 = report.Digest(data)
	r := reader{config: c, now: now}
	if err := r.read(data); err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	return c, nil
}

// None is what is in force without a configuration: nothing.
func None() (*Config, error) {
	workDir, err := realWorkDir()
	if err != nil {
		return nil, fmt.Errorf("find the working directory: %w", err)
	}
	top := render.WorkTree(workDir)
	if top == "" {
		top = workDir
	}
	return &Config{top: top, folder: workDir, workDir: workDir}, nil
}

// place is a configuration of which nothing is known but where it is.
func place(file string) (*Config, error) {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(absolute))
	if err != nil {
		return nil, err
	}
	given, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	workDir, err := filepath.EvalSymlinks(given)
	if err != nil {
		return nil, err
	}
	top := render.WorkTree(given)
	if top == "" {
		top = render.WorkTree(absolute)
	}
	if top == "" {
		top = folder
	}
	if top, err = filepath.EvalSymlinks(top); err != nil {
		return nil, err
	}
	if !isBelow(top, folder) {
		return nil, fmt.Errorf("%s: outside of the repository %s: a configuration is a file of the repository that it is for", file, top)
	}
	return &Config{File: display(filepath.Join(folder, filepath.Base(absolute))), top: top, folder: folder, workDir: workDir}, nil
}

// read reads a regular file. A symbolic link is none: it may lead anywhere.
func read(file string) ([]byte, error) {
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: no such file", file)
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, fmt.Errorf("%s: a symbolic link: commit the file in its place", file)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file", file)
	}
	return committed.Read(file, MaxBytes, "a configuration")
}

// Place is where a line of the configuration is, as FILE:LINE.
func (c *Config) Place(line int) string { return fmt.Sprintf("%s:%d", c.File, line) }

// Local makes a path of the configuration relative to the working directory.
func (c *Config) Local(file string) string {
	absolute := filepath.Join(c.folder, filepath.FromSlash(file))
	relative, err := filepath.Rel(c.workDir, absolute)
	if err != nil { // both are absolute, so this cannot be
		return absolute
	}
	return relative
}

// FromTop makes a path that is relative to the working directory relative to the
// top of the work tree, with forward slashes. It is not ok when the path is
// outside of it.
func (c *Config) FromTop(file string) (fromTop string, ok bool) {
	if !filepath.IsAbs(file) {
		file = filepath.Join(c.workDir, filepath.FromSlash(file))
	}
	relative, err := filepath.Rel(c.top, file)
	return filepath.ToSlash(relative), err == nil && filepath.IsLocal(relative)
}

// Excluded is the first exclusion that matches a path, which is relative to the
// top of the work tree and has forward slashes.
func (c *Config) Excluded(file string) (Exclusion, bool) {
	if c == nil {
		return Exclusion{}, false
	}
	i := slices.IndexFunc(c.Exclude, func(e Exclusion) bool { return Matches(c.fromTop(e.Path), file) })
	if i < 0 {
		return Exclusion{}, false
	}
	return c.Exclude[i], true
}

// Excludes says of a path, relative to the working directory, whether it is excluded,
// and why. It is nil when nothing is.
func (c *Config) Excludes() func(path string) (reason string, excluded bool) {
	if c == nil || len(c.Exclude) == 0 {
		return nil
	}
	return func(path string) (string, bool) {
		fromTop, ok := c.FromTop(path)
		exclusion, excluded := c.Excluded(fromTop)
		return exclusion.Reason, ok && excluded
	}
}

// Added are the places of exclusions and exemptions that another configuration, such
// as that of another commit, does not have, and of what is said otherwise of Argo CD.
func (c *Config) Added(base *Config) []report.Cause {
	var places []report.Cause
	add := func(line int, path string) {
		places = append(places, report.Cause{File: c.File, Line: line, Column: 1, Path: path, Layer: report.ConfigurationLayer})
	}
	for i, e := range c.Exclude {
		if !slices.ContainsFunc(base.Exclude, func(o Exclusion) bool { return o.Path == e.Path }) {
			add(e.Line, fmt.Sprintf("exclude[%d]", i))
		}
	}
	for i, e := range c.Exemptions {
		isSame := func(o Exemption) bool {
			return o.Code == e.Code && o.Workload == e.Workload && o.Container == e.Container && o.Path == e.Path
		}
		if !slices.ContainsFunc(base.Exemptions, isSame) {
			add(e.Line, fmt.Sprintf("exemptions[%d]", i))
		}
	}
	c.ArgoCD.changed(base.ArgoCD, add)
	return places
}

// FromTopExemptions are the exemptions with their paths relative to the top of the
// work tree.
func (c *Config) FromTopExemptions() []report.Exemption {
	exemptions := []report.Exemption{}
	for _, e := range c.Exemptions {
		if e.Path != "" {
			e.Path = c.fromTop(e.Path)
		}
		exemptions = append(exemptions, e.Exemption)
	}
	return exemptions
}

// WorkDir is the working directory, relative to the top of the work tree, with
// forward slashes.
func (c *Config) WorkDir() string {
	relative, err := filepath.Rel(c.top, c.workDir)
	if err != nil { // both are absolute, so this cannot be
		return "."
	}
	return filepath.ToSlash(relative)
}

// fromTop makes a path or a glob of the configuration relative to the top of the
// work tree.
func (c *Config) fromTop(glob string) string {
	folder, err := filepath.Rel(c.top, c.folder)
	if err != nil { // both are absolute, so this cannot be
		return glob
	}
	return path.Join(filepath.ToSlash(folder), glob)
}

// display makes an absolute path relative to the working directory, with forward
// slashes. The working directory is the real one: the system goes up from there.
func display(file string) string {
	workDir, err := realWorkDir()
	if err != nil {
		return filepath.ToSlash(file)
	}
	folder, base := filepath.Split(file)
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		folder = real
	}
	relative, err := filepath.Rel(workDir, filepath.Join(folder, base))
	if err != nil {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(relative)
}

func realWorkDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// isBelow reports whether a file is a folder or below it.
func isBelow(folder, file string) bool {
	relative, err := filepath.Rel(folder, file)
	return err == nil && filepath.IsLocal(relative)
}

// leadsOut says why a file of the configuration is not one of the work tree, or
// is empty.
func (c *Config) leadsOut(file string) string {
	absolute := filepath.Join(c.folder, filepath.FromSlash(file))
	if !isBelow(c.top, absolute) {
		return "it is outside of the repository: commit a copy and name that"
	}
	// What is not there yet, such as an output, goes into a folder that is.
	for at := absolute; isBelow(c.top, at) && at != c.top; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			if !isBelow(c.top, real) {
				return "a symbolic link leads out of the repository: commit a copy in its place"
			}
			break
		}
	}
	if relative, _ := filepath.Rel(c.top, absolute); slices.ContainsFunc(strings.Split(filepath.ToSlash(relative), "/"), func(part string) bool { return strings.EqualFold(part, ".git") }) {
		return "it is a file of git: name another one"
	}
	return ""
}
