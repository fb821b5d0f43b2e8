package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// warnOfIgnoredDifferences warns where a sync keeps what a live object has in its pod
// template: normalizeTargetResources of controller/sync.go.
func (r *rendering) warnOfIgnoredDifferences() {
	policy := r.app.Spec.SyncPolicy
	if policy == nil || !slices.Contains(policy.SyncOptions, "RespectIgnoreDifferences=true") {
		return
	}
	for i, ignored := range r.app.Spec.IgnoreDifferences {
		if mayHavePods(ignored.Kind) && reachesPods(ignored) {
			r.result.Warnings = append(r.result.Warnings, Warning{
				Field: fmt.Sprintf("spec.ignoreDifferences[%d]", i), Live: true,
				Message: "with RespectIgnoreDifferences=true a sync leaves this as it is in the cluster, so the pod template may be another than what Git says",
			})
		}
	}
}

// mayHavePods reports whether a kind may have a pod template. Unknown ones may.
func mayHavePods(kind string) bool {
	return !slices.Contains([]string{
		"ConfigMap", "Secret", "Service", "ServiceAccount", "Namespace", "Ingress", "NetworkPolicy", "PersistentVolumeClaim", "PersistentVolume",
		"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "HorizontalPodAutoscaler", "PodDisruptionBudget", "CustomResourceDefinition",
		"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService", "StorageClass", "PriorityClass", "Endpoints", "EndpointSlice",
	}, kind)
}

// reachesPods reports whether what is ignored may be in a pod template or hold one.
func reachesPods(ignored api.ResourceIgnoreDifferences) bool {
	if len(ignored.ManagedFieldsManagers) > 0 {
		return true
	}
	harmless := []string{"metadata", "status", "data", "stringData"}
	for _, pointer := range ignored.JSONPointers {
		keys := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
		if slices.Contains(harmless, keys[0]) || len(keys) > 1 && keys[0] == "spec" && slices.Contains(harmlessSpec, keys[1]) {
			continue
		}
		return true
	}
	for _, expression := range ignored.JQPathExpressions {
		keys := strings.FieldsFunc(expression, func(r rune) bool { return strings.ContainsRune(".[]\"'| ()", r) })
		if len(keys) > 0 && strings.HasPrefix(expression, ".") && !strings.ContainsAny(expression, ",|") &&
			(slices.Contains(harmless, keys[0]) || len(keys) > 1 && keys[0] == "spec" && slices.Contains(harmlessSpec, keys[1])) {
			continue
		}
		return true
	}
	return false
}

// harmlessSpec are keys of the spec of a workload that are not its pod template.
var harmlessSpec = []string{"replicas", "strategy", "updateStrategy", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds", "paused", "selector", "schedule", "suspend"}
