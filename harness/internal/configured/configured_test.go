package configured

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/config"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// TestJoin: what is given wins over the configuration, as a whole; what neither says
// comes from the options.
func TestJoin(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		config.Name:  "paths: [apps]\nconstraints: [a.yaml, b.yaml]\nkubeVersion: 1.34.0\napiVersions: [x/v1]\nbaseline: known.json\n",
		"known.json": `{"version": 1, "targets": [], "summary": {}}`,
		"apps/x":     "", "a.yaml": "", "b.yaml": "",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read, err := config.Load(config.Name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	none, err := config.None()
	if err != nil {
		t.Fatal(err)
	}
	options := check.Options{Render: render.Options{KubeVersion: "1.35.0"}}
	type result struct {
		Paths, Constraints, APIVersions []string
		KubeVersion, Baseline           string
		Configured                      bool
	}
	for _, test := range []struct {
		what  string
		given Given
		read  *config.Config
		file  func(string) string
		want  result
	}{
		{"nothing", Given{}, none, nil, result{KubeVersion: "1.35.0"}},
		{"the configuration", Given{}, read, nil,
			result{[]string{"apps"}, []string{"a.yaml", "b.yaml"}, []string{"x/v1"}, "1.34.0", "known.json", true}},
		{"what is given", Given{Paths: []string{"p"}, Constraints: []string{"c"}, APIVersions: []string{"y/v1"}, KubeVersion: "1.33.0", Baseline: "./known.json"}, read, nil,
			result{[]string{"p"}, []string{"c"}, []string{"y/v1"}, "1.33.0", "./known.json", true}},
		{"no baseline", Given{NoBaseline: true}, read, nil,
			result{[]string{"apps"}, []string{"a.yaml", "b.yaml"}, []string{"x/v1"}, "1.34.0", "", true}},
		{"files elsewhere", Given{}, read, func(path string) string { return "./" + path },
			result{[]string{"apps"}, []string{"./a.yaml", "./b.yaml"}, []string{"x/v1"}, "1.34.0", "./known.json", true}},
	} {
		run, err := Join(options, test.given, test.read, test.file)
		if err != nil {
			t.Fatalf("%s: %v", test.what, err)
		}
		got := result{run.Paths, run.Check.Constraints, run.Check.Render.APIVersions, run.Check.Render.KubeVersion, run.Baseline, run.Check.Provenance.Configuration != nil}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.what, diff)
		}
	}
	if _, err := Join(options, Given{Baseline: "missing.json"}, none, nil); err == nil || err.Error() != "read baseline missing.json: no such file: write it with `check --write-baseline`" {
		t.Errorf("a baseline that is missing: %v", err)
	}
}
