// Package diff tells what a change did to the contract: it judges the working
// tree and a commit from the repository's object store, and compares the two by
// container and by finding.
//
// Nothing of the repository is written: the commit's files go into a folder of
// their own, which is removed. No git command is run.
package diff

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Options say what to compare with.
type Options struct {
	// Base names the commit to compare with: a branch, a tag, a hash, HEAD~2,
	// origin/main.
	Base string
	// NoMergeBase compares with Base itself, and not with the commit at which
	// the working tree's history left it. What others changed on Base since
	// then shows as undone.
	NoMergeBase bool
	// CausesOfNew looks for the causes of new findings only. The search for
	// causes takes longer than all else, and old findings may be many.
	CausesOfNew bool
	// Check says how both sides are judged. Constraints and the policy are the
	// files of today on both sides: a change of the contract is not a change
	// of an app.
	Check harness.Options
}

// Run compares the targets of paths, in the working tree as it is, uncommitted
// changes and untracked files included, with those of the base. An error means
// that nothing was compared. What goes wrong with one target stands in the
// result: on the head side as its Error, on the base side as its BaseError, in
// which case all its findings count as new.
func Run(ctx context.Context, paths []string, options Options) (*Diff, error) {
	workDir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if workDir, err = filepath.EvalSymlinks(workDir); err != nil {
		return nil, err
	}
	repository, err := openRepository(workDir)
	if err != nil {
		return nil, err
	}
	defer repository.close()
	keys, err := keysOf(paths, repository.top, workDir)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("no path: name an app, a manifest or a folder with apps")
	}
	base := Base{Revision: options.Base, MergeBase: !options.NoMergeBase}
	commit, err := repository.baseCommit(options)
	if err != nil {
		return nil, err
	}
	base.Commit = commit.Hash.String()

	prefix, err := filepath.Rel(repository.top, workDir)
	if err != nil {
		return nil, err
	}
	prefix = filepath.ToSlash(prefix)
	folder, err := os.MkdirTemp("", "nevermigrate-base-")
	if err != nil {
		return nil, fmt.Errorf("make folder for the base side: %w", err)
	}
	defer os.RemoveAll(folder)
	if folder, err = filepath.EvalSymlinks(folder); err != nil {
		return nil, err
	}
	maxBytes := options.Check.Render.MaxBytes
	if maxBytes == 0 {
		maxBytes = render.DefaultMaxBytes
	}
	if base.LeftOut, err = repository.write(ctx, commit, folder, maxBytes); err != nil {
		return nil, fmt.Errorf("read the files of %s (%.12s): %w", options.Base, base.Commit, err)
	}
	c := comparison{
		base:    side{top: folder, prefix: prefix, outside: true, leftOut: base.LeftOut},
		head:    side{top: repository.top, prefix: prefix},
		options: options.Check,
	}
	c.causesOfNew = options.CausesOfNew && !options.Check.WithoutCauses
	return c.run(ctx, keys, base)
}

// baseCommit finds the commit to compare with.
func (r *repository) baseCommit(options Options) (*object.Commit, error) {
	commit, err := r.resolve(options.Base)
	if err != nil || options.NoMergeBase {
		return commit, err
	}
	head, err := r.resolve("HEAD")
	if err != nil {
		return nil, fmt.Errorf("find HEAD, to know where it left %s: %w", options.Base, err)
	}
	return r.mergeBase(commit, head)
}

// comparison compares two sides.
type comparison struct {
	base, head  side
	options     harness.Options
	causesOfNew bool
}

func (c comparison) run(ctx context.Context, keys []string, base Base) (*Diff, error) {
	baseTargets, headTargets, err := c.find(keys, base.Revision)
	if err != nil {
		return nil, err
	}
	p := pairing{base: c.base, head: c.head, options: c.baseOptions(), paths: keys}
	if err := p.run(ctx, baseTargets, headTargets, c.base.top); err != nil {
		return nil, err
	}
	baseTargets, headTargets = nil, nil
	for _, pair := range p.pairs {
		if pair.base != nil {
			baseTargets = append(baseTargets, *pair.base)
		}
		if pair.head != nil {
			headTargets = append(headTargets, *pair.head)
		}
	}
	headOptions := c.options
	headOptions.WithoutCauses = c.options.WithoutCauses || c.causesOfNew
	headReport, err := c.head.judge(ctx, headTargets, headOptions)
	if err != nil {
		return nil, err
	}
	// Without a target there is no verdict that a finding could be kept from.
	baseReport := report.New(nil)
	if len(baseTargets) > 0 {
		if baseReport, err = c.base.judge(ctx, baseTargets, c.baseOptions()); err != nil {
			return nil, err
		}
	}
	d := newDiff(base, p.pairs, baseReport, headReport)
	if c.causesOfNew {
		return d, c.addCauses(ctx, d, headTargets)
	}
	return d, nil
}

// addCauses judges again the targets with new findings that deny, and notes
// their causes; headTargets are those of the head's report, in its order.
func (c comparison) addCauses(ctx context.Context, d *Diff, headTargets []target) error {
	var judged []*Target
	var again []target
	i := 0
	for j := range d.Targets {
		if d.Targets[j].Status == "" {
			continue
		}
		counts := Counts{}
		counts.add(d.Targets[j].Findings.New)
		if i < len(headTargets) && counts.Denied > 0 {
			judged, again = append(judged, &d.Targets[j]), append(again, headTargets[i])
		}
		i++
	}
	if len(again) == 0 {
		return nil
	}
	options := c.options
	options.Progress = nil
	result, err := c.head.judge(ctx, again, options)
	if err != nil {
		return err
	}
	for i, t := range judged {
		for j := range t.Findings.New {
			copyCauses(&t.Findings.New[j], result.Targets[i].Findings)
		}
	}
	return nil
}

// copyCauses copies to a finding the causes of the same one among others.
func copyCauses(finding *report.Finding, others []report.Finding) {
	i := slices.IndexFunc(others, func(f report.Finding) bool {
		return keyOf(f) == keyOf(*finding) && f.Path == finding.Path && f.Message == finding.Message
	})
	if i >= 0 {
		*finding = others[i]
	}
}

// baseOptions are for judging the base side. Causes point into files, and those
// of the base side are gone.
func (c comparison) baseOptions() harness.Options {
	options := c.options
	options.Stdin, options.WithoutCauses = nil, true
	return options
}

// find finds the targets of paths on both sides. A path must have some on one
// side at least.
func (c comparison) find(keys []string, revision string) (base, head []target, err error) {
	var baseKeys, headKeys []string
	for _, key := range keys {
		_, headErr := c.head.find(key)
		_, baseErr := c.base.find(key)
		switch {
		case headErr != nil && (baseErr != nil || !errors.Is(headErr, errAbsent)):
			if errors.Is(headErr, errAbsent) {
				return nil, nil, fmt.Errorf("%s: %w, neither in the working tree nor in %s", display(c.head.prefix, key), unwrapAbsent(headErr), revision)
			}
			return nil, nil, headErr
		case headErr == nil:
			headKeys = append(headKeys, key)
		}
		if baseErr == nil {
			baseKeys = append(baseKeys, key)
		}
	}
	if base, err = c.base.find(baseKeys...); err != nil {
		return nil, nil, err
	}
	head, err = c.head.find(headKeys...)
	return base, head, err
}
