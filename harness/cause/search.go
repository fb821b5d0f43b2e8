package cause

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/report"
)

// search looks for the causes of one finding about one workload.
type search struct {
	lab       *lab
	sources   *sources
	evaluator *evaluate.Evaluator
	finding   *report.Finding
	envVar    string
	skip      string // the plain skip value

	before   *judged
	rendered declaration
	offender string // the rendered text at the finding's path
	hits     []hit
	// binding are the names by which the workload is taken for controllers.
	binding []*place
	// measure tells what a change did to the finding.
	measure func(context.Context, *world) (effect, error)
}

// attempt is one experiment: edits, and in words what they do.
type attempt struct {
	place  *place // the cause, if the finding changes
	edits  []edit
	change string
	fixAt  *place
	path   string // of the fix
	// noFix says that the change shows a cause and mends nothing.
	noFix bool
}

// hit is an attempt that changed the finding.
type hit struct {
	attempt
	effect effect
	needed bool // see decisive
}

func setting(p *place, value string) attempt {
	return attempt{place: p, edits: []edit{set(p, value)}, change: fmt.Sprintf("set %s to %q", p.path, value), fixAt: p, path: p.path}
}

func removal(cause, p *place) attempt {
	return attempt{place: cause, edits: []edit{remove(p)}, change: "remove " + p.path, fixAt: p, path: p.path}
}

// run makes the experiments of each stage until the finding goes away.
func (s *search) run(ctx context.Context) error {
	base, err := s.lab.render(ctx, nil)
	if err != nil {
		return err
	}
	if s.before, err = s.lab.judge(ctx, s.evaluator, base, s.finding.Workload, s.finding.Namespace); err != nil {
		return err
	}
	if s.before == nil || count(s.before.findings, s.finding, samePlace) == 0 {
		return errors.New("the finding does not come back when the app is rendered again")
	}
	object, _ := base.object(s.finding.Workload, s.finding.Namespace)
	s.rendered = declared(object.Content, s.finding.Container, s.envVar)
	s.offender, _ = textAt(object.Content, s.finding.Path)

	stages := []func() []attempt{s.values, s.entries, s.equalValues, s.definitions, s.wholePatches}
	if s.finding.Code == "CNM005" {
		stages = []func() []attempt{s.commands, s.wholePatches}
	}
	for _, stage := range stages {
		done, err := s.stage(ctx, stage())
		if err != nil {
			return err
		}
		if done {
			break
		}
	}
	if err := s.decisive(ctx); err != nil {
		return err
	}
	if err := s.copied(ctx); err != nil {
		return err
	}
	return s.bound(ctx)
}

// copied adds the replacement that carries a value of another object into the
// container.
func (s *search) copied(ctx context.Context) error {
	if len(s.hits) == 0 || s.hits[0].layer() != report.Resource || isValue(s.hits[0].place, s.envVar) {
		return nil
	}
	_, err := s.stage(ctx, slices.DeleteFunc(s.wholePatches(), func(a attempt) bool { return a.place.layer != report.Replacement }))
	return err
}

// bound looks for the name of another container by which the workload is taken
// for controllers: without it, nothing would be wrong.
func (s *search) bound(ctx context.Context) error {
	for _, p := range s.places(func(p *place) bool {
		return p.key == "name" && p.isScalar() && p.text() != s.finding.Container && p.parent.parent != nil &&
			strings.HasSuffix(strings.ToLower(p.parent.parent.key), "containers") && s.hasContainer(p.text())
	}) {
		after, err := s.lab.try(ctx, set(p, "renamed"))
		if err != nil {
			return err
		}
		if after.err != nil {
			continue
		}
		judged, err := s.lab.judge(ctx, s.evaluator, after, s.finding.Workload, s.finding.Namespace)
		if err != nil {
			return err
		}
		if judged != nil && !binds(judged.workloads, s.finding) {
			s.binding = append(s.binding, p)
		}
	}
	return nil
}

func (s *search) hasContainer(name string) bool {
	return binds(s.before.workloads, &report.Finding{Workload: s.finding.Workload, Namespace: s.finding.Namespace, Container: name})
}

// decisive puts first, of several values each of which mends the finding when
// it says skip, those without which the finding would be another. A null that
// deletes nothing is not among them.
func (s *search) decisive(ctx context.Context) error {
	if len(s.hits) < 2 || s.finding.Code == "CNM001" {
		return nil
	}
	for i, h := range s.hits {
		if !isValue(h.place, s.envVar) {
			continue
		}
		effect, err := s.effect(ctx, []edit{remove(removable(h.place))})
		if err != nil {
			return err
		}
		s.hits[i].needed = effect != nothing
	}
	slices.SortStableFunc(s.hits, func(a, b hit) int {
		switch {
		case a.needed == b.needed:
			return 0
		case a.needed:
			return -1
		default:
			return 1
		}
	})
	return nil
}

// stage makes experiments, and reports whether one made the finding go away.
func (s *search) stage(ctx context.Context, attempts []attempt) (bool, error) {
	done := false
	for _, a := range attempts {
		if slices.ContainsFunc(s.hits, func(h hit) bool { return h.place == a.place && h.effect == gone }) {
			continue // by an earlier attempt
		}
		effect, err := s.effect(ctx, a.edits)
		if err != nil {
			return false, err
		}
		if effect == nothing {
			continue
		}
		s.hits = append(s.hits, hit{attempt: a, effect: effect})
		done = done || effect == gone
	}
	return done, nil
}

func (s *search) effect(ctx context.Context, edits []edit) (effect, error) {
	after, err := s.lab.try(ctx, edits...)
	if err != nil {
		return nothing, err
	}
	return s.measure(ctx, after)
}

// onWorkload is the measure for a finding about a workload.
func (s *search) onWorkload(ctx context.Context, after *world) (effect, error) {
	if after.err != nil {
		return nothing, nil
	}
	judged, err := s.lab.judge(ctx, s.evaluator, after, s.finding.Workload, s.finding.Namespace)
	if err != nil {
		return nothing, err
	}
	return effectOn(s.finding, s.before, judged), nil
}

// precedence orders the layers: what wins comes first.
var precedence = []report.Layer{
	report.Patch, report.Component, report.Replacement, report.KustomizationLayer, report.AdditionalValuesFile,
	report.InlineValues, report.ValuesFile, report.Resource, report.ChartValues,
}

// places lists the places for which keep holds, those of the layers that win
// first; places in the manifest of another workload are left out.
func (s *search) places(keep func(*place) bool) []*place {
	var kept []*place
	for _, source := range s.sources.all {
		for _, p := range source.places {
			if keep(p) && !s.ofAnother(p) {
				kept = append(kept, p)
			}
		}
	}
	slices.SortStableFunc(kept, func(a, b *place) int {
		return slices.Index(precedence, a.layer) - slices.Index(precedence, b.layer)
	})
	return kept
}

// ofAnother reports whether a place stands in the manifest of a workload that
// cannot be the finding's, whatever prefix or suffix its name gets.
func (s *search) ofAnother(p *place) bool {
	if p.layer != report.Resource {
		return false
	}
	top := p
	for top.parent != nil {
		top = top.parent
	}
	kind, name, _ := strings.Cut(s.finding.Workload, "/")
	ownKind, ownName := top.scalarMember("kind"), top.member("metadata").scalarMember("name")
	switch {
	case ownKind == "" || ownName == "" || strings.HasSuffix(ownKind, "List"):
		return false
	case ownKind == kind:
		return !strings.Contains(name, ownName)
	default:
		return slices.Contains(workloadKinds, ownKind)
	}
}

// isValue reports whether a place is the value that a map or a list of entries
// gives to a variable.
func isValue(p *place, envVar string) bool {
	if !p.isScalar() {
		return false
	}
	if p.key == envVar {
		return true
	}
	if p.key != "value" || p.parent == nil {
		return false
	}
	if p.parent.scalarMember("name") == envVar {
		return true
	}
	target := p.parent.scalarMember("path") // of a JSON patch
	return p.parent.member("op") != nil && strings.Contains(target, "/env/") && strings.HasSuffix(target, "/value")
}

// values is the first stage: what gives the variable a value.
func (s *search) values() []attempt {
	attempts := s.lookAlikes()
	for _, p := range s.places(func(p *place) bool { return isValue(p, s.envVar) }) {
		if s.finding.Code == "CNM004" {
			attempts = append(attempts, s.removals(entryOf(p))...)
		} else {
			attempts = append(attempts, setting(p, s.skip))
		}
	}
	return attempts
}

// lookAlikes are names that could be the variable's, misspelled.
func (s *search) lookAlikes() []attempt {
	if s.finding.Code != "CNM001" {
		return nil
	}
	var attempts []attempt
	for _, p := range s.places(func(p *place) bool { return p.key != "" && p.key != s.envVar && alike(p.key, s.envVar) && p.isScalar() }) {
		attempts = append(attempts, attempt{place: p, edits: []edit{rename(p, s.envVar)},
			change: fmt.Sprintf("rename %s to %s", p.path, s.envVar), fixAt: p, path: p.path})
	}
	for _, p := range s.places(func(p *place) bool {
		return p.key == "name" && p.isScalar() && p.text() != s.envVar && alike(p.text(), s.envVar)
	}) {
		attempts = append(attempts, setting(p, s.envVar))
	}
	return attempts
}

// alike reports whether a name could be the variable's, misspelled: the same
// but for its case and one or two letters.
func alike(name, envVar string) bool {
	a, b := strings.ToUpper(name), strings.ToUpper(envVar)
	return a == b || len(a) > 4 && (strings.HasPrefix(b, a) || strings.HasPrefix(a, b)) && max(len(a)-len(b), len(b)-len(a)) <= 2 ||
		len(a) > 4 && strings.ReplaceAll(a, "-", "_") == b
}

// entryOf is the list item that a value belongs to (in a JSON patch, the
// operation), or the map member itself.
func entryOf(p *place) *place {
	for at := p.parent; at != nil && p.key == "value"; at = at.parent {
		if at.member("op") != nil {
			return at
		}
		if at.key != "value" {
			break
		}
	}
	if p.key == "value" && p.parent != nil && p.parent.key == "" && p.parent.parent != nil {
		return p.parent
	}
	return p
}

// removals removes a place and, because what is left may be empty and mean
// something else, what holds it.
func (s *search) removals(p *place) []attempt {
	var attempts []attempt
	for at := p; at != nil && at.parent != nil && len(attempts) < 8; at = at.parent {
		if at.steps[len(at.steps)-1].nested {
			continue // the document in a text: the text is removed with what holds it
		}
		if nestedPattern.MatchString(at.path) && at.key == "patch" {
			continue
		}
		attempts = append(attempts, removal(p, at))
		siblings := len(at.parent.children)
		if siblings > 1 && !s.onlyNamed(at) {
			break
		}
	}
	return attempts
}

// onlyNamed reports whether what remains beside a place only says where it
// belongs: the name of a container, or the head of a patch.
func (s *search) onlyNamed(at *place) bool {
	for _, sibling := range at.parent.children {
		switch sibling.key {
		case "name", "apiVersion", "kind", "metadata", "target", "options", "op", "path":
		default:
			if sibling != at {
				return false
			}
		}
	}
	return at.key != ""
}

// entries is the second stage: whole entries and operations about the variable.
func (s *search) entries() []attempt {
	var attempts []attempt
	for _, p := range s.places(func(p *place) bool { return p.scalarMember("name") == s.envVar }) {
		from := p.member("valueFrom")
		switch {
		case from != nil && s.finding.Code != "CNM001":
			attempts = append(attempts, attempt{place: from, edits: []edit{remove(from), add(p, []string{"value"}, stringNode(s.skip))},
				change: fmt.Sprintf("replace %s by value: %q", from.path, s.skip), fixAt: from, path: from.path})
		case p.member("value") == nil && len(p.children) == 1:
			attempts = append(attempts, attempt{place: p, edits: []edit{add(p, []string{"value"}, stringNode(s.skip))},
				change: fmt.Sprintf("add %s.value: %q", p.path, s.skip), fixAt: p, path: p.path + ".value"})
		default:
			attempts = append(attempts, s.removals(p)...)
		}
	}
	for _, p := range s.places(func(p *place) bool {
		return p.member("op") != nil && (strings.Contains(p.scalarMember("path"), "/env") || mentions(p, s.envVar))
	}) {
		attempts = append(attempts, s.removals(p)...)
	}
	return attempts
}

// mentions reports whether a text stands anywhere below a place.
func mentions(p *place, text string) bool {
	if strings.Contains(p.key, text) || p.isScalar() && strings.Contains(p.text(), text) {
		return true
	}
	return slices.ContainsFunc(p.children, func(c *place) bool { return mentions(c, text) })
}

// equalValues is the third stage: values that are the rendered one, wherever
// they stand.
func (s *search) equalValues() []attempt {
	if !s.rendered.declared || !s.rendered.literal || s.rendered.value == "" || s.finding.Code == "CNM004" {
		return nil
	}
	var attempts []attempt
	for _, p := range s.places(func(p *place) bool {
		return p.isScalar() && p.text() == s.rendered.value && !isValue(p, s.envVar)
	}) {
		attempts = append(attempts, setting(p, s.skip))
	}
	return attempts
}

// definitions are containers that are written out in values or manifests and
// lack the variable.
func (s *search) definitions() []attempt {
	if s.finding.Code != "CNM001" {
		return nil
	}
	var attempts []attempt
	for _, p := range s.places(func(p *place) bool {
		return p.layer != report.Patch && p.layer != report.Component && s.finding.Container != "" &&
			p.scalarMember("name") == s.finding.Container && p.parent != nil && strings.HasSuffix(strings.ToLower(p.parent.key), "containers")
	}) {
		at := p
		if env := p.member("env"); env != nil {
			at = env
		}
		attempts = append(attempts, attempt{place: at, edits: []edit{add(p, []string{"env"}, entryNode(s.envVar, s.skip))},
			change: fmt.Sprintf("add {name: %s, value: %q} to %s.env", s.envVar, s.skip, p.path), fixAt: at, path: p.path + ".env"})
	}
	return attempts
}

// wholePatches takes away each patch and each replacement, whatever it says.
func (s *search) wholePatches() []attempt {
	var attempts []attempt
	for _, p := range s.places(func(p *place) bool {
		return p.source.kustomization && p.parent != nil && p.key == "" && slices.Contains(patchLists, p.parent.path)
	}) {
		for i, a := range s.removals(p) {
			if i < 2 {
				attempts = append(attempts, a)
			}
		}
	}
	return attempts
}

var patchLists = []string{"patches", "patchesJson6902", "patchesStrategicMerge", "replacements", "transformers"}
