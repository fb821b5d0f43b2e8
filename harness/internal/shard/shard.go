// Package shard divides the targets of a run among machines, and merges their
// reports into the verdict on the whole.
package shard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"reflect"
	"slices"

	"github.com/proompteng/nevermigrate/harness/internal/exempt"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Shard is a part of the targets, for repositories that one machine cannot
// judge: the K-th of N. The zero value is all of them.
type Shard struct{ K, N int }

// Parse reads "K/N", with K from 1 to N.
func Parse(text string) (Shard, error) {
	var s Shard
	var rest string
	if n, _ := fmt.Sscanf(text, "%d/%d%s", &s.K, &s.N, &rest); n != 2 || s.K < 1 || s.K > s.N {
		return Shard{}, fmt.Errorf("shard %q is not K/N with K from 1 to N, such as 1/4", text)
	}
	return s, nil
}

// Has reports whether the target at a path belongs to the shard. That depends on the path
// alone, so that a new app does not move the others.
func (s Shard) Has(path string) bool {
	if s.N == 0 {
		return true
	}
	hash := fnv.New32a()
	hash.Write([]byte(path))
	return int(hash.Sum32()%uint32(s.N)) == s.K-1
}

// Merge joins the reports of all shards of one run into its verdict: targets in
// the order of their paths, counts and CNM007 over the whole. It is an error
// when a shard is missing, is there twice, or is of another run.
func Merge(ctx context.Context, reports []*report.Report) (*report.Report, error) {
	if len(reports) == 0 {
		return nil, errors.New("no report: name the JSON reports of all shards")
	}
	var judged []report.Target
	var baselines []*report.Baseline
	seen := map[int]bool{}
	mine, provenance := 0, reports[0].Provenance
	for i, r := range reports {
		if r.Version != report.Version {
			return nil, fmt.Errorf("report %d has version %d, and this program reads version %d", i+1, r.Version, report.Version)
		}
		if r.Shard == nil {
			return nil, fmt.Errorf("report %d is not of a shard: it was made without --shard", i+1)
		}
		first, shard := reports[0].Shard, r.Shard
		if shard.Count != first.Count || !slices.Equal(shard.Arguments, first.Arguments) ||
			shard.Targets != first.Targets || shard.AllowAbsent != first.AllowAbsent || !slices.Equal(shard.Constraints, first.Constraints) ||
			!reflect.DeepEqual(shard.Exempting, first.Exempting) {
			return nil, fmt.Errorf("report %d is of another run than report 1: run all shards with the same paths, flags and sources", i+1)
		}
		if by, ok := together(provenance, r.Provenance); ok {
			provenance = by
		} else {
			return nil, fmt.Errorf("report %d was not made as report 1 was: another program, policy, constraint, configuration, lock or commit: run all shards with the same", i+1)
		}
		if seen[shard.Index] {
			return nil, fmt.Errorf("shard %d/%d is there twice", shard.Index, shard.Count)
		}
		seen[shard.Index] = true
		judged = append(judged, r.Targets...)
		mine += r.Shard.Mine
		baselines = append(baselines, r.Baseline)
	}
	all := *reports[0].Shard
	for k := 1; k <= all.Count; k++ {
		if !seen[k] {
			return nil, fmt.Errorf("shard %d/%d is missing", k, all.Count)
		}
	}
	if mine != all.Targets || len(all.Constraints) == 0 {
		return nil, fmt.Errorf("the shards have %d targets together, and the run has %d", mine, all.Targets)
	}
	slices.SortFunc(judged, func(a, b report.Target) int {
		return cmp.Compare(a.Path, b.Path)
	})
	absent, err := stated.New(ctx).AbsentFromRun(ctx, judged, all)
	if err != nil {
		return nil, err
	}
	passing := exempt.ForMerge(all.Exempting, baselines)
	for _, targets := range [][]report.Target{judged, absent} {
		for i := range targets {
			passing.Apply(&targets[i], targets[i].Path)
		}
	}
	merged := report.New(judged, absent...)
	merged.Provenance = provenance
	merged.Summary.Cached = cachedOf(reports)
	passing.Finish(merged, nil)
	if c := coverageOf(reports); c != nil {
		merged.Cover(c)
	}
	return merged, nil
}

// cachedOf counts the targets of all shards whose verdicts were kept from before; nil when
// one of them keeps none.
func cachedOf(reports []*report.Report) *int {
	all := 0
	for _, r := range reports {
		if r.Summary.Cached == nil {
			return nil
		}
		all += *r.Summary.Cached
	}
	return &all
}

// together is the provenance of two reports, if it is the same. Only one that rendered a
// chart of the lock names that.
func together(a, b *report.Provenance) (*report.Provenance, bool) {
	if a == nil || b == nil || a.Lock != nil && b.Lock != nil {
		return a, reflect.DeepEqual(a, b)
	}
	both := *a
	both.Lock = cmp.Or(a.Lock, b.Lock)
	other := *b
	other.Lock = both.Lock
	return &both, reflect.DeepEqual(both, other)
}

// coverageOf joins the coverage of all shards: each has looked at all that is there.
func coverageOf(reports []*report.Report) *report.Coverage {
	if slices.ContainsFunc(reports, func(r *report.Report) bool { return r.Coverage == nil }) {
		return nil
	}
	all := *reports[0].Coverage
	all.NotJudged, all.Judged = slices.Clone(all.NotJudged), slices.Clone(all.Judged)
	for _, r := range reports[1:] {
		// A shard may have found that no Application that deploys something is judged.
		for _, j := range r.Coverage.Judged {
			if !slices.Contains(all.Judged, j) {
				all.Judged = append(all.Judged, j)
			}
		}
		for _, n := range r.Coverage.NotJudged {
			if !slices.Contains(all.NotJudged, n) {
				all.NotJudged = append(all.NotJudged, n)
			}
		}
	}
	// A shard may have found that something does not render by itself.
	all.Judged = slices.DeleteFunc(all.Judged, func(j report.Judged) bool {
		return slices.ContainsFunc(all.NotJudged, func(n report.NotJudged) bool { return n.Path == j.Path && n.Kind == j.Kind })
	})
	all.Read = slices.DeleteFunc(slices.Clone(all.Read), func(r report.Reading) bool {
		return slices.ContainsFunc(all.Judged, func(j report.Judged) bool { return j.Path == r.Path && j.Kind == r.Kind })
	})
	slices.SortStableFunc(all.NotJudged, func(a, b report.NotJudged) int { return cmp.Compare(a.Path, b.Path) })
	return &all
}
