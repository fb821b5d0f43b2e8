// Package workloads makes the workloads that benchmarks judge: those of the policy, of
// the program and of Gatekeeper's engine the same.
package workloads

import "fmt"

// Deployment is one with one container whose env has a value.
func Deployment(name, value string) map[string]any {
	return map[string]any{
		"apiVersion": "apps/v1",
		"kind":       "Deployment",
		"metadata":   map[string]any{"name": name, "namespace": "agents"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{
			"name":  "app",
			"image": "registry.example.com/app:1",
			"env":   []any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": value}},
		}}}}},
	}
}

// Deployments are n of them that pass: most are others', one in eight is controllers.
func Deployments(n int) []any {
	all := make([]any, n)
	for i := range all {
		name := fmt.Sprintf("app-%d", i)
		if i%8 == 0 {
			name = fmt.Sprintf("app-%d-controllers", i)
		}
		all[i] = Deployment(name, "skip")
	}
	return all
}

// List is a List of so many Deployments, as kubectl prints it.
func List(n int) map[string]any {
	return map[string]any{"apiVersion": "v1", "kind": "List", "items": Deployments(n)}
}
