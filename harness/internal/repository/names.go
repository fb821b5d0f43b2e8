package repository

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// Name is a name that a revision may have.
type Name struct {
	// Name is what Resolve takes.
	Name string
	// Kind is "branch", "branch of a remote" or "tag".
	Kind string
}

// kinds of refs, in the order in which they are listed.
var kinds = []struct{ prefix, kind string }{
	{"refs/heads/", "branch"},
	{"refs/remotes/", "branch of a remote"},
	{"refs/tags/", "tag"},
}

// Names are the branches, the branches of remotes and the tags, each kind sorted. A
// name that several of them have is there once, as what Resolve takes it for: a tag
// before a branch, and that before a branch of a remote.
func (r *Repository) Names() ([]Name, error) {
	refs, err := r.IterReferences()
	if err != nil {
		return nil, fmt.Errorf("list the refs of %s: %w", r.Top, err)
	}
	defer refs.Close()
	rank := map[string]int{}
	err = refs.ForEach(func(ref *plumbing.Reference) error {
		for i, k := range kinds {
			// What a remote's HEAD is, is another name of one of its branches.
			name, ok := strings.CutPrefix(string(ref.Name()), k.prefix)
			if ok && (k.kind == "tag" || ref.Type() != plumbing.SymbolicReference) {
				if known, there := rank[name]; !there || k.kind == "tag" || i < known {
					rank[name] = i
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the refs of %s: %w", r.Top, err)
	}
	var names []Name
	for name, i := range rank {
		names = append(names, Name{name, kinds[i].kind})
	}
	slices.SortFunc(names, func(a, b Name) int {
		return cmp.Or(cmp.Compare(rank[a.Name], rank[b.Name]), cmp.Compare(a.Name, b.Name))
	})
	return names, nil
}
