package probe

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
)

// TestTwoConstraints: what breaks the second constraint is searched for like
// what breaks the first. While a variable is renamed, both hold.
func TestTwoConstraints(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: ControllersNeverMigrate\n"
	lane.Full(t)
	r := run(t, filepath.Join("..", "..", "..", "fixtures", "charts", "agents"), Options{
		Budget: 600,
		Constraints: []string{
			writeFile(t, "old.yaml", head+"metadata: {name: old}\nspec: {}\n"),
			writeFile(t, "new.yaml", head+"metadata: {name: new}\nspec: {parameters: {envVar: AGENTS_MIGRATIONS}}\n"),
		},
		Values: []string{writeFile(t, "values.yaml", "controllersMigrationsGuard: 'off'\ncontrollers: {env: {vars: {AGENTS_MIGRATIONS: skip}}}\n")},
	})
	var paths []string
	for _, hole := range r.Charts[0].Holes {
		if len(hole.Paths) == 1 && hole.Verdict == Migrates {
			paths = append(paths, hole.Paths[0])
		}
	}
	want := []string{
		"controllers.env.vars.AGENTS_MIGRATIONS",
		"controllers.env.vars.JANGAR_MIGRATIONS",
	}
	got := slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return !slices.Contains(want, path) })
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("of the holes %q (-want +got):\n%s", paths, diff)
	}
}
