package manifest

import (
	"fmt"
	"maps"
	"slices"
)

// Rendered are the objects of one rendering, numbered in their order, each with
// what stands beside it; see WithBeside.
func Rendered(contents []map[string]any) []Object {
	objects := make([]Object, len(contents))
	for i, content := range contents {
		objects[i] = Object{Document: i + 1, Content: content}
	}
	return WithBeside(objects)
}

// WithBeside is some objects of one target, each with those of the others that
// decide what is made of it: Rollouts that take their pod template from it, and
// ConfigMaps that it mounts.
func WithBeside(objects []Object) []Object {
	var rollouts []map[string]any
	configMaps := map[string][]map[string]any{}
	for _, object := range objects {
		each(object.Content, 0, func(content map[string]any) {
			switch content["kind"] {
			case "Rollout":
				if spec, ok := content["spec"].(map[string]any); ok && spec["workloadRef"] != nil {
					rollouts = append(rollouts, content)
				}
			case "ConfigMap":
				if name := nameOf(content); name != "" {
					configMaps[name] = append(configMaps[name], content)
				}
			}
		})
	}
	if len(rollouts) == 0 && len(configMaps) == 0 {
		return objects
	}
	all := make([]Object, len(objects))
	for i, object := range objects {
		all[i] = object
		all[i].Beside = nil
		mounted := map[string]bool{}
		addMounted(object.Content, mounted)
		for _, name := range slices.Sorted(maps.Keys(mounted)) {
			all[i].Beside = append(all[i].Beside, configMaps[name]...)
		}
		for _, rollout := range rollouts {
			if refersTo(rollout, object.Content) {
				all[i].Beside = append(all[i].Beside, rollout)
			}
		}
	}
	return all
}

// Items takes a list of objects apart: the rest of it, without its items, and each
// item with its place and with what of the list and beside the list decides what is
// made of it. There are none where something in the list is no object, for that is a
// fault of the whole.
func (o Object) Items() (rest Object, items []Object) {
	rest = o
	for _, key := range Lists {
		list, ok := o.Content[key].([]any)
		if !ok || len(list) == 0 {
			continue
		}
		for i, item := range list {
			content, ok := item.(map[string]any)
			if !ok {
				return o, nil
			}
			items = append(items, Object{Document: o.Document, Content: content, List: &Place{
				Kind: o.Content["kind"], Path: fmt.Sprintf("%s[%d].", key, i),
			}})
		}
	}
	if len(items) == 0 {
		return o, nil
	}
	rest.Content = maps.Clone(o.Content)
	for _, key := range Lists {
		if _, ok := rest.Content[key].([]any); ok {
			rest.Content[key] = []any{}
		}
	}
	addBeside(o, items)
	return rest, items
}

// addBeside gives each item of a list the Rollouts that may refer to it, from the list
// and from beside it, and the ConfigMaps that it mounts.
func addBeside(list Object, items []Object) {
	rollouts, configMaps := map[string][]map[string]any{}, map[string][]map[string]any{}
	add := func(content map[string]any) {
		switch content["kind"] {
		case "Rollout":
			rollouts[workloadOf(content)] = append(rollouts[workloadOf(content)], content)
		case "ConfigMap":
			configMaps[nameOf(content)] = append(configMaps[nameOf(content)], content)
		}
	}
	for _, content := range list.Beside {
		add(content)
	}
	each(list.Content, 0, func(content map[string]any) {
		if content["kind"] == "Rollout" {
			add(content)
		}
	})
	for i := range items {
		if len(configMaps) > 0 {
			mounted := map[string]bool{}
			addMounted(items[i].Content, mounted)
			for _, name := range slices.Sorted(maps.Keys(mounted)) {
				items[i].Beside = append(items[i].Beside, configMaps[name]...)
			}
		}
		if len(rollouts) > 0 {
			names := map[string]bool{}
			each(items[i].Content, 0, func(content map[string]any) {
				metadata, _ := content["metadata"].(map[string]any)
				for _, key := range []string{"name", "generateName"} {
					name, _ := metadata[key].(string)
					names[name] = true
				}
			})
			for _, name := range slices.Sorted(maps.Keys(names)) {
				items[i].Beside = append(items[i].Beside, rollouts[name]...)
			}
		}
	}
}

// workloadOf is the name of the workload that a Rollout takes its pod template from.
func workloadOf(rollout map[string]any) string {
	spec, _ := rollout["spec"].(map[string]any)
	ref, _ := spec["workloadRef"].(map[string]any)
	name, _ := ref["name"].(string)
	return name
}

// Lists are the keys under which an object lists others, as the policy has them.
var Lists = []string{"items", "objects"}

// each visits an object and the objects that it lists, as deep as the policy does.
func each(object map[string]any, depth int, visit func(map[string]any)) {
	visit(object)
	if depth == 3 {
		return
	}
	for _, key := range Lists {
		items, _ := object[key].([]any)
		for _, item := range items {
			if below, ok := item.(map[string]any); ok {
				each(below, depth+1, visit)
			}
		}
	}
}

func nameOf(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	return name
}

// addMounted adds the names of the ConfigMaps that volumes below a value name.
func addMounted(value any, names map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		if source, ok := value["configMap"].(map[string]any); ok {
			if name, ok := source["name"].(string); ok {
				names[name] = true
			}
		}
		for _, below := range value {
			addMounted(below, names)
		}
	case []any:
		for _, below := range value {
			addMounted(below, names)
		}
	}
}

// refersTo reports whether a Rollout may take its pod template from an object, or
// from one that the object lists. The policy looks at it again.
func refersTo(rollout, object map[string]any) bool {
	spec, _ := rollout["spec"].(map[string]any)
	ref, _ := spec["workloadRef"].(map[string]any)
	found := false
	each(object, 0, func(content map[string]any) {
		found = found || content["kind"] != "Rollout" && nameOf(content) == ref["name"]
	})
	return found
}
