package workflows

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// standins are what other actions do, as far as these workflows need it. A checkout
// clones a folder; a cache has a program, if any; artifacts are copied to a folder.
var standins = map[string]string{
	"actions/checkout": `
inputs: {repository: {default: ""}, ref: {default: ""}, path: {default: .}, fetch-depth: {default: "1"}, persist-credentials: {default: "true"}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {OF: "${{ inputs.repository }}", REF: "${{ inputs.ref }}", TO: "${{ inputs.path }}", DEPTH: "${{ inputs.fetch-depth }}"}
      run: |
        from=$STANDIN_REPOSITORY
        if [ "$OF" = proompteng/nevermigrate ]; then from=$STANDIN_NEVERMIGRATE; fi
        git init -q "$TO"
        cd "$TO"
        git remote add origin "file://$from"
        depth=()
        if [ "$DEPTH" != 0 ]; then depth=(--depth "$DEPTH"); fi
        git fetch -q "${depth[@]}" origin '+refs/heads/*:refs/remotes/origin/*' "${REF:-refs/heads/change}"
        git checkout -q --detach "$(git rev-parse "${REF:-refs/remotes/origin/change}")"
`,
	"actions/cache": `
inputs: {path: {default: ""}, key: {default: ""}, restore-keys: {default: ""}}
outputs: {cache-hit: {value: "${{ steps.restore.outputs.hit }}"}}
runs:
  using: composite
  steps:
    - id: restore
      shell: bash
      env: {KEY: "${{ inputs.key }}", TO: "${{ inputs.path }}"}
      run: |
        if [ -n "$STANDIN_CACHED" ] && [[ $KEY =~ ^nevermigrate-Linux-[A-Z0-9]+-[0-9a-f]{64}$ ]]; then
          mkdir -p "$TO"
          cp "$STANDIN_CACHED" "$TO"
          echo hit=true >>"$GITHUB_OUTPUT"
        fi
`,
	"actions/setup-go": `
inputs: {go-version-file: {default: ""}, cache: {default: ""}, cache-dependency-path: {default: ""}}
runs: {using: composite, steps: [{shell: bash, env: {FILE: "${{ inputs.go-version-file }}"}, run: 'grep -q ^module "$FILE" && go version'}]}
`,
	"actions/upload-artifact": `
inputs: {name: {default: ""}, path: {default: ""}, if-no-files-found: {default: ""}}
runs: {using: composite, steps: [{shell: bash, env: {FILES: "${{ inputs.path }}", NAME: "${{ inputs.name }}"}, run: 'mkdir -p "$STANDIN_ARTIFACTS/$NAME" && xargs -d "\n" cp -t "$STANDIN_ARTIFACTS/$NAME" <<<"$(grep . <<<"$FILES")"'}]}
`,
}

// uses finds the actions of others that a workflow or an action uses.
var uses = regexp.MustCompile(`uses: (actions/[a-z-]+)(?:/[a-z]+)?@([0-9a-f]{40})`)

// github is what stands for it here: act with stand-ins, a repository with nevermigrate,
// and a server with its release.
type github struct {
	workplace
	act string
	// released and source are clones of this repository: with a release of it, and as it
	// is; releasedAt and sourceAt are their commits.
	released, source     string
	releasedAt, sourceAt string
	replace              []string
	mu                   sync.Mutex
	asked                []string
	sum                  string // of the archive
	// served stands in place of the release when it is not empty.
	served string
}

// newGithub packs the program as release 0.1.0, and serves that.
func newGithub(t *testing.T) *github {
	needs(t, "bash", "curl", "git")
	g := &github{workplace: workplace{t, t.TempDir()}, act: stock.ToolOf(t, "act", "act")}
	g.source, g.released = filepath.Join(g.root, "source"), filepath.Join(g.root, "released")
	g.snapshot(g.source)
	// act tells a workflow nothing of itself. Here a variable does.
	workflow := filepath.Join(g.source, ".github/workflows/controllers-never-migrate.yml")
	text, err := os.ReadFile(workflow)
	if err != nil {
		t.Fatal(err)
	}
	told := strings.ReplaceAll(strings.ReplaceAll(string(text), "job.workflow_sha", "vars.WORKFLOW_SHA"), "job.workflow_repository", "'proompteng/nevermigrate'")
	if told == string(text) {
		t.Fatal("the workflow does not ask for its own commit")
	}
	write(t, workflow, told, 0o644)
	write(t, filepath.Join(g.source, actionFolder, "checksums.txt"), "# none\nno release\n", 0o644)
	g.sourceAt = g.commit(g.source, "change")

	linked, err := os.ReadFile(program(t))
	if err != nil {
		t.Fatal(err)
	}
	archive := tarball(t, map[string]string{"nevermigrate": string(linked)})
	files := archives(t)
	files[file] = archive
	g.sum = fmt.Sprintf("%x", sha256.Sum256(archive))
	g.git(g.root, "clone", "-q", g.source, g.released)
	write(t, filepath.Join(g.root, "checksums.txt"), sums(files), 0o644)
	release := exec.Command(filepath.Join(g.released, "scripts/action-checksums"), "0.1.0", filepath.Join(g.root, "checksums.txt"))
	if out, err := release.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	g.releasedAt = g.commit(g.released, "released")
	g.serve(archive)
	g.standIns(text)
	return g
}

// serve is github.com for curl, with one file.
func (g *github) serve(archive []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		g.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "github.com"}, DNSNames: []string{"github.com"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		g.t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.asked = append(g.asked, r.Host+r.URL.Path)
		switch {
		case r.URL.Path != "/proompteng/nevermigrate/releases/download/v0.1.0/"+file:
			http.NotFound(w, r)
		case g.served != "":
			io.WriteString(w, g.served)
		default:
			w.Write(archive)
		}
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}}
	server.StartTLS()
	g.t.Cleanup(server.Close)
	write(g.t, filepath.Join(g.root, "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})), 0o644)
	write(g.t, filepath.Join(g.root, "curl/.curlrc"), fmt.Sprintf("connect-to = \"github.com:443:%s\"\n", server.Listener.Addr()), 0o644)
}

// standIns makes a repository for each action of others that the workflows and the action
// use, and has act take it and the clones of nevermigrate.
func (g *github) standIns(workflow []byte) {
	text := string(workflow)
	for _, file := range []string{".github/workflows/ci.yml", actionFolder + "/action.yml"} {
		more, err := os.ReadFile(filepath.Join(stock.Root(g.t), file))
		if err != nil {
			g.t.Fatal(err)
		}
		text += string(more)
	}
	for _, match := range uses.FindAllStringSubmatch(text, -1) {
		name, at := match[1], match[2]
		standin, found := standins[name]
		if !found {
			g.t.Fatalf("there is no stand-in for %s", name)
		}
		dir := filepath.Join(g.root, "standins", name)
		if _, err := os.Stat(dir); err == nil {
			continue
		}
		for _, folder := range []string{"", "restore", "save"} {
			write(g.t, filepath.Join(dir, folder, "action.yml"), "name: "+name+standin, 0o644)
		}
		g.commit(dir, "main")
		g.replace = append(g.replace, "--local-repository", name+"@"+at+"="+dir)
	}
	g.replace = append(g.replace,
		"--local-repository", "proompteng/nevermigrate@"+g.releasedAt+"="+g.released,
		"--local-repository", "proompteng/nevermigrate@"+g.sourceAt+"="+g.source)
}

// job is what became of a workflow.
type job struct {
	// annotations are whole lines, and so are commands, which are those that GitHub would
	// have obeyed but for annotations and for the pair that stops commands. Ignored are
	// what came between those.
	annotations, commands, ignored []string
	ok                             bool
	log                            string
}

// run runs the workflow of a repository as on a pull request from its branch change, with
// a clone of nevermigrate, and with variables that the workflows see as vars.
func (g *github) run(t *testing.T, repository, base, nevermigrate string, vars map[string]string, more ...string) job {
	t.Helper()
	name := g.of(t)
	event, err := json.Marshal(map[string]any{"pull_request": map[string]any{
		"base": map[string]any{"sha": base, "ref": "main"}, "head": map[string]any{"ref": "change"}}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, name+".event.json", string(event), 0o644)
	args := append([]string{"pull_request", "--json", "--action-offline-mode", "--no-skip-checkout", "-P", "ubuntu-24.04=-self-hosted", "-e", name + ".event.json"}, g.replace...)
	for _, env := range []string{
		"STANDIN_REPOSITORY=" + repository, "STANDIN_ARTIFACTS=" + name + ".artifacts",
		"STANDIN_NEVERMIGRATE=" + nevermigrate, "CURL_HOME=" + filepath.Join(g.root, "curl"), "CURL_CA_BUNDLE=" + filepath.Join(g.root, "ca.pem"),
		"GIT_CONFIG_NOSYSTEM=1",
	} {
		args = append(args, "--env", env)
	}
	for name, value := range vars {
		args = append(args, "--var", name+"="+value)
	}
	cmd := exec.Command(g.act, append(args, more...)...)
	cmd.Dir = repository
	// What else is set, as on GitHub, act would take for its own.
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, "HOME="+filepath.Join(g.root, "home"), "XDG_CACHE_HOME="+filepath.Join(g.root, "home", "cache"), "XDG_CONFIG_HOME="+filepath.Join(g.root, "home", "config"))
	if cache, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output(); err == nil {
		caches := strings.Fields(string(cache))
		cmd.Env = append(cmd.Env, "GOCACHE="+caches[0], "GOMODCACHE="+caches[1])
		cmd.Args = append(cmd.Args, "--env", "GOCACHE="+caches[0], "--env", "GOMODCACHE="+caches[1])
	}
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	got := job{ok: err == nil, log: string(out)}
	word := ""
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var line struct{ Command, Raw, Arg string }
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Raw == "" {
			continue
		}
		raw := strings.TrimSuffix(line.Raw, "\n")
		switch line.Command {
		case "", word:
		case "stop-commands":
			word = line.Arg
		case "ignored":
			got.ignored = append(got.ignored, raw)
		case "error", "warning", "notice":
			got.annotations = append(got.annotations, raw)
		default:
			got.commands = append(got.commands, raw)
		}
	}
	return got
}

// requireJob compares what became of a workflow, and shows its log when it differs.
func requireJob(t *testing.T, want, got job) {
	t.Helper()
	log := got.log
	got.log = ""
	diff := cmp.Diff(want, got, cmp.AllowUnexported(job{}))
	if diff == "" {
		return
	}
	for line := range strings.SplitSeq(log, "\n") {
		var entry struct{ Msg string }
		if json.Unmarshal([]byte(line), &entry) == nil && !strings.HasPrefix(entry.Msg, "LocalRepo") {
			t.Log(strings.TrimSuffix(entry.Msg, "\n"))
		}
	}
	for _, line := range got.annotations {
		t.Logf("annotation: %s", line)
	}
	t.Fatalf("job (-want +got):\n%s", diff)
}

// files of the repository that is checked.
const (
	pod = `apiVersion: v1
kind: Pod
metadata: {name: a-controllers}
spec:
  containers:
  - name: main
    env:
    - {name: JANGAR_MIGRATIONS, value: %s}
`
	constraint = `apiVersion: constraints.gatekeeper.sh/v1beta1
kind: ControllersNeverMigrate
metadata: {name: here}
spec:
  enforcementAction: %s
`
	configuration = "paths: [apps]\nconstraints: [constraint.yaml]\n"
	called        = `on: pull_request
permissions:
  contents: read
jobs:
  gate:
    uses: proompteng/nevermigrate/.github/workflows/controllers-never-migrate.yml@%s
`
	own = `on: pull_request
permissions:
  contents: read
jobs:
  gate:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@%s
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: proompteng/nevermigrate/.github/actions/check@%s
`
)

// repository makes one whose main has some files and whose branch change has others, and
// returns it and the commit of main.
func (g *github) repository(t *testing.T, workflow string, base, change map[string]string) (string, string) {
	t.Helper()
	dir := g.of(t)
	files := map[string]string{
		"apps/a/kustomization.yaml": "resources: [pod.yaml]\n", "apps/a/pod.yaml": fmt.Sprintf(pod, "skip"),
		"constraint.yaml": fmt.Sprintf(constraint, "deny"), ".nevermigrate.yaml": configuration,
		".github/workflows/gate.yml": workflow,
	}
	maps.Copy(files, base)
	for name, text := range files {
		write(t, filepath.Join(dir, name), text, 0o644)
	}
	at := g.commit(dir, "main")
	for name, text := range change {
		write(t, filepath.Join(dir, name), text, 0o644)
	}
	g.commit(dir, "change")
	return dir, at
}

// groups are the commands that fold the lines of targets.
func groups(targets ...string) []string {
	var commands []string
	for _, target := range targets {
		commands = append(commands, "::group::"+target, "::endgroup::")
	}
	return commands
}

// TestAct runs the action and the workflows as GitHub runs them. What act cannot do: it
// tells a called workflow nothing of itself, which the test writes into its clone; it runs
// no other system than this one; and it has no caches, no artifacts and no token here, for
// which stand-ins are there, or nothing.
func TestAct(t *testing.T) {
	lane.Full(t)
	g := newGithub(t)
	text, err := os.ReadFile(filepath.Join(stock.Root(t), ".github/workflows/ci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	workflow, step := fmt.Sprintf(called, g.releasedAt), fmt.Sprintf(own, uses.FindStringSubmatch(string(text))[2], g.releasedAt)
	good, bad := map[string]string{"apps/a/pod.yaml": fmt.Sprintf(pod, "skip")}, map[string]string{"apps/a/pod.yaml": fmt.Sprintf(pod, "auto")}
	const (
		broken = `::error file=apps/a/pod.yaml,line=8,col=33,title=CNM002 Pod/a-controllers%2C container main::JANGAR_MIGRATIONS in spec.containers[0].env[0] is "auto", so the service migrates. Set it to value: "skip".%0ACause: apps/a/pod.yaml:8:33 spec.containers[0].env[0].value is "auto" (resource)%0AFix (verified): in apps/a/pod.yaml:8 set spec.containers[0].env[0].value to "skip"%0APage: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM002.md`
		line   = "apps/a: fail"
	)
	reports := []string{"report.html", "report.json", "report.sarif"}
	for _, test := range []struct {
		name         string
		workflow     string
		base, change map[string]string
		// untold is whether the server does not know job.workflow_sha; served stands in
		// place of the release.
		untold    bool
		served    string
		want      job
		artifacts []string
	}{
		{name: "another file in place of the release", workflow: workflow, change: good, served: "another file",
			want: job{annotations: []string{fmt.Sprintf("::error::nevermigrate 0.1.0 could not be downloaded: the SHA-256 of https://github.com/proompteng/nevermigrate/releases/download/v0.1.0/%s is %x, and the action's checksums.txt says %s. Do not use it; tell the maintainers of nevermigrate.",
				file, sha256.Sum256([]byte("another file")), g.sum)}}},
		{name: "breaks the contract", workflow: workflow, change: bad,
			want: job{annotations: []string{broken}, commands: groups(line)}, artifacts: reports},
		{name: "mends it", workflow: workflow, base: bad, change: good,
			want: job{commands: groups("apps/a: pass"), ok: true}, artifacts: reports},
		{name: "weakens it", workflow: workflow, change: map[string]string{"constraint.yaml": fmt.Sprintf(constraint, "dryrun")},
			want: job{annotations: []string{`::error file=constraint.yaml,line=5,col=3,title=CNM008 the whole target::By its own contract less would be judged: spec.enforcementAction in constraint.yaml:5. Leave the contract as it is. If it is meant, let who owns the contract make this change by itself, and judge it with --trust-head.%0ACause: constraint.yaml:5:3 spec.enforcementAction is "dryrun" (constraint)%0APage: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM008.md`},
				commands: groups("apps/a: pass", "constraint.yaml: fail")}, artifacts: reports},
		{name: "does not know its commit", workflow: workflow, change: good, untold: true,
			want: job{annotations: []string{"::error::GitHub does not say here of which commit this workflow is: set the input version to the commit that stands after its name in uses"}}},
		{name: "is told its commit", workflow: workflow + "    with:\n      version: " + g.releasedAt + "\n", change: bad, untold: true,
			want: job{annotations: []string{broken}, commands: groups(line)}, artifacts: reports},
		{name: "breaks it before a step of its own", workflow: step, change: bad,
			want: job{annotations: []string{broken}, commands: groups(line)}},
		// The configuration of the base names no folder, so the names stand at the start of
		// lines of the log.
		{name: "has hostile names", workflow: step, base: map[string]string{".nevermigrate.yaml": "constraints: [constraint.yaml]\n"}, change: map[string]string{
			"::add-mask::owned/pod.yaml":                                       fmt.Sprintf(pod, "auto"),
			"h o\n::error file=owned,line=1::owned\n%0A::add-mask::x/pod.yaml": fmt.Sprintf(pod, "auto"),
			"$(touch owned)`touch owned`/pod.yaml":                             fmt.Sprintf(pod, `"::warning::owned\n::set-output name=x::y"`),
		}, want: job{
			annotations: []string{
				"::error file=$(touch owned)`touch owned`/pod.yaml,line=8,col=33,title=CNM002 Pod/a-controllers%2C container main::JANGAR_MIGRATIONS in spec.containers[0].env[0] is \"::warning::owned\\n::set-output name=x::y\", which is not a skip value, so the service migrates. Set it to value: \"skip\".%0ACause: $(touch owned)`touch owned`/pod.yaml:8:33 spec.containers[0].env[0].value is \"::warning::owned\\n::set-output name=x::y\" (resource)%0APage: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM002.md",
				`::error file=%3A%3Aadd-mask%3A%3Aowned/pod.yaml,line=8,col=33,title=CNM002 Pod/a-controllers%2C container main::JANGAR_MIGRATIONS in spec.containers[0].env[0] is "auto", so the service migrates. Set it to value: "skip".%0ACause: ::add-mask::owned/pod.yaml:8:33 spec.containers[0].env[0].value is "auto" (resource)%0APage: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM002.md`,
				`::error file=h o\n%3A%3Aerror file=owned%2Cline=1%3A%3Aowned\n%250A%3A%3Aadd-mask%3A%3Ax/pod.yaml,line=8,col=33,title=CNM002 Pod/a-controllers%2C container main::JANGAR_MIGRATIONS in spec.containers[0].env[0] is "auto", so the service migrates. Set it to value: "skip".%0ACause: h o\n::error file=owned,line=1::owned\n%250A::add-mask::x/pod.yaml:8:33 spec.containers[0].env[0].value is "auto" (resource)%0APage: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM002.md`,
			},
			commands: groups("$(touch owned)`touch owned`: fail", "::add-mask::owned: fail", "apps/a: pass", `h o\n::error file=owned,line=1::owned\n%250A::add-mask::x: fail`),
			ignored:  []string{"::add-mask::owned: \x1b[31mfail\x1b[0m (added)"},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			told := map[string]string{"WORKFLOW_SHA": g.releasedAt}
			if test.untold {
				told = nil
			}
			g.serveInstead(test.served)
			dir, base := g.repository(t, test.workflow, test.base, test.change)
			requireJob(t, test.want, g.run(t, dir, base, g.released, told))
			requireEqual(t, "artifacts", test.artifacts, g.artifacts(t))
			if slices.Contains(below(t, g.root), "owned") {
				t.Error("a name was run")
			}
		})
	}
	// The wrong file was asked for, and once the right one; all others found it kept.
	release := "github.com/proompteng/nevermigrate/releases/download/v0.1.0/" + file
	if !slices.Equal(g.asked, slices.Repeat([]string{release}, len(g.asked))) || len(g.asked) > 2 {
		t.Errorf("requests: %v", g.asked)
	}

	t.Run("ci of this repository, by its release", func(t *testing.T) {
		got := g.run(t, g.released, g.sourceAt, g.released, map[string]string{"WORKFLOW_SHA": g.releasedAt}, "-W", ".github/workflows/ci.yml", "-j", "fixtures")
		got.commands = nil // The groups are the apps of the fixture.
		requireJob(t, job{ok: true}, got)
		requireEqual(t, "artifacts", reports, g.artifacts(t))
	})
	// breaks runs the workflow on a change of the app of this repository.
	breaks := func(t *testing.T, env string) job {
		dir := g.of(t)
		g.git(g.root, "clone", "-q", g.source, dir)
		values := filepath.Join(dir, "fixtures/argocd/applications/agents/values.yaml")
		text, err := os.ReadFile(values)
		if err != nil {
			t.Fatal(err)
		}
		write(t, values, strings.Replace(string(text), "JANGAR_MIGRATIONS: skip", "JANGAR_MIGRATIONS: auto", 1), 0o644)
		g.commit(dir, "change")
		got := g.run(t, dir, g.sourceAt, g.source, map[string]string{"WORKFLOW_SHA": g.sourceAt}, "-W", ".github/workflows/ci.yml", "-j", "fixtures", "--env", env)
		got.commands = nil
		requireJob(t, job{annotations: []string{`::error file=fixtures/argocd/applications/agents/values.yaml,line=34,col=7,title=CNM002 Deployment/agents-controllers in namespace agents%2C container agents-controllers::JANGAR_MIGRATIONS in spec.template.spec.containers[0].env[9] is "auto", so the service migrates. Set it to value: "skip".%0ACause: fixtures/argocd/applications/agents/values.yaml:34:7 controllers.env.vars.JANGAR_MIGRATIONS is "auto" (values file)%0AOverrides: fixtures/charts/agents/templates/_env.tpl:43:1 agents.controllers.defaults is "skip" (template)%0AFix (verified): in fixtures/argocd/applications/agents/values.yaml:34 set controllers.env.vars.JANGAR_MIGRATIONS to "skip"%0APage: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM002.md`}}, got)
		requireEqual(t, "artifacts", reports, g.artifacts(t))
		return got
	}
	const built = "/build.sh"
	t.Run("ci of this repository, built from source, breaks it", func(t *testing.T) {
		if got := breaks(t, "CGO_ENABLED=1"); !strings.Contains(got.log, built) {
			t.Error("nothing was built")
		}
	})
	t.Run("ci of this repository, built before, breaks it", func(t *testing.T) {
		if got := breaks(t, "STANDIN_CACHED="+program(t)); strings.Contains(got.log, built) {
			t.Error("it was built again")
		}
	})
}

// artifacts are the files that a run has handed on.
func (g *github) artifacts(t *testing.T) []string {
	t.Helper()
	dir := g.of(t) + ".artifacts"
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		return nil
	}
	return slices.Sorted(slices.Values(below(t, dir)))
}

// of begins the names of the files of a test.
func (g *github) of(t *testing.T) string {
	return filepath.Join(g.root, regexp.MustCompile("[^a-z]+").ReplaceAllString(t.Name(), "-"))
}

// serveInstead puts a text in place of the release, or takes it away again.
func (g *github) serveInstead(text string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.served = text
}
