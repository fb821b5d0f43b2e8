package probe

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/independent"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/mode"
	"github.com/proompteng/nevermigrate/harness/report"
)

// TestCommandsMigrate: each command of the corpus clearly migrates.
func TestCommandsMigrate(t *testing.T) {
	c, err := newCorpus(mode.Defaults(), "x-controllers")
	if err != nil || len(c.Commands) == 0 {
		t.Fatal(len(c.Commands), err)
	}
	for _, words := range c.Commands {
		if !(independent.Rules{Mode: mode.Defaults()}).StartsMigrating(map[string]any{"command": words}) {
			t.Errorf("%v does not", words)
		}
	}
}

// TestManifests compares the judge's own rules with the policy on the corpus of
// manifests: what both bind, and what both deny by what the environment shows. Of
// commands the judge knows only what is clear, so it may miss a CNM005; whatever
// it says of a command the policy denies, and the run migrates.
func TestManifests(t *testing.T) {
	manifests, err := fixtures.Manifests(filepath.Join("..", "..", "..", "fixtures", "manifests"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := independent.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, m := range manifests {
		result, err := defaultEvaluator(t).Evaluate(t.Context(), []manifest.Object{{Document: 1, Content: m.Object}})
		if err != nil {
			t.Fatal(err)
		}
		bound, judged := 0, 0
		for _, w := range result.Workloads {
			if w.Role == report.Controllers {
				bound++
			}
		}
		denied := policyFindings(result)
		for _, w := range independent.Workloads(m.Object) {
			if !own.Binds(w) {
				continue
			}
			judged++
			for _, container := range w.Containers {
				if own.Exempts(container) {
					continue
				}
				counts["containers"]++
				name, _ := container["name"].(string)
				var codes []string
				if f := of(denied, name); f != nil {
					codes = f.codes
				} else if whole := of(denied, ""); whole != nil {
					codes = whole.codes
				}
				resolved := own.Resolve(container)
				clear := own.StartsMigrating(container)
				byEnvironment := slices.ContainsFunc(codes, func(code string) bool { return code != "CNM004" && code != "CNM005" })
				switch {
				case resolved.Mode != mode.Skip && codes == nil:
					t.Errorf("%s: %s: the judge says %s (%s), and the policy passes", m.Name, name, resolved.Mode, resolved.Reason)
				case resolved.Mode == mode.Skip && byEnvironment && strictlyPolicy[m.Name] == "":
					t.Errorf("%s: %s: the policy says %v, and the judge skip", m.Name, name, codes)
				case clear && !slices.Contains(codes, "CNM005"):
					t.Errorf("%s: %s: the judge says that the command migrates, and the policy %v", m.Name, name, codes)
				case clear && m.Runs && m.Starts != fixtures.StartsAuto && m.Except == "":
					t.Errorf("%s: the judge says that the command migrates, and the run %s", m.Name, m.Starts)
				}
				if slices.Contains(codes, "CNM005") {
					counts["CNM005"]++
				}
				if clear {
					counts["clear"]++
				}
				if byEnvironment {
					counts["environment"]++
				}
			}
		}
		if bound != judged && strictlyPolicy[m.Name] == "" {
			t.Errorf("%s: the policy binds %d workloads, and the judge %d", m.Name, bound, judged)
		}
	}
	t.Logf("%v", counts)
	for what, least := range map[string]int{"containers": 500, "clear": 30, "environment": 50} {
		if counts[what] < least {
			t.Errorf("only %d of %s", counts[what], what)
		}
	}
}

// strictlyPolicy are the manifests in which the policy denies, or binds, what the
// judge does not, with the reason.
var strictlyPolicy = map[string]string{
	"kind-jobset":          "two of its pods have a container of the same name, and one of them is right",
	"kind-leaderworkerset": "two of its pods have a container of the same name, and one of them is right",
}
