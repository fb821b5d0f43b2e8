package appset

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/remote"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// TestSameURL: one repository has many URLs.
func TestSameURL(t *testing.T) {
	for _, url := range []string{
		"https://git.example.com/org/repo.git", "https://git.example.com/org/repo", "https://git.example.com/Org/Repo/",
		"git@git.example.com:org/repo.git", "ssh://git@git.example.com/org/repo", "https://user:token@git.example.com/org/repo", " https://git.example.com/org/repo ",
	} {
		if !remote.Same(url, "https://git.example.com/org/repo") {
			t.Errorf("%s is another", url)
		}
	}
	for _, url := range []string{"", "https://git.example.com/org/repo2", "https://git.example.com/org", "https://other/org/repo", "git@git.example.com:org"} {
		if remote.Same(url, "https://git.example.com/org/repo") {
			t.Errorf("%s is the same", url)
		}
	}
}

// TestDirectories: in the order of a walk, without hidden ones.
func TestDirectories(t *testing.T) {
	repository := Repository{Tracked: []string{"b/x/1", "a-b/1", "a/b/1", "a/.h/c/1", ".git2/1", "top"}}
	if got := strings.Join(repository.directories(false), " "); got != "a a/b a-b b b/x" {
		t.Errorf("directories are %s", got)
	}
	if got := strings.Join(repository.directories(true), " "); got != ".git2 a a/.h a/.h/c a/b a-b b b/x" {
		t.Errorf("all directories are %s", got)
	}
}

// gitSet is an ApplicationSet with the rest of a git generator.
func gitSet(t *testing.T, url, revision, rest string) Set {
	t.Helper()
	text := "kind: ApplicationSet\nmetadata: {name: s}\nspec:\n  goTemplate: true\n  generators:\n  - git:\n      repoURL: " + url +
		"\n      revision: " + revision + "\n      " + rest + "\n  template:\n    metadata: {name: '{{ .path.basename }}'}\n    spec: {project: p, destination: {}}\n"
	objects, err := manifest.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := manifest.Nodes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Set{Content: objects[0].Content, Node: nodes[0]}
}

// TestRepositories: which checkout a git generator reads, and what of it.
func TestRepositories(t *testing.T) {
	options := Options{Repositories: []Repository{
		{
			URLs: []string{"https://git/org/judged"}, Revisions: []string{"main"},
			FS: fstest.MapFS{}, Tracked: []string{"apps/a/x", "apps/.b/x"}, Submodules: []string{"apps/sub", "lib/sub"},
		},
		{URLs: []string{"https://git/org/other"}, FS: fstest.MapFS{}, Tracked: []string{"theirs/x"}},
	}}
	for name, test := range map[string]struct {
		url, revision, rest string
		hidden              bool
		want                string
	}{
		"the judged one":           {"https://git/org/judged", "refs/heads/main", "directories: [{path: apps/a}]", false, "a"},
		"another that is here":     {"https://git/org/other", "HEAD", "directories: [{path: '*'}]", false, "theirs"},
		"another revision of it":   {"https://git/org/other", "v1", "directories: [{path: '*'}]", false, `revision "v1" of https://git/org/other is not the one that is judged`},
		"one that is not here":     {"https://git/org/third", "HEAD", "directories: [{path: '*'}]", false, `(line 7): the files of "https://git/org/third" are not here`},
		"a submodule":              {"https://git/org/judged", "main", "directories: [{path: apps/*}]", false, "spec.generators[0].git.directories[0] (line 9): it can match in the submodule apps/sub"},
		"what is in a submodule":   {"https://git/org/judged", "main", "directories: [{path: apps/a}, {path: 'lib/*/*'}]", false, "it can match in the submodule lib/sub"},
		"an excluded submodule":    {"https://git/org/judged", "main", "directories: [{path: apps/a}, {path: 'lib/*', exclude: true}]", false, "a"},
		"hidden directories":       {"https://git/org/judged", "main", "directories: [{path: 'apps/.*'}]", true, ".b"},
		"no hidden directories":    {"https://git/org/judged", "main", "directories: [{path: 'apps/.*'}]", false, ""},
		"a file that is not there": {"https://git/org/judged", "main", "files: [{path: apps/a/x}]", false, "spec.generators[0].git.files[0] (line 9): open apps/a/x"},
	} {
		t.Run(name, func(t *testing.T) {
			options.HiddenDirectories = test.hidden
			result, err := Generate(context.Background(), gitSet(t, test.url, test.revision, test.rest), options)
			if err != nil {
				if !strings.Contains(err.Error(), test.want) || test.want == "" {
					t.Errorf("want %q: %v", test.want, err)
				}
				return
			}
			var names []string
			for _, application := range result.Applications {
				names = append(names, application.Name)
			}
			if want := strings.Fields(test.want); !slices.Equal(names, want) {
				t.Errorf("%v, want %v", names, want)
			}
		})
	}
}

// TestClusterOf: a Secret of a cluster, and what is wrong with one.
func TestClusterOf(t *testing.T) {
	read := func(text string) (Cluster, error) {
		objects, err := manifest.Read([]byte("kind: Secret\n" + text))
		if err != nil {
			t.Fatal(err)
		}
		return ClusterOf(objects[0].Content)
	}
	cluster, err := read("metadata: {name: s, labels: {a: b}}\ndata: {name: b25l, server: eA==}\nstringData: {server: other}\n")
	if err != nil || cluster.Data["name"] != "one" || cluster.Data["server"] != "other" || cluster.Labels["a"] != "b" {
		t.Errorf("%v, %v", cluster, err)
	}
	for text, want := range map[string]string{
		"metadata: {name: s}\ndata: {name: '*'}\n":       "read Secret s: data.name is no base64",
		"metadata: {name: s, labels: {a: 1}}\n":          "read Secret s: metadata.labels.a is no text",
		"metadata: {name: s}\nstringData: {name: [a]}\n": "read Secret s: stringData.name is no text",
	} {
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}
