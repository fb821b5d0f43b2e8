package probe

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/sync/errgroup"

	"github.com/proompteng/nevermigrate/harness/mode"
)

// search looks for breaches among the configurations of one chart.
type search struct {
	*subject
	pusher   *pusher
	options  Options
	progress func(tried int)

	counts Counts
	tried  int
	bare   outcome // under the base

	// tries are the configurations with a breach or without controllers.
	tries []try
	// mattering are single configurations that are harmless, or refused, and not
	// without effect.
	mattering []mattering
	places    map[int]bool    // that have mattered
	effects   map[effect]bool // that have been seen
	declaring map[string]bool // paths that have changed a declaration of the variable
}

// try is a configuration and what was said of it.
type try struct {
	configuration
	outcome
}

// mattering is a configuration to combine with others.
type mattering struct {
	push
	refused bool // by itself
	hidden  bool // without effect by itself
}

// longest bounds one rendering. Templates cannot be interrupted, so one that
// never ends is an error.
const longest = 30 * time.Second

// chunk is how many configurations are handed out at a time.
const chunk = 256

// run tries singles, then pairs, then triples, until the budget is used.
func (s *search) run(ctx context.Context) error {
	singles, err := s.pusher.singles()
	if err != nil {
		return err
	}
	// A quarter of the budget is for combinations.
	if err := s.each(ctx, singles, s.options.Budget*3/4); err != nil {
		return err
	}
	var more []push
	for i := range s.pusher.surface.Places {
		if s.places[i] {
			pushes, err := s.pusher.more(i)
			if err != nil {
				return err
			}
			more = append(more, pushes...)
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

// effect is what configurations of one place have in common.
type effect struct {
	place int
	print [sha256.Size]byte
}

// each tries single configurations. Of those that are harmless and not without
// effect it keeps the first of each effect, and one that a template refuses of
// each place: with another it may pass.
func (s *search) each(ctx context.Context, pushes []push, limit int) error {
	configurations := make([]configuration, len(pushes))
	for i, push := range pushes {
		configurations[i] = push.configuration
	}
	return s.all(ctx, configurations, limit, func(i int, o outcome) {
		place := pushes[i].place
		if o.verdict != Refused && o.declared != s.bare.declared {
			s.declaring[pushes[i].configuration.paths()[0]] = true
		}
		var schema *jsonschema.ValidationError
		if o.verdict == Refused && errors.As(o.reason, &schema) {
			return
		}
		if o.verdict == Harmless && o.print == s.bare.print {
			// What one place says of the variable may be hidden by what another
			// says, and what one switch does by another switch.
			if s.pusher.names(pushes[i].configuration) && plain(pushes[i].configuration[0].value) || s.pusher.switches(pushes[i]) {
				s.mattering = append(s.mattering, mattering{push: pushes[i], hidden: true})
			}
			return
		}
		if o.verdict != Refused {
			s.places[place] = true
		}
		e := effect{place, o.print}
		if (o.verdict == Refused || o.verdict == Harmless) && !s.effects[e] {
			s.effects[e] = true
			s.mattering = append(s.mattering, mattering{push: pushes[i], refused: o.verdict == Refused})
		}
	})
}

// plain reports whether a value takes the variable away or makes it auto.
func plain(value any) bool { return value == nil || value == string(mode.Auto) }

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
			switch o.verdict {
			case Breach, Escaped, Vanished:
				s.tries = append(s.tries, try{part[i], o})
			}
			if tell != nil {
				tell(start+i, o)
			}
		}
		s.tried += len(part)
		if s.progress != nil {
			s.progress(s.tried)
		}
	}
	return nil
}

// combinable are the mattering configurations, those that promise most first.
func (s *search) combinable(random *rand.Rand) []mattering {
	kept := slices.Clone(s.mattering)
	random.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
	promise := func(m mattering) int {
		switch {
		case m.refused:
			return 9
		case s.declaring[m.paths()[0]] && plain(m.configuration[0].value):
			return 0
		case s.declaring[m.paths()[0]]:
			return 1
		case m.hidden:
			return 8
		default:
			return 2 + s.pusher.class(&s.pusher.surface.Places[m.place])
		}
	}
	slices.SortStableFunc(kept, func(a, b mattering) int {
		return cmp.Or(cmp.Compare(promise(a), promise(b)), cmp.Compare(len(a.configuration), len(b.configuration)))
	})
	return kept
}

// pairs tries two mattering configurations at a time, the sum of whose ranks is
// smallest first.
func (s *search) pairs(ctx context.Context, random *rand.Rand) error {
	kept := s.combinable(random)
	var pairs []configuration
	for sum := 1; sum < 2*len(kept); sum++ {
		for i := max(0, sum-len(kept)+1); i < sum-i; i++ {
			if pair := kept[i].and(kept[sum-i].configuration); pair != nil {
				pairs = append(pairs, pair)
			}
		}
		// More are never tried.
		if len(pairs) > s.options.Budget {
			break
		}
	}
	return s.all(ctx, pairs, s.options.Budget, nil)
}

// triples tries three at random, with what is left of the budget.
func (s *search) triples(ctx context.Context, random *rand.Rand) error {
	kept := s.combinable(random)
	if len(kept) < 3 {
		return nil
	}
	seen := map[string]bool{}
	var triples []configuration
	for range 4 * (s.options.Budget - s.tried) {
		if len(triples) >= s.options.Budget-s.tried {
			break
		}
		triple := configuration{}
		for range 3 {
			if triple != nil {
				triple = triple.and(kept[random.IntN(len(kept))].configuration)
			}
		}
		if triple == nil || seen[triple.key()] {
			continue
		}
		seen[triple.key()] = true
		triples = append(triples, triple)
	}
	return s.all(ctx, triples, s.options.Budget, nil)
}
