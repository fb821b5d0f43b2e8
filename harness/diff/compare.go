package diff

import (
	"slices"

	"github.com/proompteng/nevermigrate/harness/report"
)

// newDiff compares the reports on pairs of targets. Both reports have the
// targets of the pairs in the order of the pairs, and then what concerns the
// run as a whole.
func newDiff(base Base, pairs []pair, baseReport, headReport *report.Report) *Diff {
	d := &Diff{Version: Version, Base: base, Targets: []Target{}, head: headReport}
	nextBase, nextHead := baseReport.Targets, headReport.Targets
	for _, p := range pairs {
		var b, h *report.Target
		if p.base != nil {
			b, nextBase = &nextBase[0], nextBase[1:]
		}
		if p.head != nil {
			h, nextHead = &nextHead[0], nextHead[1:]
		}
		target := compareTargets(b, h)
		d.Summary.addTarget(&target)
		d.Targets = append(d.Targets, target)
	}
	for i := range nextHead {
		var b *report.Target
		if j := slices.IndexFunc(nextBase, func(t report.Target) bool { return t.Path == nextHead[i].Path }); j >= 0 {
			b = &nextBase[j]
			nextBase = slices.Delete(slices.Clone(nextBase), j, j+1)
		}
		if b == nil {
			b = &report.Target{Path: nextHead[i].Path}
		}
		d.Targets = append(d.Targets, compareTargets(b, &nextHead[i]))
	}
	for i := range nextBase {
		target := compareTargets(&nextBase[i], &report.Target{Path: nextBase[i].Path})
		d.Targets = append(d.Targets, target)
	}
	for i := range d.Targets {
		findings := &d.Targets[i].Findings
		d.Summary.New.add(findings.New)
		d.Summary.Kept.add(findings.Kept)
		d.Summary.Fixed.add(findings.Fixed)
	}
	return d
}

func (s *Summary) addTarget(target *Target) {
	s.Targets++
	switch target.Change {
	case Added:
		s.Added++
	case Removed:
		s.Removed++
	case Moved:
		s.Moved++
	case Unchanged:
		s.Unchanged++
	default:
		s.Changed++
	}
	if target.Error != "" {
		s.Errors++
	}
	if target.BaseError != "" {
		s.BaseErrors++
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
	switch {
	case target.Error != "":
		// What it has become is not known, so nothing is said to be gone.
		target.Findings = compareFindings(nil, nil)
	case target.BaseError != "":
		target.Workloads = compareWorkloads(nil, head.Workloads, Unknown)
		target.Findings = compareFindings(nil, head.Findings)
	default:
		target.Workloads = compareWorkloads(base.Workloads, head.Workloads, Added)
		target.Findings = compareFindings(base.Findings, head.Findings)
		target.LostControllers = hasControllers(base.Workloads) && !hasControllers(head.Workloads)
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

func hasControllers(workloads []report.Workload) bool {
	return slices.ContainsFunc(workloads, func(w report.Workload) bool { return w.Role == report.Controllers })
}

// match pairs items by their keys, in order: the head's items each with its
// base item or nil, then the base's that are left, with nil.
func match[T any, K comparable](base, head []T, key func(T) K, each func(base, head *T)) {
	left := map[K][]int{}
	for i := range base {
		left[key(base[i])] = append(left[key(base[i])], i)
	}
	taken := make([]bool, len(base))
	for i := range head {
		k := key(head[i])
		if len(left[k]) == 0 {
			each(nil, &head[i])
			continue
		}
		j := left[k][0]
		left[k] = left[k][1:]
		taken[j] = true
		each(&base[j], &head[i])
	}
	for j := range base {
		if !taken[j] {
			each(&base[j], nil)
		}
	}
}

type workloadKey struct{ kind, namespace, name, constraint string }

// compareWorkloads compares by kind, namespace and name; onlyHead is the change
// of what has nothing to be compared with.
func compareWorkloads(base, head []report.Workload, onlyHead Change) []Workload {
	workloads := []Workload{}
	key := func(w report.Workload) workloadKey { return workloadKey{w.Kind, w.Namespace, w.Name, w.Constraint} }
	match(base, head, key, func(b, h *report.Workload) {
		one := h
		if h == nil {
			one = b
		}
		workload := Workload{Kind: one.Kind, Namespace: one.Namespace, Name: one.Name, Constraint: one.Constraint}
		var before, after []report.Container
		if b != nil {
			workload.Role.Base, before = &b.Role, b.Containers
		}
		if h != nil {
			workload.Role.Head, after = &h.Role, h.Containers
		}
		workload.Containers = compareContainers(before, after, onlyHead)
		workload.Change = changeOf(workload.Role, onlyHead)
		if workload.Change == Unchanged && slices.ContainsFunc(workload.Containers, func(c Container) bool { return c.Change != Unchanged }) {
			workload.Change = Changed
		}
		workloads = append(workloads, workload)
	})
	return workloads
}

type containerKey struct{ kind, name string }

func compareContainers(base, head []report.Container, onlyHead Change) []Container {
	containers := []Container{}
	key := func(c report.Container) containerKey { return containerKey{c.Type, c.Name} }
	match(base, head, key, func(b, h *report.Container) {
		var container Container
		if b != nil {
			container.Name, container.Type = b.Name, b.Type
			container.Mode.Base, container.Exempt.Base = &b.Mode, &b.Exempt
		}
		if h != nil {
			container.Name, container.Type = h.Name, h.Type
			container.Mode.Head, container.Exempt.Head = &h.Mode, &h.Exempt
		}
		container.Change = changeOf(container.Mode, onlyHead)
		if container.Change == Unchanged {
			container.Change = changeOf(container.Exempt, onlyHead)
		}
		containers = append(containers, container)
	})
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

// findingKey is what makes two findings one. Neither message nor place belong
// to it: they change with every entry that comes before.
type findingKey struct{ code, constraint, workload, namespace, container string }

func keyOf(f report.Finding) findingKey {
	return findingKey{f.Code, f.Constraint, f.Workload, f.Namespace, f.Container}
}

// compareFindings matches findings. Of several with one key as many are kept as
// the base side had, those at the same place first, and the rest is new.
func compareFindings(base, head []report.Finding) Findings {
	kept, fixed := make([]bool, len(head)), make([]bool, len(base))
	for j := range fixed {
		fixed[j] = true
	}
	keep := func(same func(b, h report.Finding) bool) {
		for i := range head {
			j := slices.IndexFunc(base, func(b report.Finding) bool { return same(b, head[i]) })
			for ; j >= 0 && j < len(base) && !kept[i]; j++ {
				if fixed[j] && same(base[j], head[i]) {
					kept[i], fixed[j] = true, false
				}
			}
		}
	}
	keep(func(b, h report.Finding) bool {
		return keyOf(b) == keyOf(h) && b.Path == h.Path && b.Message == h.Message
	})
	keep(func(b, h report.Finding) bool { return keyOf(b) == keyOf(h) })

	findings := Findings{New: []report.Finding{}, Kept: []report.Finding{}, Fixed: []report.Finding{}}
	for i, finding := range head {
		if kept[i] {
			findings.Kept = append(findings.Kept, finding)
		} else {
			findings.New = append(findings.New, finding)
		}
	}
	for j, finding := range base {
		if fixed[j] {
			findings.Fixed = append(findings.Fixed, finding)
		}
	}
	return findings
}
