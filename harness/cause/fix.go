package cause

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/report"
)

// proposal is a change that may mend the finding.
type proposal struct {
	files map[string][]byte
	fix   report.Fix
}

// state is what is compared before and after a fix.
type state struct {
	findings  []report.Finding
	workloads []report.Workload
}

// fix verifies proposals and returns the best: one that mends the finding,
// leaves every other container as it is, and leaves the fewest other findings.
func (s *search) fix(ctx context.Context, proposals func(yield func(proposal) bool)) (*report.Fix, error) {
	base, err := s.lab.render(ctx, nil)
	if err != nil {
		return nil, err
	}
	before := state{}
	if before.findings, before.workloads, err = s.lab.verdict(ctx, base); err != nil {
		return nil, err
	}
	var best *report.Fix
	worst := 0
	for p := range proposals {
		after, err := s.lab.render(ctx, p.files)
		if errors.Is(err, errBound) {
			return best, nil
		}
		if err != nil {
			return nil, err
		}
		if effect, err := s.measure(ctx, after); err != nil || effect != gone {
			continue
		}
		now := state{}
		if now.findings, now.workloads, err = s.lab.verdict(ctx, after); err != nil {
			continue // another object cannot be evaluated any more
		}
		if !now.noWorseThan(before) {
			continue
		}
		effects := now.sideEffects(before)
		if s.finding.Workload == "" {
			effects = nil // that workloads come is what was asked for
		}
		score := 100*len(effects) + len(now.findings)
		if best != nil && score >= worst {
			continue
		}
		fix := p.fix
		fix.Verified = true
		if len(effects) > 0 {
			fix.Change += ", which also " + strings.Join(effects, " and ")
		}
		best, worst = &fix, score
		if len(effects) == 0 && len(now.findings) == 0 {
			break
		}
	}
	return best, nil
}

// noWorseThan reports whether everything that is bound still is, and no deny
// finding came.
func (after state) noWorseThan(before state) bool {
	for _, w := range before.workloads {
		for _, c := range w.Containers {
			f := report.Finding{Workload: w.Kind + "/" + w.Name, Namespace: w.Namespace, Container: c.Name}
			if w.Role == report.Controllers && !c.Exempt && !binds(after.workloads, &f) {
				return false
			}
		}
	}
	for i := range after.findings {
		f := &after.findings[i]
		if f.Severity == report.Deny && count(after.findings, f, sameThing) > count(before.findings, f, sameThing) {
			return false
		}
	}
	return true
}

// sideEffects says in words what else changes: a control plane that would no
// longer migrate, and workloads that come or go.
func (after state) sideEffects(before state) []string {
	var effects []string
	note := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(effects, text) {
			effects = append(effects, text)
		}
	}
	for _, w := range before.workloads {
		if w.Role != report.ControlPlane {
			continue
		}
		for _, c := range w.Containers {
			if c.Mode != report.Skip && modeIn(after.workloads, w, c.Name) == report.Skip {
				note("makes %s/%s skip", w.Kind, w.Name)
			}
		}
	}
	for _, w := range after.workloads {
		if !slices.ContainsFunc(before.workloads, func(b report.Workload) bool {
			return b.Kind == w.Kind && b.Namespace == w.Namespace && b.Name == w.Name
		}) {
			note("adds %s/%s", w.Kind, w.Name)
		}
	}
	return effects
}

func modeIn(workloads []report.Workload, of report.Workload, container string) report.Mode {
	for _, w := range workloads {
		if w.Kind != of.Kind || w.Namespace != of.Namespace || w.Name != of.Name || w.Constraint != of.Constraint {
			continue
		}
		for _, c := range w.Containers {
			if c.Name == container {
				return c.Mode
			}
		}
	}
	return ""
}

// proposals lists changes that may mend the finding, the closest to what people
// of the app write first: its own values before those of a chart.
func (s *search) proposals(templates []templateHit) func(yield func(proposal) bool) {
	return func(yield func(proposal) bool) {
		var late []hit
		for _, h := range s.hits {
			if h.noFix || h.effect != gone {
				continue
			}
			if h.layer() == report.ChartValues {
				late = append(late, h)
				continue
			}
			if !s.yieldAttempt(h.attempt, yield) {
				return
			}
			// An entry that is not there cannot be wrong.
			if isValue(h.place, s.envVar) && entryOf(h.place) != h.place {
				for _, a := range s.removals(entryOf(h.place)) {
					if !s.yieldAttempt(a, yield) {
						return
					}
				}
			}
		}
		for _, a := range s.additions() {
			if !s.yieldAttempt(a, yield) {
				return
			}
		}
		for _, h := range late {
			if !s.yieldAttempt(h.attempt, yield) {
				return
			}
		}
		for _, h := range templates {
			if h.files != nil && !yield(proposal{h.files, report.Fix{File: h.cause.File, Line: h.cause.Line, Path: h.cause.Path, Change: h.change}}) {
				return
			}
		}
	}
}

func (h hit) layer() report.Layer { return h.place.layer }

func (s *search) yieldAttempt(a attempt, yield func(proposal) bool) bool {
	files, err := overlay(a.edits)
	if err != nil {
		return true
	}
	return yield(proposal{files, report.Fix{File: a.fixAt.source.shown, Line: a.fixAt.line, Path: a.path, Change: a.change}})
}

var environmentKey = regexp.MustCompile(`(?i)^(extra)?_?(env(ironment)?|vars)(vars)?$`)

// additions set the variable where a chart's values have a place for it, in the
// values that the app sets for the chart, those that win first.
func (s *search) additions() []attempt {
	type site struct {
		chart *chart
		place *place
	}
	var sites []site
	for _, c := range s.sources.charts {
		if c.values == nil || c.top().entry == nil {
			continue
		}
		for _, p := range c.values.places {
			if environmentKey.MatchString(p.key) && !p.isScalar() {
				sites = append(sites, site{c, p})
			}
		}
	}
	words := strings.FieldsFunc(strings.ToLower(s.finding.Workload+"-"+s.finding.Container), func(r rune) bool { return r == '-' || r == '/' })
	score := func(p *place) int {
		n := 0
		for _, word := range words {
			if strings.Contains(strings.ToLower(p.path), word) {
				n++
			}
		}
		return n
	}
	slices.SortStableFunc(sites, func(a, b site) int { return score(b.place) - score(a.place) })
	var attempts []attempt
	for _, site := range sites {
		keys := slices.Clone(site.chart.prefix)
		for _, step := range site.place.steps[1:] {
			if !step.isKey {
				keys = nil
				break
			}
			keys = append(keys, step.key)
		}
		if keys == nil {
			continue
		}
		for _, own := range site.chart.top().layers() {
			attempts = append(attempts, s.addition(own, keys, site.place.node.Kind))
		}
	}
	return attempts
}

// ownLayer is where an app sets values for a chart.
type ownLayer struct {
	at   *place
	keys []string
}

func (c *chart) layers() []ownLayer {
	var layers []ownLayer
	for _, p := range c.own {
		layers = append(layers, ownLayer{at: p})
	}
	if c.entry.member("valuesInline") == nil {
		layers = append(layers, ownLayer{c.entry, []string{"valuesInline"}})
	}
	return layers
}

func (s *search) addition(own ownLayer, keys []string, kind yaml.Kind) attempt {
	keys = slices.Concat(own.keys, keys)
	value := entryNode(s.envVar, s.skip)
	what := fmt.Sprintf("{name: %s, value: %q}", s.envVar, s.skip)
	path := own.at.path
	for _, key := range keys {
		path = join(path, key)
	}
	change := fmt.Sprintf("add %s to %s", what, path)
	if kind == yaml.MappingNode {
		keys = append(keys, s.envVar)
		value = stringNode(s.skip)
		path = join(path, s.envVar)
		change = fmt.Sprintf("set %s to %q", path, s.skip)
	}
	at := own.at // the deepest place that is there already
	for _, key := range keys {
		next := at.member(key)
		if next == nil {
			break
		}
		at = next
	}
	return attempt{place: own.at, edits: []edit{add(own.at, keys, value)}, change: change, fixAt: at, path: path}
}
