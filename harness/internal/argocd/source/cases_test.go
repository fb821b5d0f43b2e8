package source_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

var update = flag.Bool("update", false, "write what the product says of the cases")

// TestCases: the objects of each case are those that Argo CD's repository server
// makes, and where it has an error there is one. What is refused besides says so.
// A twin differs in one thing, and its objects too. Nothing in the checkout changes.
func TestCases(t *testing.T) {
	counts := map[string]int{}
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			golden := readGolden(t, name)
			var messages strings.Builder
			outcomes := map[string]bool{}
			for _, which := range []string{application, twin} {
				q, ok := questions(t, name)[which]
				if !ok {
					continue
				}
				app, view := asked(t, q)
				before := states(t, view.Repositories[0].Root)
				result, err := source.Render(t.Context(), app, view, render.Options{})
				if diff := cmp.Diff(before, states(t, view.Repositories[0].Root)); diff != "" {
					t.Errorf("the checkout has changed (-before +after):\n%s", diff)
				}
				outcomes[which] = err == nil
				messages.WriteString(which + "\n" + said(result, err, q.dir))
				want, ok := golden[which]
				if !ok || want.Input != q.digest() {
					t.Fatalf("%s belongs to another %s: run scripts/argocd", goldenFile, which)
				}
				var problem *source.Problem
				switch {
				case err == nil && want.Error != "":
					t.Errorf("%s: Argo CD says %q, and here are objects", which, want.Error)
				case err == nil:
					counts["made"]++
					objects, err := source.Manifests(t.Context(), app, view, render.Options{})
					if diff := cmp.Diff(want.Objects, summaries(t, objects)); err != nil || diff != "" {
						t.Errorf("%s: Argo CD (-) makes other objects than here (+), %v:\n%s\n%s", which, err, diff, indented(t, objects))
					}
				case !errors.As(err, &problem):
					t.Errorf("%s: %v is no problem", which, err)
				case !problem.Broken:
					counts["refused"]++
				case want.Error == "":
					t.Errorf("%s: Argo CD makes objects, and here is an error: %v", which, err)
				default:
					counts["errors"]++
				}
			}
			one, other := golden[application], golden[twin]
			if other.Input != "" && cmp.Equal(one.Objects, other.Objects) && outcomes[application] == outcomes[twin] {
				t.Errorf("the twin makes no difference")
			}
			compareMessages(t, name, messages.String())
		})
	}
	t.Logf("compared with Argo CD: %v", counts)
	if counts["made"] < 200 || counts["refused"] < 20 || counts["errors"] < 40 {
		t.Errorf("too few cases: %v", counts)
	}
}

func indented(t *testing.T, objects []map[string]any) string {
	t.Helper()
	text, err := json.MarshalIndent(objects, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readGolden(t testing.TB, name string) map[string]answer {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(casesDir, name, goldenFile))
	if err != nil {
		t.Fatalf("%v: run scripts/argocd", err)
	}
	var golden map[string]answer
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	return golden
}

func compareMessages(t *testing.T, name, said string) {
	t.Helper()
	file := filepath.Join(casesDir, name, "messages.txt")
	if *update {
		if err := os.WriteFile(file, []byte(said), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(said, "\n")); diff != "" {
		t.Errorf("messages.txt says something else (-), scripts/argocd writes it:\n%s", diff)
	}
}
