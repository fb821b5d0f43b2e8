package cause

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// container names a container of what is rendered; without a name, any of the
// workload's.
type container struct{ workload, namespace, name string }

// object is an object of a document, which may be a list.
type object struct {
	document manifest.Object
	content  map[string]any
	path     string // inside the document
}

// byWorkload finds the objects of documents, those of lists too, by the names that
// the policy has for them. An item of a list of Deployments, say, need not tell
// its kind.
func byWorkload(documents []manifest.Object) map[container][]object {
	found := map[container][]object{}
	for _, document := range documents {
		var visit func(content map[string]any, kind, path string)
		visit = func(content map[string]any, kind, path string) {
			if own, ok := content["kind"].(string); ok && own != "" {
				kind = own
			}
			metadata, _ := content["metadata"].(map[string]any)
			name, _ := metadata["name"].(string)
			generated, _ := metadata["generateName"].(string)
			namespace, _ := metadata["namespace"].(string)
			of := container{workload: cmp.Or(kind, "unknown") + "/" + cmp.Or(name, generated), namespace: namespace}
			found[of] = append(found[of], object{document, content, path})
			for _, key := range manifest.Lists {
				items, _ := content[key].([]any)
				for i, item := range items {
					if item, ok := item.(map[string]any); ok {
						visit(item, strings.TrimSuffix(kind, "List"), fmt.Sprintf("%s[%d]", join(path, key), i))
					}
				}
			}
		}
		visit(document.Content, "", "")
	}
	return found
}

// walk visits a value and, as long as visit says so, those below it, with their
// paths.
func walk(node any, path string, visit func(node any, path string) (deeper bool)) {
	if !visit(node, path) {
		return
	}
	switch node := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			walk(node[key], join(path, key), visit)
		}
	case []any:
		for i, item := range node {
			walk(item, fmt.Sprintf("%s[%d]", path, i), visit)
		}
	}
}

// holdsContainers reports whether a key, or the path that it ends, is that of a
// list of containers. No kind of workload is known here, so none can be
// forgotten.
func holdsContainers(key string) bool { return strings.HasSuffix(strings.ToLower(key), "containers") }

// objects are those of the container's workload.
func (c container) objects(all map[container][]object) []object {
	return all[container{c.workload, c.namespace, ""}]
}

// visit visits the container where it stands in objects.
func (c container) visit(all map[container][]object, visit func(spec map[string]any, path string)) {
	for _, o := range c.objects(all) {
		walk(o.content, o.path, func(node any, path string) bool {
			list, ok := node.([]any)
			if !ok || !holdsContainers(path) {
				return true
			}
			for i, item := range list {
				if spec, ok := item.(map[string]any); ok && (c.name == "" || spec["name"] == c.name) {
					visit(spec, fmt.Sprintf("%s[%d]", path, i))
				}
			}
			return false
		})
	}
}

// declaration is what an entry of a container's env says of the variable.
type declaration struct {
	declared bool
	path     string // of the entry, inside the document
	says     string // the path of what says what the value is
	text     string // the whole entry, to compare
	value    string
	literal  bool // a text, and nothing else, says what the value is
}

// declarations are the container's entries for a variable.
func (c container) declarations(objects map[container][]object, envVar string) []declaration {
	var found []declaration
	c.visit(objects, func(spec map[string]any, path string) {
		env, _ := spec["env"].([]any)
		for i, entry := range env {
			if entry, ok := entry.(map[string]any); ok && entry["name"] == envVar {
				found = append(found, newDeclaration(entry, fmt.Sprintf("%s.env[%d]", path, i)))
			}
		}
	})
	return found
}

func newDeclaration(entry map[string]any, path string) declaration {
	d := declaration{declared: true, path: path, says: path, text: fmt.Sprint(entry), literal: true}
	if value := entry["value"]; value != nil {
		_, d.literal = value.(string)
		d.value, d.says = fmt.Sprint(value), path+".value"
	}
	if entry["valueFrom"] != nil {
		d.literal, d.says = false, path+".valueFrom"
	}
	return d
}

// lastEntry stands for the last entry of several for one variable: the one that
// decides.
const lastEntry = -1

// declaration is the given one of the container's entries for a variable, the
// last where there are fewer, and the zero value where there is none.
func (c container) declaration(objects map[container][]object, envVar string, entry int) declaration {
	all := c.declarations(objects, envVar)
	if len(all) == 0 {
		return declaration{}
	}
	if entry == lastEntry || entry >= len(all) {
		entry = len(all) - 1
	}
	return all[entry]
}
