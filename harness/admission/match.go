package admission

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/proompteng/nevermigrate/harness/constraint"
)

// match is spec.match of a constraint. The Rego policy has checked it.
type match struct {
	namespaces, excluded []string
	kinds                []kinds
}

// kinds is an entry of spec.match.kinds: an empty list or "*" stands for all.
type kinds struct{ groups, kinds []string }

func matchOf(c *constraint.Constraint) match {
	var m match
	given, _ := c.Spec()["match"].(map[string]any)
	m.namespaces = stringsOf(given["namespaces"])
	m.excluded = stringsOf(given["excludedNamespaces"])
	entries, _ := given["kinds"].([]any)
	for _, entry := range entries {
		entry, _ := entry.(map[string]any)
		m.kinds = append(m.kinds, kinds{stringsOf(entry["apiGroups"]), stringsOf(entry["kinds"])})
	}
	return m
}

func stringsOf(list any) []string {
	var all []string
	entries, _ := list.([]any)
	for _, entry := range entries {
		text, _ := entry.(string)
		all = append(all, text)
	}
	return all
}

// selects reports whether the constraint binds a kind of a group.
func (m match) selects(group, kind string) bool {
	return len(m.kinds) == 0 || slices.ContainsFunc(m.kinds, func(k kinds) bool {
		return has(k.groups, group) && has(k.kinds, kind)
	})
}

func has(names []string, name string) bool {
	return len(names) == 0 || slices.Contains(names, name) || slices.Contains(names, "*")
}

// resources are the kinds of workload as the API server serves them. A pod's
// ephemeral containers are set through a resource of their own.
var resources = map[string][]string{
	"CronJob":               {"cronjobs"},
	"DaemonSet":             {"daemonsets"},
	"Deployment":            {"deployments"},
	"Job":                   {"jobs"},
	"Pod":                   {"pods", "pods/ephemeralcontainers"},
	"PodTemplate":           {"podtemplates"},
	"ReplicaSet":            {"replicasets"},
	"ReplicationController": {"replicationcontrollers"},
	"Rollout":               {"rollouts"},
	"StatefulSet":           {"statefulsets"},
}

// versions are the versions in which the CEL reads the objects of a group. The
// API server converts objects of the other versions of the same resource. It
// serves no group extensions since ValidatingAdmissionPolicy exists, but a
// constraint may name it.
var versions = map[string]string{"": "v1", "apps": "v1", "argoproj.io": "v1alpha1", "batch": "v1", "extensions": "v1beta1"}

// constraints says which requests the policy judges.
func (c *contract) constraints(m match) (*admissionv1.MatchResources, error) {
	selected := map[string][]string{}
	for _, kind := range slices.Sorted(maps.Keys(c.Workloads)) {
		for _, group := range c.Workloads[kind].Groups {
			if !m.selects(group, kind) {
				continue
			}
			if resources[kind] == nil || versions[group] == "" {
				return nil, fmt.Errorf("the resource of kind %s in group %q is not known", kind, group)
			}
			selected[group] = append(selected[group], resources[kind]...)
		}
	}
	if len(selected) == 0 {
		return nil, errors.New("spec.match.kinds selects no kind of workload: its apiGroups do not have its kinds, so nothing would be judged")
	}
	equivalent, namespaced := admissionv1.Equivalent, admissionv1.NamespacedScope
	result := &admissionv1.MatchResources{MatchPolicy: &equivalent}
	for _, group := range slices.Sorted(maps.Keys(selected)) {
		result.ResourceRules = append(result.ResourceRules, admissionv1.NamedRuleWithOperations{
			RuleWithOperations: admissionv1.RuleWithOperations{
				// A deletion starts nothing.
				Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
				Rule: admissionv1.Rule{
					APIGroups:   []string{group},
					APIVersions: []string{versions[group]},
					Resources:   selected[group],
					Scope:       &namespaced,
				},
			},
		})
	}
	var selector metav1.LabelSelector
	for _, one := range []struct {
		names    []string
		operator metav1.LabelSelectorOperator
	}{{m.namespaces, metav1.LabelSelectorOpIn}, {m.excluded, metav1.LabelSelectorOpNotIn}} {
		if len(one.names) > 0 && !anyWildcard(one.names) {
			selector.MatchExpressions = append(selector.MatchExpressions, metav1.LabelSelectorRequirement{
				Key: namespaceLabel, Operator: one.operator, Values: one.names,
			})
		}
	}
	if len(selector.MatchExpressions) > 0 {
		result.NamespaceSelector = &selector
	}
	return result, nil
}

// namespaceLabel is on every namespace; the API server keeps it there.
const namespaceLabel = "kubernetes.io/metadata.name"

func anyWildcard(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, "*") })
}

// namespacePattern is a regular expression for namespaces of which some have a
// *, which a label selector does not know; empty when none has one. As in
// Gatekeeper, * counts at the start and at the end.
func namespacePattern(names []string) string {
	if !anyWildcard(names) {
		return ""
	}
	var alternatives []string
	for _, name := range names {
		rest, start := strings.CutPrefix(name, "*")
		rest, end := strings.CutSuffix(rest, "*")
		alternative := regexp.QuoteMeta(rest)
		if start {
			alternative = ".*" + alternative
		}
		if end {
			alternative += ".*"
		}
		alternatives = append(alternatives, alternative)
	}
	return `\A(?:` + strings.Join(alternatives, "|") + `)\z`
}
