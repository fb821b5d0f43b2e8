package admission_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/openapi"
	"k8s.io/client-go/openapi/openapitest"

	policyof "github.com/proompteng/nevermigrate/harness/internal/admission"
)

// published has the schemas that a real API server published.
type published struct{ discovery.DiscoveryInterface }

func (published) OpenAPIV3() openapi.Client { return openapitest.NewEmbeddedFileClient() }

// TestTypes runs the API server's own type check over the policy, with its own
// schemas. A policy with a warning works, but whoever applies it sees one.
func TestTypes(t *testing.T) {
	mapper := meta.NewDefaultRESTMapper(nil)
	for kind, of := range known().Kinds {
		for _, group := range of.Groups {
			if scheme.Scheme.IsGroupRegistered(group) && group != "extensions" {
				gv, resource := schema.GroupVersion{Group: group, Version: known().Versions[group]}, of.Resources[0]
				mapper.AddSpecific(gv.WithKind(kind), gv.WithResource(resource), gv.WithResource(resource), meta.RESTScopeNamespace)
			}
		}
	}
	checker := &validating.TypeChecker{
		SchemaResolver: &resolver.ClientDiscoveryResolver{Discovery: published{}},
		RestMapper:     mapper,
	}
	policy, err := policyof.New(t.Context(), parse(t, `{parameters: {exemptImages: [x]}, match: {namespaces: ["a*"], excludedNamespaces: ["b*"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if warnings := checker.Check(policy.Policy); len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
	// Warnings on variables are not shown to the user, and conditions are not
	// checked. Here they are, each with the variables before it, for one kind of
	// each place of the pod template.
	few := policy.Policy.DeepCopy()
	few.Spec.MatchConstraints.ResourceRules = few.Spec.MatchConstraints.ResourceRules[:1]
	few.Spec.MatchConstraints.ResourceRules[0].APIGroups = []string{"", "batch", "apps"}
	few.Spec.MatchConstraints.ResourceRules[0].Resources = []string{"pods", "podtemplates", "cronjobs", "deployments"}
	few.Spec.Variables = nil
	check := func(what, expression string) {
		types := checker.CreateContext(few)
		if results := checker.CheckExpression(types, expression); len(results) > 0 {
			t.Errorf("%s: %v", what, results)
		}
	}
	for _, condition := range policy.Policy.Spec.MatchConditions {
		check("condition "+condition.Name, condition.Expression)
	}
	for _, variable := range policy.Policy.Spec.Variables {
		check("variable "+variable.Name, variable.Expression)
		few.Spec.Variables = append(few.Spec.Variables, variable)
	}

	// The check finds what there is to find.
	wrong := policy.Policy.DeepCopy()
	wrong.Spec.Validations[0].Expression = "object.spec.nothing == 1"
	if warnings := checker.Check(wrong); len(warnings) != 1 {
		t.Errorf("a wrong field gives %d warnings, want 1", len(warnings))
	}
}
