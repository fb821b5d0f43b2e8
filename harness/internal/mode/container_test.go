package mode_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
)

func TestContainer(t *testing.T) {
	const variable = `"name": "JANGAR_MIGRATIONS"`
	for _, test := range []struct {
		name, container string
		want            mode.Resolution
	}{
		{"nothing", `{}`, mode.Resolution{Mode: mode.Auto, Reason: "not declared"}},
		{"null lists", `{"env": null, "envFrom": null}`, mode.Resolution{Mode: mode.Auto, Reason: "not declared"}},
		{"a literal", `{"env": [{"name": "A"}, {` + variable + `, "value": "skip"}]}`,
			mode.Resolution{Mode: mode.Skip, Place: "env[1]", Declarations: 1, Reason: `env[1] is "skip"`}},
		{"another literal", `{"env": [{` + variable + `, "value": "auto\u001b"}]}`,
			mode.Resolution{Mode: mode.Auto, Place: "env[0]", Declarations: 1, Reason: `env[0] is "auto\x1b"`}},
		{"no value", `{"env": [{` + variable + `, "valueFrom": null}]}`,
			mode.Resolution{Mode: mode.Auto, Place: "env[0]", Declarations: 1, Reason: `env[0] is ""`}},
		{"the last wins", `{"env": [{` + variable + `, "value": "skip"}, {` + variable + `, "value": "auto"}]}`,
			mode.Resolution{Mode: mode.Auto, Place: "env[1]", Declarations: 2, Reason: `env[1] is "auto", the last of 2 declarations`}},
		{"the last wins, the other way round", `{"env": [{` + variable + `, "value": 0}, {` + variable + `, "value": "0"}]}`,
			mode.Resolution{Mode: mode.Skip, Place: "env[1]", Declarations: 2, Reason: `env[1] is "0", the last of 2 declarations`}},
		{"env over envFrom", `{"envFrom": [{"configMapRef": {"name": "c"}}], "env": [{` + variable + `, "value": "skip"}]}`,
			mode.Resolution{Mode: mode.Skip, Place: "env[0]", Declarations: 1, Reason: `env[0] is "skip"`}},
		{"the last source", `{"envFrom": [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}, {"prefix": "DB_"}]}`,
			mode.Resolution{Mode: mode.Unknown, Place: "envFrom[1]", Reason: "envFrom[1] might set it"}},
		{"prefixes that cannot", `{"envFrom": [{"prefix": "DB_"}, {"prefix": "jangar"}]}`,
			mode.Resolution{Mode: mode.Auto, Reason: "not declared"}},
		{"a prefix that can", `{"envFrom": [{"prefix": "JANGAR_"}]}`,
			mode.Resolution{Mode: mode.Unknown, Place: "envFrom[0]", Reason: "envFrom[0] might set it"}},
		{"valueFrom", `{"env": [{` + variable + `, "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}`,
			mode.Resolution{Mode: mode.Unknown, Place: "env[0]", Declarations: 1, Reason: `env[0] takes it from "secretKeyRef", which is known at run time only`}},
		{"valueFrom beside an empty value", `{"env": [{` + variable + `, "value": "", "valueFrom": {"fieldRef": {}}}]}`,
			mode.Resolution{Mode: mode.Unknown, Place: "env[0]", Declarations: 1, Reason: `env[0] takes it from "fieldRef", which is known at run time only`}},
		{"valueFrom beside a value", `{"env": [{` + variable + `, "value": "skip", "valueFrom": {"fieldRef": {}}}]}`,
			mode.Resolution{Mode: mode.Unknown, Place: "env[0]", Declarations: 1, Reason: "env[0] has both value and valueFrom, which the API server refuses"}},
		{"valueFrom of nothing", `{"env": [{` + variable + `, "valueFrom": {}}]}`,
			mode.Resolution{Mode: mode.Unknown, Place: "env[0]", Declarations: 1, Reason: "env[0] has a valueFrom that names no source, which the API server refuses"}},
		{"a reference", `{"env": [{"name": "A", "value": "ki"}, {"name": "B", "value": "$(A)p"}, {` + variable + `, "value": "s$(B)"}]}`,
			mode.Resolution{Mode: mode.Skip, Place: "env[2]", Declarations: 1, Reason: `env[2] is "s$(B)", with its references followed`}},
		{"a reference to what comes later", `{"env": [{` + variable + `, "value": "$(A)"}, {"name": "A", "value": "skip"}]}`,
			mode.Resolution{Mode: mode.Auto, Place: "env[0]", Declarations: 1, Reason: `env[0] is "$(A)"`}},
		{"a reference to itself, declared before", `{"env": [{` + variable + `, "value": "skip"}, {` + variable + `, "value": "$(JANGAR_MIGRATIONS)"}]}`,
			mode.Resolution{Mode: mode.Skip, Place: "env[1]", Declarations: 2, Reason: `env[1] is "$(JANGAR_MIGRATIONS)", with its references followed, the last of 2 declarations`}},
		{"an escape", `{"env": [{"name": "A", "value": "skip"}, {` + variable + `, "value": "$$(A)"}]}`,
			mode.Resolution{Mode: mode.Auto, Place: "env[1]", Declarations: 1, Reason: `env[1] is "$$(A)", with its references followed`}},
		{"a reference to the unknown", `{"env": [{"name": "A", "valueFrom": {"fieldRef": {}}}, {` + variable + `, "value": "$(A)"}]}`,
			mode.Resolution{Mode: mode.Unknown, Place: "env[1]", Declarations: 1, Reason: `env[1] refers to "A", which is not known`}},
		{"a reference to the unknown, through another", `{"env": [{"name": "A", "value": 5}, {"name": "B", "value": "$(A)"}, {` + variable + `, "value": "$(B)"}]}`,
			mode.Resolution{Mode: mode.Unknown, Place: "env[2]", Declarations: 1, Reason: `env[2] refers to "B", which is not known`}},
		{"a reference into a source", `{"envFrom": [{"secretRef": {"name": "s"}}], "env": [{` + variable + `, "value": "$(A)"}]}`,
			mode.Resolution{Mode: mode.Unknown, Place: "env[0]", Declarations: 1, Reason: `env[0] refers to "A", which envFrom[0] might set`}},
		{"a reference past a source with a prefix", `{"envFrom": [{"prefix": "DB_"}], "env": [{` + variable + `, "value": "$(A)"}]}`,
			mode.Resolution{Mode: mode.Auto, Place: "env[0]", Declarations: 1, Reason: `env[0] is "$(A)"`}},
		{"a number", `{"env": [{` + variable + `, "value": 0}]}`,
			mode.Resolution{Mode: mode.Unknown, Place: "env[0]", Declarations: 1, Reason: "env[0] has a number as its value where a string is expected"}},
		{"valueFrom a string", `{"env": [{` + variable + `, "value": "skip", "valueFrom": "x"}]}`,
			mode.Resolution{Mode: mode.Unknown, Place: "env[0]", Declarations: 1, Reason: "env[0] has a string as its valueFrom where a map is expected"}},
		{"env a map", `{"env": {"JANGAR_MIGRATIONS": "skip"}}`, mode.Resolution{Mode: mode.Unknown, Reason: "env is a map where a list is expected"}},
		{"envFrom a string", `{"envFrom": "x", "env": [{` + variable + `, "value": "skip"}]}`,
			mode.Resolution{Mode: mode.Unknown, Reason: "envFrom is a string where a list is expected"}},
		{"an entry that is no map", `{"env": [{` + variable + `, "value": "skip"}, null]}`, mode.Resolution{Mode: mode.Unknown, Reason: "env[1] is null where a map is expected"}},
		{"an entry without a name", `{"env": [{` + variable + `, "value": "skip"}, {"value": "x"}]}`,
			mode.Resolution{Mode: mode.Unknown, Reason: "env[1].name is null where a string is expected"}},
		{"a source that is no map", `{"envFrom": [false]}`, mode.Resolution{Mode: mode.Unknown, Reason: "envFrom[0] is a boolean where a map is expected"}},
		{"a prefix that is no string", `{"envFrom": [{"prefix": 5}]}`, mode.Resolution{Mode: mode.Unknown, Reason: "envFrom[0].prefix is a number where a string is expected"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var container map[string]any
			if err := json.Unmarshal([]byte(test.container), &container); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, mode.Defaults().Container(container)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestContainerWithOtherRules(t *testing.T) {
	rules := mode.Rules{Variable: "MODE", SkipValues: []string{"never"}}
	got := rules.Container(map[string]any{"env": []any{
		map[string]any{"name": "JANGAR_MIGRATIONS", "value": "skip"},
		map[string]any{"name": "MODE", "value": "Never"},
	}})
	want := mode.Resolution{Mode: mode.Skip, Place: "env[1]", Declarations: 1, Reason: `env[1] is "Never"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A manifest made to be slow or huge ends in unknown, soon.
func TestContainerWithinBounds(t *testing.T) {
	doubling := []any{map[string]any{"name": "V0", "value": "xx"}}
	for i := range 200 {
		doubling = append(doubling, map[string]any{"name": fmt.Sprint("V", i+1), "value": fmt.Sprintf("$(V%d)$(V%d)", i, i)})
	}
	repeating := []any{map[string]any{"name": "A", "value": strings.Repeat("x", 100_000)}}
	for i := range 200_000 {
		repeating = append(repeating, map[string]any{"name": fmt.Sprint("V", i), "value": "$(A)"})
	}
	sources := make([]any, 200_000)
	for i := range sources {
		sources[i] = map[string]any{"prefix": "Z_"}
	}
	for name, test := range map[string]struct {
		container map[string]any
		reason    string
	}{
		"entries that double each other": {
			map[string]any{"env": append(doubling, map[string]any{"name": "JANGAR_MIGRATIONS", "value": "$(V200)"})},
			`env[201] refers to "V200", which is not known`,
		},
		"entries that repeat a long one": {
			map[string]any{"env": append(repeating, map[string]any{"name": "JANGAR_MIGRATIONS", "value": "$(V0)"})},
			"env[200001] becomes longer than a process can be given",
		},
		"references beside many sources": {
			map[string]any{"envFrom": sources, "env": []any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": strings.Repeat("$(B)", 200_000)}}},
			`env[0] refers to "B", which envFrom[199999] might set`,
		},
	} {
		start := time.Now()
		got := mode.Defaults().Container(test.container)
		if got.Mode != mode.Unknown || got.Reason != test.reason {
			t.Errorf("%s: got %s, %s", name, got.Mode, got.Reason)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}
