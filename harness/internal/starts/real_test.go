//go:build unix

package starts_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

var update = flag.Bool("update", false, "write the golden files")

// manifestFile has the endings of manifests, also of those that a script fills in.
var manifestFile = regexp.MustCompile(`\.(?:ya?ml(?:\.(?:in|base|sed))?|json|manifest)\z`)

// largest is the size of a manifest in bytes above which it is not read.
const largest = 1 << 20

// realModule is an entry of testdata/realstarts.yaml, where its fields are
// explained.
type realModule struct {
	Folder string                    `json:"folder"`
	Module string                    `json:"module"`
	Charts map[string]map[string]any `json:"charts"`
}

// realStart is a container of a pod template that others wrote, with what it
// mounts.
type realStart struct {
	place      string
	namespace  string
	container  map[string]any
	volumes    any
	configMaps []manifest.Object
}

// TestRealStarts judges what others wrote as if it were a controllers workload:
// every container that is given something to run, in the manifests and charts of
// other projects. Each finding stands in testdata/realstarts.txt, and was looked
// at: when the file changes, look at what is new.
func TestRealStarts(t *testing.T) {
	lane.Full(t)
	data, err := os.ReadFile(filepath.Join("testdata", "realstarts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var modules []realModule
	if err := yaml.UnmarshalStrict(data, &modules); err != nil {
		t.Fatal(err)
	}
	paths := map[string][]string{}
	for _, m := range modules {
		paths[m.Folder] = append(paths[m.Folder], m.Module)
	}
	folders := map[string]string{}
	for folder, modules := range paths {
		maps.Copy(folders, stock.Modules(t, folder, modules))
	}
	r := realStarts{modules: len(modules), starts: map[string]realStart{}, scripts: map[string]bool{}}
	for _, m := range modules {
		r.addFiles(t, m.Module, folders[m.Module])
		for _, chart := range slices.Sorted(maps.Keys(m.Charts)) {
			rendered := rendered(t, filepath.Join(folders[m.Module], filepath.FromSlash(chart)), m.Charts[chart])
			r.add(m.Module+"/"+chart, rendered)
		}
	}
	got := r.judge(t)
	if len(r.scripts) < 80 || r.templates < 80 {
		t.Errorf("%d start scripts and %d pod templates were found, and it takes at least 80 of each", len(r.scripts), r.templates)
	}

	golden := filepath.Join("testdata", "realstarts.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	wanted, found := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for _, line := range wanted {
		if !slices.Contains(found, line) {
			t.Errorf("gone (scripts/generate writes %s): %s", golden, line)
		}
	}
	for _, line := range found {
		if !slices.Contains(wanted, line) {
			t.Errorf("new, is it right? %s", line)
		}
	}
}

// realStarts are the starts of all modules: the same one counts once.
type realStarts struct {
	modules, files, templates int
	starts                    map[string]realStart
	scripts                   map[string]bool
}

// addFiles adds what the manifests in a folder start.
func (r *realStarts) addFiles(t *testing.T, module, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !manifestFile.MatchString(path) {
			return err
		}
		if info, err := entry.Info(); err != nil || info.Size() > largest {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		r.add(module+"/"+filepath.ToSlash(below), data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// add adds what the manifests in a text start. One that is no manifest, such as
// a template, has none.
func (r *realStarts) add(place string, data []byte) {
	objects, err := manifest.Read(data)
	if err != nil {
		return
	}
	before := r.templates
	var configMaps []manifest.Object
	visit(map[string]any{"items": contents(objects)}, func(object map[string]any) {
		if object["kind"] == "ConfigMap" {
			configMaps = append(configMaps, manifest.Object{Document: 1, Content: object})
		}
	})
	for _, object := range objects {
		namespace, _ := mapOf(object.Content, "metadata")["namespace"].(string)
		visit(object.Content, func(spec map[string]any) {
			var containers []map[string]any
			for _, key := range []string{"initContainers", "containers", "ephemeralContainers"} {
				for _, entry := range list(spec, key) {
					if container, ok := entry.(map[string]any); ok && isContainer(container) {
						containers = append(containers, container)
					}
				}
			}
			// A step of an Argo Workflow.
			for _, key := range []string{"container", "script"} {
				if container := mapOf(spec, key); isContainer(container) {
					containers = append(containers, container)
				}
			}
			if len(containers) == 0 {
				return
			}
			r.templates++
			for _, container := range containers {
				r.addStart(realStart{place: place, namespace: namespace, container: container, volumes: spec["volumes"], configMaps: configMaps})
			}
		})
	}
	if r.templates > before {
		r.files++
	}
}

func contents(objects []manifest.Object) []any {
	var all []any
	for _, object := range objects {
		all = append(all, object.Content)
	}
	return all
}

// visit visits a value and all that is below it.
func visit(value any, each func(map[string]any)) {
	switch value := value.(type) {
	case []any:
		for _, entry := range value {
			visit(entry, each)
		}
	case map[string]any:
		each(value)
		for _, key := range slices.Sorted(maps.Keys(value)) {
			visit(value[key], each)
		}
	}
}

func mapOf(object map[string]any, key string) map[string]any {
	below, _ := object[key].(map[string]any)
	return below
}

// isContainer reports whether a map is a container that is given something to
// run, beside or in place of what its image runs.
func isContainer(container map[string]any) bool {
	if container["image"] == nil && container["name"] == nil {
		return false
	}
	for _, key := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
		if mapOf(container, key)["exec"] != nil {
			return true
		}
	}
	return len(list(container, "command")) > 0 || len(list(container, "args")) > 0 ||
		container["lifecycle"] != nil || container["source"] != nil
}

// addStart adds a start. Only what a start may depend on makes a different one.
func (r *realStarts) addStart(start realStart) {
	start.container = maps.Clone(start.container)
	for _, key := range []string{"image", "imagePullPolicy", "ports", "resources", "securityContext"} {
		delete(start.container, key)
	}
	key, err := json.Marshal(start.container)
	if err != nil {
		return
	}
	if _, known := r.starts[string(key)]; known {
		return
	}
	r.starts[string(key)] = start
	r.addScripts(start)
}

var (
	scriptFlag = regexp.MustCompile(`\A-[a-zA-Z]*c\z`)
	scriptFile = regexp.MustCompile(`\.(?:sh|bash|py|js)\z`)
)

func (r *realStarts) addScripts(start realStart) {
	if source, ok := start.container["source"].(string); ok {
		r.scripts[source] = true
	}
	visit(start.container, func(below map[string]any) {
		words := slices.Concat(list(below, "command"), list(below, "args"))
		for i := range words[min(1, len(words)):] {
			flag, _ := words[i].(string)
			script, _ := words[i+1].(string)
			if scriptFlag.MatchString(flag) && strings.Contains(script, " ") {
				r.scripts[script] = true
			}
		}
	})
	var mounted []string
	visit(start.volumes, func(volume map[string]any) {
		if name, ok := mapOf(volume, "configMap")["name"].(string); ok {
			mounted = append(mounted, name)
		}
	})
	for _, configMap := range start.configMaps {
		name, _ := mapOf(configMap.Content, "metadata")["name"].(string)
		for key, value := range mapOf(configMap.Content, "data") {
			text, _ := value.(string)
			if slices.Contains(mounted, name) && (scriptFile.MatchString(key) || strings.HasPrefix(text, "#!")) {
				r.scripts[text] = true
			}
		}
	}
}

// judge says what the policy finds.
func (r *realStarts) judge(t *testing.T) string {
	t.Helper()
	policy, err := evaluate.New(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	codes := map[string]int{}
	for _, start := range r.starts {
		objects := manifest.WithBeside(append([]manifest.Object{start.controllers()}, start.configMaps...))
		result, err := policy.Evaluate(t.Context(), objects[:1])
		if err != nil {
			t.Errorf("%s: %v", start.place, err)
			continue
		}
		for _, finding := range result.Findings {
			codes[finding.Code]++
			lines = append(lines, fmt.Sprintf("%s %s %v: %s", finding.Code, start.place, start.container["name"], finding.Message))
		}
	}
	slices.Sort(lines)
	counts := fmt.Sprintf("%d modules, %d files with pod templates, %d pod templates, %d different starts, %d different scripts\n",
		r.modules, r.files, r.templates, len(r.starts), len(r.scripts))
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		counts += fmt.Sprintf("%s: %d\n", code, codes[code])
	}
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, "\n", `\n`)
	}
	return counts + strings.Join(lines, "\n") + "\n"
}

// controllers is a controllers workload that starts the same, with the variable
// as it must be.
func (s realStart) controllers() manifest.Object {
	container := maps.Clone(s.container)
	container["image"] = "registry.example/agents:1"
	if container["name"] == nil {
		container["name"] = "main"
	}
	container["env"] = append([]any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": "skip"}}, list(container, "env")...)
	spec := map[string]any{"containers": []any{container}}
	if s.volumes != nil {
		spec["volumes"] = s.volumes
	}
	metadata := map[string]any{"name": "agents-controllers"}
	if s.namespace != "" {
		metadata["namespace"] = s.namespace
	}
	return manifest.Object{Document: 1, Content: map[string]any{
		"apiVersion": "apps/v1",
		"kind":       "Deployment",
		"metadata":   metadata,
		"spec":       map[string]any{"template": map[string]any{"spec": spec}},
	}}
}

// rendered is what a chart makes of values.
func rendered(t *testing.T, folder string, values map[string]any) []byte {
	t.Helper()
	app := t.TempDir()
	name := filepath.Base(folder)
	if err := os.CopyFS(filepath.Join(app, "charts", name), os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	kustomization, err := yaml.Marshal(map[string]any{"helmCharts": []any{
		map[string]any{"name": name, "releaseName": "release", "namespace": "agents", "valuesInline": values},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(app, "kustomization.yaml"), kustomization, 0o600); err != nil {
		t.Fatal(err)
	}
	manifests, err := render.App(t.Context(), app, render.Options{})
	if err != nil {
		t.Fatalf("%s: %v", folder, err)
	}
	return manifests
}
