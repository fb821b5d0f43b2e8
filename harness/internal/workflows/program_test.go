// Package workflows tests what runs on pull requests and before commits: where the action
// takes the program from, the action and the workflows under act, and the hooks for
// pre-commit.
package workflows

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// actionFolder is the folder of the action, from the root of the repository.
const actionFolder = ".github/actions/check"

// needs skips a test that needs commands that are not there, in the quick lane; the full
// lane has them.
func needs(t *testing.T, commands ...string) {
	t.Helper()
	for _, command := range commands {
		if _, err := exec.LookPath(command); err == nil {
			continue
		}
		if lane.IsFull(t) {
			t.Fatalf("there is no %s; .ci/run installs it", command)
		}
		t.Skipf("there is no %s", command)
	}
}

// write makes a file, and the folders that it lies in.
func write(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// ran is what a script left behind: its output, and its exit status.
type ran struct {
	Out    string
	Status int
}

// run runs a command with these variables and no others.
func run(t *testing.T, dir string, env map[string]string, command ...string) ran {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = []string{}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return ran{string(out), cmd.ProcessState.ExitCode()}
}

// action is a copy of the action beside a module of a few files, and a runner for it.
type action struct {
	t      *testing.T
	root   string
	env    map[string]string
	server *httptest.Server
	asked  []string
}

// newAction serves files to the action by their paths below the folder of releases.
func newAction(t *testing.T, serve http.HandlerFunc) *action {
	t.Helper()
	needs(t, "bash", "curl", "git")
	a := &action{t: t, root: t.TempDir()}
	for _, script := range []string{"source.sh", "download.sh", "build.sh", "digest.sh", "sha256.sh"} {
		a.copy(actionFolder+"/"+script, 0o755)
	}
	a.copy("scripts/action-checksums", 0o755)
	a.write("repo/go.mod", "module example.com/x\n")
	a.write("repo/go.sum", "")
	a.write("repo/harness/main.go", "package main\n")
	a.write("repo/policy/main.rego", "package main\n")
	a.write("repo/.gitignore", "*.out\n")
	a.write("repo/"+actionFolder+"/checksums.txt", "no release\n")
	for _, dir := range []string{"temp", "tools"} {
		if err := os.Mkdir(filepath.Join(a.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Nobody waits for a fake sleep, and what it and a fake gh were asked is kept.
	a.write("bin/sleep", "#!/bin/sh\necho \"sleep $*\" >>\"$ASKED\"\n")
	a.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked = append(a.asked, r.URL.Path)
		serve(w, r)
	}))
	t.Cleanup(a.server.Close)
	a.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.server.Certificate().Raw})))
	a.env = map[string]string{
		"PATH":              filepath.Join(a.root, "bin") + ":" + os.Getenv("PATH"),
		"HOME":              a.root,
		"ASKED":             filepath.Join(a.root, "asked"),
		"CURL_CA_BUNDLE":    filepath.Join(a.root, "ca.pem"),
		"RUNNER_OS":         "Linux",
		"RUNNER_ARCH":       "X64",
		"RUNNER_TEMP":       filepath.Join(a.root, "temp"),
		"RUNNER_TOOL_CACHE": filepath.Join(a.root, "tools"),
		"RELEASES":          a.server.URL,
		"REPOSITORY":        "acme/nevermigrate",
	}
	return a
}

func (a *action) write(name, text string) {
	a.t.Helper()
	write(a.t, filepath.Join(a.root, name), text, 0o755)
}

// copy takes a file of this repository.
func (a *action) copy(name string, mode os.FileMode) {
	a.t.Helper()
	text, err := os.ReadFile(filepath.Join(stock.Root(a.t), name))
	if err != nil {
		a.t.Fatal(err)
	}
	write(a.t, filepath.Join(a.root, "repo", name), string(text), mode)
}

// script runs a script of the action, with the folders and addresses of this test out of
// what it prints.
func (a *action) script(name string, env ...string) ran {
	a.t.Helper()
	all := map[string]string{"GITHUB_OUTPUT": filepath.Join(a.root, "output")}
	for name, value := range a.env {
		all[name] = value
	}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		all[name] = value
	}
	got := run(a.t, a.root, all, filepath.Join(a.root, "repo", actionFolder, name))
	got.Out = a.plain(got.Out)
	return got
}

func (a *action) plain(text string) string {
	return strings.NewReplacer(a.root, "ROOT", a.server.URL, "https://server").Replace(text)
}

// read is what a file holds, or nothing.
func (a *action) read(name string) string {
	text, err := os.ReadFile(filepath.Join(a.root, name))
	if err != nil && !os.IsNotExist(err) {
		a.t.Fatal(err)
	}
	return a.plain(string(text))
}

// archives are those of release 0.1.0, each with a program that tells its system.
func archives(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			program := fmt.Sprintf("#!/bin/sh\necho %s %s\n", system, arch)
			var file bytes.Buffer
			name := fmt.Sprintf("nevermigrate_0.1.0_%s_%s.tar.gz", system, arch)
			if system == "windows" {
				name = strings.TrimSuffix(name, "tar.gz") + "zip"
				w := zip.NewWriter(&file)
				for name, text := range map[string]string{"README.md": "read", "nevermigrate.exe": program} {
					f, err := w.CreateHeader(&zip.FileHeader{Name: name})
					if err != nil {
						t.Fatal(err)
					}
					if _, err := f.Write([]byte(text)); err != nil {
						t.Fatal(err)
					}
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
			} else {
				file.Write(tarball(t, map[string]string{"README.md": "read", "nevermigrate": program}))
			}
			all[name] = file.Bytes()
		}
	}
	return all
}

// tarball is a compressed archive of programs.
func tarball(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var file bytes.Buffer
	packed := gzip.NewWriter(&file)
	w := tar.NewWriter(packed)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// sums is checksums.txt of a release, as goreleaser writes it.
func sums(files map[string][]byte) string {
	var lines []string
	for name, file := range files {
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(file), name))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// release makes the module that of release 0.1.0.
func (a *action) release(files map[string][]byte) ran {
	a.t.Helper()
	for _, command := range []string{"init -q", "add .", "-c user.name=a -c user.email=a@example.com -c commit.gpgsign=false commit -q -m all"} {
		if got := run(a.t, filepath.Join(a.root, "repo"), a.env, append([]string{"git"}, strings.Fields(command)...)...); got.Status != 0 {
			a.t.Fatal(got)
		}
	}
	a.write("dist/checksums.txt", sums(files))
	return a.checksums("0.1.0")
}

// checksums runs the script that writes those of the action.
func (a *action) checksums(version string) ran {
	a.t.Helper()
	got := run(a.t, a.root, a.env, filepath.Join(a.root, "repo/scripts/action-checksums"), version, "dist/checksums.txt")
	got.Out = a.plain(got.Out)
	return got
}

// remaining is what curl says of a transfer that ended early.
var remaining = regexp.MustCompile(`with \d+ bytes remaining`)

// below are the names of the files below a folder.
func below(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		// What is left in a temporary folder goes with the runner.
		if err == nil && entry.IsDir() && strings.Contains(entry.Name(), "nevermigrate-") && entry.Name() != "nevermigrate-bin" {
			return filepath.SkipDir
		}
		if err == nil && !entry.IsDir() {
			names = append(names, entry.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// requireEqual stops a test at what differs.
func requireEqual(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// TestActionChecksums: the script writes every archive of a release and the digest of
// the source, or nothing.
func TestActionChecksums(t *testing.T) {
	a := newAction(t, http.NotFound)
	files := archives(t)
	files["nevermigrate_0.1.0_linux_amd64.deb"] = []byte("deb")
	files["migrations-guard_0.1.0_linux_amd64.tar.gz"] = []byte("guard")
	requireEqual(t, "result", ran{}, a.release(files))
	digest := run(t, a.root, a.env, filepath.Join(a.root, "repo", actionFolder, "digest.sh"), "repo").Out
	sum := func(name string) string { return fmt.Sprintf("%x", sha256.Sum256(files["nevermigrate_0.1.0_"+name])) }
	want := `# The release that the action downloads; scripts/action-checksums writes it.
source ` + digest + `0.1.0 linux amd64 ` + sum("linux_amd64.tar.gz") + `
0.1.0 linux arm64 ` + sum("linux_arm64.tar.gz") + `
0.1.0 darwin amd64 ` + sum("darwin_amd64.tar.gz") + `
0.1.0 darwin arm64 ` + sum("darwin_arm64.tar.gz") + `
0.1.0 windows amd64 ` + sum("windows_amd64.zip") + `
0.1.0 windows arm64 ` + sum("windows_arm64.zip") + "\n"
	checksums := "repo/" + actionFolder + "/checksums.txt"
	requireEqual(t, "checksums.txt", want, a.read(checksums))

	// Go's releases have a v, goreleaser's have none; sums of files read as binary a star.
	a.write("dist/checksums.txt", strings.ReplaceAll(sums(files), "  ", " *"))
	requireEqual(t, "result", ran{}, a.checksums("v0.1.0"))
	requireEqual(t, "checksums.txt", want, a.read(checksums))

	requireEqual(t, "another version", ran{"dist/checksums.txt has not one SHA-256 of nevermigrate_0.2.0_linux_amd64.tar.gz\n", 2}, a.checksums("0.2.0"))
	requireEqual(t, "no version", ran{"main is no version such as 0.1.0\n", 2}, a.checksums("main"))
	a.write("dist/checksums.txt", sums(files)+sums(files))
	requireEqual(t, "twice", ran{"dist/checksums.txt has not one SHA-256 of nevermigrate_0.1.0_linux_amd64.tar.gz\n", 2}, a.checksums("0.1.0"))
	a.write("dist/checksums.txt", sums(files))
	a.write("repo/harness/cpu.out", "")
	requireEqual(t, "an ignored file", ran{"the source is not that of the commit, so its digest is none of the release:\n!! harness/cpu.out\n", 2}, a.checksums("0.1.0"))
	requireEqual(t, "checksums.txt after errors", want, a.read(checksums))
}

// TestCommittedChecksums: what is committed is what the script writes, or says that there
// is no release.
func TestCommittedChecksums(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(stock.Root(t), actionFolder, "checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^# The release that the action downloads; scripts/action-checksums writes it\.\n(no release\n|source [0-9a-f]{64}\n(\d+\.\d+\.\d+[0-9A-Za-z.-]* (linux|darwin|windows) (amd64|arm64) [0-9a-f]{64}\n){6})$`)
	if !form.Match(text) {
		t.Errorf("checksums.txt is none that scripts/action-checksums writes:\n%s", text)
	}
}

// TestSource: where the program comes from, by the inputs and the release.
func TestSource(t *testing.T) {
	const ask = "::error::"
	for _, test := range []struct {
		name      string
		unchanged bool // the source is that of the release
		checksums string
		env       []string
		out       string
		status    int
		from      string
	}{
		{name: "no release", checksums: "# none\nno release\n",
			out: "nevermigrate is built from source: there is no release yet.\n", from: "source"},
		{name: "an empty file", checksums: " ",
			out: ask + "line 1 of the action's checksums.txt is none that scripts/action-checksums writes\n", status: 2},
		{name: "its own release", unchanged: true, out: "nevermigrate is release 0.1.0.\n", from: "release"},
		{name: "a source that is not released",
			out: "nevermigrate is built from source: this action is not that of release 0.1.0: its source differs.\n", from: "source"},
		{name: "the release by name", env: []string{"VERSION=0.1.0"}, out: "nevermigrate is release 0.1.0.\n", from: "release"},
		{name: "the release by its tag", env: []string{"VERSION=v0.1.0"}, out: "nevermigrate is release 0.1.0.\n", from: "release"},
		{name: "another version", unchanged: true, env: []string{"VERSION=v0.2.0"},
			out: "nevermigrate is built from source: the input version is not 0.1.0, of which this action has the checksums.\n", from: "source"},
		{name: "a revision", unchanged: true, env: []string{"VERSION=main"},
			out: "nevermigrate is built from source: the input version is not 0.1.0, of which this action has the checksums.\n", from: "source"},
		{name: "asked to build", unchanged: true, env: []string{"BUILD=true", "VERSION=0.1.0"},
			out: "nevermigrate is built from source: the input build is true.\n", from: "source"},
		{name: "told not to build", unchanged: true, env: []string{"BUILD=false"}, out: "nevermigrate is release 0.1.0.\n", from: "release"},
		{name: "build is no boolean", unchanged: true, env: []string{"BUILD=yes"},
			out: ask + "the input build must be true or false\n", status: 2},
		{name: "a hostile version", unchanged: true, env: []string{"VERSION=v1 -exec=x"},
			out: ask + "the input version is neither a version nor a revision\n", status: 2},
		{name: "a version that is a flag", unchanged: true, env: []string{"VERSION=-x"},
			out: ask + "the input version is neither a version nor a revision\n", status: 2},
		{name: "macOS", unchanged: true, env: []string{"RUNNER_OS=macOS", "RUNNER_ARCH=ARM64"}, out: "nevermigrate is release 0.1.0.\n", from: "release"},
		{name: "Windows", unchanged: true, env: []string{"RUNNER_OS=Windows"}, out: "nevermigrate is release 0.1.0.\n", from: "release"},
		{name: "no archive for the machine", unchanged: true, env: []string{"RUNNER_ARCH=ARM"},
			out: ask + "release 0.1.0 of nevermigrate has no archive for linux arm: set the input build to true to build it from source\n", status: 2},
		{name: "two versions", checksums: "0.1.0 linux amd64 " + strings.Repeat("a", 64) + "\n0.2.0 linux arm64 " + strings.Repeat("a", 64) + "\n",
			out: ask + "line 2 of the action's checksums.txt is none that scripts/action-checksums writes\n", status: 2},
		{name: "a checksum cut off", checksums: "# a\n0.1.0 linux amd64 " + strings.Repeat("a", 63),
			out: ask + "line 2 of the action's checksums.txt is none that scripts/action-checksums writes\n", status: 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newAction(t, http.NotFound)
			files := archives(t)
			requireEqual(t, "release", ran{}, a.release(files))
			if !test.unchanged {
				a.write("repo/harness/main.go", "package main // changed\n")
			}
			if test.checksums != "" {
				a.write("repo/"+actionFolder+"/checksums.txt", test.checksums)
			}
			requireEqual(t, "result", ran{test.out, test.status}, a.script("source.sh", test.env...))
			requireEqual(t, "requests", []string(nil), a.asked)
			if test.from != "release" {
				if got := a.read("output"); test.status == 2 && got != "" || test.from != "" && !strings.HasPrefix(got, "from=source\n") {
					t.Errorf("outputs:\n%s", got)
				}
				return
			}
			name := "nevermigrate_0.1.0_linux_amd64.tar.gz"
			switch test.name {
			case "macOS":
				name = "nevermigrate_0.1.0_darwin_arm64.tar.gz"
			case "Windows":
				name = "nevermigrate_0.1.0_windows_amd64.zip"
			}
			sum := fmt.Sprintf("%x", sha256.Sum256(files[name]))
			requireEqual(t, "outputs", "from=release\nrelease=0.1.0\nfile="+name+"\nsum="+sum+
				"\nmodule=ROOT/repo\nbin=ROOT/temp/nevermigrate-bin\ndigest="+sum+"\n", a.read("output"))
		})
	}
}

// TestBuild: what is asked of go.
func TestBuild(t *testing.T) {
	const program = "harness/cmd/nevermigrate"
	for _, test := range []struct{ version, cgo, want string }{
		{"", "", "ROOT/repo 0 off install ./" + program},
		{"", "1", "ROOT/repo 1 off install ./" + program},
		{"0.1.0", "", "ROOT/temp 0 off install github.com/proompteng/nevermigrate/" + program + "@v0.1.0"},
		{"v0.1.0-rc.1", "", "ROOT/temp 0 off install github.com/proompteng/nevermigrate/" + program + "@v0.1.0-rc.1"},
		{"main", "", "ROOT/temp 0 off install github.com/proompteng/nevermigrate/" + program + "@main"},
	} {
		a := newAction(t, http.NotFound)
		a.write("bin/go", "#!/bin/sh\necho \"$PWD $CGO_ENABLED $GOWORK $*\"\n")
		requireEqual(t, test.version, ran{Out: test.want + "\n"}, a.script("build.sh", "VERSION="+test.version, "CGO_ENABLED="+test.cgo, "MODULE="+filepath.Join(a.root, "repo")))
	}
}

// TestDigest: any change of what the program is built from is another digest, and the
// folder is none of it.
func TestDigest(t *testing.T) {
	digest := func(change func(*action)) string {
		a := newAction(t, http.NotFound)
		change(a)
		got := run(t, a.root, a.env, filepath.Join(a.root, "repo", actionFolder, "digest.sh"), "repo")
		if got.Status != 0 {
			t.Fatal(got)
		}
		return got.Out
	}
	base := digest(func(*action) {})
	if !regexp.MustCompile(`^[0-9a-f]{64}\n$`).MatchString(base) {
		t.Fatalf("%q is no SHA-256", base)
	}
	requireEqual(t, "another folder, and files beside the source", base, digest(func(a *action) { a.write("repo/docs/x.md", "x") }))
	for _, file := range []string{"go.mod", "go.sum", "harness/main.go", "harness/a/embedded.txt", "policy/main.rego"} {
		if digest(func(a *action) { a.write("repo/"+file, "changed\n") }) == base {
			t.Errorf("a change of %s is not in the digest", file)
		}
	}
	// shasum, which macOS has, says the same.
	requireEqual(t, "shasum", base, digest(func(a *action) {
		needs(t, "shasum")
		tools := filepath.Join(a.root, "mac")
		for _, command := range []string{"bash", "dirname", "find", "sort", "xargs", "sed", "shasum", "perl", "env"} {
			path, err := exec.LookPath(command)
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(tools, ".keep"), "", 0o644)
			if err := os.Symlink(path, filepath.Join(tools, command)); err != nil {
				t.Fatal(err)
			}
		}
		a.env["PATH"] = tools
	}))
}
