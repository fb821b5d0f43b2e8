package probe

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/probe/probetest"
)

// inCases is how many configurations are enough for a hole behind a construct.
const inCases = 2000

// broken are the holes of a report, without what vanished.
func broken(r *Report) []Hole {
	var holes []Hole
	for _, chart := range r.Charts {
		for _, hole := range chart.Holes {
			if hole.Verdict != Vanished {
				holes = append(holes, hole)
			}
		}
	}
	return holes
}

// TestCases: of each chart with a hole behind a construct, the hole is found, and
// its twin has none.
func TestCases(t *testing.T) {
	t.Parallel()
	for _, c := range lane.Part(t, probetest.Cases(t), 30) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			chart, twin := c.Write(t)
			r, err := probeDefault(t.Context(), t, chart, Options{Budget: inCases, Jobs: 1})
			if err != nil {
				t.Fatal(err)
			}
			holes := broken(r)
			if !slices.ContainsFunc(holes, func(h Hole) bool { return string(h.Kind) == c.Kind }) {
				t.Errorf("no hole of kind %s in %d configurations (%s): %s; not taken: %+v", c.Kind, r.Summary.Configurations, r.Charts[0].Ended, shown(r), r.Charts[0].Coverage.NotTaken)
			}
			if r, err = probeDefault(t.Context(), t, twin, Options{Budget: inCases, Jobs: 1}); err != nil {
				if err == ErrNoControllers {
					return
				}
				t.Fatal(err)
			}
			if holes := broken(r); len(holes) > 0 {
				t.Errorf("the twin has holes: %s", shown(r))
			}
		})
	}
}

// TestRandomCharts: of random charts with a planted hole nearly all are found, and
// where one is not, the report does not say that all branches were taken.
func TestRandomCharts(t *testing.T) {
	t.Parallel()
	lane.Full(t)
	const charts = 300
	holes, missed := 0, []string{}
	for seed := range uint64(charts) {
		c := probetest.Random(seed)
		r, err := probeDefault(t.Context(), t, c.Write(t), Options{})
		if err == ErrNoControllers {
			r, err = &Report{Charts: []Chart{{}}}, nil
			r.Summary.Unexplained = 1
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		found := len(broken(r)) > 0
		switch {
		case c.Hole == nil && found:
			t.Errorf("seed %d has no hole: %s", seed, shown(r))
		case c.Hole != nil:
			holes++
			if !found {
				missed = append(missed, fmt.Sprintf("%d %v", seed, c.Functions))
				if r.Summary.Unexplained == 0 {
					t.Errorf("seed %d: a claim of full coverage, and the hole %v is not found", seed, c.Hole)
				}
			}
		}
	}
	t.Logf("%d of %d holes are missed:\n%s", len(missed), holes, strings.Join(missed, "\n"))
	if holes < 100 || 100*len(missed) > 3*holes {
		t.Errorf("%d of %d holes are missed", len(missed), holes)
	}
}
