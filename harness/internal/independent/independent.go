// Package independent judges objects by the rules of the kubelet and the service,
// without the policy: a second opinion that does not share its mistakes. Where the
// two differ, one of them is wrong.
package independent

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/mode"
)

// Rules are what one constraint says, read without the policy.
type Rules struct {
	// Mode are the rules of the migrations variable.
	Mode        mode.Rules
	controllers []*regexp.Regexp
	// Name is one that the first pattern of controllers fits.
	Name string
	// images are the globs of the service's images; none: all may be. exempt are
	// those of images that hold no service.
	images, exempt []string
	// LeavesOut is true when the constraint leaves objects out. Which, only the
	// policy knows.
	LeavesOut bool
}

// New are the rules of a constraint; nil stands for the defaults. Its errors are those
// of parameters that cannot be read.
func New(c *constraint.Constraint) (Rules, error) {
	given := c.Parameters()
	rules, err := mode.FromParameters(given)
	p := Rules{
		Mode: rules, images: stringsOf(given["images"]), exempt: stringsOf(given["exemptImages"]),
		LeavesOut: c.Spec()["match"] != nil,
	}
	if _, ok := given["exemptImages"].([]any); !ok {
		p.exempt = withoutService
	}
	patterns := stringsOf(given["controllers"])
	if patterns == nil {
		patterns = []string{"*-controllers", "*-controllers-*"}
	}
	if len(patterns) > 0 {
		p.Name = strings.ReplaceAll(patterns[0], "*", "probe")
	}
	for _, pattern := range patterns {
		p.controllers = append(p.controllers, glob(pattern))
	}
	return p, err
}

// withoutService are images that are known to hold no service. The policy has a
// list of its own; a test compares them.
var withoutService = []string{
	"asm/proxyv2", "aws-observability/aws-for-fluent-bit", "brancz/kube-rbac-proxy", "busybox",
	"calico/kube-controllers", "cloud-sql-connectors/cloud-sql-proxy", "cloudsql-docker/gce-proxy",
	"curlimages/curl", "datadog/agent", "datadog/dd-lib-*-init", "datadoghq/agent", "datadoghq/apm-inject",
	"datadoghq/dd-lib-*-init", "envoyproxy/envoy", "fluent/fluent-bit", "fluent/fluentd", "hashicorp/vault",
	"istio/install-cni", "istio/proxyv2", "istio-release/proxyv2", "kubebuilder/kube-rbac-proxy",
	"linkerd/proxy", "linkerd/proxy-init", "mirrored-calico-kube-controllers", "nicolaka/netshoot",
	"open-telemetry/opentelemetry-collector-releases/opentelemetry-collector*",
	"open-telemetry/opentelemetry-operator/autoinstrumentation-*",
	"otel/opentelemetry-collector", "otel/opentelemetry-collector-contrib", "pause",
	"rancher/mirrored-calico-kube-controllers", "rancher/mirrored-pause", "tailscale/tailscale",
	"tigera/kube-controllers",
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

// podTemplates are the places of the pod template, by group and kind. The policy
// has a table of its own; a test compares them.
var podTemplates = map[string][]string{
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

// Workload is an object with a pod spec.
type Workload struct {
	Kind, Name, Namespace string
	// Containers are those of all lists of the pod spec.
	Containers []map[string]any

	names []string // by which it may be a controllers workload
}

// The labels from which names are made, and the lists of containers of a pod.
var (
	nameLabels     = []string{"app.kubernetes.io/name", "app"}
	containerLists = []string{"containers", "initContainers", "ephemeralContainers"}
)

const componentLabel = "app.kubernetes.io/component"

// Workloads reads an object: one workload for each of its pod specs, and those of
// the objects that it lists. A kind of the table has one pod spec, and any other as
// many as are found in it.
func Workloads(object map[string]any) []Workload {
	kind, version := textAt(object, "kind"), textAt(object, "apiVersion")
	group := strings.TrimPrefix(path.Dir(version), ".")
	var found []Workload
	if place, known := podTemplates[group+"/"+kind]; !known {
		alone := maps.Clone(object)
		for _, key := range listing {
			if _, isList := object[key].([]any); isList {
				delete(alone, key)
			}
		}
		f := finder{object: object}
		f.look(alone, nil, nil)
		found = f.found
	} else if spec := fieldsAt(object, "spec"); kind != "Rollout" || spec["template"] != nil || spec["workloadRef"] == nil {
		// The Deployment that a Rollout names is judged itself.
		template := object
		for _, key := range place {
			template = fieldsAt(template, key)
		}
		found = append(found, newWorkload(object, template, fieldsAt(template, "spec"), []map[string]any{object, template}, nil))
	}
	for _, key := range listing {
		items, _ := object[key].([]any)
		for _, item := range items {
			below, ok := item.(map[string]any)
			if ok && textAt(below, "kind") == "" {
				below = maps.Clone(below)
				below["kind"] = strings.TrimSuffix(kind, "List")
			}
			found = append(found, Workloads(below)...)
		}
	}
	return found
}

// listing are the keys under which an object lists others.
var listing = []string{"items", "objects"}

// finder looks for pod specs in an object of a kind that is not in the table.
type finder struct {
	object map[string]any
	found  []Workload
}

// look looks at a value and below it. parent is the map that has it under the key
// spec, nil when none does, and items are those of lists on the way, whose names
// count.
func (f *finder) look(value any, parent map[string]any, items []map[string]any) {
	switch value := value.(type) {
	case map[string]any:
		if isPodSpec(value) {
			template := parent
			if template == nil {
				template = value
			}
			holders := append([]map[string]any{f.object, template}, items...)
			f.found = append(f.found, newWorkload(f.object, template, value, holders, []string{"container", "script"}))
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if key == "spec" {
				f.look(value[key], value, items)
			} else {
				f.look(value[key], nil, items)
			}
		}
	case []any:
		for _, item := range value {
			fields, _ := item.(map[string]any)
			f.look(item, nil, append(slices.Clone(items), fields))
		}
	}
}

func isPodSpec(fields map[string]any) bool {
	list, _ := fields["containers"].([]any)
	for _, item := range list {
		container, _ := item.(map[string]any)
		_, named := container["name"]
		_, hasImage := container["image"]
		if named || hasImage {
			return true
		}
	}
	return textAt(fieldsAt(fields, "container"), "image") != "" || textAt(fieldsAt(fields, "script"), "image") != ""
}

// newWorkload is that of one pod spec. holders are the maps whose names count, and
// singles the keys under which it may have one container.
func newWorkload(object, template, spec map[string]any, holders []map[string]any, singles []string) Workload {
	metadata := fieldsAt(object, "metadata")
	w := Workload{Kind: textAt(object, "kind"), Name: textAt(metadata, "name"), Namespace: textAt(metadata, "namespace")}
	if w.Name == "" {
		w.Name = textAt(metadata, "generateName")
	}
	for _, holder := range holders {
		of := fieldsAt(holder, "metadata")
		w.names = append(w.names, textAt(of, "name"), textAt(of, "generateName"))
		for _, label := range nameLabels {
			w.names = append(w.names, textAt(fieldsAt(of, "labels"), label))
		}
	}
	for _, holder := range []map[string]any{object, template} {
		labels := fieldsAt(fieldsAt(holder, "metadata"), "labels")
		if component := textAt(labels, componentLabel); component != "" {
			w.names = append(w.names, textAt(metadata, "name")+"-"+component)
			for _, label := range nameLabels {
				w.names = append(w.names, textAt(labels, label)+"-"+component)
			}
		}
	}
	for _, list := range containerLists {
		items, _ := spec[list].([]any)
		for _, item := range items {
			container, _ := item.(map[string]any)
			w.Containers = append(w.Containers, container)
			w.names = append(w.names, textAt(container, "name"))
		}
	}
	for _, key := range singles {
		if container := fieldsAt(spec, key); container != nil {
			w.Containers = append(w.Containers, container)
		}
	}
	w.names = slices.DeleteFunc(w.names, func(name string) bool { return name == "" })
	return w
}

// fieldsAt is the map under a key, nil when there is none.
func fieldsAt(object map[string]any, key string) map[string]any {
	fields, _ := object[key].(map[string]any)
	return fields
}

// textAt is the text under a key, empty when there is none.
func textAt(object map[string]any, key string) string {
	text, _ := object[key].(string)
	return text
}

// Read is what can make a difference to the verdict on a workload.
func (w Workload) Read() any {
	part := []any{w.Kind, w.Name, w.Namespace, w.names}
	for _, container := range w.Containers {
		kept := map[string]any{}
		for key, value := range container {
			if slices.Contains(judgedKeys, key) || strings.HasPrefix(key, "$") {
				kept[key] = value
			}
		}
		part = append(part, kept)
	}
	return part
}

// judgedKeys are the fields of a container that make a difference.
var judgedKeys = []string{
	"name", "image", "env", "envFrom", "command", "args", "source",
	"lifecycle", "livenessProbe", "readinessProbe", "startupProbe",
}

// Binds reports whether the contract binds a workload: a name of it matches, and
// not all of its containers are exempt.
func (p Rules) Binds(w Workload) bool {
	named := slices.ContainsFunc(p.controllers, func(pattern *regexp.Regexp) bool { return slices.ContainsFunc(w.names, pattern.MatchString) })
	holds := func(container map[string]any) bool { return !p.Exempts(container) }
	return named && (len(w.Containers) == 0 || slices.ContainsFunc(w.Containers, holds))
}

// glob is a pattern for names in which * stands for anything.
func glob(pattern string) *regexp.Regexp {
	return regexp.MustCompile(`(?s)\A` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + `\z`)
}

// Exempts reports whether a container's image is exempt: it is known to hold no
// service, or is none of the service's.
func (p Rules) Exempts(container map[string]any) bool {
	image := textAt(container, "image")
	is := func(entry string) bool { return isImage(entry, image) }
	return slices.ContainsFunc(p.exempt, is) || len(p.images) > 0 && !slices.ContainsFunc(p.images, is)
}

var tag = regexp.MustCompile(`:[A-Za-z0-9_][A-Za-z0-9_.-]*\z`)

// isImage reports whether an entry of a constraint stands for an image: for the
// whole of it, or for its repository. A mirror keeps the end of a repository, so an
// entry with a slash stands for that; one without is for what stands at the top of
// a registry, or in Docker's library.
func isImage(entry, image string) bool {
	pattern := glob(entry)
	repository, _, _ := strings.Cut(image, "@")
	for _, part := range []string{image, repository, tag.ReplaceAllString(repository, "")} {
		if pattern.MatchString(part) {
			return true
		}
		steps := strings.Split(part, "/")
		for i := 1; i < len(steps); i++ {
			host := i == 1 && (strings.ContainsAny(steps[0], ".:") || steps[0] == "localhost")
			stands := strings.Contains(entry, "/") || host || steps[i-1] == "library"
			if stands && pattern.MatchString(strings.Join(steps[i:], "/")) {
				return true
			}
		}
	}
	return false
}

// Resolve is the mode of a container: by its environment, by what its command clearly
// does to that, and by what a patch may yet do.
func (p Rules) Resolve(container map[string]any) mode.Resolution {
	resolved := p.Mode.Container(container)
	switch place := directed(container); {
	case p.StartsMigrating(container):
		resolved.Mode, resolved.Reason = mode.Auto, "the command sets or removes the variable"
	case place != "" && resolved.Mode == mode.Skip:
		resolved.Mode, resolved.Reason = mode.Unknown, place+" is a directive of a patch"
	}
	return resolved
}

// directed gives the place of a directive of a patch in a container or its env;
// empty when there is none. kubectl may carry it out, so nobody knows what is left.
func directed(container map[string]any) string {
	directive := func(fields map[string]any) string {
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			if strings.HasPrefix(key, "$") {
				return key
			}
		}
		return ""
	}
	if key := directive(container); key != "" {
		return key
	}
	env, _ := container["env"].([]any)
	for i, item := range env {
		fields, _ := item.(map[string]any)
		if key := directive(fields); key != "" {
			return fmt.Sprintf("env[%d].%s", i, key)
		}
	}
	return ""
}

// command is all that a container starts.
func command(container map[string]any) []any {
	words, _ := container["command"].([]any)
	args, _ := container["args"].([]any)
	return slices.Concat(words, args)
}
