package places

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	chart "helm.sh/helm/v4/pkg/chart/v2"

	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
)

const schema = `{
	"type": "object",
	"definitions": {"word": {"type": "string", "enum": ["a", "b"], "pattern": "^[a-z]$"}},
	"properties": {
		"word": {"$ref": "#/definitions/word"},
		"list": {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "n": {"type": "integer"}}}},
		"any": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}}`

// TestOf: what a schema says, with that of a subchart below its alias.
func TestOf(t *testing.T) {
	sub := &chart.Chart{Metadata: &chart.Metadata{Name: "sub"}, Schema: []byte(`{"properties": {"x": {"type": "boolean"}}}`)}
	c := &chart.Chart{Metadata: &chart.Metadata{Name: "top", Dependencies: []*chart.Dependency{{Name: "sub", Alias: "other", Condition: "other.on, more", Tags: []string{"t"}}}}, Schema: []byte(schema)}
	c.SetDependencies(sub)
	shape, err := Of(c)
	if err != nil {
		t.Fatal(err)
	}
	text := []string{"string"}
	want := &Shape{
		Types: []string{"object"},
		Fields: map[string]*Shape{
			"word": {Types: text, Enum: []any{"a", "b"}, Pattern: "^[a-z]$"},
			"list": {Types: []string{"array"}, Element: &Shape{
				Types: []string{"object"}, Required: []string{"name"},
				Fields: map[string]*Shape{"name": {Types: text}, "n": {Types: []string{"integer"}}},
			}},
			"any":   {Types: []string{"string", "integer"}, loose: true},
			"sub":   {Fields: map[string]*Shape{"x": {Types: []string{"boolean"}}}},
			"other": {Fields: map[string]*Shape{"x": {Types: []string{"boolean"}}}},
		},
	}
	if diff := cmp.Diff(want, shape, cmp.AllowUnexported(Shape{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"name": "probe", "n": 1.0}, shape.At(watch.PlaceOf("list").Element(3)).Sample(true)); diff != "" {
		t.Errorf("sample (-want +got):\n%s", diff)
	}
	for _, test := range []struct {
		place watch.Place
		value any
		want  bool
	}{
		{"word", "a", false}, {"word", "c", true}, {"word", nil, false}, {"list", "a", true}, {"list", []any{}, false},
		{"any", true, false}, {"nothing", 1.0, false}, {watch.PlaceOf("other", "x"), "true", true}, {watch.PlaceOf("other", "x"), true, false},
	} {
		if got := shape.At(test.place).Refuses(test.value); got != test.want {
			t.Errorf("%s = %v: refused %v", test.place, test.value, got)
		}
	}
	places := []watch.Place{"more", watch.PlaceOf("other", "on"), watch.PlaceOf("tags", "t")}
	if diff := cmp.Diff(places, Switches(c)); diff != "" {
		t.Errorf("switches (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[watch.Place]bool{"sub": true, "other": true}, Subcharts(c)); diff != "" {
		t.Errorf("subcharts (-want +got):\n%s", diff)
	}
	if _, err := Of(&chart.Chart{Metadata: &chart.Metadata{Name: "bad"}, Schema: []byte("{")}); err == nil || err.Error() != "read values.schema.json of chart bad: unexpected end of JSON input" {
		t.Errorf("error %v", err)
	}
}
