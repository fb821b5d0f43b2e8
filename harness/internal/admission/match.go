package admission

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/decider"
)

// match is spec.match of a constraint. The Rego policy has checked it.
type match struct {
	Namespaces         []string `json:"namespaces"`
	ExcludedNamespaces []string `json:"excludedNamespaces"`
	Kinds              []kinds  `json:"kinds"`
}

// kinds is an entry of spec.match.kinds: an empty list or "*" stands for all.
type kinds struct {
	APIGroups []string `json:"apiGroups"`
	Kinds     []string `json:"kinds"`
}

func matchOf(c *constraint.Constraint) (match, error) {
	var m match
	given, _ := c.Spec()["match"].(map[string]any)
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(given, &m)
	return m, err
}

// selects reports whether the constraint binds a kind of a group.
func (m match) selects(group, kind string) bool {
	return len(m.Kinds) == 0 || slices.ContainsFunc(m.Kinds, func(k kinds) bool {
		return has(k.APIGroups, group) && has(k.Kinds, kind)
	})
}

func has(names []string, name string) bool {
	return len(names) == 0 || slices.Contains(names, name) || slices.Contains(names, "*")
}

// constraints says which requests the policy judges.
func constraints(f *decider.Facts, m match) (*admissionv1.MatchResources, error) {
	selected := map[string][]string{}
	for _, kind := range f.KindNames() {
		for _, group := range f.Kinds[kind].Groups {
			if m.selects(group, kind) {
				selected[group] = append(selected[group], f.Kinds[kind].Resources...)
			}
		}
	}
	if len(selected) == 0 {
		return nil, errors.New("spec.match.kinds selects no kind of workload: its apiGroups do not have its kinds, so nothing would be judged")
	}
	result := &admissionv1.MatchResources{MatchPolicy: new(admissionv1.Equivalent)}
	for _, group := range slices.Sorted(maps.Keys(selected)) {
		result.ResourceRules = append(result.ResourceRules, admissionv1.NamedRuleWithOperations{
			RuleWithOperations: admissionv1.RuleWithOperations{
				// A deletion starts nothing.
				Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
				Rule: admissionv1.Rule{
					APIGroups:   []string{group},
					APIVersions: []string{f.Versions[group]},
					Resources:   selected[group],
					Scope:       new(admissionv1.NamespacedScope),
				},
			},
		})
	}
	var selector metav1.LabelSelector
	for _, one := range []struct {
		names    []string
		operator metav1.LabelSelectorOperator
	}{{m.Namespaces, metav1.LabelSelectorOpIn}, {m.ExcludedNamespaces, metav1.LabelSelectorOpNotIn}} {
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
		alternative := regexp.QuoteMeta(name)
		if rest, ok := strings.CutPrefix(alternative, `\*`); ok {
			alternative = ".*" + rest
		}
		if rest, ok := strings.CutSuffix(alternative, `\*`); ok {
			alternative = rest + ".*"
		}
		alternatives = append(alternatives, alternative)
	}
	return `\A(?:` + strings.Join(alternatives, "|") + `)\z`
}
