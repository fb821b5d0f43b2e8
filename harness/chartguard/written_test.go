package chartguard_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/proompteng/nevermigrate/fixtures"
	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/chartguard"
	"github.com/proompteng/nevermigrate/harness/constraint"
	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/manifest"
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
// what the policy says of them, word by word. It returns the findings.
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
		want = []violation{{Code: "CNM007", Message: got[0].Message, Remedy: got[0].Remedy}}
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
	cases, err := fixtures.Cases(filepath.Join("..", "..", "fixtures", "cases"))
	if err != nil {
		t.Fatal(err)
	}
	defaults := newEnforcer(t, nil)
	compared, findings := 0, 0
	for _, c := range cases {
		manifests, err := harness.Render(t.Context(), c.Path(), harness.Options{})
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
	if findings < 100 {
		t.Errorf("there were only %d findings", findings)
	}
	t.Logf("compared %d renderings with %d findings", compared, findings)
}

// TestCommands compares guard and policy on every text in the policy's own
// tests of commands.
func TestCommands(t *testing.T) {
	file := filepath.Join("..", "..", "policy", "lib", "process_test.rego")
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
	// In ASCII: not every reader of YAML leaves every line break in a text alone.
	var ascii strings.Builder
	for _, r := range string(text) {
		if r < 0x7f {
			ascii.WriteRune(r)
		} else {
			fmt.Fprintf(&ascii, "\\u%04x", r)
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
		"y": false, "y-controller": false, "controllers-y": false, "y-controllers-y": false,
	} {
		content := writtenBy(guard, good)
		content["other"] = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name + "\nspec: {containers: [{name: d}]}\n"
		content["templates/other.yaml"] = `{{ .Files.Get "other" }}`
		_, err := renderChart(t, loadChart(t, content), nil)
		got, refused := refusal(err)
		if refused != bound || err != nil && !refused {
			t.Errorf("%s: refused %v, want %v: %v", name, refused, bound, err)
		}
		if bound && (len(got) != 1 || got[0].Code != "CNM001" || got[0].Workload != "Pod/y-controllers") {
			t.Errorf("%s: %v", name, got)
		}
	}
}
