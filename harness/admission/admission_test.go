package admission_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/admission"
	"github.com/proompteng/nevermigrate/harness/constraint"
)

var update = flag.Bool("update", false, "write the file in policy/admission")

// TestCommittedFile compares what is committed with what is written now. That
// the expressions do what they should is tested with the API server's code, in
// harness/e2e.
func TestCommittedFile(t *testing.T) {
	policy, err := admission.New(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := policy.YAML()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "..", "policy", "admission", "policy.yaml")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what is written now: run go test ./harness/admission -update (-committed +now):\n%s", file, diff)
	}
}

// chosen is a constraint with a spec.
func chosen(t *testing.T, spec string) *constraint.Constraint {
	t.Helper()
	var content map[string]any
	if err := yaml.Unmarshal([]byte("apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: ControllersNeverMigrate\nmetadata: {name: chosen}\nspec: "+spec), &content); err != nil {
		t.Fatal(err)
	}
	return &constraint.Constraint{File: "chosen.yaml", Name: "chosen", Content: content}
}

// TestMatch holds which requests the API server is asked to judge.
func TestMatch(t *testing.T) {
	type match struct {
		Resources  map[string][]string // group and version, to resources
		Selector   string
		Conditions map[string]string
		Actions    []admissionv1.ValidationAction
	}
	everything := map[string][]string{
		"/v1":                  {"pods", "pods/ephemeralcontainers", "podtemplates", "replicationcontrollers"},
		"apps/v1":              {"daemonsets", "deployments", "replicasets", "statefulsets"},
		"argoproj.io/v1alpha1": {"rollouts"},
		"batch/v1":             {"cronjobs", "jobs"},
		"extensions/v1beta1":   {"daemonsets", "deployments", "replicasets"},
	}
	deny := []admissionv1.ValidationAction{admissionv1.Deny, admissionv1.Audit}
	for name, test := range map[string]struct {
		spec string
		want match
	}{
		"nothing":   {"{}", match{Resources: everything, Selector: "{}", Actions: deny}},
		"warn":      {"{enforcementAction: warn}", match{Resources: everything, Selector: "{}", Actions: []admissionv1.ValidationAction{admissionv1.Warn, admissionv1.Audit}}},
		"dryrun":    {"{enforcementAction: dryrun}", match{Resources: everything, Selector: "{}", Actions: []admissionv1.ValidationAction{admissionv1.Audit}}},
		"all kinds": {`{match: {kinds: [{kinds: ["*"]}]}}`, match{Resources: everything, Selector: "{}", Actions: deny}},
		"a kind": {
			`{match: {kinds: [{apiGroups: [apps], kinds: [Deployment]}, {apiGroups: [""], kinds: [Pod]}]}}`,
			match{Resources: map[string][]string{"/v1": {"pods", "pods/ephemeralcontainers"}, "apps/v1": {"deployments"}}, Selector: "{}", Actions: deny},
		},
		"a kind of all groups": {
			`{match: {kinds: [{apiGroups: ["*"], kinds: [DaemonSet]}]}}`,
			match{Resources: map[string][]string{"apps/v1": {"daemonsets"}, "extensions/v1beta1": {"daemonsets"}}, Selector: "{}", Actions: deny},
		},
		"namespaces": {
			"{match: {namespaces: [a, b], excludedNamespaces: [b]}}",
			match{
				Resources: everything, Actions: deny,
				Selector: `{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"In","values":["a","b"]},{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["b"]}]}`,
			},
		},
		"namespaces with a star": {
			`{match: {namespaces: [a, "b-*"], excludedNamespaces: ["*-x", "*-y-*"]}}`,
			match{
				Resources: everything, Actions: deny, Selector: "{}",
				Conditions: map[string]string{
					"namespaces":          `request.namespace == '' || request.namespace.matches(r'\A(?:a|b-.*)\z')`,
					"excluded-namespaces": `request.namespace == '' || !request.namespace.matches(r'\A(?:.*-x|.*-y-.*)\z')`,
				},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			policy, err := admission.New(t.Context(), chosen(t, test.spec))
			if err != nil {
				t.Fatal(err)
			}
			spec := policy.Policy.Spec
			got := match{Resources: map[string][]string{}, Selector: "{}", Actions: policy.Binding.Spec.ValidationActions}
			for _, rule := range spec.MatchConstraints.ResourceRules {
				got.Resources[rule.APIGroups[0]+"/"+rule.APIVersions[0]] = rule.Resources
			}
			if selector := spec.MatchConstraints.NamespaceSelector; selector != nil {
				text, err := yaml.Marshal(selector)
				if err != nil {
					t.Fatal(err)
				}
				asJSON, err := yaml.YAMLToJSON(text)
				if err != nil {
					t.Fatal(err)
				}
				got.Selector = string(asJSON)
			}
			for _, condition := range spec.MatchConditions {
				if condition.Name == "judged" {
					continue
				}
				if got.Conditions == nil {
					got.Conditions = map[string]string{}
				}
				got.Conditions[condition.Name] = condition.Expression
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if policy.Policy.Name != "chosen" || policy.Binding.Name != "chosen" || policy.Binding.Spec.PolicyName != "chosen" {
				t.Errorf("names %q, %q for %q", policy.Policy.Name, policy.Binding.Name, policy.Binding.Spec.PolicyName)
			}
			if *spec.FailurePolicy != admissionv1.Fail {
				t.Errorf("failure policy %s", *spec.FailurePolicy)
			}
		})
	}
}

// TestErrors refuses a constraint that cannot be used.
func TestErrors(t *testing.T) {
	for name, test := range map[string]struct{ spec, want string }{
		"unknown parameter": {
			"{parameters: {skipValue: [skip]}}",
			"load constraint chosen.yaml: spec.parameters.skipValue is not a parameter. Is skipValues meant? Use one of controllers, envVar, exemptImages, skipValues.",
		},
		"unknown enforcement": {
			"{enforcementAction: scoped}",
			`load constraint chosen.yaml: spec.enforcementAction is "scoped", which is not supported. Use deny, warn or dryrun.`,
		},
		"no kind": {
			"{match: {kinds: [{apiGroups: [batch], kinds: [Deployment]}]}}",
			"make policy chosen: spec.match.kinds selects no kind of workload: its apiGroups do not have its kinds, so nothing would be judged",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := admission.New(t.Context(), chosen(t, test.spec))
			if err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}
