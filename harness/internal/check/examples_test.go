package check_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

var update = flag.Bool("update", false, "write the examples of the catalogue")

// TestExamples takes the examples of package catalogue from the cases, and holds
// what is embedded against them. Here the cases are judged.
func TestExamples(t *testing.T) {
	cases := loadCases(t)
	byName := map[string]fixtures.Case{}
	for _, c := range cases {
		byName[c.Name] = c
	}
	want := map[string]catalogue.Example{"CNM000": constraintExample(t), "CNM008": weakerExample(t), "CNM107": liveExample(t)}
	for _, c := range cases {
		if c.Example != "" {
			want[c.Example] = catalogue.Example{
				Why: c.Why, Finds: finds(t, c),
				Fires: read(t, c.ExamplePath()), Right: read(t, byName[c.Twin].ExamplePath()),
			}
		}
	}
	if *update {
		text, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("../catalogue/examples.yaml", text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := catalogue.Examples()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("examples.yaml is stale, run scripts/generate (-cases +embedded):\n%s", diff)
	}
	known, err := catalogue.BuiltIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rules, err := known.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		if got[rule.Code].Fires == "" {
			t.Errorf("%s has no example: give a case example: %s", rule.Code, rule.Code)
		}
	}
}

// finds is what a case's example finds.
func finds(t *testing.T, c fixtures.Case) string {
	t.Helper()
	result, err := check.AllOnce(t.Context(), []string{c.Path()}, check.Options{AllowAbsent: c.AllowAbsent, WithoutCauses: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range result.Targets {
		for _, finding := range target.Findings {
			if finding.Code == c.Example {
				return finding.Message + " " + finding.Remedy
			}
		}
	}
	t.Fatalf("%s does not find %s", c.Name, c.Example)
	return ""
}

// constraintExample is a constraint with a misspelt key, and the same without.
func constraintExample(t *testing.T) catalogue.Example {
	t.Helper()
	const file = "../../../policy/gatekeeper/samples/cnm000-unusable-constraint/constraint.yaml"
	fires := read(t, file)
	right := strings.Replace(fires, "envvar", "envVar", 1)
	problem := func(text string) error {
		t.Helper()
		var content map[string]any
		if err := yaml.Unmarshal([]byte(text), &content); err != nil {
			t.Fatal(err)
		}
		_, err := evaluate.New(t.Context(), nil, &constraint.Constraint{File: "constraint.yaml", Content: content})
		return err
	}
	if err := problem(right); err != nil {
		t.Fatal(err)
	}
	err := problem(fires)
	if err == nil {
		t.Fatalf("%s can be used", file)
	}
	return catalogue.Example{
		Why: "A parameter's key is misspelt.", Finds: strings.TrimPrefix(err.Error(), "load constraint constraint.yaml: "),
		Fires: fires, Right: right,
	}
}

// weakerExample is a constraint that only warns, and the one that denies.
func weakerExample(t *testing.T) catalogue.Example {
	t.Helper()
	const right = "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: ControllersNeverMigrate\nmetadata: {name: controllers-never-migrate}\nspec:\n  enforcementAction: deny\n"
	finding, err := stated.New(t.Context()).Weaker(t.Context(), "spec.enforcementAction in policy/constraint.yaml:5")
	if err != nil {
		t.Fatal(err)
	}
	return catalogue.Example{
		Why:   "A pull request changes the constraint that judges it.",
		Finds: finding.Message + " " + finding.Remedy,
		Fires: strings.Replace(right, "deny", "dryrun", 1), Right: right,
	}
}

// liveExample is an Application that leaves the containers of what runs as they are, and
// one that leaves the number of replicas to somebody else.
func liveExample(t *testing.T) catalogue.Example {
	t.Helper()
	const right = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: agents, namespace: argocd}\nspec:\n  ignoreDifferences:\n  - {group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}\n  syncPolicy: {syncOptions: [RespectIgnoreDifferences=true]}\n"
	finding, err := stated.New(t.Context()).Live(t.Context(), report.ShardConstraint{Enforcement: "deny"}, "agents",
		"with RespectIgnoreDifferences=true a sync leaves this as it is in the cluster, so the pod template may be another than what Git says",
		report.Cause{Path: "spec.ignoreDifferences[0]"})
	if err != nil {
		t.Fatal(err)
	}
	return catalogue.Example{
		Why:   "A sync leaves the containers of what runs as they are.",
		Finds: finding.Message + " " + finding.Remedy,
		Fires: strings.Replace(right, "/spec/replicas", "/spec/template/spec/containers", 1), Right: right,
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
