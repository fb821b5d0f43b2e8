package constraint_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
)

// FuzzLoad requires of any file: no panic, and that what is loaded is one or
// more constraints with names of their own.
func FuzzLoad(f *testing.F) {
	cases, err := fixtures.Cases("../../../fixtures/cases")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range cases {
		for _, file := range c.ConstraintPaths() {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(t.TempDir(), "constraint.yaml")
		if err := os.WriteFile(file, text, 0o666); err != nil {
			t.Fatal(err)
		}
		loaded, err := constraint.Load([]string{file})
		if err == nil && len(loaded) == 0 {
			t.Error("nothing was loaded, and no error")
		}
		names := map[string]bool{}
		for _, c := range loaded {
			if c.Name == "" || names[c.Name] || c.Content["kind"] != constraint.Kind || c.File != file {
				t.Errorf("loaded %+v", c)
			}
			names[c.Name] = true
		}
	})
}
