package cause

import (
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

func TestDeepest(t *testing.T) {
	tree, err := manifest.ReadTree([]byte(`
a: &a {b: 1, "b.c": 2, "x[0]": 3, 'y"[0]"].': [[4, 5]]}
list: [{k: 6}, {k: 7}]
alias: *a
twice: 8
twice: 9
`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct{ at, value string }{
		"":                             {"", ""},
		"a":                            {"a", ""},
		"a.b":                          {"a.b", "1"},
		`a["b.c"]`:                     {`a["b.c"]`, "2"},
		`a["x[0]"]`:                    {`a["x[0]"]`, "3"},
		`a["y\"[0]\"]."][0][1]`:        {`a["y\"[0]\"]."][0][1]`, "5"},
		"list[1].k":                    {"list[1].k", "7"},
		"list[2].k":                    {"list", ""},
		"list[x].k":                    {"list", ""},
		"list[-1].k":                   {"list", ""},
		"list[99999999999999999999].k": {"list", ""},
		"list[1":                       {"list", ""},
		"alias.b":                      {"alias.b", "1"},
		"alias.bb":                     {"alias", ""},
		"alias[\"b":                    {"alias", ""},
		"twice":                        {"twice", "9"},
		"other.b":                      {"", ""},
	} {
		got := deepest(tree.Documents[0].Content[0], path, tree.Fill)
		if got.Path != want.at || got.Value != want.value {
			t.Errorf("%q leads to %q with %q, want %q with %q", path, got.Path, got.Value, want.at, want.value)
		}
	}
}
