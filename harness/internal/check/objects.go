package check

import (
	"context"

	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// Held is what a target holds.
type Held struct {
	// Path is the target's, and Kind says what it is.
	Path    string
	Kind    find.Kind
	Objects []manifest.Object
	// Reason says why nobody knows what it holds; empty: the objects are all. What was
	// found and need not render by itself may hold nothing.
	Reason string
	// Files are those that rendering it reads, as far as they are known.
	Files []string
}

// Objects renders what All would judge, and says what each target holds. Nothing is
// judged. Its error is that of All.
func Objects(ctx context.Context, paths []string, options Options) ([]Held, error) {
	found, deploys, err := options.found(ctx, paths)
	if err != nil {
		return nil, err
	}
	defer deploys.close()
	var all []Held
	each := func(targets []find.Target) ([]find.NotJudged, error) {
		contents, err := contentsOf(ctx, targets, options)
		if err != nil {
			return nil, err
		}
		var refused []find.NotJudged
		for i, target := range targets {
			if isRefused(contents[i].err) {
				refused = append(refused, find.NotJudged{Path: target.Path, Kind: target.Kind})
			}
			all = append(all, heldBy(target, contents[i], found))
		}
		return refused, nil
	}
	refused, err := each(found.Targets)
	if err != nil {
		return nil, err
	}
	_, err = each(deploys.back(ctx, found, refused, options))
	return all, err
}

// heldBy is what is known of a target.
func heldBy(target find.Target, what looked, found *find.Coverage) Held {
	held := Held{Path: target.Path, Kind: target.Kind, Objects: what.objects}
	if unread := unreadBy(target, what.err); unread != nil {
		held.Reason = unread.Reason
	}
	switch {
	case target.IsKustomization():
		held.Files = found.FilesReadBy(target.Path)
	case target.Kind == find.Chart:
		held.Files = find.FilesBelow(target.Path)
	}
	return held
}
