package source

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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

// expand is Envsubst of Argo CD, with the names of newEnv: an unknown name becomes
// empty, and $$ becomes $. What depends on the commit that is synced is refused.
func (o *one) expand(field, text string) (string, error) {
	expanded, revision := o.envsubst(text)
	if revision != "" {
		return "", refused(field, fmt.Sprintf("it depends on %s, the commit that is synced, which is not known before", revision), "write a value that does not depend on the commit")
	}
	return expanded, nil
}

// expandCompared is expand for a text that may hold the commit. Whether something
// depends on it shows when two are compared; see dependsOnRevision.
func (o *one) expandCompared(field, text string) string {
	expanded, revision := o.envsubst(text)
	if revision != "" {
		o.warn(field, "it holds %s, the commit that is synced, which is not known before: zeros stand for it", revision)
		o.revised = append(o.revised, field)
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
		"ARGOCD_APP_REVISION":               o.revision,
		"ARGOCD_APP_REVISION_SHORT":         o.revision[:7],
		"ARGOCD_APP_REVISION_SHORT_8":       o.revision[:8],
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

// revision stands for the commit that is synced.
var revision = strings.Repeat("0", 40)

// otherRevisions is how many other commits are tried. They are drawn by chance, so
// that no template can know them.
const otherRevisions = 3

// dependsOnRevision refuses an Application of which something else than the commit
// itself would be another if another commit were synced.
func (r *rendering) dependsOnRevision() error {
	if len(r.revised) == 0 {
		return nil
	}
	one, err := json.Marshal(r.result.Objects)
	if err != nil {
		return fmt.Errorf("write objects: %w", err)
	}
	for range otherRevisions {
		other := &rendering{ctx: r.ctx, app: r.app, view: r.view, options: r.options, revision: drawnRevision()}
		objects, err := other.all()
		if r.ctx.Err() != nil {
			return err
		}
		if err != nil || !other.isSame(objects, one) {
			return refused(r.revised[0], "what is made depends on the commit that is synced, which is not known before", "write a value that does not depend on the commit")
		}
	}
	return nil
}

// drawnRevision is a commit that Helm does not take for a number.
func drawnRevision() string {
	for {
		drawn := make([]byte, 20)
		_, _ = rand.Read(drawn) // it never fails
		if text := hex.EncodeToString(drawn); strings.ContainsAny(text[:7], "abcdf") {
			return text
		}
	}
}

// isSame reports whether objects are those of another commit but for the commit.
func (r *rendering) isSame(objects []*unstructured.Unstructured, others []byte) bool {
	text, err := json.Marshal(r.normalize(objects))
	for _, length := range []int{40, 8, 7} {
		text = bytes.ReplaceAll(text, []byte(r.revision[:length]), []byte(revision[:length]))
	}
	return err == nil && bytes.Equal(text, others)
}
