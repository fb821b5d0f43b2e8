package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/sync/errgroup"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
	"github.com/proompteng/nevermigrate/harness/internal/probe/surface"
)

// search looks for holes among the configurations of one chart.
type search struct {
	*subject
	*generator
	options Options

	counts Counts
	tried  int
	atBase outcome

	// trials are the configurations with findings or without controllers.
	trials []trial
	// candidates are to be combined with others.
	candidates []candidate
	places     map[int]bool    // that have had an effect
	effects    map[effect]bool // that have been seen
	declaring  map[string]bool // paths that have changed a declaration of the variable
}

// trial is a configuration and what was said of it.
type trial struct {
	configuration
	outcome
}

// candidate is a single configuration that is harmless or refused.
type candidate struct {
	single
	refused bool // by itself
	hidden  bool // without effect by itself
}

// effect is what configurations of one place have in common.
type effect struct {
	place int
	of    digest
}

const (
	// longest bounds one rendering. Templates cannot be interrupted, so one that
	// never ends is an error.
	longest = 30 * time.Second
	// chunk is how many configurations are handed out at a time.
	chunk = 256
)

func newSearch(s *subject, places *surface.Surface, pins configuration, atBase outcome, options Options) (*search, error) {
	generator, err := newGenerator(s, places, pins)
	if err != nil {
		return nil, err
	}
	return &search{
		subject: s, generator: generator, options: options, atBase: atBase,
		places: map[int]bool{}, effects: map[effect]bool{}, declaring: map[string]bool{},
	}, nil
}

// run tries singles, then pairs, then triples, until the budget is used.
func (s *search) run(ctx context.Context) error {
	singles, err := s.singles()
	if err != nil {
		return err
	}
	// A quarter of the budget is for combinations.
	if err := s.each(ctx, singles, s.options.Budget*3/4); err != nil {
		return err
	}
	var more []single
	for i := range s.surface.Places {
		if s.places[i] {
			spellings, err := s.more(i)
			if err != nil {
				return err
			}
			more = append(more, spellings...)
		}
	}
	if err := s.each(ctx, more, s.options.Budget*7/8); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(s.options.Seed, 0))
	if err := s.pairs(ctx, random); err != nil {
		return err
	}
	return s.triples(ctx, random)
}

// each tries single configurations. Of those that are harmless and not without
// effect it keeps the first of each effect, and one that a template refuses of
// each place: with another it may pass.
func (s *search) each(ctx context.Context, singles []single, limit int) error {
	configurations := make([]configuration, len(singles))
	for i, single := range singles {
		configurations[i] = single.configuration
	}
	return s.all(ctx, configurations, limit, func(i int, o outcome) { s.keep(singles[i], o) })
}

func (s *search) keep(one single, o outcome) {
	refused, harmless := o.verdict == Refused, o.verdict == Harmless
	if !refused && o.declared != s.atBase.declared {
		s.declaring[one.paths()[0]] = true
	}
	var schema *jsonschema.ValidationError
	switch e := (effect{one.place, o.digest}); {
	case refused && errors.As(o.reason, &schema):
	case harmless && o.digest == s.atBase.digest:
		// What one place says of the variable may be hidden by what another says,
		// and what one switch does by another switch.
		if s.hasVariable(one.configuration) && unsetsOrAuto(one.configuration[0].value) || s.switches(one) {
			s.candidates = append(s.candidates, candidate{single: one, hidden: true})
		}
	default:
		s.places[one.place] = s.places[one.place] || !refused
		if (refused || harmless) && !s.effects[e] {
			s.effects[e] = true
			s.candidates = append(s.candidates, candidate{single: one, refused: refused})
		}
	}
}

// unsetsOrAuto reports whether a value takes the variable away or makes it auto.
func unsetsOrAuto(value any) bool { return value == nil || value == string(mode.Auto) }

// all tries configurations, on all jobs, and tells what is said of them in
// their order.
func (s *search) all(ctx context.Context, configurations []configuration, limit int, tell func(i int, o outcome)) error {
	for start := 0; start < len(configurations) && s.tried < limit; start += chunk {
		part := configurations[start:min(start+chunk, len(configurations), start+limit-s.tried)]
		outcomes := make([]outcome, len(part))
		group, groupCtx := errgroup.WithContext(ctx)
		group.SetLimit(s.options.Jobs)
		for i, c := range part {
			group.Go(func() error {
				ctx, cancel := context.WithTimeoutCause(groupCtx, longest, fmt.Errorf("it took longer than the limit of %s", longest))
				defer cancel()
				var err error
				outcomes[i], err = s.try(ctx, c)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		for i, o := range outcomes {
			s.counts.add(o.verdict)
			if o.verdict != Refused && o.verdict != Harmless {
				s.trials = append(s.trials, trial{part[i], o})
			}
			tell(start+i, o)
		}
		s.tried += len(part)
		if s.options.Progress != nil {
			s.options.Progress(s.tried, s.options.Budget)
		}
	}
	return nil
}

// combinable are the candidates, those that promise most first.
func (s *search) combinable(random *rand.Rand) []candidate {
	candidates := slices.Clone(s.candidates)
	random.Shuffle(len(candidates), func(i, j int) { candidates[i], candidates[j] = candidates[j], candidates[i] })
	rank := func(c candidate) int {
		switch {
		case c.refused:
			return 9
		case s.declaring[c.paths()[0]] && unsetsOrAuto(c.configuration[0].value):
			return 0
		case s.declaring[c.paths()[0]]:
			return 1
		case c.hidden:
			return 8
		default:
			return 2 + s.rank(&s.surface.Places[c.place])
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(len(a.configuration), len(b.configuration)))
	})
	return candidates
}

// pairs tries two candidates at a time, the sum of whose ranks is smallest first.
func (s *search) pairs(ctx context.Context, random *rand.Rand) error {
	candidates := s.combinable(random)
	var pairs []configuration
	// More than the budget are never tried.
	for sum := 1; sum < 2*len(candidates) && len(pairs) <= s.options.Budget; sum++ {
		for i := max(0, sum-len(candidates)+1); i < sum-i; i++ {
			if pair := candidates[i].and(candidates[sum-i].configuration); pair != nil {
				pairs = append(pairs, pair)
			}
		}
	}
	return s.all(ctx, pairs, s.options.Budget, func(int, outcome) {})
}

// triples tries three at random, with what is left of the budget.
func (s *search) triples(ctx context.Context, random *rand.Rand) error {
	candidates := s.combinable(random)
	if len(candidates) < 3 {
		return nil
	}
	seen := map[string]bool{}
	var triples []configuration
	left := s.options.Budget - s.tried
	for range 4 * left {
		if len(triples) >= left {
			break
		}
		triple := configuration{}
		for range 3 {
			if triple != nil {
				triple = triple.and(candidates[random.IntN(len(candidates))].configuration)
			}
		}
		if key := triple.key(); triple != nil && !seen[key] {
			seen[key] = true
			triples = append(triples, triple)
		}
	}
	return s.all(ctx, triples, s.options.Budget, func(int, outcome) {})
}
