package check_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
	"github.com/proompteng/nevermigrate/harness/report"
)

// realChart is an entry of testdata/realcharts.yaml, where its fields are
// explained.
type realChart struct {
	Name       string          `json:"name"`
	Module     string          `json:"module"`
	Folder     string          `json:"folder"`
	Unvendored []string        `json:"unvendored"`
	Renderings []realRendering `json:"renderings"`
}

type realRendering struct {
	Name        string            `json:"name"`
	AsPublished bool              `json:"asPublished"`
	HelmChart   map[string]any    `json:"helmChart"`
	With        map[string]any    `json:"with"`
	Files       map[string]string `json:"files"`
	Adds        []string          `json:"adds"`
	Workloads   []string          `json:"workloads"`
	Findings    []string          `json:"findings"`
	Error       string            `json:"error"`
}

// TestRealCharts renders charts that others wrote: with the embedded helm, with
// a helm command, and with the stock kustomize. All three must give the same
// bytes, or all fail, and the policy must see exactly the controllers workloads
// that are there.
func TestRealCharts(t *testing.T) {
	lane.Full(t)
	data, err := os.ReadFile(filepath.Join("testdata", "realcharts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var charts []realChart
	if err := yaml.UnmarshalStrict(data, &charts); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, chart := range charts {
		paths = append(paths, chart.Module)
	}
	modules := stock.Modules(t, "charts", paths)
	kustomize, helm := stock.Tool(t, "kustomize"), stock.Tool(t, "helm")

	var whole, same, failed atomic.Int64
	t.Run("charts", func(t *testing.T) {
		for _, chart := range charts {
			t.Run(chart.Name, func(t *testing.T) {
				t.Parallel()
				c := chartComparison{
					realChart: chart,
					folder:    filepath.Join(modules[chart.Module], filepath.FromSlash(chart.Folder)),
					kustomize: kustomize,
					helm:      helm,
				}
				rendered, refused := c.run(t)
				if rendered >= 3 {
					whole.Add(1)
				}
				same.Add(int64(rendered))
				failed.Add(int64(refused))
			})
		}
	})
	t.Logf("%d charts compared with the stock tools: %d renderings with the same bytes, %d that fail everywhere",
		whole.Load(), same.Load(), failed.Load())
	if whole.Load() < 10 || same.Load() < 30 {
		t.Error("fewer than 10 charts with 3 renderings each were compared")
	}
}

// chartComparison compares the renderings of one chart.
type chartComparison struct {
	realChart
	folder, kustomize, helm string
}

// run returns how many renderings gave the same bytes, and how many failed as
// they should.
func (c chartComparison) run(t *testing.T) (rendered, refused int) {
	root := t.TempDir()
	var apps []string
	var compared []realRendering
	seen := map[string]string{}
	var first []string
	for i, rendering := range c.Renderings {
		t.Run(rendering.Name, func(t *testing.T) {
			app := filepath.Join(root, fmt.Sprint(i))
			c.write(t, app, rendering)
			if rendering.Error != "" {
				c.requireErrors(t, app, rendering.Error)
				refused++
				return
			}
			manifests := c.requireSameBytes(t, app)
			if other, ok := seen[string(manifests)]; ok {
				t.Errorf("rendered the same as %q: the values change nothing", other)
			}
			seen[string(manifests)] = rendering.Name
			kinds := kindsOf(t, manifests)
			if first == nil {
				first = kinds
			}
			added := slices.DeleteFunc(slices.Clone(kinds), func(kind string) bool { return slices.Contains(first, kind) })
			if diff := cmp.Diff(rendering.Adds, added, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("kinds added (-want +got):\n%s", diff)
			}
			apps, compared = append(apps, app), append(compared, rendering)
			if !t.Failed() {
				rendered++
			}
		})
	}
	if len(apps) == 0 {
		t.Fatal("nothing was rendered")
	}
	judged, err := check.AllOnce(t.Context(), apps, check.Options{AllowAbsent: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(judged.Targets) != len(apps) {
		t.Fatalf("%d targets were judged, want %d", len(judged.Targets), len(apps))
	}
	for i, target := range judged.Targets {
		t.Run(compared[i].Name+", judged", func(t *testing.T) {
			requireVerdict(t, compared[i], target)
		})
	}
	return rendered, refused
}

// write makes an app with a copy of the chart and one kustomization.
func (c chartComparison) write(t *testing.T, app string, rendering realRendering) {
	t.Helper()
	copied := filepath.Join(app, "charts", c.Name)
	if err := os.CopyFS(copied, os.DirFS(c.folder)); err != nil {
		t.Fatal(err)
	}
	if len(c.Unvendored) > 0 && !rendering.AsPublished {
		removeDependencies(t, filepath.Join(copied, "Chart.yaml"), c.Unvendored)
	}
	entry := map[string]any{"name": c.Name}
	for key, value := range rendering.HelmChart {
		entry[key] = value
	}
	kustomization := map[string]any{"helmCharts": []any{entry}}
	for key, value := range rendering.With {
		kustomization[key] = value
	}
	text, err := yaml.Marshal(kustomization)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"kustomization.yaml": string(text)}
	for name, text := range rendering.Files {
		files[name] = text
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(app, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// removeDependencies takes dependencies out of a Chart.yaml, each of which must
// be there.
func removeDependencies(t *testing.T, file string, names []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var chart map[string]any
	if err := yaml.Unmarshal(data, &chart); err != nil {
		t.Fatal(err)
	}
	dependencies, _ := chart["dependencies"].([]any)
	kept := slices.DeleteFunc(slices.Clone(dependencies), func(dependency any) bool {
		fields, _ := dependency.(map[string]any)
		name, _ := fields["name"].(string)
		return slices.Contains(names, name)
	})
	if len(dependencies)-len(kept) != len(names) {
		t.Fatalf("%s does not have the dependencies %v", file, names)
	}
	chart["dependencies"] = kept
	if data, err = yaml.Marshal(chart); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// stock runs `kustomize build --enable-helm`, in an environment without what
// leaks from it into a rendering.
func (c chartComparison) stock(app string) (stdout []byte, stderr string, err error) {
	command := exec.Command(c.kustomize, "build", "--enable-helm", "--helm-command", c.helm,
		"--helm-kube-version", render.DefaultKubeVersion, app)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "HELM_") && !strings.HasPrefix(entry, "KUBE") {
			command.Env = append(command.Env, entry)
		}
	}
	command.Env = append(command.Env, "KUBECONFIG="+filepath.Join(app, "no-kubeconfig"))
	var messages bytes.Buffer
	command.Stderr = &messages
	stdout, err = command.Output()
	return stdout, messages.String(), err
}

func (c chartComparison) roads() map[string]render.Options {
	return map[string]render.Options{"embedded helm": {}, "helm command": {HelmCommand: c.helm}}
}

func (c chartComparison) requireSameBytes(t *testing.T, app string) []byte {
	t.Helper()
	want, messages, err := c.stock(app)
	if err != nil {
		t.Fatalf("stock kustomize: %v\n%s", err, messages)
	}
	for road, options := range c.roads() {
		got, err := render.App(t.Context(), app, options)
		if err != nil {
			t.Fatalf("%s: %v", road, err)
		}
		if !bytes.Equal(want, got) {
			t.Fatalf("%s (-stock +ours):\n%s", road, cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")))
		}
	}
	return want
}

func (c chartComparison) requireErrors(t *testing.T, app, text string) {
	t.Helper()
	if _, messages, err := c.stock(app); err == nil || !strings.Contains(messages, text) {
		t.Errorf("stock kustomize: error %v, want one with %q:\n%s", err, text, messages)
	}
	for road, options := range c.roads() {
		if _, err := render.App(t.Context(), app, options); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: error %v, want one with %q", road, err, text)
		}
	}
}

// kindsOf lists the kinds in a stream of manifests, sorted.
func kindsOf(t *testing.T, manifests []byte) []string {
	t.Helper()
	objects, err := manifest.Read(manifests)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, object := range objects {
		kind, _ := object.Content["kind"].(string)
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// requireVerdict compares all that was seen of one app.
func requireVerdict(t *testing.T, want realRendering, got report.Target) {
	t.Helper()
	if got.Error != "" {
		t.Fatal(got.Error)
	}
	var workloads, findings []string
	for _, workload := range got.Workloads {
		line := fmt.Sprintf("%s %s/%s", workload.Role, workload.Kind, workload.Name)
		for _, container := range workload.Containers {
			line += fmt.Sprintf(" %s=%s", container.Name, container.Mode)
		}
		workloads = append(workloads, line)
	}
	for _, finding := range got.Findings {
		findings = append(findings, strings.TrimSpace(finding.Code+" "+finding.Workload+" "+finding.Container))
	}
	if diff := cmp.Diff(want.Workloads, workloads, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("workloads (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.Findings, findings, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
