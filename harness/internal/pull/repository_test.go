package pull

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/repo/v1"
)

// TestIndexIsHelms compares with what Helm reads in an index.
func TestIndexIsHelms(t *testing.T) {
	const head = "apiVersion: v1\nentries:\n  one:\n"
	version := func(v string, more ...string) string {
		return "  - {apiVersion: v2, name: one, version: '" + v + "', urls: [one-" + v + ".tgz]" + strings.Join(more, "") + "}\n"
	}
	for what, text := range map[string]string{
		"nothing":               "",
		"no YAML":               "a: [",
		"no version of the API": "entries: {}\n",
		"no entries":            "apiVersion: v1\n",
		"versions":              head + version("1.2.0") + version("1.10.0") + version("2.0.0-rc.1") + version("v1.9.0"),
		"no semantic version":   head + version("1.2.0") + version("one") + version("3.0.0"),
		"an entry of nothing":   head + "  -\n" + version("1.0.0"),
		"an entry without name": head + "  - {apiVersion: v2, version: 1.0.0}\n" + version("1.0.0"),
		"an old entry":          head + "  - {name: one, version: 1.0.0, urls: [a]}\n",
		"only URLs":             head + "  - {urls: [a]}\n",
		"aliases left out":      head + version("1.0.0", ", dependencies: [{name: a, version: '1'}, {name: a, version: '2'}]"),
		"all fields":            "apiVersion: v1\nserverInfo: {}\ngenerated: 2026-01-01T00:00:00Z\npublicKeys: [a]\nannotations: {a: b}\nentries:\n  one:\n" + version("1.0.0", ", created: 2026-01-01T00:00:00Z, removed: true, digest: d, checksum: c, engine: e, tillerVersion: t, url: u"),
		"an unknown field":      "apiVersion: v1\nmore: 1\nentries: {}\n",
		"a key twice":           "apiVersion: v1\napiVersion: v1\n",
		"JSON":                  `{"apiVersion": "v1", "more": 1, "entries": {"one": [{"apiVersion": "v2", "name": "one", "version": "1.0.0", "urls": ["a", "b"]}]}}`,
	} {
		t.Run(what, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "index.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			helms, wantErr := repo.LoadIndexFile(file)
			ours, err := readIndex([]byte(text))
			if wantErr != nil || err != nil {
				if want := strings.TrimPrefix(message(wantErr), "error loading "+file+": "); strings.ReplaceAll(message(err), "pull.indexFile", "repo.IndexFile") != want {
					t.Errorf("error %v, want %s", err, want)
				}
				return
			}
			type one struct{ Version, URLs string }
			got, want := map[string][]one{}, map[string][]one{}
			for name, versions := range ours.Entries {
				for _, v := range versions {
					got[name] = append(got[name], one{v.Version, strings.Join(v.URLs, " ")})
				}
			}
			for name, versions := range helms.Entries {
				for _, v := range versions {
					want[name] = append(want[name], one{v.Version, strings.Join(v.URLs, " ")})
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-helm +ours):\n%s", diff)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestResolveIsHelms(t *testing.T) {
	for _, base := range []string{"https://example.com", "https://example.com/", "https://example.com/charts?token=a", "https://example.com/a%2Fb/charts/", "http://%"} {
		for _, reference := range []string{"index.yaml", "one-1.0.0.tgz", "/one.tgz", "../one.tgz", "https://other.example.com/one.tgz", "oci://example.com/one:1", "a b.tgz", "http://%", ""} {
			want, wantErr := repo.ResolveReferenceURL(base, reference)
			got, err := resolve(base, reference)
			if got != want || message(err) != message(wantErr) {
				t.Errorf("%s at %s: %q, error %v; want %q, error %v", reference, base, got, err, want, wantErr)
			}
		}
	}
}

func TestEntryOf(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		name := filepath.Join(dir, "repositories.yaml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	full := entry{
		Name: "one", URL: "https://example.com/", Username: "u", Password: "p", CertFile: "c", KeyFile: "k", CAFile: "a",
		InsecureSkipTLSVerify: true, PassCredentialsAll: true,
	}
	said := repo.NewFile()
	said.Add(&repo.Entry{Name: "two", URL: "https://example.com/two"}, nil, &repo.Entry{
		Name: "one", URL: "https://example.com/", Username: "u", Password: "p", CertFile: "c", KeyFile: "k", CAFile: "a",
		InsecureSkipTLSVerify: true, PassCredentialsAll: true,
	})
	written := filepath.Join(dir, "written.yaml")
	if err := said.WriteFile(written, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what, file string
		want       *entry
		err        string
	}{
		{"a file that Helm wrote", written, &full, ""},
		{"no file", filepath.Join(dir, "none"), &entry{URL: "https://example.com"}, ""},
		{"others", file("repositories: [{name: two, url: https://example.com/two}]\n"), &entry{URL: "https://example.com"}, ""},
	} {
		got, err := entryOf(test.file, "https://example.com")
		if diff := cmp.Diff(test.want, got); diff != "" || message(err) != test.err {
			t.Errorf("%s: error %v (-want +got):\n%s", test.what, err, diff)
		}
	}
	broken := file("repositories: [\n")
	_, err := entryOf(broken, "https://example.com")
	if want := "read Helm's repositories: " + broken + ": error converting YAML to JSON: yaml: line 1: did not find expected node content"; message(err) != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
