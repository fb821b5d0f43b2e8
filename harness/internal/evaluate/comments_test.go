package evaluate

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/proompteng/nevermigrate/policy"
)

// TestOnlyCommentsAreLeftOut: what conftest loads is the policy, rule by rule and line
// by line.
func TestOnlyCommentsAreLeftOut(t *testing.T) {
	files := 0
	err := fs.WalkDir(policy.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		text, err := fs.ReadFile(policy.FS, name)
		if err != nil {
			return err
		}
		code, err := fs.ReadFile(withoutComments{policy.FS}, name)
		if err != nil {
			return err
		}
		if strings.Contains(string(code), "METADATA") {
			t.Errorf("%s has annotations", name)
		}
		want, got := parse(t, name, text), parse(t, name, code)
		if !got.Equal(want) {
			t.Errorf("%s is another module", name)
		}
		for i, rule := range got.Rules {
			if rule.Location.Row != want.Rules[i].Location.Row {
				t.Errorf("%s:%d: a rule is in line %d", name, want.Rules[i].Location.Row, rule.Location.Row)
			}
		}
		return nil
	})
	if err != nil || files < 20 {
		t.Errorf("%d files were compared, error %v", files, err)
	}
}

func parse(t *testing.T, name string, text []byte) *ast.Module {
	t.Helper()
	module, err := ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		t.Fatal(err)
	}
	return module
}
