package appset_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/appset"
)

// TestFast: the Applications of four ApplicationSets in less than half a second.
// By themselves they take a tenth of that.
func TestFast(t *testing.T) {
	set, options := product(t)
	start := time.Now()
	made := 0
	for range 4 {
		made += generated(t, set, options)
	}
	took := time.Since(start)
	t.Logf("%d Applications of four ApplicationSets in %s", made, took.Round(time.Millisecond))
	if made < 76 {
		t.Errorf("%d Applications, want 76 at least", made)
	}
	if took > 500*time.Millisecond {
		t.Errorf("it took %s", took)
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
