package evaluate

import (
	"strings"
	"testing"
)

func TestCheckSize(t *testing.T) {
	pod := func(values int, text string) map[string]any {
		list := make([]any, values)
		for i := range list {
			list[i] = text
		}
		return map[string]any{"kind": "Pod", "metadata": map[string]any{"name": "x"}, "spec": list}
	}
	items := func(items ...any) map[string]any { return map[string]any{"kind": "List", "items": items} }
	many := func(n int, item any) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = item
		}
		return list
	}
	const tooMany = " has more than 100000 values, which is more than the rules look at: make it smaller"
	const tooLong = " has more than 3 MiB of text, which the API server takes no object with: make it smaller"
	for _, test := range []struct {
		name   string
		object map[string]any
		want   string
	}{
		{"many values", pod(99_990, ""), ""},
		{"too many values", pod(100_000, ""), "Pod/x" + tooMany},
		{"much text", pod(3, strings.Repeat("x", 1<<20-20)), ""},
		{"too much text", pod(3, strings.Repeat("x", 1<<20)), "Pod/x" + tooLong},
		{"a list of more than one may hold", items(many(100, pod(50_000, ""))...), ""},
		{"an item that is too large", items(pod(1, ""), pod(100_000, "")), "items[1]: Pod/x" + tooMany},
		{"too many items", items(many(1_000_001, nil)...), "List/" + tooMany},
		{"a list in a list", items(items(pod(100_000, ""))), "items[0]: items[0]: Pod/x" + tooMany},
		{"items that are no list", map[string]any{"kind": "Pod", "items": map[string]any{"a": many(100_000, nil)}}, "Pod/" + tooMany},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if err := checkSize(test.object); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
