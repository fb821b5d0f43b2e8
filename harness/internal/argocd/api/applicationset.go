package api

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ApplicationSet makes Applications of a template and generators.
type ApplicationSet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              ApplicationSetSpec `json:"spec"`
	// Status is what a cluster says. It changes nothing.
	Status *Opaque `json:"status,omitempty"`
}

// ApplicationSetSpec is what Applications are made of.
type ApplicationSetSpec struct {
	GoTemplate                   bool                                      `json:"goTemplate,omitempty"`
	Generators                   []ApplicationSetGenerator                 `json:"generators"`
	Template                     ApplicationSetTemplate                    `json:"template"`
	SyncPolicy                   *ApplicationSetSyncPolicy                 `json:"syncPolicy,omitempty"`
	Strategy                     *ApplicationSetStrategy                   `json:"strategy,omitempty"`
	PreservedFields              *ApplicationPreservedFields               `json:"preservedFields,omitempty"`
	GoTemplateOptions            []string                                  `json:"goTemplateOptions,omitempty"`
	ApplyNestedSelectors         bool                                      `json:"applyNestedSelectors,omitempty"`
	IgnoreApplicationDifferences []ApplicationSetResourceIgnoreDifferences `json:"ignoreApplicationDifferences,omitempty"`
	TemplatePatch                *string                                   `json:"templatePatch,omitempty"`
}

// ApplicationSetTemplate is what each Application is made of.
type ApplicationSetTemplate struct {
	ApplicationSetTemplateMeta `json:"metadata"`
	Spec                       ApplicationSpec `json:"spec"`
}

// ApplicationSetTemplateMeta is the metadata that a template can give.
type ApplicationSetTemplateMeta struct {
	Name        string            `json:"name,omitempty"`
	Namespace   string            `json:"namespace,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Finalizers  []string          `json:"finalizers,omitempty"`
}

// ApplicationSetSyncPolicy says what happens to Applications that are there.
type ApplicationSetSyncPolicy struct {
	PreserveResourcesOnDeletion bool    `json:"preserveResourcesOnDeletion,omitempty"`
	ApplicationsSync            *string `json:"applicationsSync,omitempty"`
}

// ApplicationSetStrategy is the order in which Applications are updated.
type ApplicationSetStrategy struct {
	Type          string                         `json:"type,omitempty"`
	RollingSync   *ApplicationSetRolloutStrategy `json:"rollingSync,omitempty"`
	DeletionOrder string                         `json:"deletionOrder,omitempty"`
}

// ApplicationSetRolloutStrategy updates in steps.
type ApplicationSetRolloutStrategy struct {
	Steps []ApplicationSetRolloutStep `json:"steps,omitempty"`
}

// ApplicationSetRolloutStep is a part of the Applications.
type ApplicationSetRolloutStep struct {
	MatchExpressions []ApplicationMatchExpression `json:"matchExpressions,omitempty"`
	MaxUpdate        *intstr.IntOrString          `json:"maxUpdate,omitempty"`
}

// ApplicationMatchExpression selects Applications by a label.
type ApplicationMatchExpression struct {
	Key      string   `json:"key,omitempty"`
	Operator string   `json:"operator,omitempty"`
	Values   []string `json:"values,omitempty"`
}

// ApplicationPreservedFields are annotations and labels that stay as they are live.
type ApplicationPreservedFields struct {
	Annotations []string `json:"annotations,omitempty"`
	Labels      []string `json:"labels,omitempty"`
}

// ApplicationSetResourceIgnoreDifferences are fields that stay as they are live.
type ApplicationSetResourceIgnoreDifferences struct {
	Name              string   `json:"name,omitempty"`
	JSONPointers      []string `json:"jsonPointers,omitempty"`
	JQPathExpressions []string `json:"jqPathExpressions,omitempty"`
}
