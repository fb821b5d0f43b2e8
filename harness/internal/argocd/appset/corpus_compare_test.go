package appset_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
)

const corpusAnswers = "testdata/corpus.txt"

// writeCorpusAnswers keeps of each answer the digest of its Applications, a line
// each: the question's digest, and that, "error" or "refused".
func writeCorpusAnswers(t *testing.T, answers []answer) {
	t.Helper()
	var text strings.Builder
	for _, one := range answers {
		text.WriteString(one.Input[:16] + " " + answerDigest(t, one) + "\n")
	}
	if err := os.WriteFile(corpusAnswers, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func answerDigest(t testing.TB, one answer) string {
	switch {
	case one.Refused:
		return "refused"
	case one.Error != "":
		return "error"
	}
	return digestOf(compact(t, one))
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// TestCorpus: what is made of the random corpus is what Argo CD makes of it, and
// an error where Argo CD has one. What is refused besides is counted.
func TestCorpus(t *testing.T) {
	text, err := os.ReadFile(corpusAnswers)
	if err != nil {
		t.Fatalf("%v: run scripts/argocd", err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	questions := corpus()
	if len(lines) != len(questions) {
		t.Fatalf("%d answers to %d questions: run scripts/argocd", len(lines), len(questions))
	}
	var indexes []int
	for i := range questions {
		indexes = append(indexes, i)
	}
	counts := map[string]int{}
	differences := 0
	part := lane.Part(t, indexes, 5)
	for _, i := range part {
		q := questions[i]
		input, want, _ := strings.Cut(lines[i], " ")
		if input != q.digest()[:16] {
			t.Fatalf("the answer belongs to another %s: run scripts/argocd", q.Name)
		}
		result, err := generate(t, q)
		got := "error"
		switch {
		case isRefused(err):
			got = "refused"
		case err == nil:
			given := canonical(t, q, result)
			counts["Applications"] += len(given.Applications)
			counts["normalized"] += len(given.Normalized)
			got = digestOf(compact(t, given))
		}
		count(counts, q, err, want)
		if got != want {
			if differences++; differences <= 3 {
				t.Errorf("%s: Argo CD says %s, here it is %s (%v)\n%s", q.Name, want, got, err, q.Set)
			}
		}
	}
	t.Logf("compared %d ApplicationSets with Argo CD, %d differ: %v", len(part), differences, counts)
	floors := map[string]int{
		"made": 35, "made, matrix": 9, "made, merge": 6, "made, git": 10, "made, clusters": 6, "made, selector": 6,
		"made, templatePatch": 12, "made, without goTemplate": 10, "made, nested": 3, "errors": 15, "Applications": 140, "normalized": 3,
	}
	for what, floor := range floors {
		if counts[what]*100 < floor*len(part) {
			t.Errorf("only %d of %d are %s, want %d of a hundred", counts[what], len(part), what, floor)
		}
	}
	if counts["refused"]*100 > 5*len(part) {
		t.Errorf("%d of %d are refused", counts["refused"], len(part))
	}
}

// count counts an ApplicationSet by what it has, and by what came of it.
func count(counts map[string]int, q question, err error, want string) {
	switch {
	case isRefused(err):
		counts["refused"]++
		return
	case err != nil || want == "error":
		counts["errors"]++
		return
	case want == digestOf("[[],{}]"):
		counts["empty"]++
		return
	}
	counts["made"]++
	for what, has := range map[string]bool{
		"matrix": strings.Contains(q.Set, `"matrix"`), "merge": strings.Contains(q.Set, `"merge"`), "git": strings.Contains(q.Set, `"git"`),
		"clusters": strings.Contains(q.Set, `"clusters"`), "selector": strings.Contains(q.Set, `"selector"`),
		"templatePatch": strings.Contains(q.Set, `"templatePatch"`), "without goTemplate": !strings.Contains(q.Set, `"goTemplate":true`),
		"nested": strings.Count(q.Set, `"matrix"`)+strings.Count(q.Set, `"merge"`) > 1,
	} {
		if has {
			counts["made, "+what]++
		}
	}
}

// TestAgainstAnswers compares with whole answers, which the oracle wrote to a file
// of its own: to see what differs.
func TestAgainstAnswers(t *testing.T) {
	if *compareWith == "" {
		t.Skip("-compare-with names the file of answers")
	}
	answers := readAll(t, *compareWith)
	differ := 0
	for _, q := range append(cases(t), corpus()...) {
		given := answers[q.Name]
		result, err := generate(t, q)
		switch {
		case isRefused(err), err != nil && given.Error != "":
			continue
		case err != nil:
			t.Errorf("%s: %v\n%s", q.Name, err, q.Set)
		case given.Error != "":
			t.Errorf("%s: Argo CD says %s\n%s", q.Name, given.Error, q.Set)
		default:
			diff := cmp.Diff(indented(t, compact(t, given)), indented(t, compact(t, canonical(t, q, result))))
			if diff == "" {
				continue
			}
			t.Errorf("%s:\n%s\n%s", q.Name, q.Set, diff)
		}
		if differ++; differ > 5 {
			t.Fatal("and more")
		}
	}
	fmt.Println("compared", len(answers))
}
