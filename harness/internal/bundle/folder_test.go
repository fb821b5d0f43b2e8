package bundle

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// digests are what differs in what OPA says of a changed file.
var digests = regexp.MustCompile(`\(want: \S+, got: \S+\)`)

// unpacked unpacks a bundle into a folder.
func unpacked(t *testing.T, archive string) string {
	t.Helper()
	folder := t.TempDir()
	for _, e := range entries(t, archive) {
		put(t, folder, strings.TrimPrefix(e.name, "/"), e.text)
	}
	return folder
}

func put(t *testing.T, folder, name, text string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLoadFolder: of a signed folder each file counts, and only they.
func TestLoadFolder(t *testing.T) {
	keys, other := newKeys(t, "RS"), newKeys(t, "RS")
	signed := written(t, Signing{KeyFile: keys.private})
	want, err := Load(signed, Verification{KeyFile: keys.public})
	if err != nil {
		t.Fatal(err)
	}
	unsigned := written(t, Signing{})
	for name, test := range map[string]struct {
		archive, key string
		change       func(t *testing.T, folder string)
		// err is what it fails with; FOLDER and KEY stand for the paths.
		err string
	}{
		"as it is":             {signed, keys.public, func(*testing.T, string) {}, ""},
		"without the manifest": {signed, keys.public, remove(".manifest"), ""},
		"with an empty folder": {signed, keys.public, func(t *testing.T, folder string) {
			if err := os.Mkdir(filepath.Join(folder, "empty"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, ""},
		"another key": {signed, other.public, remove(".manifest"),
			"load policy FOLDER: its signature does not hold by the RS256 key KEY: failed to verify JWT signature: crypto/rsa: verification error: take the bundle from where it was signed, and give the key, algorithm, key ID and scope with which it was signed"},
		"no key":           {signed, "", remove(".manifest"), "load policy FOLDER: it is signed: give the key that verifies it with --verification-key"},
		"not signed":       {unsigned, keys.public, func(*testing.T, string) {}, "load policy FOLDER: it is not signed: take one that is signed, or leave out --verification-key"},
		"signatures taken": {signed, keys.public, remove(".signatures.json"), "load policy FOLDER: it is not signed: take one that is signed, or leave out --verification-key"},
		"a rule changed": {signed, keys.public, adds("lib/mode.rego", "package lib.mode\n"),
			"load policy FOLDER: lib/mode.rego: digest mismatch (want: WANT, got: GOT)"},
		"a rule changed, without the manifest": {signed, keys.public, both(remove(".manifest"), adds("lib/mode.rego", "package lib.mode\n")),
			"load policy FOLDER: lib/mode.rego: digest mismatch (want: WANT, got: GOT)"},
		"a rule more": {signed, keys.public, adds("lib/more.rego", "package lib.more\n"), "load policy FOLDER: file lib/more.rego not included in bundle signature"},
		"a rule less": {signed, keys.public, remove("lib/mode.rego"), "load policy FOLDER: file(s) [lib/mode.rego] specified in bundle signatures but not found in the target bundle"},
		"a manifest of another": {signed, keys.public, adds(".manifest", `{"revision": "x", "roots": ["lib", "main"], "rego_version": 1}`),
			"load policy FOLDER: .manifest: digest mismatch (want: WANT, got: GOT)"},
		"data changed":       {signed, keys.public, adds("data.json", `{"lib": {"x": 1}}`), "load policy FOLDER: data.json: digest mismatch (want: WANT, got: GOT)"},
		"signatures no JSON": {signed, keys.public, adds(".signatures.json", "x"), "load policy FOLDER: read .signatures.json: invalid character 'x' looking for beginning of value"},
		"a rule is no Rego":  {signed, keys.public, both(remove(".manifest"), adds("main.rego", "package")), "load policy FOLDER: write the manifest again, which is signed and not there: 1 error occurred: main.rego:1: rego_parse_error: unexpected eof token\n\tpackage\n\t      ^"},
		"too large":          {signed, keys.public, adds("large", strings.Repeat("x", MaxBytes)), "load policy FOLDER: what it holds is larger than the limit of 16777216 bytes"},
		"a link": {signed, keys.public, func(t *testing.T, folder string) {
			if err := os.Symlink("main.rego", filepath.Join(folder, "again.rego")); err != nil {
				t.Fatal(err)
			}
		}, "load policy FOLDER: again.rego is no file, and only files are read from a signed folder: put the file itself there"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := unpacked(t, test.archive)
			test.change(t, folder)
			got, err := LoadFolder(folder, Verification{KeyFile: test.key})
			if test.err != "" {
				if err == nil {
					t.Fatal("it is taken")
				}
				said := digests.ReplaceAllString(err.Error(), "(want: WANT, got: GOT)")
				if diff := cmp.Diff(strings.NewReplacer("FOLDER", folder, "KEY", test.key).Replace(test.err), said); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Modules, got.Modules); diff != "" || len(got.Data) != 0 {
				t.Errorf("data %v; -bundle +folder:\n%s", got.Data, diff)
			}
		})
	}
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, folder string) {
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func adds(name, text string) func(*testing.T, string) {
	return func(t *testing.T, folder string) { put(t, folder, name, text) }
}

func both(one, two func(*testing.T, string)) func(*testing.T, string) {
	return func(t *testing.T, folder string) {
		one(t, folder)
		two(t, folder)
	}
}

// TestIsSigned looks for signatures where an unpacked bundle has them.
func TestIsSigned(t *testing.T) {
	for archive, want := range map[string]bool{written(t, Signing{}): false, written(t, Signing{KeyFile: newKeys(t, "RS").private}): true} {
		got, err := IsSigned(os.DirFS(unpacked(t, archive)))
		if err != nil || got != want {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
}
