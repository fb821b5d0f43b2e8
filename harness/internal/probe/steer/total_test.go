package steer

import (
	"maps"
	"slices"
	"testing"

	"github.com/Masterminds/sprig/v3"

	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
)

// TestAnyCall: whatever a function was called with, in whatever number, there is
// an answer. Charts call functions with what they were not made for, and Helm says
// so only once the rendering is over.
func TestAnyCall(t *testing.T) {
	t.Parallel()
	functions := slices.Sorted(maps.Keys(sprig.TxtFuncMap()))
	functions = append(functions, "eq", "ne", "lt", "index", "slice", "len", "not", "include", "tpl", "lookup", "fromJson", "fromYaml", "fromToml",
		"toYaml", "toJson", "required", "Files.Get", "Files.Glob", "Files.Lines", "APIVersions.Has", "unknown")
	values := []any{
		nil, "", "probe", "^v[0-9]+(-a|b)*$", ">=1.2", "{a: 1}", true, 0.0, -3.5, int64(7), []any{}, []any{"a", nil, 1.0}, []string{"a"},
		map[string]any{}, map[string]any{"a": map[string]any{"b": "c"}}, withKey{[]string{"a", "b"}, "c"},
	}
	r := &reader{chart: &watch.Chart{Files: []string{"files/a.yaml"}, Templates: []string{"agents.name"}}, trace: &watch.Trace{}, seen: map[string]bool{}}
	calls := 0
	for _, function := range functions {
		for n := range 4 {
			for first := range values {
				call := watch.CallEvent{Site: &watch.Site{Function: function}, Result: values[(first+n)%len(values)]}
				for i := range n {
					call.Args = append(call.Args, values[(first*(i+1)+i)%len(values)])
					call.Origins = append(call.Origins, []watch.Origin{{Place: "a", Exact: true}})
				}
				r.together(call)
				for i := range call.Args {
					r.wants(call, i)
					for _, want := range values {
						undone(call, i, want)
						calls++
					}
				}
			}
		}
	}
	if calls < 100_000 {
		t.Errorf("%d calls", calls)
	}
}
