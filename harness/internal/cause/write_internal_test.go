package cause

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/report"
)

// An edit is the text that a person would write: the line is changed, and nothing
// else is.
func TestWritten(t *testing.T) {
	setTo := func(value string) func(*place) []edit { return func(p *place) []edit { return []edit{set(p, value)} } }
	skip := setTo("skip")
	removed := func(p *place) []edit { return []edit{remove(p)} }
	addTo := func(keys ...string) func(*place) []edit {
		return func(p *place) []edit { return []edit{add(p, keys, stringNode("skip"))} }
	}
	appended := func(p *place) []edit { return []edit{add(p, []string{"env"}, entryNode("A", "skip"))} }
	literal := func(p *place) []edit { return replace(p, "value", stringNode("skip")) }
	const patch = "patches:\n- patch: |-\n    - op: replace # it\n      path: /a\n\n      value: auto\n  target: {kind: A} # all\n"
	for name, test := range map[string]struct {
		text, path string
		edits      func(*place) []edit
		want       string // empty: no person would write it
	}{
		"a value":                                {"a:\n  b: auto\n  c: 1\n", "a.b", skip, "a:\n  b: \"skip\"\n  c: 1\n"},
		"a value with a comment and blanks":      {"# one\n\na:   auto   # two\nb: 1 # three\n", "a", skip, "# one\n\na:   \"skip\"   # two\nb: 1 # three\n"},
		"a value in double quotes":               {"a: \"au\\\"to\" # '\nb: 1\n", "a", skip, "a: \"skip\" # '\nb: 1\n"},
		"a value in single quotes":               {"a: 'it''s' # \"\n", "a", skip, "a: \"skip\" # \"\n"},
		"a quoted key":                           {"\"a.b\":\n  'c d': auto\n", `["a.b"]["c d"]`, skip, "\"a.b\":\n  'c d': \"skip\"\n"},
		"a value in a flow map":                  {"a: {b: auto, c: [1, 2]}\n", "a.b", skip, "a: {b: \"skip\", c: [1, 2]}\n"},
		"a value in a flow map of several lines": {"a: {\n  b: auto, # one\n  c: 1\n}\n", "a.b", skip, "a: {\n  b: \"skip\", # one\n  c: 1\n}\n"},
		"JSON":                                   {"{\"a\": {\"b\": \"auto\"}}\n", "a.b", skip, "{\"a\": {\"b\": \"skip\"}}\n"},
		"a value of nothing":                     {"a:\nb: 1\n", "a", skip, "a: \"skip\"\nb: 1\n"},
		"a value of nothing with a comment":      {"a: # none\nb: 1\n", "a", skip, "a: \"skip\" # none\nb: 1\n"},
		"null":                                   {"a: null\n", "a", skip, "a: \"skip\"\n"},
		"a tilde":                                {"a: ~ # none\n", "a", skip, "a: \"skip\" # none\n"},
		"a value with a tag":                     {"a: !!str off\n", "a", skip, "a: \"skip\"\n"},
		"a value with an anchor":                 {"a: &m auto # all\nb: *m\n", "a", skip, "a: &m \"skip\" # all\nb: *m\n"},
		"an alias":                               {"a: &m auto\nb: *m # too\n", "b", skip, "a: &m auto\nb: \"skip\" # too\n"},
		"a block":                                {"a: |\n  auto\nb: 1\n", "a", skip, "a: \"skip\"\nb: 1\n"},
		"a line of a block":                      {"a: |\n  one\n\n  two # no comment\n  three\nb: 1\n", "a", setTo("one\n\nthree\n"), "a: |\n  one\n\n  three\nb: 1\n"},
		"the last line of a block, without an end":        {"a: |-\n  one\n  two", "a", setTo("one\n2"), "a: |-\n  one\n  2\n"},
		"a value over several lines":                      {"a: one\n  two\nb: 1\n", "a", skip, ""},
		"a value in CRLF":                                 {"a: auto\r\nb: 1\r\n", "a", skip, "a: \"skip\"\r\nb: 1\r\n"},
		"a value after letters of several bytes":          {"{ä: \"ö🚀\", b: auto} # ü\n", "b", skip, "{ä: \"ö🚀\", b: \"skip\"} # ü\n"},
		"a value without an end of its line":              {"a: auto", "a", skip, "a: \"skip\""},
		"a value in the second document":                  {"a: 1\n---\nb: auto\n", "b", skip, "a: 1\n---\nb: \"skip\"\n"},
		"a value with quotes":                             {"a: 1\n", "a", setTo(`say "<a & b>"`), "a: \"say \\\"<a & b>\\\"\"\n"},
		"a value in an indented list":                     {"a:\n    - b: auto\n      c: 1\n", "a[0].b", skip, "a:\n    - b: \"skip\"\n      c: 1\n"},
		"a member":                                        {"a: 1 # one\n# of b\nb: 2 # two\n# of c\nc: 3\n", "b", removed, "a: 1 # one\n# of b\n# of c\nc: 3\n"},
		"the first member of an item":                     {"a:\n- b: 1\n  c: 2\n", "a[0].b", removed, "a:\n- c: 2\n"},
		"the first member of an item, before comments":    {"a:\n- b: 1\n  # of c\n  c: 2\n", "a[0].b", removed, ""},
		"a member with lines":                             {"a:\n  b:\n    c: 1\n\n    d: [\n      2]\n  e: |\n    f\n\ng: 1\n", "a.b", removed, "a:\n  e: |\n    f\n\ng: 1\n"},
		"a block member":                                  {"a: 1\ne: |\n  f\n\n  g\nh: 1\n", "e", removed, "a: 1\nh: 1\n"},
		"an item":                                         {"a:\n- b: 1\n  c: 1\n# of d\n- d: 1\n", "a[0]", removed, "a:\n# of d\n- d: 1\n"},
		"an item with its dash in a line of its own":      {"a:\n-\n  b: 1\n- c: 1\n", "a[0]", removed, "a:\n- c: 1\n"},
		"an item of a list in a list":                     {"a:\n- - b\n  - c\n", "a[0][0]", removed, "a:\n- - c\n"},
		"the only item":                                   {"a: # all\n  - b: 1\n    c: 1\nd: 1\n", "a[0]", removed, "a: [] # all\nd: 1\n"},
		"the only item, at the margin":                    {"a:\n- b: 1 # one\nd: 1\n", "a[0]", removed, "a: []\nd: 1\n"},
		"the only item of an item":                        {"a:\n- - b\n- c\n", "a[0][0]", removed, "a:\n- []\n- c\n"},
		"the only member":                                 {"a:\n  b: 1\nd: 1\n", "a.b", removed, "a: {}\nd: 1\n"},
		"the only member of the file":                     {"# top\na: 1\n", "a", removed, "# top\n{}\n"},
		"the only member of an item, in its line":         {"a:\n- b: 1\n- c\n", "a[0].b", removed, "a:\n- {}\n- c\n"},
		"a flow member, first":                            {"a: {b: 1, c: 2}\n", "a.b", removed, "a: {c: 2}\n"},
		"a flow member, last":                             {"a: {b: 1, c: 2 }\n", "a.c", removed, "a: {b: 1 }\n"},
		"a flow member, only":                             {"a: { b: 1 } # one\n", "a.b", removed, "a: {} # one\n"},
		"a flow item over lines":                          {"a: [\n  b,\n  c,\n]\n", "a[0]", removed, "a: [\n  c,\n]\n"},
		"what an alias refers to":                         {"a: &m 1\nb: *m\n", "a", removed, "error"},
		"another key":                                     {"a:\n  'b': auto\n  \"c\": 1\n", "a.c", func(p *place) []edit { return []edit{rename(p, "d")} }, "a:\n  'b': auto\n  \"d\": 1\n"},
		"a key that is there":                             {"a:\n  b: auto\n  c: 1\n", "a.c", func(p *place) []edit { return []edit{rename(p, "b")} }, "error"},
		"a new member":                                    {"a:\n  b: 1 # one\n\nc: 1\n", "a", addTo("v"), "a:\n  b: 1 # one\n  v: \"skip\"\n\nc: 1\n"},
		"a new member below new ones":                     {"a:\n    b: 1\n", "a", addTo("e", "v"), "a:\n    b: 1\n    e:\n      v: \"skip\"\n"},
		"a new member in JSON":                            {"{\"a\": {\"b\": 1}}", "a", addTo("e", "v"), "{\"a\": {\"b\": 1, \"e\": {\"v\": \"skip\"}}}"},
		"a new member of a flow map":                      {"a: {b: 1} # one\n", "a", addTo("v"), "a: {b: 1, v: \"skip\"} # one\n"},
		"a new member of a flow map with a comma":         {"a: {\n  b: 1,\n}\n", "a", addTo("v"), "a: {\n  b: 1, v: \"skip\",\n}\n"},
		"a new member of an empty map":                    {"a: {}\n", "a", addTo("e", "v"), "a: {e: {v: \"skip\"}}\n"},
		"a new member of nothing":                         {"a: # none\nb: 1\n", "a", addTo("e", "v"), "a: # none\n  e:\n    v: \"skip\"\nb: 1\n"},
		"a new member of null":                            {"a: null\nb: 1\n", "a", addTo("v"), "a:\n  v: \"skip\"\nb: 1\n"},
		"a new member of null in a flow map":              {"{a: null, b: 1}\n", "a", addTo("v"), "{a: {v: \"skip\"}, b: 1}\n"},
		"a new member, where one is null":                 {"a:\n  v: null # none\n", "a", addTo("v"), "a:\n  v: \"skip\" # none\n"},
		"a new member after a block":                      {"a:\n  b: |\n    c\n\n\n", "a", addTo("v"), "a:\n  b: |\n    c\n  v: \"skip\"\n\n\n"},
		"a new member after a block that keeps lines":     {"a:\n  b: |+\n    c\n\n\n", "a", addTo("v"), ""},
		"a new member beside merged ones":                 {"m: &m {b: 1}\na:\n  <<: *m\n", "a", addTo("v"), "m: &m {b: 1}\na:\n  <<: *m\n  v: \"skip\"\n"},
		"a new member at the end of the file":             {"a: 1", "", addTo("v"), "a: 1\nv: \"skip\""},
		"a new member in CRLF":                            {"a:\r\n  b: 1\r\nc: 1\r\n", "a", addTo("e", "v"), "a:\r\n  b: 1\r\n  e:\r\n    v: \"skip\"\r\nc: 1\r\n"},
		"a new member whose key is a word of YAML":        {"a: 1\n", "", addTo("on"), "a: 1\n\"on\": \"skip\"\n"},
		"a new item":                                      {"env:\n- name: B # one\nc: 1\n", "", appended, "env:\n- name: B # one\n- {name: A, value: \"skip\"}\nc: 1\n"},
		"a new item of a flow list":                       {"env: [{name: B}]\n", "", appended, "env: [{name: B}, {name: A, value: \"skip\"}]\n"},
		"a new item of an empty list":                     {"env: []\n", "", appended, "env: [{name: A, value: \"skip\"}]\n"},
		"a new item of nothing":                           {"env:\nc: 1\n", "", appended, "env:\n  - {name: A, value: \"skip\"}\nc: 1\n"},
		"a new item of a list in JSON":                    {"{\"env\": [{\"name\": \"B\"}]}", "", appended, "{\"env\": [{\"name\": \"B\"}, {\"name\": \"A\", \"value\": \"skip\"}]}"},
		"a new list":                                      {"c: 1\n", "", appended, "c: 1\nenv:\n  - {name: A, value: \"skip\"}\n"},
		"a value in place of valueFrom":                   {"a:\n- name: A\n  valueFrom: # of a Secret\n    secretKeyRef: {name: a, key: b} # one\n- b\n", "a[0].valueFrom", literal, "a:\n- name: A\n  value: \"skip\" # one\n- b\n"},
		"a value in place of valueFrom in a flow map":     {"a: [{name: A, valueFrom: {secretKeyRef: {}}}, b]\n", "a[0].valueFrom", literal, "a: [{name: A, value: \"skip\"}, b]\n"},
		"a value in place of valueFrom, where it is null": {"a:\n- name: A\n  value: null\n  valueFrom: {secretKeyRef: {}}\n", "a[0].valueFrom", literal, "a:\n- name: A\n  value: \"skip\"\n"},
		"a value in a patch":                              {patch, "patches[0].patch[0].value", skip, strings.Replace(patch, "auto", `"skip"`, 1)},
		"a member of a patch":                             {patch, "patches[0].patch[0].path", removed, strings.Replace(patch, "      path: /a\n", "", 1)},
		"the only item of a patch":                        {patch, "patches[0].patch[0]", removed, "patches:\n- patch: |-\n    []\n  target: {kind: A} # all\n"},
		"a value in a patch in CRLF":                      {strings.ReplaceAll(patch, "\n", "\r\n"), "patches[0].patch[0].value", skip, strings.ReplaceAll(strings.Replace(patch, "auto", `"skip"`, 1), "\n", "\r\n")},
		"a value in a patch in single quotes":             {"patches:\n- patch: '[{\"op\": \"add\", \"value\": \"auto\"}]' # it\n", "patches[0].patch[0].value", skip, "patches:\n- patch: '[{\"op\": \"add\", \"value\": \"skip\"}]' # it\n"},
		"a value in a patch in double quotes":             {"patches:\n- patch: \"[{op: add, value: \\\"auto\\\"}]\"\n", "patches[0].patch[0].value", skip, "patches:\n- patch: \"[{op: add, value: \\\"skip\\\"}]\"\n"},
		"a value in a folded patch":                       {"patches:\n- patch: >-\n    [{op: add,\n    value: auto}]\n", "patches[0].patch[0].value", skip, ""},
		"a new member in a patch":                         {patch, "patches[0].patch[0]", addTo("v"), strings.Replace(patch, "auto\n", "auto\n      v: \"skip\"\n", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			budget := maxPlaces
			s := &source{file: "f.yaml", shown: "f.yaml", text: []byte(test.text), layer: report.KustomizationLayer, kustomization: true}
			s.read(&budget)
			var at *place
			for _, p := range s.places {
				if p.path == test.path {
					at = p
				}
			}
			if at == nil {
				t.Fatalf("there is no %s", test.path)
			}
			got, written, err := s.edited(test.edits(at))
			if (err != nil) != (test.want == "error") {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				return
			}
			if err := manifest.Fault(got, true); err != nil {
				t.Errorf("it cannot be read: %v", err)
			}
			if written != (test.want != "") {
				texts, err := s.written(test.edits(at))
				text := texts[nil]
				t.Fatalf("written is %v: %v\n%s", written, err, text)
			}
			if diff := cmp.Diff(test.want, string(got)); written && diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
		})
	}
}
