package source_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

const (
	corpusSize = 1000
	corpusFile = "testdata/corpus.txt"
	corpusRepo = "testdata/repo"
)

var seed = flag.Uint64("seed", 1, "the seed of the random corpus")

// corpus are random Applications over one repository, the same for a seed.
func corpus(t testing.TB) []question {
	t.Helper()
	repositories := map[string]map[string]string{judgedURL: files(t, corpusRepo), otherURL: files(t, "testdata/other")}
	all := make([]question, corpusSize)
	for i := range all {
		pick := picker{rand.New(rand.NewPCG(*seed, uint64(i)))}
		text, err := yaml.Marshal(pick.application())
		if err != nil {
			t.Fatal(err)
		}
		settings, err := yaml.Marshal(map[string]any{"data": pick.settings()})
		if err != nil {
			t.Fatal(err)
		}
		all[i] = question{
			Name: fmt.Sprintf("corpus/%d", i), Application: string(text), Settings: string(settings), Repositories: repositories,
			KubeVersion: oneOf(pick, "1.35.0", "v1.33.2+k3s1", "1.29.0"), dir: "testdata",
		}
		if pick.chance(3) {
			all[i].APIVersions = []string{"v1", "example.com/v1/Widget"}
		}
	}
	return all
}

// picker makes random things.
type picker struct{ *rand.Rand }

func oneOf[T any](p picker, items ...T) T { return items[p.IntN(len(items))] }

// chance is true once in some times.
func (p picker) chance(n int) bool { return p.IntN(n) == 0 }

// some are a few items, in any order, perhaps twice.
func some[T any](p picker, most int, items ...T) []T {
	var all []T
	for range p.IntN(most + 1) {
		all = append(all, oneOf(p, items...))
	}
	return all
}

func (p picker) settings() map[string]string {
	settings := map[string]string{"kustomize.buildOptions": oneOf(p, "--enable-helm", "--enable-helm --load-restrictor LoadRestrictionsNone", "--enable-helm", "")}
	if p.chance(8) {
		settings[oneOf(p, "helm.enable", "kustomize.enable", "jsonnet.enable")] = "false"
	}
	if p.chance(6) {
		settings["application.resourceTrackingMethod"] = oneOf(p, "label", "annotation+label", "annotation")
		settings["application.instanceLabelKey"] = oneOf(p, "app", "applications.argoproj.io/app-name", "")
	}
	return settings
}

func (p picker) application() map[string]any {
	spec := map[string]any{"project": oneOf(p, "default", "team"), "destination": map[string]any{"server": "https://kubernetes.default.svc", "namespace": oneOf(p, "agents", "other", "")}}
	switch p.IntN(6) {
	case 0:
		sources := []any{}
		for range 1 + p.IntN(3) {
			sources = append(sources, p.source(true))
		}
		if p.chance(2) {
			ref := map[string]any{"repoURL": oneOf(p, judgedURL, otherURL), "targetRevision": "main", "ref": oneOf(p, "values", "values", "values", "values", "values", "a.b")}
			if p.chance(4) {
				ref["path"] = "plain"
			}
			sources = append(sources, ref)
		}
		spec["sources"] = sources
	case 1:
		spec["sourceHydrator"] = map[string]any{"drySource": p.source(false), "syncSource": map[string]any{"targetBranch": "x", "path": "y"}}
	default:
		spec["source"] = p.source(false)
	}
	return map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
		"metadata": map[string]any{"name": oneOf(p, "agents", "agents", "x-controllers"), "namespace": oneOf(p, "argocd", "argocd", "team")}, "spec": spec,
	}
}

func (p picker) source(several bool) map[string]any {
	source := map[string]any{"repoURL": judgedURL, "targetRevision": oneOf(p, "main", "main", "HEAD")}
	switch p.IntN(8) {
	case 0:
		source["path"] = oneOf(p, "both", "suffix", "plain", "overridden", "chart", "kustomized", ".")
	case 1, 2, 3:
		source["path"] = oneOf(p, "chart", "chart", "chart", "chart/", "overridden", "overridden", "both", "chart/../chart", "chart", "plain")
		source["helm"] = p.helm(several)
	case 4, 5, 6:
		source["path"] = oneOf(p, "kustomized", "kustomized", "kustomized", "inflated", "inflated", "old", "old", "both", "both", "beside", "plain")
		source["kustomize"] = p.kustomize()
	default:
		source["path"] = oneOf(p, "plain", "manifests", "manifests", "kustomized")
		source["directory"] = p.directory()
	}
	if p.chance(60) {
		source["kustomize"] = map[string]any{}
	}
	return source
}

func (p picker) helm(several bool) map[string]any {
	helm := map[string]any{}
	options := map[string]func() any{
		"valueFiles": func() any {
			names := []string{"a.yaml", "b.yaml", "/values/a.yaml", "../values/b.yaml", "/values/*.yaml", "/values/**/*.yaml", "$ARGOCD_APP_NAME.yaml", "gone.yaml", "/values/gone-*.yaml", "/values/{a,b}.yaml", "../values/[ab].yaml", "/values/?.yaml"}
			if several {
				names = append(names, "$values/values/a.yaml", "$values/values/b.yaml", "$values/values/*.yaml")
			}
			return some(p, 4, names...)
		},
		"values": func() any {
			return oneOf(p, "migrations: auto\n", "a: {b: 1, c: [1, 2]}\n", "a: null\n", "migrations: off\n", "list: [1, {x: 2}]\n", "", " ", "a: &x {b: 1}\nd: *x\n", "migrations: \"$ARGOCD_APP_NAME\"\n", "n: 1e3\nbig: 12345678901234567890\nf: 1.0\n", "[", "sub: {x: 1, enabled: false}\nglobal: {z: 1}\n")
		},
		"valuesObject": func() any {
			return oneOf[any](p, map[string]any{"migrations": "auto"}, map[string]any{"a": map[string]any{"b": 2}, "f": 1.5}, map[string]any{}, map[string]any{"a": nil, "text": "off", "n": 100000000}, map[string]any{"list": []any{1, "1", true}})
		},
		"parameters":     func() any { return p.parameters() },
		"fileParameters": func() any { return p.fileParameters(several) },
		"releaseName":    func() any { return oneOf(p, "r", "r-controllers", "Bad_Name") },
		"namespace":      func() any { return oneOf(p, "ns", "") },
		"kubeVersion":    func() any { return oneOf(p, "1.30", "v1.28.1", "1.31.0-eks") },
		"apiVersions":    func() any { return some(p, 2, "v1", "example.com/v1/Widget", "a/b") },
	}
	for _, name := range []string{"valueFiles", "values", "valuesObject", "parameters", "fileParameters", "releaseName", "namespace", "kubeVersion", "apiVersions"} {
		often := 6
		if name == "valueFiles" || name == "parameters" || name == "values" {
			often = 2
		}
		if p.chance(often) {
			helm[name] = options[name]()
		}
	}
	for _, name := range []string{"ignoreMissingValueFiles", "ignoreMissingValueFiles", "skipTests", "skipCrds", "skipSchemaValidation"} {
		if p.chance(2) {
			helm[name] = true
		}
	}
	return helm
}

func (p picker) parameters() []any {
	var all []any
	for range 1 + p.IntN(3) {
		parameter := map[string]any{
			"name":  oneOf(p, "migrations", "a.b", "a.c", "list[0]", "list[2]", `q\.r`, "sub.x", "sub.enabled", "global.z", "new.deep.path", "a", "nested[0].x", "bad[", "with space", "x=y"),
			"value": oneOf(p, "auto", "skip", "0", "true", "null", "", "a,b", "{a,b}", "{}", "x=y", "$ARGOCD_APP_NAME", "1e3", `a\,b`, "${ARGOCD_APP_NAMESPACE}-x", "$$", "{a", "[1]", `"q"`, "007", "1.50", "$NOTHING", "é", " spaced "),
		}
		if p.chance(3) {
			parameter["forceString"] = true
		}
		all = append(all, parameter)
	}
	return all
}

func (p picker) fileParameters(several bool) []any {
	paths := []string{"text.txt", "/values/a.yaml", "gone.txt", "../values/b.yaml", "$ARGOCD_APP_NAME.yaml"}
	if several {
		paths = append(paths, "$values/values/a.yaml")
	}
	var all []any
	for range 1 + p.IntN(2) {
		all = append(all, map[string]any{"name": oneOf(p, "migrations", "file.deep", "list[1]", "a.b"), "path": oneOf(p, paths...)})
	}
	return all
}

const randomPatch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME}\nspec: {template: {spec: {containers: [{name: main, env: [{name: JANGAR_MIGRATIONS, value: VALUE}]}]}}}\n"

func (p picker) patches() []any {
	var all []any
	for range 1 + p.IntN(2) {
		text := strings.NewReplacer("NAME", oneOf(p, "agents", "agents-controllers", "gone"), "VALUE", oneOf(p, "auto", "skip", `"0"`, "off", "$ARGOCD_APP_NAME")).Replace(randomPatch)
		all = append(all, oneOf[any](p,
			map[string]any{"patch": text},
			map[string]any{"path": oneOf(p, "patch.yaml", "gone.yaml")},
			map[string]any{"target": map[string]any{"kind": oneOf(p, "Deployment", "Service"), "name": oneOf(p, "agents.*", "")}, "patch": "- {op: replace, path: /spec/template/spec/containers/0/env/0/value, value: auto}\n"},
			map[string]any{"target": map[string]any{"labelSelector": "app=agents"}, "patch": text},
		))
	}
	return all
}

func (p picker) kustomize() map[string]any {
	kustomize := map[string]any{}
	options := []struct {
		name string
		make func() any
	}{
		{"namePrefix", func() any { return oneOf(p, "p-", "-q") }},
		{"nameSuffix", func() any { return oneOf(p, "-s", "-controllers") }},
		{"namespace", func() any { return oneOf(p, "ns", "Bad Namespace") }},
		{"images", func() any {
			return some(p, 3, "agents:2", "agents=busybox", "agents=*:3", "busybox@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3", "agents=localhost:5000/x:$ARGOCD_APP_NAME", "agents=a:*", "agents@sha256:1", "mine:$ARGOCD_APP_REVISION")
		}},
		{"replicas", func() any {
			return []any{map[string]any{"name": oneOf(p, "agents", "agents", "gone"), "count": oneOf[any](p, 3, 5, "4", "6", "many")}}
		}},
		{"commonLabels", func() any {
			return map[string]any{oneOf(p, "app", "team", "app.kubernetes.io/name"): oneOf(p, "x-controllers", "$ARGOCD_APP_NAME", `"quoted"`, "on", "1", ""), oneOf(p, "l1", "l2"): "v"}
		}},
		{"commonAnnotations", func() any {
			return map[string]any{oneOf(p, "note", "x", "there"): oneOf(p, "a:b", "$ARGOCD_APP_NAME", "yes", "2")}
		}},
		{"patches", func() any { return p.patches() }},
		{"components", func() any {
			return some(p, 2, "../components/one", "../components/two", "../components/one", "../components/gone")
		}},
		{"kubeVersion", func() any { return "1.30.1" }},
		{"apiVersions", func() any { return []any{"example.com/v1/Widget"} }},
	}
	for _, option := range options {
		if p.chance(4) {
			kustomize[option.name] = option.make()
		}
	}
	for _, name := range []string{"forceCommonLabels", "forceCommonAnnotations", "commonAnnotationsEnvsubst", "labelWithoutSelector", "ignoreMissingComponents"} {
		if p.chance(2) {
			kustomize[name] = true
		}
	}
	if kustomize["labelWithoutSelector"] != nil && p.chance(2) || p.chance(20) {
		kustomize["labelIncludeTemplates"] = true
	}
	return kustomize
}

func (p picker) directory() map[string]any {
	directory := map[string]any{}
	if p.chance(2) {
		directory["recurse"] = true
	}
	if p.chance(2) {
		directory["include"] = oneOf(p, "*.yaml", "{a,b}.yaml", "sub/*", "[ac]*", "a?yaml", "[", "**/x.yaml", "*.json", "!a*")
	}
	if p.chance(2) {
		directory["exclude"] = oneOf(p, "{*.jsonnet,broken*}", "{*.jsonnet,broken*}", "{*.jsonnet,broken*,*.txt}", "{*.json*,broken*}", "{a.yaml,broken*,*.jsonnet}", "sub*")
	}
	if p.chance(5) {
		directory["disableExtensionFilter"] = true
	}
	return directory
}

// outcome is what the product makes of a question, as a line of the corpus says it.
func outcome(t testing.TB, q question) (string, error) {
	t.Helper()
	app, view := asked(t, q)
	objects, err := source.Manifests(t.Context(), app, view, render.Options{})
	var problem *source.Problem
	switch {
	case err == nil:
		return digestOf(summaries(t, objects)), nil
	case errors.As(err, &problem) && !problem.Broken:
		return "refused", err
	default:
		return "error", err
	}
}

// TestCorpus: random Applications have the objects that Argo CD's repository server
// makes, or an error where it has one.
func TestCorpus(t *testing.T) {
	file, err := os.Open(corpusFile)
	if err != nil {
		t.Fatalf("%v: run scripts/argocd", err)
	}
	defer file.Close()
	step := 5
	if lane.IsFull(t) {
		step = 1
	}
	counts := map[string]int{}
	lines := bufio.NewScanner(file)
	for i, q := range corpus(t) {
		if !lines.Scan() {
			t.Fatalf("%s ends at %d: run scripts/argocd", corpusFile, i)
		}
		if i%step != 0 {
			continue
		}
		input, want, _ := strings.Cut(lines.Text(), " ")
		if input != q.digest()[:16] {
			t.Fatalf("%s belongs to another corpus: run scripts/argocd", corpusFile)
		}
		got, err := outcome(t, q)
		switch {
		case got != want:
			t.Errorf("%s: Argo CD %s, and here %s (%v)\n%s\n%s", q.Name, want, got, err, q.Application, q.Settings)
		case got == "error" || got == "refused":
			counts[got]++
		default:
			counts["made"]++
		}
	}
	t.Logf("compared with Argo CD: %v", counts)
	if counts["made"]*step < corpusSize/3 || counts["error"]*step < corpusSize/20 {
		t.Errorf("the corpus says too little: %v", counts)
	}
}

// writeCorpusAnswers writes the golden file of the corpus. Where the product refuses,
// Argo CD may have no one answer.
func writeCorpusAnswers(t *testing.T, answers map[string]answer) {
	t.Helper()
	var text strings.Builder
	for _, q := range corpus(t) {
		given, ok := answers[q.Name]
		if !ok {
			t.Fatalf("no answer to %s", q.Name)
		}
		says := digestOf(given.Objects)
		if given.Error != "" {
			says = "error"
		}
		if got, _ := outcome(t, q); got == "refused" {
			says = got
		}
		fmt.Fprintf(&text, "%s %s\n", q.digest()[:16], says)
	}
	if err := os.MkdirAll(filepath.Dir(corpusFile), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(corpusFile, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
