// Package find turns the paths of a command line into what is there: targets, which
// are to be judged, and places that put a workload into a cluster in a way that is
// not judged. Nothing is rendered for it.
package find

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// Target is one thing to judge.
type Target struct {
	// Path is relative to the working directory, with forward slashes, or "-".
	Path string
	Kind Kind
	// Files are those of Manifests, by their paths.
	Files []string
	// By is the *argocd.Application of an Application.
	By any
	// Required says that the target must have a controllers workload: it is an
	// app or a chart that was named, not one that was found.
	Required bool
	// Argument is the path as it was given, from which the target was found.
	Argument string
	// Err says why there is nothing to judge at a path that was given.
	Err error
}

// Kind says what something is, in the words of a report.
type Kind string

// The kinds of target.
const (
	App       Kind = "kustomization"
	Component Kind = "component"
	Chart     Kind = "chart"
	// Manifests is a folder of files that nothing else reads.
	Manifests     Kind = "manifests"
	Manifest      Kind = "manifest"
	StandardInput Kind = "standard input"
	// Application is an Application of Argo CD, with all that its spec says.
	Application Kind = "Application"
	// Missing is a path at which there is nothing to judge.
	Missing Kind = "path"
)

// The kinds of what is not judged, besides those of targets and of objects.
const (
	LibraryChart Kind = "library chart"
	ArgoCDSource Kind = "Argo CD source"
	Helmfile     Kind = "helmfile"
	Jsonnet      Kind = "jsonnet"
	Submodule    Kind = "submodule"
	// PackedChart is a .tgz that is no subchart of a chart.
	PackedChart Kind = "packed chart"
	// ApplicationSet makes Applications of Argo CD.
	ApplicationSet Kind = "ApplicationSet"
	// Link is a symbolic link to a folder out of the repository.
	Link Kind = "link"
)

// IsKustomization reports whether the target is rendered by kustomize.
func (t Target) IsKustomization() bool { return t.Kind == App || t.Kind == Component }

var manifestExtensions = []string{".yaml", ".yml", ".json"}

// Below is the target as if it had been found below a folder and not been
// named: it need not have a controllers workload by itself.
func (t Target) Below(folder string) Target {
	t.Required, t.Argument = false, folder
	return t
}

// String is how a message names the target.
func (t Target) String() string {
	if t.Kind == StandardInput {
		return string(StandardInput)
	}
	return t.Path
}

// NotJudged is a place that may put a workload into a cluster, and that nobody
// looks into.
type NotJudged struct {
	// Path is relative to the working directory, with forward slashes.
	Path string
	// Kind is a Kind, or the kind of an object.
	Kind Kind
	// Reason says why it is not judged.
	Reason string
	// Files and Text are what it says. Unread: nobody can tell.
	Files  []string
	Text   []byte
	Unread bool
	// Object is that of an object, and Document counts from 1 which document of the
	// file it is; 0 when it is none by itself.
	Object   map[string]any
	Document int
	// By are the paths of the targets that read the file of an object; empty: none do.
	By []string
}

// Read is what a target reads, so that it is not judged by itself.
type Read struct {
	Path string
	Kind Kind
	// By are the paths of the targets.
	By []string
}

// Excluded is a place that is left out on purpose. What it reads, it does not keep
// from being judged.
type Excluded struct {
	Path   string
	Kind   Kind
	Reason string
}

// Coverage is what is at some paths.
type Coverage struct {
	Targets   []Target
	NotJudged []NotJudged
	Read      []Read
	Excluded  []Excluded

	walk *walk
}

// Cover looks at paths: apps, charts, manifests, folders, and - for standard input.
// Targets are in the order of the paths and, below a folder, of their names; what
// is found twice is judged once. One bad path among others is a target with an
// Err. It is an error when a path is bad and there is no other, or when a folder
// has nothing in it or below it.
func Cover(paths []string, excluded func(path string) (reason string, ok bool)) (*Coverage, error) {
	if len(paths) == 0 {
		return nil, errors.New("no path: name an app, a chart, a manifest, a folder with these, or - for standard input")
	}
	c := &Coverage{}
	w := newWalk()
	var folders []string
	for _, path := range paths {
		target, isFolder, err := named(path)
		switch {
		case err != nil && len(paths) == 1:
			return nil, err
		case err != nil:
			c.add(Target{Path: DisplayPath(path), Kind: Missing, Argument: path, Err: withoutPath(path, err)})
		case !isFolder:
			c.add(target)
		default:
			before := len(w.places) + len(w.notJudged)
			if err := w.below(path); err != nil {
				return nil, err
			}
			if len(w.places)+len(w.notJudged) == before && !slices.Contains(folders, path) {
				if len(paths) == 1 {
					return nil, NoAppError{Folder: path}
				}
				c.add(Target{Path: DisplayPath(path), Kind: Missing, Argument: path, Err: errors.New(nothingThere)})
			}
			folders = append(folders, path)
		}
	}
	w.exclude(c, excluded)
	w.resolve(c, paths, folders)
	c.walk = w
	return c, nil
}

// Targets are those of Cover.
func Targets(paths []string) ([]Target, error) {
	c, err := Cover(paths, nil)
	if err != nil {
		return nil, err
	}
	return c.Targets, nil
}

func (c *Coverage) add(target Target) {
	i := slices.IndexFunc(c.Targets, func(t Target) bool { return t.Path == target.Path })
	if i < 0 {
		c.Targets = append(c.Targets, target)
	} else {
		c.Targets[i].Required = c.Targets[i].Required || target.Required
	}
}

const nothingThere = "no app, chart or manifest with a workload in it or below it: an app is a folder with a kustomization.yaml, a chart one with a Chart.yaml"

// NoAppError says that a folder holds nothing to judge, nor anything below it.
type NoAppError struct{ Folder string }

// Error implements error.
func (e NoAppError) Error() string { return e.Folder + ": " + nothingThere }

// withoutPath is an error that a path begins, without it: a target says its path.
func withoutPath(path string, err error) error {
	if rest, ok := strings.CutPrefix(err.Error(), path+": "); ok {
		return errors.New(rest)
	}
	return err
}

// named is the target at a path that is no folder.
func named(path string) (target Target, isFolder bool, err error) {
	if path == "-" {
		return Target{Path: "-", Kind: StandardInput, Argument: path}, false, nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Target{}, false, fmt.Errorf("%s: no such file or folder", path)
	case err != nil || info.IsDir():
		return Target{}, err == nil, err
	}
	target, err = fileTarget(path, info)
	return target, false, err
}

func fileTarget(path string, info fs.FileInfo) (Target, error) {
	if !info.Mode().IsRegular() && info.Mode().Type() != fs.ModeNamedPipe {
		return Target{}, fmt.Errorf("%s: neither a file nor a folder", path)
	}
	if render.IsKustomization(path) {
		return Target{}, fmt.Errorf("%s: a kustomization is not judged by itself: name its folder %s", path, filepath.Dir(path))
	}
	if info.Mode().IsRegular() && !slices.Contains(manifestExtensions, strings.ToLower(filepath.Ext(path))) {
		return Target{}, fmt.Errorf("%s: not a manifest: its name must end in %s", path, strings.Join(manifestExtensions, ", "))
	}
	return Target{Path: DisplayPath(path), Kind: Manifest, Argument: path}, nil
}

// DisplayPath makes a path relative to the working directory where it is below
// it, clean, and with forward slashes.
func DisplayPath(path string) string {
	workDir := ""
	if filepath.IsAbs(path) {
		workDir, _ = os.Getwd()
	}
	return displayFrom(workDir, path)
}

// displayFrom is DisplayPath for a working directory; empty when nobody knows it.
func displayFrom(workDir, path string) string {
	path = filepath.Clean(path)
	if filepath.IsAbs(path) && workDir != "" {
		if relative, err := filepath.Rel(workDir, path); err == nil && filepath.IsLocal(relative) {
			path = relative
		}
	}
	return filepath.ToSlash(path)
}
