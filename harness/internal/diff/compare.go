package diff

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/same"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Known is what is known of two reports beside what they say.
type Known struct {
	// Base is what the base's report is of, and HeadFile where the head's is from,
	// if that is a file.
	Base     Base
	HeadFile string
	// Moved are the paths of targets on the head side by those on the base side,
	// where they differ.
	Moved map[string]string
	// WorkDir is what paths are relative to, as seen from the top of the
	// repository. Targets are ordered by their paths from there.
	WorkDir string
}

// headPath is the path on the head side of what has a path on the base side.
func (k Known) headPath(path string) string { return cmp.Or(k.Moved[path], path) }

func (k Known) order(a, b string) int {
	return cmp.Compare(path.Join(k.WorkDir, a), path.Join(k.WorkDir, b))
}

// Compare compares the report on the base side with that on the head side.
// Targets are the same when they have the same path, or moved as it is known.
func Compare(base, head *report.Report, known Known) *Diff {
	d := &Diff{Version: Version, Base: known.Base, HeadFile: known.HeadFile, Provenance: head.Provenance, Targets: []Target{}, head: head}
	kinds := Sides[map[string]string]{Base: kindsOf(base), Head: kindsOf(head)}
	compare := func(pair Sides[report.Target], headNew *[]report.Target) {
		compared := compareTargets(pair.Base, pair.Head)
		if pair.Base != nil && pair.Head != nil {
			compared.Kind = changedKind((*kinds.Base)[pair.Base.Path], (*kinds.Head)[pair.Head.Path])
		}
		d.Targets = append(d.Targets, compared)
		if pair.Head != nil && pair.Head.Status != "" {
			target := *pair.Head
			target.Findings = compared.Findings.New
			*headNew = append(*headNew, target)
		}
	}
	baseJudged, baseWholeRun := split(base)
	headJudged, headWholeRun := split(head)
	var lost []report.Target
	for _, t := range baseJudged {
		path := known.headPath(t.Path)
		if slices.ContainsFunc(headJudged, func(o report.Target) bool { return o.Path == path }) {
			continue
		}
		if one := lostIn(head, path); one != nil {
			lost = append(lost, *one)
		}
	}
	if len(lost) > 0 {
		headJudged = slices.Concat(headJudged, lost)
		head = head.With(headJudged, headWholeRun...)
		headJudged, headWholeRun = split(head)
		d.head = head
	}
	var judgedNew, wholeRunNew []report.Target
	headPath := func(t report.Target) string { return known.headPath(t.Path) }
	for _, pair := range match(baseJudged, headJudged, headPath) {
		compare(pair, &judgedNew)
	}
	slices.SortStableFunc(d.Targets, func(a, b Target) int { return known.order(a.Path, b.Path) })
	d.Summary.countTargets(d.Targets)
	for _, pair := range match(baseWholeRun, headWholeRun, headPath) {
		// A run that says nothing of a path says that nothing is wrong there.
		silent := &report.Target{Path: cmp.Or(pair.Head, pair.Base).Path}
		compare(Sides[report.Target]{Base: cmp.Or(pair.Base, silent), Head: cmp.Or(pair.Head, silent)}, &wholeRunNew)
	}
	d.Summary.countFindings(d.Targets)
	if d.Summary.Cached = head.Summary.Cached; d.Summary.Cached != nil {
		d.Summary.Head = head.Summary.Targets
	}
	d.headNew = head.With(judgedNew, wholeRunNew...)
	if base.Coverage != nil && head.Coverage != nil {
		d.NotJudged = compareNotJudged(base.Coverage.NotJudged, head.Coverage.NotJudged, known)
		covered := *head.Coverage
		covered.NotJudged = d.NotJudged.New
		d.headNew.Cover(&covered)
	}
	return d
}

// kindsOf are the kinds of the targets of a report by their paths.
func kindsOf(r *report.Report) *map[string]string {
	kinds := map[string]string{}
	if r.Coverage != nil {
		for _, j := range r.Coverage.Judged {
			if j.Kind != string(find.Missing) {
				kinds[j.Path] = j.Kind
			}
		}
	}
	return &kinds
}

// changedKind is a kind on both sides, when both are known and differ.
func changedKind(base, head string) *Sides[string] {
	if base == "" || head == "" || base == head {
		return nil
	}
	return &Sides[string]{Base: &base, Head: &head}
}

// compareNotJudged compares by path and kind. What may be bound only now is new.
func compareNotJudged(base, head []report.NotJudged, known Known) *NotJudged {
	compared := &NotJudged{New: []report.NotJudged{}, Kept: []report.NotJudged{}, Gone: []report.NotJudged{}}
	key := func(n report.NotJudged) [3]string { return [3]string{known.headPath(n.Path), n.Kind, n.Reason} }
	for _, pair := range match(base, head, key) {
		switch {
		case pair.Head == nil:
			compared.Gone = append(compared.Gone, *pair.Base)
		case pair.Base == nil || pair.Head.Undecided() && !pair.Base.Undecided():
			compared.New = append(compared.New, *pair.Head)
		default:
			compared.Kept = append(compared.Kept, *pair.Head)
		}
	}
	return compared
}

// lostIn is the target that a report does not judge any more though it is there: it
// says that it is not judged, or that something else reads it.
func lostIn(head *report.Report, path string) *report.Target {
	if head.Coverage == nil {
		return nil
	}
	for _, n := range head.Coverage.NotJudged {
		if n.Excluded == "" && isInPlaceOf(n.Path, path) {
			return &report.Target{Path: path, Status: report.Error, Error: fmt.Sprintf("no longer judged: there is a %s now: %s", n.Kind, n.Reason)}
		}
	}
	for _, r := range head.Coverage.Read {
		if r.Path == path {
			return &report.Target{Path: path, Status: report.Error, Error: fmt.Sprintf("no longer judged by itself: %s reads it; name it in the run that makes the report, to judge it too", strings.Join(r.By, ", "))}
		}
	}
	return nil
}

// split splits the targets of a report into those that were judged and those
// that concern the run as a whole.
func split(r *report.Report) (judged, wholeRun []report.Target) {
	judgedCount := min(r.Summary.Targets, len(r.Targets))
	return r.Targets[:judgedCount], r.Targets[judgedCount:]
}

func (s *Summary) countTargets(targets []Target) {
	s.Targets = len(targets)
	of := map[Change]*int{Added: &s.Added, Removed: &s.Removed, Moved: &s.Moved, Changed: &s.Changed, Unchanged: &s.Unchanged}
	for _, t := range targets {
		*of[t.Change]++
		if t.Error != "" {
			s.Errors++
		}
		if t.BaseError != "" {
			s.BaseErrors++
		}
	}
}

func (s *Summary) countFindings(targets []Target) {
	for _, t := range targets {
		s.New.add(t.Findings.New)
		s.Kept.add(t.Findings.Kept)
		s.Fixed.add(t.Findings.Fixed)
		s.Exempted += len(t.Exempted)
	}
}

// compareTargets compares a target on both sides; one may be nil.
func compareTargets(base, head *report.Target) Target {
	target := Target{Workloads: []Workload{}}
	if base == nil {
		base = &report.Target{}
		target.Change = Added
	}
	if head == nil {
		head = &report.Target{Path: base.Path}
		target.Change = Removed
	}
	target.Path, target.Status, target.Error, target.BaseError = head.Path, head.Status, head.Error, base.Error
	target.Exempted = head.Exempted
	switch {
	case target.Error != "":
		// What it has become is not known, so nothing is said to be gone.
		target.Findings = compareFindings(nil, nil, nil)
	case target.BaseError != "":
		target.Workloads = compareWorkloads(nil, head.Workloads, Unknown)
		target.Findings = compareFindings(nil, head.Findings, nil)
	default:
		target.Workloads = compareWorkloads(base.Workloads, head.Workloads, Added)
		target.Findings = compareFindings(base.Findings, head.Findings, head.Exempted)
		target.LostControllers = stated.HasControllers(base.Workloads) && !stated.HasControllers(head.Workloads)
	}
	if target.Change == "" {
		target.Change = target.change(base.Path)
	}
	return target
}

// change is the change of a target that is on both sides.
func (t *Target) change(basePath string) Change {
	if basePath != t.Path {
		t.BasePath = basePath
		return Moved
	}
	changed := slices.ContainsFunc(t.Workloads, func(w Workload) bool { return w.Change != Unchanged })
	if changed || t.Error != "" || t.BaseError != "" || len(t.Findings.New)+len(t.Findings.Fixed) > 0 {
		return Changed
	}
	return Unchanged
}

// match pairs items by their keys, in order: the head's items each with its base
// item if there is one, then the base's that are left.
func match[T any, K comparable](base, head []T, key func(T) K) []Sides[T] {
	unmatched := map[K][]*T{}
	for i := range base {
		k := key(base[i])
		unmatched[k] = append(unmatched[k], &base[i])
	}
	var pairs []Sides[T]
	matched := map[*T]bool{}
	for i := range head {
		pair := Sides[T]{Head: &head[i]}
		if k := key(head[i]); len(unmatched[k]) > 0 {
			pair.Base, unmatched[k] = unmatched[k][0], unmatched[k][1:]
			matched[pair.Base] = true
		}
		pairs = append(pairs, pair)
	}
	for i := range base {
		if !matched[&base[i]] {
			pairs = append(pairs, Sides[T]{Base: &base[i]})
		}
	}
	return pairs
}

// onBoth is a part of something on both sides.
func onBoth[T, P any](whole Sides[T], get func(*T) *P) Sides[P] {
	var parts Sides[P]
	if whole.Base != nil {
		parts.Base = get(whole.Base)
	}
	if whole.Head != nil {
		parts.Head = get(whole.Head)
	}
	return parts
}

// compareWorkloads compares by kind, namespace and name; onlyHead is the change
// of what has nothing to be compared with.
func compareWorkloads(base, head []report.Workload, onlyHead Change) []Workload {
	workloads := []Workload{}
	key := func(w report.Workload) [4]string { return [4]string{w.Kind, w.Namespace, w.Name, w.Constraint} }
	for _, pair := range match(base, head, key) {
		one := cmp.Or(pair.Head, pair.Base)
		workload := Workload{Kind: one.Kind, Namespace: one.Namespace, Name: one.Name, Constraint: one.Constraint}
		workload.Role = onBoth(pair, func(w *report.Workload) *report.Role { return &w.Role })
		workload.Change = changeOf(workload.Role, onlyHead)
		none := &report.Workload{}
		workload.Containers = compareContainers(cmp.Or(pair.Base, none).Containers, cmp.Or(pair.Head, none).Containers, onlyHead)
		if workload.Change == Unchanged && slices.ContainsFunc(workload.Containers, func(c Container) bool { return c.Change != Unchanged }) {
			workload.Change = Changed
		}
		workloads = append(workloads, workload)
	}
	return workloads
}

func compareContainers(base, head []report.Container, onlyHead Change) []Container {
	containers := []Container{}
	for _, pair := range match(base, head, func(c report.Container) [2]string { return [2]string{c.Type, c.Name} }) {
		one := cmp.Or(pair.Head, pair.Base)
		container := Container{Name: one.Name, Type: one.Type}
		container.Mode = onBoth(pair, func(c *report.Container) *report.Mode { return &c.Mode })
		container.Exempt = onBoth(pair, func(c *report.Container) *bool { return &c.Exempt })
		if container.Change = changeOf(container.Mode, onlyHead); container.Change == Unchanged {
			container.Change = changeOf(container.Exempt, onlyHead)
		}
		containers = append(containers, container)
	}
	return containers
}

func changeOf[T comparable](sides Sides[T], onlyHead Change) Change {
	switch {
	case sides.Base == nil:
		return onlyHead
	case sides.Head == nil:
		return Removed
	case *sides.Base != *sides.Head:
		return Changed
	default:
		return Unchanged
	}
}

// compareFindings compares findings. What the head side exempts is not fixed.
func compareFindings(base, head []report.Finding, exempted []report.Exempted) Findings {
	findings := Findings{New: []report.Finding{}, Kept: []report.Finding{}, Fixed: []report.Finding{}}
	kept := same.Findings(base, head)
	for i := range head {
		if kept[&head[i]] {
			findings.Kept = append(findings.Kept, head[i])
		} else {
			findings.New = append(findings.New, head[i])
		}
	}
	var gone, passing []report.Finding
	for i := range base {
		if !kept[&base[i]] {
			gone = append(gone, base[i])
		}
	}
	for _, e := range exempted {
		passing = append(passing, e.Finding)
	}
	stillThere := same.Findings(gone, passing)
	for i := range gone {
		if !stillThere[&gone[i]] {
			findings.Fixed = append(findings.Fixed, gone[i])
		}
	}
	return findings
}
