package argocd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// tree writes files below a folder, each a name and a text, and returns its real path.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(top, files[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

const url = "https://example.com/a"

// set makes an Application for each folder below apps, and one for each cluster.
const set = `# first line
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: set, namespace: argocd}
spec:
  generators:
  - git: {repoURL: https://example.com/a, revision: HEAD, directories: [{path: apps/*}]}
  template:
    metadata: {name: '{{path.basename}}'}
    spec:
      project: ''
      source: {repoURL: https://example.com/a, path: '{{path}}'}
      destination: {server: https://kubernetes.default.svc}
`

func object(t *testing.T, file, text string) Object {
	t.Helper()
	objects, err := manifest.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := manifest.Nodes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Object{Content: objects[0].Content, File: file, Node: nodes[0]}
}

// TestApplications: an ApplicationSet makes them of the files that git knows, each with
// its chain and its folder.
func TestApplications(t *testing.T) {
	pod := "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
	top := tree(t, "apps/one/pod.yaml", pod, "apps/two/pod.yaml", pod, "set.yaml", set)
	for _, test := range []struct {
		what    string
		tracked []string
		want    []string
	}{
		{"all files", nil, []string{"one", "two"}},
		{"tracked files", []string{"apps/two/pod.yaml", "set.yaml"}, []string{"two"}},
	} {
		world, err := Instance{URLs: []string{url}, Tracked: test.tracked}.World(top)
		if err != nil {
			t.Fatal(err)
		}
		defer world.Close()
		made, warnings, err := world.Applications(t.Context(), object(t, filepath.Join(top, "set.yaml"), set))
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%s: %v, %v", test.what, err, warnings)
		}
		var names []string
		for _, a := range made {
			names = append(names, a.Name)
			if want := []Place{{"set.yaml", 2, ""}, {"set.yaml", 7, "spec.generators[0].git.directories[0] (directory apps/" + a.Name + ")"}}; !cmp.Equal(a.Chain, want) {
				t.Errorf("%s: the chain of %s is %+v, want %+v", test.what, a.Name, a.Chain, want)
			}
			if want := []string{filepath.Join(top, "apps", a.Name)}; !cmp.Equal(a.Folders, want) {
				t.Errorf("%s: the folders of %s are %q", test.what, a.Name, a.Folders)
			}
			rendered, err := world.Render(t.Context(), a, render.Options{})
			if err != nil || len(rendered.Objects) != 1 || rendered.Sources[0].Type != "Directory" {
				t.Errorf("%s: %s renders to %+v, %v", test.what, a.Name, rendered, err)
			}
		}
		if !cmp.Equal(names, test.want) {
			t.Errorf("%s: %q, want %q", test.what, names, test.want)
		}
	}
}

// TestRenderAgain: what an overlay has in place of the file of an ApplicationSet counts.
func TestRenderAgain(t *testing.T) {
	top := tree(t, "apps/one/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n", "other/pods.yaml",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: y}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: z}\n", "set.yaml", set)
	world, err := Instance{URLs: []string{url}}.World(top)
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	file := filepath.Join(top, "set.yaml")
	made, _, err := world.Applications(t.Context(), object(t, file, set))
	if err != nil || len(made) != 1 {
		t.Fatal(made, err)
	}
	for _, test := range []struct {
		what, text, wrong string
		objects           int
	}{
		{"the same", set, "", 1},
		{"another path", strings.Replace(set, "path: '{{path}}'", "path: other", 1), "", 2},
		{"another name", strings.Replace(set, "basename}}'", "basename}}-x'", 1), "there is no Application one any more", 0},
		{"no YAML", "{", "", 0},
	} {
		rendered, err := world.Render(t.Context(), made[0], render.Options{Overlay: map[string][]byte{file: []byte(test.text)}})
		switch {
		case test.objects == 0 && (err == nil || test.wrong != "" && err.Error() != test.wrong):
			t.Errorf("%s: error %v, want %s", test.what, err, test.wrong)
		case test.objects > 0 && (err != nil || len(rendered.Objects) != test.objects):
			t.Errorf("%s: %+v, %v", test.what, rendered, err)
		}
	}
}

// TestWorldRefuses: a file that is named and cannot be read is an error.
func TestWorldRefuses(t *testing.T) {
	top := tree(t, "pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: argocd-cm}\n",
		"cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\ndata: {resource.exclusions: 'x'}\n")
	for _, test := range []struct {
		instance Instance
		want     string
	}{
		{Instance{Settings: "pod.yaml"}, "read settings of Argo CD TOP/pod.yaml: there is no ConfigMap argocd-cm in it"},
		{Instance{Settings: "cm.yaml"}, "read settings of Argo CD TOP/cm.yaml: read resource.exclusions of argocd-cm"},
		{Instance{Settings: "missing.yaml"}, "read TOP/missing.yaml: "},
		{Instance{Clusters: []string{"pod.yaml"}}, "read clusters of Argo CD TOP/pod.yaml: there is no Secret in it"},
		{Instance{Checkouts: map[string]string{"https://example.com/b": "missing"}}, "list the files of a repository: "},
	} {
		world, err := test.instance.World(top)
		if want := strings.ReplaceAll(test.want, "TOP", top); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: error %v, want %s", test.instance, err, want)
		}
		if world != nil {
			t.Errorf("%+v: there is a world", test.instance)
		}
	}
}

// TestFoundSettings: the one file that holds argocd-cm counts when nobody names it, but
// not for what it leaves alone.
func TestFoundSettings(t *testing.T) {
	cm := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\ndata:\n  kustomize.buildOptions: --enable-helm\n  kustomize.enable: \"false\"\n  resource.exclusions: |\n    - {kinds: [Deployment]}\n"
	mention := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {see: argocd-cm}\n"
	whole, err := Instance{Settings: "cm.yaml"}.World(tree(t, "cm.yaml", cm))
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	if len(whole.view.Settings.Exclusions) != 1 {
		t.Errorf("named, it says %+v", whole.view.Settings)
	}
	part := whole.view.Settings
	part.Exclusions = nil
	for _, test := range []struct {
		what  string
		files []string
		i     Instance
		want  source.Settings
	}{
		{"one", []string{"a/cm.yaml", cm, "b.yaml", mention, "c.txt", cm, "bad.yaml", "argocd-cm: {"}, Instance{}, part},
		{"none", []string{"b.yaml", mention}, Instance{}, source.Settings{}},
		{"two", []string{"a/cm.yaml", cm, "b/cm.yml", cm}, Instance{}, source.Settings{}},
		{"one that git does not know", []string{"a/cm.yaml", cm}, Instance{Tracked: []string{"b.yaml"}}, source.Settings{}},
		{"two, of which one is named", []string{"a/cm.yaml", cm, "cm.yaml", cm}, Instance{Settings: "cm.yaml"}, whole.view.Settings},
	} {
		world, err := test.i.World(tree(t, test.files...))
		if err != nil {
			t.Fatal(err)
		}
		defer world.Close()
		if diff := cmp.Diff(test.want, world.view.Settings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.what, diff)
		}
	}
}
