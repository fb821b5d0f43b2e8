package manifest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestMerge holds what is read against what kubectl's own reader makes of the
// same text. What << merges may be overridden.
func TestMerge(t *testing.T) {
	const anchors = "kind: A\na: &a {k: a, only: a}\nb: &b {k: b}\n"
	for name, test := range map[string]struct{ text, want string }{
		"nothing is overridden": {"v: {<<: *b}", `{"k":"b"}`},
		"a key after":           {"v:\n  <<: *a\n  k: own", `{"k":"own","only":"a"}`},
		"a key before, which kubectl lets be overridden": {"v:\n  k: own\n  <<: *a", `{"k":"a","only":"a"}`},
		"keys before and after":                          {"v:\n  only: own\n  <<: *a\n  k: own", `{"k":"own","only":"a"}`},
		"a list: the earlier one wins":                   {"v: {<<: [*a, *b]}", `{"k":"a","only":"a"}`},
		"a list in the other order":                      {"v: {<<: [*b, *a]}", `{"k":"b","only":"a"}`},
		"a list, and a key":                              {"v: {<<: [*b, *a], k: own}", `{"k":"own","only":"a"}`},
		"an empty list":                                  {"v: {<<: [], k: own}", `{"k":"own"}`},
		"two of them: the later one wins":                {"v:\n  <<: *a\n  <<: *b", `{"k":"b","only":"a"}`},
		"a map in place of an alias":                     {"v: {<<: {k: inner}, k: own}", `{"k":"own"}`},
		"a map that merges itself":                       {"v: {<<: {<<: *a, k: inner}, only: own}", `{"k":"inner","only":"own"}`},
		"a merge below a merged one":                     {"c: &c {<<: *a, k: c}\nv: {<<: *c, k: own}", `{"k":"own","only":"a"}`},
		"a merge in a list":                              {"v: [{<<: *a, k: own}]", `[{"k":"own","only":"a"}]`},
		"by its tag":                                     {"v: {!!merge <<: *a, k: own}", `{"k":"own","only":"a"}`},
		"overridden by null":                             {"v: {<<: *a, k: null}", `{"k":null,"only":"a"}`},
		"overridden by another type":                     {"v: {<<: *a, k: [1]}", `{"k":[1],"only":"a"}`},
		"in quotes it is a key":                          {"v: {'<<': *b, k: own}", `{"\u003c\u003c":{"k":"b"},"k":"own"}`},
		"in double quotes it is a key":                   {`v: {"<<": *b, k: own}`, `{"\u003c\u003c":{"k":"b"},"k":"own"}`},
		"as a string it is a key":                        {"v: {!!str <<: *b, k: own}", `{"\u003c\u003c":{"k":"b"},"k":"own"}`},
		"the same key in two maps":                       {"v: {x: {k: 1}, z: {k: 2}, <<: *a, k: own}", `{"k":"own","only":"a","x":{"k":1},"z":{"k":2}}`},
		"keys that look alike":                           {"v: {<<: *a, k: own, K: own, 'k ': own}", `{"K":"own","k":"own","k ":"own","only":"a"}`},
	} {
		t.Run(name, func(t *testing.T) {
			text := anchors + test.text + "\n"
			got, err := Read([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if written := asJSON(t, got[0].Content["v"]); written != test.want {
				t.Errorf("read %s, want %s", written, test.want)
			}
			theirs, err := yaml.YAMLToJSON([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(theirs), asJSON(t, got[0].Content)); diff != "" {
				t.Errorf("(-kubectl +read):\n%s", diff)
			}
		})
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestMergeErrors are keys that are given twice, though << stands beside them.
func TestMergeErrors(t *testing.T) {
	const anchors = "kind: A\na: &a {k: a}\n"
	for name, test := range map[string]struct{ text, want string }{
		"a key twice":                     {"v:\n  <<: *a\n  k: 1\n  k: 2", `document 1: line 6: key "k" is given twice, first in line 5`},
		"a key before and after":          {"v:\n  k: 1\n  <<: *a\n  k: 2", `document 1: line 6: key "k" is given twice, first in line 4`},
		"elsewhere":                       {"v: {<<: *a, k: 1}\nw: 1\nw: 2", `document 1: line 5: key "w" is given twice, first in line 4`},
		"in what is merged":               {"v: {<<: {k: 1, k: 2}}", `document 1: line 3: key "k" is given twice, first in line 3`},
		"in one of a list":                {"v: {<<: [*a, {k: 1, k: 2}], k: 3}", `document 1: line 3: key "k" is given twice, first in line 3`},
		"in the anchor":                   {"b: &b {k: 1, k: 2}\nv: {<<: *b, k: 3}", `document 1: line 3: key "k" is given twice, first in line 3`},
		"with a tag":                      {"v: {<<: *a, k: 1, !!str k: 2}", `document 1: line 3: key "k" is given twice, first in line 3`},
		"in base64":                       {"v:\n  <<: *a\n  k: 1\n  !!binary aw==: 2", `document 1: line 6: key "k" is given twice, first in line 5`},
		"by an alias":                     {"b: &b k\nv: {<<: *a, k: 1, *b : 2}", `document 1: line 4: key "k" is given twice, first in line 4`},
		"in another spelling":             {"v:\n  <<: *a\n  16: 1\n  0x10: 2", `document 1: line 6: key "16" is given twice, first in line 5`},
		"quoted << twice":                 {"v:\n  '<<': 1\n  \"<<\": 2", `document 1: line 5: key "<<" is given twice, first in line 4`},
		"in the second document":          {"v: {<<: *a, k: 1}\n---\nkind: B\nw: 1\nw: 2", `document 2: line 7: key "w" is given twice, first in line 6`},
		"a merge of a string":             {"v: {<<: a}", "document 1: line 3: << merges maps, and here is something else"},
		"a merge of a list of strings":    {"v:\n  x: 1\n  <<: [*a, b]", "document 1: line 5: << merges maps, and here is something else"},
		"a merge of an alias of a string": {"b: &b x\nv: {<<: *b}", "document 1: line 4: << merges maps, and here is something else"},
		"a merge of what is not there":    {"v: {<<: *c}", "document 1: line 3: unknown anchor 'c' referenced"},
		"a merge of itself":               {"v: &v {<<: *v}", "document 1: line 3: anchor 'v' value contains itself"},
		"a merge of a bomb":               {bomb("{k0: 0, k1: 1, k2: 2, k3: 3}", "{<<: [%s], k0: 1}") + "v: {<<: *a9, k: 1}\nw: {<<: *a9, k: 1}", "document 1: line 1: document contains excessive aliasing: write out what the aliases repeat, or remove it"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Read([]byte(anchors + test.text + "\n"))
			if err == nil {
				t.Fatalf("read %v", got)
			}
			if err.Error() != test.want {
				t.Errorf("error %q, want %q", err, test.want)
			}
		})
	}
}

// bomb are ten anchors, of which each names the one before ten times. Takes the
// first value, and a format for the others.
func bomb(first, next string) string {
	text := "a0: &a0 " + first + "\n"
	for i := 1; i < 10; i++ {
		before := strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10)
		text += fmt.Sprintf("a%d: &a%d "+next+"\n", i, i, strings.TrimSuffix(before, ", "))
	}
	return text
}
