package probe

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
	"github.com/proompteng/nevermigrate/harness/internal/probe/places"
	"github.com/proompteng/nevermigrate/harness/internal/probe/steer"
	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
)

// search looks for holes among the configurations of one chart: it runs one,
// watches what its templates do, and goes on from what did something new.
type search struct {
	*subject
	options  Options
	shape    *places.Shape
	subchart map[watch.Place]bool
	pinned   [][]string
	now      map[string]any // the base with the chart's own values

	counts Counts
	tried  int
	// quiet is how many configurations there have been since something was new.
	quiet  int
	atBase outcome
	ended  string // why the search ended

	coverage *coverage
	queue    queue
	added    int
	seen     map[string]bool // configurations
	filled   map[watch.Place]bool
	tries    map[int]int // how often a branch was steered for, by site
	news     map[string]bool
	goals    map[string]bool // that were suggested
	spelled  map[watch.Place]bool
	writers  map[string]bool // files that wrote a controllers workload
	items    []string        // how far elements of lists are indented there
	fields   []string        // and fields of containers

	// trials are the configurations with findings or without controllers.
	trials []trial
	parts  []configuration // that did something, to be combined
	kept   []configuration
}

// trial is a configuration and what was said of it.
type trial struct {
	configuration
	outcome
}

// next is a configuration that is to be tried: the one of the least rank first.
type next struct {
	configuration
	rank, number int
}

type queue []next

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].rank, q[j].rank), cmp.Compare(q[i].number, q[j].number)) < 0
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(next)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

const (
	// longest bounds one rendering. Templates cannot be interrupted, so one that
	// never ends is an error.
	longest = 30 * time.Second
	// batch is how many configurations are handed out at a time.
	batch = 32
	// Quiet is after how many configurations without anything new the search ends.
	Quiet = 800
	// maxTries is from how many configurations a branch is steered for.
	maxTries = 12
	// The ranks after those of what is filled in, which are its turns.
	rankSteer   = 1
	rankSpelled = 4
	rankGoal    = 2
	rankRetry   = 30
	rankTexts   = 40
	rankBroken  = 60
)

func newSearch(s *subject, pins configuration, atBase outcome, options Options) (*search, error) {
	loaded := s.chart.Loaded()
	coalesced, err := util.CoalesceValues(loaded, s.base)
	if err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	shape, err := places.Of(loaded)
	if err != nil {
		return nil, err
	}
	found := &search{
		subject: s, options: options, shape: shape, subchart: places.Subcharts(loaded), now: coalesced, atBase: atBase,
		coverage: newCoverage(s.watched), seen: map[string]bool{"": true}, filled: map[watch.Place]bool{},
		tries: map[int]int{}, news: map[string]bool{}, goals: map[string]bool{}, spelled: map[watch.Place]bool{}, writers: map[string]bool{},
	}
	for _, pin := range pins {
		found.pinned = append(found.pinned, pin.path)
	}
	return found, nil
}

// run tries configurations until nothing is new any more, or the budget is used.
func (s *search) run(ctx context.Context) error {
	s.queue = queue{{}}
	for _, place := range places.Switches(s.chart.Loaded()) {
		for _, value := range []any{true, false} {
			s.add(nil, place, value, 0)
		}
	}
	random := rand.New(rand.NewPCG(s.options.Seed, 0))
	combined := false // since something was new
	for s.quiet < Quiet && s.tried < s.options.Budget {
		if combined = combined && s.quiet >= Quiet/2; len(s.queue) == 0 || s.quiet >= Quiet/2 && !combined {
			s.combine(random)
			combined = true
		}
		var part []configuration
		for len(part) < min(batch, s.options.Budget-s.tried) && len(s.queue) > 0 {
			part = append(part, heap.Pop(&s.queue).(next).configuration)
		}
		if len(part) == 0 {
			break
		}
		if err := s.all(ctx, part); err != nil {
			return err
		}
	}
	s.end()
	return nil
}

func (s *search) end() {
	switch {
	case s.tried >= s.options.Budget && len(s.queue) > 0:
		s.ended = fmt.Sprintf("the budget of %d is used", s.options.Budget)
	case s.quiet >= Quiet:
		s.ended = fmt.Sprintf("nothing new in the last %d", s.quiet)
	default:
		s.ended = "there is nothing else to try"
	}
}

// seenOutcome is what came of one configuration, and what its rendering did.
type seenOutcome struct {
	outcome
	trace *watch.Trace
}

// all tries configurations, on all jobs, and learns of them in their order.
func (s *search) all(ctx context.Context, part []configuration) error {
	outcomes := make([]seenOutcome, len(part))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(s.options.Jobs)
	for i, c := range part {
		group.Go(func() error {
			ctx, cancel := context.WithTimeoutCause(groupCtx, longest, fmt.Errorf("it took longer than the limit of %s", longest))
			defer cancel()
			var err error
			outcomes[i].outcome, outcomes[i].trace, err = s.observe(ctx, c)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, o := range outcomes {
		if err := s.learn(part[i], o.outcome, o.trace); err != nil {
			return err
		}
		outcomes[i] = seenOutcome{}
	}
	if s.options.Progress != nil {
		s.options.Progress(s.tried, s.options.Budget)
	}
	return nil
}

// learn takes what came of a configuration, and adds to the queue what that makes
// worth trying.
func (s *search) learn(c configuration, o outcome, trace *watch.Trace) error {
	s.tried++
	if len(trace.Outcomes) > 0 {
		s.quiet++ // what a schema refuses tells nothing, and costs nothing
	}
	s.counts.add(o.verdict)
	broken := o.verdict != Refused && o.verdict != Harmless
	fresh := s.coverage.add(trace)
	for _, file := range o.writers {
		if name := inChart(file.Name); !s.writers[name] {
			s.writers[name] = true
			fresh.outcomes[watch.Outcome{What: name}] = true
			s.items, s.fields = indents(s.items, itemLine, file.Text), indents(s.fields, fieldLine, file.Text)
		}
	}
	if broken && len(c) > 0 {
		s.trials = append(s.trials, trial{c, o})
		for _, file := range o.files {
			if key := strings.Join(c.paths(), " ") + " > " + file.name; len(c) == 1 && !s.news[key] {
				s.news[key] = true
				s.quiet = 0
			}
		}
	}
	if broken && len(c) == 1 && c[0].isValue() {
		if err := s.spell(trace.Values, c[0]); err != nil {
			return err
		}
	}
	if fresh.news {
		s.quiet = 0
	}
	if err := s.goOn(c, o.quotes, trace.Values); err != nil {
		return err
	}
	if len(fresh.outcomes) > 0 {
		s.kept = append(s.kept, c)
	}
	changed := o.verdict == Harmless && o.digest != s.atBase.digest
	if len(c) == 1 && !broken && (len(fresh.outcomes) > 0 || changed || unsetsOrAuto(c[0].value)) && c[0].path[0] != "" {
		if s.setsVariable(c[0]) {
			for _, other := range s.parts {
				// Where it is set twice, one hides the other.
				if pair := c.and(other); pair != nil && s.setsVariable(other[0]) {
					s.push(pair, rankSteer)
				}
			}
		}
		s.parts = append(s.parts, c)
	}
	if len(fresh.outcomes) == 0 && !fresh.used {
		return nil
	}
	if err := s.steer(c, trace, fresh, broken); err != nil || broken {
		return err
	}
	return s.fill(c, trace, fresh)
}

// goOn adds what goes on after a line break, where one was written as it is.
func (s *search) goOn(c configuration, quotes []string, values map[string]any) error {
	for _, change := range c {
		if change.value != lineBreak {
			continue
		}
		for _, quote := range quotes {
			for _, corpus := range s.judge.corpora {
				for _, text := range corpus.lineBreaks(quote, s.items, s.fields) {
					if err := s.addTo(values, c, watch.PlaceOf(change.path...), text, 1); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// spell adds the further spellings of a scalar at a place where one does harm.
func (s *search) spell(values map[string]any, c change) error {
	place := watch.PlaceOf(c.path...)
	switch c.value.(type) {
	case []any, nil:
		return nil
	}
	if shape := s.shape.At(place); s.spelled[place] || shape != nil && len(shape.Enum) > 0 {
		return nil
	}
	s.spelled[place] = true
	for _, corpus := range s.judge.corpora {
		for _, spelling := range corpus.Spellings {
			if err := s.addTo(values, nil, place, spelling, rankSpelled); err != nil {
				return err
			}
		}
	}
	return nil
}

// unsetsOrAuto reports whether a value takes the variable away or makes it auto.
func unsetsOrAuto(value any) bool { return value == nil || value == string(mode.Auto) }

// setsVariable reports whether a change takes the variable away, or makes it auto.
func (s *search) setsVariable(c change) bool {
	return unsetsOrAuto(c.value) && s.isVariable(c.path[len(c.path)-1])
}

// steer adds what may make branches go another way.
func (s *search) steer(c configuration, trace *watch.Trace, fresh fresh, broken bool) error {
	isFresh, isUndecided := map[int]bool{}, map[int]bool{}
	open := func(site *watch.Site, under int, result any) bool {
		_, isBool := result.(bool)
		undecided := !s.coverage.opposite(site, under, result, true)
		if fresh.sites[[2]int{site.ID, under}] && (!isBool || undecided || !s.coverage.opposite(site, under, result, false)) {
			isFresh[site.ID] = true
			isUndecided[site.ID] = isUndecided[site.ID] || undecided
			return true
		}
		return s.tries[site.ID] < maxTries && undecided
	}
	goals := []string{string(mode.Auto)}
	for _, corpus := range s.judge.corpora {
		goals = append(goals, corpus.variable)
	}
	suggestions := steer.Read(s.watched, trace, goals, open)
	retried, turns := map[int]bool{}, map[int]int{}
	written := map[watch.Place]bool{}
	for use := range trace.Uses {
		if s.writers[use.File] && (use.Kind == watch.Printed || use.Kind == watch.Ranged) {
			written[use.Place] = true
		}
	}
	for _, suggestion := range suggestions {
		rank := rankSteer
		if isUndecided[suggestion.Site] {
			rank = -len(c) // what was never taken counts more than how much is set for it
		}
		if suggestion.Goal {
			keys := suggestion.Place.Keys()
			if !written[suggestion.Place] && !written[watch.PlaceOf(keys[:len(keys)-1]...)] {
				continue
			}
			text, _ := json.Marshal(suggestion.Value) // of JSON's own types
			if key := string(suggestion.Place) + "=" + string(text); s.goals[key] {
				continue
			} else {
				s.goals[key] = true
			}
			rank = rankGoal
		}
		if !isFresh[suggestion.Site] {
			rank = rankRetry + s.tries[suggestion.Site]
			retried[suggestion.Site] = true
		}
		if broken {
			rank += rankBroken
		}
		rank += turns[suggestion.Site] / 4 // of each site the first are the plainest
		turns[suggestion.Site]++
		if keys := suggestion.Place.Keys(); s.isVariable(keys[len(keys)-1]) {
			if err := s.addTo(trace.Values, c, suggestion.Place, string(mode.Auto), 0); err != nil {
				return err
			}
		}
		if err := s.addAll(trace.Values, c, suggestion, rank); err != nil {
			return err
		}
		if shape := s.shape.At(suggestion.Place); shape != nil {
			// What the schema lists is all there is.
			values := slices.Clone(shape.Enum)
			if shape.Pattern != "" {
				values = append(steer.Matches(shape.Pattern), values...)
			}
			for _, value := range values {
				if err := s.addTo(trace.Values, c, suggestion.Place, value, rank); err != nil {
					return err
				}
			}
		}
	}
	for site := range retried {
		s.tries[site]++
	}
	return nil
}

// addAll puts a configuration with all of a suggestion in the queue.
func (s *search) addAll(values map[string]any, c configuration, suggestion steer.Suggestion, rank int) error {
	if len(suggestion.With) == 0 {
		return s.addTo(values, c, suggestion.Place, suggestion.Value, rank)
	}
	for _, one := range append([]steer.Suggestion{suggestion}, suggestion.With...) {
		changed, err := s.with(values, c, one.Place, one.Value)
		if err != nil || changed == nil {
			return err
		}
		c = changed
	}
	s.push(c, rank)
	return nil
}

// fill adds what may do harm at the places that reach a controllers workload: all
// of it once for each place, and the plainest where something new is printed.
func (s *search) fill(c configuration, trace *watch.Trace, fresh fresh) error {
	used := map[watch.Place]*uses{}
	for use := range trace.Uses {
		writes, objects := s.writers[use.File], s.watched.WritesAnything(use.File)
		if !writes && !objects && len(s.writers) > 0 || use.Place == "" {
			continue
		}
		if used[use.Place] == nil {
			used[use.Place] = &uses{}
		}
		used[use.Place].add(use.Kind)
		used[use.Place].objects = used[use.Place].objects || objects
	}
	for _, place := range slices.Collect(maps.Keys(used)) {
		if shape := s.shape.At(place); used[place].raw && shape != nil {
			shape.Walk(place, func(below watch.Place, _ *places.Shape) {
				if used[below] == nil {
					used[below] = &uses{raw: true, printed: true}
				}
			})
		}
	}
	for _, place := range slices.Sorted(maps.Keys(used)) {
		first := !s.filled[place]
		if !first && !fresh.printed[place] {
			continue
		}
		keys := place.Keys()
		now, _ := watch.At(trace.Values, place)
		for _, corpus := range s.judge.corpora {
			f := filling{corpus: corpus, shape: s.shape.At(place), key: keys[len(keys)-1], now: now, uses: *used[place]}
			values := f.values()
			if len(s.writers) == 0 {
				values = f.names()
			}
			values = append(s.inside(f, trace, place), values...)
			if values != nil && len(s.writers) > 0 {
				s.filled[place] = true
			}
			for turn, value := range values {
				rank := 1 + min(turn, rankRetry-2)
				if f.isVariable() || f.uses.raw || f.uses.ranged {
					rank = min(turn/4, rankRetry-2)
				}
				switch text, _ := value.(string); {
				case text == lineBreak:
					rank = 0 // it tells of all that could follow
				case strings.Contains(text, "\n") && !f.uses.templated:
					rank = rankTexts
				}
				if !first && turn > 6 {
					break
				}
				if err := s.addTo(trace.Values, c, place, value, rank); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// inside are the values of an element, or of a key of the variable's name, of which
// a template read fields.
func (s *search) inside(f filling, trace *watch.Trace, place watch.Place) []any {
	var read []string
	for use := range trace.Uses {
		keys := use.Place.Keys()
		if use.Kind == watch.Missing && use.Place.IsBelow(place) && len(keys) == len(place.Keys())+1 {
			read = append(read, keys[len(keys)-1])
		}
	}
	fields, isMap := f.now.(map[string]any)
	_, isElement := watch.Index(f.key)
	if len(read) == 0 || !isElement && !f.isVariable() && f.key != "probe" {
		return nil
	}
	if isMap {
		for key := range fields {
			if key != "probe" {
				read = append(read, key)
			}
		}
	}
	slices.Sort(read)
	return f.structs(f.shape, slices.Compact(read))
}

// add is addTo for what the base holds.
func (s *search) add(c configuration, place watch.Place, value any, rank int) {
	if err := s.addTo(s.now, c, place, value, rank); err != nil {
		return // of values that no values file can have
	}
}

// addTo puts a configuration in the queue: another one with a value set in it,
// under which the values are known.
func (s *search) addTo(values map[string]any, c configuration, place watch.Place, value any, rank int) error {
	changed, err := s.with(values, c, place, value)
	if err != nil || changed == nil {
		return err
	}
	s.push(changed, rank)
	return nil
}

func (s *search) push(c configuration, rank int) {
	if key := c.key(); !s.seen[key] {
		s.seen[key] = true
		s.added++
		heap.Push(&s.queue, next{c, rank + 2*max(0, len(c)-1), s.added})
	}
}

// with is a configuration with a value at a place set in it; nil when that cannot
// be, or is pinned.
func (s *search) with(values map[string]any, c configuration, place watch.Place, value any) (configuration, error) {
	keys := s.global(place).Keys()
	if len(keys) == 0 || place.IsValue() && s.shape.At(place).Refuses(value) {
		return nil, nil
	}
	// A name that YAML reads as something else is a mistake of another kind.
	if _, there := watch.At(values, place); !there && slices.Contains([]string{"", "true", "false", "null"}, keys[len(keys)-1]) {
		return nil, nil
	}
	if place.IsValue() {
		var at any = values
		for i, key := range keys {
			fields, isMap := at.(map[string]any)
			if i > 0 && !isMap && at != nil {
				value, keys = replaced(at, keys[i:], value), keys[:i]
				break
			}
			_, isIndex := watch.Index(key)
			if isIndex && at == nil {
				value, keys = replaced([]any{}, keys[i:], value), keys[:i]
				break
			}
			at = fields[key]
		}
	} else {
		if place, value = tell(place, value); value == nil {
			return nil, nil
		}
		keys = place.Keys()
	}
	set, err := configure(keys, value).typed()
	if err != nil || len(set) == 0 || s.pins(set) {
		return nil, err
	}
	rest := slices.DeleteFunc(slices.Clone(c), func(old change) bool {
		return slices.ContainsFunc(set, func(new change) bool { return related(old.path, new.path) })
	})
	return rest.and(set), nil
}

// global puts the global values of a subchart where they come from.
func (s *search) global(place watch.Place) watch.Place {
	keys := place.Keys()
	for i := 1; i < len(keys); i++ {
		if keys[i] == "global" && s.subchart[watch.PlaceOf(keys[:i]...)] {
			return watch.PlaceOf(keys[i:]...)
		}
	}
	return place
}

// replaced is a list, or a text that is YAML, with a value set in it.
func replaced(in any, keys []string, value any) any {
	if len(keys) == 0 {
		return value
	}
	switch in := in.(type) {
	case []any:
		i, ok := watch.Index(keys[0])
		if !ok || i > len(in)+10 {
			return in
		}
		list := slices.Clone(in)
		for len(list) <= i {
			list = append(list, nil)
		}
		list[i] = replaced(list[i], keys[1:], value)
		if list[i] == nil {
			list = slices.Delete(list, i, i+1)
		}
		return list
	case string:
		var read any
		if err := yaml.Unmarshal([]byte(in), &read); err != nil {
			return in
		}
		if _, isText := read.(string); isText {
			read = nil
		}
		text, err := json.Marshal(replaced(read, keys, value))
		if err != nil {
			return in
		}
		return string(text)
	}
	if i, ok := watch.Index(keys[0]); ok && i == 0 {
		return []any{replaced(nil, keys[1:], value)}
	}
	fields, _ := in.(map[string]any)
	with := maps.Clone(fields)
	if with == nil {
		with = map[string]any{}
	}
	if below := replaced(with[keys[0]], keys[1:], value); below != nil {
		with[keys[0]] = below
	} else {
		delete(with, keys[0])
	}
	return with
}

func (s *search) pins(c configuration) bool {
	return slices.ContainsFunc(c, func(change change) bool {
		return slices.ContainsFunc(s.pinned, func(path []string) bool { return related(path, change.path) })
	})
}

// combine puts what did something together, two at a time, in an order that
// follows from the seed: as many as are tried before the search ends.
func (s *search) combine(random *rand.Rand) {
	parts := slices.Clone(s.parts)
	for _, c := range s.kept {
		if len(c) > 1 {
			parts = append(parts, c)
		}
	}
	random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	rank := func(c configuration) int {
		if slices.ContainsFunc(c, func(change change) bool { return unsetsOrAuto(change.value) }) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(parts, func(a, b configuration) int { return cmp.Compare(rank(a), rank(b)) })
	before := s.added
	for sum := 1; sum < 2*len(parts) && s.added-before < Quiet/2; sum++ {
		for i := max(0, sum-len(parts)+1); i < sum-i; i++ {
			if pair := parts[i].and(parts[sum-i]); pair != nil && len(pair) <= 6 {
				s.push(pair, -2*len(pair)) // before all others
			}
		}
	}
}
