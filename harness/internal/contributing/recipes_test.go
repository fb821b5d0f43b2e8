package contributing

// recipe is what CONTRIBUTING.md says under a heading, done with a toy.
type recipe struct {
	heading string
	edits   []edit
	// files are new files, by their paths.
	files map[string]string
	// copies are new files that are another one with some words replaced.
	copies []replica
}

// edit puts a text into a file: after the only place that has the anchor, or in
// its place.
type edit struct{ file, anchor, after, instead string }

// replica is a file made of another one.
type replica struct{ from, to string }

const toyExample = `why: A toy is no service.
manifest: manifest.yaml
example: CNM099
twin: example-right
status: fail
findings:
  - {code: CNM099, severity: deny, workload: Deployment/agents-controllers, namespace: agents, container: toy,
     cause: {file: manifest.yaml, line: 24, path: "spec.template.spec.containers[0].name", layer: resource}}
`

const toyManifest = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: agents
  namespace: agents
spec:
  template:
    spec:
      containers:
        - name: app
          image: registry.example.com/agents/control-plane:0.9.0
          env:
            - {name: JANGAR_MIGRATIONS, value: auto}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: agents-controllers
  namespace: agents
spec:
  template:
    spec:
      containers:
        - name: toy
          image: registry.example.com/agents/control-plane:0.9.0
          env:
            - {name: JANGAR_MIGRATIONS, value: skip}
`

// recipes are done one after the other: the parameter is one of the rule.
var recipes = []recipe{
	{
		heading: "Add a rule",
		edits: []edit{
			{file: "policy/lib/catalogue.rego", anchor: "rules := {\n", after: `	"CNM099": {
		"severity": "deny",
		"title": "The container is a toy",
		"description": "A toy is no service.",
		"remedy": "Give the container another name.",
		"forms": {"toy": {"message": "{path} says that this is a toy."}},
	},
`},
			{file: "policy/main.rego", anchor: "_findings contains object.union(found, {\"code\": \"CNM006\"})", instead: `_findings contains _in_container(bound, {
	"code": "CNM099",
	"path": sprintf("%s.name", [bound.container.path]),
	"says": ["toy"],
	"args": {},
}) if {
	some bound in _bound
	bound.container.name == "toy"
}

_findings contains object.union(found, {"code": "CNM006"})`},
			{file: "policy/main_test.rego", anchor: "# CNM101\n", instead: `# CNM099

test_denies_cnm099_a_toy if {
	{result.details.path | some result in main.violation} == {"spec.template.spec.containers[0].name"} with input as testing.controllers([testing.good_with({"name": "toy"})])
}

test_allows_cnm099_another_name if {
	main.violation == set() with input as testing.controllers([testing.good_with({"name": "toys"})])
}

test_missing_cnm099_no_name if {
	main.violation == set() with input as testing.controllers([testing.good_with({"name": null})])
}

# CNM101
`},
			{file: "harness/internal/admission/spec.yaml.tmpl", anchor: "  - name: broken\n    expression: |-\n      (", instead: `  - name: toys
    expression: |-
      variables.bound.filter(b, b.name == 'toy').map(b, {{finding "CNM099" "variables.workload + ' container toy'" "b.path + '.name'"}})
  - name: broken
    expression: |-
      (variables.toys + `},
			{file: "harness/internal/chartguard/guard.yaml.tmpl", anchor: "{{- define \"<% .Name %>.container\" -}}\n{{- $in := . -}}\n", after: `{{- if eq .container "toy" -}}{{- include "<% .Name %>.add" (dict "in" $in "code" "CNM099" "path" (printf "%s.name" .path) "says" <% says "CNM099" %>) -}}{{- end -}}
`},
		},
		files: map[string]string{
			"fixtures/cases/example-cnm099/case.yaml":     toyExample,
			"fixtures/cases/example-cnm099/manifest.yaml": toyManifest,
		},
	},
	{
		heading: "Add a parameter",
		edits: []edit{
			{file: "policy/lib/parameters.rego", anchor: "described := [\n", after: `	{
		"name": "toys",
		"flag": "toy",
		"usage": "` + "`NAME`" + ` of a container that is a toy",
		"schema": {
			"type": "array",
			"description": "Containers that are toys.",
			"default": ["toy"],
			"items": {"type": "string", "description": "A name.", "minLength": 1},
		},
	},
`},
			{file: "policy/lib/parameters_test.rego", anchor: "test_defaults if {\n", after: "\tparameters.values.toys == [\"toy\"]\n"},
			{file: "policy/main.rego", anchor: `bound.container.name == "toy"`, instead: "bound.container.name in parameters.values.toys"},
			{file: "policy/main_test.rego", anchor: "test_missing_cnm099_no_name if {\n", instead: `test_denies_cnm099_what_the_constraint_calls_a_toy if {
	constraint := testing.constraint({"parameters": {"toys": ["car"]}})
	count(main.violation) == 1 with input as testing.controllers([testing.good_with({"name": "car"})])
		with data.kind as constraint.kind
		with data.apiVersion as constraint.apiVersion
		with data.spec as constraint.spec
}

test_missing_cnm099_no_name if {
`},
			{file: "harness/internal/admission/spec.yaml.tmpl", anchor: `variables.bound.filter(b, b.name == 'toy').map(b, {{finding "CNM099" "variables.workload + ' container toy'"`, instead: `variables.bound.filter(b, b.name in {{literals (.List "toys")}}).map(b, {{finding "CNM099" "variables.workload + ' container ' + b.name"`},
			{file: "harness/internal/chartguard/guard.yaml.tmpl", anchor: `{{- if eq .container "toy" -}}`, instead: `{{- if has .container <% list (.List "toys") %> -}}`},
		},
	},
	{
		heading: "Add a workload kind",
		edits: []edit{
			{file: "policy/lib/kind.rego", anchor: "workloads := {\n", after: "\t\"ToySet\": {\"groups\": {\"toys.example.com\"}, \"resources\": [\"toysets\"], \"template\": [\"spec\", \"template\"]},\n"},
			{file: "policy/lib/kind.rego", anchor: "versions := {\n", after: "\t\"toys.example.com\": \"v1alpha1\",\n"},
			{file: "harness/internal/independent/independent.go", anchor: "\t\"apps/Deployment\":", instead: "\t\"toys.example.com/ToySet\": {\"spec\", \"template\"},\n\t\"apps/Deployment\":"},
			{file: "policy/gatekeeper/suite.yaml", anchor: "  - name: kinds\n    template: template.yaml\n    constraint: samples/kinds/constraint.yaml\n    cases:\n", after: `      - name: example-allowed-toyset
        object: samples/kinds/example_allowed_toyset.yaml
        assertions:
          - violations: 0
      - name: example-disallowed-toyset
        object: samples/kinds/example_disallowed_toyset.yaml
        assertions:
          - violations: 1
          - violations: 1
            message: '^CNM002 '
`},
		},
		copies: []replica{
			{"policy/gatekeeper/samples/kinds/example_allowed_rollout.yaml", "policy/gatekeeper/samples/kinds/example_allowed_toyset.yaml"},
			{"policy/gatekeeper/samples/kinds/example_disallowed_rollout.yaml", "policy/gatekeeper/samples/kinds/example_disallowed_toyset.yaml"},
		},
	},
	{
		heading: "Add an output format",
		edits: []edit{
			{file: "harness/internal/output/output.go", anchor: "\t{Table, writeTable},\n", after: "\t{Toy, writeToy},\n"},
		},
		files: map[string]string{"harness/internal/output/toy.go": `package output

import (
	"bytes"
	"fmt"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Toy counts the targets and says nothing of them.
const Toy report.Format = "toy"

func writeToy(b *bytes.Buffer, r *report.Report, _ Options) error {
	for _, target := range r.Targets {
		fmt.Fprintln(b, plaintext.Line(target.Path))
	}
	fmt.Fprintf(b, "%d targets\n", len(r.Targets))
	return nil
}
`},
	},
}
