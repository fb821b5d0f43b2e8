package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/output"
)

// hostileFile holds what check says of each hostile input.
const hostileFile = "testdata/hostile/output.txtar"

// Bounds of a hostile input that has none of its own. The time is that of the
// processors: how long a run waits for them is not its fault.
const (
	hostileCPU    = time.Minute
	hostileMemory = 500 // MiB
	// hostileWait ends a run that hangs.
	hostileWait = 5 * time.Minute
)

// hostile is an input that somebody made to be slow, large, or to see files that
// are none of its business.
type hostile struct {
	name string
	// files is a txtar archive of the repository; make adds what an archive
	// cannot hold.
	files string
	make  func(r repo)
	// args follow check; empty is the app.
	args []string
	// cpu and memory, in MiB, are its bounds where they are not the usual ones.
	cpu    time.Duration
	memory int
	// noGit leaves out the .git folder.
	noGit bool
	// long says that the output is long and only its last line is compared.
	long bool
}

// repo is the folder of a repository; files beside it are outside.
type repo struct {
	t   *testing.T
	dir string
}

func (r repo) path(name string) string {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	r.must(os.MkdirAll(filepath.Dir(path), 0o777))
	return path
}

func (r repo) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r repo) write(name, text string) { r.must(os.WriteFile(r.path(name), []byte(text), 0o666)) }
func (r repo) link(name, target string) {
	r.t.Helper()
	r.must(os.Symlink(target, r.path(name)))
}
func (r repo) pipe(name string) { r.must(syscall.Mkfifo(r.path(name), 0o666)) }

// stream writes a file that this process need not hold in its memory, which is
// counted as that of the process it starts.
func (r repo) stream(name string, write func(w *bufio.Writer)) {
	file, err := os.Create(r.path(name))
	r.must(err)
	w := bufio.NewWriter(file)
	write(w)
	r.must(w.Flush())
	r.must(file.Close())
}

// repeat writes a file with n times a text between two others. In the text, %d
// is the number.
func (r repo) repeat(name, before, text, after string, n int) {
	r.stream(name, func(w *bufio.Writer) {
		w.WriteString(before)
		for i := range n {
			if strings.Contains(text, "%d") {
				fmt.Fprintf(w, text, i)
			} else {
				w.WriteString(text)
			}
		}
		w.WriteString(after)
	})
}

// archive writes a packed chart, with one file of so many zeros.
func (r repo) archive(name, file string, zeros int64) {
	r.stream(name, func(w *bufio.Writer) {
		zip := gzip.NewWriter(w)
		pack := tar.NewWriter(zip)
		chart := "apiVersion: v2\nname: sub\nversion: 1.0.0\n"
		r.must(pack.WriteHeader(&tar.Header{Name: "sub/Chart.yaml", Mode: 0o644, Size: int64(len(chart))}))
		_, err := pack.Write([]byte(chart))
		r.must(err)
		r.must(pack.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: zeros}))
		block := make([]byte, 1<<20)
		for left := zeros; left > 0; left -= int64(len(block)) {
			_, err := pack.Write(block[:min(left, int64(len(block)))])
			r.must(err)
		}
		r.must(errors.Join(pack.Close(), zip.Close()))
	})
}

const (
	// skipping is a controllers workload that is right, up to its last entry.
	skipping = `apiVersion: apps/v1
kind: Deployment
metadata: {name: x-controllers}
spec:
  template:
    spec:
      containers:
      - name: main
        env:
        - {name: JANGAR_MIGRATIONS, value: skip}
`
	hostileChart = `-- app/kustomization.yaml --
helmCharts:
- {name: c, releaseName: r}
-- app/charts/c/Chart.yaml --
{apiVersion: v2, name: c, version: 1.0.0}
-- app/charts/c/values.yaml --
word: value
-- app/charts/c/templates/x.yaml --
`
	hostileApp = "-- app/kustomization.yaml --\nresources: [x.yaml]\n-- app/x.yaml --\n" + skipping
)

// aliasBomb is YAML that means 10¹² strings.
func aliasBomb() string {
	text := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 12; i++ {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	return text
}

// nested is a text inside so many brackets.
func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// quick bounds a rendering that would never end.
var quick = []string{"--timeout", "3s", "app"}

var hostileInputs = []hostile{
	// YAML and JSON.
	{name: "manifest: alias bomb", files: "-- m.yaml --\n" + skipping + aliasBomb(), args: []string{"m.yaml"}},
	{name: "resource: alias bomb", files: hostileApp + aliasBomb()},
	{name: "values: alias bomb", files: hostileChart + "-- app/charts/c/values.yaml --\n" + aliasBomb()},
	{name: "chart output: alias bomb", files: hostileChart + skipping + aliasBomb()},
	{name: "manifest: 10,000 documents", args: []string{"m.yaml"}, long: true, cpu: 4 * time.Minute,
		make: func(r repo) {
			r.repeat("m.yaml", "", strings.Replace(skipping, "x-", "x%d-", 1)+"---\n", "", 10_000)
		}},
	{name: "manifest: 10,000 documents that migrate", args: []string{"m.yaml"}, long: true, cpu: 4 * time.Minute, memory: 1000,
		make: func(r repo) {
			r.repeat("m.yaml", "", strings.Replace(strings.Replace(skipping, "x-", "x%d-", 1), "value: skip", "value: auto", 1)+"---\n", "", 10_000)
		}},
	{name: "manifest: 1,000,000 env entries", args: []string{"m.yaml"}, cpu: 2 * time.Minute, memory: 3500,
		make: func(r repo) {
			r.repeat("m.yaml", skipping, "        - {name: V%d, value: x}\n", "", 1_000_000)
		}},
	{name: "manifest: 100,000 containers", args: []string{"m.yaml"}, memory: 1000,
		make: func(r repo) {
			r.repeat("m.yaml", "kind: Pod\nmetadata: {name: x-controllers}\nspec:\n  containers:\n", "  - {name: c%d}\n", "", 100_000)
		}},
	{name: "manifest: a command of 4 MiB", args: []string{"m.yaml"},
		make: func(r repo) { r.repeat("m.yaml", skipping+"        args: ['", "env -u x ", "']\n", 4<<20/9) }},
	{name: "manifest: 100 MiB", args: []string{"m.yaml"}, make: func(r repo) { r.repeat("m.yaml", skipping, "# some text\n", "", 100<<20/12) }},
	{name: "resource: 100 MiB", files: hostileApp, make: func(r repo) { r.repeat("app/x.yaml", skipping, "# some text\n", "", 100<<20/12) }},
	{name: "values file: 100 MiB", files: strings.Replace(hostileChart, "releaseName: r", "releaseName: r, valuesFile: v.yaml", 1) + skipping,
		make: func(r repo) { r.repeat("app/v.yaml", "", "# some text\n", "", 100<<20/12) }},
	{name: "chart file: 100 MiB", files: hostileChart + skipping, make: func(r repo) { r.repeat("app/charts/c/files/f", "", "some text\n", "", 100<<20/10) }},
	{name: "chart: 20,001 files", files: hostileChart + skipping,
		make: func(r repo) {
			for i := range 20_001 {
				r.write(fmt.Sprintf("app/charts/c/files/%d", i), "")
			}
		}},
	{name: "manifest: nested 1,000,000 times", files: "-- m.yaml --\n" + skipping + "x: " + nested(1_000_000) + "\n", args: []string{"m.yaml"}},
	{name: "manifest: JSON nested 1,000,000 times", files: "-- m.json --\n{\"kind\": \"Pod\", \"x\": " + nested(1_000_000) + "}\n", args: []string{"m.json"}},
	{name: "manifest: lists in lists", files: "-- m.yaml --\n" + strings.Repeat("{kind: List, items: [", 3000) + strings.Repeat("]}", 3000) + "\n", args: []string{"m.yaml"}},
	{name: "values: nested 1,000,000 times", files: hostileChart + skipping + "-- app/charts/c/values.yaml --\nx: " + nested(1_000_000) + "\n"},
	{name: "chart output: nested 1,000,000 times", files: hostileChart + skipping + `x: {{ repeat 1000000 "[" }}{{ repeat 1000000 "]" }}` + "\n"},

	// Templates.
	{name: "template: counts to 2,000,000,000", files: hostileChart + "{{ range untilStep 0 2000000000 1 }}{{ end }}\n", args: []string{"--timeout", "1m", "app"}, cpu: 2 * time.Minute, memory: 6500},
	{name: "template: counts and counts", files: hostileChart + "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}\n", args: quick},
	{name: "template: includes itself", files: hostileChart + `{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}` + "\n"},
	{name: "template: is itself", files: hostileChart + `{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}` + "\n"},
	{name: "template: tpl that doubles", files: hostileChart + doublingTemplates(), args: quick, memory: 1500},
	{name: "template: repeats 4 GB", files: hostileChart + `{{ $x := repeat 400000000 "xxxxxxxxxx" }}{{ range until 1000000 }}{{ end }}{{ len $x }}` + "\n", args: []string{"--timeout", "1m", "app"}, memory: 4500},
	// How often it doubles before the guard looks is a matter of luck: of 3 to 13 GiB,
	// where 40 times would be a terabyte.
	{name: "template: a text that doubles", files: hostileChart + `{{ $x := "a" }}{{ range until 40 }}{{ $x = printf "%s%s" $x $x }}{{ end }}` + "\n", args: []string{"--timeout", "1m", "app"}, memory: 14500},
	{name: "template: matches without end", files: hostileChart + `{{ $s := repeat 100000 "a" }}{{ range until 100000 }}{{ regexMatch "^(((a{1,10}){1,10}){1,10})+b$" $s }}{{ end }}` + "\n", args: quick},

	// Schemas of values.
	{name: "schema: refers to itself", files: hostileChart + skipping + "-- app/charts/c/values.schema.json --\n" + `{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}` + "\n"},
	{name: "schema: references that double", files: hostileChart + skipping + "-- app/charts/c/values.schema.json --\n" + doublingSchema(), args: quick},
	{name: "schema: a pattern that takes long", files: hostileChart + skipping + "-- app/charts/c/values.schema.json --\n" + `{"properties": {"word": {"pattern": "^(((a{1,10}){1,10}){1,10})+b$"}}}` + "\n", args: quick,
		make: func(r repo) { r.repeat("app/charts/c/values.yaml", "word: ", "a", "\n", 1_000_000) }},

	// Symbolic links.
	{name: "link: resource out of the repository", files: hostileApp, make: func(r repo) {
		r.write("../outside/secret.yaml", "password: hunter2\n")
		r.must(os.Remove(r.path("app/x.yaml")))
		r.link("app/x.yaml", "../../outside/secret.yaml")
	}},
	{name: "link: base out of the repository", files: "-- app/kustomization.yaml --\nresources: [base]\n", make: func(r repo) {
		r.write("../outside/kustomization.yaml", "resources: [x.yaml]\n")
		r.write("../outside/x.yaml", skipping)
		r.link("app/base", "../../outside")
	}},
	{name: "path: base out of the repository", files: "-- app/kustomization.yaml --\nresources: [../../outside]\n", make: func(r repo) {
		r.write("../outside/kustomization.yaml", "resources: [x.yaml]\n")
		r.write("../outside/x.yaml", skipping)
	}},
	{name: "link: values file out of the repository", files: strings.Replace(hostileChart, "releaseName: r", "releaseName: r, valuesFile: v.yaml", 1) + skipping, make: func(r repo) {
		r.write("../outside/v.yaml", "password: hunter2\n")
		r.link("app/v.yaml", "../../outside/v.yaml")
	}},
	{name: "link: additional values file out of the repository", files: strings.Replace(hostileChart, "releaseName: r", "releaseName: r, additionalValuesFiles: [v.yaml]", 1) + skipping, make: func(r repo) {
		r.write("../outside/v.yaml", "password: hunter2\n")
		r.link("app/v.yaml", "../../outside/v.yaml")
	}},
	{name: "link: charts folder out of the repository", files: "-- app/kustomization.yaml --\nhelmCharts:\n- {name: c, releaseName: r}\n", make: func(r repo) {
		r.write("../outside/c/Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}\n")
		r.write("../outside/c/values.yaml", "")
		r.write("../outside/c/templates/x.yaml", skipping)
		r.link("app/charts", "../../outside")
	}},
	{name: "link: chart file out of the repository", files: hostileChart + "{{ .Files.Get \"files/secret\" | fail }}\n", make: func(r repo) {
		r.write("../outside/secret", "hunter2\n")
		r.link("app/charts/c/files/secret", "../../../../../outside/secret")
	}},
	{name: "link: chart folder to the root of the machine", files: hostileChart + skipping, make: func(r repo) { r.link("app/charts/c/files", "/") }},
	{name: "link: chart file out of the app, without git", noGit: true, files: hostileChart + skipping, make: func(r repo) {
		r.write("../outside/secret", "hunter2\n")
		r.link("app/charts/c/files/secret", "../../../../../outside/secret")
	}},
	{name: "link: chart inside of the repository", files: strings.Replace(strings.ReplaceAll(hostileChart, "app/charts/", "vendor/"), "releaseName: r", "releaseName: r, valuesFile: v.yaml", 1) + skipping + "-- app/v.yaml --\n",
		make: func(r repo) { r.link("app/charts", "../vendor") }},
	{name: "link: app out of the repository", make: func(r repo) {
		r.write("../outside/kustomization.yaml", "resources: [x.yaml]\n")
		r.write("../outside/x.yaml", skipping)
		r.link("app", "../outside")
	}},
	{name: "link: folder of apps out of the repository", files: strings.ReplaceAll(hostileApp, "app/", "apps/a/"), args: []string{"apps"}, make: func(r repo) { r.link("apps/all", "/") }},
	{name: "link: kustomization to a device", make: func(r repo) { r.link("app/kustomization.yaml", "/dev/zero") }},
	{name: "link: chart folder into itself", files: hostileChart + skipping, make: func(r repo) { r.link("app/charts/c/templates/up", "..") }},
	{name: "link: chart file to itself", files: hostileChart + skipping, make: func(r repo) { r.link("app/charts/c/templates/self", "self") }},
	{name: "link: chart file to nothing", files: hostileChart + skipping, make: func(r repo) { r.link("app/charts/c/templates/gone", "../gone") }},
	{name: "link: chart folders that double", files: hostileChart + skipping, make: func(r repo) {
		for i := range 30 {
			for _, name := range []string{"a", "b"} {
				r.link(fmt.Sprintf("app/charts/c/files/%d/%s", i, name), fmt.Sprintf("../%d", i+1))
			}
		}
		r.write("app/charts/c/files/30/f", "")
	}},
	{name: "link: apps that are linked in a circle", files: strings.ReplaceAll(hostileApp, "app/", "apps/a/"), args: []string{"apps"}, make: func(r repo) {
		r.link("apps/a/all", "../../apps")
	}},

	// What is no file.
	{name: "pipe: manifest", args: []string{"--timeout", "1s", "m.yaml"}, make: func(r repo) { r.pipe("m.yaml") }},
	{name: "pipe: resource", files: hostileApp, make: func(r repo) { r.must(os.Remove(r.path("app/x.yaml"))); r.pipe("app/x.yaml") }},
	{name: "pipe: kustomization", make: func(r repo) { r.pipe("app/kustomization.yaml") }},
	{name: "pipe: .helmignore", files: hostileChart + skipping, make: func(r repo) { r.pipe("app/charts/c/.helmignore") }},
	{name: "pipe: values file", files: strings.Replace(hostileChart, "releaseName: r", "releaseName: r, valuesFile: v.yaml", 1) + skipping, make: func(r repo) { r.pipe("app/v.yaml") }},
	{name: "device: manifest", args: []string{"/dev/zero"}},
	{name: "folder: kustomization", make: func(r repo) { r.write("app/kustomization.yaml/f", "") }},
	{name: "folder: manifest", args: []string{"m.yaml"}, make: func(r repo) { r.write("m.yaml/f", "") }},
	{name: "folder: resource", files: "-- app/kustomization.yaml --\nresources: [x.yaml]\n-- app/x.yaml/f --\n"},
	{name: "folder: values file", files: strings.Replace(hostileChart, "releaseName: r", "releaseName: r, valuesFile: v.yaml", 1) + skipping + "-- app/v.yaml/f --\n"},
	{name: "folder: constraint", files: hostileApp + "-- c.yaml/f --\n", args: []string{"--constraint", "c.yaml", "app"}},

	// Packed charts.
	{name: "packed chart: bomb", files: hostileChart + skipping, make: func(r repo) { r.archive("app/charts/c/charts/sub.tgz", "sub/zeros", 300<<20) }, memory: 1000},
	{name: "packed chart: file above it", files: hostileChart + skipping, make: func(r repo) { r.archive("app/charts/c/charts/sub.tgz", "sub/../../f", 1) }},
	{name: "packed chart: file elsewhere", files: hostileChart + skipping, make: func(r repo) { r.archive("app/charts/c/charts/sub.tgz", "sub//etc/f", 1) }},
	{name: "packed chart: no archive", files: hostileChart + skipping + "-- app/charts/c/charts/sub.tgz --\nno archive\n"},

	// Kustomize.
	{name: "kustomize: base in a circle", files: "-- app/kustomization.yaml --\nresources: [../b]\n-- b/kustomization.yaml --\nresources: [../app]\n"},
	{name: "kustomize: component in a circle", files: "-- app/kustomization.yaml --\ncomponents: [../b]\n-- b/kustomization.yaml --\nkind: Component\ncomponents: [../b]\n"},
	{name: "kustomize: bases that double", args: []string{"--timeout", "3s", "b/0/x"}, make: func(r repo) {
		for i := range 30 {
			for _, name := range []string{"x", "y"} {
				r.write(fmt.Sprintf("b/%d/%s/kustomization.yaml", i, name), fmt.Sprintf("resources: [../../%d/x, ../../%d/y]\n", i+1, i+1))
			}
		}
		r.write("b/30/x/kustomization.yaml", "resources: []\n")
		r.write("b/30/y/kustomization.yaml", "resources: []\n")
	}},
	{name: "kustomize: a generator of 2.4 GB", memory: 4500, cpu: 2 * time.Minute, make: func(r repo) {
		text := "configMapGenerator:\n- name: c\n  files:\n"
		for i := range 40 {
			text += fmt.Sprintf("  - f%d=f\n", i)
		}
		r.write("app/kustomization.yaml", text)
		r.repeat("app/f", "", "some text\n", "", 60<<20/10)
	}},
	{name: "kustomize: replicas beyond counting", files: strings.Replace(hostileApp, "resources:", "replicas: [{name: x-controllers, count: 9223372036854775807}]\nresources:", 1)},
	{name: "manifest: a name of 1 MiB among others", args: []string{"m.yaml"}, long: true, make: func(r repo) {
		name := strings.Repeat("x", 1<<20)
		r.repeat("m.yaml", strings.Replace(skipping, "x-", name+"-", 1)+"---\n", strings.Replace(skipping, "x-", "x%d-", 1)+"---\n", "", 100)
	}},
}

// doublingTemplates are templates of which each executes the next one twice.
func doublingTemplates() string {
	var text strings.Builder
	const last = 40
	for i := range last {
		fmt.Fprintf(&text, `{{ define "a%d" }}{{ tpl "{{ include \"a%d\" . }}{{ include \"a%d\" . }}" . }}{{ end }}`, i, i+1, i+1)
	}
	fmt.Fprintf(&text, `{{ define "a%d" }}{{ end }}{{ include "a0" . }}`+"\n", last)
	return text.String()
}

func doublingSchema() string {
	text := `{"$ref": "#/$defs/d0", "$defs": {`
	for i := range 40 {
		text += fmt.Sprintf(`"d%d": {"allOf": [{"$ref": "#/$defs/d%d"}, {"$ref": "#/$defs/d%d"}]}, `, i, i+1, i+1)
	}
	return text + `"d40": {"type": "object"}}}` + "\n"
}

// TestHostileInputs checks each hostile input with the program itself, and
// requires all that it says, and that it needed little time and memory. It
// prints a table of both.
func TestHostileInputs(t *testing.T) {
	program, err := exec.LookPath("nevermigrate")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := txtar.ParseFile(hostileFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	want := map[string]string{}
	if golden != nil {
		for _, file := range golden.Files {
			want[file.Name] = string(file.Data)
		}
	}
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "INPUT\tTIME\tCPU\tMEMORY\tSTATUS")
	inputs := hostileInputs
	if !lane.IsFull(t) {
		inputs = lane.Part(t, slices.DeleteFunc(slices.Clone(inputs), hostile.isHeavy), 6)
	}
	for _, input := range inputs {
		t.Run(input.name, func(t *testing.T) {
			got := input.run(t, program)
			fmt.Fprintf(columns, "%s\t%.1f s\t%.1f s\t%d MiB\t%d\n", input.name, got.wall.Seconds(), got.cpu.Seconds(), got.memory, got.status)
			if got.cpu > input.cpuBound() || got.memory > input.memoryBound() {
				t.Errorf("it took %s and %d MiB, and is allowed %s and %d MiB", got.cpu, got.memory, input.cpuBound(), input.memoryBound())
			}
			if strings.Contains(got.output, "hunter2") {
				t.Errorf("it shows what is outside of the repository:\n%s", got.output)
			}
			output := fmt.Sprintf("status %d\n%s", got.status, got.output)
			if *update {
				want[input.name] = output
				return
			}
			if diff := cmp.Diff(want[input.name], output); diff != "" {
				t.Errorf("want (-), got (+); scripts/generate writes it:\n%s", diff)
			}
		})
	}
	columns.Flush()
	t.Logf("%d hostile inputs:\n%s", len(inputs), table.String())
	if *update {
		archive := &txtar.Archive{Comment: []byte("What `nevermigrate check` says of each input of TestHostileInputs.\n")}
		for _, input := range hostileInputs {
			archive.Files = append(archive.Files, txtar.File{Name: input.name, Data: []byte(want[input.name])})
		}
		if err := os.MkdirAll(filepath.Dir(hostileFile), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(hostileFile, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// isHeavy tells an input that takes more than a second or much memory.
func (h hostile) isHeavy() bool {
	return h.cpu != 0 || h.memory != 0 || slices.Contains(h.args, "--timeout") || strings.Contains(h.name, "double")
}

func (h hostile) cpuBound() time.Duration {
	if h.cpu == 0 {
		return hostileCPU
	}
	return h.cpu
}

func (h hostile) memoryBound() int {
	if h.memory == 0 {
		return hostileMemory
	}
	return h.memory
}

type hostileRun struct {
	status    int
	output    string
	wall, cpu time.Duration
	memory    int // MiB
}

func (h hostile) run(t *testing.T, program string) hostileRun {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := repo{t, filepath.Join(top, "repository")}
	r.must(os.Mkdir(r.dir, 0o777))
	if !h.noGit {
		r.must(os.Mkdir(filepath.Join(r.dir, ".git"), 0o777))
	}
	for _, file := range txtar.Parse([]byte(h.files)).Files {
		r.write(file.Name, string(file.Data))
	}
	if h.make != nil {
		h.make(r)
	}
	args := h.args
	if len(args) == 0 {
		args = []string{"app"}
	}
	ctx, cancel := context.WithTimeout(t.Context(), hostileWait)
	defer cancel()
	var output bytes.Buffer
	command := exec.CommandContext(ctx, program, append([]string{"check", "--no-color"}, args...)...)
	command.Dir, command.Stdout, command.Stderr = r.dir, &output, &output
	// The program tunes its memory where nobody else does.
	command.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "GOGC=") || strings.HasPrefix(variable, "GOMEMLIMIT=")
	})
	start := time.Now()
	err = command.Run()
	wall := time.Since(start)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Errorf("it still ran after %s", hostileWait)
	}
	state := command.ProcessState
	text := strings.ReplaceAll(output.String(), top, "TOP")
	if h.long {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		text = lines[len(lines)-1] + "\n"
	}
	return hostileRun{
		status: state.ExitCode(), output: text, wall: wall,
		cpu:    state.UserTime() + state.SystemTime(),
		memory: int(state.SysUsage().(*syscall.Rusage).Maxrss >> 10),
	}
}

// TestHostileNames: no name from a manifest reaches a terminal, a log or a page
// as more than text, whatever the command and the format.
func TestHostileNames(t *testing.T) {
	program, err := exec.LookPath("nevermigrate")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// A terminal's red and its title, another line with a command of GitHub and
	// one of Azure, a line that runs backwards, and what no font has.
	const name = `x\e[31m\e]0;title\a\r\n::error::x\n##vso[task.complete]\u202e\u2066\u200b\U000e0001\u0085\u2028-controllers`
	manifest := strings.ReplaceAll(`apiVersion: v1
kind: Pod
metadata: {name: "NAME", namespace: "NAME"}
spec:
  containers:
  - {name: "NAME", env: [{name: JANGAR_MIGRATIONS, value: "NAME"}]}
  - {name: "b", env: [{name: JANGAR_MIGRATIONS, valueFrom: {"NAME": {}}}]}
  - {name: "c", env: [{name: "jangar_MIGRATIONS"}]}
  - {name: "d", "NAME": x, command: [sh, -c, "JANGAR_MIGRATIONS=auto NAME"]}
`, "NAME", name)
	if err := os.WriteFile(filepath.Join(dir, "m.yaml"), []byte(manifest), 0o666); err != nil {
		t.Fatal(err)
	}
	gone := "gone\x1b[31m\n::error::x\u202e"
	var runs [][]string
	for _, format := range output.Formats() {
		runs = append(runs, []string{"check", "-o", string(format), "m.yaml"})
	}
	runs = append(runs,
		[]string{"explain", "m.yaml"}, []string{"explain", "-o", "json", "m.yaml"},
		[]string{"check", gone}, []string{"render", gone}, []string{"explain", gone}, []string{"check", "--constraint", gone, "m.yaml"},
		[]string{"check", "-o", gone, "m.yaml"}, []string{"check", "--" + gone, "m.yaml"}, []string{gone})
	for _, args := range runs {
		t.Run(strings.ToValidUTF8(strings.Join(args, " "), ""), func(t *testing.T) {
			command := exec.Command(program, args...)
			command.Dir = dir
			output, _ := command.CombinedOutput()
			if len(output) == 0 || command.ProcessState.ExitCode() > 2 {
				t.Fatalf("%s: %s", command.ProcessState, output)
			}
			for _, c := range string(output) {
				if c != '\n' && c != '\t' && !unicode.IsPrint(c) {
					t.Errorf("it shows the character %q:\n%q", c, output)
					break
				}
			}
			for line := range strings.Lines(string(output)) {
				if strings.HasPrefix(strings.TrimSpace(line), "::error::x") || !slices.Contains(args, "json") && !slices.Contains(args, "sarif") && strings.Contains(line, "##vso[task.complete]") {
					t.Errorf("it shows a command: %q", line)
				}
			}
		})
	}
}
