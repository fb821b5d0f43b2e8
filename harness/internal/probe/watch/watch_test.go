package watch

import (
	"io"
	"log"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/render"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // Helm's remarks on values
	os.Exit(m.Run())
}

func openChart(t testing.TB, folder string) (*render.Chart, *Chart) {
	t.Helper()
	chart, err := render.OpenChart(folder, "", "default", render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	watched, err := New(t.Context(), chart, nil, Everything)
	if err != nil {
		t.Fatal(err)
	}
	return chart, watched
}

// TestSameOutput: what is watched writes what it would write unwatched.
func TestSameOutput(t *testing.T) {
	charts, err := filepath.Glob("../../../../fixtures/charts/*/Chart.yaml")
	more, _ := filepath.Glob("../../../../fixtures/charts/variants/*/Chart.yaml")
	if charts = append(charts, more...); err != nil || len(charts) < 10 {
		t.Fatalf("%d charts: %v", len(charts), err)
	}
	for _, file := range charts {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			chart, watched := openChart(t, filepath.Dir(file))
			for _, values := range []map[string]any{nil, {"controllersMigrationsGuard": "off"}} {
				want, wantErr := chart.Template(t.Context(), values)
				got, trace, err := watched.Template(t.Context(), values, render.Told{})
				if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) {
					t.Errorf("%v, %v (-plain +watched):\n%s", wantErr, err, diff)
				}
				if len(trace.Calls) == 0 && err == nil {
					t.Error("nothing was seen")
				}
			}
		})
	}
}

func BenchmarkTemplate(b *testing.B) {
	chart, watched := openChart(b, "../../../../fixtures/charts/agents")
	values := map[string]any{"controllersMigrationsGuard": "off"}
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			_, _ = chart.Template(b.Context(), values)
		}
	})
	some, err := New(b.Context(), chart, []string{"agents/templates/deployment-controllers.yaml"}, Nothing)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("some", func(b *testing.B) {
		for b.Loop() {
			_, _, _ = some.Template(b.Context(), nil, render.Told{})
		}
	})
	b.Run("watched", func(b *testing.B) {
		for b.Loop() {
			_, _, _ = watched.Template(b.Context(), values, render.Told{})
		}
	})
}
