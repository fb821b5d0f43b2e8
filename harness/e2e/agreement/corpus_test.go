package agreement_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/e2e/agreement"
)

func TestCorpusIsTheSameForTheSameSeed(t *testing.T) {
	short, long := agreement.Corpus(t, 1, 100), agreement.Corpus(t, 1, 300)
	if diff := cmp.Diff(short, long[:100]); diff != "" {
		t.Errorf("a longer corpus begins differently (-short +long):\n%s", diff)
	}
	if cmp.Equal(short, agreement.Corpus(t, 2, 100)) {
		t.Error("another seed gives the same corpus")
	}
}

func TestCorpusHasFewRepetitions(t *testing.T) {
	seen := map[string]bool{}
	const n = 5000
	for _, object := range agreement.Corpus(t, 1, n) {
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		seen[string(text)] = true
	}
	if len(seen) < n*95/100 {
		t.Errorf("only %d of %d objects are different", len(seen), n)
	}
}
