package appset_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/appset"
)

// TestFast: the Applications of four ApplicationSets in less than half a second,
// at the best of some tries: other tests run beside it. By themselves they take a
// tenth of that.
func TestFast(t *testing.T) {
	set, options := product(t)
	best := time.Hour
	for range 5 {
		start := time.Now()
		made := 0
		for range 4 {
			made += generated(t, set, options)
		}
		best = min(best, time.Since(start))
		if made < 76 {
			t.Errorf("%d Applications, want 76 at least", made)
		}
	}
	t.Logf("the Applications of four ApplicationSets take %s", best.Round(time.Millisecond))
	if best > 500*time.Millisecond {
		t.Errorf("they take %s", best)
	}
}

// BenchmarkGenerate makes the Applications of one ApplicationSet.
func BenchmarkGenerate(b *testing.B) {
	set, options := product(b)
	for b.Loop() {
		generated(b, set, options)
	}
}

func product(t testing.TB) (appset.Set, appset.Options) {
	return parse(t, readCase(t, filepath.Join(casesDir, "product")))
}

func generated(t testing.TB, set appset.Set, options appset.Options) int {
	t.Helper()
	result, err := appset.Generate(context.Background(), set, options)
	if err != nil {
		t.Fatal(err)
	}
	return len(result.Applications)
}
