package check

import (
	"context"
	"errors"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// Unread is a target whose charts are not all known.
type Unread struct {
	// Path is the target's.
	Path   string
	Reason string
	// Chart says that the reason is a chart which is not in the work tree and cannot
	// be had. Otherwise the target does not render, or nobody can know here what it is.
	Chart bool
	// Refused says that All need not judge it either.
	Refused bool
}

// Charts renders what All would judge, so that Render.Charts of the options is asked for
// every chart that is not in the work tree. Nothing is judged. It returns the targets of
// which not every chart was asked for. Its error is that of All.
func Charts(ctx context.Context, paths []string, options Options) ([]Unread, error) {
	found, deploys, err := options.found(ctx, paths)
	if err != nil {
		return nil, err
	}
	defer deploys.close()
	unread := []Unread{}
	each := func(targets []find.Target) ([]find.NotJudged, error) {
		all, err := contentsOf(ctx, targets, options)
		if err != nil {
			return nil, err
		}
		var refused []find.NotJudged
		for i, target := range targets {
			if problem := unreadBy(target, all[i].err); problem != nil {
				unread = append(unread, *problem)
			}
			if isRefused(all[i].err) {
				refused = append(refused, find.NotJudged{Path: target.Path, Kind: target.Kind})
			}
		}
		return refused, nil
	}
	refused, err := each(found.Targets)
	if err != nil {
		return nil, err
	}
	if _, err := each(deploys.back(ctx, found, refused, options)); err != nil {
		return nil, err
	}
	return unread, nil
}

// unreadBy is what is said of a target for which there was an error, or nil.
func unreadBy(target find.Target, err error) *Unread {
	if err == nil || errors.Is(err, render.ErrNothingRendered) {
		return nil
	}
	var chart *render.ChartError
	u := &Unread{Path: target.Path, Reason: relativeMessage(err), Chart: errors.As(err, &chart), Refused: isRefused(err)}
	if isOptional(target) && !u.Chart {
		if !strings.Contains(u.Reason, "helm dependency build") {
			return nil // it need not render by itself
		}
		u.Refused = true
	}
	return u
}
