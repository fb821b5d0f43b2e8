package check_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/bundle"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
	"github.com/proompteng/nevermigrate/harness/report"
)

func loadCases(t *testing.T) []fixtures.Case {
	t.Helper()
	cases, err := fixtures.Cases(filepath.Join("..", "..", "..", "fixtures", "cases"))
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

func options(c fixtures.Case) check.Options {
	return check.Options{AllowAbsent: c.AllowAbsent, Constraints: c.ConstraintPaths()}
}

// target is the report's target that the case is about, with the findings that
// concern the run as a whole (another target of the report) after its own.
func target(t *testing.T, c fixtures.Case, causes bool) report.Target {
	t.Helper()
	options := options(c)
	options.WithoutCauses = !causes
	got, err := check.AllOnce(t.Context(), []string{c.Path()}, options)
	if err != nil {
		t.Fatal(err)
	}
	judged := got.Targets[0]
	if judged.Error != "" {
		t.Fatal(judged.Error)
	}
	for _, more := range got.Targets[1:] {
		judged.Findings = append(judged.Findings, more.Findings...)
		if more.Status == report.Fail {
			judged.Status = report.Fail
		}
	}
	return judged
}

// TestCases judges every case. In the quick lane the causes are looked for in a
// part of them: the search renders an app many times.
func TestCases(t *testing.T) {
	cases := loadCases(t)
	causes := map[string]bool{}
	for _, c := range lane.Part(t, cases, 12) {
		causes[c.Name] = true
	}
	var ran, findings atomic.Int64
	t.Run("cases", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				findings.Add(int64(testCase(t, c, causes[c.Name])))
				ran.Add(1)
			})
		}
	})
	if int(ran.Load()) != len(cases) && testing.Verbose() {
		t.Logf("a filter left out %d cases", len(cases)-int(ran.Load()))
	}
	t.Logf("ran %d cases with %d findings", ran.Load(), findings.Load())
}

// testCase judges a case, and returns how many findings there are.
func testCase(t *testing.T, c fixtures.Case, causes bool) int {
	judged := target(t, c, causes)
	got := []fixtures.Finding{}
	for _, finding := range judged.Findings {
		got = append(got, caseFinding(t, c, finding))
		if finding.Message == "" || finding.Remedy == "" {
			t.Errorf("%s has no message or no remedy: %+v", finding.Code, finding)
		}
	}
	want := slices.Clone(c.Findings)
	if !causes {
		for i := range want {
			want[i].Cause, want[i].Unfixed = nil, false
		}
		for i := range got {
			got[i].Cause, got[i].Unfixed = nil, false
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if string(judged.Status) != c.Status {
		t.Errorf("status %s, want %s", judged.Status, c.Status)
	}
	if c.Workloads != nil {
		if diff := gocmp.Diff(c.Workloads, caseWorkloads(judged.Workloads)); diff != "" {
			t.Errorf("workloads (-want +got):\n%s", diff)
		}
	}
	return len(got)
}

// caseFinding is a finding as a case expects it.
func caseFinding(t *testing.T, c fixtures.Case, finding report.Finding) fixtures.Finding {
	got := fixtures.Finding{
		Code: finding.Code, Severity: string(finding.Severity),
		Workload: finding.Workload, Namespace: finding.Namespace, Container: finding.Container,
	}
	if finding.CausesError != "" {
		t.Errorf("%s: the search for causes failed: %s", finding.Code, finding.CausesError)
	}
	if finding.CausesTruncated {
		t.Errorf("%s: the search for causes ended at its bound", finding.Code)
	}
	if len(finding.Causes) > 0 {
		first := finding.Causes[0]
		file, err := filepath.Rel(filepath.ToSlash(c.Dir), first.File)
		if err != nil {
			t.Fatal(err)
		}
		got.Cause = &fixtures.Cause{File: filepath.ToSlash(file), Line: first.Line, Path: first.Path, Layer: string(first.Layer)}
	}
	// In a manifest nothing is tried, so nothing is verified.
	if finding.Code != stated.Twice && c.Manifest == "" {
		got.Unfixed = finding.Fix == nil
	}
	if finding.Fix != nil && !finding.Fix.Verified {
		t.Errorf("%s: the fix %q is not verified", finding.Code, finding.Fix.Change)
	}
	return got
}

func caseWorkloads(workloads []report.Workload) []fixtures.Workload {
	all := []fixtures.Workload{}
	for _, w := range workloads {
		one := fixtures.Workload{Workload: w.Kind + "/" + w.Name, Role: string(w.Role), Containers: map[string]string{}}
		for _, container := range w.Containers {
			one.Containers[container.Name] = string(container.Mode)
		}
		all = append(all, one)
	}
	return all
}

// rendered is a case with the manifests that it judges.
type rendered struct {
	fixtures.Case
	file string // where the manifests are
}

func renderCases(t *testing.T) []rendered {
	t.Helper()
	dir := t.TempDir()
	var all []rendered
	for _, c := range loadCases(t) {
		manifests, err := check.Render(t.Context(), c.Path(), options(c))
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		file := filepath.Join(dir, c.Name+".yaml")
		if err := os.WriteFile(file, manifests, 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, rendered{c, file})
	}
	return all
}

// TestStockToolsAgree compares the harness with the stock commands over the
// whole corpus.
func TestStockToolsAgree(t *testing.T) {
	lane.Full(t)
	cases := renderCases(t)
	t.Run("objects", func(t *testing.T) { objectsAreWhatIsPrinted(t, cases) })
	t.Run("conftest", func(t *testing.T) {
		// The folder policy of the working directory is conftest's default.
		conftestAgrees(t, cases, nil, check.Options{AllowAbsent: true, WithoutCauses: true})
	})
	t.Run("bundle", func(t *testing.T) {
		file, unpacked := unpackedBundle(t)
		conftestAgrees(t, cases, []string{"--policy", unpacked}, check.Options{AllowAbsent: true, WithoutCauses: true, Policy: file})
	})
	t.Run("kustomize", func(t *testing.T) { kustomizeAgrees(t, cases) })
}

// objectsAreWhatIsPrinted compares the objects that check judges, which it takes
// from kustomize as they are, with what a reader makes of the printed manifests.
func objectsAreWhatIsPrinted(t *testing.T, cases []rendered) {
	for _, c := range cases {
		if c.Manifest != "" {
			continue
		}
		judged, err := render.Objects(t.Context(), c.Dir, render.Options{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		printed, err := manifest.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		var read []map[string]any
		for _, object := range printed {
			read = append(read, object.Content)
		}
		if diff := gocmp.Diff(asJSON(t, read), asJSON(t, judged)); diff != "" {
			t.Errorf("%s (-printed +judged):\n%s", c.Name, diff)
		}
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// unpackedBundle writes the policy as a bundle and returns its file and a folder
// with what tar unpacks from it.
func unpackedBundle(t *testing.T) (file, folder string) {
	t.Helper()
	dir := t.TempDir()
	file, folder = filepath.Join(dir, "policy.tar.gz"), filepath.Join(dir, "unpacked")
	var archive bytes.Buffer
	if err := bundle.Write(&archive, bundle.Signing{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, archive.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("tar", "-xzf", file, "-C", folder).CombinedOutput(); err != nil {
		t.Fatalf("unpack the bundle: %v\n%s", err, out)
	}
	return file, folder
}

// conftestAgrees runs every case through the stock conftest command, with the
// flags that name the policy, the same manifests and the constraint as --data,
// and compares whole results with the harness's.
func conftestAgrees(t *testing.T, cases []rendered, policyFlags []string, options check.Options) {
	conftest := stock.Tool(t, "conftest")
	// One run for all cases with the same constraint, given by its text.
	type run struct {
		constraint string
		cases      []rendered
	}
	runs := map[string]*run{}
	for _, c := range cases {
		constraints := c.ConstraintPaths()
		if len(constraints) == 0 {
			constraints = []string{""}
		}
		for _, constraint := range constraints {
			text := ""
			if constraint != "" {
				data, err := os.ReadFile(constraint)
				if err != nil {
					t.Fatal(err)
				}
				text = string(data)
			}
			if runs[text] == nil {
				runs[text] = &run{constraint: constraint}
			}
			runs[text].cases = append(runs[text].cases, c)
		}
	}
	compared := 0
	for _, run := range runs {
		args := append([]string{"test", "--output", "json", "--no-fail"}, policyFlags...)
		if run.constraint != "" {
			args = append(args, "--data", run.constraint)
		}
		for _, c := range run.cases {
			args = append(args, c.file)
		}
		command := exec.Command(conftest, args...)
		command.Dir = stock.Root(t)
		if run.constraint != "" {
			absolute, err := filepath.Abs(run.constraint)
			if err != nil {
				t.Fatal(err)
			}
			command.Args[slices.Index(command.Args, "--data")+1] = absolute
		}
		command.Stderr = os.Stderr
		out, err := command.Output()
		if err != nil {
			t.Fatalf("%v: %v", command, err)
		}
		theirs := conftestFindings(t, out)
		options.Constraints = nil
		if run.constraint != "" {
			options.Constraints = []string{run.constraint}
		}
		var files []string
		for _, c := range run.cases {
			files = append(files, c.file)
		}
		ours, err := check.All(t.Context(), files, options)
		if err != nil {
			t.Fatal(err)
		}
		for _, judged := range ours.Targets {
			if judged.Error != "" {
				t.Errorf("%s: %s", judged.Path, judged.Error)
			}
			if diff := gocmp.Diff(theirs[judged.Path], objectFindings(judged)); diff != "" {
				t.Errorf("%s: findings (-conftest +harness):\n%s", filepath.Base(judged.Path), diff)
			}
			compared++
		}
	}
	t.Logf("compared %d results of conftest in %d runs", compared, len(runs))
}

// conftestFindings decodes conftest's JSON output: findings by file, sorted,
// because conftest does not say which document a result is about.
func conftestFindings(t *testing.T, out []byte) map[string][]report.Finding {
	t.Helper()
	type result struct {
		Msg      string
		Metadata struct{ Details report.Finding }
	}
	var files []struct {
		Filename           string
		Failures, Warnings []result
	}
	if err := json.Unmarshal(out, &files); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	findings := map[string][]report.Finding{}
	for _, file := range files {
		all := []report.Finding{}
		for severity, results := range map[report.Severity][]result{report.Deny: file.Failures, report.Warn: file.Warnings} {
			for _, r := range results {
				if r.Metadata.Details.Severity != severity {
					t.Errorf("%s: %q has severity %s among conftest's %s", file.Filename, r.Msg, r.Metadata.Details.Severity, severity)
				}
				if !strings.Contains(r.Msg, r.Metadata.Details.Message) || !strings.Contains(r.Msg, r.Metadata.Details.Remedy) {
					t.Errorf("%s: conftest's message %q lacks the message or the remedy", file.Filename, r.Msg)
				}
				details := r.Metadata.Details
				details.Page = report.PageOf(details.Code) // which a report adds
				all = append(all, details)
			}
		}
		findings[file.Filename] = sorted(all)
	}
	return findings
}

// objectFindings are the findings that the policy states, in the shape that
// conftest has them.
func objectFindings(judged report.Target) []report.Finding {
	all := []report.Finding{}
	for _, finding := range judged.Findings {
		if slices.Contains([]string{stated.Absent, stated.Fallback, stated.Twice}, finding.Code) {
			continue
		}
		finding.Causes = nil
		finding.Constraint = ""
		if finding.Enforcement == "" {
			finding.Enforcement = "deny"
		}
		all = append(all, finding)
	}
	return sorted(all)
}

func sorted(findings []report.Finding) []report.Finding {
	slices.SortFunc(findings, func(a, b report.Finding) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return findings
}

// kustomizeAgrees renders every case, and the fixture app, with the stock
// commands, and compares the bytes with both of our roads: the embedded helm,
// and a helm command.
func kustomizeAgrees(t *testing.T, cases []rendered) {
	kustomize, helm := stock.Tool(t, "kustomize"), stock.Tool(t, "helm")
	var wait sync.WaitGroup
	slots := make(chan struct{}, 3)
	app := filepath.Join("..", "..", "..", "fixtures", "argocd", "applications", "agents")
	manifests, err := check.Render(t.Context(), app, check.Options{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "app.yaml")
	if err := os.WriteFile(file, manifests, 0o600); err != nil {
		t.Fatal(err)
	}
	cases = append(slices.Clone(cases), rendered{fixtures.Case{Name: "the fixture app", Dir: app}, file})
	compared := 0
	for _, c := range cases {
		if c.Manifest != "" {
			continue
		}
		compared++
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			want, err := exec.Command(kustomize, "build", "--enable-helm", "--helm-command", helm,
				"--helm-kube-version", render.DefaultKubeVersion, c.Dir).Output()
			if err != nil {
				t.Errorf("%s: kustomize build: %v", c.Name, err)
				return
			}
			got, err := os.ReadFile(c.file)
			if err != nil {
				t.Error(err)
				return
			}
			if diff := gocmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-stock +ours):\n%s", c.Name, diff)
			}
			byCommand, err := render.App(t.Context(), c.Dir, render.Options{HelmCommand: helm})
			if err != nil {
				t.Errorf("%s: with a helm command: %v", c.Name, err)
				return
			}
			if diff := gocmp.Diff(string(want), string(byCommand)); diff != "" {
				t.Errorf("%s, with a helm command (-stock +ours):\n%s", c.Name, diff)
			}
		})
	}
	wait.Wait()
	t.Logf("compared %d renderings by two roads", compared)
}
