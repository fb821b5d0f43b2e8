package diff

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/proompteng/nevermigrate/harness/report"
)

// judged is a target of a report with parts of it in any order.
func judged(path string, parts ...any) report.Target {
	t := report.Target{Path: path}
	for _, part := range parts {
		switch part := part.(type) {
		case report.Workload:
			t.Workloads = append(t.Workloads, part)
		case report.Finding:
			t.Findings = append(t.Findings, part)
		case error:
			t.Error = part.Error()
		}
	}
	return t
}

// pods is a Pod with containers, each as name=mode; a name in brackets is exempt.
func pods(name string, role report.Role, containers ...string) report.Workload {
	w := report.Workload{Kind: "Pod", Name: name, Role: role}
	for _, c := range containers {
		name, mode, _ := strings.Cut(c, "=")
		w.Containers = append(w.Containers, report.Container{
			Name: strings.Trim(name, "()"), Type: "container", Mode: report.Mode(mode), Exempt: strings.HasPrefix(name, "("),
		})
	}
	return w
}

func denied(code, workload, container, path string) report.Finding {
	return report.Finding{Code: code, Page: report.PageOf(code), Severity: report.Deny, Workload: workload, Container: container, Path: path, Message: "at " + path}
}

func warned(code string) report.Finding {
	return report.Finding{Code: code, Severity: report.Warn, Page: report.PageOf(code)}
}

// compared is a workload of a diff, a Pod; its containers are name=base,head with
// a change before it, as in "changed main=skip,auto".
func compared(change Change, name string, role Sides[report.Role], containers ...string) Workload {
	w := Workload{Kind: "Pod", Name: name, Change: change, Role: role, Containers: []Container{}}
	for _, text := range containers {
		words := strings.Fields(text)
		name, modes, _ := strings.Cut(words[1], "=")
		base, head, _ := strings.Cut(modes, ",")
		c := Container{Name: name, Type: "container", Change: Change(words[0])}
		side := func(mode string) (*report.Mode, *bool) {
			if mode == "" {
				return nil, nil
			}
			exempt := strings.HasPrefix(mode, "(")
			m := report.Mode(strings.Trim(mode, "()"))
			return &m, &exempt
		}
		c.Mode.Base, c.Exempt.Base = side(base)
		c.Mode.Head, c.Exempt.Head = side(head)
		w.Containers = append(w.Containers, c)
	}
	return w
}

// roles are those of both sides; an empty one is not there.
func roles(base, head report.Role) Sides[report.Role] {
	var s Sides[report.Role]
	if base != "" {
		s.Base = &base
	}
	if head != "" {
		s.Head = &head
	}
	return s
}

type failure string

func (f failure) Error() string { return string(f) }

func TestCompare(t *testing.T) {
	const controllers, other = report.Controllers, report.ControlPlane
	auto := denied("CNM002", "Pod/x", "main", "env[0]")
	second := denied("CNM002", "Pod/x", "main", "env[1]")
	third := denied("CNM002", "Pod/x", "main", "env[2]")
	absent := denied("CNM007", "", "", "")
	strict := pods("x", controllers, "main=auto")
	strict.Constraint = "strict"
	strictAuto := auto
	strictAuto.Constraint = "strict"
	strictCompared := compared(Added, "x", roles("", controllers), "added main=,auto")
	strictCompared.Constraint = "strict"

	none := Findings{}
	for _, test := range []struct {
		name       string
		base, head []report.Target // those after a target without a path concern the whole run
		known      Known
		want       []Target
		summary    Summary
		onlyNew    string // the head's report with nothing else
	}{
		{name: "nothing"},
		{
			name:    "nothing changed",
			base:    []report.Target{judged("app", pods("x", controllers, "main=auto"), auto)},
			head:    []report.Target{judged("app", pods("x", controllers, "main=auto"), auto)},
			want:    []Target{{Path: "app", Change: Unchanged, Status: report.Fail, Workloads: []Workload{compared(Unchanged, "x", roles(controllers, controllers), "unchanged main=auto,auto")}, Findings: Findings{Kept: []report.Finding{auto}}}},
			summary: Summary{Targets: 1, Unchanged: 1, Kept: Counts{Denied: 1}},
			onlyNew: "app pass",
		},
		{
			name: "a container flips, another comes, a third goes",
			base: []report.Target{judged("app", pods("x", controllers, "main=skip", "gone=auto"), denied("CNM001", "Pod/x", "gone", ""))},
			head: []report.Target{judged("app", pods("x", controllers, "wait=skip", "main=auto"), auto)},
			want: []Target{{
				Path: "app", Change: Changed, Status: report.Fail,
				Workloads: []Workload{compared(Changed, "x", roles(controllers, controllers), "added wait=,skip", "changed main=skip,auto", "removed gone=auto,")},
				Findings:  Findings{New: []report.Finding{auto}, Fixed: []report.Finding{denied("CNM001", "Pod/x", "gone", "")}},
			}},
			summary: Summary{Targets: 1, Changed: 1, New: Counts{Denied: 1}, Fixed: Counts{Denied: 1}},
			onlyNew: "app fail CNM002 env[0]",
		},
		{
			name:    "an exemption is a change",
			base:    []report.Target{judged("app", pods("x", controllers, "main=auto"))},
			head:    []report.Target{judged("app", pods("x", controllers, "(main)=auto"))},
			want:    []Target{{Path: "app", Change: Changed, Status: report.Pass, Workloads: []Workload{compared(Changed, "x", roles(controllers, controllers), "changed main=auto,(auto)")}}},
			summary: Summary{Targets: 1, Changed: 1},
			onlyNew: "app pass",
		},
		{
			name: "the last controllers workload is none any more",
			base: []report.Target{judged("app", pods("x", controllers, "main=skip"))},
			head: []report.Target{judged("app", pods("x", other, "main=skip"), warned("CNM103"))},
			want: []Target{{
				Path: "app", Change: Changed, Status: report.Pass, LostControllers: true,
				Workloads: []Workload{compared(Changed, "x", roles(controllers, other), "unchanged main=skip,skip")}, Findings: Findings{New: []report.Finding{warned("CNM103")}},
			}},
			summary: Summary{Targets: 1, Changed: 1, New: Counts{Warned: 1}},
			onlyNew: "app pass CNM103",
		},
		{
			name: "added and removed, in the order of the paths",
			base: []report.Target{judged("b", pods("x", controllers, "main=auto"), auto), judged("d")},
			head: []report.Target{judged("c"), judged("a", pods("x", controllers, "main=auto"), auto)},
			want: []Target{
				{Path: "a", Change: Added, Status: report.Fail, Workloads: []Workload{compared(Added, "x", roles("", controllers), "added main=,auto")}, Findings: Findings{New: []report.Finding{auto}}},
				{Path: "b", Change: Removed, LostControllers: true, Workloads: []Workload{compared(Removed, "x", roles(controllers, ""), "removed main=auto,")}, Findings: Findings{Fixed: []report.Finding{auto}}},
				{Path: "c", Change: Added, Status: report.Pass, Findings: none},
				{Path: "d", Change: Removed},
			},
			summary: Summary{Targets: 4, Added: 2, Removed: 2, New: Counts{Denied: 1}, Fixed: Counts{Denied: 1}},
			onlyNew: "c pass, a fail CNM002 env[0]",
		},
		{
			name:  "moved, in the order of the paths from the top",
			base:  []report.Target{judged("a"), judged("old", auto)},
			head:  []report.Target{judged("a"), judged("../b/new", auto, second)},
			known: Known{Moved: map[string]string{"old": "../b/new"}, WorkDir: "work"},
			want: []Target{
				{Path: "../b/new", BasePath: "old", Change: Moved, Status: report.Fail, Findings: Findings{New: []report.Finding{second}, Kept: []report.Finding{auto}}},
				{Path: "a", Change: Unchanged, Status: report.Pass},
			},
			summary: Summary{Targets: 2, Moved: 1, Unchanged: 1, New: Counts{Denied: 1}, Kept: Counts{Denied: 1}},
			onlyNew: "a pass, ../b/new fail CNM002 env[1]",
		},
		{
			name: "the base could not be judged",
			base: []report.Target{judged("app", failure("no chart"))},
			head: []report.Target{judged("app", pods("x", controllers, "main=auto"), auto)},
			want: []Target{{
				Path: "app", Change: Changed, Status: report.Fail, BaseError: "no chart",
				Workloads: []Workload{compared(Unknown, "x", roles("", controllers), "unknown main=,auto")}, Findings: Findings{New: []report.Finding{auto}},
			}},
			summary: Summary{Targets: 1, Changed: 1, New: Counts{Denied: 1}, BaseErrors: 1},
			onlyNew: "app fail CNM002 env[0]",
		},
		{
			name:    "the head could not be judged, so nothing is fixed",
			base:    []report.Target{judged("app", pods("x", controllers, "main=auto"), auto)},
			head:    []report.Target{judged("app", failure("no chart"))},
			want:    []Target{{Path: "app", Change: Changed, Status: report.Error, Error: "no chart"}},
			summary: Summary{Targets: 1, Changed: 1, Errors: 1},
			onlyNew: "app error",
		},
		{
			name: "of several findings with one key those at the same place are kept first",
			base: []report.Target{judged("app", third, second)},
			head: []report.Target{judged("app", auto, second, denied("CNM002", "Pod/x", "main", "env[3]"))},
			want: []Target{{
				Path: "app", Change: Changed, Status: report.Fail,
				Findings: Findings{New: []report.Finding{denied("CNM002", "Pod/x", "main", "env[3]")}, Kept: []report.Finding{auto, second}},
			}},
			summary: Summary{Targets: 1, Changed: 1, New: Counts{Denied: 1}, Kept: Counts{Denied: 2}},
			onlyNew: "app fail CNM002 env[3]",
		},
		{
			name: "each constraint has findings and workloads of its own",
			base: []report.Target{judged("app", pods("x", controllers, "main=auto"), auto)},
			head: []report.Target{judged("app", strict, pods("x", controllers, "main=auto"), strictAuto, auto)},
			want: []Target{{
				Path: "app", Change: Changed, Status: report.Fail,
				Workloads: []Workload{strictCompared, compared(Unchanged, "x", roles(controllers, controllers), "unchanged main=auto,auto")},
				Findings:  Findings{New: []report.Finding{strictAuto}, Kept: []report.Finding{auto}},
			}},
			summary: Summary{Targets: 1, Changed: 1, New: Counts{Denied: 1}, Kept: Counts{Denied: 1}},
			onlyNew: "app fail CNM002 env[0]",
		},
		{
			name: "what concerns the whole run comes last and is no target",
			base: []report.Target{judged("app"), judged(""), judged("old", absent), judged("both", absent)},
			head: []report.Target{judged("app"), judged(""), judged("both", absent), judged("app", absent)},
			want: []Target{
				{Path: "app", Change: Unchanged, Status: report.Pass},
				{Path: "both", Change: Unchanged, Status: report.Fail, Findings: Findings{Kept: []report.Finding{absent}}},
				{Path: "app", Change: Changed, Status: report.Fail, Findings: Findings{New: []report.Finding{absent}}},
				{Path: "old", Change: Changed, Findings: Findings{Fixed: []report.Finding{absent}}},
			},
			summary: Summary{Targets: 1, Unchanged: 1, New: Counts{Denied: 1}, Kept: Counts{Denied: 1}, Fixed: Counts{Denied: 1}},
			onlyNew: "app pass, both pass, app fail CNM007",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			base, head := reportOf(test.base), reportOf(test.head)
			before, after := jsonOf(t, base), jsonOf(t, head)
			test.known.Base = Base{File: "base.json"}
			d := Compare(base, head, test.known)
			want := &Diff{Version: Version, Base: test.known.Base, Targets: test.want, Summary: test.summary}
			if difference := cmp.Diff(want, d, cmpopts.IgnoreUnexported(Diff{}), cmpopts.EquateEmpty()); difference != "" {
				t.Errorf("(-want +got):\n%s", difference)
			}
			if difference := cmp.Diff(head, d.Head(false)); difference != "" {
				t.Errorf("the head's report (-want +got):\n%s", difference)
			}
			if got := verdicts(d.Head(true)); got != test.onlyNew {
				t.Errorf("the head's report with what is new: %q, want %q", got, test.onlyNew)
			}
			if before != jsonOf(t, base) || after != jsonOf(t, head) {
				t.Error("a report was changed")
			}
		})
	}
}

// reportOf makes a report of targets, of which those after one without a path
// concern the whole run.
func reportOf(targets []report.Target) *report.Report {
	for i := range targets {
		if targets[i].Path == "" {
			return report.New(targets[:i], targets[i+1:]...)
		}
	}
	return report.New(targets)
}

// verdicts are the targets of a report, each with its status and its findings.
func verdicts(r *report.Report) string {
	var lines []string
	for _, t := range r.Targets {
		line := t.Path + " " + string(t.Status)
		for _, f := range t.Findings {
			line += strings.TrimRight(" "+f.Code+" "+f.Path, " ")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ", ")
}

func jsonOf(t *testing.T, r *report.Report) string {
	t.Helper()
	var text strings.Builder
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}
