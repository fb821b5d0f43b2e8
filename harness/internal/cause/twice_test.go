package cause_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/cause"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// TestTwice: each place is a line, a column, a path and a value; the first is the
// one that is taken. The cases below fixtures/cases show what is rendered.
func TestTwice(t *testing.T) {
	const values, patch = "-- kustomization.yaml --\nhelmCharts: [{name: agents, valuesFile: values.yaml}]\n-- values.yaml --\n",
		"-- kustomization.yaml --\nresources: [deployment.yaml]\npatches: [{path: patch.yaml, target: {kind: Deployment}}]\n-- patch.yaml --\n"
	for name, test := range map[string]struct {
		app  string
		want [][]string
	}{
		"twice":                     {values + "X: 1\nX: 2\n", [][]string{{"2:1 X 2", "1:1 X 1"}}},
		"three times":               {values + "a:\n  X: 1\n  X: 2\n  X: 3\n", [][]string{{"4:3 a.X 3", "2:3 a.X 1", "3:3 a.X 2"}}},
		"in one line":               {values + "{X: 1, X: 2}\n", [][]string{{"1:8 X 2", "1:2 X 1"}}},
		"in two maps of one file":   {values + "a: {X: 1, X: 2}\nb: {X: 3, X: 4}\n", [][]string{{"1:11 a.X 2", "1:5 a.X 1"}, {"2:11 b.X 4", "2:5 b.X 3"}}},
		"in quotes":                 {values + "X: 1\n\"X\": 2\n'X': 3\n", [][]string{{"3:1 X 3", "1:1 X 1", "2:1 X 2"}}},
		"with an escape":            {values + "\"\\x58\": 1\n\"\\u0058\": 2\n", [][]string{{"2:1 X 2", "1:1 X 1"}}},
		"by an alias":               {values + "a: &a X\nX: 1\n*a : 2\n", [][]string{{"3:1 X 2", "2:1 X 1"}}},
		"a value that is null":      {values + "X: 1\nX:\n", [][]string{{"2:1 X null", "1:1 X 1"}}},
		"a value that is a map":     {values + "X: {secret: 1}\nX: 1\n", [][]string{{"2:1 X 1", "1:1 X "}}},
		"in JSON":                   {values + "{\n\t\"X\": \"\\/\",\n\t\"X\": 2}\n", [][]string{{"3:2 X 2", "2:2 X /"}}},
		"in a list":                 {values + "l: [{X: 1, X: 2}]\n", [][]string{{"1:12 l[0].X 2", "1:6 l[0].X 1"}}},
		"in an entry":               {values + "env:\n- name: X\n  value: 1\n  value: 2\n", [][]string{{"4:3 env[0].value 2", "3:3 env[0].value 1"}}},
		"two names of an entry":     {values + "env:\n- name: X\n  name: Y\n  value: 2\n", [][]string{{"3:3 env[0].name ", "2:3 env[0].name "}}},
		"two sources of an entry":   {values + "env:\n- name: X\n  valueFrom: 1\n  valueFrom: 2\n", [][]string{{"4:3 env[0].valueFrom ", "3:3 env[0].valueFrom "}}},
		"in the second document":    {values + "a: 1\n---\nX: 1\nX: 2\n", [][]string{{"4:1 X 2", "3:1 X 1"}}},
		"in a patch of maps":        {patch + "kind: Deployment\nmetadata: {name: agents-controllers, annotations: {X: 1, X: 2}}\n", [][]string{{"2:52 metadata.annotations.X 1", "2:58 metadata.annotations.X 2"}}},
		"in an operation's value":   {patch + "- {op: add, path: /metadata/annotations, value: {X: 1, X: 2}}\n", [][]string{{"1:56 [0].value.X 2", "1:50 [0].value.X 1"}}},
		"of an operation":           {patch + "- {op: add, path: /metadata/annotations/X, value: 1, value: 2}\n", [][]string{{"1:54 [0].value 2", "1:44 [0].value 1"}}},
		"two paths":                 {patch + "- {op: add, path: /metadata/annotations/X, path: /metadata/annotations/Y, value: 1}\n", [][]string{{"1:44 [0].path ", "1:13 [0].path "}}},
		"of an entry by its number": {patch + "- {op: replace, path: /spec/template/spec/containers/0/env/0/value, value: auto, value: skip}\n", [][]string{{"1:82 [0].value skip", "1:69 [0].value auto"}}},

		"once":                            {values + "X: 1\n", nil},
		"in two maps":                     {values + "a: {X: 1}\nb: {X: 1}\n", nil},
		"one below the other":             {values + "a: {X: 1, b: {X: 2}}\n", nil},
		"another variable":                {values + "Y: 1\nY: 2\nX: 1\n", nil},
		"another case":                    {values + "X: 1\nx: 2\n", nil},
		"a map that holds it":             {values + "a: {X: 1}\na: {X: 2}\n", nil},
		"in a comment":                    {values + "X: 1\n# X: 2\n", nil},
		"in two documents":                {values + "X: 1\n---\nX: 2\n", nil},
		"merged and overridden":           {values + "a: &a {X: 1}\nb: {<<: *a, X: 2}\n", nil},
		"an entry of another variable":    {values + "env:\n- {name: Y, value: 1, value: 2}\n- {name: X, value: 1}\n", nil},
		"two entries":                     {patch + "kind: Deployment\nspec: {template: {spec: {containers: [{env: [{name: X, value: 1}, {name: X, value: 2}]}]}}}\n", nil},
		"another key of an entry":         {values + "env:\n- {name: X, value: 1, note: 1, note: 2}\n", nil},
		"an operation of another value":   {patch + "- {op: replace, path: /spec/template/spec/containers/0/env/0/value, value: info, value: debug}\n", nil},
		"an operation that is not of env": {patch + "- {op: replace, path: /metadata/name, value: auto, value: skip}\n", nil},
		"text of a generator":             {"-- kustomization.yaml --\nconfigMapGenerator: [{name: c, files: [values.yaml]}]\n-- values.yaml --\nX: 1\nX: 2\n", nil},
		"a file that is not used":         {"-- kustomization.yaml --\nresources: [deployment.yaml]\n-- values.yaml --\nX: 1\nX: 2\n", nil},
		"no YAML":                         {values + "X: 1\nX: [\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, chart, resource, test.app)
			maps, err := cause.Twice(".", "X", render.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got [][]string
			for _, places := range maps {
				var all []string
				for _, c := range places {
					all = append(all, fmt.Sprintf("%d:%d %s %s", c.Line, c.Column, c.Path, c.Value))
				}
				got = append(got, all)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
