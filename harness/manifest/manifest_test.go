package manifest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	a, b := map[string]any{"kind": "A"}, map[string]any{"kind": "B"}
	for name, test := range map[string]struct {
		text string
		want []Object
	}{
		"one document":                         {"kind: A\n", []Object{{1, a}}},
		"two documents":                        {"kind: A\n---\nkind: B\n", []Object{{1, a}, {2, b}}},
		"a separator with a trailing space":    {"kind: A\n--- \nkind: B\n", []Object{{1, a}, {2, b}}},
		"a separator with a comment":           {"kind: A\n--- # next\nkind: B\n", []Object{{1, a}, {2, b}}},
		"a separator with content":             {"kind: A\n--- {kind: B}\n", []Object{{1, a}, {2, b}}},
		"a document end and a separator":       {"kind: A\n...\n---\nkind: B\n", []Object{{1, a}, {2, b}}},
		"a directive":                          {"%YAML 1.1\n---\nkind: A\n", []Object{{1, a}}},
		"carriage returns":                     {"kind: A\r\n---\r\nkind: B\r\n", []Object{{1, a}, {2, b}}},
		"a byte order mark":                    {"\ufeffkind: A\n", []Object{{1, a}}},
		"empty documents":                      {"---\n---\n# nothing\n---\nkind: A\n---\n", []Object{{3, a}}},
		"a separator inside a block":           {"kind: A\ntext: |\n  ---\n  kind: B\n", []Object{{1, map[string]any{"kind": "A", "text": "---\nkind: B\n"}}}},
		"flow style":                           {"{kind: A}\n---\nkind: B\n", []Object{{1, a}, {2, b}}},
		"JSON":                                 {`{"kind": "A"}`, []Object{{1, a}}},
		"JSON with what is no YAML":            {`{"kind": "A", "path": "a\/b"}`, []Object{{1, map[string]any{"kind": "A", "path": "a/b"}}}},
		"JSON objects one after the other":     {"{\"kind\": \"A\"}\n{\"kind\": \"B\"}\n", []Object{{1, a}, {2, b}}},
		"JSON and YAML in one stream":          {"{\"kind\": \"A\"}\n---\nkind: B\n", []Object{{1, a}, {2, b}}},
		"YAML 1.1 booleans, as kubectl has it": {"kind: A\nv: [off, no, on, yes, 'off']\n", []Object{{1, map[string]any{"kind": "A", "v": []any{false, false, true, true, "off"}}}}},
		"keys of other types":                  {"kind: A\nv: {1: a, true: b}\n", []Object{{1, map[string]any{"kind": "A", "v": map[string]any{"1": "a", "true": "b"}}}}},
		"an alias":                             {"kind: A\nv: &x [1]\nw: *x\n", []Object{{1, map[string]any{"kind": "A", "v": []any{1.0}, "w": []any{1.0}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Read([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				got[i].Content = plain(got[i].Content).(map[string]any)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// plain makes all numbers float64.
func plain(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for k, v := range value {
			value[k] = plain(v)
		}
	case []any:
		for i, v := range value {
			value[i] = plain(v)
		}
	case int64:
		return float64(value)
	case int:
		return float64(value)
	}
	return value
}

func TestReadErrors(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 10; i++ {
		previous := "*a" + string(rune('0'+i-1))
		bomb += "a" + string(rune('0'+i)) + ": &a" + string(rune('0'+i)) + " [" + strings.Repeat(previous+", ", 9) + previous + "]\n"
	}
	for name, test := range map[string]struct{ text, want string }{
		"empty":                     {"", "no objects: the manifest is empty"},
		"only comments":             {"# nothing\n---\n# at all\n", "no objects: the manifest is empty"},
		"a key twice":               {"kind: A\nv: 1\nv: 2\n", `document 1: line 3: key "v" already set in map`},
		"a key twice in JSON":       {`{"kind": "A", "v": 1, "v": 2}`, `document 1: duplicate field "v"`},
		"the second one broken":     {"kind: A\n---\nkind: B\nv: [\n", "document 2: line 4: did not find expected node content"},
		"a tab":                     {"kind: A\n---\n\tkind: B\n", "document 2: line 3: found character that cannot start any token"},
		"no separator after an end": {"kind: A\n...\nkind: B\n", "document 2: line 2: did not find expected <document start>"},
		"JSON that breaks off":      {"{\"kind\": \"A\"}\n{\"kind\": \n", "document 2: after line 1: unexpected EOF"},
		"a list":                    {"- kind: A\n", "document 1: not a Kubernetes object but a list"},
		"a string":                  {"kind\n", "document 1: not a Kubernetes object but a string"},
		"a number":                  {"7\n", "document 1: not a Kubernetes object but a number"},
		"a boolean":                 {"off\n", "document 1: not a Kubernetes object but a boolean"},
		"no kind":                   {"metadata: {}\n", "document 1: not a Kubernetes object: it has no kind"},
		"kind of another type":      {"kind: 7\n", "document 1: not a Kubernetes object: it has no kind"},
		"an alias bomb":             {"kind: A\n" + bomb, "document 1: document contains excessive aliasing"},
		"a key twice as text":       {"kind: A\nv: {1: a, '1': b}\n", `document 1: key "1" is given twice, once in quotes`},
		"a key that is null":        {"kind: A\nv: {null: b}\n", "document 1: a key of type <nil> cannot stand in a Kubernetes object"},
		"a key that is a list":      {"kind: A\nv: {[a]: b}\n", "document 1: invalid map key: []interface {}{\"a\"}"},
		"binary":                    {"\x00\x01\x02", "document 1: control characters are not allowed"},
		"not a number":              {"kind: A\nv: .nan\n", "document 1: NaN is no number in JSON"},
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
	if _, err := Read(nil); !errors.Is(err, ErrEmpty) {
		t.Errorf("error %v is not ErrEmpty", err)
	}
}
