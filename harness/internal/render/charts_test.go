package render

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// store is a ChartStore that has one folder.
type store struct {
	folder string
	err    error
	asked  []ChartRef
}

func (s *store) Chart(_ context.Context, ref ChartRef) (string, error) {
	s.asked = append(s.asked, ref)
	return s.folder, s.err
}

func (s *store) Shown(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, s.folder)
	return "LOCK!/far" + rest, ok && s.folder != ""
}

func (s *store) ShownMessage(message string) string {
	return strings.ReplaceAll(message, s.folder, "LOCK!/far")
}

func (s *store) Used() (file, sha256 string) { return "", "" }

// far is an app whose chart is not committed, with what its entry says besides.
func far(more string) string {
	return "-- .git --\n-- app/kustomization.yaml --\nhelmCharts:\n- name: far\n  repo: oci://example.com/charts/\n  releaseName: r\n" + more
}

// downloaded is a chart in no repository.
func downloaded(t *testing.T) string {
	t.Helper()
	return filepath.Join(write(t, `-- far/Chart.yaml --
{apiVersion: v2, name: far, version: 1.0.0}
-- far/values.yaml --
who: default
-- far/other.yaml --
who: other
-- far/templates/a.yaml --
kind: A
apiVersion: v1
metadata: {name: {{ .Values.who }}}
`), "far")
}

const version = "  version: 1.0.0\n"

// TestChartStore: a chart that is not committed is asked for, and rendered as one that is.
func TestChartStore(t *testing.T) {
	folder := downloaded(t)
	rendered := func(who string) string { return "apiVersion: v1\nkind: A\nmetadata:\n  name: " + who + "\n" }
	const committed = `-- app/charts/far-1.0.0/far/Chart.yaml --
{apiVersion: v2, name: far, version: 1.0.0}
-- app/charts/far-1.0.0/far/values.yaml --
who: committed
-- app/charts/far-1.0.0/far/templates/a.yaml --
{kind: A, apiVersion: v1, metadata: {name: {{ .Values.who }}}}
`
	for _, test := range []struct {
		what, app, want string
		asked           bool
	}{
		{"its own values", far(version), rendered("default"), true},
		{"values of the app", far(version + "  valuesFile: v.yaml\n-- app/v.yaml --\nwho: app\n"), rendered("app"), true},
		{"a file of the chart", far(version + "  valuesFile: charts/far-1.0.0/far/other.yaml\n"), rendered("other"), true},
		{"inline values", far(version + "  valuesInline: {who: inline}\n"), rendered("inline"), true},
		{"a committed one", far(version) + committed, rendered("committed"), false},
		{"of a base", far(version) + "-- over/kustomization.yaml --\nresources: [../app]\n", rendered("default"), true},
	} {
		t.Run(test.what, func(t *testing.T) {
			dir := write(t, test.app)
			for road, options := range bothRoads(t) {
				s := &store{folder: folder}
				options.Charts = s
				app := filepath.Join(dir, "app")
				if strings.Contains(test.app, "-- over/") {
					app = filepath.Join(dir, "over")
				}
				got, err := App(t.Context(), app, options)
				if err != nil {
					t.Fatalf("%s: %v", road, err)
				}
				if diff := cmp.Diff(test.want, string(got)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", road, diff)
				}
				var asked []ChartRef
				if test.asked {
					asked = []ChartRef{{"oci://example.com/charts", "far", "1.0.0"}}
				}
				if diff := cmp.Diff(asked, s.asked); diff != "" {
					t.Errorf("%s: asked (-want +got):\n%s", road, diff)
				}
			}
		})
	}
}

// TestChartStoreErrors: an error names the file and the field, and nothing is asked for
// that is not exact. Nothing but the folder that was given is read.
func TestChartStoreErrors(t *testing.T) {
	outside := downloaded(t)
	for name, target := range map[string]string{"out": "/etc/passwd"} {
		if err := os.Symlink(target, filepath.Join(outside, name)); err != nil {
			t.Fatal(err)
		}
	}
	folder := downloaded(t)
	broken := downloaded(t)
	if err := os.WriteFile(filepath.Join(broken, "Chart.yaml"), []byte("["), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what, app string
		store     store
		want      string
		isChart   bool
	}{
		{"no version", far(""), store{folder: folder}, "DIR/app/kustomization.yaml: helmCharts[0].version: it is missing, so the chart is another one with each release: write the exact version, such as 1.2.3", true},
		{"a range", far("  version: ~1.0.0\n"), store{folder: folder}, `DIR/app/kustomization.yaml: helmCharts[0].version: "~1.0.0" is no exact version, so the chart is another one with each release: write one such as 1.2.3`, true},
		{"not locked", far(version), store{err: fmt.Errorf("it is %w in LOCK", ErrNotLocked)}, "DIR/app/kustomization.yaml: helmCharts[0]: the chart is not committed, and it is not locked in LOCK: run `nevermigrate vendor`, which uses the network, and commit the lock; or run `helm pull oci://example.com/charts/far --version 1.0.0 --untar --untardir DIR/app/charts/far-1.0.0` and commit the folder", true},
		{"another error", far(version), store{err: errors.New("no")}, "DIR/app/kustomization.yaml: helmCharts[0]: no", true},
		{"another name", strings.Replace(far(version), "name: far", "name: charts/far", 1), store{folder: folder}, "DIR/app/kustomization.yaml: helmCharts[0].name: chart far 1.0.0 of oci://example.com/charts/charts has the name far, and kustomize would not find it: write that name", true},
		{"a file that the chart has not", far(version + "  valuesFile: charts/far-1.0.0/far/gone.yaml\n"), store{folder: folder}, "values file DIR/app/charts/far-1.0.0/far/gone.yaml: no such file in the chart", false},
		{"a link out of the chart", far(version), store{folder: outside}, "LOCK!/far/out: symbolic link that leads to /etc/passwd, out of the repository LOCK!/far: rendering reads nothing outside of it; commit a copy in its place", false},
		{"a chart that does not load", far(version), store{folder: broken}, "cannot load Chart.yaml: error converting YAML to JSON: yaml: line 1: did not find expected node content", false},
		{"a values file outside", far(version + "  valuesFile: ../../../etc/passwd\n"), store{folder: folder}, "", false},
	} {
		t.Run(test.what, func(t *testing.T) {
			dir := write(t, test.app)
			_, err := App(t.Context(), filepath.Join(dir, "app"), Options{Charts: &test.store})
			got := strings.ReplaceAll(fmt.Sprint(err), dir, "DIR")
			got = strings.NewReplacer("helm chart charts/far: ", "", "helm chart far: ", "").Replace(got)
			if test.want != "" && got != test.want || err == nil {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			var chart *ChartError
			if errors.As(err, &chart) != test.isChart {
				t.Errorf("a ChartError: %v", !test.isChart)
			}
			if isVersion := strings.Contains(test.want, ".version:"); isVersion && len(test.store.asked) > 0 {
				t.Errorf("asked for %v", test.store.asked)
			}
		})
	}
}

// TestVersionProblem: only a whole version names one chart for all time.
func TestVersionProblem(t *testing.T) {
	for version, exact := range map[string]bool{
		"1.2.3": true, "v1.2.3": true, "0.0.0": true, "1.2.3-rc.1": true, "1.2.3+b.1": true, "1.2.3-rc.1+b": true,
		"": false, "1": false, "1.2": false, "1.2.x": false, "*": false, "^1.2.3": false, "~1.2.3": false, ">=1.2.3": false, "=1.2.3": false,
		"1.2.3 - 2.0.0": false, "1.2.3 || 2.0.0": false, "1.2.3\n": false, " 1.2.3": false, "01.2.3": false, "latest": false, "1.2.3.4": false, "vv1.2.3": false, "1.2.3-": false,
	} {
		if got := (ChartRef{Version: version}).VersionProblem() == ""; got != exact {
			t.Errorf("%q is exact: %v", version, got)
		}
	}
}

// TestNormal: the same chart has the same reference.
func TestNormal(t *testing.T) {
	for _, test := range [][2]ChartRef{
		{{"https://x/", "a", "1"}, {"https://x", "a", "1"}},
		{{"https://x", "a/b", "1"}, {"https://x", "a/b", "1"}},
		{{"oci://x/c//", "a", "1"}, {"oci://x/c", "a", "1"}},
		{{"oci://x", "c/a", "1"}, {"oci://x/c", "a", "1"}},
		{{"oci://x", "", "1"}, {"oci://x", "", "1"}},
	} {
		if got := test[0].Normal(); got != test[1] || got.Normal() != got {
			t.Errorf("%v is %v, want %v", test[0], got, test[1])
		}
	}
}
