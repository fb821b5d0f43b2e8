package manifest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// requireTree requires that a tree that is filled is the nodes that are read at once.
func requireTree(t *testing.T, text []byte) (unread int) {
	t.Helper()
	want, wantErr := manifest.Nodes(text)
	tree, err := manifest.ReadTree(text)
	if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
		t.Fatalf("the tree: error %v, the nodes: %v", err, wantErr)
	}
	if err != nil {
		return 0
	}
	seen := map[*yaml.Node]bool{}
	var fill func(node *yaml.Node)
	fill = func(node *yaml.Node) {
		if node == nil || seen[node] {
			return
		}
		seen[node] = true
		if node.Kind == 0 {
			unread++
		}
		if err := tree.Fill(node); err != nil {
			t.Fatal(err)
		}
		fill(node.Alias)
		for _, below := range node.Content {
			fill(below)
		}
	}
	for _, document := range tree.Documents {
		fill(document)
	}
	if len(seen) < 10_000 { // else the comparison takes long
		if diff := cmp.Diff(want, tree.Documents); diff != "" {
			t.Fatalf("(-nodes +tree):\n%s", diff)
		}
	}
	return unread
}

// TestTree: what stands in a list of JSON is left unread until it is asked for, and is
// then where it stands.
func TestTree(t *testing.T) {
	for _, test := range []struct {
		name, text string
		unread     int
	}{
		{"a list in one line", `{"kind":"List","items":[{"kind":"A","x":[1,{"y":"ä"}]},{"kind":"B"}]}`, 2},
		{"a list in lines", "{\n  \"kind\": \"List\",\n  \"items\": [\n    {\n      \"a\": 1\n    },\n    [\n      2\n    ] , \"x\",null,true,\n3.5]\n}\n", 6},
		{"a list after wide characters", `{"x":"äöü","items":["ä",{"k":"ü"}]}`, 2},
		{"an empty list", `{"items":[]}`, 0},
		{"several objects", `{"items":[{"a":1}]} {"items":[{"b":2},{"b":2,"b":3}]}`, 3},
		{"several lists", `{"items":[{"a":1}],"objects":[{"a":2}],"other":[{"a":3}]}`, 3},
		{"a list of lists", `{"items":[{"items":[{"items":[1]}]}]}`, 1},
		{"a list that is the document", `[{"a":[1]}]`, 0},
		{"what ends early", `{"items":[{"a":1},`, 0},
		{"what is no JSON", `{"items":[{"a":1},}]}`, 0},
		{"YAML", "items: [{a: 1}, {a: 2}]\n", 0},
		{"YAML that begins as JSON does", "{items: [{a: 1}, {a: 2}]}\n", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if unread := requireTree(t, []byte(test.text)); unread != test.unread {
				t.Errorf("%d were left unread, want %d", unread, test.unread)
			}
		})
	}
}
