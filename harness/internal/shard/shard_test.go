package shard

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/report"
)

// TestTogether: reports that were made in the same way have one provenance, with the
// lock of those that rendered a chart of it.
func TestTogether(t *testing.T) {
	made := func(commit, lock string) *report.Provenance {
		p := &report.Provenance{Program: "v1", Commit: commit}
		if lock != "" {
			p.Lock = &report.FileSource{File: "nevermigrate.lock", SHA256: lock}
		}
		return p
	}
	for _, test := range []struct {
		what       string
		a, b, want *report.Provenance
		ok         bool
	}{
		{"none", nil, nil, nil, true},
		{"one of them none", made("c", ""), nil, nil, false},
		{"the same", made("c", ""), made("c", ""), made("c", ""), true},
		{"another commit", made("c", ""), made("d", ""), nil, false},
		{"the first has a lock", made("c", "x"), made("c", ""), made("c", "x"), true},
		{"the second has a lock", made("c", ""), made("c", "x"), made("c", "x"), true},
		{"the same lock", made("c", "x"), made("c", "x"), made("c", "x"), true},
		{"another lock", made("c", "x"), made("c", "y"), nil, false},
		{"a lock, and another commit", made("c", "x"), made("d", ""), nil, false},
	} {
		got, ok := together(test.a, test.b)
		if ok != test.ok || ok && cmp.Diff(test.want, got) != "" {
			t.Errorf("%s: %v %v", test.what, got, ok)
		}
	}
}
