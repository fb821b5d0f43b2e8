package diff

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/repository/repositorytest"
	"github.com/proompteng/nevermigrate/harness/report"
)

// start is a repository with a chart, two apps of it and a plain app.
const start = `
-- charts/service/Chart.yaml --
apiVersion: v2
name: service
version: 1.0.0
-- charts/service/values.yaml --
migrations: skip
-- charts/service/templates/pod.yaml --
apiVersion: v1
kind: Pod
metadata: {name: {{ .Release.Name }}-controllers, namespace: {{ .Release.Namespace }}}
spec:
  containers:
  - {name: main, env: [{name: JANGAR_MIGRATIONS, value: {{ .Values.migrations | quote }}}]}
-- apps/agents/kustomization.yaml --
namespace: agents
helmGlobals: {chartHome: ../../charts}
helmCharts:
- {name: service, releaseName: agents, valuesFile: values.yaml}
-- apps/agents/values.yaml --
replicas: 2
-- apps/workers/kustomization.yaml --
namespace: workers
helmGlobals: {chartHome: ../../charts}
helmCharts:
- {name: service, releaseName: workers, valuesFile: values.yaml}
-- apps/workers/values.yaml --
replicas: 3
-- apps/plain/kustomization.yaml --
namespace: plain
resources: [pod.yaml]
-- apps/plain/pod.yaml --
apiVersion: v1
kind: Pod
metadata: {name: plain-controllers}
spec:
  containers:
  - {name: main, env: [{name: JANGAR_MIGRATIONS, value: skip}]}
`

// describe tells a diff in a few lines: each target that is worth showing, its
// containers that changed, and its findings.
func describe(d *Diff) string {
	var b strings.Builder
	for _, t := range d.Targets {
		if !t.isWorthShowing() {
			continue
		}
		path := t.Path
		if t.BasePath != "" {
			path = t.BasePath + " → " + path
		}
		b.WriteString(strings.TrimSpace(fmt.Sprintf("%s %s %s", t.Change, path, t.Status)) + "\n")
		for _, text := range []string{t.Error, t.BaseError} {
			if text != "" {
				fmt.Fprintf(&b, "  ! %s\n", text)
			}
		}
		for _, w := range t.Workloads {
			for _, c := range w.Containers {
				if c.Change != Unchanged || changeOf(w.Role, Added) == Changed {
					fmt.Fprintf(&b, "  %s %s/%s %s %s: %s\n", c.Change, w.Kind, w.Name, sides(w.Role), c.Name, c.modeText())
				}
			}
		}
		if t.LostControllers {
			b.WriteString("  lost controllers\n")
		}
		for _, group := range []struct {
			name     string
			findings []report.Finding
		}{{"new", t.Findings.New}, {"kept", t.Findings.Kept}, {"fixed", t.Findings.Fixed}} {
			for _, f := range group.findings {
				fmt.Fprintf(&b, "  %s\n", strings.Join(strings.Fields(group.name+" "+f.Code+" "+f.Workload+" "+f.Container), " "))
			}
		}
	}
	return b.String()
}

// quick leaves out what most tests do not look at.
var quick = check.Options{WithoutCauses: true}

// testRepository is a repository with what is asked of it here.
type testRepository struct{ *repositorytest.Repository }

func newRepository(t testing.TB) *testRepository {
	t.Helper()
	return &testRepository{repositorytest.New(t)}
}

// in is the repository for another test.
func (r *testRepository) in(t testing.TB) *testRepository {
	inner := *r.Repository
	inner.TB = t
	return &testRepository{&inner}
}

// run compares paths with a base, in the folder of the repository.
func (r *testRepository) run(base string, paths ...string) *Diff {
	r.Helper()
	d, err := Run(r.Context(), paths, Options{Base: base, Check: quick})
	r.Must(err)
	return d
}

func (r *testRepository) expect(d *Diff, want string, status int) {
	r.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), describe(d)); diff != "" {
		r.Errorf("(-want +got):\n%s", diff)
	}
	if got := d.ExitStatus(false, false); got != status {
		r.Errorf("exit status %d, want %d", got, status)
	}
	r.validate(d)
}

// validate requires the JSON of a diff to be valid by the schema.
func (r *testRepository) validate(d *Diff) {
	r.Helper()
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	r.Must(err)
	compiler := jsonschema.NewCompiler()
	r.Must(compiler.AddResource("schema.json", schema))
	compiled, err := compiler.Compile("schema.json")
	r.Must(err)
	var written bytes.Buffer
	r.Must(d.WriteJSON(&written))
	document, err := jsonschema.UnmarshalJSON(&written)
	r.Must(err)
	r.Must(compiled.Validate(document))
}

// TestSchema: what the diff's schema says of findings is what the report's says.
func TestSchema(t *testing.T) {
	type definitions struct {
		Defs map[string]any `json:"$defs"`
	}
	var ofReport, ofDiff definitions
	for schema, into := range map[*[]byte]*definitions{&report.Schema: &ofReport, &Schema: &ofDiff} {
		if err := json.Unmarshal(*schema, into); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"finding", "anyFinding", "exempted", "until", "cause", "fix"} {
		if diff := cmp.Diff(ofReport.Defs[name], ofDiff.Defs[name]); diff != "" || ofDiff.Defs[name] == nil {
			t.Errorf("%s (-report +diff):\n%s", name, diff)
		}
	}
}

// TestTenCommits tells what each commit of a history did.
func TestTenCommits(t *testing.T) {
	lane.Full(t)
	r := newRepository(t)
	t.Chdir(r.Dir)
	r.WriteFiles(start)
	r.Commit("main")
	judge := func() *report.Report {
		judged, err := check.All(t.Context(), []string{"."}, quick)
		r.Must(err)
		return judged
	}
	before := judge()
	for _, step := range []struct {
		name    string
		change  func()
		want    string
		status  int
		newOnly int
	}{
		{"value flipped", func() { r.WriteFiles("-- apps/agents/values.yaml --\nreplicas: 2\nmigrations: auto\n") }, `
changed apps/agents fail
  changed Pod/agents-controllers controllers main: skip → auto
  new CNM002 Pod/agents-controllers main
`, 1, 1},
		{"patch added", func() {
			r.Replace("apps/plain/kustomization.yaml", "resources", "patches: [{path: patch.yaml}]\nresources")
			r.WriteFiles("-- apps/plain/patch.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: plain-controllers}\nspec:\n  containers:\n  - {name: main, env: [{name: JANGAR_MIGRATIONS, value: 'true'}]}\n")
		}, `
kept apps/agents fail
  kept CNM002 Pod/agents-controllers main
changed apps/plain fail
  changed Pod/plain-controllers controllers main: skip → auto
  new CNM002 Pod/plain-controllers main
`, 1, 1},
		{"container added", func() {
			r.Replace("charts/service/templates/pod.yaml", "spec:\n", "spec:\n  initContainers: [{name: wait}]\n")
		}, `
changed apps/agents fail
  added Pod/agents-controllers controllers wait: auto
  new CNM001 Pod/agents-controllers wait
  kept CNM002 Pod/agents-controllers main
kept apps/plain fail
  kept CNM002 Pod/plain-controllers main
changed apps/workers fail
  added Pod/workers-controllers controllers wait: auto
  new CNM001 Pod/workers-controllers wait
`, 1, 1},
		{"container removed", func() { r.Replace("charts/service/templates/pod.yaml", "  initContainers: [{name: wait}]\n", "") }, `
changed apps/agents fail
  removed Pod/agents-controllers controllers wait: auto
  kept CNM002 Pod/agents-controllers main
  fixed CNM001 Pod/agents-controllers wait
kept apps/plain fail
  kept CNM002 Pod/plain-controllers main
changed apps/workers pass
  removed Pod/workers-controllers controllers wait: auto
  fixed CNM001 Pod/workers-controllers wait
`, 1, 0},
		{"app renamed", func() { r.Move("apps/plain", "apps/simple") }, `
kept apps/agents fail
  kept CNM002 Pod/agents-controllers main
moved apps/plain → apps/simple fail
  kept CNM002 Pod/plain-controllers main
`, 1, 0},
		{"app moved and changed", func() {
			r.Move("apps/simple", "more/deep/simple")
			r.Remove("more/deep/simple/patch.yaml")
			r.Replace("more/deep/simple/kustomization.yaml", "patches: [{path: patch.yaml}]\n", "")
			r.Replace("more/deep/simple/pod.yaml", "containers:\n", "containers:\n  - {name: second}\n")
		}, `
kept apps/agents fail
  kept CNM002 Pod/agents-controllers main
moved apps/simple → more/deep/simple fail
  added Pod/plain-controllers controllers second: auto
  changed Pod/plain-controllers controllers main: auto → skip
  new CNM001 Pod/plain-controllers second
  fixed CNM002 Pod/plain-controllers main
`, 1, 1},
		{"finding fixed", func() { r.Replace("more/deep/simple/pod.yaml", "  - {name: second}\n", "") }, `
kept apps/agents fail
  kept CNM002 Pod/agents-controllers main
changed more/deep/simple pass
  removed Pod/plain-controllers controllers second: auto
  fixed CNM001 Pod/plain-controllers second
`, 1, 0},
		{"new app with an old finding", func() {
			r.WriteFiles("-- apps/gateway/kustomization.yaml --\nnamespace: gateway\nhelmGlobals: {chartHome: ../../charts}\nhelmCharts:\n- {name: service, releaseName: gateway, valuesFile: values.yaml}\n-- apps/gateway/values.yaml --\nmigrations: auto\n")
		}, `
kept apps/agents fail
  kept CNM002 Pod/agents-controllers main
added apps/gateway fail
  added Pod/gateway-controllers controllers main: auto
  new CNM002 Pod/gateway-controllers main
`, 1, 1},
		{"chart changed below its apps", func() {
			r.Replace("charts/service/templates/pod.yaml", "JANGAR_MIGRATIONS,", "JANGAR_MIGRATION,")
		}, `
changed apps/agents fail
  new CNM001 Pod/agents-controllers main
  fixed CNM002 Pod/agents-controllers main
changed apps/gateway fail
  new CNM001 Pod/gateway-controllers main
  fixed CNM002 Pod/gateway-controllers main
changed apps/workers fail
  changed Pod/workers-controllers controllers main: skip → auto
  new CNM001 Pod/workers-controllers main
`, 1, 1},
		{"apps deleted, and the chart that only they read", func() {
			for _, dir := range []string{"apps/agents", "apps/gateway", "apps/workers", "charts/service"} {
				r.Remove(dir)
			}
		}, `
removed apps/agents
  removed Pod/agents-controllers controllers main: auto
  lost controllers
  fixed CNM001 Pod/agents-controllers main
removed apps/gateway
  removed Pod/gateway-controllers controllers main: auto
  lost controllers
  fixed CNM001 Pod/gateway-controllers main
removed apps/workers
  removed Pod/workers-controllers controllers main: auto
  lost controllers
  fixed CNM001 Pod/workers-controllers main
`, 0, 0},
	} {
		t.Run(step.name, func(t *testing.T) {
			// Before the commit the change counts already.
			step.change()
			uncommitted := r.run("main", ".")
			r.Commit("main")
			d := r.run("HEAD~1", ".")
			if diff := cmp.Diff(describe(d), describe(uncommitted)); diff != "" {
				t.Errorf("uncommitted (-committed +uncommitted):\n%s", diff)
			}
			// Two reports of check on both sides say the same.
			after := judge()
			files, err := Files(File{"before.json", before}, File{"-", after})
			r.Must(err)
			before = after
			if diff := cmp.Diff(describe(d), describe(files)); diff != "" {
				t.Errorf("two reports (-repository +reports):\n%s", diff)
			}
			r := r.in(t)
			r.expect(d, strings.ReplaceAll(step.want, "kept apps", "unchanged apps"), step.status)
			r.expect(files, strings.ReplaceAll(step.want, "kept apps", "unchanged apps"), step.status)
			for _, d := range []*Diff{d, files} {
				if got := d.ExitStatus(true, false); got != step.newOnly {
					t.Errorf("exit status %d with only new findings, want %d", got, step.newOnly)
				}
			}
		})
	}
}

const kustomization = "-- app/kustomization.yaml --\nresources: [pod.yaml]\n"

// pod is an app with one pod.
func pod(name, value string) string {
	return kustomization + "-- app/pod.yaml --\n" + podText(name, value)
}

func podText(name, value string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec:\n  containers:\n  - {name: main, env: [{name: JANGAR_MIGRATIONS, value: %q}]}\n", name, value)
}

// TestLastControllers: a change after which the contract binds nothing is told
// so, however it came about.
func TestLastControllers(t *testing.T) {
	for _, test := range []struct {
		name   string
		path   string
		change func(r *testRepository)
		want   string
		status int
	}{
		{"renamed", ".", func(r *testRepository) { r.Replace("app/pod.yaml", "x-controllers", "x-workers") }, `
changed app pass
  added Pod/x-workers control-plane main: skip
  removed Pod/x-controllers controllers main: skip
  lost controllers
  new CNM103
changed . fail
  new CNM007
`, 1},
		{"named app", "app", func(r *testRepository) { r.Replace("app/pod.yaml", "x-controllers", "x-workers") }, `
changed app fail
  added Pod/x-workers control-plane main: skip
  removed Pod/x-controllers controllers main: skip
  lost controllers
  new CNM007
  new CNM103
`, 1},
		{"label gone", "app", func(r *testRepository) {
			r.Replace("app/pod.yaml", "JANGAR", "AGENTS")
			r.Replace("app/pod.yaml", "x-c", "c")
		}, `
changed app fail
  removed Pod/x-controllers controllers main: skip
  lost controllers
  new CNM007
`, 1},
		{"app deleted", ".", func(r *testRepository) { r.Remove("app") }, `
removed app
  removed Pod/x-controllers controllers main: skip
  lost controllers
changed . fail
  new CNM007
`, 1},
		{"named app deleted", "app", func(r *testRepository) { r.Remove("app") }, `
removed app
  removed Pod/x-controllers controllers main: skip
  lost controllers
changed . fail
  new CNM007
`, 1},
		{"named app moved away", "app", func(r *testRepository) { r.Move("app", "other/place") }, `
moved app → other/place pass
`, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRepository(t)
			t.Chdir(r.Dir)
			r.WriteFiles(pod("x-controllers", "skip"))
			r.Commit("main")
			test.change(r)
			d := r.run("main", test.path)
			r.expect(d, test.want, test.status)
			if got := d.ExitStatus(true, false); got != test.status {
				t.Errorf("exit status %d with only new findings, want %d", got, test.status)
			}
		})
	}
}

// TestPaths: paths are those of the working directory, whatever that is, and an
// app is followed out of them and into them.
func TestPaths(t *testing.T) {
	r := newRepository(t)
	r.WriteFiles(start)
	r.Commit("main")
	r.Replace("apps/plain/pod.yaml", "skip", "auto")
	r.Move("apps/workers", "elsewhere/workers")
	r.WriteFiles("-- sub/folder/readme.md --\n")

	const plain = `
changed %splain fail
  changed Pod/plain-controllers controllers main: skip → auto
  new CNM002 Pod/plain-controllers main
`
	const moved = "moved %s → %s pass\n"
	for _, test := range []struct {
		dir, path, want string
		status          int
	}{
		{"apps", ".", fmt.Sprintf(plain[1:], "") + fmt.Sprintf(moved, "workers", "../elsewhere/workers"), 1},
		{"apps/plain", ".", strings.Replace(fmt.Sprintf(plain[1:], ""), "plain", ".", 1), 1},
		{"sub/folder", "../../apps/plain", fmt.Sprintf(plain, "../../apps/"), 1},
		{"sub/folder", "ABSOLUTE/apps/plain", fmt.Sprintf(plain, "../../apps/"), 1},
		{"sub", "../elsewhere", fmt.Sprintf(moved, "../apps/workers", "../elsewhere/workers"), 0},
		{"apps", "workers", fmt.Sprintf(moved, "workers", "../elsewhere/workers"), 0},
		{".", "apps/agents", "", 0},
	} {
		t.Run(test.dir+" "+test.path, func(t *testing.T) {
			t.Chdir(filepath.Join(r.Dir, test.dir))
			r := r.in(t)
			r.expect(r.run("main", strings.ReplaceAll(test.path, "ABSOLUTE", r.Dir)), test.want, test.status)
		})
	}
}

// TestMoved: apps are recognised by their content, or else by their workloads.
func TestMoved(t *testing.T) {
	for _, test := range []struct {
		name   string
		base   string
		change func(r *testRepository)
		want   string
	}{
		{
			"rewritten, same workloads", pod("x-controllers", "skip"),
			func(r *testRepository) {
				r.Remove("app")
				r.WriteFiles("-- new/kustomization.yaml --\nresources:\n  - all.json\n-- new/all.json --\n" +
					`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x-controllers"}, "spec": {"containers": [{"name": "main", "env": [{"name": "JANGAR_MIGRATIONS", "value": "skip"}]}]}}`)
			}, "moved app → new pass\n",
		},
		{
			"nothing alike", pod("x-controllers", "skip"),
			func(r *testRepository) {
				r.Remove("app")
				r.WriteFiles("-- new/kustomization.yaml --\nresources:\n  - all.json\n-- new/all.json --\n" +
					`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "y-controllers"}, "spec": {"containers": [{"name": "main", "env": [{"name": "JANGAR_MIGRATIONS", "value": "skip"}]}]}}`)
			}, `
removed app
  removed Pod/x-controllers controllers main: skip
  lost controllers
added new pass
  added Pod/y-controllers controllers main: skip
`,
		},
		{
			"two equal apps keep their names", pod("x-controllers", "skip") + strings.ReplaceAll(pod("x-controllers", "skip"), "app/", "bpp/"),
			func(r *testRepository) { r.Move("app", "z/bpp"); r.Move("bpp", "z/app") },
			"moved app → z/app pass\nmoved bpp → z/bpp pass\n",
		},
		{
			"another app in the old place", pod("x-controllers", "skip"),
			func(r *testRepository) { r.Move("app", "new"); r.WriteFiles(pod("y-controllers", "skip")) },
			`
changed app pass
  added Pod/y-controllers controllers main: skip
  removed Pod/x-controllers controllers main: skip
added new pass
  added Pod/x-controllers controllers main: skip
`,
		},
		{
			"a folder of apps was an app", "-- apps/kustomization.yaml --\nresources: [one]\n" + strings.ReplaceAll(pod("x-controllers", "skip"), "app/", "apps/one/"),
			func(r *testRepository) { r.Remove("apps/kustomization.yaml") },
			"removed apps\n  removed Pod/x-controllers controllers main: skip\n  lost controllers\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRepository(t)
			t.Chdir(r.Dir)
			r.WriteFiles(test.base)
			r.Commit("main")
			test.change(r)
			r.expect(r.run("main", "."), test.want, 0)
		})
	}
}

// TestUnjudged: an app that does not render on the base side has new findings
// only; one that does not on the head side is undecided.
func TestUnjudged(t *testing.T) {
	r := newRepository(t)
	t.Chdir(r.Dir)
	r.WriteFiles(pod("x-controllers", "auto"))
	r.Remove("app/pod.yaml")
	broken := r.Commit("main")
	r.WriteFiles(pod("x-controllers", "auto"))
	r.Commit("main")
	d := r.run("HEAD~1", ".")
	r.expect(d, `
changed app fail
  ! render app: app/kustomization.yaml: pod.yaml: no such file or folder
  unknown Pod/x-controllers controllers main: auto
  new CNM002 Pod/x-controllers main
`, 1)
	if got := d.ExitStatus(true, false); got != 1 {
		t.Errorf("exit status %d, want 1", got)
	}

	r.Remove("app/pod.yaml")
	d = r.run("HEAD", ".")
	r.expect(d, `
changed app error
  ! render app: app/kustomization.yaml: pod.yaml: no such file or folder
`, 2)
	if got := d.ExitStatus(true, false); got != 2 {
		t.Errorf("exit status %d, want 2", got)
	}
	t.Chdir(filepath.Join(r.Dir, "app"))
	d = r.run(broken.String(), ".")
	r.expect(d, `
changed . error
  ! render .: kustomization.yaml: pod.yaml: no such file or folder
  ! render .: kustomization.yaml: pod.yaml: no such file or folder
`, 2)
}

// TestLinks: a symbolic link out of the tree does not make a file of the machine
// part of the base side; one inside of it works.
func TestLinks(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "pod.yaml")
	if err := os.WriteFile(outside, []byte(podText("x-controllers", "skip")), 0o644); err != nil {
		t.Fatal(err)
	}
	r := newRepository(t)
	t.Chdir(r.Dir)
	r.WriteFiles(pod("x-controllers", "skip") + strings.ReplaceAll(pod("y-controllers", "skip"), "app/", "linked/"))
	r.Move("linked/pod.yaml", "linked/real.yaml")
	link := func(target, name string) { r.Must(os.Symlink(target, filepath.Join(r.Dir, name))) }
	link("real.yaml", "linked/pod.yaml")
	link("nowhere", "dangling")
	link("loop", "loop")
	link("..", "app/up")
	link("app/up/../..", "sly")
	link(filepath.Join(r.Dir, "app"), "absolute")
	r.Remove("app/pod.yaml")
	link(outside, "app/pod.yaml")
	r.Commit("main")
	r.Remove("app/pod.yaml")
	r.WriteFiles(pod("x-controllers", "skip"))
	r.Remove("absolute")
	r.Remove("sly")
	r.Remove("loop")
	r.Remove("app/up")

	d := r.run("main", ".")
	r.expect(d, `
changed app pass
  ! render app: app/kustomization.yaml: pod.yaml: no such file or folder; the base side is without 4 symbolic links that lead out of the repository or files that are too large: absolute, app/pod.yaml, loop, sly
  unknown Pod/x-controllers controllers main: skip
`, 0)
	if diff := cmp.Diff([]string{"absolute", "app/pod.yaml", "loop", "sly"}, d.Base.LeftOut); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}

// TestNothingIsWritten: neither the repository nor the temporary folder has
// anything in it afterwards that was not there before.
func TestNothingIsWritten(t *testing.T) {
	r := newRepository(t)
	t.Chdir(r.Dir)
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	r.WriteFiles(start)
	r.Commit("main")
	r.Replace("apps/plain/pod.yaml", "skip", "auto")
	state := func() map[string]string {
		files := map[string]string{}
		for _, root := range []string{r.Dir, temporary} {
			r.Must(filepath.Walk(root, func(file string, info os.FileInfo, err error) error {
				if err == nil {
					files[file] = fmt.Sprint(info.Mode(), info.ModTime())
				}
				if err == nil && info.Mode().IsRegular() {
					content, err := os.ReadFile(file)
					r.Must(err)
					files[file] += string(content)
				}
				return err
			}))
		}
		delete(files, temporary) // its time changes
		return files
	}
	before := state()
	r.run("main", ".")
	if diff := cmp.Diff(before, state()); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	r := newRepository(t)
	r.WriteFiles(pod("x-controllers", "skip") + "-- notes/readme.md --\n")
	r.Commit("main")
	alone := r.CommitTree(r.Tree(r.Dir))
	outside := t.TempDir()
	for _, test := range []struct{ name, dir, path, base, want string }{
		{"not a repository", outside, ".", "main", "not in a git repository: run diff inside of the working tree that is compared"},
		{"bare", filepath.Join(r.Dir, ".git"), ".", "main", "this repository is bare: it has no working tree, which is the head side; make one with `git worktree add`"},
		{"unknown revision", r.Dir, ".", "release", `revision "release" is not in this repository: fetch it: git fetch origin release`},
		{"unknown branch of a remote", r.Dir, ".", "origin/main~2", `revision "origin/main~2" is not in this repository: fetch it: git fetch origin main`},
		{"unknown hash", r.Dir, ".", "0123456789012345678901234567890123456789", `revision "0123456789012345678901234567890123456789" is not in this repository: there is no commit 012345678901: fetch it: git fetch origin 0123456789012345678901234567890123456789`},
		{"before the first commit", r.Dir, ".", "HEAD~3", fmt.Sprintf(`revision "HEAD~3": commit %.12s has 0 parents`, r.head())},
		{"reflog", r.Dir, ".", "main@{1}", `revision "main@{1}": use a branch, a tag, a hash, HEAD or origin/BRANCH, with ~N or ^N after it if need be`},
		{"flag", r.Dir, ".", "-x", `revision "-x" is not in this repository: fetch it: git fetch origin -x`},
		{"other history", r.Dir, ".", alone.String(), fmt.Sprintf("%.12s and HEAD have no common ancestor: pass --no-merge-base to compare with the revision itself", alone)},
		{"path outside", r.Dir, outside, "main", outside + ": outside of the repository"},
		{"path that climbs out", r.Dir, "..", "main", "..: outside of the repository"},
		{"standard input", r.Dir, "-", "main", "-: standard input has no base side: name an app, a manifest or a folder of the repository"},
		{"no such path", r.Dir, "gone", "main", "gone: no such file or folder, neither in the working tree nor in main"},
		{"no app", r.Dir, "notes", "main", "notes: no app, chart or manifest with a workload in it or below it: an app is a folder with a kustomization.yaml, a chart one with a Chart.yaml, neither in the working tree nor in main"},
		{"not a manifest", r.Dir, "notes/readme.md", "main", "notes/readme.md: not a manifest: its name must end in .yaml, .yml, .json"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(test.dir)
			_, err := Run(t.Context(), []string{test.path}, Options{Base: test.base})
			if err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func (r *testRepository) head() string {
	ref, err := r.Storage.Reference("refs/heads/main")
	r.Must(err)
	return ref.Hash().String()
}

// TestConstraints: both sides are judged by the constraint of today.
func TestConstraints(t *testing.T) {
	r := newRepository(t)
	t.Chdir(r.Dir)
	r.WriteFiles(pod("x-controllers", "auto"))
	r.Commit("main")
	r.WriteFiles("-- constraint.yaml --\napiVersion: constraints.gatekeeper.sh/v1beta1\nkind: ControllersNeverMigrate\nmetadata: {name: renamed}\nspec: {parameters: {envVar: AGENTS_MIGRATIONS}}\n")
	d, err := Run(t.Context(), []string{"."}, Options{Base: "main", Check: check.Options{WithoutCauses: true, Constraints: []string{"constraint.yaml"}}})
	r.Must(err)
	r.expect(d, "unchanged app fail\n  kept CNM001 Pod/x-controllers main\n", 1)
}

// TestCausesOfNew: old findings cost no search, and what is new has its causes.
func TestCausesOfNew(t *testing.T) {
	r := newRepository(t)
	t.Chdir(r.Dir)
	r.WriteFiles(start)
	r.Replace("apps/plain/pod.yaml", "skip", "auto")
	r.Commit("main")
	r.WriteFiles("-- apps/agents/values.yaml --\nmigrations: auto\n")
	for _, newOnly := range []bool{false, true} {
		d, err := Run(t.Context(), []string{"."}, Options{Base: "main", CausesOfNew: newOnly})
		r.Must(err)
		r.expect(d, `
changed apps/agents fail
  changed Pod/agents-controllers controllers main: skip → auto
  new CNM002 Pod/agents-controllers main
unchanged apps/plain fail
  kept CNM002 Pod/plain-controllers main
`, 1)
		added := d.Head(newOnly).Targets[0].Findings[0]
		if len(added.Causes) == 0 || added.Causes[0].File != "apps/agents/values.yaml" {
			t.Errorf("causes of the new finding: %v", added.Causes)
		}
		kept := d.Targets[1].Findings.Kept[0]
		if newOnly != (len(kept.Causes) == 0) {
			t.Errorf("causes of the kept finding, with causes of new ones only %v: %v", newOnly, kept.Causes)
		}
	}
}

// TestFolderOutside: the base side never lies below the head side.
func TestFolderOutside(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	inside, outside := filepath.Join(top, "tmp"), t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Mkdir(inside, 0o700), os.Symlink(inside, link)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what, want string
		places     []string
	}{
		{"the first that is outside", outside, []string{inside, link, filepath.Join(top, "missing"), outside, t.TempDir()}},
		{"none", "", []string{inside, link}},
	} {
		folder, err := folderOutside(top, test.places)
		if test.want == "" {
			if want := inside + " is inside of the repository: set TMPDIR to a folder outside of it"; err == nil || err.Error() != want {
				t.Errorf("%s: %v, want %s", test.what, err, want)
			}
			continue
		}
		if real, _ := filepath.EvalSymlinks(test.want); err != nil || filepath.Dir(folder) != real {
			t.Errorf("%s: %s, %v, want one in %s", test.what, folder, err, real)
		}
	}
}
