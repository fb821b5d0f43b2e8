package render

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	chartloader "helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// write unpacks a txtar archive into a new folder and returns the folder's
// real path, which is what error messages show.
func write(t *testing.T, archive string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := txtar.Write(txtar.Parse([]byte(archive)), dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// minimalChart prints what a chart can see of its surroundings.
const minimalChart = `
-- charts/app/Chart.yaml --
apiVersion: v2
name: app
version: 1.0.0
-- charts/app/values.yaml --
word: default
-- charts/app/templates/config.yaml --
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-surroundings
data:
  namespace: {{ .Release.Namespace | quote }}
  kubeVersion: {{ .Capabilities.KubeVersion.Version | quote }}
  hasWidgets: {{ .Capabilities.APIVersions.Has "example.com/v1/Widget" | quote }}
  word: {{ .Values.word | quote }}
  host: {{ getHostByName "localhost" | quote }}
  cluster: {{ lookup "v1" "Namespace" "" "" | toJson | quote }}
`

const surroundings = `apiVersion: v1
data:
  cluster: '{}'
  hasWidgets: "false"
  host: ""
  kubeVersion: v1.35.0
  namespace: default
  word: default
kind: ConfigMap
metadata:
  name: release-surroundings
`

const minimalApp = minimalChart + `
-- kustomization.yaml --
helmCharts:
- name: app
  releaseName: release
`

func TestAppIgnoresTheCallersEnvironment(t *testing.T) {
	dir := write(t, minimalApp+`
-- kubeconfig --
apiVersion: v1
kind: Config
current-context: leaky
contexts:
- name: leaky
  context: {cluster: leaky, namespace: from-kubeconfig}
clusters:
- name: leaky
  cluster: {server: "https://127.0.0.1:1"}
`)
	t.Setenv("HELM_NAMESPACE", "from-environment")
	t.Setenv("HELM_KUBECONTEXT", "leaky")
	t.Setenv("HELM_KUBEAPISERVER", "https://127.0.0.1:1")
	t.Setenv("HELM_DEBUG", "true")
	t.Setenv("HELM_PLUGINS", dir)
	t.Setenv("KUBECONFIG", filepath.Join(dir, "kubeconfig"))
	t.Setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
	for name, options := range bothRoads(t) {
		t.Run(name, func(t *testing.T) {
			got, err := App(t.Context(), dir, options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(surroundings, string(got)); diff != "" {
				t.Errorf("rendered (-want +got):\n%s", diff)
			}
		})
	}
}

func bothRoads(t *testing.T) map[string]Options {
	roads := map[string]Options{"embedded": {}}
	if lane.IsFull(t) {
		roads["command"] = Options{HelmCommand: stock.Tool(t, "helm")}
	}
	return roads
}

func TestVersions(t *testing.T) {
	for _, test := range []struct {
		name          string
		kustomization string
		options       Options
		want          []string
	}{
		{
			name:    "options",
			options: Options{KubeVersion: "1.29.3", APIVersions: []string{"example.com/v1/Widget"}},
			want:    []string{"kubeVersion: v1.29.3", `hasWidgets: "true"`},
		},
		{
			name:          "the kustomization beats the options",
			kustomization: "  kubeVersion: 1.27.0\n  apiVersions: [example.com/v1/Widget]\n",
			options:       Options{KubeVersion: "1.29.3"},
			want:          []string{"kubeVersion: v1.27.0", `hasWidgets: "true"`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := write(t, minimalApp+test.kustomization)
			got, err := App(t.Context(), dir, test.options)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(string(got), want) {
					t.Errorf("want %s in:\n%s", want, got)
				}
			}
		})
	}
}

// TestSameBytesAsTheCommand compares with `kustomize build --enable-helm` on
// what is particular to kustomize; the cases compare it too, on their charts.
func TestSameBytesAsTheCommand(t *testing.T) {
	lane.Full(t)
	const configMaps = `
-- b.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
-- a.yaml --
apiVersion: v1
kind: Namespace
metadata: {name: a}
`
	const remark = `
-- base/charts/app/templates/hook.yaml --
apiVersion: v1
kind: Pod
metadata:
  name: hook
  annotations: {helm.sh/hook: test}
`
	const hooks = `
-- charts/app/templates/hooks.yaml --
apiVersion: v1
kind: Pod
metadata: {name: test, annotations: {helm.sh/hook: test}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: install, annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-weight: "-5"}}
`
	const dependencies = `dependencies:
- {name: sub, version: 1.0.0, condition: sub.enabled}
- {name: sub, version: 1.0.0, alias: again}
- {name: off, version: 1.0.0, condition: off.enabled}
- {name: lib, version: 1.0.0}
- {name: packed, version: 1.0.0, tags: [some]}
`
	const subcharts = `  valuesInline: {sub: {word: from-parent}, again: {word: by-alias}, off: {enabled: false}, tags: {some: true}}
-- charts/app/templates/uses-library.yaml --
{{ include "lib.config" . }}
-- charts/app/charts/lib/Chart.yaml --
apiVersion: v2
name: lib
version: 1.0.0
type: library
-- charts/app/charts/lib/templates/_config.tpl --
{{ define "lib.config" }}
apiVersion: v1
kind: ConfigMap
metadata: {name: from-library}
{{ end }}
-- charts/app/charts/sub/Chart.yaml --
apiVersion: v2
name: sub
version: 1.0.0
-- charts/app/charts/sub/values.yaml --
word: own
-- charts/app/charts/sub/templates/config.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Chart.Name }}}
data: {word: {{ .Values.word }}}
-- charts/app/charts/off/Chart.yaml --
apiVersion: v2
name: off
version: 1.0.0
-- charts/app/charts/off/templates/config.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: off}
-- charts/app/packed/packed/Chart.yaml --
apiVersion: v2
name: packed
version: 1.0.0
-- charts/app/packed/packed/templates/config.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: packed}
`
	apps := map[string]string{
		"default order":         configMaps + "-- kustomization.yaml --\nresources: [b.yaml, a.yaml]\n",
		"fifo order":            configMaps + "-- kustomization.yaml --\nsortOptions: {order: fifo}\nresources: [b.yaml, a.yaml]\n",
		"minimal chart":         minimalApp,
		"namespace from helm":   minimalApp + "  namespace: given\n",
		"name template":         minimalChart + "-- kustomization.yaml --\nhelmCharts:\n- name: app\n  nameTemplate: made-{{ 1 }}\n",
		"top-level namespace":   minimalApp + "namespace: top\n",
		"inline values":         minimalApp + "  valuesInline: {word: inline}\n",
		"inline values merge":   minimalApp + "  valuesInline: {word: inline}\n  valuesMerge: merge\n",
		"inline values replace": minimalApp + "  valuesInline: {other: inline}\n  valuesMerge: replace\n",
		"inline null":           minimalApp + "  valuesInline: {word: null}\n",
		"additional values files": minimalApp + "  valuesInline: {word: inline}\n  additionalValuesFiles: [more.yaml]\n" +
			"-- more.yaml --\nword: additional\n",
		"older field": minimalChart + "-- kustomization.yaml --\nhelmChartInflationGenerator:\n- chartName: app\n  releaseName: release\n",
		"generator file": minimalChart + "-- kustomization.yaml --\ngenerators: [generator.yaml]\n" +
			"-- generator.yaml --\napiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: g}\nname: app\nreleaseName: release\n",
		"origin annotations": minimalApp + "buildMetadata: [originAnnotations, transformerAnnotations]\nnamePrefix: pre-\n",
		"base with a chart, below a namespace": strings.ReplaceAll(minimalApp, "-- ", "-- base/") + remark +
			"-- kustomization.yaml --\nnamespace: overlay\nresources: [base]\npatches:\n- patch: |\n" +
			"    {apiVersion: v1, kind: ConfigMap, metadata: {name: release-surroundings}, data: {word: patched}}\n",
		"hooks, without tests": minimalApp + "  skipTests: true\n" + hooks,
		"no hooks":             minimalApp + "  skipHooks: true\n" + hooks,
		"CRDs": minimalApp + "  includeCRDs: true\n-- charts/app/crds/crd.yaml --\n" +
			"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\n",
		"subcharts: condition, alias, library, packed": strings.Replace(minimalApp, "version: 1.0.0\n", "version: 1.0.0\n"+dependencies, 1) + subcharts,
		"subchart with a schema that cannot be used, switched off": strings.Replace(minimalApp, "version: 1.0.0\n", "version: 1.0.0\ndependencies: [{name: unused, version: 1.0.0, condition: unused.enabled}]\n", 1) +
			"  valuesInline: {unused: {enabled: false}}\n-- charts/app/charts/unused/Chart.yaml --\n{apiVersion: v2, name: unused, version: 1.0.0}\n" +
			"-- charts/app/charts/unused/values.schema.json --\n{\"pattern\": \"(?!Go cannot compile this)\"}\n",
		"chart home and several charts": strings.ReplaceAll(minimalApp, "-- charts/", "-- vendor/") +
			"- name: app\n  releaseName: second\n  namespace: other\nhelmGlobals: {chartHome: vendor}\n",
		"transformers after a chart": minimalApp + "namePrefix: pre-\nnameSuffix: -post\nlabels: [{pairs: {a: b}, includeSelectors: true}]\n" +
			"commonAnnotations: {c: d}\nconfigMapGenerator: [{name: g, literals: [x=y]}]\nsecretGenerator: [{name: s, literals: [x=y]}]\n" +
			"replacements:\n- source: {kind: ConfigMap, name: g, fieldPath: data.x}\n  targets:\n" +
			"  - select: {kind: ConfigMap, name: release-surroundings}\n    fieldPaths: [data.word]\ncomponents: [component]\n" +
			"-- component/kustomization.yaml --\napiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- target: {kind: ConfigMap, name: release-surroundings}\n" +
			"  patch: |-\n    - op: add\n      path: /data/patched\n      value: patched\n",
		"two overlays on one base, fifo": strings.ReplaceAll(minimalApp, "-- ", "-- base/") +
			"-- one/kustomization.yaml --\nnamespace: one\nresources: [../base]\n" +
			"-- two/kustomization.yaml --\nnamespace: two\nresources: [../base]\nnamePrefix: two-\n" +
			"-- kustomization.yaml --\nsortOptions: {order: fifo}\nresources: [two, one]\nconfigMapGenerator:\n- name: g\n  literals: [a=b]\n",
	}
	t.Parallel()
	kustomize, helm := stock.Tool(t, "kustomize"), stock.Tool(t, "helm")
	for name, archive := range apps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, archive)
			packCharts(t, dir)
			command := exec.Command(kustomize, "build", "--enable-helm", "--helm-command", helm,
				"--helm-kube-version", DefaultKubeVersion, dir)
			want, err := command.Output()
			if err != nil {
				t.Fatalf("%v: %v", command, stderr(err))
			}
			for road, options := range map[string]Options{"embedded": {}, "command": {HelmCommand: helm}} {
				got, err := App(t.Context(), dir, options)
				if err != nil {
					t.Fatalf("%s: %v", road, err)
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("%s (-stock +ours):\n%s", road, diff)
				}
			}
		})
	}
}

// stderr is what a command that failed had to say.
func stderr(err error) string {
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return string(failed.Stderr)
	}
	return err.Error()
}

// packCharts moves the charts below charts/app/packed into archives in
// charts/app/charts.
func packCharts(t *testing.T, dir string) {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(dir, "charts", "app", "packed", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		c, err := chartloader.LoadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := chartutil.Save(c, filepath.Join(dir, "charts", "app", "charts")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "charts", "app", "packed")); err != nil {
		t.Fatal(err)
	}
}

func TestRefusals(t *testing.T) {
	const widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n"
	const inline = "  - |\n    apiVersion: builtin\n    kind: PatchTransformer\n    metadata: {name: p}\n    path: https://example.com/patch.yaml\n"
	remote := func(ref string) string {
		return "DIR/kustomization.yaml: remote reference " + ref + ": rendering does not use the network; commit a copy and refer to that"
	}
	for _, test := range []struct {
		name, archive, want string
		options             Options
	}{
		{"nothing rendered", "-- kustomization.yaml --\nconfigMapGenerator: []\nnamespace: x\n", ErrNothingRendered.Error(), Options{}},
		{"remote base", "-- kustomization.yaml --\nresources: ['https://github.com/org/repo//base?ref=v1']\n", remote("https://github.com/org/repo//base?ref=v1"), Options{}},
		{"git base without a scheme", "-- kustomization.yaml --\nresources: [github.com/org/repo]\n", remote("github.com/org/repo"), Options{}},
		{"git base over ssh", "-- kustomization.yaml --\nresources: ['git@example.com:org/repo']\n", remote("git@example.com:org/repo"), Options{}},
		{"git base by file scheme", "-- kustomization.yaml --\nresources: ['file:///tmp/repo']\n", remote("file:///tmp/repo"), Options{}},
		{"remote base that a local folder hides", "-- kustomization.yaml --\nresources: [github.com/org/repo]\n-- github.com/org/repo/kustomization.yaml --\nnamespace: x\n", remote("github.com/org/repo"), Options{}},
		{"remote component", "-- kustomization.yaml --\ncomponents: [https://example.com/c]\n", remote("https://example.com/c"), Options{}},
		{"remote patch", "-- kustomization.yaml --\npatches:\n- path: https://example.com/patch.yaml\n", remote("https://example.com/patch.yaml"), Options{}},
		{"remote named file of a generator", "-- kustomization.yaml --\nconfigMapGenerator:\n- name: c\n  files: ['f=https://example.com/f']\n", remote("https://example.com/f"), Options{}},
		{"remote CRD", "-- kustomization.yaml --\ncrds: [https://example.com/crd.json]\n", remote("https://example.com/crd.json"), Options{}},
		{"remote OpenAPI schema", "-- kustomization.yaml --\nopenapi: {path: https://example.com/schema.json}\n", remote("https://example.com/schema.json"), Options{}},
		{"remote values file", minimalApp + "  valuesFile: https://example.com/values.yaml\n", remote("https://example.com/values.yaml"), Options{}},
		{"remote file of a generator", "-- kustomization.yaml --\nconfigMapGenerator:\n- name: c\n  files: [https://example.com/f]\n", remote("https://example.com/f"), Options{}},
		{"remote reference of an inline transformer", "-- kustomization.yaml --\ntransformers:\n" + inline, remote("https://example.com/patch.yaml"), Options{}},
		{
			"remote reference of a transformer file",
			"-- kustomization.yaml --\ntransformers: [t.yaml]\n-- t.yaml --\napiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\npath: https://example.com/patch.yaml\n",
			"DIR/t.yaml: remote reference https://example.com/patch.yaml: rendering does not use the network; commit a copy and refer to that", Options{},
		},
		{"remote base in a base", "-- kustomization.yaml --\nresources: [base]\n-- base/kustomization.yaml --\nresources: ['https://example.com/repo.git']\n", "DIR/base/kustomization.yaml: remote reference https://example.com/repo.git: rendering does not use the network; commit a copy and refer to that", Options{}},
		{
			"exec plugin", "-- kustomization.yaml --\ngenerators: [w.yaml]\n-- w.yaml --\n" + widget,
			"loading generator plugins: failed to load generator: external plugins disabled; unable to load external plugin 'Widget'", Options{},
		},
		{
			"KRM function",
			"-- kustomization.yaml --\ntransformers: [w.yaml]\n-- w.yaml --\n" + strings.Replace(widget, "{name: w}", "{name: w, annotations: {config.kubernetes.io/function: 'exec: {path: ./run.sh}'}}", 1),
			"external plugins disabled; unable to load external plugin 'Widget'", Options{},
		},
		{
			"load restriction", "-- app/kustomization.yaml --\nresources: [../outside.yaml]\n-- outside.yaml --\n" + widget,
			"accumulating resources: accumulation err='accumulating resources from '../outside.yaml': security; file 'DIR/outside.yaml' is not in or below 'DIR/app'': must build at directory: 'DIR/outside.yaml': file is not directory", Options{},
		},
		{"charts without Helm", minimalApp, "helm chart: must specify --enable-helm", Options{WithoutHelm: true}},
		{
			"no load restriction, out of the repository", "-- repo/.git --\n-- repo/kustomization.yaml --\nresources: [../outside.yaml]\n-- outside.yaml --\n" + widget,
			"DIR/outside.yaml: outside of the repository DIR/repo: rendering reads nothing outside of it; commit a copy and refer to that", Options{LoadAnywhere: true},
		},
		{
			"chart that is not vendored", "-- kustomization.yaml --\nhelmCharts:\n- name: far\n  repo: https://example.com/charts\n  version: 1.2.3\n  releaseName: r\n  valuesFile: v.yaml\n-- v.yaml --\na: 1\n",
			"helm chart far: chart is not vendored and rendering does not use the network: run `helm pull far --repo https://example.com/charts --version 1.2.3 --untar --untardir DIR/charts/far-1.2.3` and commit the folder", Options{},
		},
		{
			"chart from a registry that is not vendored", "-- kustomization.yaml --\nhelmCharts:\n- name: far\n  repo: oci://example.com/charts/\n  releaseName: r\n  valuesFile: v.yaml\n-- v.yaml --\na: 1\n",
			"helm chart far: chart is not vendored and rendering does not use the network: run `helm pull oci://example.com/charts/far --untar --untardir DIR/charts` and commit the folder", Options{},
		},
		{
			"no chart", "-- kustomization.yaml --\nhelmCharts:\n- name: gone\n  releaseName: r\n  valuesFile: v.yaml\n-- v.yaml --\na: 1\n",
			"helm chart gone: no chart at DIR/charts/gone: commit the chart there, or correct helmGlobals.chartHome or the chart's name", Options{},
		},
		{"missing values file", minimalApp + "  valuesFile: gone.yaml\n", "helm chart app: values file DIR/gone.yaml: no such file", Options{}},
		{"missing additional values file", minimalApp + "  additionalValuesFiles: [gone.yaml]\n", "helm chart app: could not load additionalValuesFile: evalsymlink failure on 'DIR/gone.yaml' : lstat DIR/gone.yaml: no such file or directory", Options{}},
		{"missing resource", "-- kustomization.yaml --\nresources: [gone.yaml]\n", "DIR/kustomization.yaml: gone.yaml: no such file or folder", Options{}},
		{"missing component", "-- kustomization.yaml --\ncomponents: [../gone]\n", "DIR/kustomization.yaml: ../gone: no such file or folder", Options{}},
		{"missing patch", "-- kustomization.yaml --\npatches: [{path: gone.yaml}]\n", "DIR/kustomization.yaml: gone.yaml: no such file or folder", Options{}},
		{"flag in place of a release name", minimalChart + "-- kustomization.yaml --\nhelmCharts:\n- name: app\n  releaseName: --post-renderer=./run.sh\n", `helm chart app: releaseName must not start with '-', got "--post-renderer=./run.sh"`, Options{}},
		{
			"missing dependency", strings.Replace(minimalApp, "version: 1.0.0\n", "version: 1.0.0\ndependencies: [{name: sub, version: 1.0.0, repository: 'https://example.com'}]\n", 1),
			"helm chart app: found in Chart.yaml, but missing in charts/ directory: sub: run `helm dependency build` and commit the charts folder", Options{},
		},
		{
			"library chart", strings.Replace(minimalApp, "version: 1.0.0\n", "version: 1.0.0\ntype: library\n", 1),
			"helm chart app: library charts are not installable", Options{},
		},
		{
			"template that fails", minimalApp + "-- charts/app/templates/fail.yaml --\n{{ fail \"the contract is broken\" }}\n",
			"helm chart app: execution error at (app/templates/fail.yaml:1:3): the contract is broken", Options{},
		},
		{
			"remote values schema", minimalApp + "-- charts/app/values.schema.json --\n{\"properties\": {\"word\": {\"$ref\": \"https://example.com/word.json\"}}}\n",
			"helm chart app: values.schema.json of chart app refers to \"https://example.com/word.json\": rendering loads no other document; copy it into the schema under \"$defs\"", Options{},
		},
		{
			"values schema that reads a file", minimalApp + "-- charts/app/values.schema.json --\n{\"$ref\": \"file:///etc/hostname\", \"default\": {\"$id\": \"file:///etc/hostname\"}}\n",
			"helm chart app: values.schema.json of chart app refers to \"file:///etc/hostname\": rendering loads no other document; copy it into the schema under \"$defs\"", Options{},
		},
		{"file over the limit", minimalApp, "DIR/kustomization.yaml: file has 47 bytes, more than the limit of 16", Options{MaxBytes: 16}},
		{
			"output over the limit", minimalApp + "-- charts/app/templates/big.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata: {x: {{ repeat 2000 \"x\" }}}\n",
			"helm chart app: helm rendered 2334 bytes, more than the limit of 1000", Options{MaxBytes: 1000},
		},
		{
			"template that takes long", minimalApp + "-- charts/app/templates/long.yaml --\n{{ range until 3000 }}{{ range until 3000 }}{{ end }}{{ end }}\n",
			"rendering took longer than the limit of 100ms", Options{Timeout: 100 * time.Millisecond},
		},
		{
			"template that needs much memory", minimalApp + "-- charts/app/templates/big.yaml --\n{{ $x := repeat 1000000 (repeat 400 \"x\") }}{{ range until 2000 }}{{ range until 2000 }}{{ end }}{{ end }}{{ len $x }}\n",
			"rendering needed more than the limit of 200 MiB of memory", Options{MaxMemory: 200 << 20},
		},
		{"no such helm command", minimalApp, `find helm command: exec: "no-such-helm": executable file not found in $PATH`, Options{HelmCommand: "no-such-helm"}},
		{"command that is not helm", minimalApp, "true is not Helm 3 or 4: `true version --short` prints \"\"", Options{HelmCommand: "true"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := write(t, test.archive)
			app := dir
			for _, name := range []string{"app", "repo"} {
				if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
					app = filepath.Join(dir, name)
				}
			}
			got, err := App(t.Context(), app, test.options)
			if err == nil {
				t.Fatalf("rendered:\n%s", got)
			}
			if diff := cmp.Diff(test.want, strings.ReplaceAll(err.Error(), dir, "DIR")); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLoadAnywhere: a file outside of the app, and inside of the repository.
func TestLoadAnywhere(t *testing.T) {
	dir := write(t, "-- .git --\n-- app/kustomization.yaml --\nresources: [../beside.yaml]\n-- beside.yaml --\nkind: A\nmetadata: {name: a}\n")
	got, err := App(t.Context(), filepath.Join(dir, "app"), Options{LoadAnywhere: true})
	if want := "kind: A\nmetadata:\n  name: a\n"; err != nil || string(got) != want {
		t.Errorf("rendered %q and %v, want %q", got, err, want)
	}
}

// TestHelmCommandErrors shows that a helm command's own message comes through,
// without the command line that kustomize would print around it.
func TestHelmCommandErrors(t *testing.T) {
	lane.Full(t)
	dir := write(t, minimalApp+"-- charts/app/templates/fail.yaml --\n{{ fail \"the contract is broken\" }}\n")
	_, err := App(t.Context(), dir, Options{HelmCommand: stock.Tool(t, "helm")})
	want := "helm chart app: execution error at (app/templates/fail.yaml:1:3): the contract is broken\n\nUse --debug flag to render out invalid YAML"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestSchemaErrors: what the schemas of a chart and of one below it say against
// values, and what is wrong with them, is said in helm's own words. Helm reads
// several charts below one in any order.
func TestSchemaErrors(t *testing.T) {
	const head = `helm chart app: values don't meet the specifications of the schema(s) in the following chart(s):
app:
- at '': missing property 'other'
- at '/word': got number, want string
`
	for schema, want := range map[string]string{
		`{"properties": {"word": {"type": "string"}}}`: "below:\n- at '/word': got number, want string",
		`{"pattern": "(?!Go cannot compile this)"}`: `below:
"file:///values.schema.json#" is not valid against metaschema: jsonschema validation failed with 'https://json-schema.org/draft/2020-12/schema#'
- at '': 'allOf' failed
  - at '/pattern': '(?!Go cannot compile this)' is not valid regex: error parsing regexp: invalid or unsupported Perl syntax: ` + "`(?!`",
	} {
		dir := write(t, minimalApp+`  valuesInline: {word: 1, below: {word: 2}, two: []}
-- charts/app/values.schema.json --
{"properties": {"word": {"type": "string"}}, "required": ["other"]}
-- charts/app/charts/below/Chart.yaml --
{apiVersion: v2, name: below, version: 1.0.0}
-- charts/app/charts/below/values.schema.json --
`+schema+"\n")
		for road, options := range bothRoads(t) {
			_, err := App(t.Context(), dir, options)
			if err == nil {
				t.Fatalf("%s: rendered", road)
			}
			if diff := cmp.Diff(head+want, strings.TrimSpace(err.Error())); diff != "" {
				t.Errorf("%s (-want +got):\n%s", road, diff)
			}
		}
	}
}

func TestErrorsDoNotShowValues(t *testing.T) {
	dir := write(t, minimalApp+"  valuesMerge: sideways\n  valuesInline: {password: hunter2}\nsecretGenerator:\n- name: s\n  literals: [password=hunter2]\n  options: 7\n")
	_, err := App(t.Context(), dir, Options{})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
}

func TestNoCommandIsRun(t *testing.T) {
	// Were a git or a helm started, it would be found on the PATH first.
	bin := t.TempDir()
	marker := filepath.Join(bin, "was-run")
	for _, name := range []string{"git", "helm", "helmV3", "kustomize"} {
		script := "#!/bin/sh\ntouch " + marker + "\nexit 1\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	for _, archive := range []string{
		minimalApp,
		"-- kustomization.yaml --\nresources: ['https://example.com/repo.git']\n",
		"-- kustomization.yaml --\nresources: ['git::git@example.com:org/repo']\n",
		"-- kustomization.yaml --\nhelmCharts:\n- name: far\n  repo: https://example.com/charts\n  valuesFile: v.yaml\n-- v.yaml --\na: 1\n",
	} {
		_, _ = App(t.Context(), write(t, archive), Options{})
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a command was run")
	}
}

// TestOthersKeepStockKustomize shows that code of the same process that uses
// kustomize by itself gets the stock generator.
func TestOthersKeepStockKustomize(t *testing.T) {
	if _, err := App(t.Context(), write(t, minimalApp), Options{}); err != nil {
		t.Fatal(err)
	}
	for _, factory := range generatorFactories {
		p, ok := factory().(*inflator)
		if !ok {
			continue
		}
		if p.stock == nil || p.run != nil {
			t.Error("a new generator is not the stock one")
		}
		return
	}
	t.Error("the generator is not installed")
}

// TestOwnSchemaStaysItsOwn: an app with an OpenAPI schema of its own, which says
// how a list is merged, changes no other app of the same process.
func TestOwnSchemaStaysItsOwn(t *testing.T) {
	lane.Full(t)
	const widget = `
-- widget.yaml --
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec:
  parts:
  - {name: a, size: 1}
  - {name: b, size: 2}
-- kustomization.yaml --
resources: [widget.yaml]
patches:
- patch: |
    {apiVersion: example.com/v1, kind: Widget, metadata: {name: w}, spec: {parts: [{name: a, size: 3}]}}
`
	const schema = `openapi: {path: schema.json}
-- schema.json --
{"definitions": {"w": {"type": "object",
 "properties": {"spec": {"type": "object", "properties": {"parts": {"type": "array",
  "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge",
  "items": {"type": "object", "properties": {"name": {"type": "string"}}}}}}},
 "x-kubernetes-group-version-kind": [{"group": "example.com", "kind": "Widget", "version": "v1"}]}}}
`
	plain, own := write(t, widget), write(t, widget+schema)
	kustomize := stock.Tool(t, "kustomize")
	want := map[string]string{}
	for _, dir := range []string{plain, own} {
		out, err := exec.Command(kustomize, "build", dir).Output()
		if err != nil {
			t.Fatal(err)
		}
		want[dir] = string(out)
	}
	if want[plain] == want[own] {
		t.Fatal("the schema makes no difference")
	}
	var wait sync.WaitGroup
	for range 5 {
		for _, dir := range []string{plain, own, plain} {
			wait.Go(func() {
				got, err := App(t.Context(), dir, Options{})
				if err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(want[dir], string(got)); diff != "" {
					t.Errorf("(-stock +ours):\n%s", diff)
				}
			})
		}
	}
	wait.Wait()
}

// Kyaml's own schema takes 20 times as long to read as the small one, which is there
// before the first rendering and again after one that had a schema of its own.
func TestSmallSchemaIsBack(t *testing.T) {
	small := func(when string) {
		t.Helper()
		deployment := openapi.SchemaForResourceType(kyaml.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"})
		if deployment == nil || deployment.Schema.Description != "" {
			t.Errorf("%s: kyaml has a schema of its own", when)
		}
	}
	for _, app := range []struct{ when, openapi string }{
		{"without a schema", ""}, {"with one", "openapi: {version: v1.21.2}\n"}, {"without one once more", ""},
	} {
		if _, err := App(t.Context(), write(t, minimalApp+app.openapi), Options{}); err != nil {
			t.Fatal(err)
		}
		small(app.when)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := App(ctx, write(t, minimalApp), Options{}); err != context.Canceled {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestIsApp(t *testing.T) {
	dir := write(t, `
-- app/kustomization.yaml --
resources: []
-- yml/kustomization.yml --
resources: []
-- bare/Kustomization --
resources: []
-- broken/kustomization.yaml --
resources: [
-- component/kustomization.yaml --
kind: Component
-- json-component/kustomization.yaml --
{"kind": "Component"}
-- manifests/deployment.yaml --
kind: Deployment
`)
	got := map[string]bool{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		got[entry.Name()] = IsApp(filepath.Join(dir, entry.Name()))
	}
	want := map[string]bool{"app": true, "yml": true, "bare": true, "broken": true, "component": false, "json-component": false, "manifests": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
