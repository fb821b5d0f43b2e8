package admission_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/warning"
	"sigs.k8s.io/yaml"
)

// decode reads an object as an API server does, with integers apart from other
// numbers.
func decode(t testing.TB, text string) map[string]any {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := utiljson.Unmarshal(asJSON, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// container is a container with a value of the variable.
func container(value string) string {
	return fmt.Sprintf(`{name: app, image: "registry.example/agents:1", env: [{name: PORT, value: "1"}, {name: JANGAR_MIGRATIONS, value: %q}]}`, value)
}

// workload is an object of a kind with a pod template; more is added to it.
func workload(t testing.TB, kind, more string, containers ...string) map[string]any {
	t.Helper()
	pod := "{containers: [" + strings.Join(containers, ", ") + "]}"
	texts := map[string]string{
		"Deployment": `{apiVersion: apps/v1, kind: Deployment, spec: {replicas: 3, template: {spec: %s}}}`,
		"ReplicaSet": `{apiVersion: apps/v1, kind: ReplicaSet, spec: {replicas: 3, template: {spec: %s}}}`,
		"CronJob":    `{apiVersion: batch/v1, kind: CronJob, spec: {schedule: "* * * * *", jobTemplate: {spec: {template: {spec: %s}}}}}`,
		"Pod":        `{apiVersion: v1, kind: Pod, spec: %s}`,
		"Rollout":    `{apiVersion: argoproj.io/v1alpha1, kind: Rollout, spec: {template: {spec: %s}}}`,
	}
	object := decode(t, fmt.Sprintf(texts[kind], pod))
	object["metadata"] = map[string]any{"name": "agents-controllers", "namespace": "agents"}
	merge(object, decode(t, "{"+more+"}"))
	return object
}

func merge(into, from map[string]any) {
	for key, value := range from {
		below, ok := value.(map[string]any)
		if held, both := into[key].(map[string]any); ok && both {
			merge(held, below)
			continue
		}
		into[key] = value
	}
}

// given is an object as the API server has it.
func given(object map[string]any) runtime.Object {
	if object == nil {
		return nil
	}
	if typed := asTyped(object); typed != nil {
		return typed
	}
	return asUnstructured(object)
}

// TestReviews sends what clients and controllers send beside new objects. An
// empty answer is an admission.
func TestReviews(t *testing.T) {
	server := newAPIServer(t, nil)
	const denied = `CNM002 %s/agents-controllers container app at %sspec.containers[0].env[1].value "auto": JANGAR_MIGRATIONS does not say skip. Set it to value: "skip".`
	auto, skip := container("auto"), container("skip")
	in := func(kind, path string) string { return fmt.Sprintf(denied, kind, path) }
	for name, test := range map[string]struct {
		operation admission.Operation
		resource  string
		old, new  map[string]any
		want      string
	}{
		"create":           {admission.Create, "", nil, workload(t, "Deployment", "", auto), in("Deployment", "spec.template.")},
		"create a Pod":     {admission.Create, "", nil, workload(t, "Pod", "", auto), in("Pod", "")},
		"create a CronJob": {admission.Create, "", nil, workload(t, "CronJob", "", auto), in("CronJob", "spec.jobTemplate.spec.template.")},
		"create a Rollout": {admission.Create, "", nil, workload(t, "Rollout", "", auto), in("Rollout", "spec.template.")},
		"create what is sound": {
			admission.Create, "", nil, workload(t, "Deployment", "", skip), "",
		},
		"create a control plane": {
			admission.Create, "", nil, workload(t, "Deployment", "metadata: {name: agents}", auto), "",
		},
		"update of the template": {
			admission.Update, "", workload(t, "Deployment", "", skip), workload(t, "Deployment", "", auto), in("Deployment", "spec.template."),
		},
		"update that does not repair": {
			admission.Update, "", workload(t, "Deployment", "", container("")), workload(t, "Deployment", "", auto), in("Deployment", "spec.template."),
		},
		"update that repairs": {
			admission.Update, "", workload(t, "Deployment", "", auto), workload(t, "Deployment", "", skip), "",
		},
		"restart of what violates": {
			admission.Update, "", workload(t, "Deployment", "", auto),
			workload(t, "Deployment", `spec: {template: {metadata: {annotations: {kubectl.kubernetes.io/restartedAt: now}}}}`, auto), in("Deployment", "spec.template."),
		},
		"scaling by an update": {
			admission.Update, "", workload(t, "Deployment", "", auto), workload(t, "Deployment", "spec: {replicas: 0}", auto), "",
		},
		"scaling of an old ReplicaSet": {
			admission.Update, "", workload(t, "ReplicaSet", "", auto), workload(t, "ReplicaSet", "spec: {replicas: 0}", auto), "",
		},
		"annotation": {
			admission.Update, "", workload(t, "Deployment", "", auto), workload(t, "Deployment", "metadata: {annotations: {a: b}}", auto), "",
		},
		"removal of a finalizer": {
			admission.Update, "", workload(t, "Deployment", "metadata: {finalizers: [a/b]}", auto), workload(t, "Deployment", "", auto), "",
		},
		"pause of a CronJob": {
			admission.Update, "", workload(t, "CronJob", "", auto), workload(t, "CronJob", "spec: {suspend: true}", auto), "",
		},
		"scaling of a Rollout": {
			admission.Update, "", workload(t, "Rollout", "", auto), workload(t, "Rollout", "spec: {replicas: 0}", auto), "",
		},
		"Rollout that no longer refers to a Deployment": {
			admission.Update, "", workload(t, "Rollout", `spec: {template: null, workloadRef: {name: a}}`, auto), workload(t, "Rollout", "", auto), in("Rollout", "spec.template."),
		},
		"update of a Pod's tolerations": {
			admission.Update, "", workload(t, "Pod", "", auto), workload(t, "Pod", "spec: {tolerations: [{operator: Exists}]}", auto), "",
		},
		"update of a Pod that makes it a controllers workload": {
			admission.Update, "", workload(t, "Pod", "metadata: {name: agents}", auto),
			workload(t, "Pod", "metadata: {name: agents, labels: {app.kubernetes.io/name: agents-controllers}}", auto),
			strings.ReplaceAll(in("Pod", ""), "/agents-controllers", "/agents"),
		},
		"ephemeral container": {
			admission.Update, "pods/ephemeralcontainers", workload(t, "Pod", "", skip),
			workload(t, "Pod", `spec: {ephemeralContainers: [{name: debug, image: "x"}]}`, skip),
			`CNM001 Pod/agents-controllers container debug at spec.ephemeralContainers[0].env: JANGAR_MIGRATIONS is not declared. Declare it once in env of this container, as name: JANGAR_MIGRATIONS with value: "skip". If its image holds no service, name the image in the constraint's exemptImages, or the service's in images.`,
		},
		"deletion": {admission.Delete, "", workload(t, "Deployment", "", auto), nil, ""},
		"status": {
			admission.Update, "deployments/status", workload(t, "Deployment", "", skip), workload(t, "Deployment", "", auto), "",
		},
		"scale": {
			admission.Update, "deployments/scale", workload(t, "Deployment", "", auto), workload(t, "Deployment", "spec: {replicas: 0}", auto), "",
		},
		"connection": {admission.Connect, "pods/exec", nil, workload(t, "Pod", "", auto), ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := server.review(t, request{test.operation, given(test.new), given(test.old), test.resource}.attributes(t))
			want := ""
			if test.want != "" {
				subject := test.new
				metadata := subject["metadata"].(map[string]any)
				resource := resourceOf(subject)
				group := ""
				if prefix, _, ok := strings.Cut(subject["apiVersion"].(string), "/"); ok {
					group = "." + prefix
				}
				want = fmt.Sprintf("%s%s %q is forbidden: ValidatingAdmissionPolicy 'controllers-never-migrate' with binding 'controllers-never-migrate' denied request: %s",
					resource, group, metadata["name"], test.want)
			}
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// recorder keeps the warnings that a client would see.
type recorder struct{ texts []string }

func (r *recorder) AddWarning(_, text string) { r.texts = append(r.texts, text) }

// annotated keeps what the audit log would get.
type annotated struct {
	admission.Attributes
	annotations map[string]string
}

func (a annotated) AddAnnotation(key, value string) error {
	a.annotations[key] = value
	return nil
}

// TestEnforcement sees what is done about a finding under each enforcement.
func TestEnforcement(t *testing.T) {
	const finding = `CNM002 Deployment/agents-controllers container app at spec.template.spec.containers[0].env[1].value "auto": JANGAR_MIGRATIONS does not say skip. Set it to value: "skip".`
	const refused = `deployments.apps "agents-controllers" is forbidden: ValidatingAdmissionPolicy 'chosen' with binding 'chosen' denied request: ` + finding
	const warned = `Validation failed for ValidatingAdmissionPolicy 'chosen' with binding 'chosen': ` + finding
	type outcome struct {
		Refused  string
		Warnings []string
		Audited  string
	}
	for enforcement, want := range map[string]outcome{
		"deny":   {Refused: refused, Audited: finding},
		"warn":   {Warnings: []string{warned}, Audited: finding},
		"dryrun": {Audited: finding},
	} {
		t.Run(enforcement, func(t *testing.T) {
			server := newAPIServer(t, parse(t, "{enforcementAction: "+enforcement+"}"))
			attributes := annotated{request{operation: admission.Create, object: given(workload(t, "Deployment", "", container("auto")))}.attributes(t), map[string]string{}}
			var warnings recorder
			err := server.dispatch(warning.WithWarningRecorder(t.Context(), &warnings), attributes)
			var got outcome
			if err != nil {
				got.Refused = err.Error()
			}
			got.Warnings = warnings.texts
			var failures []struct{ Message string }
			if text := attributes.annotations["validation.policy.admission.k8s.io/validation_failure"]; text != "" {
				if err := json.Unmarshal([]byte(text), &failures); err != nil {
					t.Fatal(err)
				}
				got.Audited = failures[0].Message
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMessages holds whole messages, and what becomes of those that the API
// server would not print.
func TestMessages(t *testing.T) {
	server := newAPIServer(t, parse(t, `{parameters: {exemptImages: [x]}}`))
	prefix := `deployments.apps "agents-controllers" is forbidden: ValidatingAdmissionPolicy 'chosen' with binding 'chosen' denied request: `
	at := func(code, place, says string) string {
		return code + " Deployment/agents-controllers container app at spec.template.spec.containers[0]." + place + ": " + says
	}
	const (
		declare    = `JANGAR_MIGRATIONS is not declared. Declare it once in env of this container, as name: JANGAR_MIGRATIONS with value: "skip". If its image holds no service, name the image in the constraint's exemptImages, or the service's in images.`
		set        = `JANGAR_MIGRATIONS does not say skip. Set it to value: "skip".`
		from       = `The value of JANGAR_MIGRATIONS cannot be proven. Remove valueFrom. Set it to value: "skip".`
		reference  = `The value of JANGAR_MIGRATIONS cannot be proven. Set it to value: "skip".`
		leave      = "The process is started without JANGAR_MIGRATIONS, or with another value. Leave JANGAR_MIGRATIONS to env of the container, and only read it in commands."
		unreadable = "The object cannot be read. Write the value with the type that Kubernetes expects."
		good       = "env: [{name: JANGAR_MIGRATIONS, value: skip}]"
	)
	for name, test := range map[string]struct{ container, want string }{
		"undeclared":   {"", at("CNM001", "env", declare)},
		"envFrom":      {"envFrom: [{secretRef: {name: a}}, {prefix: X_, configMapRef: {name: b}}]", at("CNM001", "env", declare)},
		"another case": {"env: [{name: jangar-migrations, value: skip}]", at("CNM001", "env", declare)},
		"no value":     {"env: [{name: JANGAR_MIGRATIONS}]", at("CNM002", `env[0] ""`, set)},
		"a typo":       {`env: [{name: JANGAR_MIGRATIONS, value: "sk\nip"}]`, at("CNM002", `env[0].value "sk\nip"`, set)},
		"long": {
			"env: [{name: JANGAR_MIGRATIONS, value: " + strings.Repeat("x", 61) + "}]",
			at("CNM002", `env[0].value "`+strings.Repeat("x", 60)+`"…`, set),
		},
		"valueFrom": {"env: [{name: JANGAR_MIGRATIONS, valueFrom: {secretKeyRef: {name: a, key: b}}}]", at("CNM003", "env[0].valueFrom", from)},
		"reference": {"env: [{name: JANGAR_MIGRATIONS, value: $(MODE)}]", at("CNM003", `env[0].value "$(MODE)"`, reference)},
		"twice": {
			"env: [{name: JANGAR_MIGRATIONS, value: skip}, {name: JANGAR_MIGRATIONS, value: auto}]",
			at("CNM002", `env "auto"`, set) + " " +
				at("CNM004", "env", `JANGAR_MIGRATIONS is declared more than once. Keep one of them, with value: "skip".`),
		},
		"both": {
			"env: [{name: JANGAR_MIGRATIONS, value: skip, valueFrom: {fieldRef: {fieldPath: a}}}]",
			at("CNM003", "env[0].valueFrom", from) + " " +
				at("CNM004", "env[0]", `JANGAR_MIGRATIONS is declared more than once. Remove valueFrom and keep value: "skip".`),
		},
		"command":  {good + `, command: [sh, -c, "JANGAR_MIGRATIONS=auto node"]`, at("CNM005", "command[2]", leave)},
		"args":     {good + `, command: [sh, -c], args: ["unset JANGAR_MIGRATIONS"]`, at("CNM005", "args[0]", leave)},
		"line":     {good + `, command: [env], args: [-i, node]`, at("CNM005", "command", leave)},
		"hook":     {good + `, lifecycle: {preStop: {exec: {command: [sh, -c, "export JANGAR_MIGRATIONS=auto"]}}}`, at("CNM005", "lifecycle.preStop.exec.command[2]", leave)},
		"reading":  {good + `, command: [sh, -c, 'test "$JANGAR_MIGRATIONS" = skip && echo "JANGAR_MIGRATIONS=$JANGAR_MIGRATIONS"']`, ""},
		"a number": {"env: [{name: JANGAR_MIGRATIONS, value: 0}]", at("CNM006", "env[0].value", `The object cannot be read. Write it in quotes: value: "skip".`)},
		"a map":    {"env: {JANGAR_MIGRATIONS: skip}", at("CNM006", "env", unreadable)},
		"image and args": {
			"image: 5, args: [1], " + good,
			at("CNM006", "image", unreadable) + " " + at("CNM006", "args[0]", unreadable),
		},
		"exempt": {"image: x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			object := workload(t, "Deployment", "", "{name: app, "+test.container+"}")
			got := ""
			if err := server.review(t, request{operation: admission.Create, object: given(object)}.attributes(t)); err != nil {
				got = strings.TrimPrefix(err.Error(), prefix)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for name, value := range map[string]string{"long": "x", "long and wide": "語"} {
		t.Run(name, func(t *testing.T) {
			var containers []string
			for i := range 50 {
				containers = append(containers, strings.Replace(container(strings.Repeat(value, 60)), "name: app", fmt.Sprintf("name: app-%d", i), 1))
			}
			err := server.review(t, request{operation: admission.Create, object: given(workload(t, "Deployment", "", containers...))}.attributes(t))
			got := strings.TrimPrefix(err.Error(), prefix)
			if !strings.HasPrefix(got, `CNM002 Deployment/agents-controllers container app-0 at `) || !strings.HasSuffix(got, "… (cut)") || !utf8.ValidString(got) || len(got) < 1200 {
				t.Errorf("%d bytes: %s", len(got), got)
			}
		})
	}
}
