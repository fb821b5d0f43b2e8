package manifest

import (
	"errors"
	"strings"
	"testing"
)

const unrenderedText = "a template was not rendered, {{ … }} is left over: render it with helm template or kustomize build, or name the app's folder"

// TestReadErrors: each message names the document and the line.
func TestReadErrors(t *testing.T) {
	aliases := bomb("[x]", "[%s]")
	for name, test := range map[string]struct{ text, want string }{
		"a key twice":                        {"kind: A\nv: 1\nv: 2\n", `document 1: line 3: key "v" is given twice, first in line 2`},
		"a key twice, with a value below":    {"kind: A\nv:\n  - 1\nv:\n  - 2\n", `document 1: line 4: key "v" is given twice, first in line 2`},
		"a key twice in the second document": {"kind: A\n---\nkind: B\nv: 1\nv: 2\n", `document 2: line 5: key "v" is given twice, first in line 4`},
		"the second one broken":              {"kind: A\n---\nkind: B\nv: [\n", "document 2: line 4: did not find expected node content"},
		"a tab":                              {"kind: A\n---\n\tkind: B\n", "document 2: line 3: found character that cannot start any token"},
		"a tab in the first line":            {"\tkind: B\n", "document 1: line 1: found character that cannot start any token"},
		"a colon too many":                   {"kind: A\nv: a: b\n", "document 1: line 2: mapping values are not allowed in this context"},
		"a colon too many in the first line": {"v: a: b\nkind: A\n", "document 1: line 1: mapping values are not allowed in this context"},
		"an indentation between two":         {"kind: A\nv:\n  w: 1\n x: 2\n", "document 1: line 4: did not find expected key"},
		"a list without an end":              {"kind: A\nv: [1\nw: 2\n", "document 1: line 3: did not find expected ',' or ']'"},
		"a map without an end":               {"kind: A\nv: {a: 1\nw: 2\n", "document 1: line 3: did not find expected ',' or '}'"},
		"quotes without an end":              {"kind: A\nv: \"a\nw: 2\n", "document 1: line 3: found unexpected end of stream"},
		"quotes after quotes":                {"kind: A\nv: \"a\"b\"\n", "document 1: line 2: did not find expected key"},
		"an escape that is none":             {"kind: A\nv: \"\\y\"\n", "document 1: line 2: found unknown escape character"},
		"an anchor that is none":             {"kind: A\nv: 1\nw: *x\n", "document 1: line 3: unknown anchor 'x' referenced"},
		"an anchor of another name":          {"kind: A\nv: [\"*xy\", 1]\nw: *x\n", "document 1: line 3: unknown anchor 'x' referenced"},
		"an anchor in itself":                {"kind: A\nv: &x\n - *x\n", "document 1: line 3: anchor 'x' value contains itself"},
		"a tag that is none":                 {"kind: A\nv: !x!y 1\n", "document 1: line 2: found undefined tag handle"},
		"a tag of another type":              {"kind: A\nv: !!int a\n", "document 1: line 2: cannot decode !!str `a` as a !!int"},
		"no base64":                          {"kind: A\nv: !!binary '*'\n", "document 1: line 2: !!binary value contains invalid base64 data"},
		"no separator after an end":          {"kind: A\n...\nkind: B\n", "document 2: line 3: did not find expected <document start>"},
		"a list":                             {"# first\n- kind: A\n", "document 1: line 2: not a Kubernetes object but a list"},
		"a string":                           {"kind\n", "document 1: line 1: not a Kubernetes object but a string"},
		"a number":                           {"kind: A\n---\n7\n", "document 2: line 3: not a Kubernetes object but a number"},
		"a boolean":                          {"off\n", "document 1: line 1: not a Kubernetes object but a boolean"},
		"no kind":                            {"---\n---\nmetadata: {}\n", "document 2: line 3: not a Kubernetes object: it has no kind"},
		"kind of another type":               {"kind: 7\n", "document 1: line 1: not a Kubernetes object: it has no kind"},
		"an alias bomb":                      {"kind: A\n" + aliases, "document 1: line 1: document contains excessive aliasing: write out what the aliases repeat, or remove it"},
		"an alias bomb after one":            {"kind: A\n---\nkind: B\n" + aliases, "document 2: line 3: document contains excessive aliasing: write out what the aliases repeat, or remove it"},
		"a key twice as text":                {"kind: A\nv: {1: a, '1': b}\n", `document 1: line 2: key "1" is given twice, first in line 2`},
		"a key that is null":                 {"kind: A\nv: {null: b}\n", "document 1: line 2: a key that is null cannot stand in a Kubernetes object"},
		"a key that is a list":               {"kind: A\nv: {[a]: b}\n", "document 1: line 2: a key that is a list cannot stand in a Kubernetes object"},
		"a key that is a map":                {"kind: A\nv: {{a: c}: b}\n", "document 1: line 2: a key that is a map cannot stand in a Kubernetes object"},
		"a control character":                {"kind: A\nv: \x01\n", "document 1: line 2: control characters are not allowed"},
		"binary":                             {"\x00\x01\x02", "document 1: line 1: control characters are not allowed"},
		"no UTF-8":                           {"kind: A\n# \xe4\n", "document 1: line 2: incomplete UTF-8 octet sequence"},
		"no UTF-8 at all":                    {"kind: A\nv: 1\nw: \xff\n", "document 1: line 3: invalid leading UTF-8 octet"},
		"not a number":                       {"kind: A\nv: .nan\n", "document 1: line 2: NaN is no number in JSON"},
		"infinity":                           {"kind: A\nv:\n- 1\n- -.inf\n", "document 1: line 4: -Inf is no number in JSON"},

		"JSON: a key twice":                  {"{\"kind\": \"A\",\n \"v\": 1,\n \"v\": 2}", `document 1: line 3: key "v" is given twice, first in line 2`},
		"JSON: a key twice, with an escape":  {"{\"kind\": \"A\",\n \"v\": 1,\n \"\\u0076\": 2}", `document 1: line 3: key "v" is given twice, first in line 2`},
		"JSON: a key twice deep in a stream": {"{\"kind\": \"A\"}\n{\"kind\": \"B\",\n\"v\": [{\"w\": 1,\n\"w\": 1}]}", `document 2: line 4: key "w" is given twice, first in line 3`},
		"JSON: it breaks off":                {"{\"kind\": \"A\"}\n{\"kind\": \n\n", "document 2: line 2: no JSON: unexpected EOF"},
		"JSON: it breaks off in quotes":      {"{\"kind\": \"A\"}\n{\"kind\": \"B", "document 2: line 2: no JSON: unexpected EOF"},
		"JSON: it breaks off in the first":   {"{\n\"kind\": \"A\",\n", "document 1: line 2: did not find expected node content"},
		"JSON: rubbish after it":             {"{\"kind\": \"A\"}\n\nrubbish\n", "document 2: line 3: no JSON: invalid character 'r' looking for beginning of value"},
		"JSON: a brace too many":             {"{\"kind\": \"A\"}\n}\n", "document 2: line 2: no JSON: invalid character '}' looking for beginning of value"},
		"JSON: a comma between two":          {"{\"kind\": \"A\"},\n{\"kind\": \"B\"}\n", "document 2: line 1: no JSON: invalid character ',' looking for beginning of value"},
		"JSON: a comma is missing":           {"{\"kind\": \"A\"}\n{\"kind\": \"B\"\n \"v\": 1}\n", "document 2: line 3: no JSON: invalid character '\"' after object key:value pair"},
		"JSON: a number too large":           {"{\"kind\": \"A\",\n\"v\": \"\\/\", \"w\": 1e999}", "document 1: line 1: json: cannot unmarshal number 1e999 into Go value of type float64"},
		"JSON: a list":                       {"\n[{\"kind\": \"A\"}]", "document 1: line 2: not a Kubernetes object but a list"},
		"JSON: a list that is no YAML":       {"[{\"kind\": \"\\/\"}]", "document 1: line 1: not a Kubernetes object but a list"},
		"JSON: a list after an object":       {"{\"kind\": \"A\"}\n[{\"kind\": \"A\"}]", "document 2: line 2: not a Kubernetes object but a list"},
		"JSON: a string after an object":     {"{\"kind\": \"A\"}\n\"A\"", "document 2: line 2: not a Kubernetes object but a string"},
		"JSON: null after an object":         {"{\"kind\": \"A\"}\n null", "document 2: line 2: not a Kubernetes object but null"},
		"JSON: no kind":                      {"{\"kind\": \"A\"}\n{}", "document 2: line 2: not a Kubernetes object: it has no kind"},
		"JSON: too deep":                     {"{\"kind\": \"A\"}\n" + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), "document 2: line 2: no JSON: it is deeper than 10000 levels"},

		"a template: a value":                       {"kind: A\nspec:\n  replicas: {{ .Values.replicas }}\n", "document 1: line 3: " + unrenderedText},
		"a template: the first of several":          {"kind: A\nv: {{ .a }}\nw: {{ .b }}\n{{- if .c }}\nx: 1\n{{- end }}\n", "document 1: line 2: " + unrenderedText},
		"a template: a condition in the first line": {"{{- if .Values.enabled }}\nkind: A\n{{- end }}\n", "document 1: line 1: " + unrenderedText},
		"a template: an include":                    {"kind: A\nmetadata:\n  labels:\n    {{- include \"a.labels\" . | nindent 4 }}\nv: 1\n", "document 1: line 4: " + unrenderedText},
		"a template: a part of a value":             {"kind: A\nv: \"{{ quoted }}\"\nw: {{ include \"x\" . }}-suffix\n", "document 1: line 3: " + unrenderedText},
		"a template: a placeholder":                 {"kind: A\nimage: {{IMAGE}}\n", "document 1: line 2: " + unrenderedText},
		"a template: an image's tag":                {"kind: A\nv: 1\nimage: {{ .repository }}:{{ .tag }}\n", "document 1: line 3: " + unrenderedText},
		"a template: over several lines":            {"kind: A\nv: {{\n  .Values.v }}\nw: 1\n", "document 1: line 2: " + unrenderedText},
		"a template: in a list over several lines":  {"kind: A\nv: [\n  a,\n  {{ .b }},\n  c]\n", "document 1: line 4: " + unrenderedText},
		"a template: in the second document":        {"kind: A\nv: '{{ fine }}'\n---\nkind: B\nv: {{ .b }}\n", "document 2: line 5: " + unrenderedText},
		"a template: the kind":                      {"kind: {{ .Values.kind }}\n", "document 1: line 1: " + unrenderedText},
		"a template: in JSON":                       {"{\"kind\": \"A\",\n \"replicas\": {{ .Values.replicas }}}", "document 1: line 2: " + unrenderedText},
		"no template: in quotes":                    {"kind: A\nv: \"{{ fine }}\"\nw: [\n", "document 1: line 3: did not find expected node content"},
		"no template: in a comment":                 {"kind: A\n# v: {{ fine }}\nw: a: b\n", "document 1: line 3: mapping values are not allowed in this context"},
		"no template: in a text":                    {"kind: A\nv: |\n  {{ fine }}\nw: a: b\n", "document 1: line 4: mapping values are not allowed in this context"},
		"no template: a key twice":                  {"kind: A\nv: '{{ fine }}'\nv: 1\n", `document 1: line 3: key "v" is given twice, first in line 2`},
		"no template: no kind":                      {"v: '{{ fine }}'\n", "document 1: line 1: not a Kubernetes object: it has no kind"},
		"no template: a map in a map":               {"kind: A\nv: {{a: c}: b}\n", "document 1: line 2: a key that is a map cannot stand in a Kubernetes object"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Read([]byte(test.text))
			if err == nil {
				t.Fatalf("read %v", got)
			}
			if err.Error() != test.want {
				t.Errorf("error %q, want %q", err, test.want)
			}
		})
	}
	for _, text := range []string{"", "# nothing\n---\n# at all\n"} {
		if _, err := Read([]byte(text)); !errors.Is(err, ErrEmpty) || err.Error() != "no objects: the manifest is empty" {
			t.Errorf("%q: error %v is not ErrEmpty", text, err)
		}
	}
}

// What can be read is no template, whatever it holds.
func TestReadBraces(t *testing.T) {
	for name, text := range map[string]string{
		"in quotes":     "kind: A\nv: \"{{ $labels.pod }}\"\n",
		"in a text":     "kind: A\nv: |\n  {{ inputs.parameters.x }}\n",
		"in a comment":  "kind: A # {{ .Values.kind }}\n",
		"inside a word": "kind: A\nv: a{{ .b }}c\n",
		"in JSON":       `{"kind": "A", "v": "{{ .b }}\/"}`,
	} {
		if _, err := Read([]byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
