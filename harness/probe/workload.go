package probe

import (
	"path"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/constraint"
	"github.com/proompteng/nevermigrate/harness/mode"
)

// contract is what one constraint says, read without the policy: the probe's
// second opinion must not share its mistakes.
type contract struct {
	rules       mode.Rules
	controllers []string // patterns
	exempt      []string
	// matches is true when the constraint leaves objects out. Which, only the
	// policy knows.
	matches bool
}

func newContract(c *constraint.Constraint) (contract, error) {
	parameters := c.Parameters()
	k := contract{controllers: []string{"*-controllers"}, matches: c.Spec()["match"] != nil}
	if patterns := stringsOf(parameters["controllers"]); patterns != nil {
		k.controllers = patterns
	}
	k.exempt = stringsOf(parameters["exemptImages"])
	var err error
	k.rules, err = mode.FromParameters(parameters)
	return k, err
}

func stringsOf(value any) []string {
	list, _ := value.([]any)
	var texts []string
	for _, item := range list {
		if text, ok := item.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// podPlaces are the places of the pod template in a workload.
var podPlaces = map[string][]string{
	"apps/Deployment":        {"spec", "template"},
	"apps/StatefulSet":       {"spec", "template"},
	"apps/DaemonSet":         {"spec", "template"},
	"apps/ReplicaSet":        {"spec", "template"},
	"extensions/Deployment":  {"spec", "template"},
	"extensions/DaemonSet":   {"spec", "template"},
	"extensions/ReplicaSet":  {"spec", "template"},
	"batch/Job":              {"spec", "template"},
	"batch/CronJob":          {"spec", "jobTemplate", "spec", "template"},
	"argoproj.io/Rollout":    {"spec", "template"},
	"/ReplicationController": {"spec", "template"},
	"/PodTemplate":           {"template"},
	"/Pod":                   {},
}

// workload is an object with a pod template.
type workload struct {
	kind, name, namespace string
	names                 []string // by which it may be a controllers workload
	containers            []map[string]any
}

// workloadOf reads an object; ok is false for what is no workload.
func workloadOf(object map[string]any) (found workload, ok bool) {
	kind, _ := object["kind"].(string)
	version, _ := object["apiVersion"].(string)
	group := path.Dir(version)
	if group == "." {
		group = ""
	}
	place, ok := podPlaces[group+"/"+kind]
	if !ok {
		return workload{}, false
	}
	metadata, _ := object["metadata"].(map[string]any)
	found.kind = kind
	found.name, _ = metadata["name"].(string)
	found.namespace, _ = metadata["namespace"].(string)
	pod := object
	for _, key := range place {
		pod, _ = pod[key].(map[string]any)
	}
	podMetadata, _ := pod["metadata"].(map[string]any)
	labels, _ := podMetadata["labels"].(map[string]any)
	label, _ := labels["app.kubernetes.io/name"].(string)
	found.names = []string{found.name, label}
	spec, _ := pod["spec"].(map[string]any)
	for _, list := range []string{"containers", "initContainers", "ephemeralContainers"} {
		items, _ := spec[list].([]any)
		for _, item := range items {
			container, _ := item.(map[string]any)
			found.containers = append(found.containers, container)
			name, _ := container["name"].(string)
			found.names = append(found.names, name)
		}
	}
	return found, true
}

// binds reports whether the contract binds a workload.
func (k contract) binds(w workload) bool {
	return slices.ContainsFunc(w.names, func(name string) bool {
		return slices.ContainsFunc(k.controllers, func(pattern string) bool { return matches(pattern, name) })
	})
}

// matches compares a name with a pattern in which * stands for anything.
func matches(pattern, name string) bool {
	first, rest, more := strings.Cut(pattern, "*")
	if !strings.HasPrefix(name, first) {
		return false
	}
	name = name[len(first):]
	if !more {
		return name == ""
	}
	for i := range len(name) + 1 {
		if matches(rest, name[i:]) {
			return true
		}
	}
	return false
}

// exempts reports whether a container's image is exempt.
func (k contract) exempts(container map[string]any) bool {
	image, ok := container["image"].(string)
	return ok && slices.ContainsFunc(k.exempt, func(entry string) bool {
		prefix, isPrefix := strings.CutSuffix(entry, "*")
		return entry == image || isPrefix && strings.HasPrefix(image, prefix)
	})
}

// command is all that a container starts.
func command(container map[string]any) []any {
	words, _ := container["command"].([]any)
	args, _ := container["args"].([]any)
	return slices.Concat(words, args)
}
