package manifest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"
	kubectlyaml "sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// FuzzRead requires of any text: no panic; what is read has a kind and is what
// JSON can say; the first object is what kubectl's reader makes of it; no document
// is lost that another YAML reader finds; an error names its line; and a tree of it is
// the nodes.
func FuzzRead(f *testing.F) {
	cases, err := fixtures.Cases("../../../fixtures/cases")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range cases {
		if c.Manifest == "" {
			continue
		}
		text, err := os.ReadFile(c.Path())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{
		"{kind: Pod}{kind: Pod}", `{"kind": "Pod"} {"kind": "Pod"}`, "--- # comment\nkind: Pod\n---\n...\n---\nkind: Job\n",
		"a: &a {kind: x}\nkind: Pod\n<<: *a\n", "a: &a {k: 1}\nb: &b {k: 2}\nkind: Pod\n<<: [*a, *b]\nk: 3\n", "a: &a {k: 1}\nkind: Pod\n'<<': *a\nk: 3\n", "kind: {{ .x }}\n", "kind: Pod\n1: a\n\"1\": b\n", "kind: Pod\n? [a]\n: b\n", "kind: Pod\nx: .nan\n", "\ufeffkind: Pod\n", "kind: Pod\r---\rkind: Pod\r",
		"%YAML 1.1\n---\nkind: Pod\n", "kind: Pod\nx: !!binary aGk=\n", "kind: Pod\nx: 2001-01-01\n", "kind: Pod\nx: 0o7\ny: 1_000\nz: 1:30\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		requireTree(t, text)
		objects, err := manifest.Read(text)
		if err != nil {
			if !errors.Is(err, manifest.ErrEmpty) && !strings.Contains(err.Error(), ": line ") {
				t.Errorf("the error %q names no line", err)
			}
			return
		}
		if len(objects) == 0 {
			t.Fatal("no objects, and no error")
		}
		if objects[0].Document == 1 {
			requireAsKubectl(t, text, objects[0].Content)
		}
		for _, object := range objects {
			if kind, _ := object.Content["kind"].(string); kind == "" {
				t.Errorf("document %d has no kind", object.Document)
			}
			requireSame(t, object)
		}
		if documents, ok := documentsOf(text); ok && documents > len(objects) {
			t.Errorf("%d documents, and %d objects were read", documents, len(objects))
		}
	})
}

// requireSame requires that an object written as JSON is read as the same.
func requireSame(t *testing.T, object manifest.Object) {
	t.Helper()
	text, err := json.Marshal(object.Content)
	if err != nil {
		t.Fatalf("document %d is not what JSON can say: %v", object.Document, err)
	}
	again, err := manifest.Read(text)
	if err != nil || len(again) != 1 {
		t.Fatalf("document %d cannot be read again: %v\n%s", object.Document, err, text)
	}
	written, err := json.Marshal(again[0].Content)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if json.Unmarshal(text, &want) != nil || json.Unmarshal(written, &got) != nil || !reflect.DeepEqual(want, got) {
		t.Errorf("document %d was %s and is read again as %s", object.Document, text, written)
	}
}

// requireAsKubectl requires that an object is what kubectl's reader makes of the
// first document of a text, where that can read it.
func requireAsKubectl(t *testing.T, text []byte, content map[string]any) {
	t.Helper()
	theirs, err := kubectlyaml.YAMLToJSON(text)
	if err != nil {
		return
	}
	ours, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if json.Unmarshal(theirs, &want) != nil || json.Unmarshal(ours, &got) != nil || !reflect.DeepEqual(want, got) {
		t.Errorf("kubectl reads %s, and here it is %s", theirs, ours)
	}
}

// documentsOf counts the documents that are not empty as another reader finds
// them; ok is false when it cannot read the text.
func documentsOf(text []byte) (count int, ok bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return count, true
		}
		if err != nil {
			return 0, false
		}
		if len(document.Content) == 1 && document.Content[0].Kind == yaml.MappingNode {
			count++
		}
	}
}
