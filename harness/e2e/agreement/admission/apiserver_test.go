// Package admission_test gives the same objects to the Rego policy and, with the
// API server's own code, to the ValidatingAdmissionPolicy.
package admission_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	reviewv1 "k8s.io/api/admission/v1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/generic"
	"k8s.io/apiserver/pkg/admission/plugin/policy/matching"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/proompteng/nevermigrate/harness/e2e/agreement"
	policyof "github.com/proompteng/nevermigrate/harness/internal/admission"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/decider"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
)

// oldest is the first Kubernetes with version v1 of ValidatingAdmissionPolicy.
var oldest = version.MajorMinor(1, 30)

// apiServer runs a policy with the code of the API server: what it compiles,
// matches, converts and decides with.
type apiServer struct {
	policy     *policyof.Policy
	compiler   *plugincel.CompositedCompiler
	conditions plugincel.ConditionEvaluator
	rules      plugincel.ConditionEvaluator
	messages   plugincel.ConditionEvaluator
	dispatcher generic.Dispatcher[validating.PolicyHook]
	hook       validating.PolicyHook
	objects    admission.ObjectInterfaces
}

// namespaces are those that the API server knows.
var namespaces = []string{"agents", "agents-staging", agreement.ExcludedNamespace}

// newAPIServer makes the policy of a constraint and compiles it as Kubernetes
// 1.30 would.
func newAPIServer(t testing.TB, c *constraint.Constraint) *apiServer {
	t.Helper()
	policy, err := policyof.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, policy)
}

// compile does what compilePolicy of the API server does, which is not exported.
func compile(t testing.TB, policy *policyof.Policy) *apiServer {
	t.Helper()
	compiler, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(oldest))
	if err != nil {
		t.Fatal(err)
	}
	spec := policy.Policy.Spec
	declared := plugincel.OptionalVariableDeclarations{HasAuthorizer: true}
	for _, v := range spec.Variables {
		result := compiler.CompileAndStoreVariable(&validating.Variable{Name: v.Name, Expression: v.Expression}, declared, environment.NewExpressions)
		if result.Error != nil {
			t.Fatalf("variable %s does not compile: %v", v.Name, result.Error)
		}
	}
	var conditions, rules, messages []plugincel.ExpressionAccessor
	for _, c := range spec.MatchConditions {
		conditions = append(conditions, (*matchconditions.MatchCondition)(&c))
	}
	for _, v := range spec.Validations {
		rules = append(rules, &validating.ValidationCondition{Expression: v.Expression, Message: v.Message, Reason: v.Reason})
		messages = append(messages, &validating.MessageExpressionCondition{MessageExpression: v.MessageExpression})
	}
	// The variables cannot be used in match conditions.
	alone, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(oldest))
	if err != nil {
		t.Fatal(err)
	}
	server := &apiServer{
		policy:     policy,
		compiler:   compiler,
		conditions: alone.CompileCondition(conditions, declared, environment.NewExpressions),
		rules:      compiler.CompileCondition(rules, declared, environment.NewExpressions),
		messages:   compiler.CompileCondition(messages, plugincel.OptionalVariableDeclarations{}, environment.NewExpressions),
		objects:    admission.NewObjectInterfacesFromScheme(scheme.Scheme),
	}
	for _, condition := range []plugincel.ConditionEvaluator{server.conditions, server.rules, server.messages} {
		if problems := condition.CompilationErrors(); len(problems) > 0 {
			t.Fatalf("does not compile: %v", errors.Join(problems...))
		}
	}
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	for _, name := range namespaces {
		if err := indexer.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/metadata.name": name}}}); err != nil {
			t.Fatal(err)
		}
	}
	server.dispatcher = validating.NewDispatcher(nil, generic.NewPolicyMatcher(matching.NewMatcher(corelisters.NewNamespaceLister(indexer), fake.NewClientset())))
	// As the API server stores it.
	stored := policy.Policy.DeepCopy()
	match := stored.Spec.MatchConstraints
	if match.NamespaceSelector == nil {
		match.NamespaceSelector = &metav1.LabelSelector{}
	}
	match.ObjectSelector = &metav1.LabelSelector{}
	server.hook = validating.PolicyHook{
		Policy:   stored,
		Bindings: []*admissionv1.ValidatingAdmissionPolicyBinding{policy.Binding},
		Evaluator: validating.NewValidator(server.rules,
			matchconditions.NewMatcher(server.conditions, spec.FailurePolicy, "policy", "validate", policy.Policy.Name),
			compiler.CompileCondition(nil, declared, environment.NewExpressions), server.messages, spec.FailurePolicy, nil),
	}
	return server
}

// request is what is sent to an API server.
type request struct {
	operation   admission.Operation
	object, old runtime.Object
	// resource is the resource, with a subresource after a slash.
	resource string
}

// known is the policy's table of kinds.
var known = sync.OnceValue(func() *decider.Facts {
	evaluator, err := evaluate.New(context.Background(), nil, nil)
	if err != nil {
		panic(err)
	}
	facts, err := decider.Read(context.Background(), evaluator)
	if err != nil {
		panic(err)
	}
	return facts
})

// resourceOfKind is the resource of a kind of workload, empty for what is none.
func resourceOfKind(group, kind string) string {
	of := known().Kinds[kind]
	if !slices.Contains(of.Groups, group) {
		return ""
	}
	return of.Resources[0]
}

// attributes are a request as the API server hands it to its plugins.
func (r request) attributes(t testing.TB) admission.Attributes {
	t.Helper()
	subject := r.object
	if subject == nil {
		subject = r.old
	}
	gvk := subject.GetObjectKind().GroupVersionKind()
	namespace, name := "agents", ""
	if u, ok := subject.(*unstructured.Unstructured); ok {
		metadata, _ := u.Object["metadata"].(map[string]any)
		name, _ = metadata["name"].(string)
		if given, _ := metadata["namespace"].(string); given != "" {
			namespace = given
		}
	} else if accessor, ok := subject.(metav1.Object); ok {
		name = accessor.GetName()
		if accessor.GetNamespace() != "" {
			namespace = accessor.GetNamespace()
		}
	}
	resource := r.resource
	if resource == "" {
		resource = resourceOfKind(gvk.Group, gvk.Kind)
	}
	if resource == "" {
		t.Fatalf("no resource for %v", gvk)
	}
	resource, subresource, _ := strings.Cut(resource, "/")
	return admission.NewAttributesRecord(r.object, r.old, gvk, namespace, name,
		gvk.GroupVersion().WithResource(resource), subresource, r.operation, nil, false, &user.DefaultInfo{Name: "developer"})
}

// review gives the answer of the API server: nil, or the error that a client
// gets. The annotations for the audit log are in the attributes.
func (s *apiServer) review(t testing.TB, attributes admission.Attributes) error {
	return s.dispatch(t.Context(), attributes)
}

// dispatch is review in a context of the caller's.
func (s *apiServer) dispatch(ctx context.Context, attributes admission.Attributes) error {
	return s.dispatcher.Dispatch(ctx, attributes, s.objects, []validating.PolicyHook{s.hook})
}

// versioned is a request as it is given to CEL.
func (s *apiServer) versioned(t testing.TB, attributes admission.Attributes) (*admission.VersionedAttributes, *reviewv1.AdmissionRequest) {
	t.Helper()
	versioned, err := admission.NewVersionedAttributes(attributes, attributes.GetKind(), s.objects)
	if err != nil {
		t.Fatal(err)
	}
	return versioned, plugincel.CreateAdmissionRequest(attributes, metav1.GroupVersionResource(attributes.GetResource()), metav1.GroupVersionKind(attributes.GetKind()))
}

// cost is what some expressions cost together.
func (s *apiServer) cost(t testing.TB, attributes admission.Attributes, evaluator plugincel.ConditionEvaluator) int64 {
	t.Helper()
	const plenty = 1 << 40
	versioned, asked := s.versioned(t, attributes)
	results, left, err := evaluator.ForInput(t.Context(), versioned, asked, plugincel.OptionalVariableBindings{}, nil, plenty)
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range results {
		if result.Error != nil {
			t.Fatal(result.Error)
		}
	}
	return plenty - left
}

// asUnstructured is an object of any shape, also one that no API server reads.
func asUnstructured(object map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: object}
}

// asTyped is an object as the API server reads it, nil when it does not.
func asTyped(object map[string]any) runtime.Object {
	u := asUnstructured(object)
	typed, err := scheme.Scheme.New(u.GroupVersionKind())
	if err != nil {
		return nil
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(runtime.DeepCopyJSON(object), typed, false); err != nil {
		return nil
	}
	typed.GetObjectKind().SetGroupVersionKind(u.GroupVersionKind())
	return typed
}
