package exempt

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/report"
)

func finding(code, workload, container, message string) report.Finding {
	return report.Finding{Code: code, Severity: report.Deny, Workload: workload, Container: container, Message: message, Causes: []report.Cause{}}
}

// exempt is what passes of findings of a target, by their messages.
func exempt(s *Set, path string, findings ...report.Finding) (passes []string) {
	target := report.Target{Path: path, Findings: findings}
	s.Apply(&target, path)
	left := len(target.Findings)
	s.Apply(&target, path)
	if len(target.Findings) != left {
		return []string{"the second time something else"}
	}
	for _, e := range target.Exempted {
		passes = append(passes, e.Message)
	}
	return passes
}

func TestApplyMatches(t *testing.T) {
	f := finding("CNM002", "Deployment/x-controllers", "main", "it")
	whole := finding("CNM002", "", "", "it")
	for name, test := range map[string]struct {
		exemption report.Exemption
		path      string
		finding   report.Finding
		passes    bool
	}{
		"all of it":                 {report.Exemption{Code: "CNM002", Workload: "Deployment/*", Container: "ma*", Path: "sub/apps/*"}, "apps/x", f, true},
		"another code":              {report.Exemption{Code: "CNM003", Workload: "*"}, "apps/x", f, false},
		"another workload":          {report.Exemption{Code: "CNM002", Workload: "Deployment/x"}, "apps/x", f, false},
		"another kind":              {report.Exemption{Code: "CNM002", Workload: "*/y"}, "apps/x", f, false},
		"another container":         {report.Exemption{Code: "CNM002", Workload: "*", Container: "other"}, "apps/x", f, false},
		"another path":              {report.Exemption{Code: "CNM002", Path: "sub/apps/y"}, "apps/x", f, false},
		"a path from the top":       {report.Exemption{Code: "CNM002", Path: "apps/x"}, "apps/x", f, false},
		"below the path":            {report.Exemption{Code: "CNM002", Path: "sub/apps"}, "apps/x", f, true},
		"up and down":               {report.Exemption{Code: "CNM002", Path: "apps"}, "../apps/x", f, true},
		"outside of the repository": {report.Exemption{Code: "CNM002", Path: "**"}, "../../x", f, false},
		"an absolute path":          {report.Exemption{Code: "CNM002", Path: "**"}, "/x", f, false},
		"outside, and no path":      {report.Exemption{Code: "CNM002", Workload: "*"}, "../../x", f, true},
		"standard input":            {report.Exemption{Code: "CNM002", Path: "-"}, "-", f, true},
		"the whole target":          {report.Exemption{Code: "CNM002", Workload: "Deployment/*"}, "apps/x", whole, false},
		"what is never exempt":      {report.Exemption{Code: never, Workload: "*"}, "apps/x", finding(never, "Deployment/x", "", "it"), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Set{exemptions: []report.Exemption{test.exemption}, workDir: "sub"}
			if got := len(exempt(s, test.path, test.finding)) == 1; got != test.passes {
				t.Errorf("it passes: %v, want %v", got, test.passes)
			}
		})
	}
}

func TestBaselineKnowsAsManyAsThereWere(t *testing.T) {
	f := func(message string) report.Finding { return finding("CNM002", "Pod/x", "main", message) }
	s := (&Set{workDir: "."}).with("known.json", report.New([]report.Target{
		{Path: "apps/x", Findings: []report.Finding{f(`env[3] is "auto"`), f(`env[4] is "auto"`), finding(never, "", "", "unusable")}},
	}))
	for name, test := range map[string]struct {
		path     string
		findings []report.Finding
		want     []string
	}{
		"the same":         {"apps/x", []report.Finding{f(`env[3] is "auto"`)}, []string{`env[3] is "auto"`}},
		"another place":    {"apps/x", []report.Finding{f(`env[0] is "auto"`)}, []string{`env[0] is "auto"`}},
		"another value":    {"apps/x", []report.Finding{f(`env[3] is "on"`)}, nil},
		"another target":   {"apps/y", []report.Finding{f(`env[3] is "auto"`)}, nil},
		"another workload": {"apps/x", []report.Finding{finding("CNM002", "Pod/y", "main", `env[3] is "auto"`)}, nil},
		"one more": {"apps/x", []report.Finding{f(`env[1] is "auto"`), f(`env[2] is "auto"`), f(`env[5] is "auto"`)},
			[]string{`env[1] is "auto"`, `env[2] is "auto"`}},
		"what is never exempt": {"apps/x", []report.Finding{finding(never, "", "", "unusable")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, exempt(s, test.path, test.findings...)); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

func TestNilLetsNothingPass(t *testing.T) {
	var s *Set
	if got := exempt(s, "x", finding("CNM002", "Pod/x", "main", "it")); got != nil {
		t.Errorf("%q pass", got)
	}
	r := report.New([]report.Target{{Path: "x"}})
	s.Finish(r, nil)
	if r.Baseline != nil || r.UnusedExemptions != nil || s.Exempting() != nil || ForMerge(nil, nil) != nil {
		t.Error("without a set something is said")
	}
}

// TestGone: of a target that could not be judged nothing is gone, and of one that is
// there no more all is, if the run was to judge it.
func TestGone(t *testing.T) {
	f := finding("CNM002", "Pod/x", "main", "it")
	known := report.New([]report.Target{
		{Path: "apps/x", Findings: []report.Finding{f}}, {Path: "apps/y", Findings: []report.Finding{f, f}},
	}, report.Target{Path: "apps", Findings: []report.Finding{finding("CNM007", "", "", "none")}})
	for name, test := range map[string]struct {
		partial bool
		judged  func(string) bool
		targets []report.Target
		want    int
	}{
		"all is there": {targets: []report.Target{{Path: "apps/x", Findings: []report.Finding{f}}, {Path: "apps/y", Findings: []report.Finding{f, f}},
			{Path: "apps", Findings: []report.Finding{finding("CNM007", "", "", "none")}}}},
		"nothing":          {want: 4},
		"one of two":       {targets: []report.Target{{Path: "apps/y", Findings: []report.Finding{f}}}, want: 3},
		"undecided":        {targets: []report.Target{{Path: "apps/y", Error: "broken"}}, want: 2},
		"a part":           {partial: true, targets: []report.Target{{Path: "apps/x"}}, want: 1},
		"a shard":          {judged: func(path string) bool { return path == "apps/y" }, want: 2},
		"a shard with one": {judged: func(path string) bool { return path == "apps/x" }, targets: []report.Target{{Path: "apps/x"}}, want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := (&Set{workDir: ".", partial: test.partial}).with("known.json", known)
			r := report.New(test.targets)
			for i := range r.Targets {
				s.Apply(&r.Targets[i], r.Targets[i].Path)
			}
			s.Finish(r, test.judged)
			if want := (&report.Baseline{File: "known.json", Gone: test.want}); *r.Baseline != *want {
				t.Errorf("%+v, want %+v", r.Baseline, want)
			}
		})
	}
}

func TestKnown(t *testing.T) {
	s := &Set{workDir: "sub"}
	f := finding("CNM002", "Pod/x", "main", "it")
	f.Causes, f.Fix = []report.Cause{{File: "x"}}, &report.Fix{}
	bare := finding("CNM002", "Pod/x", "main", "it")
	got, err := s.Known(report.New([]report.Target{{Path: "good"}, {Path: "bad", Findings: []report.Finding{f}}}, report.Target{Path: "c.yaml", Findings: []report.Finding{f}}))
	want := report.New([]report.Target{{Path: "sub/bad", Findings: []report.Finding{bare}}}, report.Target{Path: "sub/c.yaml", Findings: []report.Finding{bare}})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v; want (-), got (+):\n%s", err, diff)
	}
	for name, target := range map[string]report.Target{
		"undecided": {Path: "x", Error: "broken"},
		"unusable":  {Path: "x", Findings: []report.Finding{finding(never, "", "", "it")}},
	} {
		if _, err := s.Known(report.New([]report.Target{target})); !errors.Is(err, ErrUndecided) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := s.Known(report.New([]report.Target{{Path: "/x", Findings: []report.Finding{f}}})); err == nil {
		t.Error("a baseline knows what is outside of the repository")
	}
}

func TestWithBaselineRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "other.json": `{"version":2}`, "shard.json": `{"version":1,"targets":[],"summary":{},"shard":{"index":1,"count":2}}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"empty", "other.json", "shard.json", "gone.json", "."} {
		if _, err := (&Set{}).WithBaseline(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is a baseline", name)
		}
	}
}
