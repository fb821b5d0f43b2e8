package api

import (
	"encoding/json"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// NestedMatrixGenerator is a matrix in a matrix or merge. It has no template.
type NestedMatrixGenerator struct {
	Generators []ApplicationSetTerminalGenerator `json:"generators"`
}

// NestedMergeGenerator is a merge in a matrix or merge. It has no template.
type NestedMergeGenerator struct {
	Generators []ApplicationSetTerminalGenerator `json:"generators"`
	MergeKeys  []string                          `json:"mergeKeys"`
}

// Generator is a nested generator as one at the top, with what stands in its
// matrix or merge decoded. As in Argo CD, names of fields in there match whatever
// their case.
func (g ApplicationSetNestedGenerator) Generator() (*ApplicationSetGenerator, error) {
	generator := &ApplicationSetGenerator{
		List: g.List, Clusters: g.Clusters, Git: g.Git, SCMProvider: g.SCMProvider,
		ClusterDecisionResource: g.ClusterDecisionResource, PullRequest: g.PullRequest,
		Plugin: g.Plugin, Oci: g.Oci, Selector: g.Selector,
	}
	if g.Matrix != nil {
		matrix, err := decodeNested[NestedMatrixGenerator](g.Matrix)
		if err != nil {
			return nil, err
		}
		generator.Matrix = &MatrixGenerator{Generators: nested(matrix.Generators)}
	}
	if g.Merge != nil {
		merge, err := decodeNested[NestedMergeGenerator](g.Merge)
		if err != nil {
			return nil, err
		}
		generator.Merge = &MergeGenerator{Generators: nested(merge.Generators), MergeKeys: merge.MergeKeys}
	}
	return generator, nil
}

func decodeNested[T any](text *apiextensionsv1.JSON) (T, error) {
	var decoded T
	err := json.Unmarshal(text.Raw, &decoded)
	return decoded, err
}

func nested(terminal []ApplicationSetTerminalGenerator) []ApplicationSetNestedGenerator {
	generators := make([]ApplicationSetNestedGenerator, len(terminal))
	for i, g := range terminal {
		generators[i] = ApplicationSetNestedGenerator{
			List: g.List, Clusters: g.Clusters, Git: g.Git, SCMProvider: g.SCMProvider,
			ClusterDecisionResource: g.ClusterDecisionResource, PullRequest: g.PullRequest,
			Plugin: g.Plugin, Selector: g.Selector, Oci: g.Oci,
		}
	}
	return generators
}
