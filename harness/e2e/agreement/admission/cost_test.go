package admission_test

import (
	"fmt"
	"strings"
	"testing"

	celgo "github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

// largest is a Deployment with as many containers and variables as there are in
// practice. Each container has a long script that reads the variable.
func largest(containers, variables, script int, value string) map[string]any {
	var all []any
	for i := range containers {
		var env []any
		for j := range variables - 1 {
			env = append(env, map[string]any{"name": fmt.Sprintf("JANGAR_CONTROLLER_SETTING_NUMBER_%03d", j), "value": strings.Repeat("0123456789", 10)})
		}
		env = append(env, map[string]any{"name": "JANGAR_MIGRATIONS", "value": value})
		all = append(all, map[string]any{
			"name": fmt.Sprintf("container-%02d", i), "image": "registry.example/agents/jangar:0.9", "env": env,
			"command": []any{"sh", "-c", strings.Repeat("if [ \"$JANGAR_MIGRATIONS\" = skip ]; then exec node dist/server.js; fi\n", script/70)},
		})
	}
	return map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "agents-controllers", "namespace": "agents"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": all}}},
	}
}

// reference is an expression that evaluates a variable.
type reference string

func (r reference) GetExpression() string { return "variables." + string(r) }

func (r reference) ReturnTypes() []*celgo.Type { return []*celgo.Type{celgo.AnyType} }

// TestCosts holds what is asked of CEL within the budgets of the API server:
// one for each expression, one for rules and message together, and one for the
// conditions. What exceeds a budget is refused.
func TestCosts(t *testing.T) {
	server := newAPIServer(t, parse(t, `{parameters: {exemptImages: ["registry.example/mesh/*"]}, match: {namespaces: ["agents*"]}}`))
	for name, object := range map[string]map[string]any{
		"sound":      largest(50, 200, 2000, "skip"),
		"undeclared": largest(50, 200, 2000, "skip"),
		"auto":       largest(50, 200, 2000, "auto"),
	} {
		if name == "undeclared" {
			for _, c := range object["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)["containers"].([]any) {
				env := c.(map[string]any)["env"].([]any)
				env[len(env)-1].(map[string]any)["name"] = "JANGAR_MIGRATION"
			}
		}
		for form, given := range map[string]runtime.Object{"typed": asTyped(object), "converted": asUnstructured(object)} {
			t.Run(name+" "+form, func(t *testing.T) {
				attributes := request{operation: admission.Update, object: given, old: asTyped(largest(50, 200, 2000, "off"))}.attributes(t)
				if err := server.review(t, attributes); (err == nil) != (name == "sound") || (err != nil && !strings.Contains(err.Error(), " CNM00")) {
					t.Fatal(err)
				}
				conditions := server.cost(t, attributes, server.conditions)
				rules, messages := server.cost(t, attributes, server.rules), server.cost(t, attributes, server.messages)
				// The most that one variable costs: what it adds to those before it.
				var most, before int64
				var which string
				var so []plugincel.ExpressionAccessor
				for _, variable := range server.policy.Policy.Spec.Variables {
					so = append(so, reference(variable.Name))
					total := server.cost(t, attributes, server.compiler.CompileCondition(so, plugincel.OptionalVariableDeclarations{HasAuthorizer: true}, environment.NewExpressions))
					if total-before > most {
						most, which = total-before, variable.Name
					}
					before = total
				}
				for _, one := range []struct {
					what        string
					cost, limit int64
				}{
					{"match conditions", conditions, celconfig.RuntimeCELCostBudgetMatchConditions},
					{"rules and message", rules + messages, celconfig.RuntimeCELCostBudget},
					{"variable " + which, most, celconfig.PerCallLimit},
				} {
					t.Logf("%-20s %9d of %9d (%d %%)", one.what, one.cost, one.limit, 100*one.cost/one.limit)
					if one.cost > one.limit/2 {
						t.Errorf("%s costs %d, more than half of the budget of %d", one.what, one.cost, one.limit)
					}
				}
			})
		}
	}
}

// TestBeyondTheBudget refuses what is too large to be judged, sound or not.
func TestBeyondTheBudget(t *testing.T) {
	server := newAPIServer(t, nil)
	attributes := request{operation: admission.Create, object: asTyped(largest(100, 2000, 2000, "skip"))}.attributes(t)
	err := server.review(t, attributes)
	if err == nil || !strings.Contains(err.Error(), "cost limit exceeded") && !strings.Contains(err.Error(), "cost budget") {
		t.Errorf("%v", err)
	}
}
