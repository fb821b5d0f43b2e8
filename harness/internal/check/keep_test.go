package check

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/proompteng/nevermigrate/harness/internal/argocd"
	"github.com/proompteng/nevermigrate/harness/internal/chartcache"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// repositoryOfKinds has a target for each kind of thing that is read.
const repositoryOfKinds = `
-- .git/HEAD --
ref: refs/heads/main
-- charts/service/Chart.yaml --
apiVersion: v2
name: service
version: 1.0.0
dependencies:
- {name: sub, version: 1.0.0}
- {name: packed, version: 1.0.0}
-- charts/service/values.yaml --
migrations: skip
-- charts/service/files/more.txt --
x
-- charts/service/templates/_helpers.tpl --
{{ define "service.mode" }}{{ .Values.migrations }}{{ end }}
-- charts/service/templates/pod.yaml --
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-controllers
  namespace: {{ .Release.Namespace }}
  annotations: {more: {{ .Files.Get "files/more.txt" | quote }}, kube: {{ .Capabilities.KubeVersion.Version | quote }}}
spec:
  containers:
  - {name: main, env: [{name: JANGAR_MIGRATIONS, value: {{ include "service.mode" . | quote }}}]}
-- charts/service/charts/sub/Chart.yaml --
apiVersion: v2
name: sub
version: 1.0.0
-- charts/service/charts/sub/templates/config.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: sub}
-- apps/chart/kustomization.yaml --
namespace: chart
resources: [pod.yaml]
helmGlobals: {chartHome: ../../charts}
helmCharts:
- {name: service, releaseName: chart, valuesFile: values.yaml, additionalValuesFiles: [more.yaml]}
-- apps/chart/pod.yaml --
apiVersion: v1
kind: Pod
metadata: {name: own-controllers}
spec:
  containers:
  - {name: main, env: [{name: JANGAR_MIGRATIONS, value: skip}]}
-- apps/chart/values.yaml --
replicas: 1
-- apps/chart/more.yaml --
replicas: 2
-- apps/layers/kustomization.yaml --
resources: [../../bases/one]
components: [../../components/two]
patches:
- path: patch.yaml
configMapGenerator:
- {name: env, envs: [config.env]}
- {name: file, files: [config.txt]}
-- apps/layers/patch.yaml --
apiVersion: v1
kind: Pod
metadata: {name: base-controllers}
spec:
  containers:
  - {name: main, image: service}
-- apps/layers/config.env --
A=1
-- apps/layers/config.txt --
text
-- bases/one/kustomization.yaml --
resources: [pod.yaml]
-- bases/one/pod.yaml --
apiVersion: v1
kind: Pod
metadata: {name: base-controllers}
spec:
  containers:
  - {name: main, env: [{name: JANGAR_MIGRATIONS, value: skip}]}
-- components/two/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
labels:
- {pairs: {component: two}}
-- apps/linked/kustomization.yaml --
resources: [pod.yaml]
-- apps/linked/real/pod.yaml --
apiVersion: v1
kind: Pod
metadata: {name: linked-controllers}
spec:
  containers:
  - {name: main, env: [{name: JANGAR_MIGRATIONS, value: skip}]}
-- plain/one.yaml --
apiVersion: v1
kind: Pod
metadata: {name: plain-controllers}
spec:
  containers:
  - {name: main, env: [{name: JANGAR_MIGRATIONS, value: skip}]}
-- applications/one.yaml --
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: one, namespace: argocd}
spec:
  project: default
  destination: {name: in-cluster, namespace: one}
  source:
    repoURL: https://example.com/repository.git
    path: deployed/one
    helm: {ignoreMissingValueFiles: true, valueFiles: [values-*.yaml, extra.yaml]}
-- applications/set.yaml --
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: set, namespace: argocd}
spec:
  goTemplate: true
  generators:
  - list: {elements: [{name: two, kind: dir}]}
  template:
    metadata: {name: '{{ .name }}'}
    spec:
      project: default
      destination: {name: in-cluster, namespace: '{{ .name }}'}
      source: {repoURL: https://example.com/repository.git, path: 'deployed/{{ .name }}'}
-- deployed/one/Chart.yaml --
apiVersion: v2
name: one
version: 1.0.0
-- deployed/one/values.yaml --
mode: skip
-- deployed/one/values-a.yaml --
a: 1
-- deployed/one/templates/pod.yaml --
apiVersion: v1
kind: Pod
metadata: {name: one-controllers}
spec:
  containers:
  - {name: main, env: [{name: JANGAR_MIGRATIONS, value: {{ .Values.mode }}}]}
-- deployed/two/pod.yaml --
apiVersion: v1
kind: Pod
metadata: {name: two-controllers}
spec:
  containers:
  - {name: main, env: [{name: JANGAR_MIGRATIONS, value: skip}]}
-- constraint.yaml --
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: ControllersNeverMigrate
metadata: {name: ours}
spec:
  enforcementAction: deny
`

// packedChart is a chart as an archive.
func packedChart(t testing.TB, name, text string) []byte {
	t.Helper()
	var packed bytes.Buffer
	zipper := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zipper)
	for file, text := range map[string]string{
		"Chart.yaml":            "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n",
		"values.yaml":           "{}\n",
		"templates/config.yaml": text,
	} {
		err := archive.WriteHeader(&tar.Header{Name: name + "/" + file, Mode: 0o644, Size: int64(len(text))})
		if err == nil {
			_, err = archive.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipper.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

const podText = `apiVersion: v1
kind: Pod
metadata: {name: locked-controllers}
spec:
  containers:
  - {name: main, env: [{name: JANGAR_MIGRATIONS, value: skip}]}
`

// keeping is a repository that is judged by what is kept, and anew.
type keeping struct {
	testing.TB
	dir, cache string
	path       string
	options    Options
	charts     chartcache.Cache
}

func newKeeping(t testing.TB) *keeping {
	t.Helper()
	dir := render.RealPath(t.TempDir())
	k := &keeping{TB: t, dir: dir, path: ".", cache: filepath.Join(t.TempDir(), "verdicts"), charts: chartcache.Cache{Dir: t.TempDir()}}
	if err := txtar.Write(txtar.Parse([]byte(repositoryOfKinds)), dir); err != nil {
		t.Fatal(err)
	}
	k.write("charts/service/charts/packed-1.0.0.tgz", string(packedChart(t, "packed", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: packed}\n")))
	k.write("apps/linked/pod.yaml", "->real/pod.yaml")
	k.lock("skip")
	k.write("apps/locked/kustomization.yaml", "helmCharts:\n- {name: locked, repo: https://example.com/charts, version: 1.0.0, releaseName: x}\n")
	k.options = Options{
		ArgoCD: func() (*argocd.Instance, error) {
			return &argocd.Instance{URLs: []string{"https://example.com/repository.git"}}, nil
		},
	}
	return k
}

// lock locks a chart that is not committed, in which the mode stands.
func (k *keeping) lock(mode string) {
	k.Helper()
	digest, err := k.charts.Write(packedChart(k, "locked", strings.Replace(podText, "skip", mode, 1)))
	if err != nil {
		k.Fatal(err)
	}
	k.write("nevermigrate.lock", fmt.Sprintf("version: 1\ncharts:\n- repo: https://example.com/charts\n  name: locked\n  version: 1.0.0\n  sha256: %s\n", digest))
}

// write writes a file, or a link of a text that begins with ->.
func (k *keeping) write(name, text string) {
	k.Helper()
	file := filepath.Join(k.dir, filepath.FromSlash(name))
	_ = os.Remove(file)
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	if target, isLink := strings.CutPrefix(text, "->"); isLink && err == nil {
		err = os.Symlink(target, file)
	} else if err == nil {
		err = os.WriteFile(file, []byte(text), 0o600)
	}
	if err != nil {
		k.Fatal(err)
	}
}

// replace replaces a text in a file, in which it must be.
func (k *keeping) replace(name, old, with string) {
	k.Helper()
	text, err := os.ReadFile(filepath.Join(k.dir, name))
	if err != nil || !strings.Contains(string(text), old) {
		k.Fatalf("%q is not in %s: %v", old, name, err)
	}
	k.write(name, strings.Replace(string(text), old, with, 1))
}

// judge judges all, and returns the report as JSON without the count of what was kept,
// and that.
func (k *keeping) judge(options Options, verdicts *Verdicts, load func(context.Context, Options) ([]*evaluate.Evaluator, error)) (text string, cached, targets int) {
	k.Helper()
	charts := chartcache.New(filepath.Join(k.dir, "nevermigrate.lock"), "nevermigrate.lock", k.charts)
	defer charts.Close()
	options.Render.Charts, options.Verdicts = charts, verdicts
	r, err := allBy(k.Context(), []string{k.path}, options, func() ([]*evaluate.Evaluator, error) { return load(k.Context(), options) })
	if err != nil {
		return "error: " + err.Error(), 0, 0
	}
	if r.Summary.Cached != nil {
		cached = *r.Summary.Cached
	}
	targets = r.Summary.Targets
	r.Summary.Cached = nil
	all, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		k.Fatal(err)
	}
	return string(all), cached, targets
}

// kept judges by what is kept, as a process of its own would.
func (k *keeping) kept(options Options) (text string, cached, targets int) {
	k.Helper()
	verdicts := k.verdicts()
	text, cached, targets = k.judge(options, verdicts, evaluatorsOnce)
	if err := verdicts.Close(); err != nil {
		k.Fatal(err)
	}
	return text, cached, targets
}

// verdicts are those in the folder. The program is not read each time.
func (k *keeping) verdicts() *Verdicts {
	k.Helper()
	verdicts, err := openVerdicts(k.cache, func() (string, error) { return "this program", nil })
	if err != nil {
		k.Fatal(err)
	}
	return verdicts
}

// TestEachKindOfInput: whatever goes into a verdict, a change of it is a miss of the
// targets that it goes into, and of no other; the report is that without what is kept.
func TestEachKindOfInput(t *testing.T) {
	const all = -1
	policyDir, err := filepath.Abs("../../../policy")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what string
		edit func(k *keeping)
		// before is done before anything is kept.
		before func(k *keeping)
		// options and verdicts change what is no file.
		options  func(*Options)
		verdicts func(*Verdicts)
		// missed counts the targets that are judged.
		missed int
		// loaded says that the evaluators are others.
		loaded bool
	}{
		{what: "nothing", edit: func(*keeping) {}},
		{what: "a value", edit: func(k *keeping) { k.write("apps/chart/values.yaml", "migrations: auto\n") }, missed: 1},
		{what: "an additional value", edit: func(k *keeping) { k.write("apps/chart/more.yaml", "migrations: auto\n") }, missed: 1},
		{what: "a kustomization field", edit: func(k *keeping) { k.replace("apps/chart/kustomization.yaml", "namespace: chart", "namespace: other") }, missed: 1},
		{what: "a second kustomization", edit: func(k *keeping) { k.write("apps/chart/kustomization.yml", "resources: []\n") }, missed: 1},
		{what: "a resource", edit: func(k *keeping) { k.replace("apps/chart/pod.yaml", "skip", "auto") }, missed: 1},
		{what: "a base", edit: func(k *keeping) { k.replace("bases/one/pod.yaml", "skip", "auto") }, missed: 1},
		{what: "the kustomization of a base", edit: func(k *keeping) { k.write("bases/one/kustomization.yaml", "nameSuffix: -x\nresources: [pod.yaml]\n") }, missed: 1},
		{what: "a component", edit: func(k *keeping) { k.replace("components/two/kustomization.yaml", "component: two", "component: three") }, missed: 1},
		{what: "a patch", edit: func(k *keeping) { k.replace("apps/layers/patch.yaml", "image: service", "image: other") }, missed: 1},
		{what: "an env file", edit: func(k *keeping) { k.write("apps/layers/config.env", "A=2\n") }, missed: 1},
		{what: "a file of a generator", edit: func(k *keeping) { k.write("apps/layers/config.txt", "other\n") }, missed: 1},
		{what: "what a link leads to", edit: func(k *keeping) { k.replace("apps/linked/real/pod.yaml", "skip", "auto") }, missed: 1},
		{what: "a link in the place of a file", edit: func(k *keeping) {
			k.write("shared/same.txt", "text\n")
			k.write("apps/layers/config.txt", "->../../shared/same.txt")
		}, missed: 1},
		{what: "a template", edit: func(k *keeping) { k.replace("charts/service/templates/_helpers.tpl", ".Values.migrations", "\"auto\"") }, missed: 1},
		{what: "the values of a chart", edit: func(k *keeping) { k.write("charts/service/values.yaml", "migrations: auto\n") }, missed: 1},
		{what: "a file that a template reads", edit: func(k *keeping) { k.write("charts/service/files/more.txt", "y\n") }, missed: 1},
		{what: "a schema that appears", edit: func(k *keeping) { k.write("charts/service/values.schema.json", `{"required": ["missing"]}`) }, missed: 1},
		{what: "a .helmignore that appears", edit: func(k *keeping) { k.write("charts/service/.helmignore", "pod.yaml\n") }, missed: 1},
		{what: "a subchart", edit: func(k *keeping) {
			k.replace("charts/service/charts/sub/templates/config.yaml", "name: sub", "name: other")
		}, missed: 1},
		{what: "a packed subchart", edit: func(k *keeping) {
			k.write("charts/service/charts/packed-1.0.0.tgz", string(packedChart(t, "packed", podText)))
		}, missed: 1},
		{what: "a chart of the lock", edit: func(k *keeping) { k.lock("auto") }, missed: 1},
		{what: "an archive that is gone", edit: func(k *keeping) { k.charts = chartcache.Cache{Dir: t.TempDir()} }, missed: 1},
		{what: "a manifest", edit: func(k *keeping) { k.replace("plain/one.yaml", "skip", "auto") }, missed: 1},
		{what: "a manifest that appears", edit: func(k *keeping) { k.write("plain/two.yaml", podText) }, missed: 1},
		{what: "the chart of an Application", edit: func(k *keeping) { k.write("deployed/one/values.yaml", "mode: auto\n") }, missed: 1},
		{what: "a values file that appears by its name", edit: func(k *keeping) { k.write("deployed/one/extra.yaml", "mode: auto\n") }, missed: 1},
		{what: "a values file that appears by a pattern", edit: func(k *keeping) { k.write("deployed/one/values-b.yaml", "mode: auto\n") }, missed: 1},
		{what: "a values file that is gone", edit: func(k *keeping) { _ = os.Remove(filepath.Join(k.dir, "deployed/one/values-a.yaml")) }, missed: 1},
		{what: "the source of an Application", edit: func(k *keeping) { k.write("deployed/one/.argocd-source.yaml", "helm: {values: 'mode: auto'}\n") }, missed: 1},
		{what: "the source of an Application by its name", edit: func(k *keeping) { k.write("deployed/one/.argocd-source-one.yaml", "helm: {values: 'mode: auto'}\n") }, missed: 1},
		{what: "an Application", edit: func(k *keeping) { k.replace("applications/one.yaml", "helm: {", "helm: {releaseName: other, ") }, missed: 1},
		{what: "a file in a directory", edit: func(k *keeping) { k.replace("deployed/two/pod.yaml", "skip", "auto") }, missed: 1},
		{what: "a file that appears in a directory", edit: func(k *keeping) { k.write("deployed/two/more.yaml", podText) }, missed: 1},
		{what: "a kustomization that appears in a directory", edit: func(k *keeping) {
			k.write("deployed/two/kustomization.yaml", "namePrefix: x-\nresources: [pod.yaml]\n")
		}, missed: 1},
		{what: "an ApplicationSet, of its Application", edit: func(k *keeping) { k.replace("applications/set.yaml", "namespace: '{{ .name }}'", "namespace: other") }, missed: 1},
		{what: "an ApplicationSet, one Application more", edit: func(k *keeping) {
			k.replace("applications/set.yaml", "{name: two, kind: dir}", "{name: two, kind: dir}, {name: three, kind: dir}")
			k.write("deployed/three/pod.yaml", podText)
		}, missed: 1},
		{what: "what Argo CD is told", options: func(o *Options) {
			o.ArgoCD = func() (*argocd.Instance, error) {
				return &argocd.Instance{URLs: []string{"https://example.com/repository.git"}, Plugins: map[string]string{"x": "kustomize-enable-helm"}}, nil
			}
		}, missed: 2},
		{what: "settings of Argo CD that appear", edit: func(k *keeping) {
			k.write("argocd-cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\ndata: {application.instanceLabelKey: example.com/instance}\n")
		}, missed: 2},
		{what: "a constraint", options: func(o *Options) { o.Constraints = []string{"constraint.yaml"} }, missed: all},
		{what: "the text of a constraint", edit: func(k *keeping) { k.replace("constraint.yaml", "deny", "warn") }, before: func(k *keeping) { k.options.Constraints = []string{"constraint.yaml"} }, missed: all, loaded: true},
		{what: "the text of a policy", before: func(k *keeping) {
			k.options.Policy = "policy"
			if err := os.CopyFS(filepath.Join(k.dir, "policy"), os.DirFS(policyDir)); err != nil {
				k.Fatal(err)
			}
		}, edit: func(k *keeping) {
			text, err := os.ReadFile(filepath.Join(k.dir, "policy/main.rego"))
			if err != nil {
				k.Fatal(err)
			}
			k.write("policy/main.rego", string(text)+"\n# another\n")
		}, missed: all, loaded: true},
		{what: "--kube-version", options: func(o *Options) { o.Render.KubeVersion = "1.34.0" }, missed: all},
		{what: "--api-versions", options: func(o *Options) { o.Render.APIVersions = []string{"x/v1"} }, missed: all},
		{what: "--allow-absent", options: func(o *Options) { o.AllowAbsent = true }, missed: all},
		{what: "--timeout", options: func(o *Options) { o.Render.Timeout = time.Minute }, missed: all},
		{what: "the limit of bytes", options: func(o *Options) { o.Render.MaxBytes = 1 << 20 }, missed: all},
		{what: "the limit of memory", options: func(o *Options) { o.Render.MaxMemory = 1 << 31 }, missed: all},
		{what: "without Helm", options: func(o *Options) { o.Render.WithoutHelm = true }, missed: all},
		{what: "files from anywhere", options: func(o *Options) { o.Render.LoadAnywhere = true }, missed: all},
		{what: "the version of the program", verdicts: func(v *Verdicts) { v.program = "another program" }, missed: all},
	} {
		t.Run(test.what, func(t *testing.T) {
			k := newKeeping(t)
			t.Chdir(k.dir)
			load := evaluatorsOnce
			if test.loaded {
				load = loadEvaluators
			}
			if test.before != nil {
				test.before(k)
			}
			_, cached, targets := k.judge(k.options, k.verdicts(), load)
			if cached != 0 || targets < 7 {
				t.Fatalf("%d of %d are in an empty cache", cached, targets)
			}
			if _, again, of := k.judge(k.options, k.verdicts(), load); again != of {
				t.Fatalf("%d of %d from the cache, want all", again, of)
			}
			options := k.options
			if test.edit != nil {
				test.edit(k)
			}
			if test.options != nil {
				test.options(&options)
			}
			verdicts := k.verdicts()
			if test.verdicts != nil {
				test.verdicts(verdicts)
			}
			got, cached, targets := k.judge(options, verdicts, load)
			want, _, _ := k.judge(options, nil, load)
			if strings.HasPrefix(want, "error: ") {
				t.Fatal(want)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the report (-without the cache +with it):\n%s", diff)
			}
			missed := test.missed
			if missed == all {
				missed = targets
			}
			if targets-cached != missed {
				t.Errorf("%d of %d targets were judged, want %d", targets-cached, targets, missed)
			}
		})
	}
}

// TestKeptWithCauses: the causes of findings are kept too; without them, and with others
// exempt, the report is right.
func TestKeptWithCauses(t *testing.T) {
	k := newKeeping(t)
	t.Chdir(k.dir)
	k.replace("bases/one/pod.yaml", "skip", "auto")
	k.write("deployed/one/values.yaml", "mode: auto\n")
	for i, change := range []func(*Options){
		func(o *Options) { o.WithoutCauses = true },
		func(*Options) {},
		func(*Options) {},
		func(o *Options) { o.WithoutCauses = true },
	} {
		options := k.options
		change(&options)
		got, cached, targets := k.kept(options)
		want, _, _ := k.judge(options, nil, evaluatorsOnce)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("run %d (-without the cache +with it):\n%s", i, diff)
		}
		if missed := []int{targets, 2, 0, 0}[i]; targets-cached != missed {
			t.Errorf("run %d: %d of %d targets were judged, want %d", i, targets-cached, targets, missed)
		}
		if i == 1 && strings.Count(want, `"bases/one/pod.yaml"`) == 0 {
			t.Errorf("the causes are not there: %s", want)
		}
	}
}

// TestTemplatesThatAskForTheTime: their verdict is that of the day, so it is not kept.
func TestTemplatesThatAskForTheTime(t *testing.T) {
	for text, isKept := range map[string]bool{
		`{{ "" }}`: true, `# now {{ .Values.nowhere }}`: true, `{{ randAlphaNum 0 }}`: true,
		`# {{ now }}`: false, `# {{- if true }}{{ .Values.x | default (now | date "2006") }}{{ end }}`: false, "# {{ 1 |\n htmlDate }}": false,
	} {
		k := newKeeping(t)
		t.Chdir(k.dir)
		k.write("charts/service/charts/sub/templates/more.yaml", text)
		k.kept(k.options)
		_, cached, targets := k.kept(k.options)
		if missed := targets - cached; missed != 0 == isKept {
			t.Errorf("%q: %d of %d targets were judged again", text, missed, targets)
		}
	}
}

// TestAnotherCheckout: verdicts are good in another checkout, and not in another working
// directory, nor for an app that is named.
func TestAnotherCheckout(t *testing.T) {
	k := newKeeping(t)
	t.Chdir(k.dir)
	k.replace("bases/one/pod.yaml", "skip", "auto")
	k.write("apps/none/kustomization.yaml", "resources: [config.yaml]\n")
	k.write("apps/none/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: none}\n")
	k.kept(k.options)
	other := filepath.Join(render.RealPath(t.TempDir()), "other")
	if err := os.CopyFS(other, os.DirFS(k.dir)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what, dir, path string
		missed          int
	}{
		{"another checkout", other, ".", 0},
		{"another working directory", filepath.Join(other, "apps"), ".", 5},
		{"an app that is named", other, "apps/none", 1},
		{"an app that is named, again", other, "apps/none", 0},
		{"an app by its whole path", other, filepath.Join(other, "apps/none"), 0},
	} {
		t.Chdir(test.dir)
		k.path = test.path
		options := k.options
		if test.dir != other {
			options.ArgoCD = nil
		}
		got, cached, targets := k.kept(options)
		want, _, _ := k.judge(options, nil, evaluatorsOnce)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-without the cache +with it):\n%s", test.what, diff)
		}
		if targets-cached != test.missed {
			t.Errorf("%s: %d of %d targets were judged, want %d", test.what, targets-cached, targets, test.missed)
		}
	}
}

// TestChangedMeanwhile: of a chart that changes when one of its apps was judged, and is as
// before in the end, the other app has no verdict that is kept.
func TestChangedMeanwhile(t *testing.T) {
	k := newKeeping(t)
	t.Chdir(k.dir)
	if err := os.CopyFS(filepath.Join(k.dir, "apps/chart-b"), os.DirFS(filepath.Join(k.dir, "apps/chart"))); err != nil {
		t.Fatal(err)
	}
	k.path = "apps"
	options := k.options
	options.ArgoCD, options.Jobs = nil, 1
	want, _, _ := k.judge(options, nil, evaluatorsOnce)
	changing := options
	changing.Progress = func(judged, _ int) {
		if judged == 1 {
			k.write("charts/service/values.yaml", "migrations: auto\n")
		}
	}
	if meanwhile, _, _ := k.judge(changing, k.verdicts(), evaluatorsOnce); !strings.Contains(meanwhile, `"auto"`) {
		t.Fatal("the change came too late")
	}
	k.write("charts/service/values.yaml", "migrations: skip\n")
	got, cached, targets := k.kept(options)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-without the cache +with it):\n%s", diff)
	}
	if targets-cached != 2 {
		t.Errorf("%d of %d targets were judged again, want 2", targets-cached, targets)
	}
}

// TestRandomEdits: after each of many edits of a repository the report is the one that is
// made without what is kept.
func TestRandomEdits(t *testing.T) {
	edits := lane.Rounds(t, 40, 2000)
	k := newKeeping(t)
	t.Chdir(k.dir)
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.DiscardHandler)) // Helm names each link
	random := rand.New(rand.NewPCG(20, 26))
	k.kept(k.options)
	missed, hit := 0, 0
	for i := range edits {
		what := k.randomEdit(random)
		options := k.options
		options.WithoutCauses = random.IntN(8) > 0
		options.AllowAbsent = random.IntN(10) == 0
		if random.IntN(10) == 0 {
			options.Render.KubeVersion = "1.34.0"
		}
		if random.IntN(20) == 0 {
			options.Constraints = []string{"constraint.yaml"}
		}
		got, cached, targets := k.kept(options)
		want, _, _ := k.judge(options, nil, evaluatorsOnce)
		// Helm loads subcharts in no order, and says which is the first that it cannot load.
		anySubchart := func(text string) string {
			return regexp.MustCompile(`error unpacking subchart.*`).ReplaceAllString(text, "error unpacking a subchart")
		}
		if diff := cmp.Diff(anySubchart(want), anySubchart(got)); diff != "" {
			t.Fatalf("edit %d, %s (-without the cache +with it):\n%s", i, what, diff)
		}
		missed, hit = missed+targets-cached, hit+cached
		if random.IntN(25) == 0 {
			k.reset()
		}
	}
	t.Logf("%d edits: %d verdicts from the cache, %d judged", edits, hit, missed)
	if hit < 2*edits || missed < edits/4 {
		t.Errorf("%d edits: %d verdicts from the cache and %d judged: nothing is compared", edits, hit, missed)
	}
}

// reset makes the repository as it was.
func (k *keeping) reset() {
	k.Helper()
	entries, err := os.ReadDir(k.dir)
	if err != nil {
		k.Fatal(err)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(k.dir, entry.Name())); err != nil {
			k.Fatal(err)
		}
	}
	fresh := newKeeping(k.TB)
	if err := os.CopyFS(k.dir, os.DirFS(fresh.dir)); err != nil {
		k.Fatal(err)
	}
	k.lock("skip")
}

// randomEdit edits one file, and says how.
func (k *keeping) randomEdit(random *rand.Rand) string {
	var files, folders []string
	_ = filepath.WalkDir(k.dir, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(k.dir, path)
		switch {
		case err != nil || name == "." || name == "constraint.yaml":
		case entry.IsDir() && entry.Name() == ".git":
			return filepath.SkipDir
		case entry.IsDir():
			folders = append(folders, name)
		default:
			files = append(files, name)
		}
		return nil
	})
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	file := pick(files)
	text, _ := os.ReadFile(filepath.Join(k.dir, file))
	switch random.IntN(12) {
	case 0, 1, 2:
		modes := []string{"skip", "auto", "off", "disabled"}
		old := pick(modes)
		k.write(file, strings.ReplaceAll(string(text), old, pick(modes)))
		return "another mode in " + file
	case 3:
		k.write(file, string(text)+"# "+fmt.Sprint(random.IntN(3))+"\n")
		return "a comment in " + file
	case 4:
		lines := slices.Collect(strings.Lines(string(text)))
		if len(lines) > 0 {
			i := random.IntN(len(lines))
			k.write(file, strings.Join(slices.Delete(lines, i, i+1), ""))
		}
		return "a line less in " + file
	case 5:
		_ = os.Remove(filepath.Join(k.dir, file))
		return file + " is gone"
	case 6:
		name := pick([]string{"values.yaml", "extra.yaml", "values-x.yaml", "kustomization.yml", "Chart.yaml", ".argocd-source.yaml", "values.schema.json", ".helmignore", "more.yaml", "pod.yaml"})
		at := filepath.Join(pick(folders), name)
		k.write(at, pick([]string{"migrations: auto\n", "mode: auto\n", "helm: {values: 'mode: auto'}\n", podText, "resources: []\n", "{}\n"}))
		return at + " appears"
	case 7:
		other := pick(files)
		target, err := filepath.Rel(filepath.Dir(file), other)
		if err == nil && other != file {
			k.write(file, "->"+target)
		}
		return file + " becomes a link to " + other
	case 8:
		other := pick(files)
		content, err := os.ReadFile(filepath.Join(k.dir, other))
		if err == nil {
			k.write(file, string(content))
		}
		return file + " becomes a copy of " + other
	case 9:
		folder := pick(folders)
		at := filepath.Join(k.dir, folder)
		if _, err := os.Lstat(at + "-moved"); err == nil || os.Rename(at, at+"-moved") != nil {
			return "nothing"
		}
		if random.IntN(2) == 0 {
			_ = os.Symlink(filepath.Base(at)+"-moved", at)
			return folder + " becomes a link"
		}
		return folder + " is moved"
	case 10:
		k.lock(pick([]string{"skip", "auto", "off"}))
		return "another lock"
	default:
		k.write(file, strings.ReplaceAll(string(text), "namespace", "namesapce"))
		return "a mistake in " + file
	}
}

// TestProgramDigest: the program is known by what Go says of it, or else by its bytes.
func TestProgramDigest(t *testing.T) {
	digest, err := programDigest()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" {
		out, err := exec.Command("go", "tool", "buildid", program).Output()
		if want := strings.TrimSpace(string(out)); err != nil || digest != want {
			t.Errorf("the program is %q, and go says %q: %v", digest, want, err)
		}
	}
	const note = "\x04\x00\x00\x00Go\x00\x00"
	long := strings.Repeat("x", 80)
	for what, test := range map[string]struct{ head, want string }{
		"an ID":                {"\x7fELF\x04\x00\x00\x00\x50\x00\x00\x00" + note + long, long},
		"no program":           {"\x7fELG\x04\x00\x00\x00\x50\x00\x00\x00" + note + long, ""},
		"no ID":                {"\x7fELF" + long, ""},
		"an ID that was set":   {"\x7fELF\x04\x00\x00\x00\x04\x00\x00\x00" + note + "mine", ""},
		"an ID that is beyond": {"\x7fELF\x04\x00\x00\x00\x51\x00\x00\x00" + note + long, ""},
	} {
		if got := buildID([]byte(test.head)); got != test.want {
			t.Errorf("%s: %q, want %q", what, got, test.want)
		}
	}
}
