// Package agreement holds what its tests compare the enforcers of the contract
// by: the same objects, given to each of them, must get the same verdict.
package agreement

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/decider"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
)

// What a constraint of the tests can name, so that its match and its exempt
// images tell the objects of a corpus apart.
const (
	// Variable is the migrations variable of most environments in a corpus.
	Variable = "JANGAR_MIGRATIONS"
	// ExemptImage and ExemptPrefix are images of some containers.
	ExemptImage  = "registry.example/mesh/proxy:1.27"
	ExemptPrefix = "registry.example/tools/"
	// ExcludedNamespace is the namespace of some objects.
	ExcludedNamespace = "kube-system"
)

// Corpus makes n random objects as a manifest could hold them: mostly
// controllers workloads, sound or broken in one way or in several, and what
// looks like one and is none. The same seed gives the same objects, and a
// longer corpus begins with a shorter one. Numbers are int64 or float64, so the
// objects are fit for unstructured.Unstructured.
//
// The kinds of workload are those of the policy.
func Corpus(t testing.TB, seed uint64, n int) []map[string]any {
	t.Helper()
	kinds := kindsOf(Facts(t))
	objects := make([]map[string]any, n)
	for i := range objects {
		g := generator{rand.New(rand.NewPCG(seed, uint64(i))), kinds}
		objects[i] = g.document()
	}
	return objects
}

// Facts are what the policy says without a constraint.
func Facts(t testing.TB) *decider.Facts {
	t.Helper()
	evaluator, err := evaluate.New(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	known, err := decider.Read(t.Context(), evaluator)
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// generator draws the parts of an object.
type generator struct {
	*rand.Rand
	kinds []kind
}

// weighted is something to draw, with how often to draw it.
type weighted[T any] struct {
	weight int
	thing  T
}

// draw draws one of several things by their weights.
func draw[T any](g generator, from ...weighted[T]) T {
	total := 0
	for _, w := range from {
		total += w.weight
	}
	at := g.IntN(total)
	for _, w := range from {
		if at < w.weight {
			return w.thing
		}
		at -= w.weight
	}
	panic("unreachable: the weights add up to the total")
}

// oneOf draws one of several things that are equally likely.
func oneOf[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

// chance is true in percent of a hundred draws.
func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

// document is an object, or a list of some.
func (g generator) document() map[string]any {
	if g.chance(4) {
		return g.list()
	}
	return g.object()
}

// kind is what an object of a corpus can be.
type kind struct {
	kind, apiVersion string
	place            []string // of the pod template
	often            int
}

// often is how often a kind is drawn where that is not 6 times.
var often = map[string]int{"Deployment": 40, "StatefulSet": 10, "Pod": 12}

// others have a pod template and are no workloads of the contract.
var others = []kind{
	{"Deployment", "example.com/v1", []string{"spec", "template"}, 1},
	{"Rollout", "apps/v1", []string{"spec", "template"}, 1},
	{"CronJob", "batch.example.com/v1", []string{"spec", "jobTemplate", "spec", "template"}, 1},
	{"Pod", "apps/v1", nil, 1},
	{"deployment", "apps/v1", []string{"spec", "template"}, 1},
	{"DeploymentConfig", "apps.openshift.io/v1", []string{"spec", "template"}, 1},
	{"Service", "serving.knative.dev/v1", []string{"spec", "template"}, 1},
	{"Service", "v1", []string{"spec", "template"}, 1},
	{"ConfigMap", "v1", []string{"data"}, 1},
}

// IsOfOtherKind reports whether a document of a corpus, or an item of it, has another
// kind than those that are drawn, for something was put in its place. The gate looks
// for a pod spec in it, and the constraint does not match it.
func IsOfOtherKind(t testing.TB, document map[string]any) bool {
	t.Helper()
	kinds := kindsOf(Facts(t))
	var isOther func(object map[string]any) bool
	isOther = func(object map[string]any) bool {
		if items, ok := object["items"].([]any); ok && slices.ContainsFunc(items, func(item any) bool {
			below, ok := item.(map[string]any)
			return ok && isOther(below)
		}) {
			return true
		}
		name, ok := object["kind"].(string)
		if !ok || strings.HasSuffix(name, "List") {
			return false
		}
		return !slices.ContainsFunc(kinds, func(k kind) bool { return k.kind == name && k.apiVersion == object["apiVersion"] })
	}
	return isOther(document)
}

// kindsOf are the kinds of workload of the policy, and what looks like one.
func kindsOf(known *decider.Facts) []kind {
	var all []kind
	for _, name := range known.KindNames() {
		for _, group := range known.Kinds[name].Groups {
			apiVersion := strings.TrimPrefix(group+"/"+known.Versions[group], "/")
			k := kind{name, apiVersion, known.Kinds[name].Template, 6}
			if n, ok := often[name]; ok {
				k.often = n
			}
			if group == "extensions" {
				k.often = 1 // no API server serves it any more
			}
			all = append(all, k)
		}
	}
	return append(all, others...)
}

// object is one object, one in six with something at the wrong place.
func (g generator) object() map[string]any {
	var choices []weighted[int]
	for i, k := range g.kinds {
		choices = append(choices, weighted[int]{k.often, i})
	}
	of := g.kinds[draw(g, choices...)]
	controllers := g.chance(75)
	object := map[string]any{}
	pod := g.pod(controllers)
	// What holds a pod spec is a workload for the gate, whatever its kind; the
	// cluster judges its Pods.
	if spec, ok := pod["spec"].(map[string]any); ok && slices.ContainsFunc(others, func(o kind) bool { return o.kind == of.kind && o.apiVersion == of.apiVersion }) {
		spec["parts"] = spec["containers"]
		delete(spec, "containers")
	}
	if len(of.place) == 0 {
		object = pod
	} else {
		object[of.place[0]] = nest(of.place[1:], pod)
	}
	g.dress(object, of.kind, controllers)
	object["kind"], object["apiVersion"] = of.kind, of.apiVersion
	metadata, ok := object["metadata"].(map[string]any)
	if !ok {
		metadata = map[string]any{}
		object["metadata"] = metadata
	}
	g.name(metadata, controllers)
	switch g.IntN(10) {
	case 0:
	case 1:
		metadata["namespace"] = ExcludedNamespace
	default:
		metadata["namespace"] = oneOf(g, "agents", "agents-staging")
	}
	if g.chance(16) {
		for range 1 + g.IntN(2) {
			g.breakOne(object)
		}
	}
	return object
}

func nest(place []string, thing any) any {
	for _, key := range slices.Backward(place) {
		thing = map[string]any{key: thing}
	}
	return thing
}

// dress adds fields of a kind that the contract does not read.
func (g generator) dress(object map[string]any, kind string, controllers bool) {
	spec, ok := object["spec"].(map[string]any)
	if !ok {
		return
	}
	switch kind {
	case "Deployment", "StatefulSet", "ReplicaSet":
		spec["replicas"] = int64(g.IntN(4))
	case "CronJob":
		spec["schedule"] = "*/5 * * * *"
	case "Rollout":
		if g.chance(20) {
			spec["workloadRef"] = map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "agents-controllers"}
			if g.chance(70) {
				delete(spec, "template")
			}
		}
	}
	if g.chance(5) {
		object["status"] = map[string]any{"replicas": int64(1)}
	}
	if controllers && g.chance(5) {
		spec["paused"] = true
	}
}

// name names an object; what makes it a controllers workload may be its name,
// its label or a container, so some controllers go by another name here.
func (g generator) name(metadata map[string]any, controllers bool) {
	name := oneOf(g, "agents", "agents-controller", "controllers", "agents-controllers-canary", "Agents-Controllers", "web")
	if controllers && g.chance(85) {
		name = oneOf(g, "agents-controllers", "jangar-controllers", "x-controllers", "a.b-controllers")
	}
	if g.chance(8) {
		metadata["generateName"] = name + "-"
		if g.chance(50) {
			metadata["generateName"] = name
		}
		return
	}
	metadata["name"] = name
}

// pod is a pod template. In two of five all containers are sound.
func (g generator) pod(controllers bool) map[string]any {
	sound := g.chance(40)
	spec := map[string]any{}
	containers := g.containers(1+g.IntN(3), "app", sound)
	if controllers && g.chance(4) {
		containers[0].(map[string]any)["name"] = "app-controllers"
	}
	spec["containers"] = containers
	if g.chance(30) {
		spec["initContainers"] = g.containers(1+g.IntN(2), "init", sound)
	}
	if g.chance(12) {
		spec["ephemeralContainers"] = g.containers(1, "debug", sound)
	}
	if g.chance(20) {
		spec["serviceAccountName"] = "agents"
	}
	if g.chance(20) {
		spec["terminationGracePeriodSeconds"] = int64(30)
	}
	pod := map[string]any{"spec": spec}
	if g.chance(60) {
		labels := map[string]any{"app": "agents"}
		if g.chance(60) {
			labels["app.kubernetes.io/name"] = oneOf(g, "agents", "agents", "agents-controller", "-controllersx")
			if controllers && g.chance(50) {
				labels["app.kubernetes.io/name"] = "agents-controllers"
			}
		}
		if g.chance(10) {
			labels["app.kubernetes.io/component"] = oneOf(g, "controllers", "controllers-canary", "web", "")
		}
		if controllers && g.chance(10) {
			labels["app"] = "x-controllers"
		}
		pod["metadata"] = map[string]any{"labels": labels}
	}
	return pod
}

func (g generator) containers(n int, name string, sound bool) []any {
	containers := []any{}
	for i := range n {
		containers = append(containers, g.container(fmt.Sprintf("%s-%d", name, i), sound || g.chance(40)))
	}
	return containers
}

func (g generator) container(name string, sound bool) map[string]any {
	container := map[string]any{"name": name, "image": draw(g,
		weighted[string]{16, "registry.example/agents/jangar:0.9"},
		weighted[string]{2, ExemptImage},
		weighted[string]{1, ExemptImage + "1"},
		weighted[string]{2, ExemptPrefix + "debug:1"},
		weighted[string]{1, "registry.example/toolsx:1"},
		weighted[string]{1, "mirror.example/hub/istio/proxyv2:1.22"},
		weighted[string]{1, "busybox"},
		weighted[string]{1, "quay.io/calico/kube-controllers:v3.27"},
		weighted[string]{1, "evil.example/busybox:1"},
	)}
	env := g.otherVariables()
	switch {
	case sound:
		env = g.insert(env, variable(Variable, g.skip()))
	default:
		for _, entry := range g.faultyDeclarations() {
			env = g.insert(env, entry)
		}
	}
	if len(env) > 0 || g.chance(50) {
		container["env"] = env
	}
	if g.chance(15) {
		container["envFrom"] = g.sources()
	}
	if g.chance(30) {
		g.addCommands(container, sound || g.chance(50))
	}
	if g.chance(2) {
		container[oneOf(g, "$patch", "$retainKeys")] = oneOf[any](g, "replace", []any{"name"})
	}
	if len(env) > 0 && g.chance(2) {
		env[g.IntN(len(env))].(map[string]any)[oneOf(g, "$patch", "$setElementOrder/x")] = "delete"
	}
	if g.chance(10) {
		container["resources"] = map[string]any{"requests": map[string]any{"cpu": "100m"}}
	}
	return container
}

// insert puts an entry at a random place.
func (g generator) insert(env []any, entry any) []any {
	return slices.Insert(env, g.IntN(len(env)+1), entry)
}

func variable(name, value string) map[string]any {
	return map[string]any{"name": name, "value": value}
}

func (g generator) otherVariables() []any {
	env := []any{}
	for range g.IntN(4) {
		switch g.IntN(8) {
		case 0:
			env = append(env, map[string]any{"name": oneOf(g, "JANGAR_TOKEN", "DATABASE_URL"), "valueFrom": g.from()})
		case 1:
			env = append(env, variable(oneOf(g,
				"JANGAR_MIGRATION", "jangar_migrations", "JANGAR_MIGRATIONS ", "JANGAR-MIGRATIONS",
				"AGENTS_MIGRATIONS", "JANGAR_MIGRATIONS_DIR", "XJANGAR_MIGRATIONS", "JANGAR_M\u0130GRATIONS",
			), oneOf(g, "skip", "auto")))
		case 2:
			env = append(env, variable("NODE_OPTIONS", "--require $(JANGAR_MIGRATIONS) $(HOME)"))
		default:
			env = append(env, variable(oneOf(g, "PORT", "LOG_LEVEL", "MODE", "SKIP"), oneOf(g, "8080", "info", "skip", "",
				"JANGAR_MIGRATIONS=auto", "export JANGAR_MIGRATIONS=auto;", "$(PORT)", "$(MODE) x", "-i", "JANGAR_", "A=b")))
		}
	}
	return env
}

// skip is a value that keeps the service from migrating.
func (g generator) skip() string {
	if g.chance(70) {
		return "skip"
	}
	return oneOf(g,
		"disabled", "false", "0", "off", "SKIP", "Skip", "sKiP", "False", "OFF", "Disabled",
		" skip", "skip ", "\tskip\n", "\r\nskip", "\u00a0skip", "skip\u3000", "\ufeffskip", "\u2028off\u2029", "\u1680 0",
	)
}

// auto is a value that makes the service migrate, or may.
func (g generator) auto() string {
	return oneOf(g,
		"auto", "auto", "AUTO", " auto ", "", " ", "true", "1", "on", "yes", "no", "skipp", "ski p", "skip,auto", "null", "00", "0.0",
		"\u0085skip", "\u200bskip", "skip\u180e", "\u017fkip", "s\u212aip", "\uff53\uff4b\uff49\uff50", "d\u0130sabled", "skip\x00", "\"skip\"", "'skip'",
	)
}

// reference is a value with something that looks like a reference.
func (g generator) reference() string {
	return oneOf(g,
		"$(MODE)", "$(SKIP)", "$(MISSING)", "skip$(MISSING)", "$(JANGAR_MIGRATIONS)", "$$(SKIP)", "$$$(SKIP)", "$(", "$()", "$(SKIP",
		"$skip", "skip$", "$$skip", "sk$(X)ip", "${SKIP}", "$(a-b.c)", "$(a b)", "$ (SKIP)",
	)
}

func (g generator) from() any {
	return oneOf[any](g,
		map[string]any{"configMapKeyRef": map[string]any{"name": "agents", "key": "mode"}},
		map[string]any{"secretKeyRef": map[string]any{"name": "agents", "key": "mode", "optional": true}},
		map[string]any{"fieldRef": map[string]any{"fieldPath": "metadata.name"}},
		map[string]any{"resourceFieldRef": map[string]any{"resource": "limits.cpu"}},
		map[string]any{"fileKeyRef": map[string]any{"path": "env", "key": "mode", "volumeName": "v"}},
		map[string]any{},
	)
}

// faultyDeclarations are the declarations of the variable in an environment
// that is probably not sound.
func (g generator) faultyDeclarations() []any {
	declare := func(value string) any { return variable(Variable, value) }
	bare := map[string]any{"name": Variable}
	both := map[string]any{"name": Variable, "value": oneOf(g, "skip", "auto", "", "$(MODE)"), "valueFrom": g.from()}
	return draw(g,
		weighted[func() []any]{25, func() []any { return []any{declare(g.auto())} }},
		weighted[func() []any]{20, func() []any { return nil }},
		weighted[func() []any]{10, func() []any { return []any{declare(g.reference())} }},
		weighted[func() []any]{12, func() []any { return []any{map[string]any{"name": Variable, "valueFrom": g.from()}} }},
		weighted[func() []any]{12, func() []any { return []any{declare(g.skip()), declare(g.skip())} }},
		weighted[func() []any]{6, func() []any { return []any{declare("auto"), declare("skip"), declare(g.reference())} }},
		weighted[func() []any]{6, func() []any { return []any{both} }},
		weighted[func() []any]{3, func() []any { return []any{bare} }},
		weighted[func() []any]{3, func() []any { return []any{both, declare("skip")} }},
		weighted[func() []any]{3, func() []any { return []any{map[string]any{"name": Variable, "value": g.junk()}} }},
		weighted[func() []any]{3, func() []any { return []any{map[string]any{"name": Variable, "value": "skip", "valueFrom": g.junk()}} }},
	)()
}

func (g generator) sources() []any {
	return []any{oneOf[any](g,
		map[string]any{"configMapRef": map[string]any{"name": "agents"}},
		map[string]any{"secretRef": map[string]any{"name": "agents"}, "prefix": "JANGAR_"},
		map[string]any{"prefix": "JANGAR_"},
		map[string]any{},
	)}
}

// addCommands gives a container commands, hooks or probes.
func (g generator) addCommands(container map[string]any, innocent bool) {
	script := g.innocentScript()
	switch {
	case g.chance(30):
		script = g.composedScript()
	case !innocent:
		script = g.changingScript()
	}
	command := g.command(script)
	handler := map[string]any{"exec": map[string]any{"command": command}}
	switch place := oneOf(g, "command", "args", "both", "postStart", "preStop", "livenessProbe", "readinessProbe", "startupProbe"); place {
	case "command", "args":
		container[place] = command
	case "both":
		cut := g.IntN(len(command) + 1)
		container["command"], container["args"] = command[:cut:cut], command[cut:]
	case "postStart", "preStop":
		container["lifecycle"] = map[string]any{place: handler}
	default:
		container[place] = handler
		if g.chance(20) {
			container[place] = map[string]any{"httpGet": map[string]any{"path": "/healthz", "port": int64(8080)}}
		}
	}
}

// command is a script as words: one line for a shell, or word by word.
func (g generator) command(script string) []any {
	if g.chance(65) {
		return []any{oneOf(g, "sh", "/bin/sh", "bash"), oneOf(g, "-c", "-ec"), script}
	}
	if g.chance(20) {
		return append(oneOf(g, []any{"sudo", "-u", "node"}, []any{"su", "-c"}, []any{"env", "$(MODE)"}, []any{"env", "-S"}, []any{"npm", "exec", "-c"}, []any{"node", "-e"},
			[]any{"echo"}, []any{"/migrations-guard", "--hint"}, []any{"$(MODE)"}, []any{"nginx", "-c"}), script)
	}
	words := []any{}
	for word := range strings.FieldsSeq(script) {
		words = append(words, word)
	}
	return words
}

func (g generator) innocentScript() string {
	return oneOf(g,
		"node dist/server.js", "exec node dist/server.js --mode=$JANGAR_MIGRATIONS", `test "$JANGAR_MIGRATIONS" = skip && node server.js`,
		`echo "JANGAR_MIGRATIONS=$JANGAR_MIGRATIONS"`, "echo ${JANGAR_MIGRATIONS:-auto}", "printenv JANGAR_MIGRATIONS", "env -u OTHER node server.js",
		"JANGAR_MIGRATIONS_DIR=/x node server.js", "XJANGAR_MIGRATIONS=auto node server.js", "unset JANGAR_MIGRATIONS_DIR", "node -e 'process.env.JANGAR_MIGRATIONS === \"skip\"'",
		"export PATH=/bin\nnode server.js", "jangar_migrations=auto node server.js", "true", "",
	)
}

func (g generator) changingScript() string {
	return oneOf(g,
		"JANGAR_MIGRATIONS=auto node server.js", "export JANGAR_MIGRATIONS=auto; node server.js", "export JANGAR_MIGRATIONS=skip\nnode server.js",
		"unset JANGAR_MIGRATIONS; exec node server.js", "env -u JANGAR_MIGRATIONS node server.js", "env -uJANGAR_MIGRATIONS node server.js",
		"env --unset=JANGAR_MIGRATIONS node server.js", "env -i node server.js", "env - node server.js", "env -iu X node server.js", "exec -c node server.js",
		"env JANGAR_MIGRATIONS=auto node server.js", "env 'JANGAR_MIGRATIONS=auto' node server.js", "env -S'JANGAR_MIGRATIONS=auto node'", "JANGAR_\\\nMIGRATIONS=auto node server.js",
		"JANGAR_MIGRA''TIONS=auto node server.js", "declare -x JANGAR_MIGRATIONS=auto", "read -r JANGAR_MIGRATIONS < /etc/mode", "printf -v JANGAR_MIGRATIONS auto",
		": ${JANGAR_MIGRATIONS:=auto}", "node -e 'process.env.JANGAR_MIGRATIONS=\"auto\"'", "node -e 'delete process.env.JANGAR_MIGRATIONS'", "node -e 'process.env={}'",
		"python3 -c 'import os; os.environ[\"JANGAR_MIGRATIONS\"]=\"auto\"'", "python3 -c 'import os; os.environ.pop(\"JANGAR_MIGRATIONS\")'", "python3 -c 'import os; os.environ.clear()'",
		"for JANGAR_MIGRATIONS in auto; do node server.js; done", "echo JANGAR_MIGRATIONS=auto > .env", "FOO=1 JANGAR_MIGRATIONS=auto exec node server.js",
	)
}

// composedScript is several simple commands of a shell, of which some change the
// variable, some only print or read it, and some hold references.
func (g generator) composedScript() string {
	var script strings.Builder
	for range 1 + g.IntN(4) {
		script.WriteString(oneOf(g,
			"node server.js", "exec node server.js", "cd /app", "set -eu", "JANGAR_MIGRATIONS=auto node server.js", "JANGAR_MIGRATIONS=skip exec node server.js",
			"export JANGAR_MIGRATIONS=${JANGAR_MIGRATIONS:-skip}", "export JANGAR_MIGRATIONS=${JANGAR_MIGRATIONS:-auto}", `export JANGAR_MIGRATIONS="skip"`, "export JANGAR_MIGRATIONS='off'",
			"export JANGAR_MIGRATIONS=skipped", "export JANGAR_MIGRATIONS", "export -n JANGAR_MIGRATIONS", ": ${JANGAR_MIGRATIONS:=skip}", ": ${JANGAR_MIGRATIONS:?export JANGAR_MIGRATIONS=skip}",
			"echo JANGAR_MIGRATIONS=auto", `echo "JANGAR_MIGRATIONS=$JANGAR_MIGRATIONS" >&2`, "echo JANGAR_MIGRATIONS=auto > .env", `printf "JANGAR_MIGRATIONS=%s" x`, "# JANGAR_MIGRATIONS=auto", "x=a#b",
			"env | grep -q JANGAR_MIGRATIONS=skip", "grep JANGAR_MIGRATIONS=auto f | sh", "unset JANGAR_MIGRATIONS", "unset {A,JANGAR_MIGRATIONS}", "unset ${!JANGAR_@}", "export JANGAR_{MIGRATIONS,X}=auto", "export JANGAR_{X,Y}=auto",
			"$(PORT) node", "$(MODE)", "exec $(LOG_LEVEL)", "echo $(PORT)", "$$(date)", "eval $MODE", `eval "$PORT"`, "env $MODE node", "export $MODE", "$SKIP", "export A=$MODE",
			"export $'JANGAR_MIGRATIONS=auto'", "su - node", "su node -c x", "sudo -E node", "sudo node", "sudo chown x y", "doas x", "runuser -l x", "setpriv --reset-env x", "bwrap --clearenv x", "exec -c x", "env -i x", "env -S -i x",
			"cat <<E\nJANGAR_MIGRATIONS=auto\nE", `case $A in b) echo JANGAR_MIGRATIONS=auto;; esac`, `echo "it's" 'a "b'`, `echo "unclosed`, "echo `JANGAR_MIGRATIONS=auto x`", "process.env.JANGAR_MIGRATIONS = 'auto'",
			`process.env.JANGAR_MIGRATIONS = "skip"`, `console.log("JANGAR_MIGRATIONS=" + process.env.JANGAR_MIGRATIONS)`, "kubectl exec -c app pod", "npm exec -c x",
		))
		script.WriteString(oneOf(g, "; ", "\n", " && ", " || ", " | ", " ", " # then\n"))
	}
	return script.String()
}

// list is a list of objects, sometimes one that cannot be read.
func (g generator) list() map[string]any {
	list := map[string]any{"kind": "List", "apiVersion": "v1", "metadata": map[string]any{"resourceVersion": ""}}
	items := []any{}
	for range g.IntN(4) {
		items = append(items, g.object())
	}
	list["items"] = items
	switch g.IntN(12) {
	case 0:
		list["items"] = []any{g.list()}
	case 1:
		list["items"] = g.junk()
	case 2:
		list["items"] = append(items, g.junk())
	case 3, 4:
		list["kind"], list["apiVersion"] = "DeploymentList", "apps/v1"
		for _, item := range items {
			delete(item.(map[string]any), "kind")
			delete(item.(map[string]any), "apiVersion")
		}
	}
	return list
}

// junk is a value that has the wrong type nearly everywhere.
func (g generator) junk() any {
	return oneOf[any](g, nil, true, false, int64(0), int64(1), 1.5, "", "skip", "x", []any{}, []any{"x"}, []any{nil}, map[string]any{}, map[string]any{"x": "y"}, map[string]any{"name": Variable})
}

// breakOne replaces or removes the value at a random place, or adds a key that
// is not known there.
func (g generator) breakOne(object map[string]any) {
	type place struct {
		holder any
		key    string
		index  int
	}
	var places []place
	var collect func(any)
	collect = func(holder any) {
		switch holder := holder.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(holder)) {
				places = append(places, place{holder: holder, key: key})
				collect(holder[key])
			}
		case []any:
			for i, item := range holder {
				places = append(places, place{holder: holder, index: i})
				collect(item)
			}
		}
	}
	collect(object)
	if len(places) == 0 {
		return
	}
	at := places[g.IntN(len(places))]
	switch holder := at.holder.(type) {
	case map[string]any:
		switch g.IntN(6) {
		case 0:
			delete(holder, at.key)
		case 1:
			holder[oneOf(g, "env", "containers", "spec", "template", "items", "review", "x")] = g.junk()
		default:
			holder[at.key] = g.junk()
		}
	case []any:
		holder[at.index] = g.junk()
	}
}
