package diff

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/report"
)

// pair is a target on both sides; one of them is nil when it was added or
// removed.
type pair struct{ base, head *target }

// sameApp is the part that two apps must share, of their content or of their
// workloads, to be taken for one that moved; git's own limit.
const sameApp = 0.5

// maxComparisons bounds the search for moved apps.
const maxComparisons = 1_000_000

// pairing finds for each target below the paths its like on the other side:
// first the one at the same path, then, for an app, the one with like content,
// then the one with the same workloads. An app that left the paths, or came
// into them, is followed.
type pairing struct {
	base, head side
	options    harness.Options

	pairs []pair
	// The targets below the paths without a like, and the apps elsewhere that
	// may be it. Only one of a pair may be elsewhere.
	baseOnly, headOnly           []*target
	baseElsewhere, headElsewhere []*target
	// paths are the keys of the paths.
	paths []string
}

// pairs pairs the targets of both sides that are below the paths with these keys.
func (p *pairing) run(ctx context.Context, baseTargets, headTargets []target, notBelow string) error {
	if err := p.byPath(baseTargets, headTargets); err != nil {
		return err
	}
	if err := p.lookElsewhere(notBelow); err != nil {
		return err
	}
	p.byContent()
	if err := p.byWorkloads(ctx); err != nil {
		return err
	}
	if err := p.follow(); err != nil {
		return err
	}
	for _, t := range p.baseOnly {
		p.pairs = append(p.pairs, pair{base: t})
	}
	for _, t := range p.headOnly {
		p.pairs = append(p.pairs, pair{head: t})
	}
	slices.SortStableFunc(p.pairs, func(a, b pair) int { return cmp.Compare(a.key(), b.key()) })
	return nil
}

// key is the key on the head side, or else on the base side.
func (p pair) key() string {
	if p.head != nil {
		return p.head.key
	}
	return p.base.key
}

func (p *pairing) byPath(baseTargets, headTargets []target) error {
	for i := range headTargets {
		head := &headTargets[i]
		j := slices.IndexFunc(baseTargets, func(t target) bool { return t.key == head.key })
		if j >= 0 {
			p.pairs = append(p.pairs, pair{&baseTargets[j], head})
			continue
		}
		// A folder of apps that is an app on the base side hides those in it.
		base, err := p.base.at(head.key)
		if err != nil {
			return err
		}
		if base != nil {
			p.pairs = append(p.pairs, pair{base, head})
		} else {
			p.headOnly = append(p.headOnly, head)
		}
	}
	for i := range baseTargets {
		base := &baseTargets[i]
		if slices.ContainsFunc(headTargets, func(t target) bool { return t.key == base.key }) {
			continue
		}
		head, err := p.head.at(base.key)
		if err != nil {
			return err
		}
		if head != nil {
			p.pairs = append(p.pairs, pair{base, head})
		} else {
			p.baseOnly = append(p.baseOnly, base)
		}
	}
	return nil
}

// lookElsewhere finds the apps that are nowhere below the paths, and on one side
// only.
func (p *pairing) lookElsewhere(notBelow string) error {
	elsewhere := func(here, there side, known []*target, folder string) ([]*target, error) {
		keys, err := here.apps(folder)
		if err != nil {
			return nil, err
		}
		var found []*target
		for _, key := range keys {
			if there.isApp(key) || slices.ContainsFunc(known, func(t *target) bool { return t.key == key }) {
				continue
			}
			found = append(found, &target{key: key, app: true, elsewhere: true})
		}
		return found, nil
	}
	var err error
	if len(p.headOnly) > 0 {
		if p.baseElsewhere, err = elsewhere(p.base, p.head, p.baseOnly, ""); err != nil {
			return err
		}
	}
	if len(p.baseOnly) > 0 {
		p.headElsewhere, err = elsewhere(p.head, p.base, p.headOnly, notBelow)
	}
	return err
}

// follow makes targets of the apps elsewhere that were paired. An app must have
// a controllers workload when its like was named.
func (p *pairing) follow() error {
	follow := func(s side, t, like *target) error {
		found, err := s.find(t.key)
		if err != nil {
			return fmt.Errorf("%s: %w", display(s.prefix, t.key), err)
		}
		t.Target = found[0].Target
		if !slices.Contains(p.paths, like.key) {
			t.Target = t.Below(s.argument(p.paths[0]))
		}
		return nil
	}
	for _, pair := range p.pairs {
		if pair.base != nil && pair.base.elsewhere {
			if err := follow(p.base, pair.base, pair.head); err != nil {
				return err
			}
		}
		if pair.head != nil && pair.head.elsewhere {
			if err := follow(p.head, pair.head, pair.base); err != nil {
				return err
			}
		}
	}
	return nil
}

// candidate is two apps that may be one.
type candidate struct {
	base, head *target
	score      float64
}

// candidates are the pairs that may be formed.
func (p *pairing) candidates(yield func(base, head *target) bool) {
	heads := slices.Concat(p.headOnly, p.headElsewhere)
	for _, base := range slices.Concat(p.baseOnly, p.baseElsewhere) {
		for _, head := range heads {
			if !base.app || !head.app || base.elsewhere && head.elsewhere {
				continue
			}
			if !yield(base, head) {
				return
			}
		}
	}
}

// take pairs the best candidates, each target once. Equal ones go by the last
// part of their paths, then by the order of the paths.
func (p *pairing) take(candidates []candidate) {
	slices.SortStableFunc(candidates, func(a, b candidate) int {
		return cmp.Or(
			cmp.Compare(b.score, a.score),
			cmp.Compare(differentName(a), differentName(b)),
			cmp.Compare(a.base.key, b.base.key),
			cmp.Compare(a.head.key, b.head.key),
		)
	})
	taken := map[*target]bool{}
	for _, c := range candidates {
		if taken[c.base] || taken[c.head] {
			continue
		}
		taken[c.base], taken[c.head] = true, true
		p.pairs = append(p.pairs, pair{c.base, c.head})
	}
	free := func(targets []*target) []*target {
		return slices.DeleteFunc(targets, func(t *target) bool { return taken[t] })
	}
	p.baseOnly, p.headOnly = free(p.baseOnly), free(p.headOnly)
	p.baseElsewhere, p.headElsewhere = free(p.baseElsewhere), free(p.headElsewhere)
}

func differentName(c candidate) int {
	if path.Base(c.base.key) == path.Base(c.head.key) {
		return 0
	}
	return 1
}

func (p *pairing) byContent() {
	prints := map[*target]fingerprint{}
	of := func(s side, t *target) fingerprint {
		if _, ok := prints[t]; !ok {
			prints[t] = fingerprintOf(s.argument(t.key))
		}
		return prints[t]
	}
	// What moved as it was comes first: in a large move it is most.
	for _, exact := range []bool{true, false} {
		var found []candidate
		comparisons := 0
		for base, head := range p.candidates {
			if comparisons++; comparisons > maxComparisons {
				return
			}
			a, b := of(p.base, base), of(p.head, head)
			if exact {
				if a.total > 0 && a.exact == b.exact {
					found = append(found, candidate{base, head, 1})
				}
			} else if score := similarity(a, b); score >= sameApp {
				found = append(found, candidate{base, head, score})
			}
		}
		p.take(found)
	}
}

// byWorkloads pairs what is left by the workloads that are rendered.
func (p *pairing) byWorkloads(ctx context.Context) error {
	var bases, heads []*target
	seen := map[*target]bool{}
	comparisons := 0
	for base, head := range p.candidates {
		if comparisons++; comparisons > maxComparisons {
			return nil
		}
		if !seen[base] {
			bases = append(bases, base)
		}
		if !seen[head] {
			heads = append(heads, head)
		}
		seen[base], seen[head] = true, true
	}
	if comparisons == 0 {
		return nil
	}
	baseWorkloads, err := p.workloads(ctx, p.base, bases)
	if err != nil {
		return err
	}
	headWorkloads, err := p.workloads(ctx, p.head, heads)
	if err != nil {
		return err
	}
	var found []candidate
	for base, head := range p.candidates {
		if score := overlap(baseWorkloads[base], headWorkloads[head]); score >= sameApp {
			found = append(found, candidate{base, head, score})
		}
	}
	p.take(found)
	return nil
}

// workloads are the workloads of targets, as sets.
func (p *pairing) workloads(ctx context.Context, s side, targets []*target) (map[*target]map[string]bool, error) {
	options := p.options
	options.AllowAbsent, options.WithoutCauses, options.Progress = true, true, nil
	var found []target
	for _, t := range targets {
		one, err := s.find(t.key)
		if err != nil {
			return nil, err
		}
		found = append(found, one...)
	}
	result, err := s.judge(ctx, found, options)
	if err != nil {
		return nil, err
	}
	sets := map[*target]map[string]bool{}
	for i, t := range targets {
		sets[t] = map[string]bool{}
		for _, w := range result.Targets[i].Workloads {
			sets[t][workloadName(w)] = true
		}
	}
	return sets, nil
}

func workloadName(w report.Workload) string {
	return fmt.Sprintf("%q %q %q", w.Kind, w.Namespace, w.Name)
}

// overlap is the part of two sets that they share, from 0 to 1.
func overlap(a, b map[string]bool) float64 {
	shared := 0
	for name := range a {
		if b[name] {
			shared++
		}
	}
	if shared == 0 {
		return 0
	}
	return float64(shared) / float64(len(a)+len(b)-shared)
}
