package output

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/report"
)

var update = flag.Bool("update", false, "write the golden files")

var testOptions = Options{Version: "v1.2.3", Rules: func() ([]catalogue.Rule, error) { return testRules, nil }}

var testRules = []catalogue.Rule{
	{Code: "CNM001", Title: "The variable is not declared", Description: "Without the variable the service migrates.", Remedy: "Declare the variable once in env, with a skip value.", Severity: report.Deny},
	{Code: "CNM002", Title: "The variable does not say skip", Description: "Every value that is no skip value makes the service migrate.", Remedy: "Set a skip value.", Severity: report.Deny},
	{Code: "CNM101", Title: "Another spelling of skip", Description: "The contract holds, but a reader may not see that.", Remedy: "Write skip.", Severity: report.Warn},
}

// example is a report with all that a report can hold.
func example() *report.Report {
	container := func(name string, mode report.Mode) report.Container {
		return report.Container{Name: name, Type: "container", Mode: mode}
	}
	agents := func(constraint string, mode report.Mode) report.Workload {
		return report.Workload{Kind: "Deployment", Namespace: "agents", Name: "agents-controllers", Role: report.Controllers,
			Constraint: constraint, Containers: []report.Container{container("agents-controllers", mode)}}
	}
	controlPlane := report.Workload{Kind: "Deployment", Namespace: "agents", Name: "agents", Role: report.ControlPlane,
		Containers: []report.Container{container("agents", report.Auto)}}
	auto := func(constraint, enforcement string, severity report.Severity, causes ...report.Cause) report.Finding {
		return report.Finding{Code: "CNM002", Severity: severity, Enforcement: enforcement, Constraint: constraint,
			Workload: "Deployment/agents-controllers", Namespace: "agents", Container: "agents-controllers",
			Path:    "spec.template.spec.containers[0].env[3].value",
			Message: `JANGAR_MIGRATIONS in spec.template.spec.containers[0].env[3] is "auto", so the service migrates.`,
			Remedy:  `Set it to value: "skip".`, Causes: causes}
	}
	leak := auto("", "", report.Deny,
		report.Cause{File: "apps/leak/kustomization.yaml", Line: 12, Column: 11, Path: "helmCharts[0].valuesInline.env.vars.JANGAR_MIGRATIONS", Value: "auto", Layer: report.InlineValues},
		report.Cause{File: "charts/agents/templates/deployment-controllers.yaml", Line: 40, Column: 13, Path: "agents.controllers.env", Layer: report.Template})
	leak.Overridden = []report.Cause{
		{File: "apps/leak/values.yaml", Line: 3, Column: 5, Path: "env.vars.JANGAR_MIGRATIONS", Value: "skip", Layer: report.ValuesFile},
		{File: "charts/agents/values.yaml", Line: 21, Column: 5, Path: "env.vars.JANGAR_MIGRATIONS", Value: "auto", Layer: report.ChartValues},
	}
	leak.Fix = &report.Fix{File: "apps/leak/kustomization.yaml", Line: 12, Path: "helmCharts[0].valuesInline.controllers.env.vars.JANGAR_MIGRATIONS",
		Change: `set controllers.env.vars.JANGAR_MIGRATIONS to "skip"`, Verified: true}
	hostile := "::error::x\n##vso[task.setvariable variable=a]%0A|<img src=x onerror=alert(1)>`@a # SKIP\x1b[31m\u202e\U000e0001[x](http://x)"
	exempted := func(f report.Finding, reason, until string) report.Exempted {
		f.Causes = []report.Cause{}
		return report.Exempted{Finding: f, Reason: reason, Until: until}
	}
	r := report.New([]report.Target{
		{Path: "apps/good", Workloads: []report.Workload{controlPlane, agents("", report.Skip)}},
		{Path: "apps/leak", Workloads: []report.Workload{controlPlane, agents("", report.Auto)}, Findings: []report.Finding{leak}},
		{Path: "apps/none"},
		{Path: "apps/broken", Error: "render apps/broken: template: agents/templates/x.yaml:3:\n\n\t##[error]::warning::100% \x1b[2Jbroken"},
		{Path: "apps/several", Workloads: []report.Workload{agents("first", report.Auto), agents("second", report.Auto), {
			Kind: "Pod", Name: "x-controllers", Role: report.Controllers, Constraint: "first", Containers: []report.Container{
				{Name: "proxy", Type: "initContainer", Mode: report.Unknown, Exempt: true}, container("main", report.Skip),
				{Name: "debug", Type: "ephemeralContainer", Mode: report.Skip},
			}}, {Kind: "Job", Name: "empty-controllers", Role: report.Controllers, Constraint: "second", Containers: []report.Container{}}},
			Findings: []report.Finding{
				auto("first", "warn", report.Warn, report.Cause{File: "apps/several/values.yaml", Line: 7, Column: 5, Path: "env.vars.JANGAR_MIGRATIONS", Value: "auto", Layer: report.ValuesFile}),
				auto("second", "dryrun", report.Warn),
				{Code: "CNM006", Severity: report.Deny, Constraint: "second", Workload: "Job/empty-controllers", CausesTruncated: true,
					Message: "spec.template.spec.containers is empty.", Remedy: "Write the value with the type that Kubernetes expects.", Causes: []report.Cause{}},
			}},
		{Path: "apps/a:b, c;d]%0A" + hostile, Workloads: []report.Workload{{Kind: "Pod", Namespace: hostile, Name: hostile, Role: report.Controllers,
			Constraint: hostile, Containers: []report.Container{container(hostile, report.Auto)}}},
			Findings: []report.Finding{{Code: "CNM002", Severity: report.Deny, Constraint: hostile, Workload: "Pod/" + hostile, Namespace: hostile, Container: hostile, CausesError: hostile,
				Message: hostile, Remedy: "</script><script>alert(1)</script> --> " + hostile, Causes: []report.Cause{
					{File: "apps/a:b/" + hostile, Line: 2, Column: 1, Path: hostile, Value: hostile, Layer: report.Patch}},
				Fix: &report.Fix{File: hostile, Line: 1, Path: hostile, Change: "remove " + hostile}}}},
		{Path: "apps/exempted", Workloads: []report.Workload{agents("first", report.Auto), agents("second", report.Auto)},
			Findings: []report.Finding{auto("second", "dryrun", report.Warn)},
			Exempted: []report.Exempted{
				exempted(auto("first", "", report.Deny), hostile, "2030-12-31"),
				exempted(auto("second", "warn", report.Warn), "baseline known.json", ""),
			}},
		{Path: "-", Workloads: []report.Workload{agents("", report.Skip)}, Findings: []report.Finding{
			{Code: "CNM101", Severity: report.Warn, Workload: "Deployment/agents-controllers", Namespace: "agents", Container: "agents-controllers",
				Message: `JANGAR_MIGRATIONS in spec.template.spec.containers[0].env[3] is "Off", another spelling of "skip".`,
				Remedy:  `Set it to value: "skip".`, Causes: []report.Cause{{File: "-", Line: 0}}}}},
	}, report.Target{Path: "constraints/elsewhere.yaml", Findings: []report.Finding{{Code: "CNM007", Severity: report.Deny, Constraint: "elsewhere",
		Message: "The constraint binds no controllers workload of any target, so it checks nothing.", Remedy: "Check the path.", Causes: []report.Cause{}}}})
	r.UnusedExemptions = []report.Exemption{
		{Code: "CNM002", Workload: "Deployment/gone-*", Container: "main", Path: "apps/**", Reason: "it moves", Until: "2030-12-31"},
		{Code: "CNM101", Path: hostile, Reason: hostile},
	}
	r.Baseline = &report.Baseline{File: "known.json", Gone: 2}
	digest := strings.Repeat("0123456789abcdef", 4)
	r.Provenance = &report.Provenance{
		Program: "v1.2.3", ProgramCommit: digest[24:], ProgramDate: "2026-11-28T06:33:00Z", Policy: report.PolicySource{Version: "0.2.0", SHA256: digest},
		Constraints: []report.ConstraintSource{
			{Name: "first", FileSource: report.FileSource{File: "policy/constraint.yaml", SHA256: digest}},
			{Name: "second", FileSource: report.FileSource{File: hostile, SHA256: digest}},
		},
		Configuration: &report.FileSource{File: ".nevermigrate.yaml", SHA256: digest}, Commit: digest[:40],
		Lock: &report.FileSource{File: "nevermigrate.lock", SHA256: digest},
	}
	r.Cover(&report.Coverage{
		Judged: []report.Judged{{Path: "apps/good", Kind: "kustomization", Below: "apps"}, {Path: "-", Kind: "standard input"}},
		NotJudged: []report.NotJudged{
			{Path: "apps/good/.argocd-source.yaml", Kind: "Argo CD source", Reason: "Argo CD lays it over the source", MayBind: true},
			{Path: "apps/" + hostile, Kind: hostile, Reason: hostile, MayBind: true},
			{Path: "apps/root.yaml", Kind: "Application", Reason: "what Argo CD makes of root is not rendered"},
			{Path: "old/" + hostile, Kind: "chart", Reason: "excluded", MayBind: true, Excluded: hostile},
		},
		Read: []report.Reading{{Path: "charts/agents", Kind: "chart", By: []string{"apps/good", "apps/leak"}}},
	})
	return r
}

func write(t *testing.T, r *report.Report, format report.Format, options Options) string {
	t.Helper()
	var text bytes.Buffer
	if err := Write(&text, r, format, options); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestFormats compares every format with its golden file, which has its name.
func TestFormats(t *testing.T) {
	for _, format := range Formats() {
		t.Run(string(format), func(t *testing.T) {
			got := write(t, example(), format, testOptions)
			if again := write(t, example(), format, testOptions); again != got {
				t.Errorf("another run wrote something else:\n%s", cmp.Diff(got, again))
			}
			file := filepath.Join("testdata", "golden", string(format))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("want (-), got (+); scripts/generate writes it:\n%s", cmp.Diff(string(want), got))
			}
		})
	}
	files, err := os.ReadDir(filepath.Join("testdata", "golden"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(Formats()) {
		t.Errorf("%d golden files for %d formats", len(files), len(Formats()))
	}
}

// TestFormatsShowNoControlCharacters: nothing that a manifest holds reaches a
// terminal, a log or a page as more than text.
func TestFormatsShowNoControlCharacters(t *testing.T) {
	for _, format := range Formats() {
		for _, c := range write(t, example(), format, testOptions) {
			if c != '\n' && c != '\t' && !unicode.IsPrint(c) {
				t.Errorf("%s holds the character %q", format, c)
				break
			}
		}
	}
}

// TestFormatsShowEveryTarget: a target that passes, and one that could not be
// judged, are seen in every format.
func TestFormatsShowEveryTarget(t *testing.T) {
	for _, format := range Formats() {
		text := write(t, example(), format, testOptions)
		want := []string{"apps/broken", "broken"}
		if format != SARIF { // which has results for findings only
			want = append(want, "apps/good", "apps/none")
		}
		for _, name := range want {
			if !strings.Contains(text, name) {
				t.Errorf("%s does not show %s", format, name)
			}
		}
	}
}

func TestWriteUnknownFormat(t *testing.T) {
	if err := Write(io.Discard, example(), "pdf", Options{}); err == nil {
		t.Error("no error for an unknown format")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteReportsErrors(t *testing.T) {
	for _, format := range Formats() {
		if err := Write(fullDisk{}, example(), format, testOptions); err == nil {
			t.Errorf("%s: no error when the writer fails", format)
		}
	}
}

// TestCoverage: a line for each place, with some of those that read it.
func TestCoverage(t *testing.T) {
	c := &report.Coverage{
		Judged:    []report.Judged{{Path: "a", Kind: "kustomization"}, {Path: "b/c", Kind: "chart", Below: "b"}},
		Read:      []report.Reading{{Path: "base", Kind: "kustomization", By: []string{"a", "b", "c"}}, {Path: "charts/x", Kind: "chart", By: []string{"a", "b", "c", "d", "e"}}},
		NotJudged: []report.NotJudged{{Path: "x\x1b", Kind: "jsonnet", Reason: "it is not run", MayBind: true}, {Path: "y", Kind: "chart", Reason: "excluded", Excluded: "old", MayBind: true}},
	}
	want := `  JUDGED    KIND           HOW
  a         kustomization  named
  b/c       chart          found below b
  base      kustomization  read by a, b, c
  charts/x  chart          read by a, b, c and 2 more

  NOT JUDGED  KIND     MAY BE BOUND  WHY
  x\x1b       jsonnet  yes           it is not run
  y           chart    excluded      excluded: old

2 targets judged, 2 read by them, 2 not judged of which 1 may be bound.
`
	var got strings.Builder
	if err := WriteCoverage(&got, c, false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSARIFIsBounded: code scanning refuses a run with too many results. The least
// bad are left out, and it says so.
func TestSARIFIsBounded(t *testing.T) {
	var findings []report.Finding
	for i := range maxResults {
		findings = append(findings, report.Finding{Code: "CNM101", Severity: report.Warn, Workload: fmt.Sprintf("Pod/%d", i), Message: "m", Remedy: "r", Causes: []report.Cause{}})
	}
	denied := report.Finding{Code: "CNM002", Severity: report.Deny, Workload: "Pod/x", Message: "m", Remedy: "r", Causes: []report.Cause{}}
	var log struct {
		Runs []struct {
			Results []struct {
				RuleID string `json:"ruleId"`
			} `json:"results"`
			Invocations []struct {
				ToolExecutionNotifications []struct {
					Message struct {
						Text string `json:"text"`
					} `json:"message"`
				} `json:"toolExecutionNotifications"`
			} `json:"invocations"`
		} `json:"runs"`
	}
	text := write(t, report.New([]report.Target{{Path: "a", Findings: findings}, {Path: "b", Findings: []report.Finding{denied}}}), SARIF, testOptions)
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Results) != maxResults || run.Results[0].RuleID != "CNM002" {
		t.Errorf("%d results, the first of which is %s", len(run.Results), run.Results[0].RuleID)
	}
	told := run.Invocations[0].ToolExecutionNotifications
	if want := "1 results are left out, the least bad: code scanning takes 25000"; len(told) != 1 || told[0].Message.Text != want {
		t.Errorf("notifications %v, want %q", told, want)
	}
}

// TestSARIFIsValid validates by the schema of SARIF, and every rule by what
// GitHub shows of it.
func TestSARIFIsValid(t *testing.T) {
	schemaText, err := os.Open(filepath.Join("testdata", "sarif-schema-2.1.0.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer schemaText.Close()
	document, err := jsonschema.UnmarshalJSON(schemaText)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("sarif.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*report.Report{"example": example(), "no targets": report.New(nil), "pass": report.New([]report.Target{{Path: "a"}})} {
		text := write(t, r, SARIF, testOptions)
		log, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(log); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type sarifLog struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Rules []struct {
					ID                                      string
					Name                                    string
					ShortDescription, FullDescription, Help struct{ Text string }
					DefaultConfiguration                    struct{ Level string }
				}
			}
		}
		Results []struct {
			RuleID    string
			RuleIndex int
			Level     string
			Locations []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine int }
				}
			}
			PartialFingerprints map[string]string
			Suppressions        []struct{ Kind, Status, Justification string }
		}
		Invocations []struct {
			ExecutionSuccessful        bool
			ExitCode                   int
			ToolExecutionNotifications []struct{ Message struct{ Text string } }
		}
	}
}

func TestSARIFResults(t *testing.T) {
	var log sarifLog
	if err := json.Unmarshal([]byte(write(t, example(), SARIF, testOptions)), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	var results []string
	fingerprints := map[string]bool{}
	for _, result := range run.Results {
		if got := run.Tool.Driver.Rules[result.RuleIndex].ID; got != result.RuleID {
			t.Errorf("ruleIndex %d is %s, not %s", result.RuleIndex, got, result.RuleID)
		}
		fingerprints[result.PartialFingerprints["finding/v1"]] = true
		text := result.Level + " " + result.RuleID
		for _, s := range result.Suppressions {
			text += " " + s.Kind + " " + s.Status + " " + s.Justification[:8]
		}
		results = append(results, text)
	}
	want := []string{
		"error CNM002", "error undecided", "error CNM006", "warning CNM002", "note CNM002", "error CNM002",
		"note CNM002", "error CNM002 external accepted Exempted", "warning CNM002 external accepted Exempted", "warning CNM101", "error CNM007",
		"error not-judged", "error not-judged",
	}
	if !slices.Equal(results, want) {
		t.Errorf("results %q, want %q", results, want)
	}
	if len(fingerprints) != len(results) {
		t.Errorf("%d fingerprints for %d results", len(fingerprints), len(results))
	}
	place := run.Results[0].Locations[0].PhysicalLocation
	if place.ArtifactLocation.URI != "apps/leak/kustomization.yaml" || place.Region.StartLine != 12 {
		t.Errorf("the place is not that of the first cause: %+v", place)
	}
	for _, rule := range run.Tool.Driver.Rules {
		if rule.Name == "" || rule.ShortDescription.Text == "" || rule.FullDescription.Text == "" || rule.Help.Text == "" ||
			rule.DefaultConfiguration.Level == "" {
			t.Errorf("rule %s lacks a text: %+v", rule.ID, rule)
		}
	}
	invocation := run.Invocations[0]
	if invocation.ExecutionSuccessful || invocation.ExitCode != 2 || len(invocation.ToolExecutionNotifications) != 6 {
		t.Errorf("the invocation does not tell of the error, of three warnings and of two places that were not judged: %+v", invocation)
	}
}

type junitSuites struct {
	Suites []struct {
		Tests     int `xml:"tests,attr"`
		Failures  int `xml:"failures,attr"`
		TestCases []struct {
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

// TestFailOnWarn: warnings are failures only when they fail the run, and a dry
// run never is.
func TestFailOnWarn(t *testing.T) {
	for _, test := range []struct {
		failOnWarn             bool
		failed, skipped, notOK int
	}{{false, 7, 8, 7}, {true, 9, 6, 9}} {
		options := testOptions
		options.FailOnWarn = test.failOnWarn
		var suites junitSuites
		if err := xml.Unmarshal([]byte(write(t, example(), JUnit, options)), &suites); err != nil {
			t.Fatal(err)
		}
		failed, skipped := 0, 0
		for _, c := range suites.Suites[0].TestCases {
			if c.Failure != nil {
				failed++
			}
			if c.Skipped != nil {
				skipped++
			}
		}
		if failed != test.failed || skipped != test.skipped || suites.Suites[0].Failures != failed {
			t.Errorf("junit, failOnWarn %v: %d failed and %d skipped, want %d and %d", test.failOnWarn, failed, skipped, test.failed, test.skipped)
		}
		notOK := 0
		for line := range strings.Lines(write(t, example(), TAP, options)) {
			if strings.HasPrefix(line, "not ok") && !strings.Contains(line, " # TODO") {
				notOK++
			}
		}
		if notOK != test.notOK {
			t.Errorf("tap, failOnWarn %v: %d not ok, want %d", test.failOnWarn, notOK, test.notOK)
		}
	}
}
