package cause

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/report"
)

// search looks for the causes of one finding, or for what decides the mode of
// one container.
type search struct {
	experiments *experiments
	sources     *sources
	evaluator   *evaluate.Evaluator
	container   container
	entry       int             // which of the container's entries for the variable, or lastEntry
	finding     *report.Finding // without a code when none is looked into
	envVar      string
	skip        string // the plain skip value
	right       string // the value that mends the finding: skip, or auto for a control plane
	// err is what ended the search: no experiment is made after it.
	err error

	before   *evaluate.Result
	role     report.Role // the workload's
	rendered declaration
	offender string // the rendered text at the finding's path
	// lookAlike is the name in env that the policy takes for a misspelling.
	lookAlike string

	// What is found: places that decide what the contract binds; what decides the
	// container's entry; and changes that mend the finding.
	bindings []*place
	deciders []attempt
	mending  []attempt

	overridden []report.Cause
	fix        *report.Fix
}

// attempt is one experiment: edits, and what it shows when they make a
// difference.
type attempt struct {
	place *place        // the cause
	cause *report.Cause // the cause, where it is no place but a part of a template
	edits []edit
	// fix says in words what the edits do; without a change they mend nothing.
	fix report.Fix
	// without are edits that take the cause away, so that what it overrides
	// decides.
	without []edit
}

// at gives an attempt the words for a fix at a place.
func (a attempt) at(p *place, path, change string) attempt {
	a.fix = report.Fix{File: p.source.shown, Line: p.line, Path: path, Change: change}
	return a
}

func setting(p *place, value string) attempt {
	return attempt{place: p, edits: []edit{set(p, value)}}.at(p, p.path, fmt.Sprintf("set %s to %q", p.path, value))
}

func removal(cause, p *place) attempt {
	edits := []edit{remove(p)}
	change := "remove " + p.path
	if holder := p.parent; holder != nil && !p.inText && len(holder.children) == 1 {
		change += fmt.Sprintf(" and leave %s: %s", cmp.Or(holder.path, "the file"), emptyText(holder.node))
	}
	return attempt{place: cause, edits: edits, without: edits}.at(p, p.path, change)
}

// emptyText is a map or a list that has nothing left.
func emptyText(node *yaml.Node) string {
	if node.Kind == yaml.MappingNode {
		return "{}"
	}
	return "[]"
}

// try renders the app with edits.
func (s *search) try(ctx context.Context, edits ...edit) *rendering {
	if s.err == nil {
		var made *rendering
		if made, s.err = s.experiments.try(ctx, edits...); s.err == nil {
			return made
		}
	}
	return &rendering{err: s.err}
}

// base is the app without edits. That it does not render ends the search.
func (s *search) base(ctx context.Context) *rendering {
	base := s.try(ctx)
	if s.err == nil && base.err != nil {
		s.err = fmt.Errorf("render again: %w", base.err)
	}
	return base
}

// first is the first of some attempts, on top of other edits, whose rendering
// shows something; nil for none.
func (s *search) first(ctx context.Context, edits []edit, attempts []attempt, shows func(*rendering) bool) *attempt {
	for _, a := range attempts {
		if after := s.try(ctx, slices.Concat(edits, a.edits)...); after.err == nil && shows(after) {
			return &a
		}
	}
	return nil
}

// stage notes which attempts mend the finding, and reports whether one does.
func (s *search) stage(ctx context.Context, attempts []attempt) bool {
	before := len(s.mending)
	for _, a := range attempts {
		tried := a.place != nil && slices.ContainsFunc(s.mending, func(m attempt) bool { return m.place == a.place })
		if !tried && s.mends(ctx, s.try(ctx, a.edits...)) {
			s.mending = append(s.mending, a)
		}
	}
	return len(s.mending) > before
}

// findCauses looks for the causes of a finding about a workload: for what
// decides the container's entry, where the finding is about that, and for
// changes that mend it, stage by stage until one does.
func (s *search) findCauses(ctx context.Context) {
	if s.prepare(ctx); s.err != nil {
		return
	}
	misspelled := s.stage(ctx, s.lookAlikes())
	if !misspelled && s.isAboutEnv() {
		s.deciders = s.decider(ctx, nil)
	}
	switch {
	case s.finding.Code == "CNM005":
		_ = s.stage(ctx, s.commands()) || s.stage(ctx, s.wholePatches())
	case s.finding.Code == loading:
		_ = s.stage(ctx, s.loads()) || s.stage(ctx, s.wholePatches())
	case misspelled:
		s.stage(ctx, s.values())
	default:
		_ = s.stage(ctx, s.values()) || s.stage(ctx, s.entries()) || s.stage(ctx, s.definitions()) || s.stage(ctx, s.wholePatches())
	}
	if s.role == report.Controllers {
		s.bindings = s.bindingNames(ctx)
	}
	s.elsewhere(ctx)
	others := len(s.mending)
	s.stage(ctx, s.deciders)
	s.mending = slices.Concat(s.mending[others:], s.mending[:others])
	if len(s.bindings) > 0 {
		// Whether the container or its name is wrong is for people to say; to
		// make a control plane skip would mend the finding and nothing else.
		return
	}
	s.fix = s.bestFix(ctx)
	var without []edit
	switch {
	case len(s.deciders) > 0:
		without = s.deciders[len(s.deciders)-1].without
	case len(s.mending) > 0 && s.mending[0].place != nil && isValue(s.mending[0].place, s.envVar):
		without = takingAway(s.mending[0].place)
	}
	if without != nil {
		s.overridden = s.causesOf(s.chain(ctx, without))
	}
}

// prepare notes how things are before any change.
func (s *search) prepare(ctx context.Context) {
	base := s.base(ctx)
	if s.before = base.judge(ctx, s.container, s.evaluator); s.err == nil && (s.before == nil || count(s.before.Findings, s.finding) == 0) {
		s.err = errors.New("the finding does not come back when the app is rendered again")
		return
	}
	s.role = roleOf(s.before.Workloads, s.container)
	// The number of the entry that the finding's path leads into, or lastEntry.
	s.entry = slices.IndexFunc(s.container.declarations(base.objects, s.envVar), func(d declaration) bool {
		return d.path == s.finding.Path || strings.HasPrefix(s.finding.Path, d.path+".")
	})
	s.rendered = s.declaration(base)
	var names []string
	for _, o := range s.container.objects(base.objects) {
		walk(o.content, o.path, func(node any, path string) bool {
			if text, ok := node.(string); ok && path == asJoined(s.finding.Path) {
				s.offender = text
			}
			if text, ok := node.(string); ok && strings.HasPrefix(path, s.finding.Path+"[") && strings.HasSuffix(path, "].name") {
				names = append(names, text)
			}
			return true
		})
	}
	if s.finding.Code == "CNM001" {
		s.lookAlike, s.err = s.evaluator.Misspelling(ctx, names)
	}
}

// declaration is what the container's entry says in what is rendered.
func (s *search) declaration(r *rendering) declaration {
	return s.container.declaration(r.objects, s.envVar, s.entry)
}

// isAboutEnv reports whether the finding is about what the container's env says
// of the variable, by an entry or by none.
func (s *search) isAboutEnv() bool {
	if s.finding.Code == "CNM004" {
		return false // that there are two entries
	}
	return s.entry != lastEntry || !s.rendered.declared && strings.HasSuffix(s.finding.Path, ".env")
}

// elsewhere looks where nothing has a visible tie to the variable: at conditions
// in templates, and at templates themselves.
func (s *search) elsewhere(ctx context.Context) {
	found := len(s.mending) > 0 || s.batches(ctx, s.conditions(true))
	found = s.stage(ctx, s.overrides()) || found
	found = found || s.batches(ctx, s.conditions(false)) || len(s.deciders) > 0
	if found {
		return
	}
	mends := func(after *rendering) bool { return s.mends(ctx, after) }
	written := s.first(ctx, nil, s.variableLines(), mends)
	if written == nil {
		written = s.first(ctx, nil, s.memberLines(), mends)
	}
	if written == nil && s.entry == lastEntry {
		written = s.containerLine(ctx)
	}
	if written != nil {
		s.mending = append(s.mending, *written)
	}
}

// bindingNames are the names of other containers by which the workload is taken
// for controllers: without one, nothing would be wrong.
func (s *search) bindingNames(ctx context.Context) []*place {
	bound := func(judged *evaluate.Result, name string) bool {
		return binds(judged.Workloads, container{s.container.workload, s.container.namespace, name})
	}
	return slices.DeleteFunc(s.places(func(p *place) bool {
		return p.key == "name" && p.isScalar() && p.text() != s.container.name && p.parent.parent != nil &&
			holdsContainers(p.parent.parent.key) && bound(s.before, p.text())
	}), func(p *place) bool {
		after := s.try(ctx, set(p, "renamed")).judge(ctx, s.container, s.evaluator)
		return after == nil || bound(after, s.container.name)
	})
}

// precedence orders the layers: what wins comes first.
var precedence = []report.Layer{
	report.ApplicationLayer, report.Patch, report.Component, report.Replacement, report.KustomizationLayer, report.AdditionalValuesFile,
	report.InlineValues, report.ValuesFile, report.Resource, report.ChartValues,
}

// places lists the places for which keep holds, those of the layers that win
// first; places in the manifest of another workload are left out.
func (s *search) places(keep func(*place) bool) []*place {
	var kept []*place
	for _, source := range s.sources.all {
		for _, p := range source.places {
			if keep(p) && !s.isOfAnother(p) {
				kept = append(kept, p)
			}
		}
	}
	slices.SortStableFunc(kept, func(a, b *place) int {
		return slices.Index(precedence, a.layer) - slices.Index(precedence, b.layer)
	})
	return kept
}

// isOfAnother reports whether a place stands in the manifest of a workload that
// cannot be the container's, whatever prefix or suffix its name gets.
func (s *search) isOfAnother(p *place) bool {
	if p.layer != report.Resource {
		return false
	}
	top := p.top()
	name := top.member("metadata").scalarMember("name")
	return name != "" && !strings.Contains(s.container.workload, name) &&
		slices.ContainsFunc(top.source.places, func(p *place) bool { return holdsContainers(p.key) && p.under(top) })
}

// maxCauses bounds how many causes of one finding are reported.
const maxCauses = 5

// causes are what was found: what decides first, then what mends the finding; of
// that, values that an app sets before those of a chart.
func (s *search) causes() []report.Cause {
	var found []report.Cause
	for _, p := range s.bindings {
		found = append(found, s.causeAt(p))
	}
	var seen []*place
	for _, a := range slices.Concat(s.deciders, s.mending) {
		cause := s.causesOf([]attempt{a})[0]
		// What holds a cause is no other cause.
		holds := a.place != nil && slices.ContainsFunc(seen, func(p *place) bool { return p.under(a.place) })
		if !holds && !slices.Contains(found, cause) {
			seen, found = append(seen, a.place), append(found, cause)
		}
	}
	return found[:min(len(found), maxCauses)]
}

func (s *search) causesOf(attempts []attempt) []report.Cause {
	causes := []report.Cause{}
	for _, a := range attempts {
		if a.cause != nil {
			causes = append(causes, *a.cause)
		} else {
			causes = append(causes, s.causeAt(a.place))
		}
	}
	return causes
}

// causeAt is a place as the report shows it.
func (s *search) causeAt(p *place) report.Cause {
	return report.Cause{File: p.source.shown, Line: p.line, Column: p.column, Path: p.path, Value: short(s.shownValue(p)), Layer: p.layer}
}

// maxShown is how many characters of a value a report shows.
const maxShown = 80

func short(value string) string {
	if runes := []rune(value); len(runes) > maxShown {
		return string(runes[:maxShown]) + "…"
	}
	return value
}

// shownValue is the value of a place when it is that of the migrations variable
// or a switch, and never that of another variable.
func (s *search) shownValue(p *place) string {
	entry := p
	if p.scalarMember("name") == s.envVar && p.member("value") != nil && p.member("valueFrom") == nil {
		entry = p.member("value")
	}
	switch {
	case !entry.isScalar():
		return ""
	case isValue(entry, s.envVar), s.rendered.declared && entry.text() == s.rendered.value:
		if entry.isNull() {
			return "null"
		}
		return entry.text()
	case entry.node.ShortTag() == yaml.NodeTagBool:
		return entry.text()
	case s.finding.Code == "CNM005":
		_, cut := s.without(entry.text())
		return cut
	default:
		return ""
	}
}
