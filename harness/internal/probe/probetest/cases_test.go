package probetest

import (
	"slices"
	"strings"
	"testing"
)

// TestCases proves each case without a search.
func TestCases(t *testing.T) {
	for _, c := range Cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			chart, twin := c.Write(t)
			for what, dir := range map[string]string{"chart": chart, "twin": twin} {
				if j := judge(t, dir, Settings{}); j.refused != nil || len(j.denied) > 0 {
					t.Errorf("the %s by itself: %v, denied %q; want a chart that renders and keeps the contract", what, j.refused, j.denied)
				}
			}
			if j := judge(t, chart, c.Hole); len(j.denied) == 0 {
				t.Errorf("the chart with the settings of the hole: %v, %d controllers workloads, none denied", j.refused, j.controllers)
			}
			if j := judge(t, twin, c.Hole); len(j.denied) > 0 {
				t.Errorf("the twin with the settings of the hole: denied %q", j.denied)
			}
			if c.Kind == Values {
				return
			}
			if j := judge(t, chart, Settings{Values: c.Hole.Values}); len(j.denied) > 0 {
				t.Errorf("the chart with the values of the hole alone: denied %q; its kind is not %s", j.denied, c.Kind)
			}
		})
	}
}

// deciding is what a search must see through: functions that compare, look up,
// choose and convert, and what Helm knows beside the values.
const deciding = `
	eq ne lt le gt ge and or not if with range break template include tpl fail required lookup
	has hasKey contains hasPrefix hasSuffix regexMatch mustRegexMatch regexFind regexFindAll regexReplaceAll regexSplit
	semver semverCompare empty kindIs kindOf typeIs typeIsLike typeOf deepEqual any all
	index get dig pluck dict list keys values set unset omit pick merge mergeOverwrite deepCopy
	without concat first last rest uniq compact sortAlpha len split splitn splitList join
	trim trimAll trimPrefix trimSuffix trunc substr nospace lower upper kebabcase replace quote cat printf toString
	default coalesce ternary fromYaml fromYamlArray fromJson fromJsonArray fromToml toYaml toJson b64dec b64enc urlParse
	int int64 float64 atoi add add1 sub mul div mod floor ceil round max min until untilStep
	title snakecase camelcase initials initial reverse append prepend slice chunk toStrings base ext mustHas continue else
	.Subcharts .Files.Get .Files.Glob .Files.Lines .Capabilities.APIVersions.Has .Capabilities.KubeVersion
	.Release.Name .Release.Namespace .Release.IsUpgrade .Release.IsInstall
`

// others are what decides beside templates, and what is injected.
var others = []string{"line break", "list entry", "name of a workload", "a null", "subchart", "global", "condition", "tags", "import-values", "values.schema.json"}

func TestEachFunctionHasACase(t *testing.T) {
	cases := Cases(t)
	named := map[string]bool{}
	for _, c := range cases {
		for _, construct := range c.Construct {
			named[construct] = true
			if !slices.Contains(others, construct) && !strings.Contains(templates(c.Chart), strings.TrimPrefix(construct, ".")) {
				t.Errorf("fixtures/probe/%s.txtar: no template of the chart has %s", c.Name, construct)
			}
		}
	}
	for _, construct := range slices.Concat(strings.Fields(deciding), others) {
		if !named[construct] {
			t.Errorf("no case is about %s", construct)
		}
		delete(named, construct)
	}
	if len(named) > 0 {
		t.Errorf("cases are about %v, which the list of this test does not have", named)
	}
}

// templates are all templates of a chart, one after the other.
func templates(files map[string]string) string {
	var all strings.Builder
	for name, text := range files {
		if strings.Contains(name, "templates/") {
			all.WriteString(text)
		}
	}
	return all.String()
}

func TestMalformedCases(t *testing.T) {
	const (
		right = "case.yaml --\nconstruct: [eq]\nkind: values\nhole:\n  values: {a: b}\n"
		chart = "-- chart/Chart.yaml --\nname: a\n-- chart/values.yaml --\na: c\n"
		twin  = "-- twin/values.yaml --\na: d\n"
	)
	for _, test := range []struct{ name, text, want string }{
		{"right", "A text.\n\n-- " + right + chart + twin, ""},
		{"no sentence", "-- " + right + chart + twin, "the file does not begin with one line that ends in a full stop"},
		{"no case.yaml", "A text.\n" + chart + twin, "case.yaml names no construct"},
		{"unknown key", "A text.\n-- " + right + "more: 1\n" + chart + twin, `read case.yaml: error unmarshaling JSON: while decoding JSON: json: unknown field "more"`},
		{"unknown kind", "A text.\n-- case.yaml --\nconstruct: [eq]\nkind: value\n" + chart + twin, `case.yaml: kind is "value"; it is values, release or capabilities`},
		{"no values", "A text.\n-- case.yaml --\nconstruct: [eq]\nkind: values\n" + chart + twin, "case.yaml: the hole's settings are not those of its kind, values"},
		{"settings of another kind", "A text.\n-- case.yaml --\nconstruct: [eq]\nkind: values\nhole: {values: {a: b}, release: {name: a}}\n" + chart + twin, "case.yaml: the hole's settings are not those of its kind, values"},
		{"no chart", "A text.\n-- " + right + twin, "chart/Chart.yaml or chart/values.yaml is missing"},
		{"no twin", "A text.\n-- " + right + chart, "there is no twin"},
		{"the twin is the chart", "A text.\n-- " + right + chart + "-- twin/values.yaml --\na: c\n", "twin/values.yaml is as in the chart; leave it out"},
		{"another folder", "A text.\n-- " + right + chart + "-- chart/../a --\n", "chart/../a is neither case.yaml nor below chart or twin"},
		{"a file twice", "A text.\n-- " + right + chart + chart + twin, "chart/Chart.yaml is there twice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if _, err := parse([]byte(test.text)); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
