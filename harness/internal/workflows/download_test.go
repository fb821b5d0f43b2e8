package workflows

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	file = "nevermigrate_0.1.0_linux_amd64.tar.gz"
	path = "/v0.1.0/" + file
	// failed stands before what the action says in the end, remedy after it.
	failed = "::error::nevermigrate 0.1.0 could not be downloaded: "
	remedy = "or set the input build to true to build from source."
)

// attestation is what gh is asked.
const attestation = "gh attestation verify TEMP/archive --repo acme/nevermigrate --signer-workflow acme/nevermigrate/.github/workflows/release.yml --source-ref refs/tags/v0.1.0 --deny-self-hosted-runners\n"

// downloads is an action that is told to download a file.
func downloads(t *testing.T, name, sum string, serve http.HandlerFunc) *action {
	t.Helper()
	a := newAction(t, serve)
	maps.Copy(a.env, map[string]string{
		"RELEASE": "0.1.0", "FILE": name, "SUM": sum, "BIN": filepath.Join(a.root, "temp", "nevermigrate-bin"), "BASH_ENV": "",
	})
	a.withoutGh()
	return a
}

// withoutGh gives the scripts no other commands than those that they need.
func (a *action) withoutGh() {
	a.t.Helper()
	for _, command := range []string{"bash", "cat", "cp", "curl", "cut", "dirname", "grep", "gzip", "head", "mkdir", "mktemp", "mv", "rm", "sed", "sh", "sha256sum", "tail", "tar", "tr", "unzip"} {
		if path, err := exec.LookPath(command); err == nil {
			if err := os.Symlink(path, filepath.Join(a.root, "bin", command)); err != nil {
				a.t.Fatal(err)
			}
		}
	}
	a.env["PATH"] = filepath.Join(a.root, "bin") + ":/usr/bin/nothing"
}

// TestDownload: the right file or none.
func TestDownload(t *testing.T) {
	all := archives(t)
	good := all[file]
	sum := fmt.Sprintf("%x", sha256.Sum256(good))
	serveGood := func(w http.ResponseWriter, r *http.Request) { w.Write(good) }
	interrupt := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", fmt.Sprint(len(good)))
		w.Write(good[:len(good)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	// nth answers the first requests as told, and all others with the file.
	nth := func(answers ...func(http.ResponseWriter)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if len(answers) == 0 {
				w.Write(good)
				return
			}
			answer := answers[0]
			answers = answers[1:]
			answer(w)
		}
	}
	status := func(code int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { http.Error(w, "sorry", code) }
	}
	const (
		right     = file + " was downloaded, and its checksum is right.\n"
		noToken   = "The attestation is not verified: it needs a token of github.com.\n"
		cut       = "curl: (18) transfer closed with N bytes remaining to read"
		url       = "https://server" + path
		notSecure = `curl: (1) Protocol "http" not supported or disabled in libcurl`
	)
	for _, test := range []struct {
		name   string
		serve  http.HandlerFunc
		env    []string
		gh     string
		out    string
		failed bool
		// asked are the paths that the server was asked for, called what other commands were.
		asked  []string
		called string
	}{
		{name: "the right file", serve: serveGood, out: noToken + right, asked: []string{path}},
		{name: "a wrong checksum", serve: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "something else") },
			out: failed + fmt.Sprintf("the SHA-256 of %s is %x, and the action's checksums.txt says %s. Do not use it; tell the maintainers of nevermigrate.\n",
				url, sha256.Sum256([]byte("something else")), sum), failed: true, asked: []string{path}},
		{name: "one byte more", serve: func(w http.ResponseWriter, r *http.Request) { w.Write(append(slices.Clone(good), 0)) },
			out: failed + fmt.Sprintf("the SHA-256 of %s is %x, and the action's checksums.txt says %s. Do not use it; tell the maintainers of nevermigrate.\n",
				url, sha256.Sum256(append(slices.Clone(good), 0)), sum), failed: true, asked: []string{path}},
		{name: "interrupted once", serve: nth(interrupt),
			out: "Try 1 of 3: " + cut + "\n" + noToken + right, asked: []string{path, path}, called: "sleep 5\n"},
		{name: "interrupted each time", serve: nth(interrupt, interrupt, interrupt),
			out:    "Try 1 of 3: " + cut + "\nTry 2 of 3: " + cut + "\nTry 3 of 3: " + cut + "\n" + failed + url + ": " + cut + ". Run the job again, " + remedy + "\n",
			failed: true, asked: []string{path, path, path}, called: "sleep 5\nsleep 10\n"},
		{name: "busy twice", serve: nth(status(503), status(429)),
			out:   "Try 1 of 3: curl: (22) The requested URL returned error: 503\nTry 2 of 3: curl: (22) The requested URL returned error: 429\n" + noToken + right,
			asked: []string{path, path, path}, called: "sleep 5\nsleep 10\n"},
		{name: "not there", serve: http.NotFound,
			out:    failed + url + " is not there (status 404). Take a commit of the action whose release is there, " + remedy + "\n",
			failed: true, asked: []string{path}},
		{name: "redirected", serve: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == path {
				http.Redirect(w, r, "/elsewhere", http.StatusFound)
				return
			}
			w.Write(good)
		}, out: noToken + right, asked: []string{path, "/elsewhere"}},
		{name: "redirected to nothing", serve: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == path {
				http.Redirect(w, r, "/elsewhere", http.StatusFound)
				return
			}
			http.NotFound(w, r)
		}, out: failed + url + " is not there (status 404). Take a commit of the action whose release is there, " + remedy + "\n",
			failed: true, asked: []string{path, "/elsewhere"}},
		{name: "redirected to what anybody can change", serve: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/x", http.StatusFound)
		}, out: "Try 1 of 3: " + notSecure + "\nTry 2 of 3: " + notSecure + "\nTry 3 of 3: " + notSecure + "\n" + failed + url + ": " + notSecure + ". Run the job again, " + remedy + "\n",
			failed: true, asked: []string{path, path, path}, called: "sleep 5\nsleep 10\n"},
		{name: "attested", serve: serveGood, env: []string{"GH_TOKEN=x"}, gh: `[ "$3" != --help ] || echo "  --source-ref string"`,
			out: "The attestation is right: acme/nevermigrate built it.\n" + right, asked: []string{path}, called: "gh attestation verify --help\n" + attestation},
		{name: "attested by nobody", serve: serveGood, env: []string{"GH_TOKEN=x"},
			gh:     `[ "$3" = --help ] && echo "  --source-ref string" || { printf 'Loaded digest\n\nError: no attestations found 100%%\n'; exit 1; }`,
			out:    failed + "GitHub does not attest that acme/nevermigrate built " + url + ": Error: no attestations found 100%25. Run the job again, " + remedy + "\n",
			failed: true, asked: []string{path}, called: "gh attestation verify --help\n" + attestation},
		{name: "gh is too old", serve: serveGood, env: []string{"GH_TOKEN=x"}, gh: "echo '  --signer-workflow string'",
			out: "The attestation is not verified: there is no gh that could.\n" + right, asked: []string{path}, called: "gh attestation verify --help\n"},
		{name: "no gh", serve: serveGood, env: []string{"GH_TOKEN=x"},
			out: "The attestation is not verified: there is no gh that could.\n" + right, asked: []string{path}},
		{name: "another server than github.com", serve: serveGood, env: []string{"GH_TOKEN=x", "GITHUB_SERVER_URL=https://git.acme.example"}, gh: "exit 1",
			out: noToken + right, asked: []string{path}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := downloads(t, file, sum, test.serve)
			if test.gh != "" {
				a.write("bin/gh", "#!/bin/sh\necho \"gh $*\" | sed 's,[^ ]*/archive,TEMP/archive,' >>\"$ASKED\"\n"+test.gh+"\n")
			}
			got := a.script("download.sh", test.env...)
			got.Out = remaining.ReplaceAllString(got.Out, "with N bytes remaining")
			want := ran{Out: test.out}
			if test.failed {
				want.Status = 2
			}
			requireEqual(t, "result", want, got)
			requireEqual(t, "requests", test.asked, a.asked)
			requireEqual(t, "commands", test.called, a.read("asked"))
			program := run(t, a.root, a.env, "sh", "-c", "temp/nevermigrate-bin/nevermigrate")
			kept := a.read("tools/nevermigrate/0.1.0/" + file)
			if test.failed {
				requireEqual(t, "what is left", []string(nil), below(t, filepath.Join(a.root, "tools")))
				if program.Status != 127 {
					t.Errorf("something was unpacked: %v", program)
				}
				return
			}
			requireEqual(t, "program", ran{Out: "linux amd64\n"}, program)
			if kept != a.plain(string(good)) {
				t.Error("the archive was not kept")
			}
			requireEqual(t, "what is unpacked", []string{"nevermigrate"}, below(t, filepath.Join(a.root, "temp")))
		})
	}
}

// TestKeptArchive: an archive of a job before is taken when its checksum is right, and
// only then.
func TestKeptArchive(t *testing.T) {
	good := archives(t)[file]
	sum := fmt.Sprintf("%x", sha256.Sum256(good))
	a := downloads(t, file, sum, func(w http.ResponseWriter, r *http.Request) { w.Write(good) })
	fetched := ran{Out: "The attestation is not verified: it needs a token of github.com.\n" + file + " was downloaded, and its checksum is right.\n"}
	kept := ran{Out: file + " was kept from a job before.\n"}
	requireEqual(t, "first run", fetched, a.script("download.sh"))
	requireEqual(t, "second run", kept, a.script("download.sh"))
	requireEqual(t, "requests", []string{path}, a.asked)
	a.write("tools/nevermigrate/0.1.0/"+file, "poison")
	requireEqual(t, "after somebody wrote to it", fetched, a.script("download.sh"))
	requireEqual(t, "and again", kept, a.script("download.sh"))
	requireEqual(t, "requests", []string{path, path}, a.asked)
	// What is not there any more is no matter to who has it.
	a.server.Close()
	requireEqual(t, "without a server", kept, a.script("download.sh"))
}

// TestDownloadZip: the archive for Windows.
func TestDownloadZip(t *testing.T) {
	needs(t, "unzip")
	const file = "nevermigrate_0.1.0_windows_arm64.zip"
	good := archives(t)[file]
	a := downloads(t, file, fmt.Sprintf("%x", sha256.Sum256(good)), func(w http.ResponseWriter, r *http.Request) { w.Write(good) })
	a.write("bin/cygpath", "#!/bin/sh\ntest \"$1\" = -u || exit 1\necho \"$2\" | sed 's,^D:,,'\n")
	a.env["BIN"] = "D:" + a.env["BIN"]
	a.env["RUNNER_TEMP"] = "D:" + a.env["RUNNER_TEMP"]
	a.env["RUNNER_TOOL_CACHE"] = "D:" + a.env["RUNNER_TOOL_CACHE"]
	requireEqual(t, "result", ran{Out: "The attestation is not verified: it needs a token of github.com.\n" + file + " was downloaded, and its checksum is right.\n"}, a.script("download.sh"))
	requireEqual(t, "what is unpacked", []string{"nevermigrate.exe"}, below(t, filepath.Join(a.root, "temp")))
	requireEqual(t, "program", "#!/bin/sh\necho windows arm64\n", a.read("temp/nevermigrate-bin/nevermigrate.exe"))
}

// TestNoServer: nobody answers.
func TestNoServer(t *testing.T) {
	a := downloads(t, file, strings.Repeat("a", 64), http.NotFound)
	a.server.Close()
	got := a.script("download.sh")
	lines := strings.SplitAfter(got.Out, "\n")
	if got.Status != 2 || len(lines) != 5 || !strings.HasPrefix(lines[3], failed+"https://server"+path+": curl: (7) ") {
		t.Errorf("got %+v", got)
	}
	requireEqual(t, "commands", "sleep 5\nsleep 10\n", a.read("asked"))
}
