package chartguard

import (
	"path/filepath"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
)

func TestNeeds(t *testing.T) {
	for expression, want := range map[string][]string{
		`abc`: {"abc"}, `(?i:abc)`: nil, `(?i:12)`: {"12"}, `aa|bb`: {"aa", "bb"}, `ab|`: nil, `(?:ab)?c`: {"c"},
		`(?:ab)+`: {"ab"}, `(?:ab)*`: nil, `(?:ab){2,}`: {"ab"}, `(?:ab){0,2}`: nil, `x(?:abc|abcd)`: {"abc"}, `[ab]`: nil,
		`(?s)\A.\z`: nil, `(ab)\s*cd`: {"cd"},
	} {
		read, err := syntax.Parse(expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, needs(read)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", expression, diff)
		}
	}
	if _, err := matches("(", "."); err == nil {
		t.Error("what is no expression is taken for one")
	}
}

// TestNeedsOfThePolicy: no expression of the policy matches a text of the corpus
// of manifests without one of those that it needs.
func TestNeedsOfThePolicy(t *testing.T) {
	manifests, err := fixtures.Manifests(filepath.Join("..", "..", "..", "fixtures", "manifests"))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	var add func(value any)
	add = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			for _, below := range value {
				add(below)
			}
		case []any:
			for _, below := range value {
				add(below)
			}
		case string:
			texts = append(texts, value)
			texts = append(texts, strings.SplitAfter(value, ";")...)
		}
	}
	for _, m := range manifests {
		add(m.Object)
	}
	slices.Sort(texts)
	texts = slices.Compact(texts)
	f, err := factsFor(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	matched := 0
	for name, expression := range f.Reading {
		read, err := syntax.Parse(expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		needed := needs(read)
		compiled := regexp.MustCompile(expression)
		for _, text := range texts {
			if len(needed) == 0 || !compiled.MatchString(text) {
				continue
			}
			matched++
			if !slices.ContainsFunc(needed, func(part string) bool { return strings.Contains(text, part) }) {
				t.Errorf("%s matches %q, which has none of %q", name, text, needed)
			}
		}
	}
	if matched < 800 {
		t.Errorf("only %d matches", matched)
	}
}
