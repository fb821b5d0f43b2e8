package admission_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/admission"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/decider"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/gatekeeper"
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
	file := filepath.Join("..", "..", "..", "policy", "admission", "policy.yaml")
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
		t.Errorf("%s is not what is written now: run scripts/generate (-committed +now):\n%s", file, diff)
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

// everyResource are the resources of all kinds of workload, by group and version.
func everyResource(t *testing.T) map[string][]string {
	t.Helper()
	evaluator, err := evaluate.New(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	known, err := decider.Read(t.Context(), evaluator)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, name := range known.KindNames() {
		for _, group := range known.Kinds[name].Groups {
			gv := group + "/" + known.Versions[group]
			all[gv] = append(all[gv], known.Kinds[name].Resources...)
		}
	}
	if want := []string{"cronjobs", "jobs"}; !slices.Equal(all["batch/v1"], want) {
		t.Errorf("batch/v1 has %v, want %v", all["batch/v1"], want)
	}
	return all
}

// TestMatch holds which requests the API server is asked to judge.
func TestMatch(t *testing.T) {
	type match struct {
		Resources  map[string][]string // group and version, to resources
		Selector   string
		Conditions map[string]string
		Actions    []admissionv1.ValidationAction
	}
	everything := everyResource(t)
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

// parameterNames are the names of all parameters.
func parameterNames(t *testing.T) string {
	t.Helper()
	parameters, err := gatekeeper.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, parameter := range parameters {
		names = append(names, parameter.Name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// TestErrors refuses a constraint that cannot be used.
func TestErrors(t *testing.T) {
	for name, test := range map[string]struct{ spec, want string }{
		"unknown parameter": {
			"{parameters: {skipValue: [skip]}}",
			"load constraint chosen.yaml: spec.parameters.skipValue is not a parameter. Is skipValues meant? Use one of " + parameterNames(t) + ".",
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
