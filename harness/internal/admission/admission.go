// Package admission states the contract as a ValidatingAdmissionPolicy, for
// clusters without Gatekeeper.
//
// The parameters of the constraint are written into the policy. So there is no
// parameter object that could be missing, or be edited apart from it, and a
// wrong one is refused when the policy is made. Patterns, kinds and parameters
// come from the Rego policy, and so do title and remedy of a finding; the CEL in
// spec.yaml.tmpl finds code, container and path.
package admission

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
)

// DefaultName is the name of the policy of no constraint.
const DefaultName = "controllers-never-migrate"

// Policy is a ValidatingAdmissionPolicy with its binding.
type Policy struct {
	Policy  *admissionv1.ValidatingAdmissionPolicy
	Binding *admissionv1.ValidatingAdmissionPolicyBinding
}

// New makes the policy for a constraint; nil is the defaults. Policy and
// binding have the name of the constraint. It is an error when the Rego policy
// finds a problem in the constraint, and when the constraint binds no kind of
// workload, for then the policy would never judge anything.
func New(ctx context.Context, c *constraint.Constraint) (*Policy, error) {
	evaluator, err := evaluate.New(ctx, nil, c)
	if err != nil {
		return nil, err
	}
	name := evaluator.ConstraintName()
	if name == "" {
		name = DefaultName
	}
	spec, err := specOf(ctx, evaluator)
	if err != nil {
		return nil, fmt.Errorf("make policy %s: %w", name, err)
	}
	return &Policy{
		Policy: &admissionv1.ValidatingAdmissionPolicy{
			TypeMeta:   typeMeta("ValidatingAdmissionPolicy"),
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       *spec,
		},
		Binding: &admissionv1.ValidatingAdmissionPolicyBinding{
			TypeMeta:   typeMeta("ValidatingAdmissionPolicyBinding"),
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
				PolicyName:        name,
				ValidationActions: actions[evaluator.EnforcementAction()],
			},
		},
	}, nil
}

// actions are what the API server does under each enforcement. Audit is always
// among them, so that one annotation of the audit log has every finding,
// whatever else was done; Deny and Warn exclude each other.
var actions = map[string][]admissionv1.ValidationAction{
	"deny":   {admissionv1.Deny, admissionv1.Audit},
	"warn":   {admissionv1.Warn, admissionv1.Audit},
	"dryrun": {admissionv1.Audit},
}

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: kind}
}

// YAML is the policy and its binding as two YAML documents, for kubectl apply.
func (p *Policy) YAML() ([]byte, error) {
	policy, err := document(p.Policy.TypeMeta, p.Policy.Name, p.Policy.Spec)
	if err != nil {
		return nil, fmt.Errorf("write policy %s: %w", p.Policy.Name, err)
	}
	binding, err := document(p.Binding.TypeMeta, p.Binding.Name, p.Binding.Spec)
	if err != nil {
		return nil, fmt.Errorf("write binding %s: %w", p.Binding.Name, err)
	}
	return []byte(policy + "---\n" + binding), nil
}

// document is an object as a person would write it: fields in the order of
// their types, and long texts as blocks.
func document(kind metav1.TypeMeta, name string, spec any) (string, error) {
	text, err := json.Marshal(struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Metadata   map[string]string `json:"metadata"`
		Spec       any               `json:"spec"`
	}{kind.APIVersion, kind.Kind, map[string]string{"name": name}, spec})
	if err != nil {
		return "", err
	}
	node, err := yaml.Parse(string(text))
	if err != nil {
		return "", err
	}
	restyle(node.YNode())
	return node.String()
}

func restyle(node *yaml.Node) {
	node.Style = 0
	if node.Tag == yaml.NodeTagString && strings.Contains(node.Value, "\n") {
		node.Style = yaml.LiteralStyle
	}
	for _, child := range node.Content {
		restyle(child)
	}
}
