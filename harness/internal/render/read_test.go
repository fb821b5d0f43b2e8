package render

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resmap"
)

// TestReadPlain compares with what kustomize makes of the same text.
func TestReadPlain(t *testing.T) {
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	factory := resmap.NewFactory(provider.NewDefaultDepProvider().GetResourceFactory())
	for _, test := range []struct {
		name, text string
		left       bool // to kustomize
	}{
		{"nothing", "", false},
		{"comments", "# nothing\n---\n# here\n", false},
		{"an empty map", "{}\n---\n" + object, false},
		{"an object", object + "data: {a: b, c: '*d', e: \"&f\"}\n", false},
		{"comments and styles", "# head\n" + object + "# over\ndata: # behind\n  'a': |\n    b\n  # below\n\"spec\": [1, \"2\", ~]\n", false},
		{"two objects", object + "---\n" + "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n", false},
		{"the same object twice", object + "---\n" + object, true},
		{"lines with CR", "apiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: a}\r\n", false},
		{"a key twice", object + "data: {a: b, c: d, a: e}\n", false},
		{"an alias", object + "data: {a: &a {b: c}, d: *a}\n", false},
		{"an alias within an alias", object + "data: {a: &a {b: &b [c]}, d: *a, e: *b}\n", false},
		{"an anchor without an alias", object + "data: {a: &a b}\n", false},
		{"an anchor at a key", object + "data: {&a a: b, c: *a}\n", false},
		{"a key that is an alias", object + "data: {a: &a b, *a : c}\n", false},
		{"a merge", object + "data: {a: &a {b: c}, d: {<<: *a, e: f}}\n", false},
		{"a merge of a list", object + "data: {a: &a {b: c}, d: &d {b: g}, e: {<<: [*a, *d], b: f}}\n", false},
		{"two merges", object + "data: {a: &a {b: c}, d: {<<: *a, <<: *a}}\n", true},
		{"a merge of a string", object + "data: {<<: a}\n", true},
		{"a merge in quotes", object + "data: {'<<': {a: b}, c: d}\n", false},
		{"a merge by its tag", object + "data: {!!merge a: {b: c}}\n", false},
		{"a key that is null", object + "data: {~: a, null: b, '': c}\n", false},
		{"a key that is empty", object + "data: {: a}\n", true},
		{"a key that is a number", object + "data: {1: a, 1.5: b, true: c}\n", false},
		{"a key with a tag of its own", object + "data: {!a b: c}\n", false},
		{"a key that is a list", object + "data: {[a]: b}\n", false},
		{"a key that is a map", object + "data: {{a: b}: c}\n", false},
		{"a list of objects", "apiVersion: v1\nkind: List\nitems:\n- &a {apiVersion: v1, kind: Secret, metadata: {name: a}}\n- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n", false},
		{"an alias from item to item", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: &a {name: a}}\n- {apiVersion: v1, kind: ConfigMap, metadata: *a}\n", false},
		{"a list among others", object + "---\napiVersion: v1\nkind: SecretList\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: a}}\n", true},
		{"a list without items", "apiVersion: v1\nkind: SecretList\nmetadata: {name: a}\n", true},
		{"no kind", "apiVersion: v1\nmetadata: {name: a}\n", true},
		{"no name", "apiVersion: v1\nkind: ConfigMap\n", true},
		{"no map", "- a\n", true},
		{"a string", "a\n", true},
		{"no YAML", "a: [\n", true},
		{"a wrong separator", object + "--- a\n" + object, true},
		{"local configuration", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {config.kubernetes.io/local-config: 'true'}}\n", false},
		{"null in a list", object + "data: [~, {a: ~}]\n", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			want, wantErr := factory.NewResMapFromBytes([]byte(test.text))
			got, ok := readPlain([]byte(test.text))
			if ok == test.left {
				t.Errorf("left to kustomize: %t, want %t", !ok, test.left)
			}
			if !ok {
				return
			}
			if wantErr != nil {
				t.Fatalf("kustomize says: %v", wantErr)
			}
			if diff := cmp.Diff(printed(t, want), printed(t, got)); diff != "" {
				t.Errorf("(-kustomize +ours):\n%s", diff)
			}
		})
	}
}

func printed(t *testing.T, objects resmap.ResMap) string {
	t.Helper()
	text, err := objects.AsYaml()
	if err != nil {
		return "error: " + err.Error()
	}
	for _, object := range objects.Resources() { // JSON, of which AsYaml is made, has no anchors
		text = append(text, object.MustString()...)
	}
	return string(text)
}
