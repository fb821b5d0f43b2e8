package appset_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/appset"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// question is an ApplicationSet with what it reads. The oracle of
// harness/e2e/argocd reads the same.
type question struct {
	Name string `json:"name"`
	// Set is the ApplicationSet, and Clusters are the Secrets, in YAML.
	Set      string   `json:"set"`
	Clusters []string `json:"clusters"`
	// Files are those of the repository.
	Files map[string]string `json:"files"`
	// NewFileGlobbing is how Argo CD is set up.
	NewFileGlobbing bool `json:"newFileGlobbing,omitempty"`
}

// answer is what Argo CD says to it.
type answer struct {
	Name string `json:"name,omitempty"`
	// Input is the digest of the question.
	Input        string            `json:"input"`
	Applications []json.RawMessage `json:"applications,omitempty"`
	// Normalized are the specs that differ from those in Applications, by name.
	Normalized map[string]json.RawMessage `json:"normalized,omitempty"`
	Error      string                     `json:"error,omitempty"`
	// Refused says that the product refuses it, so that the answer is not kept.
	Refused bool `json:"refused,omitempty"`
}

// judgedURL and judgedBranch are those of the repository of every question.
const (
	judgedURL    = "https://git.example.com/org/repo.git"
	judgedBranch = "main"
)

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

// newFileGlobbing begins a case for an Argo CD that is set up so.
const newFileGlobbing = "# newFileGlobbing: "

// The files of a case that are no part of its repository.
const (
	goldenAnswer   = "argocd.json"
	goldenMessages = "messages.txt"
)

// readCase is a case: a folder with applicationset.yaml, perhaps clusters.yaml,
// and a repository, which is the folder itself.
func readCase(t testing.TB, dir string) question {
	t.Helper()
	q := question{Name: filepath.Base(dir), Files: map[string]string{}}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		switch name = filepath.ToSlash(name); name {
		case goldenAnswer, goldenMessages:
		case "clusters.yaml":
			q.Clusters = []string{}
			if len(text) > 0 {
				q.Clusters = strings.Split(string(text), "\n---\n")
			}
		case "applicationset.yaml":
			q.Set = string(text)
			q.NewFileGlobbing = strings.HasPrefix(q.Set, newFileGlobbing)
		default:
			q.Files[name] = string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if q.Set == "" {
		t.Fatalf("%s has no applicationset.yaml", dir)
	}
	return q
}

// generate is what the product makes of a question.
func generate(t testing.TB, q question) (*appset.Result, error) {
	t.Helper()
	set, options := parse(t, q)
	return appset.Generate(context.Background(), set, options)
}

func parse(t testing.TB, q question) (appset.Set, appset.Options) {
	t.Helper()
	objects, err := manifest.Read([]byte(q.Set))
	if err != nil {
		t.Fatalf("%s: %v\n%s", q.Name, err, q.Set)
	}
	nodes, err := manifest.Nodes([]byte(q.Set))
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for name, text := range q.Files {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	options := appset.Options{Repositories: []appset.Repository{{
		URLs: []string{judgedURL}, Revisions: []string{judgedBranch},
		FS: files, Tracked: slices.Sorted(maps.Keys(q.Files)),
	}}, NewFileGlobbing: q.NewFileGlobbing}
	for _, text := range q.Clusters {
		secrets, err := manifest.Read([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		cluster, err := appset.ClusterOf(secrets[0].Content)
		if err != nil {
			t.Fatal(err)
		}
		options.Clusters = append(options.Clusters, cluster)
	}
	if q.Clusters != nil && options.Clusters == nil {
		options.Clusters = []appset.Cluster{}
	}
	return appset.Set{Content: objects[0].Content, Node: nodes[0]}, options
}

// isRefused reports whether Argo CD may know what the product does not.
func isRefused(err error) bool {
	var problem *appset.Problem
	return errors.As(err, &problem) && problem.Refused
}

// canonical are Applications as the oracle writes them: those that come from a map
// by their names.
func canonical(t testing.TB, q question, result *appset.Result) answer {
	t.Helper()
	made := slices.Clone(result.Applications)
	if strings.Contains(q.Set, "merge") || strings.Contains(q.Set, "clusters") {
		slices.SortFunc(made, func(a, b appset.Application) int { return strings.Compare(a.Name, b.Name) })
	}
	given := answer{Applications: []json.RawMessage{}, Normalized: map[string]json.RawMessage{}}
	for _, application := range made {
		text, err := json.Marshal(application.Object)
		if err != nil {
			t.Fatal(err)
		}
		given.Applications = append(given.Applications, text)
		spec, err := json.Marshal(application.Spec)
		if err != nil {
			t.Fatal(err)
		}
		if !sameJSON(t, spec, application.Object["spec"]) {
			given.Normalized[application.Name] = spec
		}
	}
	return given
}

func sameJSON(t testing.TB, text []byte, value any) bool {
	t.Helper()
	var decoded any
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(decoded, value)
}

// compact are the Applications of an answer as one text, in which the order of
// keys makes no difference.
func compact(t testing.TB, given answer) string {
	t.Helper()
	text, err := json.Marshal([]any{given.Applications, given.Normalized})
	if err != nil {
		t.Fatal(err)
	}
	var decoded []any
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	for i, none := range []any{[]any{}, map[string]any{}} {
		if decoded[i] == nil {
			decoded[i] = none
		}
	}
	if text, err = json.Marshal(decoded); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// indented is a text of JSON for people.
func indented(t testing.TB, text string) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
		t.Fatal(err)
	}
	return out.String() + "\n"
}

// messages are what the product says of an ApplicationSet, a line each.
func messages(result *appset.Result, err error) string {
	var text strings.Builder
	if err != nil {
		kind := "error"
		if isRefused(err) {
			kind = "refused"
		}
		text.WriteString(kind + ": " + err.Error() + "\n")
		return text.String()
	}
	for _, warning := range result.Warnings {
		at := warning.Place
		text.WriteString("warning: " + at.Path + lineOf(at) + ": " + warning.Message + "\n")
	}
	for _, application := range result.Applications {
		text.WriteString(application.Name + " <- " + application.Generator.Path)
		for _, origin := range application.Origins {
			text.WriteString(" | " + origin.String())
		}
		text.WriteString("\n")
	}
	return text.String()
}
