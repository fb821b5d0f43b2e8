package probe

import (
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/mode"
)

// corpus is what is pushed into the places of a chart, made for one constraint.
type corpus struct {
	variable, skip string
	skipValues     []string
}

func newCorpus(rules mode.Rules) corpus {
	return corpus{rules.Variable, rules.Plain(), rules.SkipValues}
}

// corpora are those of the contracts, one for all that have the same rules.
func (k *judge) corpora() []corpus {
	var all []corpus
	for _, contract := range k.contracts {
		made := newCorpus(contract.rules)
		if !slices.ContainsFunc(all, func(c corpus) bool { return c.variable == made.variable && slices.Equal(c.skipValues, made.skipValues) }) {
			all = append(all, made)
		}
	}
	return all
}

// few are the values that tell most, the plainest first.
func (k corpus) few() []any {
	return []any{"auto", "", nil, "probe", false, float64(0), k.skip}
}

// spellings are the values beside the few.
func (k corpus) spellings() []any {
	all := []any{"$(PROBE)", "AUTO", " auto ", true, float64(1), "null", "true", "1", "yes", "on", "no", "none", "~", " ", "'" + k.skip + "'", k.skip + "ped"}
	for _, value := range k.skipValues {
		all = append(all, value, strings.ToUpper(value), strings.ToUpper(value[:1])+value[1:], " "+value+"\t")
	}
	return all
}

func (k corpus) entry(value any) map[string]any {
	return map[string]any{"name": k.variable, "value": value}
}

// sources are what valueFrom takes.
func (k corpus) sources() []any {
	reference := map[string]any{"name": "probe", "key": "probe"}
	return []any{
		map[string]any{"secretKeyRef": reference},
		map[string]any{"configMapKeyRef": reference},
		map[string]any{"fieldRef": map[string]any{"fieldPath": "metadata.name"}},
	}
}

// entries are elements of env.
func (k corpus) entries() []any {
	entries := []any{k.entry("auto"), map[string]any{"name": k.variable}, k.entry(k.skip), k.entry("$(PROBE)")}
	for _, source := range k.sources() {
		entries = append(entries, map[string]any{"name": k.variable, "valueFrom": source})
	}
	return entries
}

// containers are elements of containers and initContainers.
func (k corpus) containers() []any {
	container := func(more ...any) map[string]any {
		c := map[string]any{"name": "probe", "image": "probe:1"}
		for i := 0; i < len(more); i += 2 {
			c[more[i].(string)] = more[i+1]
		}
		return c
	}
	containers := []any{
		container(),
		container("env", []any{k.entry("auto")}),
		container("envFrom", []any{map[string]any{"secretRef": map[string]any{"name": "probe"}}}),
		container("env", []any{k.entry(k.skip)}),
	}
	for _, words := range k.commands() {
		containers = append(containers, container("env", []any{k.entry(k.skip)}, "command", words))
	}
	return containers
}

// commands start a process that migrates, whatever env declares.
func (k corpus) commands() [][]any {
	return [][]any{
		{"sh", "-c", k.variable + "=auto exec node server.js"},
		{"sh", "-c", "unset " + k.variable + "; exec node server.js"},
		{"env", k.variable + "=auto", "node", "server.js"},
		{"env", "-u", k.variable, "node", "server.js"},
		{"env", "-i", "node", "server.js"},
	}
}

// lists are what a list whose content is written as it is may become.
func (k corpus) lists() []any {
	var lists []any
	for _, words := range k.commands() {
		lists = append(lists, words)
	}
	for _, element := range append(k.entries(), k.containers()...) {
		lists = append(lists, []any{element})
	}
	return append(lists,
		[]any{map[string]any{"secretRef": map[string]any{"name": "probe"}}},
		[]any{map[string]any{"configMapRef": map[string]any{"name": "probe"}}},
		[]any{map[string]any{"name": "probe", "emptyDir": map[string]any{}}},
		[]any{k.variable + "=auto"},
		[]any{"probe"},
		[]any{})
}

// maps are what a map whose content is written as it is may become: labels,
// variables, a container's or a pod's fields, a probe, a hook.
func (k corpus) maps() []any {
	run := map[string]any{"exec": map[string]any{"command": k.commands()[0]}}
	maps := []any{map[string]any{"env": []any{k.entry("auto")}}}
	for _, words := range k.commands() {
		maps = append(maps, map[string]any{"command": words}, map[string]any{"exec": map[string]any{"command": words}})
	}
	return append(maps,
		map[string]any{"postStart": run}, map[string]any{"preStop": run},
		map[string]any{"name": k.variable, "value": "auto"},
		map[string]any{"env": []any{}},
		map[string]any{"envFrom": []any{map[string]any{"secretRef": map[string]any{"name": "probe"}}}},
		map[string]any{"containers": []any{k.containers()[0]}},
		map[string]any{"initContainers": []any{k.containers()[0]}},
		map[string]any{"app.kubernetes.io/name": "probe"},
		map[string]any{"name": "probe"})
}

// texts are what a text that becomes YAML, or is a template, may become.
func (k corpus) texts() []any {
	return []any{
		k.variable + ": auto",
		"- name: " + k.variable + "\n  value: auto",
		"name: " + k.variable + "\nvalue: auto",
		"- name: probe\n  image: probe:1",
		"name: probe\nimage: probe:1",
		"env:\n- name: " + k.variable + "\n  value: auto",
		"- sh\n- -c\n- " + k.variable + "=auto exec node server.js",
		"command: [sh, -c, " + k.variable + "=auto exec node server.js]",
	}
}

// names are what a name may become. None is a controllers' name.
func (k corpus) names() []any {
	return []any{"probe", strings.Repeat("n", 63), strings.Repeat("n", 52), ""}
}
