package appset_test

import (
	"fmt"
	"strings"
)

// text is a random text with templates in it.
func (m *maker) text() string {
	if !m.goTemplate {
		return pick(m, "plain", "{{env}}", "x-{{ tier }}-y", "{{values.region}}", "{{nosuch}}", "{{path}}", "{{path.basename}}/{{path[0]}}",
			"{{name}}", "{{}}", "{{ env }} and\n{{values.dir}}", "{{metadata.labels.env}}", "{{{env}}}", "a }} b {{ c", "{{.env}}", "{{env")
	}
	var parts []string
	for range 1 + m.IntN(2) {
		parts = append(parts, m.expression())
	}
	return strings.Join(parts, pick(m, "-", "/", " ", "\n"))
}

// expression is a template of one of many kinds of functions.
func (m *maker) expression() string {
	value := pick(m, ".env", "(.env | default \"none\")", "(.tier | default \"none\")", "(.id1 | default \"i\")", "(.env | toString | upper)")
	if m.chance(4) {
		return pick(m,
			"{{ slugify \"x\" "+value+" }}",
			"{{ fromYaml \"[\" }}",
			"{{ tpl \"{{ tpl .env . }}\" . }}",
			"{{ .nosuch.deeper }}",
			"{{ fail \"no\" }}",
			"{{ nosuchfunction }}",
			"{{ env \"HOME\" }}",
			"{{ .env ",
			"{{ .path.path }}",
			"{{ .metadata.labels.env }}",
		)
	}
	return pick(m,
		"plain",
		"{{ "+value+" }}",
		"{{ "+value+" | lower | trunc 3 | quote }}",
		"{{ "+value+" | normalize }}",
		"{{ "+value+" | slugify }}",
		"{{ slugify 8 true (printf \"%s_and--some more\" .env) }}",
		"{{ slugify 6 false (printf \"%s-and-more\" .env) }}",
		"{{ if eq .env \"prod\" }}p{{ else if .tier }}{{ .tier }}{{ else }}q{{ end }}",
		"{{ with .cfg }}{{ .a.b }}{{ end }}",
		"{{ dig \"a\" \"b\" \"none\" (.cfg | default dict) }}",
		"{{ (.cfg | default dict) | toYaml | nindent 2 }}",
		"{{ (.cfg | default dict) | toJson }}",
		"{{ range $i, $x := (list 1 2 3) }}{{ if $i }},{{ end }}{{ add $x 1 }}{{ end }}",
		"{{ get (fromYaml \"a: {b: 1, c: x}\") \"a\" }}",
		"{{ index (fromYamlArray \"[1, two]\") 1 }}",
		"{{ tpl \"t-{{ .env }}\" . }}",
		"{{ tpl \"{{ .nosuch }}\" . }}",
		"{{ tpl (tpl \"{{ tpl .env . }}\" .) . }}",
		"{{ keys (.cfg | default dict) | sortAlpha | join \",\" }}",
		"{{ values (dict \"a\" 1 \"b\" 2) | len }}",
		"{{ $d := dict \"a\" 1 }}{{ $_ := set $d \"b\" 2 }}{{ $d | toJson }}",
		"{{ merge (dict \"a\" 1) (dict \"a\" 2 \"c\" 3) | toJson }}",
		"{{ mergeOverwrite (dict \"a\" 1) (dict \"a\" 2 \"c\" false) | toJson }}",
		"{{ sha256sum "+value+" | trunc 8 }}-{{ b64enc "+value+" }}-{{ adler32sum "+value+" }}",
		"{{ "+value+" | replace \"o\" \"0\" | title | trimSuffix \"D\" }}",
		"{{ regexReplaceAll \"[aeiou]\" "+value+" \"${0}_\" }}",
		"{{ ternary \"yes\" \"no\" (eq .env \"dev\") }}",
		"{{ splitList \"o\" "+value+" | last }}-{{ "+value+" | camelcase }}-{{ snakecase "+value+" }}",
		"{{ semverCompare \">=1.2.0\" \"1.10.0\" }}{{ (semver \"1.2.3\").Minor }}",
		"{{ coalesce .tier .env }}-{{ empty .tier }}-{{ kindOf .cfg }}",
		"{{ printf \"%05d|%v|%q\" 42 .env .tier }}",
		"{{ .values.region }}",
		"{{ (.values | default dict).region }}",
		"{{ if .path }}{{ if kindIs \"map\" .path }}{{ .path.basename }}-{{ join \".\" .path.segments }}{{ end }}{{ end }}",
		"{{ .name }}",
		"{{ .nosuch }}",
		"{{ index . \"env\" }}{{/* a comment */}}",
		"{{ define \"x\" }}d-{{ . }}{{ end }}{{ template \"x\" .env }}",
		"{{- .env -}} {{ \"{{\" }}",
		"{{ .cfg.n | int | mul 3 }}",
		"{{ .cfg.big }}",
		"{{ .cfg.names | default (list \"z\") | join \"+\" }}",
		"{{ until 3 | toString }}{{ seq 1 3 }}{{ repeat 2 \"ab\" }}",
		"{{ .env | substr 0 2 }}{{ \"a,b\" | split \",\" }}",
		"{{ range .clusters }}{{ .name }};{{ end }}",
	)
}

// safe is a text that all parameters can fill in.
func (m *maker) safe() string {
	if m.chance(70) {
		return pick(m, "plain", "main", m.of("{{ .env }}", "{{env}}"), m.of("{{ .env | default \"none\" | lower }}-x", "{{ env }}-x"))
	}
	return m.text()
}

// name is a template of a name that is another for each set of parameters.
func (m *maker) name() string {
	if !m.goTemplate {
		return "a-{{id1}}-{{id2}}-{{id3}}-{{id4}}-{{path}}-{{name}}-{{extra}}-{{repo.path}}-{{env.path}}-{{cfg}}-{{item}}"
	}
	return `a{{ range $k, $v := . }}{{ if or (hasPrefix "id" $k) (eq $k "name" "extra" "item") }}-{{ $v }}{{ else if eq $k "path" "repo" }}-{{ $v | toJson | sha1sum | trunc 6 }}{{ end }}{{ end }}`
}

func (m *maker) template() object {
	metadata := object{"name": m.name()}
	if m.chance(5) {
		metadata["name"] = m.safe()
	}
	if m.chance(50) {
		metadata["labels"] = object{"l": m.safe(), m.of("{{ .env | default \"none\" | lower }}/k", "{{env}}/k"): "v"}
	}
	if m.chance(40) {
		metadata["annotations"] = object{"a": m.safe(), "b": m.safe()}
	}
	if m.chance(15) {
		metadata["finalizers"] = pick[any](m, []any{}, []any{"f-" + m.safe()})
	}
	if m.chance(5) {
		metadata["namespace"] = "elsewhere"
	}
	return object{"metadata": metadata, "spec": m.spec()}
}

func (m *maker) spec() object {
	spec := object{"project": pick(m, "default", m.safe()), "destination": object{pick(m, "name", "server"): m.safe(), "namespace": m.safe()}}
	switch m.IntN(10) {
	case 0:
		spec["sources"] = []any{m.source(), object{"repoURL": judgedURL, "ref": "values"}}
	case 1:
		spec["sourceHydrator"] = object{
			"drySource":  object{"repoURL": judgedURL, "path": m.safe(), "targetRevision": "HEAD", "helm": m.helm()},
			"syncSource": object{"targetBranch": m.safe(), "path": "p"},
		}
	case 2:
	default:
		spec["source"] = m.source()
	}
	if m.chance(30) {
		spec["syncPolicy"] = object{
			"automated": pick[any](m, object{}, object{"prune": true, "selfHeal": false}, nil), "syncOptions": []any{"CreateNamespace=true", m.safe()},
			"retry":                    object{"limit": m.IntN(3), "backoff": object{"duration": "5s", "factor": 2}},
			"managedNamespaceMetadata": object{"labels": object{m.safe(): "v"}},
		}
	}
	if m.chance(15) {
		spec["ignoreDifferences"] = []any{object{"group": "apps", "kind": "Deployment", "jsonPointers": []any{"/spec/" + m.safe()}}}
	}
	if m.chance(10) {
		spec["info"] = []any{object{"name": "n", "value": m.safe()}}
		spec["revisionHistoryLimit"] = m.IntN(3)
	}
	return spec
}

func (m *maker) source() object {
	source := object{"repoURL": judgedURL, "path": m.safe()}
	if m.chance(50) {
		source["targetRevision"] = m.safe()
	}
	if m.chance(5) {
		source[pick(m, "helm", "kustomize", "directory", "plugin")] = object{}
		return source
	}
	switch m.IntN(7) {
	case 0, 1:
		source["helm"] = m.helm()
	case 2, 3:
		source["kustomize"] = object{
			"namePrefix": m.safe(), "images": []any{"a=b:" + m.safe()}, "commonAnnotations": object{m.safe(): m.safe()},
			"replicas": []any{object{"name": "r", "count": pick[any](m, 3, "4", m.of("{{ 5 }}", "{{env}}"))}},
			"patches":  []any{object{"patch": m.safe(), "target": object{"kind": "Deployment", "name": m.safe()}, "options": object{"allowNameChange": true}}},
		}
	case 4:
		source["plugin"] = object{
			"name": "lovely", "env": []any{object{"name": "A", "value": m.safe()}},
			"parameters": []any{
				object{"name": "s", "string": m.safe()},
				object{"name": "m", "map": pick[any](m, object{}, object{"k": m.safe()}, nil)},
				object{"name": "a", "array": pick[any](m, []any{}, []any{m.safe()})},
			},
		}
	case 5:
		source["directory"] = object{"recurse": true, "include": m.safe(), "jsonnet": pick[any](m, object{}, object{"tlas": []any{object{"name": "t", "value": m.safe(), "code": m.chance(50)}}})}
	}
	return source
}

func (m *maker) helm() object {
	helm := object{"valueFiles": []any{"values.yaml", m.safe()}}
	if m.chance(60) {
		helm["parameters"] = []any{object{"name": "env.vars.JANGAR_MIGRATIONS", "value": pick(m, "auto", "skip", m.safe()), "forceString": m.chance(30)}}
	}
	if m.chance(40) {
		helm["values"] = "a: " + m.safe() + "\n"
	}
	if m.chance(60) {
		helm["valuesObject"] = object{
			"text": m.safe(), m.of("key-{{ .env }}", "key-{{env}}"): object{"n": 1.5, "big": 12345678901234567, "null": nil, "list": []any{m.safe(), nil, true}},
			"html": "<&>" + m.safe(),
		}
	}
	return helm
}

// ownTemplate is the template of a generator itself, which goes before the other.
func (m *maker) ownTemplate() object {
	template := object{"metadata": object{}, "spec": object{"project": "", "destination": object{}}}
	if m.chance(40) {
		template["metadata"] = object{"labels": object{"own": m.safe()}, "annotations": object{"a": "own"}}
	}
	if m.chance(40) {
		template["spec"].(object)["destination"] = object{"namespace": "own-" + m.safe()}
	}
	if m.chance(40) {
		template["spec"].(object)["source"] = object{"repoURL": "", "path": "own", "helm": object{"releaseName": m.safe()}}
	}
	return template
}

// patch is a templatePatch.
func (m *maker) patch() string {
	if !m.goTemplate {
		return pick(m,
			"metadata:\n  annotations:\n    patched: '{{env}}'\n",
			"spec:\n  source:\n    path: patched/{{nosuch}}\n",
			`{"spec": {"destination": {"namespace": "{{env}}"}}}`, pick(m, "", "- a\n"))
	}
	parts := []string{"metadata:\n  annotations:\n    patched: '{{ .env }}'\n"}
	if m.chance(30) {
		parts[0] += "  finalizers: [" + pick(m, "", "more") + "]\n"
	}
	if m.chance(20) {
		parts[0] += "  labels:\n    l: null\n"
	}
	parts = append(parts, "spec:\n")
	parts = append(parts, pick(m,
		"  project: other\n",
		"  syncPolicy:\n    syncOptions:\n{{- if ne .env \"prod\" }}\n    - Patched=true\n{{- end }}\n    - Last=true\n",
		"  source:\n    helm:\n      parameters:\n      - {name: p, value: '{{ .tier | default \"t\" }}'}\n",
		"{{- if eq .env \"prod\" }}\n  source:\n    plugin:\n      name: lovely\n      env:\n      - {name: X, value: '1'}\n{{- end }}\n  info: []\n",
		"  source: null\n  sources:\n  - repoURL: x\n    path: p\n",
		"  source:\n    helm:\n      valuesObject:\n        patched: {deep: '{{ .env }}'}\n        text: null\n",
		"  source:\n    helm:\n      values: |\n        {{- .cfg | default dict | toYaml | nindent 8 }}\n",
		"  source:\n    $patch: replace\n    path: replaced\n",
		"  destination:\n    $patch: delete\n",
		"  syncPolicy:\n    automated: {prune: {{ eq .env \"dev\" }}}\n",
		"  unknown: {a: 1}\n  Info: [{name: n, value: v}]\n",
		"  source: [wrong]\n",
		"  ignoreDifferences:\n  - {kind: '{{ .env }}', jsonPointers: [/a]}\n",
	))
	if m.chance(5) {
		parts = append(parts, "operation:\n  sync: {revision: abc, prune: true}\n")
	}
	return strings.Join(parts, "")
}

// corpusFiles are the repositories of the corpus.
var corpusFiles = []map[string]string{
	{
		"apps/dev/config.yaml": "item: dev\nenv: dev\ncfg: {a: {b: x}, n: 1, items: []}\n", "apps/prod/config.yaml": "item: prod\nenv: prod\n",
		"apps/prod-eu/config.json": `{"item": "eu", "env": "prod", "cfg": {"names": ["a"], "n": 2.5}}`, "apps/.secret/config.yaml": "env: hidden\nitem: h\n",
		"apps/dev/nested/deep/values.yaml": "env: deep\nitem: d\n", "config/list.yaml": "- {env: one, item: l1}\n- {env: two, item: l2, tier: x}\n",
		"config/empty.yaml": "", ".hidden/x/y.yaml": "env: h\nitem: hh\n", "README.md": "env: readme\nitem: r\n",
	},
	{
		"apps/Dev_1/config.yaml": "env: Dev_1\nitem: a\ntier: ''\nvalues: {region: eu}\n", "apps/prod/config.json": `[{"env": "prod", "item": "b"}, {"env": "dev", "item": "c", "cfg": {"flag": false}}]`,
		"config/list.yaml": "null\n", "top.yaml": "env: top\nitem: t\n", "b/c/d/e.yaml": "env: e\nitem: e\n",
	},
	{"apps/dev/config.yaml": "not: [a\n", "apps/prod/config.yaml": "just text\n", "config/list.yaml": "env: 3\nitem: 4\nn: 1.0\nbig: 12345678901234567890\nt: 2020-01-01\nyes: on\n"},
}

// corpusClusters are the Secrets of the corpus: none, one, or several.
func corpusClusters(n int) []string {
	secret := func(name, server, labels, more string) string {
		return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata:\n  name: cluster-%s\n  namespace: argocd\n  labels: {argocd.argoproj.io/secret-type: cluster%s}\n  annotations: {note: %s, argocd.argoproj.io/refresh: x}\nstringData: {name: %s, server: %q%s}\n",
			name, labels, name, name, server, more)
	}
	return [][]string{
		{},
		{secret("Only_One", "https://one", ", env: prod, region: eu", ", project: team")},
		{
			secret("a", "https://a", ", env: prod, region: eu", ""), secret("b", "https://b", ", env: dev", ", project: p"),
			secret("in-cluster", "https://kubernetes.default.svc", "", ""),
			"apiVersion: v1\nkind: Secret\nmetadata: {name: other, labels: {env: prod}}\nstringData: {name: other, server: x}\n",
		},
	}[n]
}
