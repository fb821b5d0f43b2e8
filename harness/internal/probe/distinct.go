package probe

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
)

// group is what many configurations have in common: the paths that are set and
// the template that then writes what breaks the contract. That is one mistake
// in the design of a chart, whatever is set there.
type group struct {
	verdict Verdict
	file    string
	who     who
	paths   []string
	best    configuration // the plainest
	judged  *judged       // of the best
	codes   []string      // of all, sorted
	count   int
}

// who is the container that migrates, as far as it has that name under the base,
// too: what values name is named anew by each.
type who struct{ workload, container string }

const (
	another      = "another workload"
	newContainer = "a new container"
)

// id names a group in a baseline.
func (g *group) id() string {
	parts := []string{cmp.Or(strings.Join(g.paths, " + "), "nothing set"), g.file}
	if g.who != (who{}) {
		parts = append(parts, g.who.workload, cmp.Or(g.who.container, "the whole"))
	}
	return strings.Join(parts, " > ")
}

// whose tells of what a finding is.
func (s *subject) whose(f *finding) who {
	w := who{f.workload, f.container}
	if !slices.ContainsFunc(s.bound, func(known who) bool { return known.workload == w.workload }) {
		w.workload = another
	}
	if w.container != "" && !slices.ContainsFunc(s.bound, func(known who) bool { return known.container == w.container }) {
		w.container = newContainer
	}
	return w
}

// parties are those of whom there is a finding in a file, in their order.
func (s *subject) parties(file judgedFile) []who {
	var all []who
	for _, f := range file.findings {
		if w := s.whose(f); !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	if len(all) == 0 {
		return []who{{}} // of what vanished
	}
	return all
}

// of are the findings of a file on one party.
func (s *subject) of(file judgedFile, w who) *judged {
	only := *file.judged
	only.findings = slices.DeleteFunc(slices.Clone(file.findings), func(f *finding) bool { return s.whose(f) != w })
	return &only
}

func (g *group) addCodes(codes ...string) {
	for _, code := range codes {
		g.codes = insert(g.codes, code)
	}
}

// distinct puts the trials into groups, and finds the plainest configuration of
// each.
func (s *search) distinct(ctx context.Context) ([]*group, error) {
	trials := slices.Clone(s.trials)
	depth := func(t trial) int {
		depth := 0
		for _, change := range t.configuration {
			depth += len(change.path)
		}
		return depth
	}
	slices.SortStableFunc(trials, func(a, b trial) int {
		return cmp.Or(cmp.Compare(len(a.configuration), len(b.configuration)), cmp.Compare(depth(b), depth(a)))
	})
	var groups []*group
	reduced := map[string][]*group{}
	for _, t := range trials {
		for _, file := range t.files {
			for _, w := range s.parties(file) {
				own := judgedFile{file.name, s.of(file, w)}
				verdict := verdictOf(own, t.verdict)
				// A few of those that set the same show what they have in common.
				key := strings.Join(append(t.paths(), file.name, w.workload, w.container, string(verdict)), "\n")
				var found *group
				if known := reduced[key]; len(known) >= maxReduced && len(t.configuration) > 1 {
					found = known[0]
				} else {
					var err error
					if found, err = s.groupOf(ctx, &groups, t.configuration, own, w, verdict); err != nil {
						return nil, err
					}
					reduced[key] = append(reduced[key], found)
				}
				found.count++
				found.addCodes(own.codes()...)
			}
		}
	}
	groups = s.join(groups)
	for _, g := range groups {
		if err := s.shrink(ctx, g); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(order(a.verdict), order(b.verdict)), cmp.Compare(a.id(), b.id()))
	})
	return groups, nil
}

// maxReduced is how many of the configurations that set the same paths are reduced
// to the least that must be set.
const maxReduced = 4

func order(v Verdict) int { return slices.Index([]Verdict{Escaped, Migrates, Vanished}, v) }

// groupOf returns the group of a configuration, which may be new. It goes by the
// least that must be set.
func (s *search) groupOf(ctx context.Context, groups *[]*group, c configuration, file judgedFile, w who, verdict Verdict) (*group, error) {
	least, judged := c, file.judged
	for i := 0; i < len(least) && len(least) > 1; {
		fewer := slices.Delete(slices.Clone(least), i, i+1)
		after, err := s.still(ctx, fewer, file.name, w, verdict)
		if err != nil {
			return nil, err
		}
		if after != nil {
			least, judged = fewer, after
		} else {
			i++
		}
	}
	for i := range least {
		for _, narrower := range s.narrower(least, i) {
			after, err := s.still(ctx, narrower, file.name, w, verdict)
			if err != nil {
				return nil, err
			}
			if after != nil {
				least, judged = narrower, after
				break
			}
		}
	}
	paths := s.pathsOf(least)
	for _, g := range *groups {
		same := slices.Equal(paths, g.paths)
		if g.file != file.name || g.who != w || g.verdict != verdict || !same && (len(g.best) != len(least) || !s.covers(least, g.best)) {
			continue
		}
		if same && s.plainer(least, judged, g.best, g.judged) {
			g.best, g.judged = least, judged
		}
		return g, nil
	}
	g := &group{verdict: verdict, file: file.name, who: w, paths: paths, best: least, judged: judged}
	*groups = append(*groups, g)
	return g, nil
}

// narrower are configurations of which a change takes the variable alone out of a map,
// where it takes away the whole of it.
func (s *search) narrower(c configuration, i int) []configuration {
	at, _ := watch.At(s.now, watch.PlaceOf(c[i].path...))
	fields, _ := at.(map[string]any)
	var all []configuration
	for _, corpus := range s.judge.corpora {
		if _, there := fields[corpus.variable]; there && c[i].value == nil {
			with := slices.Clone(c)
			with[i].path = append(slices.Clone(c[i].path), corpus.variable)
			all = append(all, with)
		}
	}
	return all
}

// pathsOf are the paths that a configuration sets. Below a key of the variable's
// name there is one: whatever else is there, it is that key that does harm.
func (s *search) pathsOf(c configuration) []string {
	var paths []string
	for _, change := range c {
		path := change.path
		if i := slices.IndexFunc(path, s.isVariable); i >= 0 && !s.isMap(path[:i+1]) {
			path = path[:i+1]
		}
		paths = insert(paths, written(path))
	}
	return paths
}

// verdictOf is the verdict on one file of a configuration.
func verdictOf(file judgedFile, whole Verdict) Verdict {
	if whole == Vanished {
		return Vanished
	}
	return file.verdict()
}

// covers reports whether a configuration sets all that another sets, or
// replaces the map in which that stands.
func (s *search) covers(c, other configuration) bool {
	return !slices.ContainsFunc(other, func(set change) bool {
		return !slices.ContainsFunc(c, func(change change) bool {
			return slices.Equal(set.path, change.path) || below(set.path, change.path) && s.isMap(change.path)
		})
	})
}

func (s *search) isMap(path []string) bool {
	at, _ := watch.At(s.now, watch.PlaceOf(path...))
	_, ok := at.(map[string]any)
	return ok
}

func (s *search) isVariable(name string) bool {
	return slices.ContainsFunc(s.judge.corpora, func(c corpus) bool { return c.variable == name })
}

// join puts groups that set keys below a place, of which nothing is known, into
// the group that sets the place itself, unless it holds a map, or only they show
// that a container migrates.
func (s *search) join(groups []*group) []*group {
	belongs := func(g, other *group) bool {
		if g.who.workload == another || g.who.container == newContainer {
			// What is in the way of another container is the same mistake.
			if other != g && other.file == g.file && other.verdict == g.verdict && len(other.paths) < len(g.paths) &&
				!slices.ContainsFunc(other.paths, func(path string) bool { return !slices.Contains(g.paths, path) }) {
				return true
			}
		}
		if other == g || other.file != g.file || other.who != g.who || other.verdict != g.verdict || len(other.best) != 1 {
			return false
		}
		place := other.best[0]
		return place.value != nil && !s.isMap(place.path) && doubt(other.judged) <= doubt(g.judged) &&
			!slices.ContainsFunc(g.best, func(c change) bool { return !below(c.path, place.path) })
	}
	return slices.DeleteFunc(slices.Clone(groups), func(g *group) bool {
		i := slices.IndexFunc(groups, func(other *group) bool { return belongs(g, other) })
		if i < 0 {
			return false
		}
		groups[i].count += g.count
		groups[i].addCodes(g.codes...)
		return true
	})
}

// still judges a template under a configuration; nil when that has not the
// verdict any more.
func (s *search) still(ctx context.Context, c configuration, file string, w who, verdict Verdict) (*judged, error) {
	o, err := s.try(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, f := range o.files {
		if f.name != file || !slices.Contains(s.parties(f), w) {
			continue
		}
		if own := s.of(f, w); verdictOf(judgedFile{file, own}, o.verdict) == verdict {
			return own, nil
		}
	}
	return nil, nil
}

// doubt says how little is known that a controllers container migrates; zero
// when one does.
func doubt(j *judged) int {
	least := 2
	for _, f := range j.findings {
		least = min(least, slices.Index([]mode.Mode{mode.Auto, mode.Unknown, mode.Skip}, f.mode))
	}
	return least
}

// plainer reports whether one configuration shows what is wrong more plainly
// than another of the same paths.
func (s *search) plainer(a configuration, judgedA *judged, b configuration, judgedB *judged) bool {
	return cmp.Or(
		cmp.Compare(doubt(judgedA), doubt(judgedB)),
		cmp.Compare(s.oddity(a, judgedA), s.oddity(b, judgedB)),
		cmp.Compare(size(a), size(b)),
	) < 0
}

// oddity is how little a configuration looks like what a person would set.
func (s *search) oddity(c configuration, j *judged) int {
	sum := 0
	for _, change := range c {
		plain, isText := change.value.(string)
		text, _ := json.Marshal(change.value)
		auto := string(mode.Auto)
		switch migrates := doubt(j) == 0; {
		case migrates && change.value == auto:
		case change.value == nil, change.value == "":
			sum += 3
		case migrates && isText && strings.EqualFold(strings.TrimSpace(plain), auto),
			migrates && !isText && strings.Contains(string(text), auto):
			sum++
		default:
			sum += 2
		}
		if strings.Contains(plain, "\n") {
			sum++
		}
	}
	for _, f := range j.findings {
		if s.whose(f).container == newContainer && !strings.Contains(c.snippet(), "image:") {
			sum++ // Kubernetes takes no container without an image
		}
		// An entry of env that was taken for a container.
		if s.isVariable(f.container) || f.container == "" && f.workload != "" {
			sum += 2
		}
	}
	return sum
}

// size is how many scalars, lists and maps a configuration sets.
func size(c configuration) int {
	var of func(value any) int
	of = func(value any) int {
		n := 1
		switch value := value.(type) {
		case []any:
			for _, item := range value {
				n += of(item)
			}
		case map[string]any:
			for _, item := range value {
				n += of(item)
			}
		}
		return n
	}
	n := 0
	for _, change := range c {
		n += of(change.value)
	}
	return n
}

// shrink takes out of the lists of a group's best configuration what is not
// needed.
func (s *search) shrink(ctx context.Context, g *group) error {
	for i := range g.best {
		for shrunk := true; shrunk; {
			shrunk = false
			for _, smaller := range s.smallerThan(g.best[i].value) {
				c := slices.Clone(g.best)
				c[i].value = smaller
				after, err := s.still(ctx, c, g.file, g.who, g.verdict)
				if err != nil {
					return err
				}
				if after != nil && doubt(after) <= doubt(g.judged) {
					g.best, g.judged, shrunk = c, after, true
					break
				}
			}
		}
	}
	return nil
}

// isCommand reports whether a list is several words.
func isCommand(list []any) bool {
	return len(list) > 1 && !slices.ContainsFunc(list, func(item any) bool { _, isText := item.(string); return !isText })
}

// smallerThan are the values that a list or map in a list becomes when one thing
// is taken out of it. What says what is wrong stays, and so do the keys without
// which Kubernetes takes no element of a list.
func (s *search) smallerThan(value any) []any {
	var smaller []any
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			// Of a command no word is left out.
			if !isCommand(value) {
				smaller = append(smaller, slices.Delete(slices.Clone(value), i, i+1))
			}
			for _, less := range s.smallerThan(item) {
				list := slices.Clone(value)
				list[i] = less
				smaller = append(smaller, list)
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			text, isText := value[key].(string)
			if key != "name" && key != "image" && !(isText && (s.isVariable(text) || text == string(mode.Auto))) {
				without := maps.Clone(value)
				delete(without, key)
				smaller = append(smaller, without)
			}
			for _, less := range s.smallerThan(value[key]) {
				with := maps.Clone(value)
				with[key] = less
				smaller = append(smaller, with)
			}
		}
	case string:
		// One line of a command is enough to see what it does.
		if rest, ok := strings.CutSuffix(value, " exec node server.js"); ok {
			smaller = append(smaller, rest)
		}
	}
	return smaller
}
