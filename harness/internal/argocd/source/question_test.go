package source_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// question is an Application with the repositories that it reads. The oracle of
// harness/e2e/argocd reads the same.
type question struct {
	Name string `json:"name"`
	// Application and Settings, the ConfigMap argocd-cm, are YAML.
	Application string `json:"application"`
	Settings    string `json:"settings"`
	// KubeVersion and APIVersions are those of the cluster.
	KubeVersion string   `json:"kubeVersion"`
	APIVersions []string `json:"apiVersions"`
	// Repositories are the files of each, by its URL.
	Repositories map[string]map[string]string `json:"repositories"`

	dir string
}

// answer is what Argo CD says to it.
type answer struct {
	// Input is the digest of the question.
	Input string `json:"input"`
	// Objects are those of all sources: what each is, and the SHA-256 of its canonical
	// JSON.
	Objects []string `json:"objects,omitempty"`
	Error   string   `json:"error,omitempty"`
}

const (
	casesDir    = "../../../../fixtures/argocd-sources"
	judgedURL   = "https://git.example.com/org/repo.git"
	otherURL    = "https://git.example.com/org/other.git"
	application = "application"
	twin        = "twin"
	goldenFile  = "argocd.json"
)

// caseFiles are what a case may hold: an Application and its twin, argocd-cm for both
// or for the twin alone, versions of the cluster, the repository that is judged and
// another one, and what comes of it.
var caseFiles = []string{"application.yaml", "twin.yaml", "argocd-cm.yaml", "twin-argocd-cm.yaml", "cluster.yaml", "repo", "other", goldenFile, "messages.txt"}

// digest is that of all that a question holds but its name.
func (q question) digest() string {
	q.Name = ""
	text, err := json.Marshal(q)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// names are those of the cases, each a folder.
func names(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(casesDir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		if entry.IsDir() {
			all = append(all, entry.Name())
		}
	}
	return all
}

// questions are those of a case: its Application and, if it has one, its twin.
func questions(t testing.TB, name string) map[string]question {
	t.Helper()
	dir := filepath.Join(casesDir, name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !slices.Contains(caseFiles, entry.Name()) {
			t.Fatalf("%s has %s, which is no part of a case", dir, entry.Name())
		}
	}
	all := map[string]question{}
	for _, which := range []string{application, twin} {
		text, ok := readIf(t, filepath.Join(dir, which+".yaml"))
		if !ok {
			continue
		}
		q := question{Name: name + "/" + which, Application: text, KubeVersion: render.DefaultKubeVersion, dir: dir, Repositories: map[string]map[string]string{
			judgedURL: files(t, filepath.Join(dir, "repo")), otherURL: files(t, filepath.Join(dir, "other")),
		}}
		q.Settings, _ = readIf(t, filepath.Join(dir, "argocd-cm.yaml"))
		if own, ok := readIf(t, filepath.Join(dir, "twin-argocd-cm.yaml")); ok && which == twin {
			q.Settings = own
		}
		if cluster, ok := readIf(t, filepath.Join(dir, "cluster.yaml")); ok {
			var given struct {
				KubeVersion string   `json:"kubeVersion"`
				APIVersions []string `json:"apiVersions"`
			}
			if err := yaml.UnmarshalStrict([]byte(cluster), &given); err != nil {
				t.Fatal(err)
			}
			q.KubeVersion, q.APIVersions = given.KubeVersion, given.APIVersions
		}
		all[which] = q
	}
	if _, ok := all[application]; !ok {
		t.Fatalf("%s has no %s.yaml", dir, application)
	}
	return all
}

func readIf(t testing.TB, file string) (string, bool) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text), err == nil
}

// files are those of a folder, by their paths.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == dir {
			return fs.SkipAll
		}
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		all[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// asked is a question as the product takes it.
func asked(t testing.TB, q question) (*api.Application, source.View) {
	t.Helper()
	app := decoded(t, q.Application)
	var configMap map[string]any
	if err := yaml.Unmarshal([]byte(q.Settings), &configMap); err != nil {
		t.Fatal(err)
	}
	settings, err := source.ReadSettings(configMap)
	if err != nil {
		t.Fatal(err)
	}
	settings.Versions = map[string]source.Versions{"": {Kubernetes: q.KubeVersion, APIs: q.APIVersions}}
	view := source.View{Settings: settings, Repositories: []source.Repository{{URLs: []string{judgedURL}, Root: folder(t, q.dir, "repo"), Revisions: []string{"main"}}}}
	if _, err := os.Stat(filepath.Join(q.dir, "other")); err == nil {
		view.Repositories = append(view.Repositories, source.Repository{URLs: []string{otherURL}, Root: folder(t, q.dir, "other"), Revisions: []string{"main"}})
	}
	return app, view
}

// folder is a folder of a case, or an empty one.
func folder(t testing.TB, dir, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		return t.TempDir()
	}
	return path
}

func decoded(t testing.TB, text string) *api.Application {
	t.Helper()
	var object map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	app, dropped, err := source.Decode(object)
	if err != nil || len(dropped) > 0 {
		t.Fatal(err, dropped)
	}
	return app
}

// summary is what an object is and the digest of its canonical JSON.
func summary(t testing.TB, object map[string]any) string {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	if err := encoder.Encode(object); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text.Bytes())
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	return fmt.Sprintf("%v %s %s", object["kind"], cmp.Or(name, "-"), hex.EncodeToString(sum[:]))
}

func summaries(t testing.TB, objects []map[string]any) []string {
	t.Helper()
	var all []string
	for _, object := range objects {
		all = append(all, summary(t, object))
	}
	return all
}

// digestOf is one digest of several summaries.
func digestOf(summaries []string) string {
	sum := sha256.Sum256([]byte(strings.Join(summaries, "\n")))
	return hex.EncodeToString(sum[:])[:16]
}

// said is what the product says of a question, a line each.
func said(result *source.Result, err error, dir string) string {
	var text strings.Builder
	var problem *source.Problem
	switch {
	case errors.As(err, &problem) && !problem.Broken:
		fmt.Fprintf(&text, "refused: %v\n", err)
	case err != nil:
		fmt.Fprintf(&text, "error: %v\n", err)
	default:
		for _, one := range result.Sources {
			fmt.Fprintf(&text, "%s: %s", one.Field, cmp.Or(one.Type, "ref only"))
			for _, file := range one.Files {
				fmt.Fprintf(&text, " %s", file)
			}
			text.WriteString("\n")
		}
		for _, warning := range result.Warnings {
			fmt.Fprintf(&text, "warning: %s: %s\n", warning.Field, warning.Message)
		}
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(text.String(), absolute, "CASE")
}
