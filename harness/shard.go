package harness

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Shard is a part of the targets, for repositories that one machine cannot
// judge: the K-th of N. The zero value is all of them.
type Shard struct{ K, N int }

// ParseShard reads "K/N", with K from 1 to N.
func ParseShard(text string) (Shard, error) {
	var s Shard
	var rest string
	if n, _ := fmt.Sscanf(text, "%d/%d%s", &s.K, &s.N, &rest); n != 2 || s.K < 1 || s.K > s.N {
		return Shard{}, fmt.Errorf("shard %q is not K/N with K from 1 to N, such as 1/4", text)
	}
	return s, nil
}

// has reports whether a target belongs to the shard. That depends on its path
// alone, so that a new app does not move the others.
func (s Shard) has(target Target) bool {
	if s.N == 0 {
		return true
	}
	hash := fnv.New32a()
	hash.Write([]byte(target.Path))
	return int(hash.Sum32()%uint32(s.N)) == s.K-1
}

// whole says what is judged over all targets together.
func whole(targets []Target, evaluators []*evaluate.Evaluator, options Options) report.Shard {
	shard := report.Shard{
		Index: options.Shard.K, Count: options.Shard.N, Targets: len(targets),
		AllowAbsent: options.AllowAbsent, Arguments: []string{},
	}
	for _, target := range targets {
		argument := displayPath(target.argument)
		if !target.required && !slices.Contains(shard.Arguments, argument) {
			shard.Arguments = append(shard.Arguments, argument)
		}
	}
	for _, evaluator := range evaluators {
		shard.Constraints = append(shard.Constraints, constraintOf(evaluator))
	}
	return shard
}

func constraintOf(evaluator *evaluate.Evaluator) report.ShardConstraint {
	c := report.ShardConstraint{Name: evaluator.ConstraintName(), Enforcement: evaluator.EnforcementAction()}
	if evaluator.Constraint() != nil {
		c.File = displayPath(evaluator.Constraint().File)
	}
	return c
}

// absentEverywhere is CNM007 over all targets: a folder in which no app has
// controllers, a manifest without any, and a constraint that bound nothing
// while others did. Targets that must have controllers by themselves speak for
// themselves. It adds to the findings of a manifest, and returns what concerns
// no target that was judged.
func absentEverywhere(judged []report.Target, all report.Shard) []report.Target {
	if slices.ContainsFunc(judged, func(t report.Target) bool { return t.Error != "" }) {
		// The missing controllers may be in what could not be judged, and the
		// exit status says already that nothing is proven.
		return nil
	}
	if all.AllowAbsent {
		return nil
	}
	if all.Targets == 0 {
		return []report.Target{{Path: ".", Findings: []report.Finding{absentFinding(all.Constraints[0],
			"There is no app and no manifest, so the check says nothing about controllers.")}}}
	}
	var extra []report.Target
	if !slices.ContainsFunc(judged, func(t report.Target) bool { return hasControllers(t.Workloads) }) {
		for _, argument := range all.Arguments {
			finding := absentFinding(all.Constraints[0], "No controllers workload was found anywhere, so the check says nothing about controllers.")
			i := slices.IndexFunc(judged, func(t report.Target) bool { return t.Path == argument })
			if i < 0 {
				extra = append(extra, report.Target{Path: argument, Findings: []report.Finding{finding}})
				continue
			}
			doubtful := slices.IndexFunc(judged[i].Findings, func(f report.Finding) bool { return f.Code == CodeFallback })
			if doubtful < 0 {
				doubtful = len(judged[i].Findings)
			}
			judged[i].Findings = slices.Insert(judged[i].Findings, doubtful, finding)
		}
		return extra
	}
	for _, c := range all.Constraints {
		bound := slices.ContainsFunc(judged, func(t report.Target) bool {
			return slices.ContainsFunc(t.Workloads, func(w report.Workload) bool {
				return w.Role == report.Controllers && w.Constraint == c.Name
			})
		})
		if !bound {
			extra = append(extra, report.Target{Path: c.File, Findings: []report.Finding{
				absentFinding(c, "The constraint binds no controllers workload of any target, so it checks nothing.")}})
		}
	}
	return extra
}

// Merge joins the reports of all shards of one run into its verdict: targets in
// the order of their paths, counts and CNM007 over the whole. It is an error
// when a shard is missing, is there twice, or is of another run.
func Merge(reports []*report.Report) (*report.Report, error) {
	if len(reports) == 0 {
		return nil, errors.New("no report: name the JSON reports of all shards")
	}
	var judged []report.Target
	seen := map[int]bool{}
	for i, r := range reports {
		if r.Version != report.Version {
			return nil, fmt.Errorf("report %d has version %d, and this program reads version %d", i+1, r.Version, report.Version)
		}
		if r.Shard == nil {
			return nil, fmt.Errorf("report %d is not of a shard: it was made without --shard", i+1)
		}
		first, shard := reports[0].Shard, r.Shard
		if shard.Count != first.Count || !slices.Equal(shard.Arguments, first.Arguments) ||
			shard.Targets != first.Targets || shard.AllowAbsent != first.AllowAbsent || !slices.Equal(shard.Constraints, first.Constraints) {
			return nil, fmt.Errorf("report %d is of another run than report 1: run all shards with the same paths, flags and sources", i+1)
		}
		if seen[shard.Index] {
			return nil, fmt.Errorf("shard %d/%d is there twice", shard.Index, shard.Count)
		}
		seen[shard.Index] = true
		judged = append(judged, r.Targets...)
	}
	all := *reports[0].Shard
	for k := 1; k <= all.Count; k++ {
		if !seen[k] {
			return nil, fmt.Errorf("shard %d/%d is missing", k, all.Count)
		}
	}
	if len(judged) != all.Targets || len(all.Constraints) == 0 {
		return nil, fmt.Errorf("the shards have %d targets together, and the run has %d", len(judged), all.Targets)
	}
	slices.SortFunc(judged, func(a, b report.Target) int {
		return cmp.Compare(a.Path, b.Path)
	})
	return report.New(judged, absentEverywhere(judged, all)...), nil
}
