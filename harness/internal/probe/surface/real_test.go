package surface_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/probe/surface"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// realChart is an entry of harness/internal/check/testdata/realcharts.yaml.
type realChart struct {
	Name   string `json:"name"`
	Module string `json:"module"`
	Folder string `json:"folder"`
}

// realCharts are charts that others wrote, each with its folder.
func realCharts(t *testing.T) []realChart {
	t.Helper()
	root := stock.Root(t)
	data, err := os.ReadFile(filepath.Join(root, "harness", "internal", "check", "testdata", "realcharts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var charts []realChart
	if err := yaml.Unmarshal(data, &charts); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, chart := range charts {
		paths = append(paths, chart.Module)
	}
	folders := stock.Modules(t, "charts", paths)
	for i, chart := range charts {
		charts[i].Folder = filepath.Join(folders[chart.Module], filepath.FromSlash(chart.Folder))
	}
	return charts
}

// TestFindInRealCharts looks for what must be found in charts that others
// wrote: each default, and each `.Values.a.b` that stands in a template, found
// by its text.
func TestFindInRealCharts(t *testing.T) {
	lane.Full(t)
	charts := realCharts(t)
	if len(charts) < 10 {
		t.Fatalf("there are %d charts", len(charts))
	}
	for _, real := range charts {
		t.Run(real.Name, func(t *testing.T) {
			c := load(t, real.Folder)
			before := asJSON(t, c.Values)
			start := time.Now()
			s, err := surface.Find(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(start).Round(time.Millisecond)
			if asJSON(t, c.Values) != before {
				t.Error("the chart's values were changed")
			}
			found := map[string]*surface.Place{}
			count := map[string]int{}
			for i, p := range s.Places {
				found[strings.Join(p.Path, ".")] = &s.Places[i]
				for what, is := range map[string]bool{"places": true, "read": p.Read, "raw": p.Raw, "switch": p.Switch, "name": p.Name} {
					if is {
						count[what]++
					}
				}
				if len(p.Sources) == 0 {
					t.Errorf("%v has no source", p.Path)
				}
			}
			defaults := requireDefaults(t, found, nil, c.Values)
			references := requireReferences(t, found, c, "")
			t.Logf("%v in %v: all %d defaults and all %d references", count, took, defaults, references)
			if len(c.Values) > 0 && defaults < 20 || references < 20 || count["name"] == 0 || count["raw"] == 0 || count["switch"] == 0 {
				t.Error("too little was found")
			}
			for _, note := range s.Notes {
				t.Logf("note: %s", note)
			}
		})
	}
}

// requireDefaults requires a place for each key of the values, and returns how
// many there are.
func requireDefaults(t *testing.T, found map[string]*surface.Place, path []string, values map[string]any) int {
	t.Helper()
	count := 0
	for key, v := range values {
		own := append(slices.Clone(path), key)
		count++
		if found[strings.Join(own, ".")] == nil {
			t.Errorf("no place for the default of %v", own)
		}
		if below, ok := v.(map[string]any); ok {
			count += requireDefaults(t, found, own, below)
		}
	}
	return count
}

var (
	comment   = regexp.MustCompile(`(?s)\{\{-?\s*/\*.*?\*/\s*-?\}\}`)
	action    = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	reference = regexp.MustCompile(`\$?\.Values((?:\.[A-Za-z_]\w*)+)`)
)

// unused are the references in templates that nothing includes.
var unused = []string{
	"gatekeeper: fullnameOverride",
	"gateway-helm: serviceAccount.create",
	"gateway-helm: serviceAccount.name",
}

// requireReferences requires a place that is read for each `.Values.a.b` in the
// templates of the chart and of those below it, and returns how many there are.
func requireReferences(t *testing.T, found map[string]*surface.Place, c *chart.Chart, prefix string) int {
	t.Helper()
	count := 0
	for _, file := range c.Templates {
		for _, text := range action.FindAllString(comment.ReplaceAllString(string(file.Data), ""), -1) {
			for _, m := range reference.FindAllStringSubmatch(text, -1) {
				path := prefix + m[1][1:]
				count++
				if slices.Contains(unused, c.Name()+": "+path) {
					continue
				}
				if found[path] == nil || !found[path].Read {
					t.Errorf("%s reads .Values.%s, and no place is read there", file.Name, path)
				}
			}
		}
	}
	for _, below := range c.Dependencies() {
		if below.Metadata.Type != "library" {
			count += requireReferences(t, found, below, prefix+below.Name()+".")
		}
	}
	return count
}
