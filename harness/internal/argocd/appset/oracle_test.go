package appset_test

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
	readAnswers    = flag.String("read-answers", "", "make the golden files of the answers in this file")
	compareWith    = flag.String("compare-with", "", "compare with the answers in this file")
)

// allQuestions are the cases and the random corpus.
func allQuestions(t *testing.T) []question {
	return append(cases(t), corpus()...)
}

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
	for _, q := range allQuestions(t) {
		if err := encoder.Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// readAll are the answers in a file, by the names of the questions.
func readAll(t *testing.T, name string) map[string]answer {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	answers := map[string]answer{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 256<<20)
	for lines.Scan() {
		var given answer
		if err := json.Unmarshal(lines.Bytes(), &given); err != nil {
			t.Fatal(err)
		}
		answers[given.Name] = given
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
	answers := readAll(t, *readAnswers)
	next := func(q question) answer {
		given, ok := answers[q.Name]
		if !ok {
			t.Fatalf("no answer to %s", q.Name)
		}
		given.Input = q.digest()
		// What is refused may be another answer each time.
		if _, err := generate(t, q); isRefused(err) {
			return answer{Name: q.Name, Input: given.Input, Refused: true}
		}
		return given
	}
	for _, q := range cases(t) {
		given := next(q)
		given.Name = ""
		text, err := json.Marshal(given)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(casesDir, q.Name, goldenAnswer), []byte(indented(t, string(text))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var random []answer
	for _, q := range corpus() {
		random = append(random, next(q))
	}
	writeCorpusAnswers(t, random)
}
