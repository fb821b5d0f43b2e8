package probetest

import "testing"

func TestCases(t *testing.T) {
	p := policy(t)
	for _, c := range Cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			chart, twin := c.Write(t)
			for what, dir := range map[string]string{"chart": chart, "twin": twin} {
				if j := judge(t, p, dir, Settings{}); j.refused != nil || len(j.denied) > 0 {
					t.Errorf("the %s by itself: %v, denied %q; want a chart that renders and keeps the contract", what, j.refused, j.denied)
				}
			}
			if j := judge(t, p, chart, c.Hole); len(j.denied) == 0 {
				t.Errorf("the chart with the values of the hole: %v, %d controllers workloads, none denied", j.refused, j.controllers)
			}
			if j := judge(t, p, twin, c.Hole); len(j.denied) > 0 {
				t.Errorf("the twin with the values of the hole: denied %q", j.denied)
			}
		})
	}
}
