package source

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	hookAnnotation     = "argocd.argoproj.io/hook"
	helmHookAnnotation = "helm.sh/hook"
)

// isApplied reports whether Argo CD ever applies an object: not one that is a hook to
// skip, or of no phase, as the tests of a Helm chart are. It follows syncPhases of
// gitops-engine/pkg/sync/sync_phase.go, and controller/hook.go for what runs when an
// Application is deleted.
func isApplied(object *unstructured.Unstructured) bool {
	annotations := object.GetAnnotations()
	own, isOwn := annotations[hookAnnotation]
	helm, isHelm := annotations[helmHookAnnotation]
	isHelm = isHelm && helm != "crd-install"
	types := among(own, "PreSync", "Sync", "PostSync", "SyncFail", "Skip")
	if len(types) == 0 {
		types = among(helm, "pre-install", "pre-upgrade", "post-upgrade", "post-install")
	}
	switch {
	case slices.Equal(types, []string{"Skip"}):
		return false
	case !isOwn && !isHelm:
		return true
	}
	types = slices.DeleteFunc(types, func(hook string) bool { return hook == "Skip" })
	return len(types) > 0 || len(among(own, "PreDelete", "PostDelete")) > 0 || len(among(helm, "pre-delete", "post-delete")) > 0
}

// among are those of a list with commas that are known, each once.
func among(list string, known ...string) []string {
	var found []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); slices.Contains(known, item) && !slices.Contains(found, item) {
			found = append(found, item)
		}
	}
	return found
}
