package appset_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
)

// The random corpus: ApplicationSets of all generators, nested and selected from,
// with random templates. The seed is fixed: the golden answers belong to it.
const (
	corpusSize = 2_000
	corpusSeed = 20_261
)

// seed makes another corpus, which scripts/argocd --seed compares with Argo CD.
var seed = flag.Uint64("seed", corpusSeed, "make the random corpus of another seed")

func corpus() []question {
	questions := make([]question, corpusSize)
	for i := range questions {
		m := &maker{Rand: rand.New(rand.NewPCG(*seed, uint64(i)))}
		questions[i] = m.question(i)
	}
	return questions
}

type object = map[string]any

// maker makes one ApplicationSet.
type maker struct {
	*rand.Rand
	goTemplate bool
	// lists counts list generators: each has an id of its own.
	lists int
}

// chance is true in so many of a hundred.
func (m *maker) chance(percent int) bool { return m.IntN(100) < percent }

func pick[T any](m *maker, items ...T) T { return items[m.IntN(len(items))] }

func (m *maker) question(i int) question {
	m.goTemplate = m.chance(70)
	spec := object{"generators": m.topGenerators(), "template": m.template()}
	if m.goTemplate {
		spec["goTemplate"] = true
		if m.chance(50) {
			spec["goTemplateOptions"] = []any{pick(m, "missingkey=error", "missingkey=zero", "missingkey=default", "missingkey=invalid")}
		}
	}
	if m.chance(45) {
		spec["templatePatch"] = m.patch()
	}
	if m.chance(25) {
		spec["syncPolicy"] = object{"preserveResourcesOnDeletion": m.chance(50), "applicationsSync": pick(m, "sync", "create-only")}
	}
	if m.chance(10) {
		spec["preservedFields"] = object{"annotations": []any{"a"}}
	}
	if m.chance(5) {
		spec["unknownField"] = object{"a": 1}
	}
	set, err := json.Marshal(object{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
		"metadata": object{"name": fmt.Sprintf("set-%d", i), "namespace": "argocd"}, "spec": spec,
	})
	if err != nil {
		panic(err)
	}
	return question{
		Name: fmt.Sprintf("random-%d", i), Set: string(set),
		Clusters: corpusClusters(m.IntN(3)), Files: corpusFiles[min(m.IntN(9)/4, len(corpusFiles)-1)],
		NewFileGlobbing: m.chance(30),
	}
}

func (m *maker) topGenerators() []any {
	generators := []any{m.generator(2)}
	if m.chance(20) {
		generators = append(generators, m.generator(1))
	}
	for _, generator := range generators {
		if m.chance(25) {
			for name, value := range generator.(object) {
				if inner, ok := value.(object); ok && name != "selector" {
					inner["template"] = m.ownTemplate()
				}
			}
		}
	}
	return generators
}

// generator is one of any kind, with a matrix or merge of so many levels.
func (m *maker) generator(levels int) object {
	var made object
	switch kind := m.IntN(100); {
	case levels > 0 && kind < 30:
		made = object{"matrix": object{"generators": []any{m.generator(levels - 1), m.second(levels - 1)}}}
	case levels > 0 && kind < 45:
		made = m.merge(levels)
	case kind < 70:
		made = object{"list": m.list()}
	case kind < 80:
		made = object{"clusters": m.clusters()}
	case kind < 90:
		made = object{"git": m.directories()}
	default:
		made = object{"git": m.files()}
	}
	if m.chance(12) {
		made["selector"] = m.selector()
	}
	return made
}

// second is the second generator of a matrix, which may use the first.
func (m *maker) second(levels int) object {
	switch {
	case m.chance(60):
		return m.generator(levels)
	case m.chance(50):
		text := "- {extra: 'x', more: '{{env}}'}\n- {extra: 'y'}\n"
		if m.goTemplate {
			text = pick(m,
				"- extra: '{{ .env }}'\n  more: {{ .cfg | toJson }}\n- extra: other\n",
				`[{{ range $i, $n := (list "a" "b") }}{{ if $i }},{{ end }}{"extra": "{{ $n }}-{{ $.env }}"}{{ end }}]`,
				"{{ .cfg.items | default list | toJson }}",
				"- {extra: {{ .tier | default 3 }}}")
		}
		return object{"list": object{"elements": []any{}, "elementsYaml": text}}
	case m.chance(50):
		directories := m.directories()
		directories["directories"] = []any{object{"path": m.of("apps/{{.env}}*", "apps/{{env}}*")}}
		return object{"git": directories}
	default:
		clusters := m.clusters()
		clusters["selector"] = object{"matchLabels": object{"env": m.of("{{.env}}", "{{env}}")}}
		return object{"clusters": clusters}
	}
}

// of is one text with goTemplate and another without.
func (m *maker) of(goTemplate, plain string) string {
	if m.goTemplate {
		return goTemplate
	}
	return plain
}

func (m *maker) merge(levels int) object {
	keyed := func() object {
		if levels > 1 && m.chance(20) {
			return object{"merge": object{"mergeKeys": []any{"mk"}, "generators": []any{m.keyedList(), m.keyedList()}}}
		}
		if levels > 1 && m.chance(15) {
			return object{"matrix": object{"generators": []any{m.keyedList(), object{"list": object{"elements": []any{object{"one": "1"}}}}}}}
		}
		return m.keyedList()
	}
	merge := object{"mergeKeys": []any{"mk"}, "generators": []any{keyed(), keyed()}}
	if m.chance(30) {
		merge["generators"] = append(merge["generators"].([]any), keyed())
	}
	if m.chance(10) {
		merge["mergeKeys"] = pick[any](m, []any{"mk", "env"}, []any{}, []any{"nosuch"}, []any{"mk", "mk"})
	}
	return object{"merge": merge}
}

// keyedList is a list whose elements have a key to merge by.
func (m *maker) keyedList() object {
	list := m.list()
	for i, element := range list["elements"].([]any) {
		element.(object)["mk"] = fmt.Sprint("k", i)
	}
	generator := object{"list": list}
	if m.chance(15) {
		generator["selector"] = m.selector()
	}
	return generator
}

func (m *maker) list() object {
	m.lists++
	var elements []any
	for i := range min(1, m.IntN(15)) * (1 + m.IntN(4)) {
		elements = append(elements, m.element(m.lists, i))
	}
	if elements == nil {
		elements = []any{}
	}
	list := object{"elements": elements}
	if m.chance(10) {
		list["elementsYaml"] = fmt.Sprintf("- id%d: yaml\n  env: prod\n", m.lists)
	}
	return list
}

func (m *maker) element(list, i int) object {
	element := object{fmt.Sprint("id", list): fmt.Sprint("e", i), "env": pick(m, "dev", "prod", "Stage_1")}
	if m.chance(50) {
		element["values"] = object{"region": pick(m, "eu", "us"), "empty": ""}
	}
	if m.chance(60) {
		element["tier"] = pick(m, "one", "two", "")
	}
	if !m.goTemplate {
		if m.chance(1) {
			element["n"] = 3
		}
		return element
	}
	if m.chance(70) {
		element["cfg"] = object{
			"a": object{"b": pick[any](m, "x", "y", "", 0, nil)}, "flag": m.chance(50), "n": m.IntN(5),
			"items": []any{object{"extra": "p"}, object{"extra": "q", "n": 1.5}},
			"names": []any{"n1", "n2"}, "big": 12345678901234567,
		}
	}
	if m.chance(10) {
		element["null"] = nil
	}
	return element
}

func (m *maker) clusters() object {
	clusters := object{}
	if m.chance(50) {
		clusters["selector"] = pick(m,
			object{"matchLabels": object{"env": "prod"}},
			object{"matchExpressions": []any{object{"key": "env", "operator": "In", "values": []any{"dev", "prod"}}}},
			object{"matchExpressions": []any{object{"key": "env", "operator": "DoesNotExist"}}})
	}
	if m.chance(40) {
		clusters["values"] = object{"region": m.of("{{ .metadata.labels.region }}", "{{metadata.labels.region}}"), "copy": m.of("{{ .name }}", "{{ name }}")}
	}
	if m.chance(10) {
		clusters["flatList"] = true
	}
	return clusters
}

func (m *maker) git() object {
	git := object{"repoURL": judgedURL, "revision": pick(m, "HEAD", judgedBranch, "")}
	if m.chance(25) {
		git["pathParamPrefix"] = pick(m, "repo", "env")
	}
	if m.chance(30) {
		git["values"] = object{"dir": m.of("{{ .path.basename | upper }}", "{{path.basename}}"), "plain": "p"}
	}
	return git
}

func (m *maker) directories() object {
	git := m.git()
	paths := []any{object{"path": pick(m, "apps/*", "apps/*", "*", "apps/*/*", "apps/d*", "apps/[a-p]*", "*/*", "apps/prod", "[", ".hidden/*")}}
	if m.chance(40) {
		paths = append(paths, object{"path": pick(m, "apps/dev", "apps/*prod*", "nosuch"), "exclude": m.chance(70)})
	}
	git["directories"] = paths
	return git
}

func (m *maker) files() object {
	git := m.git()
	paths := []any{object{"path": pick(m,
		"apps/*/config.yaml", "**/config.json", "apps/**/config.*", "*.yaml", "apps/dev", "apps/dev/", "apps/*/con?ig.[jy]*",
		"apps/*/config.yaml", "apps/*/config.*", "*config*", "config/list.yaml", "./apps/dev/config.yaml", "apps/../config/*", "../up", "nosuch/*", "config/[[:alpha:]]*.yaml", `config/\l*.yaml`,
	)}}
	if m.chance(40) {
		paths = append(paths, object{"path": pick(m, "config/*", "apps/prod/*", "*list*"), "exclude": m.chance(60)})
	}
	git["files"] = paths
	return git
}

func (m *maker) selector() object {
	selector := object{}
	key := func() string {
		return pick(m, "env", "tier", "id1", "values.region", "cfg.a.b", "cfg.n", "cfg.flag", "cfg.items.0.extra", "metadata.labels.env", "path.basename", "name", "cfg.big")
	}
	if m.chance(30) {
		selector["matchLabels"] = object{key(): pick(m, "prod", "dev", "x", "", "1", "true", "e0", "https://kubernetes.default.svc")}
	}
	if m.chance(60) {
		expression := object{"key": key(), "operator": pick(m, "In", "NotIn", "Exists", "DoesNotExist")}
		if operator := expression["operator"]; operator == "In" || operator == "NotIn" {
			expression["values"] = []any{pick(m, "prod", "dev", "Stage_1", "e1"), pick(m, "", "x", "y", "2", "https://a.b/c")}
		}
		if m.chance(4) {
			expression["operator"] = "Gt"
		}
		selector["matchExpressions"] = []any{expression}
	}
	return selector
}
