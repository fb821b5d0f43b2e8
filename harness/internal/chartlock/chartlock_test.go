package chartlock_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/chartlock"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

var digest = strings.Repeat("0123456789abcdef", 4)

func chart(repo, name, version string) chartlock.Chart {
	return chartlock.Chart{ChartRef: render.ChartRef{Repo: repo, Name: name, Version: version}, SHA256: digest}
}

const text = `# Written by ` + "`nevermigrate vendor`" + `. Commit it; do not edit it.
version: 1
charts:
- name: a
  repo: https://a.example.com
  version: 1.0.0
  sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
- name: a
  repo: https://b.example.com/charts
  version: v1.0.0-rc.1+b.2
  sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
- name: b
  repo: oci://c.example.com/charts
  version: 1.0.0
  sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
`

// TestText: a lock is written in one order, and read as it was written.
func TestText(t *testing.T) {
	file := filepath.Join(t.TempDir(), chartlock.Name)
	changed, err := chartlock.Update(file, func(l *chartlock.Lock) error {
		l.Charts = []chartlock.Chart{chart("oci://c.example.com/charts", "b", "1.0.0"), chart("https://b.example.com/charts", "a", "v1.0.0-rc.1+b.2"), chart("https://a.example.com", "a", "1.0.0")}
		return nil
	})
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, string(written)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	read, err := chartlock.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := &chartlock.Lock{SHA256: report.Digest([]byte(text)), Charts: []chartlock.Chart{
		chart("https://a.example.com", "a", "1.0.0"), chart("https://b.example.com/charts", "a", "v1.0.0-rc.1+b.2"), chart("oci://c.example.com/charts", "b", "1.0.0"),
	}}
	for i := range want.Charts {
		want.Charts[i].Line = 4 + 4*i
	}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	if changed, err := chartlock.Update(file, func(*chartlock.Lock) error { return nil }); changed || err != nil {
		t.Errorf("no change: %v %v", changed, err)
	}
	if found, ok := read.Find(render.ChartRef{Repo: "oci://c.example.com/", Name: "charts/b", Version: "1.0.0"}); !ok || found != want.Charts[2] {
		t.Errorf("found %v %v", found, ok)
	}
}

// TestRead: what is wrong has its line, and the schema refuses the same.
func TestRead(t *testing.T) {
	good := "version: 1\ncharts:\n- {name: a, repo: 'https://x', version: 1.0.0, sha256: " + digest + "}\n"
	var document any
	if err := json.Unmarshal(chartlock.Schema, &document); err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("lock.json", document); err != nil {
		t.Fatal(err)
	}
	schema := compiler.MustCompile("lock.json")
	for _, test := range []struct {
		what, text, want string
		isRead           bool // by the schema, which cannot know it
	}{
		{"a lock", good, "", true},
		{"no chart", "version: 1\ncharts: []\n", "", true},
		{"nothing", "", "it is empty", false},
		{"no YAML", "a: [", "line 1: did not find expected node content", true},
		{"two documents", good + "---\na: b\n", "line 4: a second document: a lock is one", true},
		{"no object", "- a\n", "line 1: it must be an object with the keys version, charts", false},
		{"an unknown key", "version: 1\ncharts: []\nmore: 1\n", "line 3: more: unknown key: there are version, charts", false},
		{"a key twice", "version: 1\nversion: 1\ncharts: []\n", "line 2: version: the key is there twice", true},
		{"no charts", "version: 1\n", "line 1: charts: it is missing", false},
		{"another version", "version: 2\ncharts: []\n", "line 1: version: it must be 1: a later one needs a later nevermigrate", false},
		{"a version in quotes", "version: '1'\ncharts: []\n", "line 1: version: it must be 1: a later one needs a later nevermigrate", false},
		{"no list", "version: 1\ncharts: a\n", "line 2: charts: it must be a list", false},
		{"an anchor", strings.Replace(good, "name: a", "name: &a a", 1), "line 3: charts[0].name: anchors and aliases are not read", true},
		{"no digest", strings.Replace(good, ", sha256: "+digest, "", 1), "line 3: charts[0].sha256: it is missing", false},
		{"a short digest", strings.Replace(good, digest, "abc", 1), "line 3: charts[0].sha256: it must have 64 hexadecimal digits", false},
		{"a number", strings.Replace(good, "name: a", "name: 1", 1), "line 3: charts[0].name: it must be a text", false},
		{"a name that leads out", strings.Replace(good, "name: a", "name: ../a", 1), `line 3: charts[0]: "../a" is no name of a chart`, false},
		{"another scheme", strings.Replace(good, "https:", "file:", 1), "line 3: charts[0]: the repository is no URL with http, https or oci and without a user: Helm's repositories.yaml is for credentials", false},
		{"a password", strings.Replace(good, "//x", "//a:b@x", 1), "line 3: charts[0]: the repository is no URL with http, https or oci and without a user: Helm's repositories.yaml is for credentials", false},
		{"a slash in the end", strings.Replace(good, "//x", "//x/", 1), "line 3: charts[0]: the repository is no URL with http, https or oci and without a user: Helm's repositories.yaml is for credentials", false},
		{"a range", strings.Replace(good, "1.0.0", "'>1'", 1), `line 3: charts[0]: version: ">1" is no exact version, so the chart is another one with each release: write one such as 1.2.3`, false},
		{"a chart twice", good + strings.SplitAfterN(good, "\n", 3)[2], "line 4: charts[1]: the chart is there twice, first in line 3", true},
	} {
		t.Run(test.what, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x.lock")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := chartlock.Read(file)
			got := strings.NewReplacer("read lock: "+file+": ", "", ": correct it, or restore it from git", "").Replace(fmt.Sprint(err))
			if err != nil && got != test.want || err == nil && test.want != "" {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			var content any
			if yaml.Unmarshal([]byte(test.text), &content) != nil {
				return
			}
			if refused := schema.Validate(content) != nil; refused == test.isRead {
				t.Errorf("the schema refuses it: %v", refused)
			}
		})
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/etc/passwd", link); err != nil {
		t.Fatal(err)
	}
	if _, err := chartlock.Read(link); fmt.Sprint(err) != "read lock: "+link+": not a regular file: commit the file in its place" {
		t.Errorf("a link: %v", err)
	}
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, bytes.Repeat([]byte("#"), chartlock.MaxBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := chartlock.Read(large); fmt.Sprint(err) != fmt.Sprintf("read lock: %s: it is larger than the limit of %d bytes for a lock", large, chartlock.MaxBytes) {
		t.Errorf("a large one: %v", err)
	}
	if l, err := chartlock.Read(filepath.Join(dir, "none")); err != nil || len(l.Charts) > 0 || l.SHA256 != "" {
		t.Errorf("none: %v %v", l, err)
	}
}

// TestUpdate: no change is lost, a failed one leaves the file as it was, and nothing
// else is left behind.
func TestUpdate(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, chartlock.Name)
	if changed, err := chartlock.Update(file, func(*chartlock.Lock) error { return nil }); changed || err != nil {
		t.Fatal(changed, err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a lock without a chart was made")
	}
	const n = 20
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			for {
				_, err := chartlock.Update(file, func(l *chartlock.Lock) error {
					l.Charts = append(l.Charts, chart("https://x", fmt.Sprintf("c%d", i), "1.0.0"))
					return nil
				})
				if err == nil {
					return
				}
				if !errors.Is(err, chartlock.ErrBusy) {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	l, err := chartlock.Read(file)
	if err != nil || len(l.Charts) != n {
		t.Errorf("%v, %v", l, err)
	}
	wrong := errors.New("wrong")
	if _, err := chartlock.Update(file, func(l *chartlock.Lock) error { l.Charts = nil; return wrong }); !errors.Is(err, wrong) {
		t.Error(err)
	}
	if again, err := chartlock.Read(file); err != nil || again.SHA256 != l.SHA256 {
		t.Errorf("%v, %v", again, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v %v", entries, err)
	}
	if err := os.WriteFile(file+".new", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = chartlock.Update(file, func(*chartlock.Lock) error { return nil })
	if want := fmt.Sprintf("write %s: busy: somebody else writes it now; remove %s.new if nobody does", file, file); fmt.Sprint(err) != want {
		t.Errorf("got %v", err)
	}
}
