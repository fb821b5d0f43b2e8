package evaluate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// TestListIsJudgedAsAWhole judges lists item by item and as one input of the policy:
// both give the same, in the same order.
func TestListIsJudgedAsAWhole(t *testing.T) {
	e, err := New(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../../fixtures/manifests/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	cases, err := filepath.Glob("../../../fixtures/cases/*/manifest.yaml")
	if err != nil || len(cases) == 0 {
		t.Fatal(err)
	}
	var all []any
	for _, file := range append(files, cases...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		objects, err := manifest.Read(text)
		if err != nil {
			continue // it is there to be refused
		}
		for _, object := range objects {
			all = append(all, object.Content)
		}
	}
	deployment := func(metadata map[string]any, pod map[string]any) map[string]any {
		return map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": map[string]any{"template": map[string]any{"spec": pod}}}
	}
	pod := func() map[string]any {
		return map[string]any{"containers": []any{map[string]any{"name": "app", "image": "app:1"}}}
	}
	running := func() map[string]any {
		return map[string]any{
			"containers": []any{map[string]any{
				"name": "app", "image": "app:1", "command": []any{"/scripts/start.sh"},
				"env":          []any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": "skip"}},
				"volumeMounts": []any{map[string]any{"name": "scripts", "mountPath": "/scripts"}},
			}},
			"volumes": []any{map[string]any{"name": "scripts", "configMap": map[string]any{"name": "scripts"}}},
		}
	}
	rollout := func(of string) map[string]any {
		return map[string]any{
			"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": map[string]any{"name": of + "-controllers"},
			"spec": map[string]any{"workloadRef": map[string]any{"kind": "Deployment", "name": of}},
		}
	}
	scripts := map[string]any{
		"kind": "ConfigMap", "metadata": map[string]any{"name": "scripts"},
		"data": map[string]any{"start.sh": "export JANGAR_MIGRATIONS=auto"},
	}
	list := func(kind string, items ...any) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": kind, "items": items}
	}
	nameless := map[string]any{"metadata": map[string]any{"name": "x-controllers"}, "spec": map[string]any{"template": map[string]any{"spec": pod()}}}
	for _, test := range []struct {
		name     string
		object   map[string]any
		beside   []map[string]any
		findings int // at least
	}{
		{"what the fixtures hold", list("List", all...), nil, 40},
		{"items without a kind", list("DeploymentList", nameless, map[string]any{"kind": ""}, map[string]any{}), nil, 1},
		{"a Rollout after what it names", list("List", deployment(map[string]any{"name": "a"}, pod()), rollout("a")), nil, 1},
		{"a Rollout in a list below", list("List", deployment(map[string]any{"generateName": "a"}, pod()), list("List", rollout("a"))), nil, 1},
		{"a Rollout beside the list", list("List", deployment(map[string]any{"name": "a"}, pod())), []map[string]any{rollout("a")}, 1},
		{"a ConfigMap beside the list", list("List", deployment(map[string]any{"name": "a-controllers"}, running())), []map[string]any{scripts}, 1},
		{"a ConfigMap in the list", list("List", deployment(map[string]any{"name": "a-controllers"}, running()), scripts), nil, 0},
		{"lists in lists", list("List", list("List", list("List", deployment(map[string]any{"name": "a-controllers"}, pod()), list("List", list("List"), map[string]any{})))), nil, 2},
		{"an item that is no object", list("List", deployment(map[string]any{"name": "a-controllers"}, pod()), "x"), nil, 2},
		{"objects and items", map[string]any{
			"kind": "Template", "metadata": map[string]any{"name": "x-controllers"},
			"items":      []any{deployment(map[string]any{"name": "b-controllers"}, pod())},
			"objects":    []any{deployment(map[string]any{"name": "a-controllers"}, pod()), nameless},
			"containers": []any{map[string]any{"name": "x"}},
		}, nil, 2},
		{"items that are none", map[string]any{"kind": "List", "items": map[string]any{}, "objects": []any{deployment(map[string]any{"name": "a-controllers"}, pod())}}, nil, 2},
		{"no items", list("List"), nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			object := manifest.Object{Document: 1, Content: test.object, Beside: test.beside}
			got, err := e.Evaluate(t.Context(), []manifest.Object{object})
			if err != nil {
				t.Fatal(err)
			}
			plain := *e.policy
			plain.builtin = false
			whole := *e
			whole.policy = &plain
			want, err := whole.Evaluate(t.Context(), []manifest.Object{object})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("item by item another result (-whole +apart):\n%s", diff)
			}
			if len(got.Findings) < test.findings {
				t.Errorf("%d findings, want at least %d: %v", len(got.Findings), test.findings, got.Findings)
			}
			// What is kept from one object to the next changes nothing.
			again, err := e.Evaluate(t.Context(), []manifest.Object{object})
			if diff := cmp.Diff(got, again); diff != "" || err != nil {
				t.Errorf("another result the second time: %v\n%s", err, diff)
			}
			var direct answer
			if err := evaluate(t.Context(), e.object, inputOf(object), &direct); err != nil {
				t.Fatal(err)
			}
			found, err := together([]answer{direct})
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != len(got.Findings) {
				t.Errorf("OPA's own cache gives %d findings, ours %d", len(found), len(got.Findings))
			}
			for i := range min(len(found), len(got.Findings)) {
				one, err := found[i].finding()
				if diff := cmp.Diff(one, got.Findings[i]); diff != "" || err != nil {
					t.Errorf("another finding with OPA's own cache: %v\n%s", err, diff)
				}
			}
		})
	}
}
