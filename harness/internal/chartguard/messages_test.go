package chartguard_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

const (
	head = "The controllers would migrate, or cannot be proven not to: "
	tail = `
The value controllers.env.vars.JANGAR_MIGRATIONS of this chart sets the variable for the controllers.
To render in spite of this while it is mended, set controllersMigrationsGuard to "warn".`
	own = "Deployment/agents-controllers, container agents-controllers\n"
)

// refusals are values of the fixture chart and the whole message with which the
// guard refuses them, one for each rule and more.
var refusals = []struct{ name, values, message string }{
	{"CNM001", `
controllers: {extraContainers: [{name: proxy, image: i}]}`,
		head + `1 violation of "controllers never migrate".

CNM001 Deployment/agents-controllers, container proxy
  spec.template.spec.containers[1].env
  JANGAR_MIGRATIONS is not declared. Declare it once in env of this container, as name: JANGAR_MIGRATIONS with value: "skip". If its image holds no service, name the image in the constraint's exemptImages, or the service's in images.
` + tail},
	{"CNM002", `
controllers: {env: {vars: {JANGAR_MIGRATIONS: auto}}}`,
		head + `1 violation of "controllers never migrate".

CNM002 ` + own + `  spec.template.spec.containers[0].env[3].value "auto"
  JANGAR_MIGRATIONS does not say skip. Set it to value: "skip".
` + tail},
	{"CNM003 and CNM004", `
env: {config: [{name: JANGAR_MIGRATIONS, configMapName: modes, key: mode}]}`,
		head + `2 violations of "controllers never migrate".

CNM003 ` + own + `  spec.template.spec.containers[0].env[37].valueFrom
  The value of JANGAR_MIGRATIONS cannot be proven. Remove valueFrom. Set it to value: "skip".

CNM004 ` + own + `  spec.template.spec.containers[0].env[37]
  JANGAR_MIGRATIONS is declared more than once. Keep one of them, with value: "skip".
` + tail},
	{"CNM003 of a reference", `
controllers: {env: {vars: {JANGAR_MIGRATIONS: $(MODE)}}}`,
		head + `1 violation of "controllers never migrate".

CNM003 ` + own + `  spec.template.spec.containers[0].env[3].value "$(MODE)"
  The value of JANGAR_MIGRATIONS cannot be proven. Set it to value: "skip".
` + tail},
	{"CNM005", `
controllers: {command: [env, -u, JANGAR_MIGRATIONS, node], args: [server.js]}`,
		head + `1 violation of "controllers never migrate".

CNM005 ` + own + `  spec.template.spec.containers[0].command
  The process is started without JANGAR_MIGRATIONS, or with another value. Leave JANGAR_MIGRATIONS to env of the container, and only read it in commands.
` + tail},
	{"CNM006", `
controllers: {extraContainers: [{name: proxy, env: [{name: JANGAR_MIGRATIONS, value: 0}]}]}`,
		head + `1 violation of "controllers never migrate".

CNM006 Deployment/agents-controllers, container proxy
  spec.template.spec.containers[1].env[0].value 0
  The object cannot be read. Write it in quotes: value: "skip".
` + tail},
	{"CNM007", `
controllers: {enabled: false}`,
		head + `1 violation of "controllers never migrate".

CNM007
  templates/deployment-controllers.yaml
  There is no controllers workload. Let the template write a workload whose name, pod label or container matches the controllers patterns. If none is meant, switch the guard off.
` + tail},
	{"the control plane takes a controllers' name", `
fullnameOverride: agents-controllers`,
		head + `1 violation of "controllers never migrate".

CNM002 Deployment/agents-controllers, container agents
  spec.template.spec.containers[0].env[1].value "auto"
  JANGAR_MIGRATIONS does not say skip. Set it to value: "skip".
` + tail},
	{"the shared environment's list, and a sidecar, at once", `
env: {extra: [{name: JANGAR_MIGRATIONS, value: "no"}]}
controllers: {initContainers: [{name: wait, envFrom: [{secretRef: {name: s}}]}]}`,
		head + `3 violations of "controllers never migrate".

CNM002 ` + own + `  spec.template.spec.containers[0].env[37].value "no"
  JANGAR_MIGRATIONS does not say skip. Set it to value: "skip".

CNM004 ` + own + `  spec.template.spec.containers[0].env[37]
  JANGAR_MIGRATIONS is declared more than once. Keep one of them, with value: "skip".

CNM001 Deployment/agents-controllers, container wait
  spec.template.spec.initContainers[0].env
  JANGAR_MIGRATIONS is not declared. Declare it once in env of this container, as name: JANGAR_MIGRATIONS with value: "skip". If its image holds no service, name the image in the constraint's exemptImages, or the service's in images.
` + tail},
}

const warned = `
WARNING: controllersMigrationsGuard is "warn". With "enforce" this chart would not render:
`

// message is the guard's part of an error.
func message(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		t.Fatal("not refused")
	}
	_, text, ok := strings.Cut(err.Error(), "): \n")
	if !ok {
		t.Fatalf("another error: %v", err)
	}
	return strings.TrimPrefix(text, "\n")
}

// TestModesOfTheGuard renders the fixture chart with each refused values: with
// enforce, and when nothing says what the guard does, the message is whole; warn
// says the same in the notes and in the annotation; off says nothing.
func TestModesOfTheGuard(t *testing.T) {
	content := fixtureChart(t)
	chart := loadChart(t, content)
	bare := maps.Clone(content)
	delete(bare, "values.schema.json")
	bareChart := loadChart(t, bare)
	for _, test := range refusals {
		t.Run(test.name, func(t *testing.T) {
			with := func(mode any) map[string]any {
				all := values(t, test.values)
				all["controllersMigrationsGuard"] = mode
				return all
			}
			for _, mode := range []any{"enforce", nil} {
				_, err := renderChart(t, chart, with(mode))
				if diff := cmp.Diff(test.message, message(t, err)); diff != "" {
					t.Errorf("%v (-want +got):\n%s", mode, diff)
				}
			}
			body := strings.TrimSuffix(test.message, tail)
			body += "\n" + strings.Split(tail, "\n")[1]
			off, err := renderChart(t, chart, with("off"))
			if err != nil {
				t.Fatal(err)
			}
			warn, err := renderChart(t, chart, with("warn"))
			if err != nil {
				t.Fatal(err)
			}
			for name, text := range warn {
				want := off[name]
				switch {
				case strings.HasSuffix(name, "/NOTES.txt"):
					want = strings.TrimRight(want, "\n") + "\n" + warned + "\n" + body + "\n"
					text = strings.ReplaceAll(text, "\n\n\n", "\n\n")
					want = strings.ReplaceAll(want, "\n\n\n", "\n\n")
				case strings.HasSuffix(name, "/deployment-controllers.yaml") && want != "\n" && want != "":
					lines := strings.Split(body, "\n")
					want = strings.Replace(want, "\nspec:\n", "\n  annotations:\n    controllers-migrations-guard: |-\n      "+
						strings.Join(lines, "\n      ")+"\nspec:\n", 1)
					want = strings.ReplaceAll(want, "\n      \n", "\n    \n")
				}
				if diff := cmp.Diff(want, text); diff != "" {
					t.Errorf("warn: %s (-want +got):\n%s", name, diff)
				}
			}

			for mode, shown := range map[string]string{"Enforce": `"Enforce"`, "": `""`, "of": `"of"`} {
				_, err := renderChart(t, bareChart, with(mode))
				want := "controllersMigrationsGuard is " + shown + `. Set it to "enforce", "warn" or "off", in quotes: YAML reads off without quotes as false.`
				if diff := cmp.Diff(want, message(t, err)); diff != "" {
					t.Errorf("%q (-want +got):\n%s", mode, diff)
				}
				if _, err := renderChart(t, chart, with(mode)); err == nil || !strings.Contains(err.Error(), "at '/controllersMigrationsGuard': value must be one of 'enforce', 'warn', 'off'") {
					t.Errorf("%q: the schema says %v", mode, err)
				}
			}
		})
	}
}

// TestBadModes sets the guard to what is no text, in a chart without a schema.
func TestBadModes(t *testing.T) {
	content := fixtureChart(t)
	delete(content, "values.schema.json")
	chart := loadChart(t, content)
	for text, shown := range map[string]string{
		"off": "the boolean false", "true": "the boolean true", "0": "the number 0", "[warn]": "not a string", "{a: b}": "not a string",
	} {
		_, err := renderChart(t, chart, values(t, "controllersMigrationsGuard: "+text))
		want := "controllersMigrationsGuard is " + shown + `. Set it to "enforce", "warn" or "off", in quotes: YAML reads off without quotes as false.`
		if diff := cmp.Diff(want, message(t, err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	// A chart that forgot the value is guarded.
	content["values.yaml"] = strings.Replace(content["values.yaml"], `controllersMigrationsGuard: "warn"`, "", 1)
	_, err := renderChart(t, loadChart(t, content), values(t, refusals[1].values))
	if diff := cmp.Diff(refusals[1].message, message(t, err)); diff != "" {
		t.Errorf("not set (-want +got):\n%s", diff)
	}
}

// TestSoundValues: with values that keep the contract the guard changes not one
// byte, in any mode.
func TestSoundValues(t *testing.T) {
	chart := loadChart(t, fixtureChart(t))
	for _, text := range []string{
		"{}", "controllers: {env: {vars: {JANGAR_MIGRATIONS: skip}}}", `controllers: {env: {vars: {JANGAR_MIGRATIONS: " OFF "}}}`,
		"controllers: {env: {vars: {JANGAR_MIGRATIONS: 0}}}", "env: {vars: {JANGAR_MIGRATIONS: skip}}",
		"startupGuard: {enabled: true}", `controllers: {args: ["echo $JANGAR_MIGRATIONS"]}`, "nameOverride: other",
		"controllers: {command: [/migrations-guard, --], args: [node, server.js]}",
		"controllers: {initContainers: [{name: wait, env: [{name: JANGAR_MIGRATIONS, value: skip}]}]}\nstartupGuard: {enabled: true}",
	} {
		var want map[string]string
		for _, mode := range []string{"off", "warn", "enforce"} {
			all := values(t, text)
			all["controllersMigrationsGuard"] = mode
			got, err := renderChart(t, chart, all)
			if err != nil {
				t.Errorf("%s: %s: %v", text, mode, err)
			}
			if want == nil {
				want = got
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s (-off +%[2]s):\n%s", text, mode, diff)
			}
		}
	}
}

// TestStartupGuard: the init container has the environment of the controllers'
// own container, and stands before all others.
func TestStartupGuard(t *testing.T) {
	chart := loadChart(t, fixtureChart(t))
	out, err := renderChart(t, chart, values(t, `
startupGuard: {enabled: true}
envFromSecretRefs: [token]
controllersMigrationsGuard: enforce
controllers: {initContainers: [{name: wait, env: [{name: JANGAR_MIGRATIONS, value: skip}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	spec := values(t, out["agents/templates/deployment-controllers.yaml"])["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
	init := spec["initContainers"].([]any)
	guard, main := init[0].(map[string]any), spec["containers"].([]any)[0].(map[string]any)
	for _, key := range []string{"env", "envFrom", "securityContext", "imagePullPolicy"} {
		if diff := cmp.Diff(main[key], guard[key]); diff != "" || main[key] == nil {
			t.Errorf("%s (-controllers +guard):\n%s", key, diff)
		}
	}
	if len(init) != 2 || guard["name"] != "migrations-guard" || init[1].(map[string]any)["name"] != "wait" {
		t.Errorf("the init containers are %v", init)
	}
	if diff := cmp.Diff([]any{"/migrations-guard"}, guard["command"]); diff != "" {
		t.Error(diff)
	}
	if want := "registry.example.com/agents/migrations-guard:0.9.0"; guard["image"] != want {
		t.Errorf("image %v, want %s", guard["image"], want)
	}
}

// TestStockHelm renders with the stock command: it refuses with the same words,
// and renders the same.
func TestStockHelm(t *testing.T) {
	lane.Full(t)
	helm := stock.Tool(t, "helm")
	chart := loadChart(t, fixtureChart(t))
	run := func(text string) (string, string) {
		file := filepath.Join(t.TempDir(), "values.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		cmd := exec.Command(helm, "template", "agents", chartDir, "--namespace", "agents", "--kube-version", "1.35.0", "-f", file)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil && stderr.Len() == 0 {
			t.Fatal(err)
		}
		return stdout.String(), stderr.String()
	}
	for _, test := range refusals {
		stdout, stderr := run(test.values + "\ncontrollersMigrationsGuard: enforce\n")
		if stdout != "" {
			t.Errorf("%s: rendered", test.name)
		}
		if !strings.Contains(stderr, "\n"+test.message+"\n") {
			t.Errorf("%s: %s", test.name, stderr)
		}
		all := values(t, test.values)
		all["controllersMigrationsGuard"] = "warn"
		ours, err := renderChart(t, chart, all)
		if err != nil {
			t.Fatal(err)
		}
		stdout, stderr = run(test.values + "\ncontrollersMigrationsGuard: warn\n")
		for _, name := range slices.Sorted(maps.Keys(ours)) {
			if !strings.HasSuffix(name, ".yaml") {
				continue
			}
			// Helm writes the documents in an order of its own.
			for document := range strings.SplitSeq(ours[name], "\n---\n") {
				if text := strings.TrimSpace(strings.TrimPrefix(document, "---\n")); !strings.Contains(stdout, "\n"+text+"\n") {
					t.Errorf("%s: stock helm does not write what we do of %s: %s", test.name, name, stderr)
				}
			}
		}
		if strings.Contains(stdout, "# Source: agents/templates/controllers-migrations-guard.yaml") {
			t.Errorf("%s: the guard writes an object", test.name)
		}
	}
}
