package source_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// checkout makes a repository of some files and a View of it.
func checkout(t testing.TB, files map[string]string) source.View {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return source.View{Repositories: []source.Repository{{URLs: []string{judgedURL}, Root: root, Revisions: []string{"main"}}}}
}

// appOf is an Application with a spec in YAML, in which REPO is the repository.
func appOf(spec string) string {
	if !strings.Contains(spec, "destination:") {
		spec += "  destination: {server: https://kubernetes.default.svc, namespace: agents}\n"
	}
	return "metadata: {name: agents, namespace: argocd}\nspec:\n" + strings.ReplaceAll(spec, "REPO", "repoURL: "+judgedURL)
}

func pod(name, more string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name + "\n" + more
}

// TestRender: what no question to the repository server can show.
func TestRender(t *testing.T) {
	chart := map[string]string{
		"chart/Chart.yaml":  "apiVersion: v2\nname: agents\nversion: 1.0.0\n",
		"chart/values.yaml": "migrations: \"skip\"\n",
		"chart/templates/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: '{{ .Release.Name }}'}\nmigrations: {{ .Values.migrations }}\n" +
			"{{ if .Values.version }}version: {{ .Capabilities.KubeVersion }}\n{{ end }}",
	}
	apis := map[string]string{"chart/Chart.yaml": chart["chart/Chart.yaml"], "chart/templates/pod.yaml": "kind: Pod\nmetadata: {name: a}\nhas: {{ .Capabilities.APIVersions.Has \"v1\" }}\n"}
	lovely := map[string]string{"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": pod("a", "")}
	with := func(files map[string]string, more ...string) map[string]string {
		all := map[string]string{}
		for name, text := range files {
			all[name] = text
		}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	const plugin = "  source: {REPO, path: app, plugin: {name: lovely}}\n"
	for _, test := range []struct {
		name  string
		files map[string]string
		spec  string
		view  func(*source.View)
		want  []string // objects, then warnings
		err   string
	}{
		{
			name: "namespaces", files: map[string]string{"dir/a.yaml": pod("a", "") + "---\n" + pod("b", "  namespace: own\n") +
				"---\nkind: Namespace\napiVersion: v1\nmetadata: {name: c, namespace: x}\n---\nkind: Widget\napiVersion: example.com/v1\nmetadata: {name: d}\n"},
			spec: "  source: {REPO, path: dir}\n",
			want: []string{"Pod agents/a", "Pod own/b", "Namespace /c", "Widget agents/d"},
		},
		{
			name: "the last of duplicates, also by the namespace of the destination", files: map[string]string{
				"one/a.yaml": pod("a", "spec: {one: 1}\n") + "---\n" + pod("b", ""), "two/a.yaml": pod("a", "  namespace: agents\nspec: {two: 2}\n"),
			},
			spec: "  sources: [{REPO, path: one}, {REPO, path: two}]\n",
			want: []string{"Pod agents/b", `Pod agents/a {"two":2}`, "warning: spec: Pod a is there more than once; the last one is applied"},
		},
		{
			name: "generated names are no duplicates", files: map[string]string{"dir/a.yaml": "kind: Pod\napiVersion: v1\nmetadata: {generateName: a-}\n---\nkind: Pod\napiVersion: v1\nmetadata: {generateName: a-}\n"},
			spec: "  source: {REPO, path: dir}\n", want: []string{"Pod agents/", "Pod agents/"},
		},
		{
			name: "hooks that never run", files: map[string]string{"dir/a.yaml": strings.Join([]string{
				pod("presync", "  annotations: {argocd.argoproj.io/hook: PreSync}\n"), pod("skip", "  annotations: {argocd.argoproj.io/hook: Skip}\n"),
				pod("both", "  annotations: {argocd.argoproj.io/hook: 'Skip, Sync'}\n"), pod("none", "  annotations: {argocd.argoproj.io/hook: Nothing}\n"),
				pod("helm", "  annotations: {helm.sh/hook: 'pre-install,pre-upgrade'}\n"), pod("test", "  annotations: {helm.sh/hook: test}\n"),
				pod("crd", "  annotations: {helm.sh/hook: crd-install}\n"), pod("delete", "  annotations: {argocd.argoproj.io/hook: PostDelete}\n"),
				pod("helmdelete", "  annotations: {helm.sh/hook: pre-delete}\n"), pod("rollback", "  annotations: {helm.sh/hook: pre-rollback}\n"),
				pod("skipped", "  annotations: {helm.sh/hook: pre-install, argocd.argoproj.io/hook: Skip}\n"),
			}, "---\n")},
			spec: "  source: {REPO, path: dir}\n",
			want: []string{"Pod agents/presync", "Pod agents/both", "Pod agents/helm", "Pod agents/crd", "Pod agents/delete", "Pod agents/helmdelete"},
		},
		{
			name: "excluded kinds", files: map[string]string{"dir/a.yaml": pod("a", "") + "---\nkind: Lease\napiVersion: coordination.k8s.io/v1\nmetadata: {name: l}\n---\nkind: Deployment\napiVersion: apps/v1\nmetadata: {name: d}\n"},
			spec: "  source: {REPO, path: dir}\n",
			view: func(v *source.View) { v.Settings.Exclusions = []source.ResourceFilter{{APIGroups: []string{"app*"}}} },
			want: []string{"Pod agents/a"},
		},
		{
			name: "included kinds of another cluster", files: map[string]string{"dir/a.yaml": pod("a", "")}, spec: "  source: {REPO, path: dir}\n",
			view: func(v *source.View) {
				v.Settings.Inclusions = []source.ResourceFilter{{Kinds: []string{"Job"}, Clusters: []string{"https://other"}}}
			},
			want: []string{"Pod agents/a"},
		},
		{
			name: "included kinds", files: map[string]string{"dir/a.yaml": pod("a", "")}, spec: "  source: {REPO, path: dir}\n",
			view: func(v *source.View) { v.Settings.Inclusions = []source.ResourceFilter{{Kinds: []string{"Job"}}} },
		},
		{name: "other forms of the URL", files: lovely, spec: "  source: {repoURL: 'git@GIT.example.com:org/repo', path: app, targetRevision: refs/heads/main}\n", want: []string{"Pod agents/a"}},
		{name: "HEAD", files: lovely, spec: "  source: {repoURL: 'ssh://git@git.example.com/org/repo.git', path: app, targetRevision: HEAD}\n", want: []string{"Pod agents/a"}},
		{name: "discovery", files: lovely, spec: "  source: {REPO, path: app}\n", view: func(v *source.View) { v.Settings.Discovery = true },
			err: "Application agents: spec.source: it names no type, and Argo CD has plugins that take sources by what is in them; name the type, such as helm: {} or kustomize: {}"},
		{name: "a plugin", files: lovely, spec: plugin, want: []string{"Pod agents/a"}},
		{name: "a plugin that is mapped to something else", files: lovely, spec: plugin, view: func(v *source.View) { v.Plugins["lovely"] = "kustomise" },
			err: `Application agents: spec.source.plugin.name: the plugin "lovely" is mapped to "kustomise", which is not known; map it to kustomize-enable-helm`},
		{name: "a plugin without a name", files: lovely, spec: "  source: {REPO, path: app, plugin: {}}\n",
			err: `Application agents: spec.source.plugin.name: nobody knows what the plugin "" does; map it in argocd.plugins of the configuration, if it only runs kustomize build --enable-helm, or exclude the Application`},
		{name: "a plugin with a setting", files: lovely, spec: "  source: {REPO, path: app, plugin: {name: lovely, env: [{name: A, value: b}, {name: LOVELY_KUSTOMIZE_PATH, value: x}]}}\n",
			err: "Application agents: spec.source.plugin.env[1]: LOVELY_KUSTOMIZE_PATH changes what the plugin does; leave it out"},
		{name: "a plugin with a parameter", files: lovely, spec: "  source: {REPO, path: app, plugin: {name: lovely, parameters: [{name: lovely_preprocessors, string: x}]}}\n",
			err: "Application agents: spec.source.plugin.parameters[0]: lovely_preprocessors changes what the plugin does; leave it out"},
		{name: "a plugin with a setting in .argocd-source.yaml", files: with(lovely, "app/.argocd-source.yaml", "plugin: {env: [{name: LOVELY_X, value: x}]}\n"), spec: plugin,
			err: "Application agents: spec.source.plugin.env[0]: LOVELY_X changes what the plugin does; leave it out"},
		{name: "a plugin with a chart", files: with(lovely, "app/Chart.yaml", "name: a\n"), spec: plugin,
			err: "Application agents: spec.source.plugin: the plugin also runs Chart.yaml, which is beside the kustomization; remove it"},
		{name: "a plugin with helmfile", files: with(lovely, "app/helmfile.yaml.gotmpl", "a: b\n"), spec: plugin,
			err: "Application agents: spec.source.plugin: the plugin also runs helmfile.yaml.gotmpl, which is beside the kustomization; remove it"},
		{name: "a plugin that does not see the file", files: map[string]string{"app/Kustomization": "resources: []\n"}, spec: plugin,
			err: "Application agents: spec.source.plugin: there is no kustomization.yaml or kustomization.yml, so the plugin does not run kustomize; add one"},
		{
			name: "no version of Kubernetes", files: chart, spec: "  source: {REPO, path: chart}\n",
			err: "Application agents: spec.source: its chart asks for the version of Kubernetes (.Capabilities.KubeVersion), and nobody has said which the cluster has; say it, or set kubeVersion",
		},
		{name: "a version in the source", files: chart, spec: "  source: {REPO, path: chart, helm: {kubeVersion: '1.30'}}\n", want: []string{"Pod agents/agents"}},
		{
			name: "versions by destination", files: chart, spec: "  source: {REPO, path: chart}\n",
			view: func(v *source.View) {
				v.Settings.Versions = map[string]source.Versions{"https://kubernetes.default.svc": {Kubernetes: "1.31.0"}}
			},
			want: []string{"Pod agents/agents"},
		},
		{
			name: "versions by the name of a destination", files: map[string]string{
				"chart/Chart.yaml": chart["chart/Chart.yaml"], "chart/templates/pod.yaml": "kind: Pod\nmetadata: {name: a}\nspec: {version: '{{ .Capabilities.KubeVersion.Version }}', has: {{ .Capabilities.APIVersions.Has \"a/b\" }}}\n",
			},
			spec: "  source: {REPO, path: chart}\n  destination: {name: far, namespace: x}\n",
			view: func(v *source.View) {
				v.Settings.Versions = map[string]source.Versions{"far": {Kubernetes: "1.31.0"}, "": {Kubernetes: "1.20.0", APIs: []string{"a/b"}}}
			},
			want: []string{`Pod x/a {"has":true,"version":"v1.31.0"}`},
		},
		{
			name: "no API versions", files: apis, spec: "  source: {REPO, path: chart}\n", want: []string{
				"Pod agents/a",
				"warning: spec.source: its chart asks for the cluster's API versions (.Capabilities.APIVersions), and nobody has said which it has: those that Helm knows by itself stand for them",
			},
		},
		{
			name: "ignored differences", files: lovely, spec: "  source: {REPO, path: app}\n  syncPolicy: {syncOptions: [RespectIgnoreDifferences=true]}\n  ignoreDifferences:\n" +
				"  - {group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}\n  - {group: apps, kind: Deployment, jsonPointers: [/spec/replicas, /spec/template/spec/containers/0/env]}\n" +
				"  - {kind: Secret, jsonPointers: [/data]}\n  - {kind: '*', jqPathExpressions: ['.metadata.labels']}\n  - {kind: '*', jqPathExpressions: ['.. | .env?']}\n" +
				"  - {kind: Deployment, managedFieldsManagers: [x]}\n  - {kind: Deployment, jqPathExpressions: ['.spec.replicas, .spec.template']}\n  - {kind: Deployment, jsonPointers: ['']}\n",
			want: append([]string{"Pod agents/a"}, ignored(1, 4, 5, 6, 7)...),
		},
		{name: "ignored differences without respect", files: lovely, spec: "  source: {REPO, path: app}\n  ignoreDifferences: [{kind: Deployment, jsonPointers: [/spec]}]\n", want: []string{"Pod agents/a"}},
		{
			name: "a chart that is found", files: chart, spec: "  source: {repoURL: https://charts.example.com, chart: agents, targetRevision: 1.0.0, helm: {kubeVersion: '1.30'}}\n",
			view: func(v *source.View) {
				root := v.Repositories[0].Root
				v.Chart = func(url, chart, revision string) (string, error) {
					if url+" "+chart+" "+revision != "https://charts.example.com agents 1.0.0" {
						return "", errors.New("asked for " + url + chart + revision)
					}
					return filepath.Join(root, "chart"), nil
				}
			},
			want: []string{"Pod agents/agents"},
		},
		{
			name: "a chart that is not found", files: chart, spec: "  source: {repoURL: https://charts.example.com, chart: agents, targetRevision: 1.0.0}\n",
			view: func(v *source.View) {
				v.Chart = func(string, string, string) (string, error) { return "", errors.New("not in the cache; fetch it") }
			},
			err: "Application agents: spec.source.chart: not in the cache; fetch it",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			view := checkout(t, test.files)
			view.Plugins = map[string]string{"lovely": source.KustomizeEnableHelm}
			if test.view != nil {
				test.view(&view)
			}
			result, err := source.Render(t.Context(), decoded(t, appOf(test.spec)), view, render.Options{})
			if message := errorText(err); message != test.err {
				t.Fatalf("error %q, want %q", message, test.err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(test.want, told(result)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func ignored(indexes ...int) []string {
	var all []string
	for _, i := range indexes {
		all = append(all, "warning: spec.ignoreDifferences["+string(rune('0'+i))+"]: with RespectIgnoreDifferences=true a sync leaves this as it is in the cluster, so the pod template may be another than what Git says")
	}
	return all
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// told are the objects and warnings, a line each.
func told(result *source.Result) []string {
	var all []string
	for _, object := range result.Objects {
		metadata, _ := object["metadata"].(map[string]any)
		text := func(key string) string { value, _ := metadata[key].(string); return value }
		line := object["kind"].(string) + " " + text("namespace") + "/" + text("name")
		if spec, err := json.Marshal(object["spec"]); err == nil && object["spec"] != nil {
			line += " " + string(spec)
		}
		all = append(all, line)
	}
	for _, warning := range result.Warnings {
		all = append(all, "warning: "+warning.Field+": "+warning.Message)
	}
	return all
}

// TestBounds: nothing is read outside of the repository, and nothing that is no file.
func TestBounds(t *testing.T) {
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret.yaml")
	if err := os.WriteFile(secret, []byte(pod("secret", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	chart := map[string]string{"app/Chart.yaml": "apiVersion: v2\nname: agents\nversion: 1.0.0\n", "app/templates/a.yaml": pod("a", "")}
	kustomization := map[string]string{"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": pod("a", "")}
	link := func(target, name string) func(string) error {
		return func(root string) error { return os.Symlink(target, filepath.Join(root, name)) }
	}
	pipe := func(name string) func(string) error {
		return func(root string) error { return syscall.Mkfifo(filepath.Join(root, name), 0o600) }
	}
	for _, test := range []struct {
		name   string
		files  map[string]string
		source string
		change func(root string) error
		want   string
	}{
		{"a path", nil, "{REPO, path: app}", link(outside, "app"), "leads out of the repository"},
		{"a value file", chart, "{REPO, path: app, helm: {valueFiles: [x.yaml]}}", link(secret, "app/x.yaml"), "leads out of the repository"},
		{"a value file in a folder", chart, "{REPO, path: app, helm: {valueFiles: [x/secret.yaml]}}", link(outside, "app/x"), "leads out of the repository"},
		{"a value file of a pattern", chart, "{REPO, path: app, helm: {valueFiles: ['x/*.yaml']}}", link(outside, "app/x"), "leads out of the repository"},
		{"a file parameter", chart, "{REPO, path: app, helm: {fileParameters: [{name: a, path: x.txt}]}}", link(secret, "app/x.txt"), "leads out of the repository"},
		{"a value file that is a pipe", chart, "{REPO, path: app, helm: {valueFiles: [x.yaml]}}", pipe("app/x.yaml"), "neither a file nor a folder but a pipe"},
		{"a manifest", map[string]string{"app/a.yaml": pod("a", "")}, "{REPO, path: app}", link(secret, "app/b.yaml"), "leads out of the repository"},
		{".argocd-source.yaml", chart, "{REPO, path: app}", link(secret, "app/.argocd-source.yaml"), "leads out of the repository"},
		{".argocd-source.yaml that is a pipe", chart, "{REPO, path: app}", pipe("app/.argocd-source.yaml"), "neither a file nor a folder but a pipe"},
		{"a kustomization", map[string]string{"app/a.yaml": pod("a", "")}, "{REPO, path: app, kustomize: {namePrefix: x-}}", link(secret, "app/kustomization.yaml"), "leads out of the repository"},
		{"a kustomization without options", map[string]string{"app/a.yaml": pod("a", "")}, "{REPO, path: app}", link(secret, "app/kustomization.yaml"), "out of the repository"},
		{"a component", kustomization, "{REPO, path: app, kustomize: {components: [x]}}", link(outside, "app/x"), "leads out of the repository"},
		{"a component by its path", kustomization, "{REPO, path: app, kustomize: {components: [../../../../../../etc]}}", nil, "leads out of the repository"},
		{"a patch", kustomization, "{REPO, path: app, kustomize: {patches: [{path: x.yaml}]}}", link(secret, "app/x.yaml"), "out of the repository"},
		{"a template", chart, "{REPO, path: app}", link(secret, "app/templates/x.yaml"), "out of the repository"},
		{"a chart that links to itself", chart, "{REPO, path: app}", link(".", "app/x"), "symbolic link that leads to a folder it is in"},
	} {
		t.Run(test.name, func(t *testing.T) {
			view := checkout(t, test.files)
			if test.change != nil {
				if err := test.change(view.Repositories[0].Root); err != nil {
					t.Fatal(err)
				}
			}
			view.Settings.KustomizeBuildOptions = "--load-restrictor LoadRestrictionsNone"
			result, err := source.Render(t.Context(), decoded(t, appOf("  source: "+test.source+"\n")), view, render.Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one that says %q; objects %v", err, test.want, result)
			}
		})
	}
	t.Run("a pipe among manifests is none", func(t *testing.T) {
		view := checkout(t, map[string]string{"app/a.yaml": pod("a", "")})
		if err := pipe("app/b.yaml")(view.Repositories[0].Root); err != nil {
			t.Fatal(err)
		}
		result, err := source.Render(t.Context(), decoded(t, appOf("  source: {REPO, path: app}\n")), view, render.Options{})
		if err != nil || len(result.Objects) != 1 {
			t.Errorf("%v, %v", result, err)
		}
	})
}

// TestSymbolicLinkToFolder: a source whose folder is a symbolic link is not walked
// into, as in Argo CD: it is a directory without manifests unless its type is given.
func TestSymbolicLinkToFolder(t *testing.T) {
	view := checkout(t, map[string]string{"real/kustomization.yaml": "resources: [a.yaml]\n", "real/a.yaml": pod("a", "")})
	if err := os.Symlink("real", filepath.Join(view.Repositories[0].Root, "link")); err != nil {
		t.Fatal(err)
	}
	for spec, want := range map[string]int{"{REPO, path: link}": 0, "{REPO, path: link, kustomize: {kubeVersion: '1.30'}}": 1, "{REPO, path: link, directory: {recurse: true}}": 0} {
		result, err := source.Render(t.Context(), decoded(t, appOf("  source: "+spec+"\n")), view, render.Options{})
		if err != nil || len(result.Objects) != want {
			t.Errorf("%s: %v, %v", spec, result, err)
		}
	}
}

// TestUTF16: a manifest may have a byte order mark.
func TestUTF16(t *testing.T) {
	text := "\xff\xfe"
	for _, r := range pod("wide", "") {
		text += string([]byte{byte(r), 0})
	}
	view := checkout(t, map[string]string{"app/a.yaml": text})
	result, err := source.Render(t.Context(), decoded(t, appOf("  source: {REPO, path: app}\n")), view, render.Options{})
	if err != nil || !slices.Equal(told(result), []string{"Pod agents/wide"}) {
		t.Errorf("%v, %v", result, err)
	}
}

// TestOverlay: files are read with the content that the options give them, and the
// options of a source are laid over that.
func TestOverlay(t *testing.T) {
	view := checkout(t, map[string]string{
		"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": pod("a", ""), "app/b.yaml": pod("b", ""),
		"chart/Chart.yaml": "apiVersion: v2\nname: agents\nversion: 1.0.0\n", "chart/v.yaml": "name: v\n", "chart/templates/a.yaml": "kind: Pod\nmetadata: {name: {{ .Values.name }}}\n",
		"dir/a.yaml": pod("c", ""),
	})
	root := view.Repositories[0].Root
	options := render.Options{Overlay: map[string][]byte{
		filepath.Join(root, "app/kustomization.yaml"): []byte("resources: [a.yaml, b.yaml]\n"),
		filepath.Join(root, "chart/v.yaml"):           []byte("name: w\n"),
		filepath.Join(root, "dir/a.yaml"):             []byte(pod("d", "")),
	}}
	app := decoded(t, appOf("  sources:\n  - {REPO, path: app, kustomize: {namePrefix: x-}}\n  - {REPO, path: chart, helm: {valueFiles: [v.yaml]}}\n  - {REPO, path: dir}\n"))
	result, err := source.Render(t.Context(), app, view, options)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Pod agents/x-a", "Pod agents/x-b", "Pod agents/w", "Pod agents/d"}, told(result)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.Equal(result.Origins, []int{0, 0, 1, 2}) {
		t.Errorf("origins %v", result.Origins)
	}
	if got := result.Sources[0]; got.Kustomization != filepath.Join(root, "app/kustomization.yaml") || !strings.Contains(string(got.Edited), "namePrefix: x-") {
		t.Errorf("the edited kustomization is not told: %+v", got)
	}
	if len(options.Overlay) != 3 || string(options.Overlay[filepath.Join(root, "app/kustomization.yaml")]) != "resources: [a.yaml, b.yaml]\n" {
		t.Error("the caller's overlay was changed")
	}
}

// states are the files below a folder with their times.
func states(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		all[path] = info.ModTime().String()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestReadSettings reads argocd-cm.
func TestReadSettings(t *testing.T) {
	var configMap map[string]any
	if err := yaml.Unmarshal([]byte(`data:
  kustomize.buildOptions: --enable-helm
  helm.valuesFileSchemes: 's3, '
  helm.enable: "no"
  application.instanceLabelKey: a
  application.resourceTrackingMethod: label
  resource.exclusions: |
    - {apiGroups: [a], kinds: [B], clusters: [c]}
`), &configMap); err != nil {
		t.Fatal(err)
	}
	got, err := source.ReadSettings(configMap)
	want := source.Settings{
		KustomizeBuildOptions: "--enable-helm", ValuesFileSchemes: []string{"s3"}, WithoutHelm: true, InstanceLabelKey: "a", TrackingMethod: "label",
		Exclusions: []source.ResourceFilter{{APIGroups: []string{"a"}, Kinds: []string{"B"}, Clusters: []string{"c"}}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := source.ReadSettings(map[string]any{"data": map[string]any{"resource.inclusions": "{"}}); err == nil {
		t.Error("broken inclusions were read")
	}
}
