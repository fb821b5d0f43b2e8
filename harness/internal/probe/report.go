package probe

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
	"github.com/proompteng/nevermigrate/harness/report"
)

// reportVersion is that of the JSON report.
const reportVersion = 2

// Report is what was found in a target.
type Report struct {
	Version int     `json:"version"`
	Target  string  `json:"target"`
	Seed    uint64  `json:"seed"`
	Budget  int     `json:"budget"`
	Charts  []Chart `json:"charts"`
	// Gone are the holes of the baseline that were not found any more.
	Gone    []string `json:"gone"`
	Summary Summary  `json:"summary"`
}

// NoControllers is the base of a chart that writes no controllers workload.
const NoControllers Verdict = "no controllers"

// Chart is what was found in one chart.
type Chart struct {
	Folder    string `json:"folder"`
	Name      string `json:"name"`
	Release   string `json:"release"`
	Namespace string `json:"namespace"`
	// Base is the verdict on what is given, with nothing set over it. Unless it
	// is harmless, nothing was set.
	Base Verdict `json:"base"`
	// Places is how many places of the values the templates read.
	Places int `json:"places"`
	// Ended is why the search ended; empty when there was none.
	Ended string `json:"ended"`
	// Coverage is which branches the search took.
	Coverage Coverage `json:"coverage"`
	// Counts are the configurations that were tried, by verdict.
	Counts Counts `json:"configurations"`
	// Holes are distinct, the escaped ones first and what vanished last.
	Holes []Hole `json:"holes"`
}

// Counts are numbers of configurations by verdict.
type Counts struct {
	Refused  int `json:"refused"`
	Harmless int `json:"harmless"`
	Hole     int `json:"hole"`
	Escaped  int `json:"escaped"`
	Vanished int `json:"vanished"`
}

func (c *Counts) add(v Verdict) {
	switch v {
	case Refused:
		c.Refused++
	case Harmless:
		c.Harmless++
	case Migrates:
		c.Hole++
	case Escaped:
		c.Escaped++
	case Vanished:
		c.Vanished++
	}
}

// Total is how many configurations there are.
func (c Counts) Total() int { return c.Refused + c.Harmless + c.Hole + c.Escaped + c.Vanished }

// Hole is a way to configure a chart so that controllers migrate, or so that
// the contract binds them no more: some paths that are set, and the template
// that then writes what breaks the contract.
type Hole struct {
	// ID is the same as long as the paths, the template, the workload and the
	// container are.
	ID      string  `json:"id"`
	Verdict Verdict `json:"verdict"`
	// Kind is what is changed.
	Kind Kind `json:"kind"`
	// Known is true when the baseline has it.
	Known bool     `json:"known"`
	Codes []string `json:"codes"`
	// Paths are set together. None: it is so without anything being set.
	Paths []string `json:"paths"`
	// Arguments are helm's, for a shell.
	Arguments string `json:"arguments"`
	// Values are the same as a values file.
	Values string `json:"values"`
	// Configurations is how many of those that were tried show it.
	Configurations int `json:"configurations"`
	// Template is the one that writes the workload, below the chart's name.
	Template string `json:"template"`
	// Read are the places, file:line below the chart's folder, at which templates
	// read the paths.
	Read      []string `json:"read"`
	Workload  string   `json:"workload"`
	Namespace string   `json:"namespace"`
	Container string   `json:"container"`
	// Mode is what the service would make of it by the kubelet's rules, whatever
	// the policy says; empty for what vanished.
	Mode    mode.Mode `json:"mode"`
	Message string    `json:"message"`
	// Entry is what is rendered: the container, as far as it is the contract's
	// business.
	Entry string `json:"entry"`
	// Unconfirmed is why it is not so when the chart is rendered as an app; empty
	// when it is.
	Unconfirmed string `json:"unconfirmed,omitempty"`
}

// Kind is what must change for a hole.
type Kind string

// The kinds of hole: some values, or what the templates are told of the release, or
// of the cluster.
const (
	OfValues  Kind = "values"
	OfRelease Kind = "release"
	OfCluster Kind = "capabilities"
)

// Summary counts the holes of all charts.
type Summary struct {
	Charts         int `json:"charts"`
	Configurations int `json:"configurations"`
	// Holes are those that are not known.
	Holes       int `json:"holes"`
	Known       int `json:"known"`
	Escaped     int `json:"escaped"`
	Vanished    int `json:"vanished"`
	Unconfirmed int `json:"unconfirmed"`
	// Branches is how many there are, Taken how many were taken both ways, and
	// Unexplained how many others there are that some value might take.
	Branches    int `json:"branches"`
	Taken       int `json:"taken"`
	Unexplained int `json:"unexplained"`
}

func (s *subject) newHole(g *group, reads map[watch.Place]map[int]bool) Hole {
	h := Hole{
		ID: g.id(), Verdict: g.verdict, Codes: append([]string{}, g.codes...), Paths: append([]string{}, g.paths...),
		Configurations: g.count, Template: g.file, Read: s.reads(reads, g.best), Kind: g.best.kind(), Arguments: g.best.arguments(),
	}
	if len(g.best) > 0 {
		h.Values = g.best.snippet()
	}
	if g.verdict == Vanished {
		h.Message = "The template writes no workload any more that the contract binds."
		return h
	}
	i := slices.IndexFunc(g.judged.findings, func(f *finding) bool { return (g.verdict == Escaped) == (len(f.codes) == 0) })
	f := g.judged.findings[max(0, i)]
	h.Workload, h.Namespace, h.Container, h.Mode, h.Entry = f.workload, f.namespace, f.container, f.mode, f.entry
	h.Message = cmp.Or(f.message, fmt.Sprintf("The policy passes, and %s.", f.reason))
	return h
}

// reads are the lines of the templates that read what a configuration sets, or
// what lies above it.
func (s *subject) reads(reads map[watch.Place]map[int]bool, c configuration) []string {
	lines := []string{}
	for _, change := range c {
		for n := len(change.path); n > 0; n-- {
			sites := reads[watch.PlaceOf(change.path[:n]...)]
			for site := range sites {
				if read := s.watched.Site(site); read.File != "" {
					lines = append(lines, fmt.Sprintf("%s:%d", read.File, read.Line))
				}
			}
			if len(sites) > 0 {
				break
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// finish compares with the baseline and counts.
func (r *Report) finish(known []string) {
	found := map[string]bool{}
	r.Summary.Charts = len(r.Charts)
	for i := range r.Charts {
		chart := &r.Charts[i]
		r.Summary.Configurations += chart.Counts.Total()
		r.Summary.Branches += chart.Coverage.Branches
		r.Summary.Taken += chart.Coverage.Taken
		for _, branch := range chart.Coverage.NotTaken {
			if !branch.Explained {
				r.Summary.Unexplained++
			}
		}
		for h := range chart.Holes {
			hole := &chart.Holes[h]
			if len(r.Charts) > 1 {
				hole.ID = chart.Release + ": " + hole.ID
			}
			if hole.Unconfirmed != "" {
				r.Summary.Unconfirmed++
			}
			switch hole.Verdict {
			case Escaped:
				r.Summary.Escaped++
			case Vanished:
				r.Summary.Vanished++
			default:
				found[hole.ID] = true
				if hole.Known = slices.Contains(known, hole.ID); hole.Known {
					r.Summary.Known++
				} else {
					r.Summary.Holes++
				}
			}
		}
	}
	for _, id := range known {
		if !found[id] {
			r.Gone = append(r.Gone, id)
		}
	}
	slices.Sort(r.Gone)
}

// ExitStatus is that of the command: report.ExitHolds when no configuration
// makes controllers migrate but those that are known, report.ExitBroken when one
// does, and report.ExitUndecided when one escapes the policy or is not confirmed,
// when the base itself is a hole that the baseline has, or, where all branches are
// required, when one was not taken that some value might take.
func (r *Report) ExitStatus(requireCoverage bool) int {
	base := slices.ContainsFunc(r.Charts, func(c Chart) bool {
		return c.Base == Migrates && !slices.ContainsFunc(c.Holes, func(h Hole) bool { return !h.Known })
	})
	switch {
	case r.Summary.Escaped > 0 || r.Summary.Unconfirmed > 0 || base:
		return report.ExitUndecided
	case r.Summary.Holes > 0:
		return report.ExitBroken
	case requireCoverage && r.Summary.Unexplained > 0:
		return report.ExitUndecided
	default:
		return report.ExitHolds
	}
}
