package pull_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/chartcache"
	"github.com/proompteng/nevermigrate/harness/internal/pull"
	"github.com/proompteng/nevermigrate/harness/internal/pull/chartserver"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

func archive(name, version string, more ...string) []byte {
	files := map[string]string{name + "/Chart.yaml": fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version), name + "/templates/pod.yaml": "kind: Pod\n"}
	for i := 0; i < len(more); i += 2 {
		files[more[i]] = more[i+1]
	}
	return chartserver.Pack(files)
}

// world is a server, and a folder with a lock and a cache.
type world struct {
	*chartserver.Server
	lock  string
	cache chartcache.Cache
}

func newWorld(t *testing.T) *world {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	for _, name := range []string{"HELM_CONFIG_HOME", "HELM_CACHE_HOME", "HELM_DATA_HOME"} {
		t.Setenv(name, filepath.Join(home, name))
	}
	t.Setenv("DOCKER_CONFIG", filepath.Join(home, "docker"))
	t.Setenv("TMPDIR", t.TempDir())
	w := &world{chartserver.Start(), filepath.Join(t.TempDir(), "nevermigrate.lock"), chartcache.Cache{Dir: filepath.Join(t.TempDir(), "cache")}}
	t.Cleanup(w.Close)
	return w
}

// vendor asks for charts, and writes the lock when all are there.
func (w *world) vendor(t *testing.T, update bool, refs ...render.ChartRef) ([]pull.Chart, error) {
	t.Helper()
	v, err := pull.NewVendor(w.lock, w.cache, pull.NewClient(5*time.Second, true), update)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	for _, ref := range refs {
		if _, err := v.Chart(t.Context(), ref); err != nil {
			return nil, err
		}
	}
	_, _, err = v.Write(true)
	return v.Charts(), err
}

// files are those of the cache and the lock, with their digests.
func (w *world) files(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, root := range []string{w.cache.Dir, filepath.Dir(w.lock), os.TempDir()} {
		err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return nil
			}
			data, err := os.ReadFile(path)
			files[filepath.Base(path)] = report.Digest(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestDownload: charts come from where the index says, and from a registry, and the
// second time from the cache, without the network.
func TestDownload(t *testing.T) {
	w := newWorld(t)
	one, two, three := archive("one", "1.0.0"), archive("two", "v2.0.0"), archive("three", "3.0.0+b")
	w.Add("one", "1.0.0", one, "")
	w.Add("one", "1.1.0", archive("one", "1.1.0"), "")
	w.Add("two", "v2.0.0", two, w.URL+"/elsewhere/")
	w.Add("three", "3.0.0+b", three, "")
	refs := []render.ChartRef{
		{Repo: w.Repo() + "/", Name: "one", Version: "1.0.0"}, {Repo: w.Repo(), Name: "two", Version: "2.0.0"},
		{Repo: w.Registry() + "/", Name: "three", Version: "3.0.0+b"},
		{Repo: strings.TrimSuffix(w.Registry(), "/charts"), Name: "charts/three", Version: "3.0.0+b"},
	}
	got, err := w.vendor(t, false, refs...)
	if err != nil {
		t.Fatal(err)
	}
	want := []pull.Chart{
		{ChartRef: render.ChartRef{Repo: w.Repo(), Name: "one", Version: "1.0.0"}, SHA256: report.Digest(one), State: pull.Downloaded},
		{ChartRef: render.ChartRef{Repo: w.Repo(), Name: "two", Version: "2.0.0"}, SHA256: report.Digest(two), State: pull.Downloaded},
		{ChartRef: render.ChartRef{Repo: w.Registry(), Name: "three", Version: "3.0.0+b"}, SHA256: report.Digest(three), State: pull.Downloaded},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("downloaded (-want +got):\n%s", diff)
	}
	wantRequests := []string{
		"/charts/index.yaml", "/charts/one-1.0.0.tgz", "/elsewhere/two-v2.0.0.tgz",
	}
	requests := w.Requests()
	if diff := cmp.Diff(wantRequests, requests[:min(3, len(requests))]); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	before := w.files(t)
	w.Server.Close()
	for i := range want {
		want[i].State = pull.Cached
	}
	if got, err = w.vendor(t, false, refs...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("once more (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, w.files(t)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestFaults: each has its own message, and leaves the cache and the lock as they were.
func TestFaults(t *testing.T) {
	for _, test := range []struct {
		what  string
		serve func(*world)
		ref   render.ChartRef // a repository of REPO or REGISTRY
		want  string
	}{
		{"a range", nil, render.ChartRef{Repo: "REPO", Name: "one", Version: "1.*"}, `version: "1.*" is no exact version, so the chart is another one with each release: write one such as 1.2.3`},
		{"no version", nil, render.ChartRef{Repo: "REPO", Name: "one"}, "version: it is missing, so the chart is another one with each release: write the exact version, such as 1.2.3"},
		{"a part of a version", nil, render.ChartRef{Repo: "REPO", Name: "one", Version: "1.0"}, `version: "1.0" is no exact version, so the chart is another one with each release: write one such as 1.2.3`},
		{"another scheme", nil, render.ChartRef{Repo: "file:///charts", Name: "one", Version: "1.0.0"}, "the repository is no URL with http, https or oci and without a user: Helm's repositories.yaml is for credentials"},
		{"a password in the URL", nil, render.ChartRef{Repo: "http://me:secret@127.0.0.1", Name: "one", Version: "1.0.0"}, "the repository is no URL with http, https or oci and without a user: Helm's repositories.yaml is for credentials"},
		{"a name that leads out", nil, render.ChartRef{Repo: "REPO", Name: "../one", Version: "1.0.0"}, `"../one" is no name of a chart`},
		{"no such chart", nil, render.ChartRef{Repo: "REPO", Name: "gone", Version: "1.0.0"}, "download chart gone 1.0.0 of REPO: the repository has no chart of that name"},
		{"no such version", nil, render.ChartRef{Repo: "REPO", Name: "one", Version: "9.9.9"}, "download chart one 9.9.9 of REPO: the repository does not have that version; its latest is 1.0.0"},
		{"no such image", nil, render.ChartRef{Repo: "REGISTRY", Name: "one", Version: "9.9.9"}, "download chart one 9.9.9 of REGISTRY: failed to perform \"FetchReference\" on source: HOST/charts/one:9.9.9: not found"},
		{"no repository", nil, render.ChartRef{Repo: "REPO/no", Name: "one", Version: "1.0.0"}, "download chart one 1.0.0 of REPO/no: read the index of the repository: failed to fetch REPO/no/index.yaml : 404 Not Found"},
		{"no server", func(w *world) { w.Server.Close() }, render.ChartRef{Repo: "REPO", Name: "one", Version: "1.0.0"}, "download chart one 1.0.0 of REPO: read the index of the repository: Get \"REPO/index.yaml\": dial tcp HOST: connect: connection refused"},
		{"an end in the middle", func(w *world) { w.Cut(true) }, render.ChartRef{Repo: "REPO", Name: "one", Version: "1.0.0"}, "download chart one 1.0.0 of REPO: unexpected EOF"},
		{"an end in the middle of an image", func(w *world) { w.Cut(true) }, render.ChartRef{Repo: "REGISTRY", Name: "one", Version: "1.0.0"}, "download chart one 1.0.0 of REGISTRY: failed to perform \"Push\" on destination: read failed: expected content size of 180, got 90, for digest sha256:73887e71e3fb8b20019b1dc049108fad68926209a8ab7ccd4851be698d421fcf: unexpected EOF"},
		{"half an archive", func(w *world) { a := archive("one", "1.0.0"); w.Add("one", "1.0.0", a[:len(a)/2], "") }, render.ChartRef{Repo: "REPO", Name: "one", Version: "1.0.0"}, "unpack chart one 1.0.0 of REPO: read archive: unexpected EOF"},
		{"no archive", func(w *world) { w.Add("one", "1.0.0", []byte("<html>not a chart</html>"), "") }, render.ChartRef{Repo: "REPO", Name: "one", Version: "1.0.0"}, "unpack chart one 1.0.0 of REPO: read archive: gzip: invalid header"},
		{"a path that leads out", func(w *world) { w.Add("one", "1.0.0", archive("one", "1.0.0", "one/../../evil", "x"), "") }, render.ChartRef{Repo: "REPO", Name: "one", Version: "1.0.0"}, "unpack chart one 1.0.0 of REPO: chart illegally references parent directory"},
		{"a link", func(w *world) {
			w.Add("one", "1.0.0", archive("one", "1.0.0", "one/values.yaml", "-> /etc/passwd"), "")
		}, render.ChartRef{Repo: "REPO", Name: "one", Version: "1.0.0"}, "unpack chart one 1.0.0 of REPO: one/values.yaml in the archive is neither a file nor a folder"},
		{"another chart", func(w *world) { w.Add("one", "1.0.0", archive("two", "1.0.0"), "") }, render.ChartRef{Repo: "REPO", Name: "one", Version: "1.0.0"}, "unpack chart one 1.0.0 of REPO: the archive has a chart of another name"},
		{"who is not let in", func(w *world) { w.Require("me", "secret") }, render.ChartRef{Repo: "REPO", Name: "one", Version: "1.0.0"}, "download chart one 1.0.0 of REPO: read the index of the repository: failed to fetch REPO/index.yaml : 401 Unauthorized"},
		{"too large", func(w *world) {
			w.Add("one", "1.0.0", make([]byte, 100<<20), "")
		}, render.ChartRef{Repo: "REPO", Name: "one", Version: "1.0.0"}, "download chart one 1.0.0 of REPO: it is larger than the limit of 67108864 bytes"},
	} {
		t.Run(test.what, func(t *testing.T) {
			w := newWorld(t)
			w.Add("one", "1.0.0", archive("one", "1.0.0"), "")
			w.Add("kept", "1.0.0", archive("kept", "1.0.0"), "")
			if _, err := w.vendor(t, false, render.ChartRef{Repo: w.Repo(), Name: "kept", Version: "1.0.0"}); err != nil {
				t.Fatal(err)
			}
			before := w.files(t)
			host := strings.TrimPrefix(w.URL, "http://")
			if test.serve != nil {
				test.serve(w)
			}
			ref := test.ref
			ref.Repo = strings.NewReplacer("REPO", w.Repo(), "REGISTRY", w.Registry()).Replace(ref.Repo)
			_, err := w.vendor(t, false, render.ChartRef{Repo: w.Repo(), Name: "kept", Version: "1.0.0"}, ref)
			got := strings.NewReplacer(w.Registry(), "REGISTRY", w.Repo(), "REPO", host, "HOST").Replace(fmt.Sprint(err))
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if diff := cmp.Diff(before, w.files(t)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// TestChanged: another chart than the lock says is refused, wherever it comes from, until
// somebody takes it.
func TestChanged(t *testing.T) {
	w := newWorld(t)
	first, second := archive("one", "1.0.0"), archive("one", "1.0.0", "one/values.yaml", "evil: true\n")
	ref := render.ChartRef{Repo: w.Repo(), Name: "one", Version: "1.0.0"}
	w.Add("one", "1.0.0", first, "")
	if _, err := w.vendor(t, false, ref); err != nil {
		t.Fatal(err)
	}
	file := w.cache.File(report.Digest(first))
	before := w.files(t)

	// What somebody put into the cache is not believed, and is downloaded again.
	if err := os.WriteFile(file, second, 0o600); err != nil {
		t.Fatal(err)
	}
	locked := chartcache.New(w.lock, "nevermigrate.lock", w.cache)
	defer locked.Close()
	_, err := locked.Chart(t.Context(), ref)
	want := fmt.Sprintf("%s is not the one of nevermigrate.lock:4: the SHA-256 of %s is %s, and the lock says %s: somebody changed the cache; remove the file and run `nevermigrate vendor`", ref, file, report.Digest(second), report.Digest(first))
	if fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	got, err := w.vendor(t, false, ref)
	if err != nil || got[0].State != pull.Downloaded {
		t.Errorf("got %v, %v", got, err)
	}
	if diff := cmp.Diff(before, w.files(t)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}

	// Another one of the repository is refused, and taken with update.
	w.Add("one", "1.0.0", second, "")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	before = w.files(t)
	_, err = w.vendor(t, false, ref)
	want = fmt.Sprintf("%s is not the one of %s:4 any more: its SHA-256 is %s, and the lock says %s: find out who changed it; --update takes it as it is now", ref, w.lock, report.Digest(second), report.Digest(first))
	if fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if diff := cmp.Diff(before, w.files(t)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	got, err = w.vendor(t, true, ref)
	if diff := cmp.Diff([]pull.Chart{{ChartRef: ref, SHA256: report.Digest(second), State: pull.Updated}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}

	// Update asks the repository, whatever the cache has.
	w.Add("one", "1.0.0", first, "")
	if got, err = w.vendor(t, true, ref); err != nil || got[0].State != pull.Updated {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err = w.vendor(t, true, ref); err != nil || got[0].State != pull.Downloaded {
		t.Errorf("got %v, %v", got, err)
	}

	// What somebody else has locked meanwhile is not overwritten.
	slow, err := pull.NewVendor(w.lock, w.cache, pull.NewClient(0, true), true)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := slow.Chart(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	w.Add("one", "1.0.0", second, "")
	if _, err := w.vendor(t, true, ref); err != nil {
		t.Fatal(err)
	}
	before = w.files(t)
	_, _, err = slow.Write(true)
	if want := fmt.Sprintf("%s: somebody else wrote %s meanwhile, with another digest: run vendor once more", w.lock, ref); fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	slow.Close()
	if diff := cmp.Diff(before["nevermigrate.lock"], w.files(t)["nevermigrate.lock"]); diff != "" {
		t.Errorf("the lock (-want +got):\n%s", diff)
	}
}

// TestBothVersions: an index may have a version with a v and without one.
func TestBothVersions(t *testing.T) {
	w := newWorld(t)
	versions := []string{"v1.0.0", "1.0.0", "v2.0.0", "3.0.0"}
	for _, version := range versions {
		w.Add("one", version, archive("one", version), "")
	}
	for asked, want := range map[string]string{"1.0.0": "1.0.0", "v1.0.0": "v1.0.0", "2.0.0": "v2.0.0", "v3.0.0": "3.0.0"} {
		got, err := w.vendor(t, false, render.ChartRef{Repo: w.Repo(), Name: "one", Version: asked})
		if err != nil || got[0].SHA256 != report.Digest(archive("one", want)) {
			t.Errorf("%s: %v, %v", asked, got, err)
		}
	}
}

// TestCredentials: they are those of Helm's files, and go to their own server only.
func TestCredentials(t *testing.T) {
	w := newWorld(t)
	other := chartserver.Start()
	defer other.Close()
	w.Require("me", "secret")
	w.Add("here", "1.0.0", archive("here", "1.0.0"), "")
	w.Add("there", "1.0.0", archive("there", "1.0.0"), other.URL+"/x/")
	other.Add("there", "1.0.0", archive("there", "1.0.0"), "")
	config := filepath.Join(t.TempDir(), "repositories.yaml")
	t.Setenv("HELM_REPOSITORY_CONFIG", config)
	registry := filepath.Join(t.TempDir(), "registry.json")
	t.Setenv("HELM_REGISTRY_CONFIG", registry)
	for file, text := range map[string]string{
		config:   fmt.Sprintf("apiVersion: v1\nrepositories:\n- {name: mine, url: %q, username: me, password: secret}\n", w.Repo()+"/"),
		registry: fmt.Sprintf(`{"auths": {%q: {"auth": "bWU6c2VjcmV0"}}}`, strings.TrimPrefix(w.URL, "http://")),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.vendor(t, false,
		render.ChartRef{Repo: w.Repo(), Name: "here", Version: "1.0.0"}, render.ChartRef{Repo: w.Repo(), Name: "there", Version: "1.0.0"},
		render.ChartRef{Repo: w.Registry(), Name: "here", Version: "1.0.0"},
	); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/x/there-1.0.0.tgz"}, other.Requests()); diff != "" {
		t.Errorf("the other server (-want +got):\n%s", diff)
	}
	if requests := w.Requests(); !slices.Contains(requests, "/charts/here-1.0.0.tgz me") || !slices.ContainsFunc(requests, func(r string) bool {
		return strings.HasPrefix(r, "/v2/charts/here/blobs/") && strings.HasSuffix(r, " me")
	}) {
		t.Errorf("requests %q", requests)
	}
	for _, name := range []string{w.lock, w.cache.Dir} {
		_ = filepath.WalkDir(name, func(path string, entry os.DirEntry, err error) error {
			if data, err := os.ReadFile(path); err == nil && strings.Contains(string(data), "secret") {
				t.Errorf("%s holds the password", path)
			}
			return nil
		})
	}
}

// TestTLS: what repositories.yaml says of TLS counts, and nothing is believed without it.
func TestTLS(t *testing.T) {
	w := newWorld(t)
	w.Server = chartserver.StartTLS()
	t.Cleanup(w.Server.Close)
	w.Add("one", "1.0.0", archive("one", "1.0.0"), "")
	ref := render.ChartRef{Repo: w.Repo(), Name: "one", Version: "1.0.0"}
	dir := t.TempDir()
	config := filepath.Join(dir, "repositories.yaml")
	t.Setenv("HELM_REPOSITORY_CONFIG", config)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.Certificate().Raw})
	for name, text := range map[string]string{"ca.pem": string(authority), "empty.pem": "no"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	unknown := "tls: failed to verify certificate: x509: certificate signed by unknown authority"
	for _, test := range []struct{ what, entry, want string }{
		{"nothing", "", unknown},
		{"its authority", "caFile: DIR/ca.pem", "<nil>"},
		{"anything goes", "insecure_skip_tls_verify: true", "<nil>"},
		{"no file", "caFile: DIR/gone.pem", "read the authority of Helm's repository mine: open DIR/gone.pem: no such file or directory"},
		{"no authority", "caFile: DIR/empty.pem", "read the authority of Helm's repository mine: DIR/empty.pem has no certificate"},
		{"no key", "certFile: DIR/ca.pem, keyFile: DIR/empty.pem", "read the certificate of Helm's repository mine: tls: failed to find any PEM data in key input"},
	} {
		text := fmt.Sprintf("apiVersion: v1\nrepositories:\n- {name: mine, url: %q, %s}\n", w.Repo(), strings.ReplaceAll(test.entry, "DIR", dir))
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = os.RemoveAll(w.cache.Dir)
		_, err := w.vendor(t, false, ref)
		got := strings.NewReplacer(dir, "DIR", "download "+ref.String()+": ", "", "read the index of the repository: ", "", `Get "`+w.Repo()+`/index.yaml": `, "").Replace(fmt.Sprint(err))
		if got != test.want {
			t.Errorf("%s: got  %s\nwant %s", test.what, got, test.want)
		}
	}
	v, err := pull.NewVendor(w.lock, w.cache, pull.NewClient(0, false), false)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if _, err := v.Chart(t.Context(), render.ChartRef{Repo: w.Registry(), Name: "one", Version: "1.0.0"}); err == nil || !strings.HasSuffix(err.Error(), unknown) {
		t.Errorf("a registry: %v", err)
	}
}

// TestTwoAtOnce: several that vendor into one cache and one lock lose nothing.
func TestTwoAtOnce(t *testing.T) {
	w := newWorld(t)
	const n = 8
	var group sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		name := fmt.Sprintf("chart-%d", i)
		w.Add(name, "1.0.0", archive(name, "1.0.0"), "")
	}
	w.Add("all", "1.0.0", archive("all", "1.0.0"), "")
	for i := range n {
		group.Go(func() {
			v, err := pull.NewVendor(w.lock, w.cache, pull.NewClient(0, true), false)
			if err != nil {
				errs[i] = err
				return
			}
			defer v.Close()
			for _, name := range []string{"all", fmt.Sprintf("chart-%d", i)} {
				if _, err := v.Chart(t.Context(), render.ChartRef{Repo: w.Repo(), Name: name, Version: "1.0.0"}); err != nil {
					errs[i] = err
				}
			}
			_, _, err = v.Write(i%2 == 0)
			errs[i] = errors.Join(errs[i], err)
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	locked := chartcache.New(w.lock, w.lock, w.cache)
	defer locked.Close()
	for i := range n {
		if _, err := locked.Chart(t.Context(), render.ChartRef{Repo: w.Repo(), Name: fmt.Sprintf("chart-%d", i), Version: "1.0.0"}); err != nil {
			t.Error(err)
		}
	}
	if files := w.files(t); len(files) < n+2 || files["nevermigrate.lock.new"] != "" {
		t.Errorf("files %v", files)
	}
}

// TestInterrupted: who is told to stop stops, also in the middle of a download.
func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan struct{})
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\napiVersion: v1\n"))
		close(accepted)
		<-t.Context().Done()
	}()
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		<-accepted
		stop()
	}()
	v, err := pull.NewVendor(w.lock, w.cache, pull.NewClient(time.Minute, true), false)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	ref := render.ChartRef{Repo: "http://" + listener.Addr().String(), Name: "one", Version: "1.0.0"}
	began := time.Now()
	if _, err := v.Chart(ctx, ref); !errors.Is(err, context.Canceled) || time.Since(began) > 30*time.Second {
		t.Errorf("got %v after %s", err, time.Since(began))
	}
	if files := w.files(t); len(files) > 0 {
		t.Errorf("files are left: %v", files)
	}
}
