package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	a, b := map[string]any{"kind": "A"}, map[string]any{"kind": "B"}
	for name, test := range map[string]struct {
		text string
		want []Object
	}{
		"one document":                         {"kind: A\n", []Object{{Document: 1, Content: a}}},
		"two documents":                        {"kind: A\n---\nkind: B\n", []Object{{Document: 1, Content: a}, {Document: 2, Content: b}}},
		"a separator with a trailing space":    {"kind: A\n--- \nkind: B\n", []Object{{Document: 1, Content: a}, {Document: 2, Content: b}}},
		"a separator with a comment":           {"kind: A\n--- # next\nkind: B\n", []Object{{Document: 1, Content: a}, {Document: 2, Content: b}}},
		"a separator with content":             {"kind: A\n--- {kind: B}\n", []Object{{Document: 1, Content: a}, {Document: 2, Content: b}}},
		"a document end and a separator":       {"kind: A\n...\n---\nkind: B\n", []Object{{Document: 1, Content: a}, {Document: 2, Content: b}}},
		"a directive":                          {"%YAML 1.1\n---\nkind: A\n", []Object{{Document: 1, Content: a}}},
		"carriage returns":                     {"kind: A\r\n---\r\nkind: B\r\n", []Object{{Document: 1, Content: a}, {Document: 2, Content: b}}},
		"a byte order mark":                    {"\ufeffkind: A\n", []Object{{Document: 1, Content: a}}},
		"empty documents":                      {"---\n---\n# nothing\n---\nkind: A\n---\n", []Object{{Document: 3, Content: a}}},
		"a separator inside a block":           {"kind: A\ntext: |\n  ---\n  kind: B\n", []Object{{Document: 1, Content: map[string]any{"kind": "A", "text": "---\nkind: B\n"}}}},
		"flow style":                           {"{kind: A}\n---\nkind: B\n", []Object{{Document: 1, Content: a}, {Document: 2, Content: b}}},
		"JSON":                                 {`{"kind": "A"}`, []Object{{Document: 1, Content: a}}},
		"JSON with what is no YAML":            {`{"kind": "A", "path": "a\/b"}`, []Object{{Document: 1, Content: map[string]any{"kind": "A", "path": "a/b"}}}},
		"JSON objects one after the other":     {"{\"kind\": \"A\"}\n{\"kind\": \"B\"}\n", []Object{{Document: 1, Content: a}, {Document: 2, Content: b}}},
		"JSON and YAML in one stream":          {"{\"kind\": \"A\"}\n---\nkind: B\n", []Object{{Document: 1, Content: a}, {Document: 2, Content: b}}},
		"YAML 1.1 booleans, as kubectl has it": {"kind: A\nv: [off, no, on, yes, 'off']\n", []Object{{Document: 1, Content: map[string]any{"kind": "A", "v": []any{false, false, true, true, "off"}}}}},
		"keys of other types":                  {"kind: A\nv: {1: a, true: b}\n", []Object{{Document: 1, Content: map[string]any{"kind": "A", "v": map[string]any{"1": "a", "true": "b"}}}}},
		"an alias":                             {"kind: A\nv: &x [1]\nw: *x\n", []Object{{Document: 1, Content: map[string]any{"kind": "A", "v": []any{1.0}, "w": []any{1.0}}}}},
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
