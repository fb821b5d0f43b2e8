package report

import _ "embed"

// ExplanationSchema is the JSON Schema of an explanation in JSON.
//
//go:embed explanation.schema.json
var ExplanationSchema []byte

// Explanation tells what decides the mode of each container of a set of
// targets, also when all is well.
type Explanation struct {
	Version int               `json:"version"`
	Targets []ExplainedTarget `json:"targets"`
}

// ExplainedTarget is an app or a stream of manifests.
type ExplainedTarget struct {
	Path string `json:"path"`
	// Error says why nothing can be said about it.
	Error     string              `json:"error,omitempty"`
	Workloads []ExplainedWorkload `json:"workloads"`
}

// ExplainedWorkload is a Workload with explained containers.
type ExplainedWorkload struct {
	Kind       string               `json:"kind"`
	Namespace  string               `json:"namespace"`
	Name       string               `json:"name"`
	Role       Role                 `json:"role"`
	Constraint string               `json:"constraint,omitempty"`
	Containers []ExplainedContainer `json:"containers"`
}

// ExplainedContainer is a Container with what decides its mode.
type ExplainedContainer struct {
	Container
	// Declared says that the container's env declares the variable.
	Declared bool `json:"declared"`
	// Chain begins with the place that decides. Each place after it would if
	// those before it were not there. It is empty when no place was found; when
	// env does not declare the variable, a place in it is what takes a
	// declaration away.
	Chain []Cause `json:"chain"`
	// Truncated says that the search ended at its bound.
	Truncated bool `json:"truncated,omitempty"`
}
