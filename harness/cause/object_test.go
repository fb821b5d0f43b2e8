package cause

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSegments(t *testing.T) {
	for path, want := range map[string][]any{
		"":                             nil,
		"a":                            {"a"},
		"items[2].spec":                {"items", 2, "spec"},
		"a[1][2].b":                    {"a", 1, 2, "b"},
		`labels["a.b/c"]`:              {"labels", "a.b/c"},
		`labels["a[\"0\"]."].x[3]`:     {"labels", `a["0"].`, "x", 3},
		"a[x].b":                       {"a"},
		`a["b`:                         {"a"},
		`a["b"`:                        {"a"},
		"a[99999999999999999999999].b": {"a"},
	} {
		if got := segments(path); !cmp.Equal(got, want) {
			t.Errorf("segments(%q) is %#v, want %#v", path, got, want)
		}
	}
}
