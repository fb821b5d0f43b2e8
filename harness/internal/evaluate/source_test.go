package evaluate

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/bundle"
	"github.com/proompteng/nevermigrate/harness/report"
	"github.com/proompteng/nevermigrate/policy"
)

// TestSource: a folder with the same rules has the digest of the rules in the program,
// and every change of a rule, of a name or of a bundle has another.
func TestSource(t *testing.T) {
	source := func(path string) report.PolicySource {
		t.Helper()
		p, err := LoadPolicy(path, bundle.Verification{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Source()
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(got.SHA256) {
			t.Errorf("%s: digest %q", path, got.SHA256)
		}
		return got
	}
	builtin := source("")
	if builtin.Version != policy.Version || builtin.File != "" {
		t.Errorf("the rules in the program come from %+v", builtin)
	}
	folder := filepath.Join(t.TempDir(), "policy")
	if err := os.CopyFS(folder, policy.FS); err != nil {
		t.Fatal(err)
	}
	if got, want := source(folder), (report.PolicySource{File: filepath.ToSlash(folder), SHA256: builtin.SHA256}); got != want {
		t.Errorf("a copy comes from %+v, want %+v", got, want)
	}
	main := filepath.Join(folder, "main.rego")
	text, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(main, append(text, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	changed := source(folder)
	if changed.SHA256 == builtin.SHA256 {
		t.Error("a change has the same digest")
	}
	if err := os.Rename(main, filepath.Join(folder, "other.rego")); err != nil {
		t.Fatal(err)
	}
	if got := source(folder); got.SHA256 == changed.SHA256 {
		t.Error("another name has the same digest")
	}
}
