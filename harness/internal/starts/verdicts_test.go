package starts_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

const folder = "../../../fixtures/manifests"

// TestVerdicts: the policy in this binary, with its defaults, finds what each
// manifest expects, and nothing else.
func TestVerdicts(t *testing.T) {
	manifests, err := fixtures.Manifests(folder)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := evaluate.New(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifests {
		result, err := policy.Evaluate(t.Context(), []manifest.Object{{Document: 1, Content: m.Object}})
		if err != nil {
			t.Errorf("%s %s: %v", m.File, m.Name, err)
			continue
		}
		var got []string
		for _, finding := range result.Findings {
			got = append(got, finding.Code+" "+finding.Path)
		}
		slices.Sort(got)
		if !same(m.Findings, got) {
			t.Errorf("%s %s: want %q got %q", m.File, m.Name, m.Findings, got)
		}
	}
}

// same reports whether the findings, each a code and a path, are the expected
// ones. A code that is expected without a path stands for any path.
func same(want, got []string) bool {
	rest := slices.Clone(got)
	for _, withPath := range []bool{true, false} {
		for _, one := range want {
			if strings.Contains(one, " ") != withPath {
				continue
			}
			i := slices.IndexFunc(rest, func(found string) bool {
				code, _, _ := strings.Cut(found, " ")
				return found == one || code == one
			})
			if i < 0 {
				return false
			}
			rest = slices.Delete(rest, i, i+1)
		}
	}
	return len(rest) == 0
}
