package probetest

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const seeds = 300

func TestRandom(t *testing.T) {
	holes, off, functions := 0, 0, map[string]int{}
	for seed := range uint64(seeds) {
		c := Random(seed)
		dir := c.Write(t)
		byDefault := judge(t, dir, Settings{})
		if byDefault.refused != nil || len(byDefault.denied) > 0 {
			t.Errorf("seed %d %q by itself: %v, denied %q", seed, c.Functions, byDefault.refused, byDefault.denied)
		}
		if byDefault.controllers == 0 {
			off++
		}
		if c.Hole == nil {
			if j := judge(t, dir, Settings{Values: c.wanted}); len(j.denied) > 0 {
				t.Errorf("seed %d %q has no hole, and with %v: denied %q", seed, c.Functions, c.wanted, j.denied)
			}
		} else {
			holes++
			for _, function := range c.Functions {
				functions[function]++
			}
			if j := judge(t, dir, Settings{Values: c.Hole}); len(j.denied) == 0 {
				t.Errorf("seed %d %q with the hole %v: %v, %d controllers workloads, none denied", seed, c.Functions, c.Hole, j.refused, j.controllers)
			}
		}
	}
	if holes < 180 || holes > 220 || off < 30 {
		t.Errorf("of %d charts %d have a hole and %d have their controllers off; want about two of three, and 30 or more", seeds, holes, off)
	}
	t.Logf("of %d charts %d have a hole, %d have their controllers off: %v", seeds, holes, off, functions)
	for _, c := range conditions {
		if functions[c.function] == 0 {
			t.Errorf("no chart of %d has a hole behind %q", seeds, c.function)
		}
	}
	if len(functions) < len(conditions)+len(nestings) {
		t.Errorf("only %q", slices.Sorted(maps.Keys(functions)))
	}
}

func TestRandomIsTheSameForASeed(t *testing.T) {
	for seed := range uint64(50) {
		if diff := cmp.Diff(Random(seed), Random(seed), cmp.AllowUnexported(Chart{})); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
	}
}
