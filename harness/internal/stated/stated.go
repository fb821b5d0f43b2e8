// Package stated holds the rules that judge more than one object: those of a
// whole target and of a whole run, and of the files that a target is made of. They
// cannot stand in the policy, which sees one object at a time. Their words are the
// catalogue's all the same.
package stated

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/report"
)

// The codes of these rules.
const (
	// Absent: no controllers workload where one is required.
	Absent = "CNM007"
	// Weaker: a change makes the contract weaker.
	Weaker = "CNM008"
	// Fallback: nobody applies migrations.
	Fallback = "CNM103"
	// Twice: one map of an app's files sets the variable more than once.
	Twice = "CNM106"
	// Live: what runs may differ from what Git says.
	Live = "CNM107"
)

// HasControllers reports whether the contract binds one of some workloads.
func HasControllers(workloads []report.Workload) bool {
	return slices.ContainsFunc(workloads, func(w report.Workload) bool { return w.Role == report.Controllers })
}

// Rules are the rules, with the words of the catalogue in this binary. They are
// safe for concurrent use.
type Rules struct {
	catalogue func() (*catalogue.Catalogue, error)
}

// New makes the rules. The catalogue is read when a rule finds something.
func New(ctx context.Context) *Rules {
	return &Rules{sync.OnceValues(func() (*catalogue.Catalogue, error) { return catalogue.BuiltIn(ctx) })}
}

// Fallback is what the rule finds in the workloads of one target under one of
// the constraints that they were judged by: one finding or none.
func (r *Rules) Fallback(ctx context.Context, c report.ShardConstraint, workloads []report.Workload) ([]report.Finding, error) {
	if !NobodyMigrates(c.Name, workloads) {
		return nil, nil
	}
	finding, err := r.finding(ctx, c, Fallback, "nobody", nil)
	return []report.Finding{finding}, err
}

// AllExempt is what the rule finds in a target in which a constraint exempts the
// images of every controllers workload: one finding or none. It takes the
// workloads of the target and those, as kind and name, that the constraint exempts.
func (r *Rules) AllExempt(ctx context.Context, c report.ShardConstraint, workloads []report.Workload, exempted []string) ([]report.Finding, error) {
	if Binds(c, workloads) || len(exempted) == 0 {
		return nil, nil
	}
	finding, err := r.finding(ctx, c, Absent, "all_exempt", map[string]any{"workloads": strings.Join(exempted, ", ")})
	return []report.Finding{finding}, err
}

// Twice is what the rule finds in the maps of an app's files that set the variable
// of a constraint more than once: a finding for each, with the places as its causes,
// the one that is taken first.
func (r *Rules) Twice(ctx context.Context, c report.ShardConstraint, variable string, maps [][]report.Cause) ([]report.Finding, error) {
	var findings []report.Finding
	for _, places := range maps {
		var values []string
		for _, place := range slices.SortedStableFunc(slices.Values(places), func(a, b report.Cause) int { return a.Line - b.Line }) {
			value := ""
			if place.Value != "" {
				value = " " + strconv.Quote(place.Value)
			}
			values = append(values, fmt.Sprintf("line %d%s", place.Line, value))
		}
		finding, err := r.finding(ctx, c, Twice, "twice", map[string]any{
			"file": path.Base(places[0].File), "variable": variable, "count": len(places), "values": strings.Join(values, ", "), "taken": places[0].Line,
		})
		if err != nil {
			return nil, err
		}
		finding.Causes = places
		findings = append(findings, finding)
	}
	return findings, nil
}

// Live is what the rule finds in an Application with controllers under a constraint that
// leaves something as it is in the cluster: what it says, and the place where it says
// so, whose path is the field.
func (r *Rules) Live(ctx context.Context, c report.ShardConstraint, application, what string, place report.Cause) (report.Finding, error) {
	finding, err := r.finding(ctx, c, Live, "live", map[string]any{"field": place.Path, "name": application, "what": what})
	finding.Causes = []report.Cause{place}
	return finding, err
}

// Weaker is what the rule finds in a change that makes the contract weaker, by what
// that takes away.
func (r *Rules) Weaker(ctx context.Context, what string) (report.Finding, error) {
	return r.finding(ctx, report.ShardConstraint{Enforcement: "deny"}, Weaker, "taken", map[string]any{"what": what})
}

// AbsentFromTarget is what the rule finds in a target that must have controllers
// and has none.
func (r *Rules) AbsentFromTarget(ctx context.Context, c report.ShardConstraint) (report.Finding, error) {
	return r.finding(ctx, c, Absent, "in_target", nil)
}

// NobodyMigrates holds when other workloads than controllers declare the variable
// of a constraint, by its name, and none of them applies migrations. An unknown mode may be
// auto, and is no reason to warn.
func NobodyMigrates(constraint string, workloads []report.Workload) bool {
	declared := false
	for _, workload := range workloads {
		if workload.Role != report.ControlPlane || workload.Constraint != constraint {
			continue
		}
		for _, container := range workload.Containers {
			if container.Mode != report.Skip {
				return false
			}
			declared = true
		}
	}
	return declared
}

// AbsentFromRun is Absent over all targets of a run: a folder in which no app has
// controllers, a manifest without any, and a constraint that bound nothing while
// others did. Targets that must have controllers by themselves speak for
// themselves. It adds to the findings of a manifest, and returns what concerns no
// target that was judged.
func (r *Rules) AbsentFromRun(ctx context.Context, judged []report.Target, run report.Shard) ([]report.Target, error) {
	// The missing controllers may be in what could not be judged, and the exit
	// status says already that nothing is proven.
	undecided := slices.ContainsFunc(judged, func(t report.Target) bool { return t.Error != "" })
	if undecided || run.AllowAbsent {
		return nil, nil
	}
	var besides []report.Target
	add := func(path string, c report.ShardConstraint, says string) error {
		i := slices.IndexFunc(judged, func(t report.Target) bool { return t.Path == path })
		if i >= 0 && (slices.ContainsFunc(judged[i].Findings, func(f report.Finding) bool { return f.Code == Absent }) ||
			slices.ContainsFunc(judged[i].Exempted, func(e report.Exempted) bool { return e.Code == Absent })) {
			return nil
		}
		finding, err := r.finding(ctx, c, Absent, says, nil)
		if err != nil {
			return err
		}
		if i >= 0 && says == "anywhere" {
			judged[i].Findings = beforeWarning(judged[i].Findings, finding)
		} else {
			besides = append(besides, report.Target{Path: path, Findings: []report.Finding{finding}})
		}
		return nil
	}
	switch {
	case run.Targets == 0:
		return besides, add(".", run.Constraints[0], "nothing_to_judge")
	case !slices.ContainsFunc(judged, func(t report.Target) bool { return HasControllers(t.Workloads) }):
		for _, argument := range run.Arguments {
			if err := add(argument, run.Constraints[0], "anywhere"); err != nil {
				return nil, err
			}
		}
		return besides, nil
	}
	for _, c := range run.Constraints {
		if !binds(c, judged) {
			if err := add(c.File, c, "of_constraint"); err != nil {
				return nil, err
			}
		}
	}
	return besides, nil
}

// beforeWarning puts a finding before Fallback, Twice and Live, which come last.
func beforeWarning(findings []report.Finding, finding report.Finding) []report.Finding {
	i := slices.IndexFunc(findings, func(f report.Finding) bool { return f.Code == Fallback || f.Code == Twice || f.Code == Live })
	if i < 0 {
		i = len(findings)
	}
	return slices.Insert(findings, i, finding)
}

// binds reports whether a constraint binds a workload of one of some targets.
func binds(c report.ShardConstraint, targets []report.Target) bool {
	return slices.ContainsFunc(targets, func(t report.Target) bool { return Binds(c, t.Workloads) })
}

// Binds reports whether a constraint binds one of some workloads.
func Binds(c report.ShardConstraint, workloads []report.Workload) bool {
	return slices.ContainsFunc(workloads, func(w report.Workload) bool {
		return w.Role == report.Controllers && w.Constraint == c.Name
	})
}

// finding is one of a code, as a form of the catalogue says it with arguments, under
// the enforcement of a constraint.
func (r *Rules) finding(ctx context.Context, c report.ShardConstraint, code, form string, arguments map[string]any) (report.Finding, error) {
	known, err := r.catalogue()
	if err != nil {
		return report.Finding{}, err
	}
	finding, err := known.Finding(ctx, code, []string{form}, arguments)
	if err != nil {
		return report.Finding{}, err
	}
	finding.Constraint = c.Name
	if c.Enforcement != "deny" {
		finding.Severity, finding.Enforcement = report.Warn, c.Enforcement
	}
	return finding, nil
}
