// Package find turns the paths of a command line into targets: the apps and
// manifests that are to be judged.
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
	// Required says that the target must have a controllers workload: it is an
	// app that was named, not one that was found.
	Required bool
	// Argument is the path as it was given, from which the target was found.
	Argument string
}

// Kind says how a target is read.
type Kind int

// The kinds of target.
const (
	App Kind = iota
	Manifest
	StandardInput
)

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
		return "standard input"
	}
	return t.Path
}

// Targets turns paths into targets, in the order of the paths and, below a
// folder, of their names; what is found twice is judged once. It is an error
// when a path does not exist, is a file of another kind than a manifest, or is
// a folder without an app.
func Targets(paths []string) ([]Target, error) {
	if len(paths) == 0 {
		return nil, errors.New("no path: name an app, a manifest, a folder with apps, or - for standard input")
	}
	var targets []Target
	for _, path := range paths {
		found, err := below(path)
		if err != nil {
			return nil, err
		}
		for _, target := range found {
			i := slices.IndexFunc(targets, func(t Target) bool { return t.Path == target.Path })
			if i < 0 {
				targets = append(targets, target)
			} else {
				targets[i].Required = targets[i].Required || target.Required
			}
		}
	}
	return targets, nil
}

// NoAppError says that a folder is not an app and has none below it.
type NoAppError struct{ Folder string }

// Error implements error.
func (e NoAppError) Error() string {
	return e.Folder + ": no app in it or below it: an app is a folder with a kustomization.yaml (not of kind Component); name a manifest file to judge that"
}

func below(path string) ([]Target, error) {
	if path == "-" {
		return []Target{{Path: "-", Kind: StandardInput, Argument: path}}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: no such file or folder", path)
		}
		return nil, err
	}
	if !info.IsDir() {
		return fileTarget(path, info)
	}
	if render.IsApp(path) {
		return []Target{{Path: DisplayPath(path), Kind: App, Required: true, Argument: path}}, nil
	}
	targets, err := appsBelow(path)
	if err != nil {
		return nil, err
	}
	if len(targets) == 0 {
		return nil, NoAppError{Folder: path}
	}
	return targets, nil
}

func fileTarget(path string, info fs.FileInfo) ([]Target, error) {
	if !info.Mode().IsRegular() && info.Mode().Type() != fs.ModeNamedPipe {
		return nil, fmt.Errorf("%s: neither a file nor a folder", path)
	}
	if render.IsKustomization(path) {
		return nil, fmt.Errorf("%s: a kustomization is not judged by itself: name its folder %s", path, filepath.Dir(path))
	}
	if info.Mode().IsRegular() && !slices.Contains(manifestExtensions, strings.ToLower(filepath.Ext(path))) {
		return nil, fmt.Errorf("%s: not a manifest: its name must end in %s", path, strings.Join(manifestExtensions, ", "))
	}
	return []Target{{Path: DisplayPath(path), Kind: Manifest, Argument: path}}, nil
}

// maxFolders bounds the look for apps: a link may lead anywhere.
const maxFolders = 100_000

// appsBelow finds the apps in and below a folder, through symbolic links too:
// Argo CD syncs an app that is linked like any other. A folder that is reached
// in several ways is looked at once, by its own path if that is below root.
func appsBelow(root string) ([]Target, error) {
	var targets []Target
	visited := map[string]bool{}
	var links []string
	var visit func(dir string) error
	visit = func(dir string) error {
		real, err := filepath.EvalSymlinks(dir)
		if err != nil || visited[real] {
			return err
		}
		if visited[real] = true; len(visited) > maxFolders {
			return fmt.Errorf("there are more than %d folders: name a smaller folder, or look for a link that leads out of it", maxFolders)
		}
		if render.IsApp(dir) {
			targets = append(targets, Target{Path: DisplayPath(dir), Kind: App, Argument: root})
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			path := filepath.Join(dir, entry.Name())
			switch {
			case entry.Name() == ".git":
			case entry.Type()&fs.ModeSymlink != 0:
				links = append(links, path)
			case entry.IsDir():
				if err := visit(path); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err := visit(root)
	for err == nil && len(links) > 0 {
		link := links[0]
		links = links[1:]
		// A link to nothing or to a file leads to no app.
		if info, statErr := os.Stat(link); statErr == nil && info.IsDir() {
			if err = render.LinkLeadsOut(link); err == nil {
				err = visit(link)
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("look for apps below %s: %w", root, err)
	}
	slices.SortFunc(targets, func(a, b Target) int { return strings.Compare(a.Path, b.Path) })
	return targets, nil
}

// DisplayPath makes a path relative to the working directory where it is below
// it, clean, and with forward slashes.
func DisplayPath(path string) string {
	path = filepath.Clean(path)
	if dir, err := os.Getwd(); err == nil && filepath.IsAbs(path) {
		if relative, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(relative) {
			path = relative
		}
	}
	return filepath.ToSlash(path)
}
