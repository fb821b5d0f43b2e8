package diff

import (
	"maps"
	"testing"

	"github.com/proompteng/nevermigrate/harness/report"
)

func TestFiles(t *testing.T) {
	app := report.New([]report.Target{judged("app", pods("x", report.Controllers, "main=auto"), denied("CNM002", "Pod/x", "main", "env[0]"))})
	shard := report.New(app.Targets)
	shard.Shard = &report.Shard{Index: 2, Count: 3}
	for _, test := range []struct {
		base, head *report.Report
		want       string
	}{
		{shard, app, "read report b.json: it is of shard 2/3 only: join the reports of all shards with `nevermigrate merge`, and name what it writes"},
		{app, shard, "read report standard input: it is of shard 2/3 only: join the reports of all shards with `nevermigrate merge`, and name what it writes"},
		{app, &report.Report{Version: 1}, "read report standard input: it has no targets, so nothing was judged: make it with `nevermigrate check -o json`"},
	} {
		if _, err := Files(File{"b.json", test.base}, File{"-", test.head}); err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}

	// What a file says of its findings does not count.
	lying := report.New(app.Targets)
	lying.Targets[0].Status, lying.Summary.Denied, lying.Summary.Targets = report.Pass, 0, 9
	d, err := Files(File{"b.json", report.New([]report.Target{judged("app")})}, File{"h.json", lying})
	if err != nil {
		t.Fatal(err)
	}
	if d.ExitStatus(false, false) != report.ExitBroken || d.ExitStatus(true, false) != report.ExitBroken || d.Targets[0].Status != report.Fail || d.Summary.Targets != 1 {
		t.Errorf("a report that says pass of what it denies: %+v", d)
	}
}

func TestMovedByWorkloads(t *testing.T) {
	workloads := func(path string, names ...string) report.Target {
		target := judged(path)
		for _, name := range names {
			target.Workloads = append(target.Workloads, pods(name, report.Controllers))
		}
		return target
	}
	for _, test := range []struct {
		name       string
		base, head []report.Target
		want       map[string]string
	}{
		{"the same workloads", []report.Target{workloads("a", "x", "y")}, []report.Target{workloads("b", "y", "x")}, map[string]string{"a": "b"}},
		{"half of them", []report.Target{workloads("a", "x")}, []report.Target{workloads("b", "x", "y")}, map[string]string{"a": "b"}},
		{"a third of them", []report.Target{workloads("a", "x")}, []report.Target{workloads("b", "x", "y", "z")}, nil},
		{"none", []report.Target{workloads("a")}, []report.Target{workloads("b")}, nil},
		{"it is still there", []report.Target{workloads("a", "x")}, []report.Target{workloads("a"), workloads("b", "x")}, nil},
		{"the one that is most alike", []report.Target{workloads("a", "x", "y")}, []report.Target{workloads("b", "x"), workloads("c", "x", "y")}, map[string]string{"a": "c"}},
		{"each once", []report.Target{workloads("a", "x"), workloads("b", "x")}, []report.Target{workloads("c", "x")}, map[string]string{"a": "c"}},
		{"the last part of the path", []report.Target{workloads("a", "x"), workloads("b", "x")}, []report.Target{workloads("c/b", "x"), workloads("d/a", "x")}, map[string]string{"a": "d/a", "b": "c/b"}},
	} {
		if got := movedByWorkloads(test.base, test.head); !maps.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
