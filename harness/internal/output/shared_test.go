package output

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/report"
)

// sharing is a report on apps that have a finding by one line of a chart. One of them
// has it in two workloads, one overrides another place, and one has it by a line of
// its own.
func sharing(apps int) *report.Report {
	finding := func(workload, file string) report.Finding {
		return report.Finding{Code: "CNM002", Severity: report.Deny, Workload: "Deployment/" + workload, Namespace: "agents", Container: workload,
			Message: `JANGAR_MIGRATIONS is "auto", so the service migrates.`, Remedy: `Set it to value: "skip".`,
			Causes: []report.Cause{{File: file, Line: 21, Column: 5, Path: "env.vars.JANGAR_MIGRATIONS", Value: "auto", Layer: report.ChartValues}},
			Fix:    &report.Fix{File: file, Line: 21, Path: "env.vars.JANGAR_MIGRATIONS", Change: `set env.vars.JANGAR_MIGRATIONS to "skip"`, Verified: true}}
	}
	const chart = "charts/agents/values.yaml"
	var targets []report.Target
	for i := range apps {
		targets = append(targets, report.Target{Path: fmt.Sprintf("apps/%02d", i), Findings: []report.Finding{finding("agents-controllers", chart)}})
	}
	targets[0].Findings = append(targets[0].Findings, finding("more-controllers", chart))
	targets[1].Findings[0].Overridden = []report.Cause{{File: "apps/01/values.yaml", Line: 3, Column: 5, Path: "x", Value: "skip", Layer: report.ValuesFile}}
	targets = append(targets, report.Target{Path: "apps/own", Findings: []report.Finding{finding("agents-controllers", "apps/own/values.yaml")}})
	return report.New(targets)
}

// TestShared: what many targets share is told once, with the targets below it.
func TestShared(t *testing.T) {
	for _, test := range []struct {
		format report.Format
		want   string
	}{
		{Table, `apps/00: fail

  CNM002 deny Deployment/agents-controllers in namespace agents, container agents-controllers: below, for 3 targets

  CNM002 deny Deployment/more-controllers in namespace agents, container more-controllers: below, for 3 targets

apps/01: fail

  CNM002 deny Deployment/agents-controllers in namespace agents, container agents-controllers: below, for 3 targets

apps/02: fail

  CNM002 deny Deployment/agents-controllers in namespace agents, container agents-controllers: below, for 3 targets

apps/own: fail

  CNM002 deny Deployment/agents-controllers in namespace agents, container agents-controllers
    JANGAR_MIGRATIONS is "auto", so the service migrates.
    Remedy: Set it to value: "skip".
    Cause: apps/own/values.yaml:21:5 env.vars.JANGAR_MIGRATIONS is "auto" (chart values)
    Fix (verified): in apps/own/values.yaml:21 set env.vars.JANGAR_MIGRATIONS to "skip"
    Page: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM002.md

CNM002 deny in 3 targets, by one cause
  JANGAR_MIGRATIONS is "auto", so the service migrates.
  Remedy: Set it to value: "skip".
  Cause: charts/agents/values.yaml:21:5 env.vars.JANGAR_MIGRATIONS is "auto" (chart values)
  Fix (verified): in charts/agents/values.yaml:21 set env.vars.JANGAR_MIGRATIONS to "skip"
  Page: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM002.md
  apps/00: Deployment/agents-controllers in namespace agents, container agents-controllers
  apps/00: Deployment/more-controllers in namespace agents, container more-controllers
  apps/01: Deployment/agents-controllers in namespace agents, container agents-controllers
    Overrides: apps/01/values.yaml:3:5 x is "skip" (values file)
  apps/02: Deployment/agents-controllers in namespace agents, container agents-controllers

fail: the contract is broken. 4 targets, 0 controllers workloads, 0 containers judged, 5 denied, 0 warned, 0 errors.
`},
		{GitHub, `::group::apps/00: fail
CNM002 deny Deployment/agents-controllers in namespace agents, container agents-controllers: below, for 3 targets
CNM002 deny Deployment/more-controllers in namespace agents, container more-controllers: below, for 3 targets
::endgroup::
::group::apps/01: fail
CNM002 deny Deployment/agents-controllers in namespace agents, container agents-controllers: below, for 3 targets
::endgroup::
::group::apps/02: fail
CNM002 deny Deployment/agents-controllers in namespace agents, container agents-controllers: below, for 3 targets
::endgroup::
::group::apps/own: fail
::error file=apps/own/values.yaml,line=21,col=5,title=CNM002 Deployment/agents-controllers in namespace agents%2C container agents-controllers::JANGAR_MIGRATIONS is "auto", so the service migrates. Set it to value: "skip".%0ACause: apps/own/values.yaml:21:5 env.vars.JANGAR_MIGRATIONS is "auto" (chart values)%0AFix (verified): in apps/own/values.yaml:21 set env.vars.JANGAR_MIGRATIONS to "skip"%0APage: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM002.md
::endgroup::
::error file=charts/agents/values.yaml,line=21,col=5,title=CNM002 in 3 targets%2C by one cause::JANGAR_MIGRATIONS is "auto", so the service migrates. Set it to value: "skip".%0ACause: charts/agents/values.yaml:21:5 env.vars.JANGAR_MIGRATIONS is "auto" (chart values)%0AFix (verified): in charts/agents/values.yaml:21 set env.vars.JANGAR_MIGRATIONS to "skip"%0APage: https://github.com/proompteng/nevermigrate/blob/main/docs/rules/CNM002.md%0Aapps/00: Deployment/agents-controllers in namespace agents, container agents-controllers%0Aapps/00: Deployment/more-controllers in namespace agents, container more-controllers%0Aapps/01: Deployment/agents-controllers in namespace agents, container agents-controllers; Overrides: apps/01/values.yaml:3:5 x is "skip" (values file)%0Aapps/02: Deployment/agents-controllers in namespace agents, container agents-controllers
fail: the contract is broken. 4 targets, 0 controllers workloads, 0 containers judged, 5 denied, 0 warned, 0 errors.
`},
	} {
		if diff := cmp.Diff(test.want, write(t, sharing(3), test.format, testOptions)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.format, diff)
		}
	}
	var rows []string
	for line := range strings.Lines(write(t, sharing(3), Markdown, testOptions)) {
		if strings.HasPrefix(line, "| deny") || strings.HasPrefix(line, "- ") || strings.HasPrefix(line, "  - ") {
			rows = append(rows, strings.TrimSuffix(line, "\n"))
		}
	}
	want := []string{
		"| deny | [CNM002] | 3 targets | 4 containers of workloads | `charts/agents/values.yaml:21` |",
		"| deny | [CNM002] | `apps/own` | `Deployment/agents-controllers` in `agents`, container `agents-controllers` | `apps/own/values.yaml:21` |",
	}
	if len(rows) < 2 || !slices.Equal(rows[:2], want) || len(rows) != 2+1+4+1 {
		t.Errorf("markdown:\n%s", strings.Join(rows, "\n"))
	}
}

// TestSharedByFew: what two targets share is told at each of them.
func TestSharedByFew(t *testing.T) {
	if text := write(t, sharing(2), Table, testOptions); strings.Contains(text, "by one cause") || strings.Count(text, "Fix (verified)") != 4 {
		t.Errorf("got\n%s", text)
	}
}

// TestSharedIsBounded: an annotation and a comment name some of very many targets, the
// table all.
func TestSharedIsBounded(t *testing.T) {
	for format, want := range map[report.Format]int{Table: 101, GitHub: mostNamed, Markdown: mostNamed, AzureDevOps: mostNamed} {
		text := write(t, sharing(100), format, testOptions)
		cut := strings.Index(text, "by one cause")
		if format == Markdown {
			cut = strings.Index(text, "What is set")
		}
		if got := strings.Count(text[cut:], "agents-controllers in namespace agents") + strings.Count(text[cut:], "more-controllers in namespace agents"); format != Markdown && got != want {
			t.Errorf("%s names %d places, want %d", format, got, want)
		}
		if got := strings.Count(text[cut:], "and 51 more, which the table shows"); got != 1 && format != Table {
			t.Errorf("%s says %d times that there are more", format, got)
		}
	}
}

// TestTableFits: real names fit a terminal of 80 columns, and a wide table has every
// column that is not empty.
func TestTableFits(t *testing.T) {
	r := report.New([]report.Target{{Path: "argocd/applications/agents", Workloads: []report.Workload{
		{Kind: "Deployment", Namespace: "agents", Name: "agents", Role: report.ControlPlane, Constraint: "controllers-never-migrate", Containers: []report.Container{{Name: "agents", Type: "container", Mode: report.Auto}}},
		{Kind: "Deployment", Namespace: "agents", Name: "agents-controllers", Role: report.Controllers, Constraint: "controllers-never-migrate", Containers: []report.Container{{Name: "agents-controllers", Type: "container", Mode: report.Skip}}},
	}}})
	rows := func(options Options) (found []string) {
		for line := range strings.Lines(write(t, r, Table, options)) {
			if strings.HasPrefix(line, "  ") {
				found = append(found, strings.TrimSuffix(line, "\n"))
			}
		}
		return found
	}
	narrow := []string{
		"  WORKLOAD                       ROLE           CONTAINER           MODE",
		"  Deployment/agents              control-plane  agents              auto",
		"  Deployment/agents-controllers  controllers    agents-controllers  skip",
	}
	wide := []string{
		"  WORKLOAD                       NAMESPACE  ROLE           CONTAINER           CONSTRAINT                 MODE",
		"  Deployment/agents              agents     control-plane  agents              controllers-never-migrate  auto",
		"  Deployment/agents-controllers  agents     controllers    agents-controllers  controllers-never-migrate  skip",
	}
	if diff := cmp.Diff(narrow, rows(Options{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wide, rows(Options{Wide: true})); diff != "" {
		t.Errorf("wide (-want +got):\n%s", diff)
	}
	for _, row := range narrow {
		if n := utf8.RuneCountInString(row); n > 80 {
			t.Errorf("%d columns: %s", n, row)
		}
	}
	r.Targets[0].Workloads[0].Namespace, r.Targets[0].Workloads[1].Constraint = "other", "second"
	if got := rows(Options{}); !strings.Contains(got[0], "NAMESPACE") || !strings.Contains(got[0], "CONSTRAINT") {
		t.Errorf("with two namespaces and two constraints: %s", got[0])
	}
}

// TestJudgement: a container that is denied is never shown as right, whatever its
// variable says.
func TestJudgement(t *testing.T) {
	workload := report.Workload{Kind: "Pod", Name: "x", Role: report.Controllers, Containers: []report.Container{{Name: "c", Type: "container", Mode: report.Skip}}}
	concerned := report.Finding{Code: "CNM005", Severity: report.Deny, Workload: "Pod/x", Container: "c"}
	doubtful := report.Finding{Code: "CNM101", Severity: report.Warn, Workload: "Pod/x", Container: "c"}
	other := report.Finding{Code: "CNM005", Severity: report.Deny, Workload: "Pod/x", Container: "d"}
	for _, test := range []struct {
		what, want string
		target     report.Target
	}{
		{"skips", "right", report.Target{}},
		{"denied", "wrong", report.Target{Findings: []report.Finding{concerned}}},
		{"denied and exempted", "wrong", report.Target{Exempted: []report.Exempted{{Finding: concerned}}}},
		{"warned", "right", report.Target{Findings: []report.Finding{doubtful}}},
		{"another container is denied", "right", report.Target{Findings: []report.Finding{other}}},
	} {
		test.target.Workloads = []report.Workload{workload}
		if got := modesOf(&test.target)[0].Judgement(); got != test.want {
			t.Errorf("%s: %s, want %s", test.what, got, test.want)
		}
	}
}

// TestSharedIsQuiet: a warning that many share does not fail, so it is left out where all
// that does not fail is.
func TestSharedIsQuiet(t *testing.T) {
	r := sharing(3)
	for i := range r.Targets {
		for j := range r.Targets[i].Findings {
			r.Targets[i].Findings[j].Severity = report.Warn
		}
	}
	r = r.With(r.Targets)
	for _, test := range []struct {
		options Options
		groups  int
	}{{Options{}, 1}, {Options{Quiet: true}, 0}, {Options{Quiet: true, FailOnWarn: true}, 1}} {
		if got := strings.Count(write(t, r, Table, test.options), "by one cause"); got != test.groups {
			t.Errorf("%+v: %d groups, want %d", test.options, got, test.groups)
		}
	}
}

// TestPackedPlace: what points at a line points at the archive when the line is in one.
func TestPackedPlace(t *testing.T) {
	for _, test := range []struct {
		cause        report.Cause
		file         string
		line, column int
	}{
		{report.Cause{File: "a/values.yaml", Line: 3, Column: 5}, "a/values.yaml", 3, 5},
		{report.Cause{File: "a/values.yaml", Column: 5}, "a/values.yaml", 0, 0},
		{report.Cause{File: "a/charts/x-1.0.0.tgz!/x/values.yaml", Line: 3, Column: 5}, "a/charts/x-1.0.0.tgz", 0, 0},
	} {
		if file, line, column := placeOf(test.cause); file != test.file || line != test.line || column != test.column {
			t.Errorf("%+v: %s:%d:%d", test.cause, file, line, column)
		}
	}
}
