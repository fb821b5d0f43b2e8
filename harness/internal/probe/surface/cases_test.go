package surface_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"

	"github.com/proompteng/nevermigrate/harness/internal/probe/surface"
)

// chartOf makes a chart of files by their names. A Chart.yaml is added where
// the top chart has none.
func chartOf(t *testing.T, files map[string]string) *chart.Chart {
	t.Helper()
	var buffered []*archive.BufferedFile
	if files["Chart.yaml"] == "" {
		buffered = append(buffered, &archive.BufferedFile{Name: "Chart.yaml", Data: []byte("apiVersion: v2\nname: top\nversion: 1.0.0\n")})
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		buffered = append(buffered, &archive.BufferedFile{Name: name, Data: []byte(files[name])})
	}
	c, err := loader.LoadFiles(buffered)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestFind compares the whole surface of small charts. A template is a.yaml,
// unless files says more.
func TestFind(t *testing.T) {
	for _, test := range []struct {
		name     string
		template string
		files    map[string]string
		want     string
	}{
		{
			name:     "printed, quoted, with a default",
			template: `{{ .Values.a }} {{ .Values.b.c | quote }} {{ default "x" .Values.d }} {{ .Values.e | default .Values.f | trunc 63 }}`,
			files: map[string]string{
				"values.yaml": `a: 1
b:
  c: x
  never: y
`,
			},
			want: `
a: scalar default=1 templates/a.yaml:1 values.yaml:1 -> a.yaml
b: map default={"c":"x","never":true} values.yaml:2 -> a.yaml
b.c: scalar default="x" templates/a.yaml:1 values.yaml:3 -> a.yaml
b.never: scalar unread default=true values.yaml:4
d: scalar switch templates/a.yaml:1 -> a.yaml
e: scalar switch templates/a.yaml:1 -> a.yaml
f: scalar templates/a.yaml:1 -> a.yaml
`,
		},
		{
			name:     "if, else and comparisons",
			template: `{{ if and .Values.a (not .Values.b) }}{{ .Values.c }}{{ else if eq .Values.kind "Job" }}{{ .Values.d }}{{ else }}{{ .Values.e }}{{ end }}{{ ternary .Values.f "x" .Values.g }}{{ if has "web" .Values.roles }}x{{ end }}`,
			want: `
a: any switch templates/a.yaml:1 -> a.yaml
b: any switch templates/a.yaml:1 -> a.yaml
c: scalar templates/a.yaml:1 -> a.yaml
d: scalar templates/a.yaml:1 -> a.yaml
e: scalar templates/a.yaml:1 -> a.yaml
f: scalar templates/a.yaml:1 -> a.yaml
g: any switch templates/a.yaml:1 -> a.yaml
kind: scalar switch compared=["Job"] templates/a.yaml:1 -> a.yaml
roles: map|list *(scalar switch compared=["web"]) templates/a.yaml:1 -> a.yaml
`,
		},
		{
			name:     "with and variables",
			template: `{{ $v := .Values }}{{ with .Values.image }}{{ .tag }}{{ $.Values.a }}{{ else }}{{ .Values.b }}{{ end }}{{ $x := $v.c }}{{ if .Values.d }}{{ $x = $v.e }}{{ end }}{{ $x.f }}`,
			want: `
a: scalar templates/a.yaml:1 -> a.yaml
b: scalar templates/a.yaml:1 -> a.yaml
c: map templates/a.yaml:1 -> a.yaml
c.f: scalar templates/a.yaml:1 -> a.yaml
d: any switch templates/a.yaml:1 -> a.yaml
e: map templates/a.yaml:1 -> a.yaml
e.f: scalar templates/a.yaml:1 -> a.yaml
image: map switch templates/a.yaml:1 -> a.yaml
image.tag: scalar templates/a.yaml:1 -> a.yaml
`,
		},
		{
			name: "range over a map and a list",
			template: `{{ range $k, $v := .Values.env.vars }}
- name: {{ $k }}
  value: {{ $v | quote }}
{{ end }}{{ range .Values.env.secrets }}{{ .name }}{{ .ref.key }}{{ range .items }}{{ . }}{{ end }}{{ else }}{{ .Values.none }}{{ end }}`,
			files: map[string]string{
				"values.yaml": `env:
  vars:
    A: 1
  secrets:
    - extra: true
`,
			},
			want: `
env: map default={"secrets":[{"extra":true}],"vars":{"A":1}} values.yaml:1 -> a.yaml
env.secrets: list *(map extra(scalar) items(map|list *(scalar)) name(scalar) ref(map key(scalar))) default=[{"extra":true}] templates/a.yaml:4 values.yaml:4 -> a.yaml
env.vars: map *(scalar) default={"A":1} templates/a.yaml:1 values.yaml:2 -> a.yaml
env.vars.A: scalar default=1 values.yaml:3 -> a.yaml
none: scalar templates/a.yaml:4 -> a.yaml
`,
		},
		{
			name:     "written whole",
			template: `{{ toYaml .Values.a | nindent 4 }}{{ .Values.b | toJson }}{{ range .Values.c }}{{ toYaml . }}{{ end }}{{ toYaml (dict "x" .Values.d) }}{{ sha256sum (toYaml .Values.e) }}{{ if (toYaml .Values.f) }}x{{ end }}`,
			files: map[string]string{
				"values.yaml": `a:
  b: 1
`,
			},
			want: `
a: map raw default={"b":1} templates/a.yaml:1 values.yaml:1 -> a.yaml
a.b: scalar raw default=1 values.yaml:2 -> a.yaml
b: any raw templates/a.yaml:1 -> a.yaml
c: map|list *(any raw) templates/a.yaml:1 -> a.yaml
d: any raw templates/a.yaml:1 -> a.yaml
e: any templates/a.yaml:1 -> a.yaml
f: any switch templates/a.yaml:1 -> a.yaml
`,
		},
		{
			name:     "tpl of a value, of a literal and of a default",
			template: `{{ tpl .Values.a . }}{{ tpl "{{ .Values.b }}" $ }}{{ tpl (toYaml .Values.c) . }}{{ tpl (.Files.Get "f.txt") . }}`,
			files: map[string]string{
				"values.yaml": `a: '{{ .Values.d }}'
c:
  x:
    - '{{ .Values.e.f }}'
`,
				"f.txt": `{{ .Values.g }}`,
			},
			want: `
a: scalar raw template default="{{ .Values.d }}" templates/a.yaml:1 values.yaml:1 -> a.yaml
b: scalar templates/a.yaml:1 -> a.yaml
c: map raw template default={"x":["{{ .Values.e.f }}"]} templates/a.yaml:1 values.yaml:2 -> a.yaml
c.x: list raw template *(scalar raw template) default=["{{ .Values.e.f }}"] values.yaml:3 -> a.yaml
d: scalar templates/a.yaml:1 -> a.yaml
e: map templates/a.yaml:1 -> a.yaml
e.f: scalar templates/a.yaml:1 -> a.yaml
g: scalar templates/a.yaml:1 -> a.yaml
`,
		},
		{
			name:     "include with contexts",
			template: `{{ include "a" . }}{{ include "b" (dict "root" $ "v" .Values.x) }}{{ include "c" (list . .Values.y "z") }}{{ template "d" .Values.w }}{{ include "e" (merge (dict "own" 1) .) }}`,
			files: map[string]string{
				"templates/_h.tpl": `{{ define "a" }}{{ .Values.a }}{{ end }}{{ define "b" }}{{ .v.k }}{{ .root.Values.b }}{{ end }}{{ define "c" }}{{ $root := index . 0 }}{{ $root.Values.c }}{{ (index . 1).m }}{{ end }}{{ define "d" }}{{ .d }}{{ end }}{{ define "e" }}{{ .Values.e }}{{ end }}{{ define "unused" }}{{ .Values.unused }}{{ end }}`,
			},
			want: `
a: scalar templates/_h.tpl:1 -> a.yaml
b: scalar templates/_h.tpl:1 -> a.yaml
c: scalar templates/_h.tpl:1 -> a.yaml
e: scalar templates/_h.tpl:1 -> a.yaml
w: map templates/a.yaml:1 -> a.yaml
w.d: scalar templates/_h.tpl:1 -> a.yaml
x: map templates/a.yaml:1 -> a.yaml
x.k: scalar templates/_h.tpl:1 -> a.yaml
y: map templates/a.yaml:1 -> a.yaml
y.m: scalar templates/_h.tpl:1 -> a.yaml
`,
		},
		{
			name:     "keys that an expression gives",
			template: `{{ index .Values "a-b" "c" }}{{ get .Values.d "e" }}{{ if hasKey .Values.f "g" }}x{{ end }}{{ dig "h" "i" "none" .Values.j }}{{ range pluck "k" .Values.l .Values.m }}{{ . }}{{ end }}{{ range list "n" "o" }}{{ (index $.Values.p .).q }}{{ end }}{{ range $name, $_ := .Values.r }}{{ (index $.Values.s $name).t }}{{ end }}{{ index .Values.u 0 }}{{ $key := printf "%s-x" "v" }}{{ get .Values $key }}`,
			want: `
a-b: map templates/a.yaml:1 -> a.yaml
a-b.c: scalar templates/a.yaml:1 -> a.yaml
d: map templates/a.yaml:1 -> a.yaml
d.e: scalar templates/a.yaml:1 -> a.yaml
f: map switch templates/a.yaml:1 -> a.yaml
f.g: any switch templates/a.yaml:1 -> a.yaml
j: map templates/a.yaml:1 -> a.yaml
j.h: map templates/a.yaml:1 -> a.yaml
j.h.i: scalar switch templates/a.yaml:1 -> a.yaml
l: map templates/a.yaml:1 -> a.yaml
l.k: scalar templates/a.yaml:1 -> a.yaml
m: map templates/a.yaml:1 -> a.yaml
m.k: scalar templates/a.yaml:1 -> a.yaml
p: map templates/a.yaml:1 -> a.yaml
p.n: map templates/a.yaml:1 -> a.yaml
p.n.q: scalar templates/a.yaml:1 -> a.yaml
p.o: map templates/a.yaml:1 -> a.yaml
p.o.q: scalar templates/a.yaml:1 -> a.yaml
r: map|list *(any) templates/a.yaml:1 -> a.yaml
s: map|list *(map t(scalar)) templates/a.yaml:1 -> a.yaml
u: map|list *(scalar) templates/a.yaml:1 -> a.yaml
v-x: scalar templates/a.yaml:1 -> a.yaml
`,
		},
		{
			name:     "a key that is put together",
			template: `{{ index .Values.a (printf "x-%s" .Release.Name) "b" }}{{ index .Values.c .Values.d }}`,
			files: map[string]string{
				"values.yaml": `a:
  one:
    b: 1
  two: 2
`,
			},
			want: `
a: map *(map b(scalar)) default={"one":{"b":1},"two":2} templates/a.yaml:1 values.yaml:1 -> a.yaml
a.one: map default={"b":1} values.yaml:2 -> a.yaml
a.one.b: scalar default=1 templates/a.yaml:1 values.yaml:3 -> a.yaml
a.two: scalar|map unread default=2 values.yaml:4 -> a.yaml
c: map|list *(scalar) templates/a.yaml:1 -> a.yaml
d: scalar switch templates/a.yaml:1 -> a.yaml
note: templates/a.yaml:1: a key below a is put together: any key counts
`,
		},
		{
			name:     "a loop over the names of parts",
			template: `{{ range $name := list "one" "two" }}{{ $own := index $.Values $name }}{{ if $own.enabled }}{{ toYaml $own.env }}{{ end }}{{ end }}`,
			want: `
one: map templates/a.yaml:1 -> a.yaml
one.enabled: any switch templates/a.yaml:1 -> a.yaml
one.env: any raw templates/a.yaml:1 -> a.yaml
two: map templates/a.yaml:1 -> a.yaml
two.enabled: any switch templates/a.yaml:1 -> a.yaml
two.env: any raw templates/a.yaml:1 -> a.yaml
`,
		},
		{
			name:     "merged maps",
			template: `{{ $m := merge (dict) .Values.a .Values.b }}{{ $m.x }}{{ $n := mergeOverwrite (deepCopy .Values.c) .Values.d }}{{ range $k, $v := $n }}{{ $v }}{{ end }}{{ (coalesce .Values.e .Values.f).y }}{{ (omit .Values.g "h").i }}{{ (pick .Values.j "k").k }}{{ toYaml (values .Values.l) }}`,
			want: `
a: map templates/a.yaml:1 -> a.yaml
a.x: scalar templates/a.yaml:1 -> a.yaml
b: map templates/a.yaml:1 -> a.yaml
b.x: scalar templates/a.yaml:1 -> a.yaml
c: map *(scalar) templates/a.yaml:1 -> a.yaml
d: map *(scalar) templates/a.yaml:1 -> a.yaml
e: map switch templates/a.yaml:1 -> a.yaml
e.y: scalar templates/a.yaml:1 -> a.yaml
f: map switch templates/a.yaml:1 -> a.yaml
f.y: scalar templates/a.yaml:1 -> a.yaml
g: map templates/a.yaml:1 -> a.yaml
g.i: scalar templates/a.yaml:1 -> a.yaml
j: map templates/a.yaml:1 -> a.yaml
j.k: scalar templates/a.yaml:1 -> a.yaml
l: map|list *(any raw) templates/a.yaml:1 -> a.yaml
`,
		},
		{
			name:     "a map merged with itself",
			template: `{{ range $k, $v := merge .Values.a .Values.a }}{{ $k }}{{ $v }}{{ end }}`,
			want: `
a: map *(scalar) templates/a.yaml:1 -> a.yaml
`,
		},
		{
			name:     "set in a map and read again",
			template: `{{ $d := dict }}{{ range $k, $v := .Values.a }}{{ $_ := set $d $k $v }}{{ end }}{{ $_ := set $d "own" .Values.b }}{{ $d.SOME }}{{ $d.own.c }}{{ $_ := set .Values "late" .Values.d }}{{ .Values.late.e }}`,
			want: `
a: map|list *(any) templates/a.yaml:1 -> a.yaml
a.SOME: scalar templates/a.yaml:1 -> a.yaml
a.own: map templates/a.yaml:1 -> a.yaml
a.own.c: scalar templates/a.yaml:1 -> a.yaml
b: map templates/a.yaml:1 -> a.yaml
b.c: scalar templates/a.yaml:1 -> a.yaml
d: map templates/a.yaml:1 -> a.yaml
d.e: scalar templates/a.yaml:1 -> a.yaml
late: map templates/a.yaml:1 -> a.yaml
late.e: scalar templates/a.yaml:1 -> a.yaml
`,
		},
		{
			name:     "through text and back",
			template: `{{ $m := fromYaml (include "all" .) }}{{ $m.x }}{{ $n := fromYaml (include "some" .) }}{{ $n.v.y }}{{ if (include "flag" . | fromYaml).on }}x{{ end }}`,
			files: map[string]string{
				"templates/_h.tpl": `{{ define "all" }}{{ toYaml .Values.a }}{{ end }}{{ define "some" }}
v:
  {{- toYaml .Values.b | nindent 2 }}
{{ end }}{{ define "flag" }}on: {{ .Values.c }}{{ end }}`,
			},
			want: `
a: map templates/_h.tpl:1 -> a.yaml
a.x: scalar templates/a.yaml:1 -> a.yaml
b: map raw templates/_h.tpl:3 -> a.yaml
b.v: map raw templates/a.yaml:1 -> a.yaml
b.v.y: scalar raw templates/a.yaml:1 -> a.yaml
b.y: scalar raw templates/a.yaml:1 -> a.yaml
c: scalar switch templates/_h.tpl:4 -> a.yaml
`,
		},
		{
			name:     "lists",
			template: `{{ $l := concat .Values.a (list .Values.b) | uniq }}{{ $l = append $l .Values.c }}{{ range $l }}{{ .n }}{{ end }}{{ join "," .Values.d }}{{ (first .Values.e).m }}{{ (without .Values.f "x" | last).o }}`,
			want: `
a: map|list *(map n(scalar)) templates/a.yaml:1 -> a.yaml
b: map templates/a.yaml:1 -> a.yaml
b.n: scalar templates/a.yaml:1 -> a.yaml
c: map templates/a.yaml:1 -> a.yaml
c.n: scalar templates/a.yaml:1 -> a.yaml
d: map|list *(scalar) templates/a.yaml:1 -> a.yaml
e: map|list *(map m(scalar)) templates/a.yaml:1 -> a.yaml
f: map|list *(map o(scalar)) templates/a.yaml:1 -> a.yaml
`,
		},
		{
			name:     "a loop that goes deeper",
			template: `{{ $v := .Values.a }}{{ range splitList "." "x.y.z" }}{{ $v = index $v . }}{{ end }}{{ toYaml $v }}`,
			want: `
a: map|list raw *(map|list raw *(any raw)) templates/a.yaml:1 -> a.yaml
note: templates/a.yaml:1: a key below a is put together: any key counts
note: templates/a.yaml:1: a key below a.* is put together: any key counts
note: templates/a.yaml:1: a variable goes deeper into the values with every turn of the loop: it is followed for 2 turns
`,
		},
		{
			name:     "a template that contains itself",
			template: `{{ include "walk" .Values.tree }}`,
			files: map[string]string{
				"templates/_h.tpl": `{{ define "walk" }}{{ .name }}{{ range .below }}{{ include "walk" . }}{{ end }}{{ end }}`,
			},
			want: `
tree: map templates/a.yaml:1 -> a.yaml
tree.below: map|list *(map below(map|list *(map below(map|list *(any raw)) name(scalar))) name(scalar)) templates/_h.tpl:1 -> a.yaml
tree.name: scalar templates/_h.tpl:1 -> a.yaml
note: templates/_h.tpl:1: the template "walk" contains itself: it is followed 3 times, and what it is given below that counts as written whole
`,
		},
		{
			name: "names",
			template: `metadata:
  labels:
    app.kubernetes.io/name: {{ .Values.a }}
  name: {{ include "full" . }}-x
spec:
  other:
    name: {{ .Values.b }}
  containers:
    - image: x
      name: {{ .Values.c }}
      env:
        - name: {{ .Values.d }}
    {{- if .Values.e }}
    - name: {{ .Values.f }}
    {{- end }}
`,
			files: map[string]string{
				"templates/_h.tpl": `{{ define "full" }}{{ if .Values.g }}{{ .Values.g }}{{ else }}{{ default .Chart.Name .Values.h }}{{ end }}{{ end }}`,
			},
			want: `
a: scalar name templates/a.yaml:3 -> a.yaml
b: scalar templates/a.yaml:7 -> a.yaml
c: scalar name templates/a.yaml:10 -> a.yaml
d: scalar templates/a.yaml:12 -> a.yaml
e: any switch templates/a.yaml:13 -> a.yaml
f: scalar name templates/a.yaml:14 -> a.yaml
g: scalar switch name templates/_h.tpl:1 -> a.yaml
h: scalar switch name templates/_h.tpl:1 -> a.yaml
`,
		},
		{
			name: "the notes are not written",
			files: map[string]string{
				"templates/NOTES.txt": `{{ toYaml .Values.a }}`,
			},
			want: `
a: any templates/NOTES.txt:1 -> NOTES.txt
`,
		},
		{
			name:     "all values",
			template: `{{ toYaml .Values }}`,
			files: map[string]string{
				"values.yaml": `a: 1
`,
			},
			want: `
(all): map raw default={"a":1} templates/a.yaml:1 -> a.yaml
a: scalar raw default=1 values.yaml:1 -> a.yaml
`,
		},
		{
			name:     "charts below",
			template: `{{ .Values.sub.a }}{{ .Values.global.g }}{{ .Subcharts.other.Values.viaTop }}{{ include "lib" . }}`,
			files: map[string]string{
				"Chart.yaml": `apiVersion: v2
name: top
version: 1.0.0
dependencies:
- name: sub
  version: 1.0.0
  condition: sub.enabled,extra.sub
  tags: [back]
  import-values:
  - child: data
    parent: from
- name: sub
  version: 1.0.0
  alias: other
- name: lib
  version: 1.0.0
`,
				"values.yaml": `sub:
  b: top
`,
				"charts/sub/Chart.yaml": `apiVersion: v2
name: sub
version: 1.0.0
`,
				"charts/sub/values.yaml": `b: own
data:
  d: 1
`,
				"charts/sub/templates/s.yaml": `{{ .Values.b }}{{ .Values.global.h.i }}{{ .Chart.Name }}{{ toYaml .Values.global.j }}`,
				"charts/lib/Chart.yaml": `apiVersion: v2
name: lib
version: 1.0.0
type: library
`,
				"charts/lib/templates/_l.tpl": `{{ define "lib" }}{{ .Values.fromLibrary }}{{ end }}`,
			},
			want: `
extra: map Chart.yaml:7 -> s.yaml,a.yaml
extra.sub: scalar switch Chart.yaml:7 -> s.yaml,a.yaml
from: any unread default={"d":1} Chart.yaml:9
from.d: any unread default=1 Chart.yaml:9
fromLibrary: scalar charts/lib/templates/_l.tpl:1 -> a.yaml
global: map charts/sub/templates/s.yaml:1 templates/a.yaml:1 -> s.yaml,s.yaml,a.yaml
global.g: scalar templates/a.yaml:1 -> a.yaml
global.h: map charts/sub/templates/s.yaml:1 -> s.yaml,s.yaml
global.h.i: scalar charts/sub/templates/s.yaml:1 -> s.yaml,s.yaml
global.j: any raw charts/sub/templates/s.yaml:1 -> s.yaml,s.yaml
other: map default={"b":"own","data":{"d":1}} charts/sub/templates/s.yaml:1 charts/sub/values.yaml:1,2 templates/a.yaml:1 -> s.yaml,a.yaml
other.b: scalar default="own" charts/sub/templates/s.yaml:1 charts/sub/values.yaml:1 -> s.yaml
other.data: map unread default={"d":1} charts/sub/values.yaml:2
other.data.d: scalar unread default=1 charts/sub/values.yaml:3
other.global: map charts/sub/templates/s.yaml:1 -> s.yaml
other.global.h: map charts/sub/templates/s.yaml:1 -> s.yaml
other.global.h.i: scalar charts/sub/templates/s.yaml:1 -> s.yaml
other.global.j: any raw charts/sub/templates/s.yaml:1 -> s.yaml
other.viaTop: scalar templates/a.yaml:1 -> a.yaml
sub: map default={"b":"top","data":{"d":1}} values.yaml:1 -> s.yaml,a.yaml
sub.a: scalar templates/a.yaml:1 -> a.yaml
sub.b: scalar default="top" charts/sub/templates/s.yaml:1 charts/sub/values.yaml:1 values.yaml:2 -> s.yaml
sub.data: map unread default={"d":1} charts/sub/values.yaml:2
sub.data.d: scalar unread default=1 charts/sub/values.yaml:3
sub.enabled: scalar switch Chart.yaml:7 -> s.yaml,a.yaml
sub.global: map charts/sub/templates/s.yaml:1 -> s.yaml
sub.global.h: map charts/sub/templates/s.yaml:1 -> s.yaml
sub.global.h.i: scalar charts/sub/templates/s.yaml:1 -> s.yaml
sub.global.j: any raw charts/sub/templates/s.yaml:1 -> s.yaml
tags: map Chart.yaml:8 -> s.yaml,a.yaml
tags.back: scalar switch Chart.yaml:8 -> s.yaml,a.yaml
`,
		},
		{
			name:     "a dependency that can be taken away",
			template: `{{ if .Subcharts.b }}x{{ end }}`,
			files: map[string]string{
				"Chart.yaml": `apiVersion: v2
name: top
version: 1.0.0
dependencies:
- name: a
  version: 1.0.0
  condition: a.enabled
- name: b
  version: 1.0.0
`,
				"charts/a/Chart.yaml": `apiVersion: v2
name: a
version: 1.0.0
`,
				"charts/a/templates/_x.tpl": `{{ define "x" }}{{ .Values.x }}{{ end }}`,
				"charts/b/Chart.yaml": `apiVersion: v2
name: b
version: 1.0.0
`,
				"charts/b/templates/_x.tpl": `{{ define "x" }}{{ .Values.y }}{{ end }}`,
				"charts/b/templates/b.yaml": `{{ include "x" . }}`,
				"templates/c.yaml":          `{{ .Values.c }}`,
			},
			want: `
a: map default={} Chart.yaml:7 -> b.yaml,a.yaml
a.enabled: scalar switch Chart.yaml:7 -> b.yaml,a.yaml
b: map default={} charts/a/templates/_x.tpl:1 charts/b/templates/_x.tpl:1 -> b.yaml
b.x: scalar charts/a/templates/_x.tpl:1 -> b.yaml
b.y: scalar charts/b/templates/_x.tpl:1 -> b.yaml
c: scalar templates/c.yaml:1 -> c.yaml
`,
		},
		{
			name: "a template of the chart above replaces one below",
			files: map[string]string{
				"charts/sub/Chart.yaml": `apiVersion: v2
name: sub
version: 1.0.0
`,
				"charts/sub/templates/s.yaml": `{{ include "x" . }}{{ define "x" }}{{ .Values.below }}{{ end }}`,
				"templates/_o.tpl":            `{{ define "x" }}{{ .Values.above }}{{ end }}`,
			},
			want: `
sub: map default={} templates/_o.tpl:1 -> s.yaml
sub.above: scalar templates/_o.tpl:1 -> s.yaml
`,
		},
		{
			name:     "a template by its file name",
			template: `{{ include (print $.Template.BasePath "/b.yaml") . | sha256sum }}`,
			files: map[string]string{
				"templates/b.yaml": `{{ .Values.a }}`,
			},
			want: `
a: scalar templates/b.yaml:1 -> a.yaml,b.yaml
`,
		},
		{
			name:     "a schema",
			template: `{{ .Values.a }}`,
			files: map[string]string{
				"values.schema.json": `{
  "type": "object",
  "additionalProperties": false,
  "$defs": {"name": {"$anchor": "n", "type": "string"}, "tree": {"type": "object", "properties": {"next": {"$ref": "#/$defs/tree"}}}},
  "properties": {
    "a": {"$ref": "#/$defs/name"},
    "b": {"enum": ["x", 1, null]},
    "c": {"oneOf": [{"type": "string"}, {"type": "object", "properties": {"d": {"type": "integer"}}}]},
    "e": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
    "f": {"type": "object", "patternProperties": {"^x": {"type": "boolean"}}},
    "g": {"type": "array", "items": {"type": "object", "required": ["h"], "properties": {"h": {"const": "i"}}}},
    "j": {"allOf": [{"type": ["integer", "string"]}, {"type": "number"}]},
    "k": {"if": {"properties": {"l": {"const": true}}}, "then": {"properties": {"m": {"type": "string"}}}},
    "n": {"$ref": "#n"},
    "o": {"$ref": "other.json#/x"},
    "p": {"$ref": "#/$defs/tree"},
    "q": true
  }
}
`,
			},
			want: `
a: scalar types=string templates/a.yaml:1 values.schema.json:6 -> a.yaml
b: scalar enum=["x",1,null] unread values.schema.json:7
c: scalar|map types=string unread values.schema.json:8
c.d: scalar types=integer unread values.schema.json:8
e: map types=object *(scalar types=null|string) unread values.schema.json:9
f: map types=object *(scalar types=boolean) unread values.schema.json:10
g: list types=array *(map types=object h(scalar enum=["i"])) unread values.schema.json:11
j: scalar types=integer unread values.schema.json:12
k: map unread values.schema.json:13
k.l: scalar enum=[true] unread values.schema.json:13
k.m: scalar types=string unread values.schema.json:13
n: scalar types=string unread values.schema.json:14
o: any unread values.schema.json:15
p: map types=object unread values.schema.json:16
p.next: map types=object unread values.schema.json:4
p.next.next: map types=object unread values.schema.json:4
q: any unread values.schema.json:17
note: values.schema.json:15: the reference "other.json#/x" leads out of the file or nowhere
note: values.schema.json:4: the schema contains itself: it is followed 2 times
`,
		},
		{
			name:     "what cannot be followed",
			template: `{{ include .Values.name . }}{{ include "absent" . }}{{ with (lookup "v1" "Secret" "a" "b") }}{{ .Values.a }}{{ end }}{{ tpl (randAlpha 3) . }}{{ .Values.PathValue "x.y" }}`,
			want: `
PathValue: any templates/a.yaml:1 -> a.yaml
name: scalar switch templates/a.yaml:1 -> a.yaml
note: templates/a.yaml:1: .Values.PathValue: a method of the values is not followed
note: templates/a.yaml:1: .Values.a: what it belongs to is not known
note: templates/a.yaml:1: the name of the template to include is not known
note: templates/a.yaml:1: there is no template "absent"
note: templates/a.yaml:1: where the text that tpl executes comes from is not known
`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := maps.Clone(test.files)
			if files == nil {
				files = map[string]string{}
			}
			if test.template != "" {
				files["templates/a.yaml"] = test.template
			}
			s, err := surface.Find(t.Context(), chartOf(t, files))
			if err != nil {
				t.Fatal(err)
			}
			got := describe(t, s)
			if diff := cmp.Diff(strings.Split(strings.TrimPrefix(test.want, "\n"), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindErrors(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"a template", map[string]string{"templates/a.yaml": "{{ if }}"},
			"find what can be set in chart top: parse templates/a.yaml: template: top/templates/a.yaml:1: missing value for if"},
		{"a schema", map[string]string{"values.schema.json": "{"},
			"find what can be set in chart top: parse values.schema.json: unexpected end of JSON input"},
		{"a schema of a chart below", map[string]string{
			"charts/sub/Chart.yaml":         "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
			"charts/sub/values.schema.json": "{} {}",
		}, "find what can be set in chart top: parse charts/sub/values.schema.json: invalid character '{' after top-level value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := surface.Find(t.Context(), chartOf(t, test.files))
			if err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
	if _, err := surface.Find(t.Context(), nil); err == nil || err.Error() != "find what can be set: the chart has no Chart.yaml" {
		t.Errorf("without a chart: error %v", err)
	}
}

// TestFindEnds has charts that multiply: what cannot be followed to the end is
// noted, in bounded time.
func TestFindEnds(t *testing.T) {
	t.Parallel()
	var templates, schemas strings.Builder
	for i := range 12 {
		fmt.Fprintf(&templates, `{{ define "%d" }}`, i)
		fmt.Fprintf(&schemas, `"%d": {"type": "object", "properties": {`, i)
		for j := range 12 {
			fmt.Fprintf(&templates, `{{ include "%d" .k%d }}`, j, j)
			fmt.Fprintf(&schemas, `"k%d": {"$ref": "#/$defs/%d"},`, j, j)
		}
		templates.WriteString("{{ end }}")
		schemas.WriteString(`"end": {}}},`)
	}
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"templates", map[string]string{"templates/a.yaml": templates.String() + `{{ include "0" .Values.a }}`},
			"templates/a.yaml:1: the templates are too large to be followed to the end"},
		{"schemas", map[string]string{"values.schema.json": `{"$ref": "#/$defs/0", "$defs": {` + schemas.String() + `"end": {}}}`},
			"values.schema.json:1: the schema is too large to be followed to the end"},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			s, err := surface.Find(t.Context(), chartOf(t, test.files))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d places in %v", len(s.Places), time.Since(start))
			if !slices.Contains(s.Notes, test.want) {
				t.Errorf("notes %.300q, want one that is %q", s.Notes, test.want)
			}
		})
	}
}
