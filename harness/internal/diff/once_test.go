package diff

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
)

// TestJudgedOnce: what reads the same on both sides is judged once, and what does not
// twice; with verdicts of before, what is known is not judged at all.
func TestJudgedOnce(t *testing.T) {
	r := newRepository(t)
	t.Chdir(r.Dir)
	r.WriteFiles(start)
	r.Replace("apps/plain/pod.yaml", "skip", "auto") // it has a finding on both sides
	r.Commit("main")
	dir := filepath.Join(t.TempDir(), "verdicts")
	for _, test := range []struct {
		what, edit string
		// once are the targets that are not judged on the base side, and kept those of
		// both that are known from a run before.
		once, kept int
	}{
		{"nothing", "", 3, 6},
		{"a values file", "-- apps/agents/values.yaml --\nreplicas: 9\n", 2, 5},
		{"a file that nobody reads", "-- apps/agents/notes.txt --\nx\n", 2, 6},
		{"a values file of another app", "-- apps/workers/values.yaml --\nmigrations: auto\n", 1, 4},
		{"the chart of both", "-- charts/service/values.yaml --\nmigrations: skip\nx: 1\n", 1, 4},
	} {
		r.WriteFiles(test.edit)
		for _, newOnly := range []bool{false, true} {
			verdicts, err := check.NewVerdicts("")
			r.Must(err)
			options := Options{Base: "main", CausesOfNew: newOnly, Check: check.Options{Verdicts: verdicts}}
			got, err := Run(t.Context(), []string{"."}, options)
			r.Must(err)
			options.twice = true
			want, err := Run(t.Context(), []string{"."}, options)
			r.Must(err)
			if diff := cmp.Diff(asJSON(t, want), asJSON(t, got)); diff != "" {
				t.Errorf("%s, new only %v (-judged twice +judged once):\n%s", test.what, newOnly, diff)
			}
			if want := test.once; test.what != "a file that nobody reads" && verdicts.Reused() != want {
				t.Errorf("%s, new only %v: %d were not judged on the base side, want %d", test.what, newOnly, verdicts.Reused(), want)
			}
		}
		before, err := check.NewVerdicts(dir)
		r.Must(err)
		_, err = Run(t.Context(), []string{"."}, Options{Base: "main", Check: check.Options{Verdicts: before}})
		r.Must(err)
		r.Must(before.Close())
		again, err := check.NewVerdicts(dir)
		r.Must(err)
		got, err := Run(t.Context(), []string{"."}, Options{Base: "main", Check: check.Options{Verdicts: again}})
		r.Must(err)
		if again.Reused() != 6 || got.Summary.Cached == nil || *got.Summary.Cached != 3 || got.Summary.Head != 3 {
			t.Errorf("%s, a second time: %d of both sides were not judged, want 6; %+v", test.what, again.Reused(), got.Summary)
		}
		r.validate(got)
	}
}

func asJSON(t *testing.T, d *Diff) string {
	t.Helper()
	var text bytes.Buffer
	if err := d.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestRandomChanges: after each of many edits of the working tree the diff is the one that
// judges everything on both sides.
func TestRandomChanges(t *testing.T) {
	edits := lane.Rounds(t, 12, 300)
	r := newRepository(t)
	t.Chdir(r.Dir)
	r.WriteFiles(start)
	r.Commit("main")
	random := rand.New(rand.NewPCG(7, 15))
	files := []string{
		"charts/service/values.yaml", "charts/service/templates/pod.yaml", "apps/agents/kustomization.yaml", "apps/agents/values.yaml",
		"apps/workers/kustomization.yaml", "apps/workers/values.yaml", "apps/plain/kustomization.yaml", "apps/plain/pod.yaml",
		"apps/plain/values.yaml", "apps/new/kustomization.yaml", "apps/new/pod.yaml", "charts/service/values.schema.json",
	}
	reused := 0
	for i := range edits {
		file := filepath.FromSlash(files[random.IntN(len(files))])
		text, _ := os.ReadFile(file)
		switch random.IntN(6) {
		case 0:
			_ = os.Remove(file)
		case 1:
			text = []byte(strings.ReplaceAll(string(text), "skip", "auto"))
		case 2:
			text = []byte(strings.ReplaceAll(string(text), "auto", "skip"))
		case 3:
			text = append(text, "# x\n"...)
		case 4:
			text, _ = os.ReadFile(filepath.FromSlash(files[random.IntN(len(files))]))
		case 5:
			text = []byte("migrations: auto\n")
		}
		if len(text) > 0 {
			r.Must(os.MkdirAll(filepath.Dir(file), 0o755))
			r.Must(os.WriteFile(file, text, 0o600))
		}
		verdicts, err := check.NewVerdicts("")
		r.Must(err)
		options := Options{Base: "main", CausesOfNew: random.IntN(2) == 0, Check: check.Options{Verdicts: verdicts, WithoutCauses: random.IntN(4) > 0}}
		texts := [2]string{}
		for j, twice := range []bool{false, true} {
			options.twice = twice
			d, err := Run(t.Context(), []string{"."}, options)
			if err != nil {
				texts[j] = fmt.Sprint("error: ", err)
				continue
			}
			texts[j] = asJSON(t, d)
		}
		if diff := cmp.Diff(texts[1], texts[0]); diff != "" {
			t.Fatalf("edit %d, of %s (-judged twice +judged once):\n%s", i, file, diff)
		}
		reused += verdicts.Reused()
		if random.IntN(15) == 0 {
			r.WriteFiles(start)
			r.Must(os.RemoveAll("apps/new"))
		}
	}
	if t.Logf("%d edits: %d targets were judged once", edits, reused); reused < edits/4 {
		t.Errorf("%d edits: %d targets were judged once: nothing is compared", edits, reused)
	}
}
