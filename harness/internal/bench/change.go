package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/proompteng/nevermigrate/harness/report"
)

// repository is a git repository of apps like the fixture app, with the commit main and
// one app changed since then.
type repository struct {
	*bencher
	dir  string
	apps int
}

// newRepository makes one of n apps.
func (b *bencher) newRepository(n int) (*repository, error) {
	r := &repository{b, filepath.Join(b.work, fmt.Sprintf("repository-%d", n)), n}
	if err := os.CopyFS(filepath.Join(r.dir, "charts", "agents"), os.DirFS("fixtures/charts/agents")); err != nil {
		return nil, err
	}
	for i := range n {
		if err := b.makeApp(filepath.Join(r.dir, "apps", fmt.Sprintf("app-%05d", i)), i); err != nil {
			return nil, err
		}
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"add", "-A"},
		{"-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "gc.auto=0", "commit", "-q", "-m", "before"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = r.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("git %s: %w\n%s", args[0], err, out)
		}
	}
	return r, nil
}

// change changes a value of one app.
func (r *repository) change() error {
	return replace(filepath.Join(r.dir, "apps", "app-00007", "values.yaml"), "production-7", "production-changed")
}

// command is a command of ours in the repository, for a shell.
func (r *repository) command(args string) string {
	return fmt.Sprintf("cd %s && %s %s", r.dir, r.ours, args)
}

// oneChange is (g): what a change of one app of many costs, of which main was checked
// before, when its verdicts are kept and when they are not.
func (b *bencher) oneChange(ctx context.Context) error {
	for _, n := range []int{b.many, b.largest} {
		r, err := b.newRepository(n)
		if err != nil {
			return err
		}
		before, cache := r.dir+"-verdicts-of-main", r.dir+"-verdicts"
		// The first run of a program reads it from the disk.
		if _, err := b.hyperfine(ctx, 1, r.command("check --verdict-cache "+before+" apps")); err != nil {
			return err
		}
		if err := r.change(); err != nil {
			return err
		}
		whole, err := b.hyperfine(ctx, 1, r.command("check apps"))
		if err != nil {
			return err
		}
		again := fmt.Sprintf("rm -rf %s && cp -r %s %s", cache, before, cache)
		warm, err := b.prepared(ctx, min(b.runs, 5), again,
			r.command("check --verdict-cache "+cache+" apps"),
			r.command("diff --base main --verdict-cache "+cache+" apps"))
		if err != nil {
			return err
		}
		cold, err := b.hyperfine(ctx, 1, r.command("diff --base main apps"))
		if err != nil {
			return err
		}
		what := fmt.Sprintf("(g) %d apps, one changed: ", n)
		row(what+"`check`, verdicts kept", warm[0], "`check` of all", whole[0], "2,000 apps: at most 2 s")
		row(what+"`diff`, verdicts kept", warm[1], "`check` of all", whole[0], "200 apps: at least 10; 2,000: at most 2 s")
		row(what+"`diff`, none kept", cold[0], "`check` of all", whole[0], "none")
	}
	return nil
}

// parts is how many shards there are.
const parts = 8

// shards is (h): the time of each shard of many apps, one after the other as if each had
// the machine by itself, and the merged verdict against one run's.
func (b *bencher) shards(ctx context.Context) error {
	r, err := b.newRepository(b.sharded)
	if err != nil {
		return err
	}
	run := func(args ...string) (time.Duration, error) {
		cmd := exec.CommandContext(ctx, r.ours, args...)
		cmd.Dir = r.dir
		cmd.Stderr = os.Stderr
		start := time.Now()
		err := cmd.Run()
		return time.Since(start), err
	}
	var times []float64
	merge := []string{"merge", "-o", "json=merged.json"}
	most, all := 0, 0
	for k := range parts {
		name := fmt.Sprintf("shard-%d.json", k+1)
		took, err := run("check", "--shard", fmt.Sprintf("%d/%d", k+1, parts), "-o", "json="+name, "apps")
		if err != nil {
			return fmt.Errorf("shard %d: %w", k+1, err)
		}
		mine, err := targetsOf(filepath.Join(r.dir, name))
		if err != nil {
			return err
		}
		times, merge = append(times, took.Seconds()), append(merge, name)
		most, all = max(most, mine), all+mine
	}
	merging, err := run(merge...)
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	whole, err := run("check", "-o", "json=whole.json", "apps")
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	same, err := sameFiles(filepath.Join(r.dir, "merged.json"), filepath.Join(r.dir, "whole.json"))
	if err != nil {
		return err
	}
	if !same {
		return errors.New("the merged verdict is another one than that of one run")
	}
	sum := 0.0
	for _, t := range times {
		sum += t
	}
	what := fmt.Sprintf("(h) %d apps in %d shards", b.sharded, parts)
	row(what+": the slowest, and merge", slices.Max(times)+merging.Seconds(), "one run", whole.Seconds(), "none")
	fmt.Printf("| (h) balance: the largest to the mean | targets %.2f, time %.2f | all shards: %s, merge: %s | | at most 1.20 |\n",
		float64(most)*parts/float64(all), slices.Max(times)*parts/sum, duration(sum), duration(merging.Seconds()))
	fmt.Println("| (h) the merged verdict | the bytes of one run's | | | the same |")
	return nil
}

// targetsOf counts the targets that a report judges.
func targetsOf(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	var r report.Report
	if err := json.Unmarshal(text, &r); err != nil {
		return 0, fmt.Errorf("read %s: %w", file, err)
	}
	return r.Shard.Mine, nil
}

func sameFiles(a, b string) (bool, error) {
	textA, errA := os.ReadFile(a)
	textB, errB := os.ReadFile(b)
	return bytes.Equal(textA, textB), errors.Join(errA, errB)
}
