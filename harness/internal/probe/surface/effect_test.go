package surface_test

import (
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/probe/surface"
)

// rendering is what Helm makes of the chart in a folder with values, its error
// included. The schema is left out: a place counts whether or not it may be set.
func rendering(t *testing.T, folder string, values map[string]any) map[string]string {
	t.Helper()
	c := load(t, folder)
	if err := chartutil.ProcessDependencies(c, values); err != nil {
		t.Fatal(err)
	}
	options := common.ReleaseOptions{Name: "r", Namespace: "n", IsInstall: true, Revision: 1}
	all, err := commonutil.ToRenderValuesWithSchemaValidation(c, values, options, nil, true)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	written, err := engine.Render(c, all)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	maps.DeleteFunc(written, func(name, _ string) bool { return path.Base(name) == "NOTES.txt" })
	return written
}

// set are values with v at a path.
func set(keys []string, v any) map[string]any {
	for _, key := range slices.Backward(keys) {
		v = map[string]any{key: v}
	}
	return v.(map[string]any)
}

// others are values that differ from what the chart has at a place.
func others(p surface.Place) []any {
	var all []any
	if b, ok := p.Default.(bool); ok {
		all = append(all, !b)
	}
	if p.Kinds&surface.Scalar != 0 || p.Kinds == 0 {
		all = append(all, "probed", 7, true)
	}
	if p.Kinds&surface.Map != 0 || p.Raw {
		all = append(all, map[string]any{"probed": "probed"})
	}
	if p.Kinds&surface.List != 0 || p.Raw {
		all = append(all, []any{"probed"}, []any{map[string]any{"name": "probed"}})
	}
	return append(all, nil)
}

// TestPlacesMatter sets every place of the fixture chart that is said to be
// read as a scalar or written whole: the rendering must differ. Where a switch
// hides it, that is turned first.
func TestPlacesMatter(t *testing.T) {
	t.Parallel()
	folder := path.Join("..", "..", "..", "..", "fixtures", "charts", "agents")
	bases := []map[string]any{
		{},
		{
			"controllers":   map[string]any{"image": map[string]any{"repository": ""}, "env": map[string]any{"vars": map[string]any{"PROBE": "1"}}},
			"autoscaling":   map[string]any{"enabled": true},
			"migrationJob":  map[string]any{"enabled": true},
			"metrics":       map[string]any{"serviceMonitor": map[string]any{"enabled": true}},
			"database":      map[string]any{"secretRef": map[string]any{"name": ""}},
			"rbac":          map[string]any{"clusterScoped": true},
			"networkPolicy": map[string]any{"ingressFrom": []any{map[string]any{}}},
			"startupGuard":  map[string]any{"enabled": true},
		},
	}
	var before []map[string]string
	for _, base := range bases {
		written := rendering(t, folder, base)
		if written["error"] != "" {
			t.Fatal(written["error"])
		}
		before = append(before, written)
	}
	s, err := surface.Find(t.Context(), load(t, folder))
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	var without []string
	places := slices.DeleteFunc(slices.Clone(s.Places), func(p surface.Place) bool {
		return !p.Read || !p.Raw && p.Kinds&surface.Scalar == 0
	})
	for _, p := range lane.Part(t, places, 6) {
		tried++
		matters := slices.ContainsFunc(others(p), func(v any) bool {
			for i, base := range bases {
				after := rendering(t, folder, commonutil.CoalesceTables(set(p.Path, v), base))
				if requireFiles(t, p, before[i], after) {
					return true
				}
			}
			return false
		})
		if !matters {
			without = append(without, strings.Join(p.Path, "."))
		}
	}
	t.Logf("%d of %d places matter", tried-len(without), tried)
	if len(places) < 100 {
		t.Errorf("there are only %d places", len(places))
	}
	if len(without) > 0 {
		t.Errorf("places that do not matter: %v", without)
	}
}

// requireFiles requires that only files of a place differ, and tells whether
// any does.
func requireFiles(t *testing.T, p surface.Place, before, after map[string]string) bool {
	t.Helper()
	if after["error"] != "" {
		return true
	}
	differs := false
	for _, files := range []map[string]string{before, after} {
		for name := range files {
			if before[name] != after[name] {
				differs = true
				if !slices.Contains(p.Files, name) {
					t.Errorf("%v changes %s, which is not among %v", p.Path, name, p.Files)
				}
			}
		}
	}
	return differs
}

// TestUnreadPlacesDoNotMatter sets every place of real charts that is said not
// to be read: the rendering must stay. It also sets some of the others: only
// files of the place may change.
func TestUnreadPlacesDoNotMatter(t *testing.T) {
	lane.Full(t)
	t.Parallel()
	tried, read := 0, 0
	for _, real := range realCharts(t) {
		s, err := surface.Find(t.Context(), load(t, real.Folder))
		if err != nil {
			t.Fatal(err)
		}
		before := rendering(t, real.Folder, map[string]any{})
		if !reflect.DeepEqual(before, rendering(t, real.Folder, map[string]any{})) {
			t.Logf("%s: a rendering differs from the next one, as with a new certificate", real.Name)
			continue
		}
		for i, p := range s.Places {
			if p.Read {
				if real.Name != "kyverno" && i%10 == 0 || i%200 == 0 {
					read++
					requireFiles(t, p, before, rendering(t, real.Folder, set(p.Path, others(p)[0])))
				}
				continue
			}
			tried++
			v := others(p)[0]
			if diff := cmp.Diff(before, rendering(t, real.Folder, set(p.Path, v))); diff != "" {
				t.Errorf("%s: %v set to %v changes (-before +after):\n%s", real.Name, p.Path, v, diff)
			}
		}
	}
	t.Logf("%d unread places were set, and %d others", tried, read)
	if tried < 20 || read < 150 {
		t.Errorf("only %d unread places and %d others were set", tried, read)
	}
}
