package api

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Opaque is a part that is not looked into: whether it is there is all that counts.
type Opaque = apiextensionsv1.JSON

// ApplicationSetGenerator is a generator at the top.
type ApplicationSetGenerator struct {
	List                    *ListGenerator        `json:"list,omitempty"`
	Clusters                *ClusterGenerator     `json:"clusters,omitempty"`
	Git                     *GitGenerator         `json:"git,omitempty"`
	SCMProvider             *Opaque               `json:"scmProvider,omitempty"`
	ClusterDecisionResource *Opaque               `json:"clusterDecisionResource,omitempty"`
	PullRequest             *Opaque               `json:"pullRequest,omitempty"`
	Matrix                  *MatrixGenerator      `json:"matrix,omitempty"`
	Merge                   *MergeGenerator       `json:"merge,omitempty"`
	Selector                *metav1.LabelSelector `json:"selector,omitempty"`
	Plugin                  *Opaque               `json:"plugin,omitempty"`
	Oci                     *Opaque               `json:"oci,omitempty"`
}

// ApplicationSetNestedGenerator is a generator in a matrix or merge.
type ApplicationSetNestedGenerator struct {
	List                    *ListGenerator    `json:"list,omitempty"`
	Clusters                *ClusterGenerator `json:"clusters,omitempty"`
	Git                     *GitGenerator     `json:"git,omitempty"`
	SCMProvider             *Opaque           `json:"scmProvider,omitempty"`
	ClusterDecisionResource *Opaque           `json:"clusterDecisionResource,omitempty"`
	PullRequest             *Opaque           `json:"pullRequest,omitempty"`
	// Matrix and Merge have the form of NestedMatrixGenerator and NestedMergeGenerator.
	Matrix   *apiextensionsv1.JSON `json:"matrix,omitempty"`
	Merge    *apiextensionsv1.JSON `json:"merge,omitempty"`
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
	Plugin   *Opaque               `json:"plugin,omitempty"`
	Oci      *Opaque               `json:"oci,omitempty"`
}

// ApplicationSetTerminalGenerator is a generator in a nested matrix or merge.
type ApplicationSetTerminalGenerator struct {
	List                    *ListGenerator        `json:"list,omitempty"`
	Clusters                *ClusterGenerator     `json:"clusters,omitempty"`
	Git                     *GitGenerator         `json:"git,omitempty"`
	SCMProvider             *Opaque               `json:"scmProvider,omitempty"`
	ClusterDecisionResource *Opaque               `json:"clusterDecisionResource,omitempty"`
	PullRequest             *Opaque               `json:"pullRequest,omitempty"`
	Plugin                  *Opaque               `json:"plugin,omitempty"`
	Selector                *metav1.LabelSelector `json:"selector,omitempty"`
	Oci                     *Opaque               `json:"oci,omitempty"`
}

// ListGenerator gives the elements that it lists.
type ListGenerator struct {
	Elements     []apiextensionsv1.JSON `json:"elements"`
	Template     ApplicationSetTemplate `json:"template,omitempty"`
	ElementsYaml string                 `json:"elementsYaml,omitempty"`
}

// MatrixGenerator combines each of one generator with each of another.
type MatrixGenerator struct {
	Generators []ApplicationSetNestedGenerator `json:"generators"`
	Template   ApplicationSetTemplate          `json:"template,omitempty"`
}

// MergeGenerator overrides what one generator gives by others, matched by keys.
type MergeGenerator struct {
	Generators []ApplicationSetNestedGenerator `json:"generators"`
	MergeKeys  []string                        `json:"mergeKeys"`
	Template   ApplicationSetTemplate          `json:"template,omitempty"`
}

// ClusterGenerator gives the clusters that Argo CD knows by their Secrets.
type ClusterGenerator struct {
	Selector metav1.LabelSelector   `json:"selector,omitempty"`
	Template ApplicationSetTemplate `json:"template,omitempty"`
	Values   map[string]string      `json:"values,omitempty"`
	FlatList bool                   `json:"flatList,omitempty"`
}

// GitGenerator gives directories, or what files hold.
type GitGenerator struct {
	RepoURL             string                      `json:"repoURL"`
	Directories         []GitDirectoryGeneratorItem `json:"directories,omitempty"`
	Files               []GitFileGeneratorItem      `json:"files,omitempty"`
	Revision            string                      `json:"revision"`
	RequeueAfterSeconds *int64                      `json:"requeueAfterSeconds,omitempty"`
	Template            ApplicationSetTemplate      `json:"template,omitempty"`
	PathParamPrefix     string                      `json:"pathParamPrefix,omitempty"`
	Values              map[string]string           `json:"values,omitempty"`
}

// GitDirectoryGeneratorItem is a pattern of directories.
type GitDirectoryGeneratorItem struct {
	Path    string `json:"path"`
	Exclude bool   `json:"exclude,omitempty"`
}

// GitFileGeneratorItem is a pattern of files.
type GitFileGeneratorItem struct {
	Path    string `json:"path"`
	Exclude bool   `json:"exclude,omitempty"`
}
