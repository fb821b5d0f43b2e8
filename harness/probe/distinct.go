package probe

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/mode"
)

// group is what many configurations have in common: the paths that are set and
// the template that then writes what breaks the contract. That is one mistake
// in the design of a chart, whatever is set there.
type group struct {
	verdict Verdict
	file    string
	paths   []string
	best    configuration
	judged  *judged
	codes   []string
	count   int
}

// id names a group in a baseline.
func (g *group) id() string { return strings.Join(g.paths, " + ") + " > " + g.file }

// distinct puts the tries into groups, and finds the plainest configuration of
// each.
func (s *search) distinct(ctx context.Context) ([]*group, error) {
	tries := slices.Clone(s.tries)
	depth := func(t try) int {
		deepest := 0
		for _, change := range t.configuration {
			deepest = max(deepest, len(change.path))
		}
		return deepest
	}
	slices.SortStableFunc(tries, func(a, b try) int {
		return cmp.Or(cmp.Compare(len(a.configuration), len(b.configuration)), cmp.Compare(depth(b), depth(a)))
	})
	var groups []*group
	for _, t := range tries {
		for _, file := range t.files {
			found, err := s.groupOf(ctx, &groups, t.configuration, file, t.verdict)
			if err != nil {
				return nil, err
			}
			found.count++
			for _, b := range file.breaches {
				for _, code := range b.codes {
					if !slices.Contains(found.codes, code) {
						found.codes = append(found.codes, code)
					}
				}
			}
		}
	}
	groups = s.join(groups)
	for _, g := range groups {
		slices.Sort(g.codes)
		g.codes = slices.Compact(g.codes)
		if err := s.shrink(ctx, g); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(order(a.verdict), order(b.verdict)), cmp.Compare(a.id(), b.id()))
	})
	return groups, nil
}

func order(v Verdict) int { return slices.Index([]Verdict{Escaped, Breach, Vanished}, v) }

// groupOf returns the group of a configuration, which may be new.
func (s *search) groupOf(ctx context.Context, groups *[]*group, c configuration, file judgedFile, verdict Verdict) (*group, error) {
	v := verdictOf(file, verdict)
	least, judged := c, file.judged
	for i := 0; i < len(least) && len(least) > 1; {
		fewer := slices.Delete(slices.Clone(least), i, i+1)
		after, ok, err := s.still(ctx, fewer, file.name, v)
		if err != nil {
			return nil, err
		}
		if ok {
			least, judged = fewer, after
		} else {
			i++
		}
	}
	for _, g := range *groups {
		if g.file != file.name || g.verdict != v || len(g.best) != len(least) || !s.covers(least, g.best) {
			continue
		}
		if slices.Equal(least.paths(), g.paths) && s.plainer(least, judged, g.best, g.judged) {
			g.best, g.judged = least, judged
		}
		return g, nil
	}
	g := &group{verdict: v, file: file.name, paths: least.paths(), best: least, judged: judged}
	*groups = append(*groups, g)
	return g, nil
}

func verdictOf(file judgedFile, verdict Verdict) Verdict {
	if verdict == Vanished {
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

// below reports whether a path lies below another.
func below(path, above []string) bool {
	return len(above) < len(path) && related(path, above)
}

func (s *search) isMap(path []string) bool {
	_, ok := s.pusher.at(path).(map[string]any)
	return ok
}

// join puts groups that set keys below a place, of which nothing is known, into
// the group that sets the place itself, unless it holds a map, or only they show
// that a container migrates.
func (s *search) join(groups []*group) []*group {
	return slices.DeleteFunc(slices.Clone(groups), func(g *group) bool {
		i := slices.IndexFunc(groups, func(other *group) bool {
			return other != g && other.file == g.file && other.verdict == g.verdict && len(other.best) == 1 && other.best[0].value != nil && modeRank(other.judged) <= modeRank(g.judged) &&
				!s.isMap(other.best[0].path) && !slices.ContainsFunc(g.best, func(c change) bool { return !below(c.path, other.best[0].path) })
		})
		if i < 0 {
			return false
		}
		groups[i].count += g.count
		groups[i].codes = append(groups[i].codes, g.codes...)
		return true
	})
}

// still reports whether a configuration has the same verdict for a template.
func (s *search) still(ctx context.Context, c configuration, file string, verdict Verdict) (*judged, bool, error) {
	o, err := s.try(ctx, c)
	if err != nil {
		return nil, false, err
	}
	for _, f := range o.files {
		if f.name == file && verdictOf(f, o.verdict) == verdict {
			return f.judged, true, nil
		}
	}
	return nil, false, nil
}

// modeRank says how sure it is that a controllers container migrates.
func modeRank(j *judged) int {
	rank := 2
	for _, b := range j.breaches {
		rank = min(rank, slices.Index([]mode.Mode{mode.Auto, mode.Unknown, mode.Skip}, b.mode))
	}
	return rank
}

// plainer reports whether one configuration shows a breach more plainly than
// another of the same paths.
func (s *search) plainer(a configuration, judgedA *judged, b configuration, judgedB *judged) bool {
	return cmp.Or(
		cmp.Compare(modeRank(judgedA), modeRank(judgedB)),
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
		switch {
		case change.value == string(mode.Auto) && modeRank(j) == 0:
		case change.value == nil, change.value == "":
			sum += 3
		case modeRank(j) == 0 && isText && strings.EqualFold(strings.TrimSpace(plain), string(mode.Auto)):
			sum++
		case modeRank(j) == 0 && !isText && strings.Contains(string(text), string(mode.Auto)):
			sum++
		default:
			sum += 2
		}
	}
	for _, b := range j.breaches {
		// An entry of env that was taken for a container.
		if s.pusher.isVariable(b.container) || b.container == "" && b.workload != "" {
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
		for {
			shrunk := false
			for _, smaller := range smallerThan(g.best[i].value, s.pusher.isVariable) {
				c := slices.Clone(g.best)
				c[i].value = smaller
				after, ok, err := s.still(ctx, c, g.file, g.verdict)
				if err != nil {
					return err
				}
				if ok && modeRank(after) <= modeRank(g.judged) {
					g.best, g.judged, shrunk = c, after, true
					break
				}
			}
			if !shrunk {
				break
			}
		}
	}
	return nil
}

// kept are the keys without which an element of a list is none that Kubernetes
// takes.
var kept = []string{"name", "image"}

// smallerThan are the values that a list or map in a list becomes when one thing
// is taken out of it. What says what is wrong stays.
func smallerThan(value any, isVariable func(string) bool) []any {
	var smaller []any
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			smaller = append(smaller, slices.Delete(slices.Clone(value), i, i+1))
			for _, less := range smallerThan(item, isVariable) {
				list := slices.Clone(value)
				list[i] = less
				smaller = append(smaller, list)
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if text, ok := value[key].(string); !slices.Contains(kept, key) && (!ok || !isVariable(text) && text != string(mode.Auto)) {
				without := maps.Clone(value)
				delete(without, key)
				smaller = append(smaller, without)
			}
			for _, less := range smallerThan(value[key], isVariable) {
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
