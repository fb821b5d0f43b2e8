package source_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var (
	writeQuestions = flag.String("write-questions", "", "write the questions for the oracle to this file")
	compareWith    = flag.String("compare-with", "", "compare the corpus with the answers in this file")
	readAnswers    = flag.String("read-answers", "", "make the golden files of the answers in this file")
)

// TestWriteQuestions writes what scripts/argocd asks Argo CD.
func TestWriteQuestions(t *testing.T) {
	if *writeQuestions == "" {
		t.Skip("scripts/argocd runs it")
	}
	file, err := os.Create(*writeQuestions)
	if err != nil {
		t.Fatal(err)
	}
	encoder := json.NewEncoder(file)
	for _, name := range names(t) {
		for _, q := range questions(t, name) {
			if err := encoder.Encode(q); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, q := range corpus(t) {
		if err := encoder.Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// given are the answers in a file, by the names of the questions.
func given(t *testing.T, name string) map[string]answer {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	answers := map[string]answer{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var one struct {
			Name      string           `json:"name"`
			Manifests []map[string]any `json:"manifests"`
			Error     string           `json:"error"`
		}
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			t.Fatal(err)
		}
		made := answer{Objects: summaries(t, one.Manifests)}
		if one.Error != "" {
			// The words name folders that were made for the answer.
			made.Error = "error"
		}
		answers[one.Name] = made
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return answers
}

// TestReadAnswers makes the golden files of what Argo CD answered.
func TestReadAnswers(t *testing.T) {
	if *readAnswers == "" {
		t.Skip("scripts/argocd runs it")
	}
	answers := given(t, *readAnswers)
	for _, name := range names(t) {
		golden := map[string]answer{}
		for which, q := range questions(t, name) {
			made, ok := answers[q.Name]
			if !ok {
				t.Fatalf("no answer to %s", q.Name)
			}
			made.Input = q.digest()
			golden[which] = made
		}
		text, err := json.MarshalIndent(golden, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(casesDir, name, goldenFile), append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	writeCorpusAnswers(t, answers)
}

// TestAgainstAnswers compares a corpus of another seed with what Argo CD answered.
func TestAgainstAnswers(t *testing.T) {
	if *compareWith == "" {
		t.Skip("scripts/argocd runs it")
	}
	answers, counts := given(t, *compareWith), map[string]int{}
	for _, q := range corpus(t) {
		one, ok := answers[q.Name]
		if !ok {
			t.Fatalf("no answer to %s", q.Name)
		}
		want := digestOf(one.Objects)
		if one.Error != "" {
			want = "error"
		}
		got, err := outcome(t, q)
		switch {
		case got == "refused":
			counts[got]++
		case got != want:
			t.Errorf("%s: Argo CD %s, and here %s (%v)\n%s\n%s", q.Name, want, got, err, q.Application, q.Settings)
		case got == "error":
			counts[got]++
		default:
			counts["made"]++
		}
	}
	t.Logf("compared with Argo CD: %v", counts)
}
