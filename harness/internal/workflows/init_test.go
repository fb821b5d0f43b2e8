package workflows

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// TestInitIsRead: what init writes is right for those that read it: actionlint, pre-commit,
// and the program itself, whose verdict is the one that init showed.
func TestInitIsRead(t *testing.T) {
	lane.Full(t)
	needs(t, "pre-commit", "git")
	program := program(t)
	actionlint := stock.Tool(t, "actionlint")
	for _, test := range []struct{ name, variable, revision string }{
		{"defaults", "JANGAR_MIGRATIONS", strings.Repeat("0123456789", 4)},
		{"another variable", "AGENTS_MIGRATIONS", strings.Repeat("a", 40)},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			env := map[string]string{"PATH": os.Getenv("PATH"), "HOME": t.TempDir()}
			if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			for name, value := range map[string]string{"agents": "auto", "agents-controllers": "skip"} {
				write(t, filepath.Join(dir, "apps", name+".yaml"), fmt.Sprintf(`apiVersion: v1
kind: Pod
metadata: {name: %s}
spec: {containers: [{name: main, image: app, env: [{name: %s, value: %s}]}]}
`, name, test.variable, value), 0o644)
			}
			initiated := run(t, dir, env, program, "init", "--revision", test.revision)
			if initiated.Status != 0 {
				t.Fatalf("init: %+v", initiated)
			}
			requireEqual(t, "actionlint", ran{}, run(t, dir, env, actionlint, "-no-color", ".github/workflows/controllers-never-migrate.yml"))
			requireEqual(t, "pre-commit", ran{}, run(t, dir, env, "pre-commit", "validate-config", ".pre-commit-config.yaml"))
			checked := run(t, dir, env, program, "check")
			if checked.Status != 0 || !strings.HasSuffix(initiated.Out, "\n"+checked.Out) {
				t.Errorf("check says\n%s\nand init said\n%s", checked.Out, initiated.Out)
			}
			requireEqual(t, "init, again", 0, run(t, dir, env, program, "init", "--revision", test.revision).Status)
		})
	}
}
