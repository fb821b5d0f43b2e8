package find_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
)

// repository is a generated one, with what is to be found in it.
type repository struct {
	t      *testing.T
	random *rand.Rand
	top    string
	// parents are the folders below which others may be made.
	parents   []string
	modules   strings.Builder
	judged    []string
	notJudged []string
	read      []string
}

const (
	deployment  = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: app, image: x}]}}}\n"
	component   = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
	application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
)

// write writes a file below a folder, both relative to the top.
func (r *repository) write(dir, name, text string) {
	r.t.Helper()
	file := filepath.Join(r.top, dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// folder makes the name of a new folder somewhere.
func (r *repository) folder() string {
	for {
		name := string(rune('a'+r.random.IntN(26))) + fmt.Sprint(r.random.IntN(100_000))
		if r.random.IntN(5) == 0 {
			name = "." + name
		}
		dir := filepath.Join(r.parents[r.random.IntN(len(r.parents))], name)
		if _, err := os.Stat(filepath.Join(r.top, dir)); err != nil {
			return dir
		}
	}
}

// to is the way from one folder to another.
func (r *repository) to(from, to string) string {
	way, err := filepath.Rel(from, to)
	if err != nil {
		r.t.Fatal(err)
	}
	return filepath.ToSlash(way)
}

// app makes a kustomization that refers to some folders.
func (r *repository) app(dir, head string, resources ...string) {
	r.write(dir, "kustomization.yaml", head+"resources: ["+strings.Join(append(resources, "d.yaml"), ", ")+"]\n")
	r.write(dir, "d.yaml", deployment)
}

// chart makes a chart with a chart in it, and with a manifest that it does not render.
func (r *repository) chart(dir, more string) {
	r.write(dir, "Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"+more)
	r.write(dir, "values.yaml", "a: 1\n")
	r.write(dir, "templates/d.yaml", deployment)
	r.write(dir, "charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n")
	r.write(dir, "charts/sub/templates/d.yaml", deployment)
	r.write(dir, "ci/example.yaml", deployment)
	r.write(dir, "crds/crd.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {properties: {containers: {type: array}}}\n")
	r.judged = append(r.judged, "manifests "+filepath.Join(dir, "ci"))
}

// places are what a folder may be.
var places = []func(r *repository, dir string){
	func(r *repository, dir string) { // an app, with others below it
		r.app(dir, "")
		r.judged = append(r.judged, "kustomization "+dir)
		r.parents = append(r.parents, dir)
	},
	func(r *repository, dir string) { // an app with a base and a component elsewhere
		base, used := r.folder(), r.folder()
		r.app(base, "")
		r.write(used, "kustomization.yaml", component+"patches: [{path: p.yaml}]\n")
		r.write(used, "p.yaml", deployment)
		r.app(dir, "components: ["+r.to(dir, used)+"]\n", r.to(dir, base))
		r.judged = append(r.judged, "kustomization "+dir)
		r.read = append(r.read, "kustomization "+base+" by "+dir, "component "+used+" by "+dir)
	},
	func(r *repository, dir string) { // two overlays of overlays of one base
		base, middle, other := r.folder(), r.folder(), r.folder()
		r.app(base, "")
		r.app(middle, "", r.to(middle, base))
		r.app(dir, "", r.to(dir, middle))
		r.app(other, "", r.to(other, base))
		r.judged = append(r.judged, "kustomization "+dir, "kustomization "+other)
		by := []string{dir, other}
		slices.Sort(by)
		r.read = append(r.read, "kustomization "+base+" by "+strings.Join(by, ","), "kustomization "+middle+" by "+dir)
	},
	func(r *repository, dir string) { // a component that nobody uses
		r.app(dir, component)
		r.judged = append(r.judged, "component "+dir)
	},
	func(r *repository, dir string) { // two that read each other
		other := r.folder()
		r.app(dir, "", r.to(dir, other))
		r.app(other, "", r.to(other, dir))
		first := min(filepath.ToSlash(dir), filepath.ToSlash(other))
		r.judged = append(r.judged, "kustomization "+first)
		r.read = append(r.read, "kustomization "+max(filepath.ToSlash(dir), filepath.ToSlash(other))+" by "+first)
	},
	func(r *repository, dir string) { // a chart
		r.chart(dir, "")
		r.judged = append(r.judged, "chart "+dir)
	},
	func(r *repository, dir string) { // an app with a chart in it, and one elsewhere
		home := r.folder()
		r.chart(filepath.Join(dir, "charts", "own"), "")
		r.chart(filepath.Join(home, "theirs"), "")
		base := r.folder()
		r.app(base, "helmGlobals: {chartHome: "+r.to(base, home)+"}\nhelmCharts: [{name: theirs}]\n")
		r.app(dir, "helmCharts: [{name: own}]\n", r.to(dir, base))
		r.judged = append(r.judged, "kustomization "+dir)
		r.read = append(r.read, "kustomization "+base+" by "+dir, "chart "+filepath.Join(dir, "charts", "own")+" by "+dir, "chart "+filepath.Join(home, "theirs")+" by "+dir)
	},
	func(r *repository, dir string) { // a library, used or not
		used := r.folder()
		r.write(used, "Chart.yaml", "apiVersion: v2\nname: l\nversion: 1.0.0\ntype: library\n")
		r.write(dir, "Chart.yaml", "apiVersion: v2\nname: l\nversion: 1.0.0\ntype: library\n")
		user := r.folder()
		r.chart(user, "dependencies: [{name: l, version: 1.0.0, repository: 'file://"+r.to(user, used)+"'}]\n")
		r.judged = append(r.judged, "chart "+user)
		r.notJudged = append(r.notJudged, "library chart "+dir)
		r.read = append(r.read, "chart "+used+" by "+user)
	},
	func(r *repository, dir string) { // manifests, with values and the like beside them
		for i := range 1 + r.random.IntN(3) {
			r.write(dir, fmt.Sprintf("d%d.%s", i, []string{"yaml", "yml", "json"}[r.random.IntN(3)]), strings.Replace(deployment, "web", fmt.Sprint("web", i), 1))
		}
		r.write(dir, "values.yaml", "kind: x\ncontainers: [{name: a}]\n")
		r.write(dir, "config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n")
		r.judged = append(r.judged, "manifests "+dir)
		r.parents = append(r.parents, dir)
	},
	func(r *repository, dir string) { // a file that the kustomization beside it does not read
		r.app(dir, "")
		r.write(dir, "left.yaml", deployment)
		r.judged = append(r.judged, "kustomization "+dir, "manifest "+filepath.Join(dir, "left.yaml"))
	},
	func(r *repository, dir string) { // what Argo CD lays over an app
		r.app(dir, "")
		r.write(dir, ".argocd-source-a.yaml", "kustomize: {}\n")
		r.judged = append(r.judged, "kustomization "+dir)
		r.notJudged = append(r.notJudged, "Argo CD source "+filepath.Join(dir, ".argocd-source-a.yaml"))
	},
	func(r *repository, dir string) { // an Application that an app applies, and a HelmRelease
		r.write(dir, "kustomization.yaml", "resources: [a.yaml]\n")
		r.write(dir, "a.yaml", application)
		r.write(dir, "deep/h.yaml", "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: h}\n")
		r.judged = append(r.judged, "kustomization "+dir)
		r.notJudged = append(r.notJudged, "Application "+filepath.Join(dir, "a.yaml"), "HelmRelease "+filepath.Join(dir, "deep/h.yaml"))
	},
	func(r *repository, dir string) {
		r.write(dir, "main.jsonnet", "{}\n")
		r.write(dir, "lib.libsonnet", "{}\n")
		r.write(dir, "helmfile.d/one.yaml", "releases: []\n")
		r.notJudged = append(r.notJudged, "jsonnet "+filepath.Join(dir, "main.jsonnet"), "helmfile "+filepath.Join(dir, "helmfile.d/one.yaml"))
	},
	func(r *repository, dir string) {
		r.write(dir, "helmfile.yaml", "releases: []\n")
		r.notJudged = append(r.notJudged, "helmfile "+filepath.Join(dir, "helmfile.yaml"))
	},
	func(r *repository, dir string) { // a packed chart, alone, and as a subchart
		packed := string(archiveOf(r.t, "x/Chart.yaml", "name: x\nversion: 1.0.0\n"))
		if r.random.IntN(2) == 0 {
			r.write(dir, "x-1.0.0.tgz", packed)
			r.notJudged = append(r.notJudged, "packed chart "+filepath.Join(dir, "x-1.0.0.tgz"))
			return
		}
		r.write(dir, "Chart.yaml", "apiVersion: v2\nname: parent\nversion: 1.0.0\n")
		r.write(dir, "charts/x-1.0.0.tgz", packed)
		r.judged = append(r.judged, "chart "+dir)
	},
	func(r *repository, dir string) { // a submodule, checked out or not
		fmt.Fprintf(&r.modules, "[submodule %q]\n\tpath = %s\n\turl = https://example.com\n", dir, filepath.ToSlash(dir))
		if r.random.IntN(2) == 0 {
			r.notJudged = append(r.notJudged, "submodule "+dir)
			return
		}
		r.app(dir, "")
		r.judged = append(r.judged, "kustomization "+dir)
	},
	func(r *repository, dir string) { // a template of something else than Helm
		r.write(dir, "t.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: {{ name }}}\n")
		r.write(dir, "workflow.yaml", "on: push\njobs: {}\n")
		r.write(dir, "package.json", `{"name": "x", "kind": "y"}`)
		r.notJudged = append(r.notJudged, "manifest "+filepath.Join(dir, "t.yaml"))
	},
	func(r *repository, dir string) { // nothing, but others are below it
		r.write(dir, "README.md", "kind: Deployment\n")
		r.parents = append(r.parents, dir)
	},
}

// TestGeneratedRepository: what is found is what the generator put there.
func TestGeneratedRepository(t *testing.T) {
	const folders = 300
	seeds := lane.Rounds(t, 3, 20)
	counts := map[string]int{}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Chdir(t.TempDir())
			r := &repository{t: t, random: rand.New(rand.NewPCG(seed, 0)), top: ".", parents: []string{"."}}
			if err := os.Mkdir(".git", 0o700); err != nil {
				t.Fatal(err)
			}
			for range folders {
				places[r.random.IntN(len(places))](r, r.folder())
			}
			r.write(".", ".gitmodules", r.modules.String())

			found, err := find.Cover([]string{"."}, nil)
			if err != nil {
				t.Fatal(err)
			}
			var judged, notJudged, read []string
			for _, target := range found.Targets {
				judged = append(judged, string(target.Kind)+" "+target.Path)
			}
			for _, n := range found.NotJudged {
				notJudged = append(notJudged, string(n.Kind)+" "+n.Path)
			}
			for _, one := range found.Read {
				read = append(read, string(one.Kind)+" "+one.Path+" by "+strings.Join(one.By, ","))
			}
			for _, lists := range [][2][]string{{r.judged, judged}, {r.notJudged, notJudged}, {r.read, read}} {
				for i := range lists[0] {
					lists[0][i] = filepath.ToSlash(lists[0][i])
				}
				slices.Sort(lists[0])
				slices.Sort(lists[1])
				if diff := cmp.Diff(lists[0], lists[1]); diff != "" {
					t.Errorf("(-generated +found):\n%s", diff)
				}
			}
			counts["judged"] += len(judged)
			counts["not judged"] += len(notJudged)
			counts["read"] += len(read)
		})
	}
	t.Logf("compared %d judged, %d not judged, %d read in %d repositories", counts["judged"], counts["not judged"], counts["read"], seeds)
}
