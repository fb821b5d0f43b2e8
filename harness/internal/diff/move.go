package diff

import (
	"cmp"
	"context"
	"path"
	"slices"

	"github.com/proompteng/nevermigrate/harness/report"
)

// Two apps are taken for one that moved when this part of both is shared: half
// of their content, git's own limit for files; or of their workloads, of which
// half are on both sides when they are two thirds of those of each.
const (
	sameContent   = 0.5
	sameWorkloads = 2.0 / 3
)

// maxComparisons bounds the search for apps that moved.
const maxComparisons = 1_000_000

// app is an app that is on one side only, and what it may be recognised by.
type app struct {
	path string
	// elsewhere says that nobody asked about it.
	elsewhere bool
	content   content
}

// moves are apps that moved, found among those that are on one side only.
type moves struct {
	bases, heads []*app
	// pairs are what was found so far and is no longer in bases and heads.
	pairs []move
}

// move is two apps that are one.
type move struct {
	base, head *app
	score      float64
}

// renamed is 0 when the last part of the path stayed, and else 1.
func (m move) renamed() int {
	if path.Base(m.base.path) == path.Base(m.head.path) {
		return 0
	}
	return 1
}

// done reports whether nothing can be paired any more, or too much. Of two apps
// at least one must be one that somebody asked about.
func (m *moves) done() bool {
	elsewhere := func(apps []*app) (n int) {
		for _, a := range apps {
			if a.elsewhere {
				n++
			}
		}
		return n
	}
	comparisons := len(m.bases)*len(m.heads) - elsewhere(m.bases)*elsewhere(m.heads)
	return comparisons == 0 || comparisons > maxComparisons
}

// pair pairs those whose contents are most alike, and at least that much, each
// app once. Equal ones go by the last part of the paths, then by the paths.
func (m *moves) pair(least float64) {
	var candidates []move
	for _, base := range m.bases {
		for _, head := range m.heads {
			if base.elsewhere && head.elsewhere {
				continue
			}
			if score := similarity(base.content, head.content); score >= least {
				candidates = append(candidates, move{base, head, score})
			}
		}
	}
	slices.SortFunc(candidates, func(a, b move) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.renamed(), b.renamed()),
			cmp.Compare(a.base.path, b.base.path), cmp.Compare(a.head.path, b.head.path))
	})
	paired := map[*app]bool{}
	for _, c := range candidates {
		if !paired[c.base] && !paired[c.head] {
			paired[c.base], paired[c.head] = true, true
			m.pairs = append(m.pairs, c)
		}
	}
	isPaired := func(a *app) bool { return paired[a] }
	m.bases, m.heads = slices.DeleteFunc(m.bases, isPaired), slices.DeleteFunc(m.heads, isPaired)
}

// moved are the paths on the head side by those on the base side.
func (m *moves) moved() map[string]string {
	moved := map[string]string{}
	for _, pair := range m.pairs {
		moved[pair.base.path] = pair.head.path
	}
	return moved
}

// movedByWorkloads finds what moved between two reports, by its workloads.
func movedByWorkloads(base, head []report.Target) map[string]string {
	notIn := func(targets, others []report.Target) (apps []*app) {
		for _, t := range targets {
			if !slices.ContainsFunc(others, func(other report.Target) bool { return other.Path == t.Path }) {
				apps = append(apps, &app{path: t.Path, content: workloadsOf(t)})
			}
		}
		return apps
	}
	m := moves{bases: notIn(base, head), heads: notIn(head, base)}
	if !m.done() {
		m.pair(sameWorkloads)
	}
	return m.moved()
}

// findMoved finds the apps that moved, first by their content, then by their
// workloads. An app that left the paths that were asked about, or came into
// them, is followed: it becomes a target of the side on which it is elsewhere.
//
// Go-git's rename detection pairs files, and not apps: it gives the
// kustomization.yaml of an app that moved to a new app that has the same one (see
// TestGoGitRenames). It reads objects of the repository, which the working tree
// is not, and for a thousand apps that moved it takes more than a minute.
func (c *comparison) findMoved(ctx context.Context) (map[string]string, error) {
	m := &moves{bases: c.base.appsNotIn(c.head), heads: c.head.appsNotIn(c.base)}
	removed, added := len(m.bases) > 0, len(m.heads) > 0
	if added {
		elsewhere, err := c.base.appsElsewhere(c.head)
		if err != nil {
			return nil, err
		}
		m.bases = append(m.bases, elsewhere...)
	}
	if removed {
		elsewhere, err := c.head.appsElsewhere(c.base)
		if err != nil {
			return nil, err
		}
		m.heads = append(m.heads, elsewhere...)
	}
	if !m.done() {
		c.base.readContents(m.bases)
		c.head.readContents(m.heads)
		m.pair(sameContent)
	}
	if !m.done() {
		baseErr := c.base.findWorkloads(ctx, m.bases, c.baseOptions())
		headErr := c.head.findWorkloads(ctx, m.heads, c.baseOptions())
		if err := cmp.Or(baseErr, headErr); err != nil {
			return nil, err
		}
		m.pair(sameWorkloads)
	}
	for _, pair := range m.pairs {
		baseErr := c.base.follow(pair.base, pair.head, c.asked)
		headErr := c.head.follow(pair.head, pair.base, c.asked)
		if err := cmp.Or(baseErr, headErr); err != nil {
			return nil, err
		}
	}
	return m.moved(), nil
}
