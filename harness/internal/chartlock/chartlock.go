// Package chartlock reads and writes the lock, nevermigrate.lock: which charts the
// repositories and registries hold that the work tree uses and does not have, each with
// the SHA-256 of its archive.
package chartlock

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/committed"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Name is the name of the lock at the top of a git work tree.
const Name = "nevermigrate.lock"

// MaxBytes bounds the lock.
const MaxBytes = 4 << 20

// Schema is the JSON Schema of the lock.
//
//go:embed lock.schema.json
var Schema []byte

// Chart is a chart and what its archive is.
type Chart struct {
	render.ChartRef
	// SHA256 is that of the archive, in hexadecimal digits.
	SHA256 string
	// Line is where it stands; 0 for one that was not read.
	Line int
}

// Lock is what a lock says.
type Lock struct {
	// Charts are in the order of repository, name and version.
	Charts []Chart
	// SHA256 is that of the file; empty when there is none.
	SHA256 string
}

// Find is the chart that a reference means.
func (l *Lock) Find(ref render.ChartRef) (Chart, bool) {
	i := slices.IndexFunc(l.Charts, func(c Chart) bool { return c.ChartRef == ref.Normal() })
	if i < 0 {
		return Chart{}, false
	}
	return l.Charts[i], true
}

// Read reads a lock. A file that is not there is an empty one. An error names the file
// and the line: what the schema refuses, a key or a chart that is there twice, a file
// that is larger than MaxBytes or not regular.
func Read(file string) (*Lock, error) {
	data, err := read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &Lock{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read lock: %w", err)
	}
	l := &Lock{SHA256: report.Digest(data)}
	r := reader{committed.Text(filepath.ToSlash(file))}
	if l.Charts, err = r.lock(data); err != nil {
		return nil, fmt.Errorf("read lock: %w: correct it, or restore it from git", err)
	}
	slices.SortFunc(l.Charts, compare)
	return l, nil
}

func read(file string) ([]byte, error) {
	info, err := os.Lstat(file)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file: commit the file in its place", file)
	}
	return committed.Read(file, MaxBytes, "a lock")
}

// compare orders charts as they are written.
func compare(a, b Chart) int {
	return cmp.Or(cmp.Compare(a.Repo, b.Repo), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
}

// Text is the text of a lock.
func (l *Lock) Text() ([]byte, error) {
	type entry struct {
		Name    string `yaml:"name"`
		Repo    string `yaml:"repo"`
		Version string `yaml:"version"`
		SHA256  string `yaml:"sha256"`
	}
	whole := struct {
		Version int     `yaml:"version"`
		Charts  []entry `yaml:"charts"`
	}{1, []entry{}}
	for _, c := range slices.SortedFunc(slices.Values(l.Charts), compare) {
		whole.Charts = append(whole.Charts, entry{c.Name, c.Repo, c.Version, c.SHA256})
	}
	b := bytes.NewBufferString("# Written by `nevermigrate vendor`. Commit it; do not edit it.\n")
	encoder := yaml.NewEncoder(b)
	if err := encoder.Encode(whole); err != nil {
		return nil, fmt.Errorf("write lock: %w", err)
	}
	return b.Bytes(), nil
}

// ErrBusy says that somebody else writes the lock.
var ErrBusy = errors.New("busy")

// Update replaces the lock in a file by what change makes of it, as a whole or not at
// all, and no change by somebody else is lost. It reports whether the file is another
// one now. The error of change is returned. When somebody else is writing, which takes a moment, its error is an
// ErrBusy. A lock without a chart is not made, but one that is there is kept.
func Update(file string, change func(*Lock) error) (changed bool, err error) {
	busy := file + ".new"
	opened, err := os.OpenFile(busy, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return false, fmt.Errorf("write %s: %w: somebody else writes it now; remove %s if nobody does", filepath.ToSlash(file), ErrBusy, filepath.ToSlash(busy))
	}
	if err != nil {
		return false, fmt.Errorf("write %s: %w", filepath.ToSlash(file), err)
	}
	defer func() {
		opened.Close()
		if !changed || err != nil {
			os.Remove(busy)
		}
	}()
	l, err := Read(file)
	if err != nil {
		return false, err
	}
	if err := change(l); err != nil {
		return false, err
	}
	text, err := l.Text()
	if err != nil {
		return false, err
	}
	if l.SHA256 == report.Digest(text) || l.SHA256 == "" && len(l.Charts) == 0 {
		return false, nil
	}
	_, err = opened.Write(text)
	err = errors.Join(err, opened.Sync(), opened.Close())
	if err == nil {
		err = os.Rename(busy, file)
	}
	if err != nil {
		return false, fmt.Errorf("write %s: %w", filepath.ToSlash(file), err)
	}
	return true, nil
}

// The patterns are those of the schema.
var (
	namePattern   = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._-]*\z`)
	repoPattern   = regexp.MustCompile(`\A(https?|oci)://[^\x00-\x20\x7f@]*[^\x00-\x20\x7f@/]\z`)
	digestPattern = regexp.MustCompile(`\A[0-9a-f]{64}\z`)
)

// Problem says why a chart cannot stand in a lock; it is empty for one that can.
func Problem(ref render.ChartRef) string {
	switch {
	case !repoPattern.MatchString(ref.Repo):
		// It is not shown: it may hold a password.
		return "the repository is no URL with http, https or oci and without a user: Helm's repositories.yaml is for credentials"
	case !namePattern.MatchString(ref.Name):
		return fmt.Sprintf("%q is no name of a chart", ref.Name)
	case ref.VersionProblem() != "":
		return "version: " + ref.VersionProblem()
	default:
		return ""
	}
}

// reader reads the text of a lock. It accepts what the schema accepts.
type reader struct{ committed.Text }

func (r reader) lock(data []byte) ([]Chart, error) {
	document, err := r.Document(data, "a lock", "it is empty")
	if err != nil {
		return nil, err
	}
	top, err := r.members(document, "", "version", "charts")
	if err != nil {
		return nil, err
	}
	if version := top["version"]; version.Kind != yaml.ScalarNode || version.Value != "1" || version.ShortTag() != yaml.NodeTagInt {
		return nil, r.Fail(version, "version", "it must be 1: a later one needs a later nevermigrate")
	}
	list := top["charts"]
	if list.Kind != yaml.SequenceNode {
		return nil, r.Fail(list, "charts", "it must be a list")
	}
	var charts []Chart
	for i, item := range list.Content {
		c, err := r.chart(item, fmt.Sprintf("charts[%d]", i))
		if err != nil {
			return nil, err
		}
		if j := slices.IndexFunc(charts, func(o Chart) bool { return o.ChartRef == c.ChartRef }); j >= 0 {
			return nil, r.Fail(item, fmt.Sprintf("charts[%d]", i), "the chart is there twice, first in line %d", charts[j].Line)
		}
		charts = append(charts, c)
	}
	return charts, nil
}

func (r reader) chart(node *yaml.Node, key string) (Chart, error) {
	c := Chart{Line: node.Line}
	to := map[string]*string{"name": &c.Name, "repo": &c.Repo, "version": &c.Version, "sha256": &c.SHA256}
	members, err := r.members(node, key, "name", "repo", "version", "sha256")
	if err != nil {
		return c, err
	}
	for name, target := range to {
		value := members[name]
		if value.Kind != yaml.ScalarNode || value.ShortTag() != yaml.NodeTagString {
			return c, r.Fail(value, key+"."+name, "it must be a text")
		}
		*target = value.Value
	}
	if problem := Problem(c.ChartRef); problem != "" {
		return c, r.Fail(node, key, "%s", problem)
	}
	if !digestPattern.MatchString(c.SHA256) {
		return c, r.Fail(members["sha256"], key+".sha256", "it must have 64 hexadecimal digits")
	}
	return c, nil
}

// members are those of an object, which has all of the known keys and no others.
func (r reader) members(node *yaml.Node, key string, known ...string) (map[string]*yaml.Node, error) {
	if node.Kind != yaml.MappingNode || node.Anchor != "" {
		return nil, r.Fail(node, key, "it must be an object with the keys %s", strings.Join(known, ", "))
	}
	members := map[string]*yaml.Node{}
	for i := 0; i < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		switch {
		case name.Kind != yaml.ScalarNode || !slices.Contains(known, name.Value):
			return nil, r.Fail(name, committed.Join(key, name.Value), "unknown key: there are %s", strings.Join(known, ", "))
		case members[name.Value] != nil:
			return nil, r.Fail(name, committed.Join(key, name.Value), "the key is there twice")
		case value.Kind == yaml.AliasNode || value.Anchor != "" || name.Anchor != "":
			return nil, r.Fail(value, committed.Join(key, name.Value), "anchors and aliases are not read")
		}
		members[name.Value] = value
	}
	for _, name := range known {
		if members[name] == nil {
			return nil, r.Fail(node, committed.Join(key, name), "it is missing")
		}
	}
	return members, nil
}
