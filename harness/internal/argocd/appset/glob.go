package appset

import (
	"fmt"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// glob is a pattern of files under Argo CD's newer globbing: LsFiles of
// util/git/client.go, where a star matches no /, and ** matches any folders.
type glob string

// newGlob is a pattern, unless it matches a folder too: Argo CD reads all that
// matches as a file, and fails on a folder.
func newGlob(pattern string, repository *Repository) (glob, error) {
	g := glob(path.Clean("./" + pattern))
	if g == ".." || strings.HasPrefix(string(g), "../") {
		// Outside of the repository nothing counts.
		return "", nil
	}
	if !doublestar.ValidatePattern(string(g)) {
		return "", fmt.Errorf("%q is no pattern", pattern)
	}
	for _, directory := range append(repository.directories(true), ".") {
		if g.matches(directory) {
			return "", fmt.Errorf("%q matches the folder %q too, and Argo CD fails on it", pattern, directory)
		}
	}
	return g, nil
}

func (g glob) matches(file string) bool {
	matches, err := doublestar.Match(string(g), file)
	return err == nil && matches
}
