package appset

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// selector selects sets of parameters by their flattened values:
// applicationset/utils/selector.go, which allows any text for a value. Without
// requirements it selects all.
type selector []requirement

type requirement struct {
	key, operator string
	values        []string
}

func newSelector(given *metav1.LabelSelector) (selector, error) {
	if given == nil {
		return nil, nil
	}
	var made selector
	for key, value := range given.MatchLabels {
		made = append(made, requirement{key, string(metav1.LabelSelectorOpIn), []string{value}})
	}
	for _, expression := range given.MatchExpressions {
		made = append(made, requirement{expression.Key, string(expression.Operator), expression.Values})
	}
	slices.SortStableFunc(made, func(a, b requirement) int { return strings.Compare(a.key, b.key) })
	for _, one := range made {
		if err := one.check(); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func (r requirement) check() error {
	if wrong := validation.IsQualifiedName(r.key); len(wrong) > 0 {
		return fmt.Errorf("the key %q is none: %s", r.key, strings.Join(wrong, "; "))
	}
	switch metav1.LabelSelectorOperator(r.operator) {
	case metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn:
		if len(r.values) == 0 {
			return fmt.Errorf("the operator %s of %q needs values", r.operator, r.key)
		}
	case metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist:
		if len(r.values) != 0 {
			return fmt.Errorf("the operator %s of %q takes no values", r.operator, r.key)
		}
	default:
		return fmt.Errorf("%q is no operator of a selector", r.operator)
	}
	return nil
}

func (r requirement) matches(params map[string]string) bool {
	value, ok := params[r.key]
	switch metav1.LabelSelectorOperator(r.operator) {
	case metav1.LabelSelectorOpIn:
		return ok && slices.Contains(r.values, value)
	case metav1.LabelSelectorOpNotIn:
		return !ok || !slices.Contains(r.values, value)
	case metav1.LabelSelectorOpExists:
		return ok
	default:
		return !ok
	}
}

// of are the sets that are selected.
func (s selector) of(sets []paramSet) ([]paramSet, error) {
	if len(s) == 0 {
		return sets, nil
	}
	var selected []paramSet
	for _, set := range sets {
		params, twice := flatten(asMaps(set.params))
		matches := true
		for _, one := range s {
			if twice[one.key] {
				return nil, failedSelector(one.key, set)
			}
			matches = matches && one.matches(params)
		}
		if matches {
			selected = append(selected, set)
		}
	}
	return selected, nil
}

func failedSelector(key string, set paramSet) error {
	return &refusal{
		fmt.Sprintf("%s stands twice in the parameters of %s, as one key and as a path of keys, and Argo CD takes either", key, from(set.origins)),
		"give one of them another name",
	}
}
