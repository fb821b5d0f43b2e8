package repository

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// Checkout is what is checked out, and by which names it is known.
type Checkout struct {
	// URLs are those of the remotes.
	URLs []string
	// Branches are the branch that is checked out, if it is one, and the default
	// branch of origin, if it is known.
	Branches []string
	// Tracked are the paths from the top of the files that git knows, with /, sorted;
	// Submodules those of the submodules.
	Tracked, Submodules []string
}

// Checkout reads the index, the remotes and the branches. A file that is new and was
// never added is not tracked.
func (r *Repository) Checkout() (Checkout, error) {
	var c Checkout
	config, err := r.Config()
	if err != nil {
		return c, fmt.Errorf("read the configuration of %s: %w", r.Top, err)
	}
	for _, name := range slices.Sorted(maps.Keys(config.Remotes)) {
		c.URLs = append(c.URLs, config.Remotes[name].URLs...)
	}
	if head, err := r.Reference(plumbing.HEAD); err == nil && head.Type() == plumbing.SymbolicReference {
		c.Branches = append(c.Branches, head.Target().Short())
	}
	const origin = "refs/remotes/origin/"
	if ref, err := r.Reference(origin + "HEAD"); err == nil && ref.Type() == plumbing.SymbolicReference {
		if name, ok := strings.CutPrefix(string(ref.Target()), origin); ok && !slices.Contains(c.Branches, name) {
			c.Branches = append(c.Branches, name)
		}
	}
	files, err := r.Index()
	if errors.Is(err, fs.ErrNotExist) || err == nil && files == nil {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read the index of %s: %w", r.Top, err)
	}
	for _, entry := range files.Entries {
		switch {
		case entry.Stage != 0:
			return c, fmt.Errorf("read the index of %s: %s has a conflict: resolve it first", r.Top, entry.Name)
		case entry.Mode == filemode.Submodule:
			c.Submodules = append(c.Submodules, entry.Name)
		default:
			c.Tracked = append(c.Tracked, entry.Name)
		}
	}
	slices.Sort(c.Tracked)
	return c, nil
}
