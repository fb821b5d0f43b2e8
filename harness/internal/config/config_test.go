package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/stock"
	"github.com/proompteng/nevermigrate/harness/report"
)

var now = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

// load loads a text as the configuration of a work tree of its own.
func load(t *testing.T, text string) (*Config, error) {
	t.Helper()
	workTree(t)
	write(t, Name, text)
	return Load(Name, now)
}

// workTree makes a git work tree the working directory.
func workTree(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if err := os.Mkdir(".git", 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const whole = `constraints: [policy/constraint.yaml]
paths:
- argocd/applications
- rendered.yaml
exclude:
- path: argocd/applications/legacy-*/**
  reason: it is retired
  until: 2026-06-15
exemptions:
- code: CNM002
  workload: Deployment/old-*
  container: main
  path: argocd/applications/old
  reason: it moves to the new chart
  until: "2026-12-31"
baseline: known.json
kubeVersion: 1.34.1
apiVersions: [monitoring.coreos.com/v1]
outputs: [markdown, json=out/report.json]
`

func TestLoad(t *testing.T) {
	got, err := load(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		File:        Name,
		SHA256:      report.Digest([]byte(whole)),
		Constraints: []Text{{"policy/constraint.yaml", 1}},
		Paths:       []Text{{"argocd/applications", 3}, {"rendered.yaml", 4}},
		Exclude:     []Exclusion{{Path: "argocd/applications/legacy-*/**", Reason: "it is retired", Until: "2026-06-15", Line: 6}},
		Exemptions: []Exemption{{report.Exemption{
			Code: "CNM002", Workload: "Deployment/old-*", Container: "main", Path: "argocd/applications/old",
			Reason: "it moves to the new chart", Until: "2026-12-31",
		}, 10}},
		Baseline:    Text{"known.json", 16},
		KubeVersion: Text{"1.34.1", 17},
		APIVersions: []Text{{"monitoring.coreos.com/v1", 18}},
		Outputs:     []Text{{"markdown", 19}, {"json=out/report.json", 19}},
	}
	if difference := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{})); difference != "" {
		t.Errorf("want (-), got (+):\n%s", difference)
	}
}

// texts are configurations, and what the reader says of them; of those that are
// good, nothing. The schema accepts the same.
var texts = []struct{ text, wrong string }{
	{whole, ""},
	{"paths: [.]", ""},
	{"paths: ['a b']", ""},
	{"constraints: [a.yaml, b.yaml]", ""},
	{"kubeVersion: v1.30", ""},
	{"kubeVersion: 1.30.0+k3s1", ""},
	{"outputs: [table]", ""},
	{"outputs: ['sarif=a=b.sarif']", ""},
	{"exclude: [{path: '**/x', reason: why}]", ""},
	{"exclude: [{path: 'a/.hidden', reason: why, until: 2027-01-01}]", ""},
	{"exclude: [{path: 'a/**', reason: why, until: '2027-01-01'}]", ""},
	{"exemptions: [{code: CNM101, workload: 'Deployment/*', reason: why}]", ""},
	{"exemptions: [{code: ABC1, container: a, reason: why}]", ""},
	{"exemptions: [{code: CNM101, path: '**', reason: why}]", ""},
	{`{"paths": ["a"], "baseline": "b.json"}`, ""},
	{"argocd: {revisions: [main]}", ""},
	{"argocd: {repositories: [{url: 'https://example.com/a.git', path: .}], plugins: {lovely: kustomize-enable-helm}, settings: a.yaml, clusters: [b.yaml]}", ""},
	{"argocd: {destinations: [{cluster: 'https://kubernetes.default.svc', kubeVersion: v1.34.1, apiVersions: [a/v1]}, {cluster: b, kubeVersion: 1.33.0}]}", ""},
	{"argocd:", "line 1: argocd: it must be an object with keys, which are repositories, revisions, plugins, settings, clusters, destinations"},
	{"argocd: {}", "line 1: argocd: it is empty: give it a key, or remove it"},
	{"argocd: {revision: main}", "line 1: argocd.revision: unknown key: there are repositories, revisions, plugins, settings, clusters, destinations"},
	{"argocd: {revisions: []}", "line 1: argocd.revisions: it is empty: give it an item, or remove the key"},
	{"argocd: {revisions: [1.0]}", "line 1: argocd.revisions[0]: 1.0 is not a text: put it into quotes"},
	{"argocd: {repositories: [{url: a}]}", "line 1: argocd.repositories[0].path: it is missing: every entry has one"},
	{"argocd: {repositories: [{url: a, path: /b}]}", "line 1: argocd.repositories[0].path: /b is no path in the repository: write one that is relative to the folder of this file"},
	{"argocd: {plugins: [lovely]}", "line 1: argocd.plugins: it must be an object with the names of plugins as keys"},
	{"argocd: {plugins: {}}", "line 1: argocd.plugins: it is empty: give it a key, or remove it"},
	{"argocd: {plugins: {lovely: anything}}", "line 1: argocd.plugins.lovely: anything is nothing that a plugin is known to do: write kustomize-enable-helm for one that runs kustomize build --enable-helm and nothing else"},
	{"argocd: {plugins: {lovely: ~}}", "line 1: argocd.plugins.lovely: it is empty: give it a value, or remove the key"},
	{"argocd: {plugins: {a: kustomize-enable-helm, a: kustomize-enable-helm}}", "line 1: argocd.plugins.a: the key is there twice, first in line 1: keep one of them"},
	{"argocd: {settings: /a}", "line 1: argocd.settings: /a is no path in the repository: write one that is relative to the folder of this file"},
	{"argocd: {clusters: a}", "line 1: argocd.clusters: it must be a list"},
	{"argocd: {destinations: [{cluster: a}]}", "line 1: argocd.destinations[0].kubeVersion: it is missing: every entry has one"},
	{"argocd: {destinations: [{cluster: a, kubeVersion: new}]}", "line 1: argocd.destinations[0].kubeVersion: new is no version of Kubernetes: write one such as 1.35.0"},
	{"argocd: {destinations: [{cluster: a, kubeVersion: 1.34.0, apiVersions: ['a b']}]}", "line 1: argocd.destinations[0].apiVersions[0]: a b is no version of an API: write one such as monitoring.coreos.com/v1"},
	{"", "it is empty: give it a key, or remove it"},
	{"# nothing\n", "it is empty: give it a key, or remove it"},
	{"{}", "line 1: it is empty: give it a key, or remove it"},
	{"[paths]", "line 1: it must be an object with keys, which are constraints, paths, exclude, exemptions, baseline, kubeVersion, apiVersions, argocd, outputs"},
	{"text", "line 1: it must be an object with keys, which are constraints, paths, exclude, exemptions, baseline, kubeVersion, apiVersions, argocd, outputs"},
	{"paths: [a]\npath: [b]", "line 2: path: unknown key: there are constraints, paths, exclude, exemptions, baseline, kubeVersion, apiVersions, argocd, outputs"},
	{"paths: [a]\n1: [b]", "line 2: 1: unknown key: there are constraints, paths, exclude, exemptions, baseline, kubeVersion, apiVersions, argocd, outputs"},
	{"paths: [a]\nbaseline: b\npaths: [c]", "line 3: paths: the key is there twice, first in line 1: keep one of them"},
	{"paths:", "line 1: paths: it is empty: give it an item, or remove the key"},
	{"paths: []", "line 1: paths: it is empty: give it an item, or remove the key"},
	{"paths: argocd", "line 1: paths: it must be a list"},
	{"paths: {a: b}", "line 1: paths: it must be a list"},
	{"paths:\n- a\n-", "line 3: paths[1]: it is empty: give it a value, or remove the key"},
	{"paths: ['']", "line 1: paths[0]: it is empty: give it a value, or remove the key"},
	{"paths: [' a']", "line 1: paths[0]: it must be a text of one line, without blanks around it"},
	{"paths: [\"a\\nb\"]", "line 1: paths[0]: it must be a text of one line, without blanks around it"},
	{"paths: [[a]]", "line 1: paths[0]: it must be a text"},
	{"paths: [1]", "line 1: paths[0]: 1 is not a text: put it into quotes"},
	{"paths: [/etc]", "line 1: paths[0]: /etc is no path in the repository: write one that is relative to the folder of this file"},
	{"paths: ['-']", "line 1: paths[0]: - is no path in the repository: write one that is relative to the folder of this file"},
	{"constraints: [true]", "line 1: constraints[0]: true is not a text: put it into quotes"},
	{"baseline: ~", "line 1: baseline: it is empty: give it a value, or remove the key"},
	{"baseline: [a]", "line 1: baseline: it must be a text"},
	{"baseline: /a", "line 1: baseline: /a is no path in the repository: write one that is relative to the folder of this file"},
	{"kubeVersion: 1.30", "line 1: kubeVersion: 1.30 is not a text: put it into quotes"},
	{"kubeVersion: latest", "line 1: kubeVersion: latest is no version of Kubernetes: write one such as 1.35.0"},
	{"apiVersions: ['a, b']", "line 1: apiVersions[0]: a, b is no version of an API: write one such as monitoring.coreos.com/v1"},
	{"outputs: table", "line 1: outputs: it must be a list"},
	{"outputs: ['json=']", "line 1: outputs[0]: json= is neither FORMAT nor FORMAT=FILE"},
	{"outputs: ['json=/etc/x']", "line 1: outputs[0]: /etc/x is no path in the repository: write one that is relative to the folder of this file"},
	{"outputs: ['JSON']", "line 1: outputs[0]: JSON is neither FORMAT nor FORMAT=FILE"},
	{"exclude: ['a']", "line 1: exclude[0]: it must be an object with keys, which are path, reason, until"},
	{"exclude: [{}]", "line 1: exclude[0]: it is empty: give it a key, or remove it"},
	{"exclude:\n- path: a", "line 2: exclude[0].reason: it is missing: every entry has one"},
	{"exclude:\n- reason: a", "line 2: exclude[0].path: it is missing: every entry has one"},
	{"exclude:\n- path: a\n  reason:", "line 3: exclude[0].reason: it is empty: give it a value, or remove the key"},
	{"exclude:\n- path: a\n  reason: b\n  code: CNM002", "line 4: exclude[0].code: unknown key: there are path, reason, until"},
	{"exclude:\n- path: a\n  path: b\n  reason: b", "line 3: exclude[0].path: the key is there twice, first in line 2: keep one of them"},
	{"exclude: [{path: a/, reason: b}]", "line 1: exclude[0].path: a/ is no glob for paths: write folders with one / between them, relative to the folder of this file"},
	{"exclude: [{path: ../a, reason: b}]", "line 1: exclude[0].path: ../a is no glob for paths: write folders with one / between them, relative to the folder of this file"},
	{"exclude: [{path: a//b, reason: b}]", "line 1: exclude[0].path: a//b is no glob for paths: write folders with one / between them, relative to the folder of this file"},
	{"exclude: [{path: /a, reason: b}]", "line 1: exclude[0].path: /a is no glob for paths: write folders with one / between them, relative to the folder of this file"},
	{"exclude: [{path: a**, reason: b}]", "line 1: exclude[0].path: a** is no glob for paths: ** stands for folders and has no other text between two /"},
	{"exclude: [{path: a, reason: b, until: tomorrow}]", "line 1: exclude[0].until: tomorrow is no date: write it as YYYY-MM-DD"},
	{"exclude: [{path: a, reason: b, until: 2027-02-30}]", "line 1: exclude[0].until: 2027-02-30 is no date: write it as YYYY-MM-DD"},
	{"exclude: [{path: a, reason: b, until: 2027-1-1}]", "line 1: exclude[0].until: 2027-1-1 is no date: write it as YYYY-MM-DD"},
	{"exclude: [{path: a, reason: b, until: 2027-01-01T00:00:00Z}]", "line 1: exclude[0].until: 2027-01-01T00:00:00Z is no date: write it as YYYY-MM-DD"},
	{"exclude: [{path: a, reason: b, until: 20270101}]", "line 1: exclude[0].until: 20270101 is not a text: put it into quotes"},
	{"exemptions: [{code: CNM002, reason: a}]", "line 1: exemptions[0]: it exempts all that CNM002 finds: say what by workload, container or path"},
	{"exemptions: [{workload: a, reason: a}]", "line 1: exemptions[0].code: it is missing: every entry has one"},
	{"exemptions: [{code: CNM002, workload: a}]", "line 1: exemptions[0].reason: it is missing: every entry has one"},
	{"exemptions: [{code: CNM000, workload: a, reason: a}]", "line 1: exemptions[0].code: CNM000 says that a constraint cannot be used, which nothing exempts: repair the constraint"},
	{"exemptions: [{code: '*', workload: a, reason: a}]", "line 1: exemptions[0].code: * is no code of a rule: write one such as CNM002"},
	{"exemptions: [{code: CNM002, workload: a**, reason: a}]", "line 1: exemptions[0].workload: a**: write one * for any text"},
	{"exemptions: [{code: CNM002, wrkload: a, reason: a}]", "line 1: exemptions[0].wrkload: unknown key: there are code, workload, container, path, reason, until"},
}

func TestLoadRefusesWhatTheSchemaRefuses(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource("config.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range texts {
		t.Run(test.text, func(t *testing.T) {
			want := ""
			if test.wrong != "" {
				want = "load configuration: " + Name + ": " + test.wrong
			}
			if _, err := load(t, test.text); message(err) != want {
				t.Errorf("the reader says\n%s\nwant\n%s", message(err), want)
			}
			if err := valid(schema, test.text); (err == nil) != (test.wrong == "") {
				t.Errorf("the reader says %q, and the schema %v", test.wrong, err)
			}
		})
	}
}

// valid reads a text as an editor does that checks it by a schema.
func valid(schema *jsonschema.Schema, text string) error {
	asJSON, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal(asJSON, &value); err != nil {
		return err
	}
	return schema.Validate(value)
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestLoadRefusesWhatNoSchemaKnows is of the text and its place.
func TestLoadRefusesWhatNoSchemaKnows(t *testing.T) {
	for text, want := range map[string]string{
		"paths: [a": "line 1: did not find expected ',' or ']'",
		"paths: [a]\nexclude:\n- path: b\n  reason: c\n  until: 2026-06-14":   "line 5: exclude[0].until: 2026-06-14 is past: remove the entry or give it a later date",
		"exemptions: [{code: CNM002, path: a, reason: b, until: 1999-12-31}]": "line 1: exemptions[0].until: 1999-12-31 is past: remove the entry or give it a later date",
		"paths: [../a]":                       "line 1: paths[0]: ../a: it is outside of the repository: commit a copy and name that",
		"paths: [a/../../b]":                  "line 1: paths[0]: a/../../b: it is outside of the repository: commit a copy and name that",
		"baseline: out/passwd":                "line 1: baseline: out/passwd: a symbolic link leads out of the repository: commit a copy in its place",
		"outputs: [json=out/new/report.json]": "line 1: outputs[0]: out/new/report.json: a symbolic link leads out of the repository: commit a copy in its place",
		"outputs: [tap=.git/config]":          "line 1: outputs[0]: .git/config: it is a file of git: name another one",
		"outputs: [tap=sub/.GIT/config]":      "line 1: outputs[0]: sub/.GIT/config: it is a file of git: name another one",
		"paths: &a [b]\n":                     "line 1: paths: anchors and aliases are not read: write the value out",
		"paths: [&a b, *a]\n":                 "line 1: paths[0]: anchors and aliases are not read: write the value out",
		"paths: [a]\n---\npaths: [b]\n":       "line 2: a second document: a configuration is one",
		"paths: !x [a]\n":                     "line 1: paths: it must be a list",
		"paths: [!x a]\n":                     "line 1: paths[0]: a is not a text: put it into quotes",
	} {
		workTree(t)
		if err := os.Symlink(t.TempDir(), "out"); err != nil {
			t.Fatal(err)
		}
		write(t, "out/passwd", "")
		write(t, Name, text)
		if _, err := Load(Name, now); message(err) != "load configuration: "+Name+": "+want {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}

var yamlPattern = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestPages: the configurations that the pages show can be read.
func TestPages(t *testing.T) {
	root := stock.Root(t)
	for file, from := range map[string]string{"docs/configuration.md": "", "docs/monorepos.md": "## One configuration\n"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		_, section, found := strings.Cut(string(text), from)
		shown := yamlPattern.FindStringSubmatch(section)
		if !found || shown == nil {
			t.Fatalf("%s shows no configuration", file)
		}
		if _, err := load(t, shown[1]); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestUntilIsGoodForTheWholeDay in UTC, wherever the clock is.
func TestUntilIsGoodForTheWholeDay(t *testing.T) {
	workTree(t)
	write(t, Name, "exclude: [{path: a, reason: b, until: 2026-06-15}]")
	east := time.FixedZone("east", 10*60*60)
	for at, good := range map[time.Time]bool{
		time.Date(2026, 6, 15, 23, 59, 59, 0, time.UTC): true,
		time.Date(2026, 6, 16, 0, 0, 0, 0, time.UTC):    false,
		time.Date(2026, 6, 16, 9, 59, 59, 0, east):      true,
	} {
		if _, err := Load(Name, at); (err == nil) != good {
			t.Errorf("%s: error %v, want it to be good: %v", at, err, good)
		}
	}
}

func TestLoadRefusesOtherFiles(t *testing.T) {
	dir := workTree(t)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere.yaml")
	write(t, elsewhere, "paths: [a]")
	write(t, "large.yaml", "paths: [a] #"+strings.Repeat("x", MaxBytes))
	write(t, "folder/x", "")
	for link, target := range map[string]string{"link.yaml": "large.yaml", "linked": filepath.Dir(elsewhere)} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	outside := ": outside of the repository " + dir + ": a configuration is a file of the repository that it is for"
	for file, want := range map[string]string{
		"gone.yaml":             "gone.yaml: no such file",
		"link.yaml":             "link.yaml: a symbolic link: commit the file in its place",
		"folder":                "folder: not a regular file",
		"large.yaml":            "large.yaml: it is larger than the limit of 1048576 bytes for a configuration",
		elsewhere:               elsewhere + outside,
		"linked/elsewhere.yaml": "linked/elsewhere.yaml" + outside,
		"/dev/null":             "/dev/null" + outside,
	} {
		if _, err := Load(file, now); message(err) != "load configuration: "+want {
			t.Errorf("%s: error %v, want %s", file, err, want)
		}
	}
}

func TestFind(t *testing.T) {
	dir := workTree(t)
	write(t, "a/b/x", "")
	for _, name := range []string{"", "a/b", Name} {
		if name == Name {
			write(t, Name, "paths: [a]")
		}
		want := ""
		if name == Name {
			want = filepath.Join(dir, Name)
		}
		for _, from := range []string{".", "a/b", dir} {
			if got, err := Find(from); err != nil || got != want {
				t.Errorf("from %s: %q, %v, want %q", from, got, err, want)
			}
		}
	}
	if err := os.Rename(Name, ".nevermigrate.yml"); err != nil {
		t.Fatal(err)
	}
	if _, err := Find("a"); message(err) != ".nevermigrate.yml: a configuration is called .nevermigrate.yaml: rename the file" {
		t.Errorf("error %v", err)
	}
	t.Chdir(t.TempDir())
	if got, err := Find("."); err != nil || got != "" {
		t.Errorf("without a work tree: %q, %v", got, err)
	}
}

// TestPaths: what the configuration says is relative to its folder, and what is
// used to the working directory.
func TestPaths(t *testing.T) {
	workTree(t)
	write(t, "ci/nevermigrate.yaml", "paths: [../apps]\nexclude: [{path: old, reason: x}]")
	write(t, "apps/one/x", "")
	t.Chdir("apps")
	c, err := Load("../ci/nevermigrate.yaml", now)
	if err != nil {
		t.Fatal(err)
	}
	if c.File != "../ci/nevermigrate.yaml" || c.Place(3) != "../ci/nevermigrate.yaml:3" {
		t.Errorf("the file is %s", c.File)
	}
	for path, want := range map[string]string{"../apps": ".", "../apps/one": "one", "x/y": "../ci/x/y", ".": "../ci"} {
		if got := c.Local(path); got != filepath.FromSlash(want) {
			t.Errorf("%s is %s here, want %s", path, got, want)
		}
	}
	for path, want := range map[string]string{"one": "apps/one", ".": "apps", "..": ".", "../..": "", "/": ""} {
		if got, ok := c.FromTop(path); ok != (want != "") || ok && got != want {
			t.Errorf("%s is %s, %v from the top, want %s", path, got, ok, want)
		}
	}
	if _, ok := c.Excluded("ci/old/app"); !ok {
		t.Error("ci/old/app is not excluded")
	}
	if _, ok := c.Excluded("old"); ok {
		t.Error("old is excluded")
	}
}

func TestExcluded(t *testing.T) {
	c, err := load(t, "exclude:\n- {path: a/*-old, reason: first}\n- {path: '**/fixtures', reason: second}\n- {path: b/**/c, reason: third}\n")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"a/x-old": "first", "a/x-old/below/it": "first", "a/x": "", "a": "", "a/b/x-old": "", "A/x-old": "",
		"fixtures": "second", "a/fixtures/b": "second", "a/fixtures-not": "",
		"b/c": "third", "b/x/y/c": "third", "b/x/y": "", "c": "", "b": "",
	} {
		got, ok := c.Excluded(path)
		if ok != (want != "") || got.Reason != want {
			t.Errorf("%s: %q, %v, want %q", path, got.Reason, ok, want)
		}
	}
	var none *Config
	if _, ok := none.Excluded("a"); ok {
		t.Error("without a configuration something is excluded")
	}
}

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		glob, path string
		want       bool
	}{
		{"**", "a", true}, {"**", "a/b", true}, {"a/**", "a", true}, {"a/**", "a/b/c", true}, {"a/**", "ab", false},
		{"*", "a", true}, {"*", "a/b", true}, {"*/b", "a/b", true}, {"*/b", "b", false}, {"a.b", "axb", false},
		{"a[0]", "a[0]", true}, {"a?", "ab", false}, {"a*c*", "abcd", true}, {"a*c*", "abd", false},
		{strings.Repeat("**/", 200) + "x", strings.Repeat("a/", 200) + "y", false},
	} {
		if got := Matches(test.glob, test.path); got != test.want {
			t.Errorf("%.20s matches %.20s: %v, want %v", test.glob, test.path, got, test.want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, test := range texts {
		f.Add(test.text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		r := reader{config: &Config{File: Name, top: dir, folder: dir}, now: now}
		if err := r.read([]byte(text)); err != nil && (errors.Is(err, os.ErrInvalid) || !strings.HasPrefix(err.Error(), Name+": ")) {
			t.Errorf("error %v", err)
		}
	})
}
