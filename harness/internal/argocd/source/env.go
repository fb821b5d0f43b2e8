package source

import (
	"fmt"
	"os"
	"strings"
)

// appName is InstanceName of Argo CD's Application.
func (r *rendering) appName() string {
	namespace := r.view.Settings.Namespace
	if namespace == "" {
		namespace = "argocd"
	}
	if r.app.Namespace == "" || r.app.Namespace == namespace {
		return r.app.Name
	}
	return r.app.Namespace + "_" + r.app.Name
}

// revisionPlaceholder stands for the commit where it decides nothing.
const revisionPlaceholder = "0000000000000000000000000000000000000000"

// expand is Envsubst of Argo CD, with the names of newEnv: an unknown name becomes
// empty, and $$ becomes $. What depends on the commit that is synced is refused.
func (o *one) expand(field, text string) (string, error) {
	expanded, revision := o.envsubst(text)
	if revision != "" {
		return "", refused(field, fmt.Sprintf("it depends on %s, the commit that is synced, which is not known before", revision), "write a value that does not depend on the commit")
	}
	return expanded, nil
}

// expandLoosely is expand for a text in which the commit decides nothing.
func (o *one) expandLoosely(field, text string) string {
	expanded, revision := o.envsubst(text)
	if revision != "" {
		o.warn(field, "it depends on %s, the commit that is synced, which is not known before: zeros stand for it", revision)
	}
	return expanded
}

// envsubst expands a text, and names a variable in it that depends on the commit.
func (o *one) envsubst(text string) (expanded, revision string) {
	if !strings.Contains(text, "$") {
		return text, ""
	}
	known := map[string]string{
		"ARGOCD_APP_NAME":                   o.appName(),
		"ARGOCD_APP_NAMESPACE":              o.app.Spec.Destination.Namespace,
		"ARGOCD_APP_PROJECT_NAME":           project(o.app.Spec.Project),
		"ARGOCD_APP_REVISION":               revisionPlaceholder,
		"ARGOCD_APP_REVISION_SHORT":         revisionPlaceholder[:7],
		"ARGOCD_APP_REVISION_SHORT_8":       revisionPlaceholder[:8],
		"ARGOCD_APP_SOURCE_REPO_URL":        o.source.RepoURL,
		"ARGOCD_APP_SOURCE_PATH":            o.source.Path,
		"ARGOCD_APP_SOURCE_TARGET_REVISION": o.source.TargetRevision,
		"$":                                 "$",
	}
	expanded = os.Expand(text, func(name string) string {
		if strings.HasPrefix(name, "ARGOCD_APP_REVISION") && known[name] != "" {
			revision = name
		}
		return known[name]
	})
	return expanded, revision
}

func project(name string) string {
	if name == "" {
		return "default"
	}
	return name
}
