package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/report"
	"github.com/proompteng/nevermigrate/policy"
)

// entry is an entry of an archive.
type entry struct {
	name, text string
	kind       byte // 0: a file
}

// archive writes a gzipped tar archive and returns its path.
func archive(t *testing.T, entries ...entry) string {
	t.Helper()
	var buffer bytes.Buffer
	zipped := gzip.NewWriter(&buffer)
	tarred := tar.NewWriter(zipped)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Typeflag: tar.TypeReg, Size: int64(len(e.text)), Mode: 0o600}
		if e.kind != 0 {
			header.Typeflag, header.Linkname = e.kind, "main.rego"
		}
		if err := tarred.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tarred, e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := tarred.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return file(t, "bundle.tar.gz", buffer.String())
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// entries are the files of an archive in its order.
func entries(t *testing.T, path string) []entry {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if !unzipped.ModTime.IsZero() {
		t.Errorf("the archive carries the time %s", unzipped.ModTime)
	}
	reader := tar.NewReader(unzipped)
	var all []entry
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.ModTime.Unix() != 0 {
			t.Errorf("%s carries the time %s", header.Name, header.ModTime)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry{name: header.Name, text: string(content)})
	}
}

func written(t *testing.T, signing Signing) string {
	t.Helper()
	var buffer bytes.Buffer
	if err := Write(&buffer, signing); err != nil {
		t.Fatal(err)
	}
	return file(t, "policy.tar.gz", buffer.String())
}

// TestWrite: the bundle holds the policy as it is, an empty data file, as OPA
// writes it, and the manifest.
func TestWrite(t *testing.T) {
	want := map[string]string{"/data.json": "{}\n"}
	err := fs.WalkDir(policy.FS, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := fs.ReadFile(policy.FS, name)
		want["/"+name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range entries(t, written(t, Signing{})) {
		got[e.name] = e.text
	}
	manifest := regexp.MustCompile(`\+[0-9a-f]{12}"`).ReplaceAllString(got["/.manifest"], `+DIGEST"`)
	if diff := cmp.Diff(`{"revision":"`+policy.Version+`+DIGEST","roots":["lib","main"],"rego_version":1}`+"\n", manifest); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
	delete(got, "/.manifest")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestWriteIsReproducible: only the rules decide the bytes, and all of them do.
func TestWriteIsReproducible(t *testing.T) {
	rules := func(mode fs.FileMode, at time.Time, extra string) fstest.MapFS {
		return fstest.MapFS{
			"main.rego":  {Data: []byte("package main\n" + extra), Mode: mode, ModTime: at},
			"lib/a.rego": {Data: []byte("package lib.a\n"), Mode: mode, ModTime: at},
		}
	}
	secret := file(t, "secret", "a secret")
	for name, signing := range map[string]Signing{
		"unsigned": {}, "HS256": {KeyFile: secret, Algorithm: "HS256"}, "RS256": {KeyFile: newKeys(t, "RS").private},
	} {
		t.Run(name, func(t *testing.T) {
			build := func(rules fs.FS) string {
				var buffer bytes.Buffer
				if err := write(&buffer, rules, signing); err != nil {
					t.Fatal(err)
				}
				return buffer.String()
			}
			first := build(rules(0o644, time.Unix(0, 0), ""))
			if build(rules(0o600, time.Now(), "")) != first {
				t.Error("another mode or another day makes another bundle")
			}
			changed := build(rules(0o644, time.Unix(0, 0), "x := 1\n"))
			if manifest(t, changed) == manifest(t, first) {
				t.Error("the revision stays when a rule changes")
			}
		})
	}
}

func manifest(t *testing.T, bundle string) string {
	for _, e := range entries(t, file(t, "bundle.tar.gz", bundle)) {
		if e.name == "/.manifest" {
			return e.text
		}
	}
	t.Fatal("no manifest")
	return ""
}

// pair is the files of a pair of keys.
type pair struct{ private, public string }

func newKeys(t *testing.T, family string) pair {
	t.Helper()
	var private, public any
	switch family {
	case "RS", "PS":
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		private, public = key, key.Public()
	case "ES":
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		private, public = key, key.Public()
	default:
		secret := file(t, "secret", rand.Text())
		return pair{secret, secret}
	}
	privateDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	publicDER, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pair{
		file(t, "private.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: privateDER}))),
		file(t, "public.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER}))),
	}
}

// TestSignatures signs and verifies, and refuses what is not signed by the key.
func TestSignatures(t *testing.T) {
	plain, err := Load(written(t, Signing{}), Verification{})
	if err != nil {
		t.Fatal(err)
	}
	if len(plain.Modules) < 10 || len(plain.Data) != 0 {
		t.Fatalf("%d modules and the data %v", len(plain.Modules), plain.Data)
	}
	claims := file(t, "claims.json", `{"scope": "write", "iss": "somebody"}`)
	for _, algorithm := range []string{"RS256", "PS384", "ES256", "HS512"} {
		t.Run(algorithm, func(t *testing.T) {
			mine, other := newKeys(t, algorithm[:2]), newKeys(t, algorithm[:2])
			signed := written(t, Signing{KeyFile: mine.private, Algorithm: algorithm, KeyID: "mine", ClaimsFile: claims})
			good := Verification{KeyFile: mine.public, Algorithm: algorithm, KeyID: "mine", Scope: "write"}
			got, err := Load(signed, good)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(signed)
			if err != nil {
				t.Fatal(err)
			}
			want := *plain
			want.SHA256 = report.Digest(text) // the signature is part of the file
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("contents (-unsigned +signed):\n%s", diff)
			}
			anyID := good
			anyID.KeyID = ""
			if _, err := Load(signed, anyID); err != nil {
				t.Errorf("any key ID: %v", err)
			}
			for name, change := range map[string]func(v *Verification){
				"another key": func(v *Verification) { v.KeyFile = other.public },
				"another algorithm": func(v *Verification) {
					v.Algorithm = map[bool]string{true: "HS256", false: "RS512"}[algorithm == "HS512"]
				},
				"another ID":    func(v *Verification) { v.KeyID = "other" },
				"another scope": func(v *Verification) { v.Scope = "read" },
				"no scope":      func(v *Verification) { v.Scope = "" },
			} {
				v := good
				change(&v)
				_, err := Load(signed, v)
				if err == nil || !strings.HasPrefix(err.Error(), "load bundle "+signed+": its signature does not hold by the "+v.Algorithm+" key "+v.KeyFile) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// TestChangedAfterSigning changes a signed bundle in each way.
func TestChangedAfterSigning(t *testing.T) {
	keys := newKeys(t, "ES")
	signed := entries(t, written(t, Signing{KeyFile: keys.private, Algorithm: "ES256"}))
	without := func(name string) []entry {
		var left []entry
		for _, e := range signed {
			if e.name != name {
				left = append(left, e)
			}
		}
		if len(left) != len(signed)-1 {
			t.Fatalf("no %s", name)
		}
		return left
	}
	for name, test := range map[string]struct {
		entries []entry
		want    string
	}{
		"a file changed":     {append(without("/main.rego"), entry{name: "/main.rego", text: "package main\n"}), "main.rego: digest mismatch (want: X, got: X)"},
		"the data changed":   {append(without("/data.json"), entry{name: "/data.json", text: `{"a": 1}`}), "data.json: digest mismatch (want: X, got: X)"},
		"a file more":        {append(without("/data.json"), entry{name: "/data.json", text: "{}"}, entry{name: "/lib/more.rego", text: "package lib.more\n"}), "file lib/more.rego not included in bundle signature"},
		"a note more":        {append(without("/data.json"), entry{name: "/data.json", text: "{}"}, entry{name: "/README", text: ""}), "file README not included in bundle signature"},
		"a file less":        {without("/lib/env.rego"), "file(s) [lib/env.rego] specified in bundle signatures but not found in the target bundle"},
		"the manifest gone":  {without("/.manifest"), "file(s) [.manifest] specified in bundle signatures but not found in the target bundle"},
		"the signature gone": {without("/.signatures.json"), "it is not signed: take one that is signed, or leave out --verification-key"},
		"no signature in it": {append(without("/.signatures.json"), entry{name: "/.signatures.json", text: `{"signatures": []}`}),
			"its signature does not hold by the ES256 key " + keys.public + ": .signatures.json: missing JWT (expected exactly one): take the bundle from where it was signed, and give the key, algorithm, key ID and scope with which it was signed"},
		"two signatures": {append([]entry{{name: "/lib/.signatures.json", text: signedBy(t, signed)}}, signed...),
			`bundle contains multiple signatures files: "/lib/.signatures.json" and "/.signatures.json"`},
	} {
		t.Run(name, func(t *testing.T) {
			path := archive(t, test.entries...)
			_, err := Load(path, Verification{KeyFile: keys.public, Algorithm: "ES256"})
			if err == nil {
				t.Fatal("no error")
			}
			got := regexp.MustCompile(`(want|got): [0-9a-f]{64}`).ReplaceAllString(err.Error(), "$1: X")
			if diff := cmp.Diff("load bundle "+path+": "+test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// signedBy is the text of the file with the signature.
func signedBy(t *testing.T, entries []entry) string {
	for _, e := range entries {
		if e.name == "/.signatures.json" {
			return e.text
		}
	}
	t.Fatal("not signed")
	return ""
}

// TestLoadRefuses: what would be lost, or is made to do harm, is an error.
func TestLoadRefuses(t *testing.T) {
	main := entry{name: "main.rego", text: "package main\n"}
	var many []entry
	for i := range MaxFiles + 1 {
		many = append(many, entry{name: fmt.Sprintf("%d.txt", i)})
	}
	half := strings.Repeat(" ", MaxBytes/2+1)
	for name, test := range map[string]struct{ path, want string }{
		"nothing":           {archive(t), "it has no policy: no file in it ends in .rego"},
		"only data":         {archive(t, entry{name: "data.json", text: "{}"}), "it has no policy: no file in it ends in .rego"},
		"not gzip":          {file(t, "b", "package main"), "it is no OPA bundle, which is a gzipped tar archive: gzip: invalid header"},
		"empty":             {file(t, "b", ""), "it is no OPA bundle, which is a gzipped tar archive: EOF"},
		"not tar":           {zipped(t, strings.Repeat("x", 1024)), "it is no OPA bundle, which is a gzipped tar archive: archive/tar: invalid tar header"},
		"bad Rego":          {archive(t, entry{name: "main.rego", text: "package"}), "1 error occurred: main.rego:1: rego_parse_error: unexpected eof token\n\tpackage\n\t      ^"},
		"Rego v0":           {archive(t, main, entry{name: ".manifest", text: `{"rego_version": 0}`}), "main.rego is Rego v0 by the manifest, and only v1 is read here: build the bundle with --v1-compatible"},
		"one file v0":       {archive(t, main, entry{name: ".manifest", text: `{"file_rego_versions": {"*.rego": 0}}`}), "main.rego is Rego v0 by the manifest, and only v1 is read here: build the bundle with --v1-compatible"},
		"other roots":       {archive(t, main, entry{name: ".manifest", text: `{"roots": ["lib"]}`}), "manifest roots [lib] do not permit 'package main' in module 'main.rego'"},
		"data beside roots": {archive(t, main, entry{name: "data.json", text: `{"x": 1}`}, entry{name: ".manifest", text: `{"roots": ["main"]}`}), "manifest roots [main] do not permit data at path '/x' (hint: check bundle directory structure)"},
		"WebAssembly":       {archive(t, main, entry{name: "policy.wasm"}), "policy.wasm is WebAssembly, which is not run here: build the bundle with --target rego"},
		"a plan":            {archive(t, main, entry{name: "plan.json", text: "{}"}), "plan.json is a plan, which is not run here: build the bundle with --target rego"},
		"a delta":           {archive(t, entry{name: "patch.json", text: `{"data": [{"op": "remove", "path": "/a"}]}`}), "it is a delta bundle, which only changes another one: build a whole bundle"},
		"a symbolic link":   {archive(t, main, entry{name: "lib/a.rego", kind: tar.TypeSymlink}), "lib/a.rego is no file, and only files are read from a bundle: put the file itself there"},
		"a hard link":       {archive(t, main, entry{name: "lib/a.rego", kind: tar.TypeLink}), "lib/a.rego is no file, and only files are read from a bundle: put the file itself there"},
		"a file twice":      {archive(t, main, entry{name: "./main.rego", text: "package main\n"}), "./main.rego is there twice"},
		"a way out":         {archive(t, entry{name: "lib/../../main.rego", text: "package main\n"}), "lib/../../main.rego leads out of the bundle"},
		"too many files":    {archive(t, many...), "it holds more than 10000 files"},
		"a large file":      {archive(t, main, entry{name: "a", text: half + half}), "what it holds is larger than the limit of 16777216 bytes"},
		"large together":    {archive(t, main, entry{name: "a", text: half}, entry{name: "b", text: half}), "what it holds is larger than the limit of 16777216 bytes"},
		"large padding":     {zipped(t, strings.Repeat("\x00", MaxBytes+512)), "it has no policy: no file in it ends in .rego"},
		"a sparse file":     {sparse(t), "what it holds is larger than the limit of 16777216 bytes"},
		"a large archive":   {file(t, "b", strings.Repeat("x", MaxBytes+1)), "it is larger than the limit of 16777216 bytes"},
		"a signed one":      {written(t, Signing{KeyFile: file(t, "s", "secret"), Algorithm: "HS256"}), "it is signed: give the key that verifies it with --verification-key"},
		"a folder":          {t.TempDir(), "it is no file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(test.path, Verification{})
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff("load bundle "+test.path+": "+test.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file(t, "bundle.tar.gz", buffer.String())
}

// sparse is an archive with a file of a gigabyte that takes no room in it: the
// whole of it is a hole. Package tar reads such files and does not write them.
func sparse(t *testing.T) string {
	t.Helper()
	attributes := ""
	for _, attribute := range []string{"major=1", "minor=0", "name=data.json", fmt.Sprintf("realsize=%d", 1<<30)} {
		line := " GNU.sparse." + attribute + "\n"
		attributes += fmt.Sprintf("%d%s", len(line)+2, line)
	}
	holes := fmt.Sprintf("1\n%d\n0\n", 1<<30)
	return zipped(t, block(t, tar.TypeXHeader, attributes)+block(t, tar.TypeReg, holes+strings.Repeat("\x00", 512-len(holes))))
}

// block is one raw entry of a tar archive.
func block(t *testing.T, kind byte, text string) string {
	t.Helper()
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	if err := w.WriteHeader(&tar.Header{Name: "entry", Typeflag: tar.TypeReg, Size: int64(len(text)), Format: tar.FormatUSTAR, Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	header := buffer.Bytes()
	header[156] = kind
	copy(header[148:156], "        ")
	sum := 0
	for _, b := range header[:512] {
		sum += int(b)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
	return buffer.String()
}

// TestKeys: a key that cannot be used is an error that names it.
func TestKeys(t *testing.T) {
	keys := newKeys(t, "RS")
	secret, empty := file(t, "secret", "a secret"), file(t, "empty", " \n")
	bundle := written(t, Signing{})
	for name, test := range map[string]struct{ key, algorithm, want string }{
		"no such file":       {"no/such/file", "RS256", "read %s key: open no/such/file: no such file or directory"},
		"a secret for RS256": {secret, "", "read %s key " + secret + ": it holds no key in PEM, as RS256 takes it: for a secret, name an algorithm such as HS256"},
		"a key for HS256":    {keys.public, "HS256", "read %s key " + keys.public + ": it is a public key, and HS256 takes a secret: name the key's own algorithm, such as RS256 or ES256"},
		"an empty key":       {empty, "HS256", "read %s key " + empty + ": it is empty"},
		"no algorithm":       {keys.public, "none", `unknown signing algorithm "none": use RS, PS, ES or HS with 256, 384 or 512, as in RS256`},
		"a misspelt one":     {keys.public, "rs256", `unknown signing algorithm "rs256": use RS, PS, ES or HS with 256, 384 or 512, as in RS256`},
	} {
		t.Run(name, func(t *testing.T) {
			want := func(use string) string {
				if strings.Contains(test.want, "%s") {
					return fmt.Sprintf(test.want, use)
				}
				return test.want
			}
			_, err := Load(bundle, Verification{KeyFile: test.key, Algorithm: test.algorithm})
			if err == nil || err.Error() != want("verification") {
				t.Errorf("verify: got %v, want %s", err, want("verification"))
			}
			var buffer bytes.Buffer
			err = Write(&buffer, Signing{KeyFile: test.key, Algorithm: test.algorithm})
			if err == nil || err.Error() != "sign bundle: "+want("signing") {
				t.Errorf("sign: got %v, want sign bundle: %s", err, want("signing"))
			}
			if buffer.Len() != 0 {
				t.Errorf("%d bytes were written", buffer.Len())
			}
		})
	}
	t.Run("of another family", func(t *testing.T) {
		var buffer bytes.Buffer
		err := Write(&buffer, Signing{KeyFile: keys.private, Algorithm: "ES256"})
		if err == nil || !strings.HasPrefix(err.Error(), "sign bundle: with the ES256 key "+keys.private+": ") || buffer.Len() != 0 {
			t.Errorf("got %v and %d bytes", err, buffer.Len())
		}
	})
	t.Run("a public key to sign with", func(t *testing.T) {
		var buffer bytes.Buffer
		err := Write(&buffer, Signing{KeyFile: keys.public})
		want := "sign bundle: with the RS256 key " + keys.public + ": unsupported key type: PUBLIC KEY"
		if err == nil || err.Error() != want || buffer.Len() != 0 {
			t.Errorf("got %v and %d bytes, want %s", err, buffer.Len(), want)
		}
	})
	for name, test := range map[string]struct{ text, want string }{
		"claims that are none": {`[]`, "it is no JSON object: json: cannot unmarshal array into Go value of type map[string]json.RawMessage"},
		"claims on the files":  {`{"files": []}`, "files is what the signature itself lists: leave it out"},
	} {
		t.Run(name, func(t *testing.T) {
			claims := file(t, "claims.json", test.text)
			var buffer bytes.Buffer
			err := Write(&buffer, Signing{KeyFile: keys.private, ClaimsFile: claims})
			want := "sign bundle: read claims " + claims + ": " + test.want
			if err == nil || err.Error() != want || buffer.Len() != 0 {
				t.Errorf("got %v and %d bytes, want %s", err, buffer.Len(), want)
			}
		})
	}
}
