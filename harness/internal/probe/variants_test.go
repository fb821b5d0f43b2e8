package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
)

const variants = "../../../fixtures/charts/variants"

// everyVariant are the holes of the fixture chart that come from what its
// design allows, and that each variant of it has too.
var everyVariant = []string{
	`hole --set-json 'agents.controllers.args=["sh","-c","JANGAR_MIGRATIONS=auto exec node server.js"]'`,
	`hole --set-json 'agents.controllers.command=["sh","-c","JANGAR_MIGRATIONS=auto exec node server.js"]'`,
	`hole --set-json 'agents.controllers.extraContainers=[{"image":"probe:1","name":"probe"}]'`,
	`hole --set-json 'agents.controllers.image.repository="probe\n        - name: JANGAR_MIGRATIONS\n          value: auto #"'`,
	`hole --set-json 'agents.controllers.image.tag="probe\n        - name: JANGAR_MIGRATIONS\n          value: auto #"'`,
	`hole --set-json 'agents.controllers.initContainers=[{"image":"probe:1","name":"probe"}]'`,
	`hole --set-json 'agents.env.config=[{"configMapName":"probe","key":"probe","name":"JANGAR_MIGRATIONS"}]'`,
	`hole --set-json 'agents.env.extra=[{"name":"JANGAR_MIGRATIONS","value":"auto"}]'`,
	`hole --set-json 'agents.env.secrets=[{"key":"probe","name":"JANGAR_MIGRATIONS","secretName":"probe"}]'`,
	`hole --set-json 'agents.image.repository="probe\n        - name: JANGAR_MIGRATIONS\n          value: auto #"'`,
	`hole --set-json 'agents.image.tag="probe\n        - name: JANGAR_MIGRATIONS\n          value: auto #"'`,
	`hole --set-json 'agents.livenessProbe.exec.command=["sh","-c","JANGAR_MIGRATIONS=auto"]'`,
	`hole --set-json 'agents.readinessProbe.exec.command=["sh","-c","JANGAR_MIGRATIONS=auto"]'`,
	`vanished --set agents.controllers.enabled=false`,
}

// Values from which the search starts.
const (
	sharedSkip = "agents: {env: {vars: {JANGAR_MIGRATIONS: skip}}}"
	noShared   = "agents: {env: {vars: {JANGAR_MIGRATIONS: null}}}"
	ownSkip    = "agents: {controllers: {env: {vars: {JANGAR_MIGRATIONS: skip}}}}"
	bothSkip   = "agents: {env: {vars: {JANGAR_MIGRATIONS: skip}}, controllers: {env: {vars: {JANGAR_MIGRATIONS: skip}}}}"
	withJob    = "agents: {migrationJob: {enabled: true}}"
)

// What a schema may accept for the controllers' own value. Without one an
// explicit auto is a hole of the chart's design, which hides every other hole of
// the same path.
const (
	skips        = `"skip", "disabled", "false", "0", "off", false, 0, null`
	skipsOrEmpty = skips + `, ""`
)

// Holes that many variants have, and what they render.
const (
	rendersAuto = `{"env":[{"name":"JANGAR_MIGRATIONS","value":"auto"}],"name":"agents-controllers"}`
	ownAuto     = "hole --set agents.controllers.env.vars.JANGAR_MIGRATIONS=auto: auto " + rendersAuto
	sharedAuto  = "hole --set agents.env.vars.JANGAR_MIGRATIONS=auto: auto " + rendersAuto
)

// variantOptions are those of all probes of variants. The guard is off: it would
// refuse the mistakes, or only add to the time.
func variantOptions(t *testing.T, values string) Options {
	t.Helper()
	options := Options{
		Budget: 1500, Jobs: 1, ReleaseName: "agents", Namespace: "agents",
		Set: []string{"agents.controllersMigrationsGuard=off"},
	}
	if values != "" {
		options.Values = []string{writeFile(t, "values.yaml", values)}
	}
	return options
}

// TestVariants: each mistake that charts make is found, with the least that must
// be set where there are values under which the chart is sound, and nothing else
// is found.
func TestVariants(t *testing.T) {
	tests := []struct {
		variant, values, accepts string
		want                     []string
	}{
		// The chart as it is: what its design allows, and no more.
		{variant: "unchanged", want: []string{ownAuto}},
		{variant: "unchanged", accepts: skips},
		// The default is applied to the merged map.
		{variant: "default-on-merged-map", want: []string{`base hole: auto ` + rendersAuto}},
		{variant: "default-on-merged-map", values: sharedSkip, want: []string{ownAuto, sharedAuto}},
		{variant: "default-on-merged-map", values: bothSkip, want: []string{
			`hole --set agents.controllers.env.vars.JANGAR_MIGRATIONS=null --set agents.env.vars.JANGAR_MIGRATIONS=auto: auto ` + rendersAuto,
			ownAuto,
		}},
		{variant: "default-forgotten", want: []string{
			`base hole: auto {"name":"agents-controllers"} (env has 34 entries, and none is JANGAR_MIGRATIONS)`,
		}},
		{variant: "default-forgotten", values: ownSkip, accepts: skips, want: []string{
			`hole --set agents.controllers.env.vars.JANGAR_MIGRATIONS=null: auto {"name":"agents-controllers"} (env has 34 entries, and none is JANGAR_MIGRATIONS)`,
		}},
		{variant: "name-misspelled", want: []string{`base hole: auto ` + rendersAuto}},
		{variant: "name-misspelled", values: sharedSkip, want: []string{ownAuto, sharedAuto}},
		{variant: "mode-follows-the-job", want: []string{`base hole: auto ` + rendersAuto}},
		{variant: "mode-follows-the-job", values: withJob, want: []string{
			ownAuto,
			`hole --set agents.migrationJob.enabled=false: auto ` + rendersAuto,
		}},
		// The arguments of the merge are the wrong way round.
		{variant: "merge-order-swapped", want: []string{`base hole: auto ` + rendersAuto}},
		{variant: "merge-order-swapped", values: bothSkip, want: []string{
			`hole --set agents.controllers.env.vars.JANGAR_MIGRATIONS=auto --set agents.env.vars.JANGAR_MIGRATIONS=null: auto ` + rendersAuto,
			sharedAuto,
		}},
		{variant: "control-plane-env-copied", want: []string{`base hole: auto ` + rendersAuto}},
		{variant: "control-plane-env-copied", values: sharedSkip, want: []string{
			`hole --set agents.controlPlane.env.vars.JANGAR_MIGRATIONS=auto: auto ` + rendersAuto,
			sharedAuto,
		}},
		// Entries are appended, so that a second one wins; env.extra, env.secrets and
		// env.config do so in every variant.
		{variant: "lists-joined", want: []string{
			`base hole: skip {"env":[{"name":"JANGAR_MIGRATIONS","value":"auto"},{"name":"JANGAR_MIGRATIONS","value":"skip"}],"name":"agents-controllers"}`,
		}},
		{variant: "lists-joined", values: bothSkip, want: []string{
			`base hole: skip {"env":[{"name":"JANGAR_MIGRATIONS","value":"skip"},{"name":"JANGAR_MIGRATIONS","value":"skip"}],"name":"agents-controllers"}`,
		}},
		{variant: "lists-joined", values: noShared, want: []string{
			ownAuto,
			`hole --set agents.env.vars.JANGAR_MIGRATIONS=auto: skip {"env":[{"name":"JANGAR_MIGRATIONS","value":"auto"},{"name":"JANGAR_MIGRATIONS","value":"skip"}],"name":"agents-controllers"}`,
		}},
		// An empty string or a null overrides.
		{variant: "unchanged", accepts: skipsOrEmpty, want: []string{
			`hole --set-string agents.controllers.env.vars.JANGAR_MIGRATIONS=: auto {"env":[{"name":"JANGAR_MIGRATIONS","value":""}],"name":"agents-controllers"}`,
		}},
		{variant: "default-function", accepts: skipsOrEmpty},
		{variant: "null-counts-as-set", accepts: skips, want: []string{
			`hole --set agents.controllers.env.vars.JANGAR_MIGRATIONS=null: auto ` + rendersAuto,
		}},
		// Sprig's merge takes a false for unset.
		{variant: "sprig-merge", accepts: `"skip", "false", false`, want: []string{
			`hole --set agents.controllers.env.vars.JANGAR_MIGRATIONS=false: auto ` + rendersAuto,
		}},
		// An unquoted 0 is no string; kustomize writes an unquoted off as one.
		{variant: "unquoted-values", accepts: `"skip", "off", 0`, want: []string{
			`hole --set agents.controllers.env.vars.JANGAR_MIGRATIONS=0: unknown {"env":[{"name":"JANGAR_MIGRATIONS","value":0}],"name":"agents-controllers"}`,
		}},
		// The variable is not listed at all.
		{variant: "env-from-only", want: []string{
			`base hole: unknown {"name":"agents-controllers"} (env has 32 entries, and none is JANGAR_MIGRATIONS)`,
		}},
		{variant: "env-from-only", values: ownSkip, accepts: skips, want: []string{
			`hole --set agents.controllers.env.vars.JANGAR_MIGRATIONS=null: unknown {"name":"agents-controllers"} (env has 32 entries, and none is JANGAR_MIGRATIONS)`,
		}},
		// Whatever is set, these are holes: no value reaches what is wrong.
		{variant: "env-as-a-map", want: []string{
			`base hole: unknown {"name":"agents-controllers"} (env is no list)`,
		}},
		{variant: "env-as-a-map", values: bothSkip, want: []string{
			`base hole: unknown {"name":"agents-controllers"} (env is no list)`,
		}},
		{variant: "init-container-without-env", want: []string{
			`base hole: auto {"name":"wait-for-schema"} (no env)`,
		}},
		{variant: "init-container-without-env", values: bothSkip, want: []string{
			`base hole: auto {"name":"wait-for-schema"} (no env)`,
		}},
		{variant: "quoted-twice", want: []string{
			`base hole: auto {"env":[{"name":"JANGAR_MIGRATIONS","value":"\"skip\""}],"name":"agents-controllers"}`,
		}},
		{variant: "quoted-twice", values: bothSkip, want: []string{
			`base hole: auto {"env":[{"name":"JANGAR_MIGRATIONS","value":"\"skip\""}],"name":"agents-controllers"}`,
		}},
		// Found by the name of the container alone.
		{variant: "name-without-suffix", want: []string{ownAuto}},
	}
	probed := map[string]bool{}
	for _, test := range lane.Part(t, tests, 15) {
		probed[test.variant] = true
		t.Run(strings.Join([]string{test.variant, test.values, test.accepts}, ","), func(t *testing.T) {
			t.Parallel()
			options := variantOptions(t, test.values)
			chart := filepath.Join(variants, test.variant)
			if test.accepts != "" {
				chart = withSchema(t, chart, test.accepts)
			}
			r := runDefault(t, chart, options)
			got, designed := own(t, r, test.variant)
			if diff := gocmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if r.Charts[0].Base != Harmless {
				requireGuarded(t, chart, options, r)
			} else if diff := gocmp.Diff(designOf(test.variant), designed); diff != "" {
				t.Errorf("holes of every variant (-want +got):\n%s", diff)
			}
		})
	}
	charts, err := filepath.Glob(filepath.Join(variants, "*", "Chart.yaml"))
	if err != nil || len(charts) == 0 {
		t.Fatalf("found %d variants: %v", len(charts), err)
	}
	full := lane.IsFull(t)
	for _, chart := range charts {
		if name := filepath.Base(filepath.Dir(chart)); !probed[name] && full {
			t.Errorf("%s is not probed", name)
		}
	}
}

// designOf are the holes of a variant that come from what the design allows.
func designOf(variant string) []string {
	return slices.DeleteFunc(slices.Clone(everyVariant), func(hole string) bool {
		// There the image is in env too, without quotes: what ends its line in one
		// place is no YAML in the other.
		return variant == "unquoted-values" && strings.Contains(hole, ".image.")
	})
}

// requireGuarded: a chart that is a hole as it comes does not render with the
// guard enforced, which names the same codes.
func requireGuarded(t *testing.T, chart string, options Options, found *Report) {
	t.Helper()
	options.Set = []string{"agents.controllersMigrationsGuard=enforce"}
	_, err := probeDefault(t.Context(), t, chart, options)
	if err == nil || !strings.Contains(err.Error(), "the base is refused") {
		t.Fatalf("with the guard enforced: error %v", err)
	}
	for _, code := range found.Charts[0].Holes[0].Codes {
		if !strings.Contains(err.Error(), code+" Deployment/agents-controllers") {
			t.Errorf("the guard does not name %s: %v", code, err)
		}
	}
}

// TestGuardedVariants: with the guard enforced no value makes a hole of a
// mistake, and none makes the controllers vanish.
func TestGuardedVariants(t *testing.T) {
	lane.Full(t)
	for variant, values := range map[string]string{"unchanged": "", "default-on-merged-map": bothSkip} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			options := variantOptions(t, values)
			options.Set, options.Budget = []string{"agents.controllersMigrationsGuard=enforce"}, 300
			r := runDefault(t, filepath.Join(variants, variant), options)
			chart := r.Charts[0]
			if got, designed := own(t, r, variant); len(got)+len(designed) > 0 || chart.Base != Harmless || r.ExitStatus(false) != 0 {
				t.Errorf("base %s, %+v, found %v", chart.Base, chart.Counts, shown(r))
			}
		})
	}
}

// own are the holes beside those of every variant, each with the container that
// is then rendered. Designed are the others.
func own(t *testing.T, r *Report, variant string) (own, designed []string) {
	t.Helper()
	workload := "Deployment/agents-controllers"
	if variant == "name-without-suffix" {
		workload = "Deployment/agents-workers"
	}
	for _, h := range r.Charts[0].Holes {
		line := string(h.Verdict) + " " + h.Arguments
		if len(h.Paths) == 0 {
			line = "base " + string(r.Charts[0].Base)
		}
		if h.Unconfirmed != "" || h.Template != variant+"/charts/agents/templates/deployment-controllers.yaml" || h.Verdict != Vanished && h.Workload != workload {
			t.Errorf("%s: in %s, %s, unconfirmed %q", line, h.Template, h.Workload, h.Unconfirmed)
		}
		if slices.Contains(everyVariant, line) {
			designed = append(designed, line)
		} else {
			own = append(own, fmt.Sprintf("%s: %s %s", line, h.Mode, oneLine(h.Entry)))
		}
	}
	return own, designed
}

// withSchema is a copy of a variant whose schema accepts some values only for
// the controllers' own JANGAR_MIGRATIONS.
func withSchema(t *testing.T, chart, accepts string) string {
	t.Helper()
	copied := filepath.Join(t.TempDir(), filepath.Base(chart))
	for _, name := range []string{"Chart.yaml", "templates"} {
		from := filepath.Join(chart, name)
		info, err := os.Stat(from)
		switch {
		case os.IsNotExist(err):
			continue
		case err != nil:
			t.Fatal(err)
		case info.IsDir():
			err = os.CopyFS(filepath.Join(copied, name), os.DirFS(from))
		default:
			var text []byte
			if text, err = os.ReadFile(from); err == nil {
				err = os.MkdirAll(copied, 0o700)
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(copied, name), text, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(copied, "charts", "agents"), os.DirFS(agents)); err != nil {
		t.Fatal(err)
	}
	// Not as an enum of its own: the search would take the values from there.
	schema := `{"not": {"not": {"enum": [` + accepts + `]}}}`
	for _, key := range []string{"JANGAR_MIGRATIONS", "vars", "env", "controllers", "agents"} {
		schema = fmt.Sprintf(`{"properties": {%q: %s}}`, key, schema)
	}
	if err := os.WriteFile(filepath.Join(copied, "values.schema.json"), []byte(schema), 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}
