package appset_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/appset"
)

var update = flag.Bool("update", false, "write what the product says of the cases")

const casesDir = "../../../../fixtures/appsets"

func lineOf(place appset.Place) string {
	if place.Line == 0 {
		return ""
	}
	return fmt.Sprintf(" (line %d)", place.Line)
}

// cases are the questions of the folder of cases.
func cases(t testing.TB) []question {
	t.Helper()
	entries, err := os.ReadDir(casesDir)
	if err != nil {
		t.Fatal(err)
	}
	var questions []question
	for _, entry := range entries {
		if entry.IsDir() {
			questions = append(questions, readCase(t, filepath.Join(casesDir, entry.Name())))
		}
	}
	return questions
}

// TestCases: what is made of each case is what Argo CD makes of it, and where
// Argo CD has an error there is one. What is refused besides says so. Origins,
// warnings and errors are those in the case's messages.
func TestCases(t *testing.T) {
	all := cases(t)
	counts := map[string]int{}
	for _, q := range all {
		t.Run(q.Name, func(t *testing.T) {
			dir := filepath.Join(casesDir, q.Name)
			result, err := generate(t, q)
			said := messages(result, err)
			golden := readAnswer(t, filepath.Join(dir, goldenAnswer))
			if golden.Input != q.digest() {
				t.Fatalf("%s belongs to another case: run scripts/argocd", goldenAnswer)
			}
			switch {
			case isRefused(err) != golden.Refused:
				t.Errorf("%s says refused: %t, and here it is %v: run scripts/argocd", goldenAnswer, golden.Refused, err)
			case err == nil && golden.Error != "":
				t.Errorf("Argo CD says %q, and here Applications are made:\n%s", golden.Error, said)
			case err == nil:
				counts["made"]++
				if diff := cmp.Diff(indented(t, compact(t, golden)), indented(t, compact(t, canonical(t, q, result)))); diff != "" {
					t.Errorf("Argo CD (-) makes other Applications than here (+):\n%s", diff)
				}
			case golden.Error == "" && !isRefused(err):
				t.Errorf("Argo CD makes Applications, and here is an error: %v", err)
			case isRefused(err):
				counts["refused"]++
			default:
				counts["errors"]++
			}
			compareMessages(t, filepath.Join(dir, goldenMessages), said)
		})
	}
	t.Logf("%d cases compared with Argo CD: %v", len(all), counts)
	if len(all) < 60 || counts["made"] < 30 || counts["refused"] < 10 || counts["errors"] < 10 {
		t.Errorf("too few cases: %v", counts)
	}
}

func readAnswer(t testing.TB, file string) answer {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run scripts/argocd", err)
	}
	var golden answer
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	return golden
}

func compareMessages(t *testing.T, file, said string) {
	t.Helper()
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
		t.Errorf("%s says something else (-), scripts/argocd writes it:\n%s", goldenMessages, diff)
	}
}
