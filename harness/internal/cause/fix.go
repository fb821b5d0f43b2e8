package cause

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

// unwritten weighs more than all that may be wrong with another fix.
const unwritten = 1 << 20

// bestFix verifies proposals and returns the best: one that mends the finding,
// leaves every other container as it is, and leaves the fewest other findings. What
// was rendered is the text that a person would write; where that cannot be told, the
// fix is not verified.
func (s *search) bestFix(ctx context.Context) *report.Fix {
	before := s.try(ctx).judge(ctx, container{}, s.experiments.evaluators...)
	var best *report.Fix
	lowest := 0
	for _, p := range s.proposals() {
		after := s.try(ctx, p.edits...)
		now := after.judge(ctx, container{}, s.experiments.evaluators...)
		if now == nil || before == nil || !s.mends(ctx, after) || s.breaks(now, before) {
			continue
		}
		effects := sideEffects(now, before)
		if s.finding.Workload == "" {
			effects = nil // that workloads come is what was asked for
		}
		score := 100*len(effects) + len(now.Findings)
		_, written, err := overlay(p.edits)
		if err != nil || !written {
			score += unwritten
		}
		if best != nil && score >= lowest {
			continue
		}
		fix := p.fix
		fix.Verified = score < unwritten
		if s.finding.Code == typo && strings.HasSuffix(fix.Change, fmt.Sprintf(" to %q", s.right)) {
			fix.Change += ", which is how the service reads it now"
		}
		if len(effects) > 0 {
			fix.Change += ", which also " + strings.Join(effects, " and ")
		}
		if best, lowest = &fix, score; score == 0 {
			break
		}
	}
	return best
}

// breaks reports whether a change made a finding that denies, where the finding
// itself warns also one that warns, or a container that is bound no more.
func (s *search) breaks(after, before *evaluate.Result) bool {
	now := roles(after)
	for at, c := range roles(before) {
		if c.bound && !now[at].bound {
			return true
		}
	}
	warns := s.finding.Severity == report.Warn
	if warns && s.stopsMigrations(after, before) {
		return true
	}
	return slices.ContainsFunc(after.Findings, func(f report.Finding) bool {
		return (warns || f.Severity == report.Deny) && count(after.Findings, &f) > count(before.Findings, &f)
	})
}

// stopsMigrations reports whether with a change nobody applies migrations any
// more, by any constraint.
func (s *search) stopsMigrations(after, before *evaluate.Result) bool {
	return slices.ContainsFunc(s.experiments.evaluators, func(e *evaluate.Evaluator) bool {
		name := e.ConstraintName()
		return stated.NobodyMigrates(name, after.Workloads) && !stated.NobodyMigrates(name, before.Workloads)
	})
}

// sideEffects says in words what else a change does: a control plane that would
// no longer migrate, and workloads that come.
func sideEffects(after, before *evaluate.Result) []string {
	var effects []string
	now, then := roles(after), roles(before)
	for at, c := range then {
		if c.migrates && now[at].skips && !now[at].migrates {
			effects = append(effects, "makes "+at.workload+" skip")
		}
	}
	for at := range now {
		if _, ok := then[container{at.workload, at.namespace, ""}]; !ok {
			effects = append(effects, "adds "+at.workload)
		}
	}
	slices.Sort(effects)
	return slices.Compact(effects)
}

// role is what a container is under any constraint, or a workload.
type role struct{ bound, migrates, skips bool }

func roles(judged *evaluate.Result) map[container]role {
	found := map[container]role{}
	for _, w := range judged.Workloads {
		at := container{workload: w.Kind + "/" + w.Name, namespace: w.Namespace}
		found[at] = role{}
		for _, c := range w.Containers {
			at.name = c.Name
			r := found[at]
			r.bound = r.bound || w.Role == report.Controllers && !c.Exempt
			r.migrates = r.migrates || w.Role == report.ControlPlane && c.Mode != report.Skip
			r.skips = r.skips || c.Mode == report.Skip
			found[at] = r
		}
	}
	return found
}

// proposals lists changes that may mend the finding, the closest to what people
// of the app write first: its own values before those of a chart.
func (s *search) proposals() []attempt {
	var own, ofChart, ofTemplate []attempt
	for _, a := range s.mending {
		switch {
		case a.isPacked():
			own = append(own, s.above(a)...)
		case a.fix.Change == "":
		case a.place == nil && a.edits[0].source.template:
			ofTemplate = append(ofTemplate, a)
		case a.place == nil:
			own = append(own, a)
		case a.place.layer == report.ChartValues:
			ofChart = append(ofChart, a)
		default:
			own = append(own, a)
			// An entry that is not there cannot be wrong.
			if isValue(a.place, s.envVar) && entryOf(a.place) != a.place {
				own = append(own, removals(entryOf(a.place))...)
			}
		}
	}
	return slices.Concat(own, s.additions(), ofChart, ofTemplate)
}

// isPacked reports whether an attempt changes what nobody edits.
func (a attempt) isPacked() bool {
	return slices.ContainsFunc(a.edits, func(e edit) bool { return e.source.isPacked() })
}

// isPacked reports whether a file is in an archive, or in a chart that was downloaded
// as one.
func (s *source) isPacked() bool { return s.archive != nil || s.downloaded }

// above are attempts that set, in place of a value of a packed chart, the same value
// where the app sets the values of the topmost chart, or in that chart's own.
func (s *search) above(a attempt) []attempt {
	i := slices.IndexFunc(s.sources.charts, func(c *chart) bool { return a.place != nil && c.values == a.place.source })
	if i < 0 || a.place.keys() == nil || !a.place.isScalar() {
		return nil
	}
	c := s.sources.charts[i]
	keys := slices.Concat(c.prefix, a.place.keys())
	attempts := s.inApp(c.top, func(at *place, before ...string) attempt { return s.settingBelow(at, append(before, keys...)) })
	if top := root(c.top.values); top != nil && !c.top.values.isPacked() {
		attempts = append(attempts, s.settingBelow(top, keys))
	}
	return attempts
}

// inApp are attempts with the places where an app sets the values of a chart, those
// that win first. Where it has no inline values, they are made.
func (s *search) inApp(top *chart, attemptAt func(at *place, before ...string) attempt) []attempt {
	var attempts []attempt
	for _, values := range top.set {
		attempts = append(attempts, attemptAt(values))
	}
	if top.entry != nil && top.entry.member("valuesInline") == nil {
		attempts = append(attempts, attemptAt(top.entry, "valuesInline"))
	}
	return attempts
}

var environmentKey = regexp.MustCompile(`(?i)^(extra)?_?(env(ironment)?|vars)(vars)?$`)

// additions set the variable where a chart's values have a place for it, in the
// values that the app sets for the chart, those that win first.
func (s *search) additions() []attempt {
	var attempts []attempt
	for _, c := range s.sources.charts {
		if c.values == nil || c.top.entry == nil {
			continue
		}
		for _, p := range c.values.places {
			if !environmentKey.MatchString(p.key) || p.isScalar() || p.keys() == nil {
				continue
			}
			keys := slices.Concat(c.prefix, p.keys())
			attempts = append(attempts, s.inApp(c.top, func(at *place, before ...string) attempt {
				return s.addition(at, append(before, keys...), p.node.Kind)
			})...)
		}
	}
	// Those first whose path has most in common with the container's names.
	words := strings.FieldsFunc(strings.ToLower(s.container.workload+"-"+s.container.name), func(r rune) bool { return r == '-' || r == '/' })
	common := func(a attempt) (n int) {
		for _, word := range words {
			n += min(1, strings.Count(strings.ToLower(a.fix.Path), word))
		}
		return n
	}
	slices.SortStableFunc(attempts, func(a, b attempt) int { return common(b) - common(a) })
	return attempts
}

// addition sets the variable below a place, in a map or a list at keys.
func (s *search) addition(at *place, keys []string, kind yaml.Kind) attempt {
	path := at.path
	for _, key := range keys {
		path = join(path, key)
	}
	if kind == yaml.MappingNode {
		return s.settingBelow(at, append(slices.Clone(keys), s.envVar))
	}
	change := fmt.Sprintf("add {name: %s, value: %q} to %s", s.envVar, s.right, path)
	a := attempt{place: at, edits: []edit{add(at, keys, entryNode(s.envVar, s.right))}}
	return a.at(deepestPlace(at, keys), path, change)
}

// settingBelow sets what stands below a place at keys.
func (s *search) settingBelow(at *place, keys []string) attempt {
	path := at.path
	for _, key := range keys {
		path = join(path, key)
	}
	a := attempt{place: at, edits: []edit{add(at, keys, stringNode(s.right))}}
	return a.at(deepestPlace(at, keys), path, fmt.Sprintf("set %s to %q", path, s.right))
}

// deepestPlace is the place below another at keys or, where that is not there, the
// last on the way that is.
func deepestPlace(at *place, keys []string) *place {
	for _, key := range keys {
		next := at.member(key)
		if next == nil {
			break
		}
		at = next
	}
	return at
}
