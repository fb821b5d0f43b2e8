package agreement_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/gatekeeper"
)

// constraintWith is the default constraint with another spec.
func constraintWith(t testing.TB, change func(spec map[string]any)) constraint.Constraint {
	c := chosen(t, func(*gatekeeper.Constraint) {})
	change(c.Content["spec"].(map[string]any))
	return c
}

// TestRefusedConstraints gives constraints that the gate refuses to the cluster.
// Either the cluster refuses them too, or the reason why it does not is told.
func TestRefusedConstraints(t *testing.T) {
	const (
		apiServer = "the API server refuses"
		webhook   = "Gatekeeper refuses"
		dropped   = "the API server drops the key; kubectl apply refuses it"
		narrower  = "the cluster takes it: the contract may bind less there"
	)
	e := newEngine(t)
	for name, test := range map[string]struct {
		change func(spec map[string]any)
		want   string
		err    string
	}{
		"unknown parameter": {
			func(spec map[string]any) { spec["parameters"] = map[string]any{"envvar": "X"} }, apiServer,
			"API server: spec.parameters: Too many: 6: must have at most 5 items",
		},
		"parameters are a list": {
			func(spec map[string]any) { spec["parameters"] = []any{} }, apiServer,
			`API server: spec.parameters: Invalid value: "array": spec.parameters in body must be of type object: "array"`,
		},
		"empty variable": {
			func(spec map[string]any) { spec["parameters"] = map[string]any{"envVar": ""} }, apiServer,
			`API server: spec.parameters.envVar: Invalid value: "": spec.parameters.envVar in body should be at least 1 chars long`,
		},
		"skip value auto": {
			func(spec map[string]any) { spec["parameters"] = map[string]any{"skipValues": []any{"auto"}} }, apiServer,
			`API server: <nil>: Invalid value: "": "spec.parameters.skipValues[0]" must not validate the schema (not)`,
		},
		"unknown enforcement": {
			func(spec map[string]any) { spec["enforcementAction"] = "block" }, webhook,
			"",
		},
		"enforcement by place": {
			func(spec map[string]any) {
				spec["enforcementAction"] = "scoped"
				spec["scopedEnforcementActions"] = []any{map[string]any{
					"action": "deny", "enforcementPoints": []any{map[string]any{"name": "validation.gatekeeper.sh"}},
				}}
			}, narrower, "",
		},
		"match is a list": {
			func(spec map[string]any) { spec["match"] = []any{} }, apiServer,
			"",
		},
		"namespace that cannot be": {
			func(spec map[string]any) { spec["match"].(map[string]any)["namespaces"] = []any{"a/b"} }, apiServer, "",
		},
		"unknown key of spec": {
			func(spec map[string]any) { spec["parameter"] = map[string]any{} }, dropped, "",
		},
		"unknown key of match": {
			func(spec map[string]any) { spec["match"].(map[string]any)["excludedNamespace"] = []any{"a"} }, dropped, "",
		},
		"match that needs the cluster": {
			func(spec map[string]any) {
				spec["match"].(map[string]any)["labelSelector"] = map[string]any{"matchLabels": map[string]any{"a": "b"}}
			}, narrower, "",
		},
		"kind that is no workload": {
			func(spec map[string]any) {
				spec["match"].(map[string]any)["kinds"] = []any{map[string]any{"apiGroups": []any{"apps"}, "kinds": []any{"Deployments"}}}
			}, narrower, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := constraintWith(t, test.change)
			if _, err := evaluate.New(t.Context(), nil, &c); err == nil {
				t.Error("the gate does not refuse it")
			}
			err := e.apply(t.Context(), c.Content)
			got := ""
			switch {
			case err != nil && strings.HasPrefix(err.Error(), "API server: "):
				got = apiServer
			case err != nil:
				got = webhook
			case test.want == dropped && !isKept(e, c):
				got = dropped
			case test.want == narrower && isKept(e, c):
				got = narrower
			}
			if got != test.want {
				t.Errorf("%s, want: %s\n%v", got, test.want, err)
			}
			if test.err != "" && (err == nil || err.Error() != test.err) {
				t.Errorf("error:\n%v\nwant:\n%s", err, test.err)
			}
		})
	}
}

// isKept reports whether the cluster stored the spec of a constraint as it is.
func isKept(e *engine, c constraint.Constraint) bool {
	stored, err := e.GetConstraint(&unstructured.Unstructured{Object: clone(c.Content)})
	return err == nil && fmt.Sprint(clone(stored.Object)["spec"]) == fmt.Sprint(clone(c.Content)["spec"])
}

// TestParametersAgree gives random parameters to both. What the policy finds a
// problem in, the API server refuses by the schema, so that it cannot come to
// deny every workload; what the policy can use, the API server takes. Past the
// API server, as in gator, a constraint with problems denies every workload, if
// it is taken at all.
func TestParametersAgree(t *testing.T) {
	e := newEngine(t)
	random := rand.New(rand.NewPCG(5, 6))
	counts := &tally{counts: map[string]int{}}
	sound := map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web", "namespace": "web"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "web"}}}}},
	}
	for range 200 {
		given := parameters(random)
		c := constraintWith(t, func(spec map[string]any) { spec["parameters"] = given })
		text, err := json.Marshal(given)
		if err != nil {
			t.Fatal(err)
		}
		_, problems := evaluate.New(t.Context(), nil, &c)
		refused := e.apply(t.Context(), c.Content)
		if (problems == nil) != (refused == nil) {
			t.Errorf("%s\ngate:    %v\ncluster: %v", text, problems, refused)
		}
		if problems == nil {
			counts.add("constraints taken", 1)
			continue
		}
		counts.add("constraints refused", 1)
		if err := e.take(t.Context(), &unstructured.Unstructured{Object: clone(c.Content)}); err != nil {
			counts.add("constraints refused past the API server too", 1)
			continue
		}
		found, err := e.create(t.Context(), sound)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 1 || found[0].Code != "CNM000" {
			t.Errorf("%s does not deny every workload: %+v", text, found)
		}
		counts.add("constraints that deny every workload past the API server", 1)
	}
	counts.report(t, map[string]int{
		"constraints taken": 40, "constraints refused": 80,
		"constraints that deny every workload past the API server": 5,
	})
}

// parameters are parameters of a constraint, some of them wrong. A null is not
// among them: the API server takes it for a key that was not given.
func parameters(random *rand.Rand) map[string]any {
	pick := func(from ...any) any { return from[random.IntN(len(from))] }
	wrong := []any{"", true, 0, 1.5, map[string]any{}, map[string]any{"a": "b"}, []any{}, []any{""}, []any{0}, []any{"x", false}}
	given := map[string]any{}
	for _, parameter := range []struct {
		key    string
		values []any
	}{
		{"envVar", []any{"JANGAR_MIGRATIONS", "_", "a.b-c", "9A", "A B", "A\n", "\u00c4", "A=", "-", ".x9"}},
		{"skipValues", []any{
			[]any{"skip"}, []any{"a b"}, []any{" a"}, []any{"a "}, []any{"Skip"}, []any{"$x"}, []any{"x$"}, []any{"auto"},
			[]any{"skip", "~"}, []any{"[x]", "`"}, []any{"@", "!"}, []any{"\u00e9"}, []any{"a\tb"}, []any{"a\n"}, []any{"autos"}, []any{"0", "x"},
		}},
		{"controllers", []any{[]any{"*"}, []any{"a", "b*c"}, []any{" "}, []any{"A/b"}}},
		{"exemptImages", []any{[]any{}, []any{"*"}, []any{"a:1"}, []any{"\u00e9"}}},
	} {
		switch n := random.IntN(10); {
		case n < 4:
			given[parameter.key] = pick(parameter.values...)
		case n < 5:
			given[parameter.key] = pick(wrong...)
		}
	}
	if random.IntN(6) == 0 {
		given[pick("envvar", "exemptImage", "x").(string)] = pick("x", []any{}, nil)
	}
	return given
}
