package check_test

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/shard"
	"github.com/proompteng/nevermigrate/harness/report"
)

// TestTogetherAsAlone: many apps at once, on all cores, are judged as each is
// alone. With -race it also shows that they do not touch each other's memory.
func TestTogetherAsAlone(t *testing.T) {
	var paths []string
	var alone []report.Target
	most := lane.Rounds(t, 8, 24)
	for _, c := range loadCases(t) {
		if c.Manifest != "" || len(c.Constraints) > 0 || len(paths) == most {
			continue
		}
		paths = append(paths, c.Dir)
		options := check.Options{AllowAbsent: true}
		judged, err := check.AllOnce(t.Context(), []string{c.Dir}, options)
		if err != nil {
			t.Fatal(err)
		}
		alone = append(alone, judged.Targets...)
	}
	calls, last := 0, 0
	together, err := check.All(t.Context(), paths, check.Options{
		AllowAbsent: true,
		Progress: func(judged, targets int) {
			calls++
			if judged != last+1 || targets != len(paths) {
				t.Errorf("progress says %d of %d after %d of %d", judged, targets, last, len(paths))
			}
			last = judged
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(alone, together.Targets); diff != "" {
		t.Errorf("(-alone +together):\n%s", diff)
	}
	if calls != len(paths) {
		t.Errorf("progress was told %d times of %d targets", calls, len(paths))
	}
	var sharded []*report.Report
	for k := 1; k <= 3; k++ {
		part, err := check.All(t.Context(), paths, check.Options{AllowAbsent: true, Shard: shard.Shard{K: k, N: 3}})
		if err != nil {
			t.Fatal(err)
		}
		sharded = append(sharded, part)
	}
	merged, err := shard.Merge(t.Context(), sharded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(together, merged); diff != "" {
		t.Errorf("(-together +merged):\n%s", diff)
	}
}
