package chartguard_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/proompteng/nevermigrate/harness/internal/chartguard"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// enforcer is a guard and the policy, both under one constraint.
type enforcer struct {
	guard     []byte
	evaluator *evaluate.Evaluator
}

func newEnforcer(t *testing.T, given *constraint.Constraint) enforcer {
	t.Helper()
	guard, err := chartguard.Print(t.Context(), chartguard.Options{Constraint: given})
	if err != nil {
		t.Fatal(err)
	}
	evaluator, err := evaluate.New(t.Context(), nil, withoutReach(given))
	if err != nil {
		t.Fatal(err)
	}
	return enforcer{guard, evaluator}
}

// compare lets a chart write manifests, and compares what the guard says with
// what the policy finds in them: code, workload, container and path. It returns the findings.
func (e enforcer) compare(t *testing.T, name, manifests string) []violation {
	t.Helper()
	objects, err := manifest.Read([]byte(manifests))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var contents []map[string]any
	for _, object := range objects {
		contents = append(contents, object.Content)
	}
	want, result := judged(t, e.evaluator, contents)
	bound := false
	for _, workload := range result.Workloads {
		bound = bound || workload.Role == "controllers"
	}
	_, err = renderChart(t, loadChart(t, writtenBy(e.guard, manifests)), nil)
	got, refused := refusal(err)
	if err != nil && !refused {
		t.Errorf("%s: %v", name, err)
		return nil
	}
	if !bound && len(want) == 0 {
		want = []violation{{Code: "CNM007", Path: "templates/deployment-controllers.yaml"}}
	}
	if got == nil {
		got = []violation{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-policy +guard):\n%s", name, diff)
	}
	return got
}

// TestWritten lets a chart write what each case renders, with all that patches
// did to it, or the case's manifest: the guard then sees what the gate sees.
func TestWritten(t *testing.T) {
	cases, err := fixtures.Cases(filepath.Join("..", "..", "..", "fixtures", "cases"))
	if err != nil {
		t.Fatal(err)
	}
	defaults := newEnforcer(t, nil)
	compared, findings := 0, 0
	cases = lane.Part(t, cases, 6)
	for _, c := range cases {
		manifests, err := check.Render(t.Context(), c.Path(), check.Options{})
		if err != nil {
			t.Fatal(err)
		}
		under := []enforcer{defaults}
		constraints, err := constraint.Load(c.ConstraintPaths())
		if err != nil {
			t.Fatal(err)
		}
		if len(constraints) > 0 {
			under = nil
			for i := range constraints {
				under = append(under, newEnforcer(t, &constraints[i]))
			}
		}
		for _, one := range under {
			findings += len(one.compare(t, c.Name, string(manifests)))
			compared++
		}
	}
	if findings < len(cases)/3 {
		t.Errorf("there were only %d findings", findings)
	}
	t.Logf("compared %d renderings with %d findings", compared, findings)
}

// TestCommands compares guard and policy on every text in the policy's own
// tests of commands.
func TestCommands(t *testing.T) {
	file := filepath.Join("..", "..", "..", "policy", "lib", "process_test.rego")
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	module, err := ast.ParseModule(file, string(source))
	if err != nil {
		t.Fatal(err)
	}
	var containers []any
	env := []any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": "skip"}}
	ast.WalkTerms(module, func(term *ast.Term) bool {
		if script, ok := term.Value.(ast.String); ok {
			for _, command := range [][]any{{"sh", "-c", string(script)}, {string(script)}} {
				containers = append(containers, map[string]any{
					"name": fmt.Sprintf("c%d", len(containers)), "env": env, "command": command,
				})
			}
			containers = append(containers, map[string]any{
				"name": fmt.Sprintf("c%d", len(containers)), "env": env, "args": words(string(script)),
			})
		}
		return false
	})
	if len(containers) < 600 {
		t.Fatalf("only %d commands were found", len(containers))
	}
	found := newEnforcer(t, nil).compare(t, "commands", asManifest(t, "x-controllers", containers...))
	t.Logf("compared %d commands, of which %d change the variable", len(containers), len(found))
}

func words(text string) []any {
	var all []any
	for _, word := range strings.Fields(text) {
		all = append(all, word)
	}
	return all
}

func asManifest(t *testing.T, name string, containers ...any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": name},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": containers}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return inASCII(string(text))
}

// inASCII is JSON in ASCII: not every reader of YAML leaves every line break in a
// text alone.
func inASCII(text string) string {
	var ascii strings.Builder
	for _, r := range text {
		if r < 0x7f {
			ascii.WriteRune(r)
		} else {
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&ascii, "\\u%04x", unit)
			}
		}
	}
	return ascii.String()
}

// TestShapes compares guard and policy on what a template can write in place of
// what is expected.
func TestShapes(t *testing.T) {
	const head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x-controllers}\n"
	skip := "{name: c, env: [{name: JANGAR_MIGRATIONS, value: skip}]}"
	e := newEnforcer(t, nil)
	values := []string{
		"null", "5", "1000000", "1.5", "true", "text", "[]", "{}", "[null]", "[5]", "[text]", "[{}]", "[[]]",
		"{a: b}", "[{name: 5}]", "[{name: null}]", "[{name: JANGAR_MIGRATIONS}]", "[{name: JANGAR_MIGRATIONS, value: skip}, 5]",
		"[{configMapRef: {name: c}}]", "[{prefix: A_, secretRef: {name: s}}]", "[{prefix: A_}]",
	}
	compared := 0
	for _, place := range []string{
		"spec: %s", "spec: {template: %s}", "spec: {template: {metadata: %s, spec: {containers: [" + skip + "]}}}",
		"spec: {template: {metadata: {labels: %s}, spec: {containers: [" + skip + "]}}}",
		"spec: {template: {metadata: {labels: {app.kubernetes.io/name: %s}}, spec: {containers: [" + skip + "]}}}",
		"spec: {template: {spec: {containers: [" + skip + "]}}}\nmetadata: {name: x-controllers, labels: %s}",
		"spec: {template: {metadata: {labels: {app.kubernetes.io/component: %s, app: y}}, spec: {containers: [" + skip + "]}}}",
		"spec: {template: {spec: {containers: [{name: c, image: %s, env: [{name: JANGAR_MIGRATIONS, value: skip}]}]}}}",
		"spec: {template: {spec: {containers: [{name: c, $patch: %s, env: [{name: JANGAR_MIGRATIONS, value: skip}]}]}}}",
		"spec: {template: {spec: {containers: [{name: c, source: %s, env: [{name: JANGAR_MIGRATIONS, value: skip}]}]}}}",
		"spec: {template: {spec: %s}}", "spec: {template: {spec: {containers: %s}}}",
		"spec: {template: {spec: {containers: [" + skip + "], initContainers: %s}}}",
		"spec: {template: {spec: {containers: [" + skip + "], ephemeralContainers: %s}}}",
		"spec: {template: {spec: {containers: [%s]}}}",
		"spec: {template: {spec: {containers: [{name: %s, env: [{name: JANGAR_MIGRATIONS, value: skip}]}]}}}",
		"spec: {template: {spec: {containers: [{name: c, env: %s}]}}}",
		"spec: {template: {spec: {containers: [{name: c, env: [%s]}]}}}",
		"spec: {template: {spec: {containers: [{name: c, envFrom: %s}]}}}",
		"spec: {template: {spec: {containers: [{name: c, env: [{name: JANGAR_MIGRATIONS, value: %s}]}]}}}",
		"spec: {template: {spec: {containers: [{name: c, env: [{name: JANGAR_MIGRATIONS, valueFrom: %s}]}]}}}",
		"spec: {template: {spec: {containers: [{name: c, env: [{name: JANGAR_MIGRATIONS, value: skip, valueFrom: %s}]}]}}}",
		"spec: {template: {spec: {containers: [{name: c, env: [{name: JANGAR_MIGRATIONS, value: '', valueFrom: %s}]}]}}}",
		"spec: {template: {spec: {containers: [{name: c, env: [{name: JANGAR_MIGRATIONS, value: skip}, {name: JANGAR_MIGRATIONS, value: %s}]}]}}}",
		"spec: {template: {spec: {containers: [{name: c, command: %s, env: [{name: JANGAR_MIGRATIONS, value: skip}]}]}}}",
		"spec: {template: {spec: {containers: [{name: c, lifecycle: %s, env: [{name: JANGAR_MIGRATIONS, value: skip}]}]}}}",
		"spec: {template: {spec: {containers: [{name: c, livenessProbe: {exec: {command: %s}}, env: [{name: JANGAR_MIGRATIONS, value: skip}]}]}}}",
	} {
		for _, value := range values {
			text := head + strings.Replace(place, "%s", value, 1)
			if strings.Count(text, "metadata: {name") == 2 {
				text = strings.TrimPrefix(text, head)
				text = "apiVersion: apps/v1\nkind: Deployment\n" + text
			}
			e.compare(t, text, text)
			compared++
		}
	}
	for _, text := range []string{
		"kind: List\nitems: [{kind: null, metadata: {name: x}, spec: {template: {spec: {containers: [" + skip + "]}}}}]",
		"kind: List\nitems: [{kind: 5, metadata: {name: x}, spec: {template: {spec: {containers: [" + skip + "]}}}}]",
		"kind: List\nitems: [{kind: '', metadata: {name: x}, spec: {containers: [{name: c}]}}]",
		"items: [{kind: '', metadata: {name: x}, spec: {containers: [{name: c}]}}]\nkind: x",
		"kind: Deployment\nmetadata: {name: x-controllers}\nspec: {template: {spec: {containers: [{name: c}]}}}",
		"apiVersion: v1\nkind: Deployment\nmetadata: {name: x-controllers}\nspec: {template: {spec: {containers: [{name: c}]}}}",
		"apiVersion: 5\nkind: Deployment\nmetadata: {name: x-controllers}\nspec: {template: {spec: {containers: [{name: c}]}}}",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: null\nspec: {template: {spec: {containers: [{name: c}]}}}",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: 5\nspec: {template: {spec: {containers: [{name: c}]}}}",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: 5}\nspec: {template: {spec: {containers: [{name: c}]}}}",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {generateName: x-controllers}\nspec: {template: {spec: {containers: [{name: c}]}}}",
		"apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\nspec: {containers: [{name: a-controllers}]}",
		"apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x-controllers}\nspec: {jobTemplate: 5}",
		"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: x-controllers}\nspec: {workloadRef: {name: x}}",
		"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: x-controllers}\nspec: {replicas: 1}",
		"apiVersion: v1\nkind: List\nitems: [{items: [{items: [{items: [{kind: Pod}]}]}]}]",
		"apiVersion: a.b/v1\nkind: Workflow\nmetadata: {generateName: x-controllers-}\nspec: {templates: [{name: a, container: {image: i}}, {name: b, script: {image: i, source: 'JANGAR_MIGRATIONS=auto node'}}, {name: c, container: {name: d}}, 5]}",
		"apiVersion: a.b/v1\nkind: Set\nmetadata: {name: x-controllers}\nspec: {jobs: [{metadata: {name: y}, template: {spec: {template: {metadata: {labels: 5}, spec: {containers: [{name: c}, 5]}}}}}], containers: []}",
		"apiVersion: a.b/v1\nkind: Set\nmetadata: {name: x}\nspec: {jobs: [{metadata: {name: x-controllers}, template: {spec: {containers: [{image: c}]}}}, {template: {spec: {containers: [{image: c}]}}}]}",
		"apiVersion: a.b/v1\nkind: Set\nmetadata: {name: x-controllers}\ncontainers: [{name: c}]\ninitContainers: 5",
		"apiVersion: a.b/v1\nkind: Set\nmetadata: {name: x-controllers}\nspec: {container: {image: c}, containers: [{name: c}]}",
		"apiVersion: a.b/v1\nkind: Set\nmetadata: {name: x-controllers}\nspec: {a.b/c: {containers: [{name: c, $patch: delete, env: [{$patch: replace}, {name: 5, $x: y}]}]}}",
		"apiVersion: apps/v2\nkind: Set\nmetadata: {name: x-controllers}\nspec: {container: {}, script: {image: ''}, containers: [5, {}]}",
		"apiVersion: apps.kruise.io/v1\nkind: StatefulSet\nmetadata: {name: x-controllers}\nspec: {template: {spec: {containers: [{name: c}]}}}",
		"apiVersion: v1\nkind: Template\nmetadata: {name: t}\nobjects: [{apiVersion: apps/v1, kind: Deployment, metadata: {name: x-controllers}, spec: {template: {spec: {containers: [{name: c}]}}}}, 5]",
		"apiVersion: v1\nkind: List\nitems: {a: b}", "apiVersion: v1\nkind: PodList\nitems: [5, null, text]",
		"kind: PodList\napiVersion: v1\nitems: [{apiVersion: v1, metadata: {name: x-controllers}, spec: {containers: [{name: c}]}}]",
		"kind: DeploymentList\napiVersion: apps/v1\nitems: [{metadata: {name: x-controllers}, spec: {template: {spec: {containers: [{name: c}]}}}}]",
	} {
		e.compare(t, text, text)
		compared++
	}
	t.Logf("compared %d shapes", compared)
}

// TestModes compares guard and policy on values that the service could take
// for skip, and on names that look like the variable.
func TestModes(t *testing.T) {
	e := newEnforcer(t, nil)
	var containers []any
	add := func(container map[string]any) {
		container["name"] = fmt.Sprintf("c%d", len(containers))
		containers = append(containers, container)
	}
	texts := []string{"", "auto", "skip", "SKIP", "Off", "0", "00", "false", "disabled", "no", "sk\u0130p", "s\u212aip", "ſkip", "$$", "$(A)", "$$(A)", "$(A", "$", "$skip", "skip$", "$()", "skip$(", "$(JANGAR_MIGRATIONS)", "sk ip", "'skip'", strings.Repeat("ü", 61), strings.Repeat("x", 60)}
	for _, space := range "\t\n\v\f\r \u0085\u00a0\u1680\u180e\u2000\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff\u0000\u001f" {
		texts = append(texts, "skip"+string(space), string(space)+"skip", string(space))
	}
	for _, text := range texts {
		add(map[string]any{"env": []any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": text}}})
	}
	for _, name := range []string{"JANGAR_MIGRATION", "jangar-migrations", "JANGARMIGRATIONS", "JANGAR_MIGRATIONSS", "JANGAR_MlGRATIONS", "AGENTS_MIGRATIONS", "MIGRATIONS", "_MIGRATIONS", "JANGAR", "JANGAR_MIGARTIONS", "X"} {
		add(map[string]any{"env": []any{map[string]any{"name": "OTHER"}, map[string]any{"name": name, "value": "skip"}}})
	}
	found := e.compare(t, "modes", asManifest(t, "x-controllers", containers...))
	t.Logf("compared %d containers, of which %d are refused", len(containers), len(found))
}

// TestHidden lets a template hide a workload from who reads one document: each
// is refused.
func TestHidden(t *testing.T) {
	bad := asManifest(t, "x-controllers", map[string]any{"name": "c"})
	good := asManifest(t, "y-controllers", map[string]any{"name": "c", "env": []any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": "skip"}}})
	e := newEnforcer(t, nil)
	for name, separator := range map[string]string{
		"documents": "\n---\n", "a comment": "\n--- # more\n", "an end": "\n...\n", "a directive": "\n...\n%YAML 1.1\n---\n",
		"a carriage return": "\r---\r", "both": "\r\n---\r\n", "a line separator": "\u2028---\u2028", "next line": "\u0085---\u0085",
		"the same line": "\n--- ", "several": "\n---\n---\n# nothing\n---\nnull\n---\n",
	} {
		_, err := renderChart(t, loadChart(t, writtenBy(e.guard, good+separator+bad)), nil)
		got, refused := refusal(err)
		if !refused || len(got) == 0 {
			t.Errorf("%s: not refused: %v", name, err)
		}
	}
	if _, err := renderChart(t, loadChart(t, writtenBy(e.guard, good+"\n--- # more\n"+good+"\n---\n# nothing\n")), nil); err != nil {
		t.Errorf("good ones are refused: %v", err)
	}
}

// TestOthers: a workload in another template is judged when the contract binds
// it, however its name is written.
func TestOthers(t *testing.T) {
	guard, err := chartguard.Print(t.Context(), chartguard.Options{Others: []string{"templates/other.yaml"}})
	if err != nil {
		t.Fatal(err)
	}
	good := asManifest(t, "x-controllers", map[string]any{"name": "c", "env": []any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": "skip"}}})
	for name, bound := range map[string]bool{
		"y-controllers": true, `"y-controllers"`: true, `"y\x2dcontrollers"`: true, "\"y-con\\\n  trollers\"": true,
		"!!binary eS1jb250cm9sbGVycw==": true, "!<tag:yaml.org,2002:binary> eS1jb250cm9sbGVycw==": true, "&a y-controllers": true,
		"y": false, "y-controller": false, "controllers-y": false, "y-controllers-y": true, "y.controllers": false,
	} {
		content := writtenBy(guard, good)
		content["other"] = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name + "\nspec: {containers: [{name: d}]}\n"
		content["templates/other.yaml"] = `{{ .Files.Get "other" }}`
		_, err := renderChart(t, loadChart(t, content), nil)
		got, refused := refusal(err)
		if refused != bound || err != nil && !refused {
			t.Errorf("%s: refused %v, want %v: %v", name, refused, bound, err)
		}
		if bound && (len(got) != 1 || got[0].Code != "CNM001" || !strings.HasPrefix(got[0].Workload, "Pod/y-controllers")) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestManifests compares guard and policy on each object of the corpus of
// manifests, and on each of its commands at other places: the same findings, for
// nothing in the guard is coarser than the policy.
func TestManifests(t *testing.T) {
	manifests, err := fixtures.Manifests(filepath.Join("..", "..", "..", "fixtures", "manifests"))
	if err != nil {
		t.Fatal(err)
	}
	manifests = lane.Part(t, manifests, 4)
	e := newEnforcer(t, nil)
	counts := map[string]int{}
	var elsewhere []any
	add := func(container map[string]any) {
		container["name"] = fmt.Sprintf("c%d", len(elsewhere))
		elsewhere = append(elsewhere, container)
	}
	for _, m := range manifests {
		text, err := json.Marshal(m.Object)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range e.compare(t, m.Name, inASCII(string(text))) {
			counts[found.Code]++
		}
		for _, container := range containersIn(m.Object) {
			words := []any{}
			for _, key := range []string{"command", "args"} {
				list, _ := container[key].([]any)
				words = append(words, list...)
			}
			if len(words) == 0 {
				continue
			}
			env := []any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": "skip"}}
			for _, entry := range list(container["env"]) {
				if fields, ok := entry.(map[string]any); ok && fields["name"] != "JANGAR_MIGRATIONS" {
					env = append(env, entry)
				}
			}
			exec := map[string]any{"exec": map[string]any{"command": words}}
			add(map[string]any{"env": env, "envFrom": container["envFrom"], "args": words})
			add(map[string]any{"env": env, "envFrom": container["envFrom"], "readinessProbe": exec, "lifecycle": map[string]any{"preStop": exec}})
			if script, ok := words[len(words)-1].(string); ok {
				add(map[string]any{"env": env, "command": []any{"/bin/bash", "-ec", script}, "args": []any{script}})
			}
		}
	}
	counts["elsewhere"] = len(e.compare(t, "elsewhere", asManifest(t, "x-controllers", elsewhere...)))
	t.Logf("compared %d manifests, and their commands in %d containers: %v", len(manifests), len(elsewhere), counts)
	for what, least := range map[string]int{"CNM001": 16, "CNM005": 160, "CNM006": 8, "elsewhere": 600} {
		if least := lane.Rounds(t, least/8, least); counts[what] < least {
			t.Errorf("only %d of %s were found, and there were at least %d", counts[what], what, least)
		}
	}
}

func list(value any) []any {
	items, _ := value.([]any)
	return items
}

// containersIn are the maps in the lists of containers below a value, in order.
func containersIn(value any) []map[string]any {
	var found []map[string]any
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if key == "containers" || key == "initContainers" {
				for _, item := range list(value[key]) {
					if container, ok := item.(map[string]any); ok {
						found = append(found, container)
					}
				}
			}
			found = append(found, containersIn(value[key])...)
		}
	case []any:
		for _, item := range value {
			found = append(found, containersIn(item)...)
		}
	}
	return found
}

// TestImages compares guard and policy on the corpus of images and names, under
// constraints that say which images are bound.
func TestImages(t *testing.T) {
	manifests, err := fixtures.Manifests(filepath.Join("..", "..", "..", "fixtures", "manifests"))
	if err != nil {
		t.Fatal(err)
	}
	var images []any
	for _, image := range []any{nil, 5, "", "agents", "ghcr.io/proompteng/agents:1", "mirror/ghcr.io/proompteng/agents@sha256:0", "busybox", "docker.io/library/busybox:1", "istio/proxyv2", "gcr.io/istio-release/proxyv2:1.2", "mesh/proxy:1"} {
		images = append(images, map[string]any{"name": fmt.Sprintf("c%d", len(images)), "image": image})
	}
	for name, parameters := range map[string]map[string]any{
		"images":    {"images": []any{"proompteng/agents"}},
		"both":      {"images": []any{"*/agents", "mesh/*"}, "exemptImages": []any{"mesh/proxy"}},
		"none":      {"exemptImages": []any{}},
		"defaults":  {},
		"an other":  {"envVar": "A.B", "controllers": []any{"*agents*"}},
		"a pattern": {"controllers": []any{"*-c*o-*", "api"}},
	} {
		e := newEnforcer(t, withParameters(parameters))
		found := len(e.compare(t, name, asManifest(t, "x-controllers", images...)))
		for _, m := range lane.Part(t, manifests, 6) {
			if !slices.Contains([]string{"images.yaml", "names.yaml", "kinds.yaml"}, m.File) {
				continue
			}
			text, err := json.Marshal(m.Object)
			if err != nil {
				t.Fatal(err)
			}
			found += len(e.compare(t, name+": "+m.Name, inASCII(string(text))))
		}
		t.Logf("%s: %d findings", name, found)
	}
}

func withParameters(parameters map[string]any) *constraint.Constraint {
	return &constraint.Constraint{Name: "given", Content: map[string]any{
		"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": constraint.Kind,
		"metadata": map[string]any{"name": "given"},
		"spec":     map[string]any{"parameters": parameters},
	}}
}

// TestReferredWorkload: a Rollout gives its name to the Deployment that it takes
// its pod template from, in whichever of the judged templates the two stand.
func TestReferredWorkload(t *testing.T) {
	const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: c, image: web}]}}}\n"
	const rollout = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: %s}\nspec: {workloadRef: %s}\n"
	e := newEnforcer(t, nil)
	guard, err := chartguard.Print(t.Context(), chartguard.Options{Others: []string{"templates/other.yaml"}})
	if err != nil {
		t.Fatal(err)
	}
	good := asManifest(t, "x-controllers", map[string]any{"name": "c", "env": []any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": "skip"}}})
	for name, test := range map[string]struct {
		rollout string
		bound   bool
	}{
		"by kind and name":    {fmt.Sprintf(rollout, "a-controllers", "{kind: Deployment, name: web}"), true},
		"by name":             {fmt.Sprintf(rollout, "a-controllers", "{name: web}"), true},
		"another kind":        {fmt.Sprintf(rollout, "a-controllers", "{kind: ReplicaSet, name: web}"), false},
		"another name":        {fmt.Sprintf(rollout, "a-controllers", "{kind: Deployment, name: api}"), false},
		"not controllers":     {fmt.Sprintf(rollout, "a", "{kind: Deployment, name: web}"), false},
		"controllers by part": {fmt.Sprintf(rollout, "a, labels: {app.kubernetes.io/component: controllers}", "{kind: Deployment, name: web}"), true},
		"no map":              {fmt.Sprintf(rollout, "a-controllers", "web"), false},
	} {
		for order, text := range map[string]string{"before": test.rollout + "---\n" + deployment, "after": deployment + "---\n" + test.rollout} {
			objects, err := manifest.Read([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			result, err := e.evaluator.Evaluate(t.Context(), manifest.WithBeside(objects))
			if err != nil {
				t.Fatal(err)
			}
			if denied := len(result.Findings) > 0; denied != test.bound {
				t.Errorf("%s, %s: the policy denies: %v", name, order, denied)
			}
			_, err = renderChart(t, loadChart(t, writtenBy(e.guard, good+"\n---\n"+text)), nil)
			if _, refused := refusal(err); refused != test.bound {
				t.Errorf("%s, %s: refused %v, want %v: %v", name, order, refused, test.bound, err)
			}
		}
		content := writtenBy(guard, good+"\n---\n"+test.rollout)
		content["other"] = deployment
		content["templates/other.yaml"] = `{{ .Files.Get "other" }}`
		_, err := renderChart(t, loadChart(t, content), nil)
		if _, refused := refusal(err); refused != test.bound {
			t.Errorf("%s, in another template: refused %v, want %v: %v", name, refused, test.bound, err)
		}
	}
}
