package cluster_test

import "slices"

// complete adds what the API server requires of a workload and the contract
// does not look at, where a case leaves it out: a selector, and labels for it.
// Without them the API server refuses the object before it asks the policy, and
// nothing would be proven. It adds and never changes.
func complete(object map[string]any) {
	kind, _ := object["kind"].(string)
	if !slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"}, kind) {
		return
	}
	spec, ok := object["spec"].(map[string]any)
	if !ok || spec["selector"] != nil {
		return
	}
	template, ok := spec["template"].(map[string]any)
	if !ok {
		return
	}
	metadata, ok := within(template, "metadata")
	if !ok {
		return
	}
	labels, ok := within(metadata, "labels")
	if !ok {
		return
	}
	if len(labels) == 0 {
		labels["app"] = "case"
	}
	spec["selector"] = map[string]any{"matchLabels": labels}
}

// within is the map below a key. One that is missing is added.
func within(parent map[string]any, key string) (map[string]any, bool) {
	if parent[key] == nil {
		parent[key] = map[string]any{}
	}
	child, ok := parent[key].(map[string]any)
	return child, ok
}
