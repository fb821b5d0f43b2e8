package source

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/gobwas/glob"
	"sigs.k8s.io/yaml"
)

// Settings are those of an Argo CD instance. The zero value is what Argo CD does by
// itself.
type Settings struct {
	// Namespace is where Argo CD runs. Empty: argocd. An Application of another
	// namespace has that in its instance name.
	Namespace string
	// InstanceLabelKey and TrackingMethod say how objects are marked.
	InstanceLabelKey, TrackingMethod string
	// KustomizeBuildOptions are given to `kustomize build`.
	KustomizeBuildOptions string
	// ValuesFileSchemes are those of URLs that value files may have. Nil: https and
	// http.
	ValuesFileSchemes []string
	// WithoutKustomize, WithoutHelm and WithoutJsonnet are tools that are switched
	// off.
	WithoutKustomize, WithoutHelm, WithoutJsonnet bool
	// Exclusions and Inclusions are of objects that Argo CD leaves alone.
	Exclusions, Inclusions []ResourceFilter
	// Discovery says that there are plugins that take a source by what is in it.
	Discovery bool
	// Versions are those of the clusters, by the server or the name of a destination;
	// under the empty name stands the default.
	Versions map[string]Versions
}

// Versions are what charts see of a cluster.
type Versions struct {
	// Kubernetes is its version. Empty: nobody knows.
	Kubernetes string
	// APIs are its API versions, as [group/]version/kind.
	APIs []string
}

// ResourceFilter says which objects Argo CD leaves alone, or not.
type ResourceFilter struct {
	APIGroups []string `json:"apiGroups,omitempty"`
	Kinds     []string `json:"kinds,omitempty"`
	Clusters  []string `json:"clusters,omitempty"`
}

// ReadSettings reads the ConfigMap argocd-cm, as util/settings/settings.go does.
func ReadSettings(configMap map[string]any) (Settings, error) {
	data, _ := configMap["data"].(map[string]any)
	text := func(key string) string {
		value, _ := data[key].(string)
		return value
	}
	settings := Settings{
		InstanceLabelKey: text("application.instanceLabelKey"), TrackingMethod: text("application.resourceTrackingMethod"),
		KustomizeBuildOptions: text("kustomize.buildOptions"),
		WithoutKustomize:      isOff(text("kustomize.enable")),
		WithoutHelm:           isOff(text("helm.enable")),
		WithoutJsonnet:        isOff(text("jsonnet.enable")),
	}
	if schemes, ok := data["helm.valuesFileSchemes"].(string); ok {
		settings.ValuesFileSchemes = []string{}
		for scheme := range strings.SplitSeq(schemes, ",") {
			if scheme = strings.TrimSpace(scheme); scheme != "" {
				settings.ValuesFileSchemes = append(settings.ValuesFileSchemes, scheme)
			}
		}
	}
	for key, filters := range map[string]*[]ResourceFilter{"resource.exclusions": &settings.Exclusions, "resource.inclusions": &settings.Inclusions} {
		if err := yaml.Unmarshal([]byte(text(key)), filters); err != nil {
			return Settings{}, fmt.Errorf("read %s of argocd-cm: %w", key, err)
		}
	}
	return settings, nil
}

func isOff(value string) bool { return value != "" && value != "true" }

// coreExclusions are coreExcludedResources of util/settings/resources_filter.go.
var coreExclusions = []ResourceFilter{
	{APIGroups: []string{"events.k8s.io", "metrics.k8s.io"}},
	{APIGroups: []string{""}, Kinds: []string{"Event"}},
	{APIGroups: []string{"coordination.k8s.io"}, Kinds: []string{"Lease"}},
}

// excludes is IsExcludedResource of the same file.
func (s Settings) excludes(group, kind, cluster string) bool {
	matches := func(filters []ResourceFilter) bool {
		for _, filter := range filters {
			if filter.matches(group, kind, cluster) {
				return true
			}
		}
		return false
	}
	if matches(coreExclusions) || matches(s.Exclusions) {
		return true
	}
	if matches(s.Inclusions) {
		return false
	}
	for _, filter := range s.Inclusions {
		if anyGlob(filter.Clusters, cluster) {
			return true
		}
	}
	return false
}

// matches is Match of util/settings/filtered_resource.go.
func (f ResourceFilter) matches(group, kind, cluster string) bool {
	if !anyGlob(f.APIGroups, group) || !anyGlob(f.Clusters, cluster) {
		return false
	}
	for _, wanted := range f.Kinds {
		if wanted == "*" || wanted == kind {
			return true
		}
	}
	return len(f.Kinds) == 0
}

// anyGlob reports whether a text matches one of some patterns, or there are none.
func anyGlob(patterns []string, text string) bool {
	for _, pattern := range patterns {
		if matchesGlob(pattern, text) {
			return true
		}
	}
	return len(patterns) == 0
}

// matchesGlob is Match of util/glob: a pattern that is none matches nothing, and *
// matches slashes too.
func matchesGlob(pattern, text string) bool {
	compiled, err := glob.Compile(pattern)
	return err == nil && compiled.Match(text)
}

// versions are those of the cluster of a destination, and where nothing is said of it
// the default.
func (r *rendering) versions() Versions {
	destination := r.app.Spec.Destination
	var found Versions
	add := func(one Versions) {
		found.Kubernetes = cmp.Or(found.Kubernetes, one.Kubernetes)
		if found.APIs == nil {
			found.APIs = one.APIs
		}
	}
	for _, name := range []string{destination.Server, destination.Name} {
		if name != "" {
			add(r.view.Settings.Versions[name])
		}
	}
	add(r.view.Settings.Versions[""])
	add(Versions{r.options.KubeVersion, r.options.APIVersions})
	return found
}
