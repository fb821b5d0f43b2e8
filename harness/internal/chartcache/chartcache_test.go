package chartcache_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/chartcache"
	"github.com/proompteng/nevermigrate/harness/internal/chartlock"
	"github.com/proompteng/nevermigrate/harness/internal/pull/chartserver"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

var ref = render.ChartRef{Repo: "https://x", Name: "one", Version: "1.0.0"}

func archive(more ...string) []byte {
	files := map[string]string{"one/Chart.yaml": "apiVersion: v2\nname: one\nversion: 1.0.0\n"}
	for i := 0; i < len(more); i += 2 {
		files[more[i]] = more[i+1]
	}
	return chartserver.Pack(files)
}

// locked is what gives the chart, from a cache and a lock with a digest.
func locked(t *testing.T, cache chartcache.Cache, digest string) (*chartcache.Locked, string) {
	t.Helper()
	lock := &chartlock.Lock{Charts: []chartlock.Chart{{ChartRef: ref, SHA256: digest}}}
	text, err := lock.Text()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "nevermigrate.lock")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	l := chartcache.New(file, "shown.lock", cache)
	t.Cleanup(l.Close)
	return l, report.Digest(text)
}

// TestLocked: a chart of the lock is given once it is verified, is shown as the lock's,
// and is gone in the end.
func TestLocked(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	cache := chartcache.Cache{Dir: filepath.Join(t.TempDir(), "a", "cache")}
	digest, err := cache.Write(archive("one/templates/a.yaml", "a: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	l, lockDigest := locked(t, cache, digest)
	if file, sha := l.Used(); file != "" || sha != "" {
		t.Errorf("used before: %s %s", file, sha)
	}
	folder, err := l.Chart(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	again, err := l.Chart(t.Context(), render.ChartRef{Repo: "https://x//", Name: "one", Version: "1.0.0"})
	if err != nil || again != folder {
		t.Errorf("again %s, %v", again, err)
	}
	if text, err := os.ReadFile(filepath.Join(folder, "templates", "a.yaml")); string(text) != "a: 1\n" {
		t.Errorf("%q, %v", text, err)
	}
	for path, want := range map[string]string{
		folder: "shown.lock!/one-1.0.0", filepath.Join(folder, "templates", "a.yaml"): "shown.lock!/one-1.0.0/templates/a.yaml",
		filepath.Dir(folder): "", folder + "x": "", "/": "", "": "", cache.Dir: "",
	} {
		if got, ok := l.Shown(path); got != want || ok != (want != "") {
			t.Errorf("%s is shown as %q", path, got)
		}
	}
	if got := l.ShownMessage("stat " + folder + "/x: no"); got != "stat shown.lock!/one-1.0.0/x: no" {
		t.Errorf("message %q", got)
	}
	file, sha := l.Used()
	if diff := cmp.Diff([]string{"shown.lock", lockDigest}, []string{file, sha}); diff != "" {
		t.Errorf("used (-want +got):\n%s", diff)
	}
	l.Close()
	if entries, err := os.ReadDir(os.TempDir()); err != nil || len(entries) > 0 {
		t.Errorf("left: %v %v", entries, err)
	}
}

// TestRefused: each reason has its message.
func TestRefused(t *testing.T) {
	cache := chartcache.Cache{Dir: t.TempDir()}
	many := make([]string, 0, 50_000)
	for i := range 20_001 {
		many = append(many, fmt.Sprintf("one/f%d", i), "")
	}
	for _, test := range []struct {
		what    string
		archive []byte
		want    string
	}{
		{"a link", archive("one/a", "-> b"), "unpack chart one 1.0.0 of https://x: one/a in the archive is neither a file nor a folder"},
		{"out of the folder", archive("one/../../a", "b"), "unpack chart one 1.0.0 of https://x: chart illegally references parent directory"},
		{"out of the root", archive("../../a", "b"), "unpack chart one 1.0.0 of https://x: chart illegally references parent directory"},
		{"an absolute path", archive("one//etc/a", "b"), "unpack chart one 1.0.0 of https://x: chart illegally contains absolute paths"},
		{"many files", archive(many...), "unpack chart one 1.0.0 of https://x: the archive has more than 20000 entries"},
		{"much text", archive("one/a", strings.Repeat("a", 129<<20)), "unpack chart one 1.0.0 of https://x: the archive unpacks to more than 134217728 bytes"},
		{"more text than Helm takes", archive("one/a", strings.Repeat("a", 101<<20)), "unpack chart one 1.0.0 of https://x: decompressed chart is larger than the maximum size 104857600"},
		{"another chart", chartserver.Pack(map[string]string{"one/Chart.yaml": "name: two\n"}), "unpack chart one 1.0.0 of https://x: the archive has a chart of another name"},
		{"a chart whose name leads out", chartserver.Pack(map[string]string{"one/Chart.yaml": "name: ../one\n"}), `unpack chart one 1.0.0 of https://x: chart name "../one" must not contain path separators`},
		{"no archive", []byte("no"), "unpack chart one 1.0.0 of https://x: read archive: unexpected EOF"},
	} {
		t.Run(test.what, func(t *testing.T) {
			digest, err := cache.Write(test.archive)
			if err != nil {
				t.Fatal(err)
			}
			l, _ := locked(t, cache, digest)
			if _, err := l.Chart(t.Context(), ref); fmt.Sprint(err) != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
	absent := strings.Repeat("0", 64)
	l, _ := locked(t, cache, absent)
	_, err := l.Chart(t.Context(), ref)
	if want := fmt.Sprintf("chart one 1.0.0 of https://x is in shown.lock:4, and not in the cache %s: run `nevermigrate vendor`, which uses the network", cache.Dir); fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	_, err = l.Chart(t.Context(), render.ChartRef{Repo: "https://x", Name: "two", Version: "1.0.0"})
	if want := "chart two 1.0.0 of https://x is not locked in shown.lock"; fmt.Sprint(err) != want || !errors.Is(err, render.ErrNotLocked) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if file, _ := l.Used(); file != "" {
		t.Error("used, and nothing was given")
	}
	l, _ = locked(t, chartcache.Cache{}, absent)
	_, err = l.Chart(t.Context(), ref)
	if want := "chart one 1.0.0 of https://x of shown.lock:4: there is no cache folder of a user here: name a folder with --cache"; fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := (chartcache.Cache{}).Write(nil); err == nil {
		t.Error("written nowhere")
	}
	if err := os.MkdirAll(cache.File(absent), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.Read(absent); fmt.Sprint(err) != fmt.Sprintf("read cache: %s: it is no file of at most 67108864 bytes: remove it", cache.File(absent)) {
		t.Errorf("a folder: %v", err)
	}
}
