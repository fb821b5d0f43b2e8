package cluster_test

import (
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

const (
	image    = "registry.example.com/agents:1.0.0"
	variable = "JANGAR_MIGRATIONS"
)

// deployment is a Deployment in the namespace of the scenarios, whose only
// container has its name and the values of the variable, none or several.
func deployment(name, container string, values ...string) map[string]any {
	// The second is how its Pods, whose names end in other letters, are known.
	labels := map[string]any{"app": name, "app.kubernetes.io/name": name}
	return map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(name),
		"spec": map[string]any{
			"replicas": 2,
			"selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{
				"metadata": map[string]any{"labels": labels},
				"spec":     podSpec(container, values...),
			},
		},
	}
}

// pod is a Pod in the namespace of the scenarios.
func pod(name string, values ...string) map[string]any {
	return map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": metadata(name), "spec": podSpec(name, values...)}
}

func metadata(name string) map[string]any {
	return map[string]any{"name": name, "namespace": scenarios}
}

func podSpec(container string, values ...string) map[string]any {
	one := map[string]any{"name": container, "image": image}
	var env []any
	for _, value := range values {
		env = append(env, map[string]any{"name": variable, "value": value})
	}
	if env != nil {
		one["env"] = env
	}
	return map[string]any{"containers": []any{one}}
}

// asYAML is objects as a stream of YAML documents.
func asYAML(objects ...map[string]any) string {
	var all []string
	for _, object := range objects {
		text, err := yaml.Marshal(object)
		if err != nil {
			panic(fmt.Sprintf("an object of the test's own: %v", err))
		}
		all = append(all, string(text))
	}
	return strings.Join(all, "---\n")
}
