package appset

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// Cluster is a Secret in the namespace of Argo CD.
type Cluster struct {
	Labels, Annotations map[string]string
	// Data are decoded.
	Data map[string]string
}

// ClusterOf is a cluster as a Secret in a manifest says it; what stands in
// stringData wins, as the API server has it.
func ClusterOf(secret map[string]any) (Cluster, error) {
	metadata, _ := secret["metadata"].(map[string]any)
	var failed error
	texts := func(field string, value any) map[string]string {
		given, _ := value.(map[string]any)
		made := map[string]string{}
		for key, value := range given {
			text, ok := value.(string)
			if !ok {
				failed = fmt.Errorf("read Secret %s: %s.%s is no text", nameOf(secret), field, key)
			}
			made[key] = text
		}
		return made
	}
	cluster := Cluster{
		Labels:      texts("metadata.labels", metadata["labels"]),
		Annotations: texts("metadata.annotations", metadata["annotations"]),
		Data:        texts("data", secret["data"]),
	}
	for key, value := range cluster.Data {
		decoded, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			failed = fmt.Errorf("read Secret %s: data.%s is no base64: %w", nameOf(secret), key, err)
		}
		cluster.Data[key] = string(decoded)
	}
	maps.Copy(cluster.Data, texts("stringData", secret["stringData"]))
	return cluster, failed
}

// The cluster of Argo CD itself.
const (
	inCluster       = "in-cluster"
	inClusterServer = "https://kubernetes.default.svc"
)

// clusters gives the clusters that are selected, and last that of Argo CD itself,
// unless it has a Secret or something is selected: applicationset/generators/cluster.go.
func (g *generation) clusters(_ context.Context, generator *api.ApplicationSetGenerator, at spot) ([]paramSet, error) {
	given, at := generator.Clusters, at.member("clusters")
	selected, err := g.selectClusters(given)
	if err != nil {
		return nil, failed(at, err, nil)
	}
	local := len(given.Selector.MatchExpressions)+len(given.Selector.MatchLabels) == 0
	var sets []paramSet
	add := func(name string, params map[string]any) error {
		origins := []Origin{{Place: at.place(), Cluster: name}}
		sets = append(sets, paramSet{params, origins})
		if err := g.addValues(given.Values, params); err != nil {
			return failed(at.member("values"), err, origins)
		}
		return nil
	}
	for _, cluster := range selected {
		local = local && cluster.Data["server"] != inClusterServer
		if err := add(cluster.Data["name"], g.clusterParams(cluster)); err != nil {
			return nil, err
		}
	}
	if local {
		params := map[string]any{"name": inCluster, "nameNormalized": inCluster, "server": inClusterServer, "project": ""}
		if err := add(inCluster, params); err != nil {
			return nil, err
		}
	}
	if !given.FlatList {
		return sets, nil
	}
	if len(selected) > 1 {
		return nil, failed(at.member("flatList"), &refusal{
			"the clusters come in the order of a map, which Argo CD leaves to chance", "use no flatList, or select one cluster",
		}, nil)
	}
	return []paramSet{flatList(sets, at)}, nil
}

// flatList is one set that holds those of all clusters.
func flatList(sets []paramSet, at spot) paramSet {
	var all []map[string]any
	origins := []Origin{{Place: at.place()}}
	for _, set := range sets {
		all = append(all, set.params)
	}
	return paramSet{map[string]any{"clusters": all}, origins}
}

// selectClusters are the Secrets of clusters that are selected, by the names of
// the clusters.
func (g *generation) selectClusters(given *api.ClusterGenerator) ([]Cluster, error) {
	if g.options.Clusters == nil {
		return nil, &refusal{"the clusters of Argo CD are not known", "name the Secrets of the clusters in the configuration"}
	}
	selector, err := metav1.LabelSelectorAsSelector(metav1.AddLabelToSelector(given.Selector.DeepCopy(), "argocd.argoproj.io/secret-type", "cluster"))
	if err != nil {
		return nil, err
	}
	byName := map[string]Cluster{}
	for _, cluster := range g.options.Clusters {
		if !selector.Matches(labels.Set(cluster.Labels)) {
			continue
		}
		name := cluster.Data["name"]
		if _, twice := byName[name]; twice {
			return nil, &refusal{fmt.Sprintf("two Secrets have the cluster name %q, and Argo CD takes either", name), "give one another name"}
		}
		byName[name] = cluster
	}
	var selected []Cluster
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		selected = append(selected, byName[name])
	}
	return selected, nil
}

// excludedAnnotations are the cluster annotations that are no parameters.
var excludedAnnotations = []string{
	"argocd.argoproj.io/refresh", "argocd.argoproj.io/refresh-timestamp",
	"argocd.argoproj.io/hydrate", "argocd.argoproj.io/hydrate-timestamp",
	"argocd.argoproj.io/tracking-id", "argocd.argoproj.io/installation-id",
	"kubectl.kubernetes.io/last-applied-configuration",
}

func (g *generation) clusterParams(cluster Cluster) map[string]any {
	name := cluster.Data["name"]
	params := map[string]any{
		"name": name, "nameNormalized": normalize(name),
		"server": cluster.Data["server"], "project": cluster.Data["project"],
	}
	annotations := map[string]string{}
	for key, value := range cluster.Annotations {
		if !slices.Contains(excludedAnnotations, key) {
			annotations[key] = value
		}
	}
	if g.set.Spec.GoTemplate {
		metadata := map[string]any{}
		if len(cluster.Annotations) > 0 {
			metadata["annotations"] = annotations
		}
		if len(cluster.Labels) > 0 {
			// A template must not change the Secret for others.
			metadata["labels"] = maps.Clone(cluster.Labels)
		}
		params["metadata"] = metadata
		return params
	}
	for key, value := range annotations {
		params["metadata.annotations."+key] = value
	}
	for key, value := range cluster.Labels {
		params["metadata.labels."+key] = value
	}
	return params
}
