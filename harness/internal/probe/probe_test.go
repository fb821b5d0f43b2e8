package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
	"github.com/proompteng/nevermigrate/policy"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // Helm's remarks on values
	debug.SetGCPercent(400)   // memory for speed, as the command does
	os.Exit(m.Run())
}

const agents = "../../../fixtures/charts/agents"

// writeFile makes a file in a folder of the test.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func run(t *testing.T, target string, options Options) *Report {
	t.Helper()
	r, err := Run(t.Context(), target, options)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// defaultJudge is compiled once for all tests that judge by the built-in policy.
var defaultJudge = sync.OnceValues(func() (*judge, error) { return newJudge(context.Background(), Options{}) })

// probeDefault does what Run does, with the built-in policy and its defaults.
func probeDefault(ctx context.Context, t *testing.T, target string, options Options) (*Report, error) {
	t.Helper()
	k, err := defaultJudge()
	if err != nil {
		t.Fatal(err)
	}
	if options, err = options.withDefaults(); err != nil {
		t.Fatal(err)
	}
	var known []string
	if options.Baseline != "" {
		if known, err = loadBaseline(options.Baseline); err != nil {
			t.Fatal(err)
		}
	}
	return probeTarget(ctx, target, options, k, known)
}

// runDefault is run with the built-in policy and its defaults.
func runDefault(t *testing.T, target string, options Options) *Report {
	t.Helper()
	r, err := probeDefault(t.Context(), t, target, options)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// shown is a report without its numbers: verdicts, codes and what is set.
func shown(r *Report) []string {
	var lines []string
	for _, chart := range r.Charts {
		if chart.Base != Harmless {
			lines = append(lines, "base "+string(chart.Base))
		}
		for _, h := range chart.Holes {
			line := strings.Join(append([]string{string(h.Verdict)}, h.Codes...), " ") + " " + h.Arguments
			if h.Unconfirmed != "" {
				line += " unconfirmed " + h.Unconfirmed
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// TestReport: all holes that the design of the fixture chart allows, each
// reproduced with the stock helm; the same report with one job and with three;
// valid by its schema.
func TestReport(t *testing.T) {
	t.Parallel()
	lane.Full(t)
	const off = "controllersMigrationsGuard=off"
	options := Options{Budget: 1000, Jobs: 3, Seed: 7, Set: []string{off}}
	r := runDefault(t, agents, options)
	options.Budget = 200
	three := runDefault(t, agents, options)
	options.Jobs = 1
	if diff := cmp.Diff(three, runDefault(t, agents, options)); diff != "" {
		t.Errorf("the jobs make a difference (-three +one):\n%s", diff)
	}
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	requireValid(t, text.Bytes())
	var got []string
	for _, h := range r.Charts[0].Holes {
		line := string(h.Verdict) + " " + h.Arguments
		if h.Verdict != Vanished {
			line += " => " + string(h.Mode) + " " + h.Container + " " + oneLine(h.Entry)
		}
		if got = append(got, line); h.Template != "agents/templates/deployment-controllers.yaml" || h.Unconfirmed != "" {
			t.Errorf("%s: in %s, unconfirmed %q", h.ID, h.Template, h.Unconfirmed)
		}
	}
	want := []string{
		`hole --set-json 'controllers.args=["sh","-c","JANGAR_MIGRATIONS=auto exec node server.js"]' => auto agents-controllers {"env":[{"name":"JANGAR_MIGRATIONS","value":"skip"}],"name":"agents-controllers"}`,
		`hole --set-json 'controllers.command=["sh","-c","JANGAR_MIGRATIONS=auto exec node server.js"]' => auto agents-controllers {"env":[{"name":"JANGAR_MIGRATIONS","value":"skip"}],"name":"agents-controllers"}`,
		`hole --set controllers.env.vars.JANGAR_MIGRATIONS=auto => auto agents-controllers {"env":[{"name":"JANGAR_MIGRATIONS","value":"auto"}],"name":"agents-controllers"}`,
		`hole --set-json 'controllers.extraContainers=[{"image":"probe:1","name":"probe"}]' => auto probe {"name":"probe"} (no env)`,
		`hole --set-json 'controllers.image.repository="probe\n        - name: JANGAR_MIGRATIONS\n          value: auto #"' => auto agents-controllers {"name":"agents-controllers"} (no env)`,
		`hole --set-json 'controllers.image.tag="probe\n        - name: JANGAR_MIGRATIONS\n          value: auto #"' => auto agents-controllers {"name":"agents-controllers"} (no env)`,
		`hole --set-json 'controllers.initContainers=[{"image":"probe:1","name":"probe"}]' => auto probe {"name":"probe"} (no env)`,
		`hole --set-json 'env.config=[{"configMapName":"probe","key":"probe","name":"JANGAR_MIGRATIONS"}]' => unknown agents-controllers {"env":[{"name":"JANGAR_MIGRATIONS","value":"skip"},{"name":"JANGAR_MIGRATIONS","valueFrom":{"configMapKeyRef":{"key":"probe","name":"probe"}}}],"name":"agents-controllers"}`,
		`hole --set-json 'env.extra=[{"name":"JANGAR_MIGRATIONS","value":"auto"}]' => auto agents-controllers {"env":[{"name":"JANGAR_MIGRATIONS","value":"skip"},{"name":"JANGAR_MIGRATIONS","value":"auto"}],"name":"agents-controllers"}`,
		`hole --set-json 'env.secrets=[{"key":"probe","name":"JANGAR_MIGRATIONS","secretName":"probe"}]' => unknown agents-controllers {"env":[{"name":"JANGAR_MIGRATIONS","value":"skip"},{"name":"JANGAR_MIGRATIONS","valueFrom":{"secretKeyRef":{"key":"probe","name":"probe"}}}],"name":"agents-controllers"}`,
		`hole --set-json 'image.repository="probe\n        - name: JANGAR_MIGRATIONS\n          value: auto #"' => auto agents-controllers {"name":"agents-controllers"} (no env)`,
		`hole --set-json 'image.tag="probe\n        - name: JANGAR_MIGRATIONS\n          value: auto #"' => auto agents-controllers {"name":"agents-controllers"} (no env)`,
		`hole --set-json 'livenessProbe.exec.command=["sh","-c","JANGAR_MIGRATIONS=auto"]' => skip agents-controllers {"env":[{"name":"JANGAR_MIGRATIONS","value":"skip"}],"name":"agents-controllers"}`,
		`hole --set-json 'readinessProbe.exec.command=["sh","-c","JANGAR_MIGRATIONS=auto"]' => skip agents-controllers {"env":[{"name":"JANGAR_MIGRATIONS","value":"skip"}],"name":"agents-controllers"}`,
		`vanished --set controllers.enabled=false`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("holes (-want +got):\n%s", diff)
	}
	if r.Summary.Configurations != 1000 || r.ExitStatus(false) != 1 {
		t.Errorf("status %d, %+v", r.ExitStatus(false), r.Summary)
	}
	helm := stock.Tool(t, "helm")
	evaluator := defaultEvaluator(t)
	template := helm + " template agents " + agents + " --set " + off + " "
	for _, hole := range r.Charts[0].Holes {
		t.Run(hole.ID, func(t *testing.T) {
			out, err := exec.Command("sh", "-c", template+hole.Arguments).CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %s", err, out)
			}
			if codes := codesIn(t, evaluator, out); hole.Verdict == Migrates && !slices.ContainsFunc(codes, func(code string) bool { return slices.Contains(hole.Codes, code) }) {
				t.Errorf("helm template %s: found %v, want one of %v", hole.Arguments, codes, hole.Codes)
			}
			file := writeFile(t, "values.yaml", hole.Values)
			same, err := exec.Command("sh", "-c", template+"-f "+file).Output()
			if err != nil || !bytes.Equal(same, out) {
				t.Errorf("the snippet renders otherwise than %s: %v", hole.Arguments, err)
			}
		})
	}
}

func defaultEvaluator(t *testing.T) *evaluate.Evaluator {
	t.Helper()
	k, err := defaultJudge()
	if err != nil {
		t.Fatal(err)
	}
	return k.constraints[0].policy
}

func codesIn(t *testing.T, evaluator *evaluate.Evaluator, manifests []byte) []string {
	t.Helper()
	objects, err := manifest.Read(manifests)
	if err != nil {
		t.Fatal(err)
	}
	result, err := evaluator.Evaluate(t.Context(), objects)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, finding := range result.Findings {
		codes = append(codes, finding.Code)
	}
	return codes
}

func requireValid(t *testing.T, text []byte) {
	t.Helper()
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("probe.schema.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("probe.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(document); err != nil {
		t.Error(err)
	}
}

// sound is a chart whose controllers cannot be made to migrate.
var sound = map[string]string{
	"Chart.yaml":  "apiVersion: v2\nname: sound\nversion: 1.0.0\n",
	"values.yaml": "replicas: 1\nlogLevel: info\nresources: {}\n",
	"values.schema.json": `{"type": "object", "additionalProperties": false, "properties": {
		"global": {"type": "object"},
		"replicas": {"type": "integer"},
		"logLevel": {"enum": ["debug", "info"]},
		"resources": {"type": "object", "additionalProperties": false, "properties": {"cpu": {"type": "string", "pattern": "^[0-9]+m$"}}}}}`,
	"templates/controllers.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: sound-controllers
spec:
  replicas: {{ .Values.replicas }}
  template:
    spec:
      containers:
        - name: controllers
          image: example:1
          env:
            - name: LOG_LEVEL
              value: {{ .Values.logLevel }}
            - name: JANGAR_MIGRATIONS
              value: skip
          resources: {{ toYaml .Values.resources | nindent 12 }}
`,
}

func writeChart(t *testing.T, files map[string]string, changes ...string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		text = strings.NewReplacer(changes...).Replace(text)
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSoundChart(t *testing.T) {
	t.Parallel()
	r := runDefault(t, writeChart(t, sound), Options{Budget: 1000})
	if got := shown(r); len(got) > 0 || r.ExitStatus(false) != 0 || r.Charts[0].Counts.Harmless == 0 || r.Charts[0].Counts.Refused == 0 {
		t.Errorf("holes %v, status %d, %+v", got, r.ExitStatus(false), r.Charts[0].Counts)
	}
}

// TestChartsOfOtherShapes: nothing about the fixture chart is built in.
func TestChartsOfOtherShapes(t *testing.T) {
	t.Parallel()
	const value = "            - name: JANGAR_MIGRATIONS\n              value: skip\n"
	schema := sound["values.schema.json"]
	type shape struct {
		name    string
		changes []string
		want    []string
	}
	for _, test := range lane.Part(t, []shape{
		{"a switch", []string{value, "            - name: JANGAR_MIGRATIONS\n              value: {{ if .Values.first }}auto{{ else }}skip{{ end }}\n", schema, ""},
			[]string{"hole CNM002 --set first=AUTO"}},
		{"two switches", []string{value, "            - name: JANGAR_MIGRATIONS\n              value: {{ if and .Values.first .Values.second.one }}auto{{ else }}skip{{ end }}\n", schema, "",
			"replicas: 1\n", "replicas: 1\nfirst: false\nsecond: {one: false}\n"},
			[]string{"hole CNM002 --set first=true --set second.one=true"}},
		{"a compared literal", []string{value, "            - name: JANGAR_MIGRATIONS\n              value: {{ if eq .Values.profile \"legacy\" }}auto{{ else }}skip{{ end }}\n", schema, "",
			"replicas: 1\n", "replicas: 1\nprofile: modern\n"},
			[]string{"hole CNM002 --set profile=legacy"}},
		{"a list with names of its own", []string{value, value + "            {{- range .Values.settings }}\n            - name: {{ .variable }}\n              value: {{ .content | quote }}\n            {{- end }}\n", schema, ""},
			[]string{`hole CNM002 CNM004 CNM006 --set-json 'settings=[{"variable":"JANGAR_MIGRATIONS"}]'`}},
		{"an auto that is refused", []string{"value: skip", "value: {{ if eq .Values.mode \"auto\" }}{{ fail \"no\" }}{{ end }}{{ .Values.mode | quote }}", schema, "", "replicas: 1\n", "replicas: 1\nmode: skip\n"},
			[]string{"hole CNM002 CNM003 --set mode=AUTO"}},
		{"a field that is not needed", []string{value, value + "            {{- range .Values.settings }}\n            - name: {{ .variable }}\n              value: {{ .content | quote }} {{ with .comment }}# {{ . }}{{ end }}\n            {{- end }}\n", schema, ""},
			[]string{`hole CNM002 CNM004 CNM006 --set-json 'settings=[{"variable":"JANGAR_MIGRATIONS"}]'`}},
		{"a map of maps", []string{value, value + "            {{- range $k, $v := .Values.settings }}\n            - name: {{ $k }}\n              value: {{ $v.content | quote }}\n            {{- end }}\n", schema, ""},
			[]string{`hole CNM006 --set-json 'settings=[{"content":"JANGAR_MIGRATIONS"}]'`, "hole CNM002 CNM003 CNM004 --set settings.JANGAR_MIGRATIONS.content=auto"}},
		{"raw YAML in a text", []string{value, value + "            {{- .Values.moreEnv | nindent 12 }}\n", schema, "", "replicas: 1\n", "replicas: 1\nmoreEnv: \"\"\n"},
			[]string{`hole CNM002 CNM004 --set-json 'moreEnv="- name: JANGAR_MIGRATIONS\n  value: auto"'`}},
		{"a template in a text", []string{value, value + "            {{- tpl .Values.moreEnv . | nindent 12 }}\n", schema, "", "replicas: 1\n", "replicas: 1\nmoreEnv: \"\"\n"},
			[]string{`hole CNM002 CNM004 --set-json 'moreEnv="- name: JANGAR_MIGRATIONS\n  value: auto"'`}},
		{"a name", []string{"name: sound-controllers", "name: {{ .Values.name | quote }}", schema, "", "replicas: 1\n", "replicas: 1\nname: sound-controllers\n", "- name: controllers", "- name: main"},
			[]string{"vanished --set name=auto"}},
	}, 4) {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			files := sound
			if slices.Contains(test.changes, schema) {
				files = map[string]string{}
				for name, text := range sound {
					if name != "values.schema.json" {
						files[name] = text
					}
				}
			}
			r := runDefault(t, writeChart(t, files, test.changes...), Options{Budget: 400})
			got := slices.DeleteFunc(shown(r), func(line string) bool {
				return strings.Contains(line, "resources.") || strings.Contains(line, "logLevel=")
			})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFastRoadIsTheWholeRoad compares verdicts with those on the chart rendered
// as an app, for some configurations of each verdict.
func TestFastRoadIsTheWholeRoad(t *testing.T) {
	t.Parallel()
	lane.Full(t)
	options, _ := Options{}.withDefaults()
	k, err := defaultJudge()
	if err != nil {
		t.Fatal(err)
	}
	charts, err := open(t.Context(), agents, options)
	if err != nil {
		t.Fatal(err)
	}
	s := &subject{chart: charts[0], judge: k}
	if s.watched, err = watch.New(t.Context(), charts[0], nil, watch.Nothing); err != nil {
		t.Fatal(err)
	}
	options.Budget = 350
	found, err := newSearch(s, nil, outcome{}, options)
	if err != nil {
		t.Fatal(err)
	}
	if err := found.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	counts := map[Verdict]int{}
	for _, c := range append(found.parts, found.kept...) {
		fast, err := s.try(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if counts[fast.verdict]++; counts[fast.verdict] > 20 {
			continue
		}
		whole, err := wholeRoad(t, s, c)
		if err != nil {
			t.Fatal(err)
		}
		if fast.verdict != whole {
			t.Errorf("%s: %s (%v), and as an app %s", c.arguments(), fast.verdict, fast.reason, whole)
		}
	}
	t.Logf("tried: %v", counts)
	if counts[Refused] < 5 || counts[Harmless] < 5 || counts[Migrates] < 2 {
		t.Errorf("too few of a kind: %v", counts)
	}
}

func wholeRoad(t *testing.T, s *subject, c configuration) (Verdict, error) {
	contents, refused, err := s.asApp(t.Context(), c)
	if err != nil {
		return "", err
	}
	if refused != nil {
		return Refused, nil
	}
	j, err := s.judge.objects(t.Context(), contents)
	if err != nil {
		return "", err
	}
	return j.verdict(), nil
}

// TestEscaped: a policy that lacks a rule is noticed.
func TestEscaped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, policy.FS); err != nil {
		t.Fatal(err)
	}
	main := filepath.Join(dir, "main.rego")
	text, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	weak := strings.Replace(string(text), `declared.mode == "auto"`, `declared.mode == "no such mode"`, 1)
	if weak == string(text) {
		t.Fatal("the policy has no such rule any more")
	}
	if err := os.WriteFile(main, []byte(weak), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, writeChart(t, sound, "value: skip", "value: {{ .Values.mode }}", "replicas: 1\n", "replicas: 1\nmode: skip\n",
		`"global"`, `"mode": {"type": "string"}, "global"`), Options{Budget: 200, Policy: dir})
	want := []string{
		"escaped --set mode=auto",
		`hole CNM001 --set-json 'mode="probe\n        - name: JANGAR_MIGRATIONS\n          value: auto #"'`,
		`hole CNM003 CNM004 CNM005 CNM006 --set-json 'mode="$(PROBE)"'`,
	}
	if diff := cmp.Diff(want, shown(r)); diff != "" || r.ExitStatus(false) != 2 {
		t.Errorf("status %d (-want +got):\n%s", r.ExitStatus(false), diff)
	}
}

func TestPins(t *testing.T) {
	t.Parallel()
	pinned := []string{"controllers.command=[]", "controllers.args=[]", "controllers.initContainers=[]", "controllers.extraContainers=[]", "env.extra=[]", "env.secrets=[]", "env.config=[]"}
	got := shown(runDefault(t, agents, Options{Budget: 300, SetJSON: pinned, Set: []string{"controllers.env.vars.JANGAR_MIGRATIONS=skip"}}))
	// What is not pinned is changed.
	if diff := cmp.Diff([]string{"vanished --set controllers.enabled=false"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestApp(t *testing.T) {
	t.Parallel()
	lane.Full(t)
	r := runDefault(t, "../../../fixtures/argocd/applications/agents", Options{Budget: 200, Set: []string{"controllersMigrationsGuard=off"}})
	chart := r.Charts[0]
	if chart.Release != "agents" || chart.Namespace != "agents" || chart.Folder == "" || len(r.Charts) != 1 {
		t.Errorf("chart %+v", chart)
	}
	if !slices.Contains(shown(r), "hole CNM002 --set controllers.env.vars.JANGAR_MIGRATIONS=auto") {
		t.Errorf("holes %v", shown(r))
	}
}

func TestBaseline(t *testing.T) {
	t.Parallel()
	chart := writeChart(t, sound, "value: skip", "value: {{ .Values.mode }}", "replicas: 1\n", "replicas: 1\nmode: skip\n",
		`"global"`, `"mode": {"type": "string"}, "global"`)
	first := runDefault(t, chart, Options{Budget: 100})
	var ids []string
	for _, hole := range first.Charts[0].Holes {
		ids = append(ids, hole.ID)
	}
	if want := "mode > sound/templates/controllers.yaml > Deployment/sound-controllers > controllers"; !slices.Contains(ids, want) {
		t.Errorf("no %s in %q", want, ids)
	}
	var text bytes.Buffer
	if err := first.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	for name, baseline := range map[string]string{
		"report.json": text.String(),
		"list":        "# known\n" + strings.Join(ids, "\n") + "\ngone > sound/templates/controllers.yaml > Deployment/sound-controllers > controllers\n",
	} {
		r := runDefault(t, chart, Options{Budget: 100, Baseline: writeFile(t, name, baseline)})
		if r.Summary.Known != len(ids) || r.Summary.Holes != 0 || r.ExitStatus(false) != 0 || !r.Charts[0].Holes[0].Known {
			t.Errorf("%s: %+v, status %d", name, r.Summary, r.ExitStatus(false))
		}
		if gone := name == "list"; gone != slices.Equal(r.Gone, []string{"gone > sound/templates/controllers.yaml > Deployment/sound-controllers > controllers"}) {
			t.Errorf("%s: gone %v", name, r.Gone)
		}
	}
	for baseline, want := range map[string]string{
		"{}":                           "it is no report of probe",
		"{":                            "unexpected end",
		"mode":                         `"mode" is no name of a hole`,
		"a > b > c > d\na > b > c > d": "is given twice",
	} {
		if _, err := loadBaseline(writeFile(t, "baseline", baseline)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", baseline, err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "file", "")
	for _, test := range []struct {
		name, target string
		options      Options
		want         string
	}{
		{"nothing there", "nowhere", Options{}, "nowhere: no such folder"},
		{"a file", file, Options{}, file + ": not a folder: name a chart or an app"},
		{"neither", filepath.Dir(file), Options{}, filepath.Dir(file) + ": neither a chart (a folder with a Chart.yaml) nor an app (a folder with a kustomization.yaml)"},
		{"no controllers", writeChart(t, sound, "sound-controllers", "sound-api", "- name: controllers", "- name: api"), Options{Budget: 200}, ErrNoControllers.Error()},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := probeDefault(t.Context(), t, test.target, test.options); err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
	if _, err := Run(t.Context(), agents, Options{Budget: -1}); err == nil || err.Error() != "budget and jobs cannot be negative" {
		t.Errorf("error %v", err)
	}
	_, err := probeDefault(t.Context(), t, agents, Options{Set: []string{"controllers.enabled=5"}})
	if err == nil || !strings.HasPrefix(err.Error(), "probe chart agents: the base is refused, so there is nothing to compare with: ") {
		t.Errorf("error %v", err)
	}
	if _, err := Run(t.Context(), agents, Options{Baseline: "nowhere"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, agents, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want it cancelled", err)
	}
}

func TestArguments(t *testing.T) {
	for _, test := range []struct {
		path  []string
		value any
		want  string
	}{
		{[]string{"a", "b"}, "auto", "--set a.b=auto"},
		{[]string{"a"}, nil, "--set a=null"},
		{[]string{"a"}, "", "--set-string a="},
		{[]string{"a"}, "false", "--set-string a=false"},
		{[]string{"a"}, "0", "--set-string a=0"},
		{[]string{"a"}, false, "--set a=false"},
		{[]string{"a"}, float64(1), "--set a=1"},
		{[]string{"a"}, "two words", "--set 'a=two words'"},
		{[]string{"a"}, " auto ", `--set-json 'a=" auto "'`},
		{[]string{"a"}, "it's", `--set-json 'a="it'\''s"'`},
		{[]string{"a.b", "c"}, "auto", `--set 'a\.b.c=auto'`},
		{[]string{"a b", "c"}, "auto", `--set-json '{"a b":{"c":"auto"}}'`},
		{[]string{"a"}, []any{"x"}, `--set-json 'a=["x"]'`},
	} {
		if got := (configuration{{test.path, test.value}}).arguments(); got != test.want {
			t.Errorf("%v=%#v: %s, want %s", test.path, test.value, got, test.want)
		}
	}
}
