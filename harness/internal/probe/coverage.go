package probe

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
)

// coverage is what the renderings of a chart have done so far.
type coverage struct {
	chart    *watch.Chart
	outcomes map[watch.Outcome]bool
	sides    map[int]map[string]bool // what a site did, wherever it was included
	origins  map[int]map[watch.Place]bool
	reads    map[watch.Place]map[int]bool
	places   map[watch.Place]bool
	used     map[watch.Place]bool // of all elements of a list, the first stands
}

func newCoverage(chart *watch.Chart) *coverage {
	return &coverage{
		chart: chart, outcomes: map[watch.Outcome]bool{}, sides: map[int]map[string]bool{},
		origins: map[int]map[watch.Place]bool{}, reads: map[watch.Place]map[int]bool{}, places: map[watch.Place]bool{},
		used: map[watch.Place]bool{},
	}
}

// maxSides bounds how many results of a look-up count.
const maxSides = 12

// fresh is what a rendering did that none had done before.
type fresh struct {
	outcomes map[watch.Outcome]bool
	sites    map[[2]int]bool // with the include in which they were
	printed  map[watch.Place]bool
	// used is true when something was done with a place for the first time.
	used bool
	// news is true when a site did something new, wherever it was included.
	news bool
}

// add adds what one rendering did, and returns what of it is new.
func (c *coverage) add(trace *watch.Trace) fresh {
	fresh := fresh{outcomes: map[watch.Outcome]bool{}, sites: map[[2]int]bool{}, printed: map[watch.Place]bool{}}
	var unseen []watch.Outcome
	for outcome := range trace.Outcomes {
		if !c.outcomes[outcome] {
			unseen = append(unseen, outcome)
		}
	}
	slices.SortFunc(unseen, func(a, b watch.Outcome) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Under, b.Under), cmp.Compare(a.What, b.What))
	})
	for _, outcome := range unseen {
		if strings.HasPrefix(outcome.What, "gives ") && len(c.sides[outcome.Site]) >= maxSides {
			continue
		}
		c.outcomes[outcome] = true
		fresh.outcomes[outcome] = true
		if place, ok := strings.CutPrefix(outcome.What, "prints "); ok {
			place, _, _ = strings.Cut(place, " in ")
			fresh.printed[watch.Place(place)] = true
		} else {
			fresh.sites[[2]int{outcome.Site, outcome.Under}] = true
		}
		if c.sides[outcome.Site] == nil {
			c.sides[outcome.Site] = map[string]bool{}
		}
		fresh.news = fresh.news || outcome.Site > 0 && outcome.Decides() && !c.sides[outcome.Site][outcome.What]
		c.sides[outcome.Site][outcome.What] = true
	}
	for use := range trace.Uses {
		if first := use.Place.First(); !c.used[first] {
			c.used[first], fresh.used = true, true
		}
	}
	if len(fresh.outcomes) == 0 {
		return fresh
	}
	note := func(site int, origins []watch.Origin) {
		if c.origins[site] == nil {
			c.origins[site] = map[watch.Place]bool{}
		}
		for _, origin := range origins {
			c.origins[site][origin.Place] = true
		}
	}
	for _, test := range trace.Tests {
		note(test.Site.ID, test.Origins)
	}
	for _, call := range trace.Calls {
		if call.Site.IsDecision() {
			for _, origins := range call.Origins {
				note(call.Site.ID, origins)
			}
		}
	}
	for place, sites := range trace.Reads {
		if place != "" && place.IsValue() && !slices.ContainsFunc(place.Keys(), isIndex) {
			c.places[place] = true
		}
		if c.reads[place] == nil {
			c.reads[place] = map[int]bool{}
		}
		for site := range sites {
			c.reads[place][site] = true
		}
	}
	return fresh
}

func isIndex(key string) bool {
	_, ok := watch.Index(key)
	return ok
}

// bothWays reports whether a branch was taken and not taken.
func (c *coverage) bothWays(site *watch.Site) bool {
	sides := c.sides[site.ID]
	return sides[watch.Taken] && sides[watch.NotTaken]
}

// opposite reports whether a site that gave a result has given the opposite, too:
// in the same include, or anywhere. It is true for a result that has none.
func (c *coverage) opposite(site *watch.Site, under int, result any, anywhere bool) bool {
	taken, isBool := result.(bool)
	if !isBool {
		return !site.IsDecision() || c.bothWays(site)
	}
	want := "true"
	switch {
	case site.Kind != watch.Call && taken:
		want = watch.NotTaken
	case site.Kind != watch.Call:
		want = watch.Taken
	case taken:
		want = "false"
	}
	if anywhere {
		return c.sides[site.ID][want]
	}
	return c.outcomes[watch.Outcome{Site: site.ID, Under: under, What: want}]
}

// inChart is the name of a file below the folder of the chart.
func inChart(name string) string {
	_, name, _ = strings.Cut(name, "/")
	return path.Clean(name)
}

// Coverage is which branches the search took of the templates that may have a part
// in a workload.
type Coverage struct {
	// Branches is how many there are, and Taken how many were taken and not taken.
	Branches int `json:"branches"`
	Taken    int `json:"taken"`
	// NotTaken are the others, in the order of files and lines.
	NotTaken []Branch `json:"notTaken"`
	// Templates are the same by file, sorted.
	Templates []TemplateCoverage `json:"templates"`
}

// TemplateCoverage is that of one file.
type TemplateCoverage struct {
	File     string `json:"file"`
	Branches int    `json:"branches"`
	Taken    int    `json:"taken"`
	// Lines are where branches are, with whether each was taken both ways.
	Lines []Line `json:"lines"`
	// Text is the file.
	Text string `json:"-"`
}

// Line is a line with branches.
type Line struct {
	Line  int  `json:"line"`
	Taken bool `json:"taken"`
}

// Branch is one that was not taken, or always.
type Branch struct {
	File string `json:"file"`
	Line int    `json:"line"`
	// Condition is what it goes by, as it stands in the template.
	Condition string `json:"condition"`
	// Always is true when it was taken and never not.
	Always bool   `json:"always"`
	Reason Reason `json:"reason"`
	// Explained is true when no value of the chart could take it.
	Explained bool `json:"explained"`
}

// Reason is why a branch was not taken both ways.
type Reason string

// The reasons.
const (
	NeedsCluster Reason = "needs the cluster (lookup)"
	NeedsRelease Reason = "a release property"
	IsConstant   Reason = "constant condition"
	IsPinned     Reason = "pinned"
	IsGuard      Reason = "the chart guard"
	NotReached   Reason = "not reached"
	NoValueFound Reason = "no value found"
)

// report is the coverage of a search.
func (s *search) report() Coverage {
	covered := Coverage{NotTaken: []Branch{}, Templates: []TemplateCoverage{}}
	for _, site := range s.watched.Decisions() {
		n := len(covered.Templates)
		if n == 0 || covered.Templates[n-1].File != site.File {
			covered.Templates = append(covered.Templates, TemplateCoverage{File: site.File, Text: s.watched.Text(site.File), Lines: []Line{}})
			n++
		}
		file := &covered.Templates[n-1]
		both := s.coverage.bothWays(site)
		covered.Branches++
		file.Branches++
		if last := len(file.Lines) - 1; last >= 0 && file.Lines[last].Line == site.Line {
			file.Lines[last].Taken = file.Lines[last].Taken && both
		} else {
			file.Lines = append(file.Lines, Line{site.Line, both})
		}
		if both {
			covered.Taken++
			file.Taken++
			continue
		}
		reason := s.reason(site, 0)
		covered.NotTaken = append(covered.NotTaken, Branch{
			File: site.File, Line: site.Line, Condition: site.Text, Always: s.coverage.sides[site.ID][watch.Taken], Reason: reason,
			Explained: reason != NotReached && reason != NoValueFound,
		})
	}
	return covered
}

// reason is why a branch was not taken both ways.
func (s *search) reason(site *watch.Site, depth int) Reason {
	if len(s.coverage.sides[site.ID]) == 0 {
		// What is around it was never taken: that tells why.
		if site.Within > 0 && depth < 50 {
			if around := s.watched.Site(site.Within); len(s.coverage.sides[around.ID]) < 2 {
				return s.reason(around, depth+1)
			}
		}
		for _, caller := range s.watched.Callers(site.Template) {
			if around := s.watched.Site(caller); depth < 50 && around.Within > 0 {
				if reason := s.reason(s.watched.Site(around.Within), depth+1); reason != NoValueFound {
					return reason
				}
			}
		}
		return NotReached
	}
	if s.watched.IsGuard(site) {
		return IsGuard
	}
	origins := s.coverage.origins[site.ID]
	values, pinned := 0, 0
	for place := range origins {
		if place == watch.Lookup {
			return NeedsCluster
		}
		if place.IsValue() {
			values++
			if s.pins(configuration{{path: s.global(place).Keys()}}) {
				pinned++
			}
		}
	}
	switch {
	case len(origins) == 0 && !strings.Contains(site.Text, ".Values"):
		return IsConstant
	case values == 0 && len(origins) > 0:
		return NeedsRelease
	case values == pinned && values > 0:
		return IsPinned
	}
	return NoValueFound
}
