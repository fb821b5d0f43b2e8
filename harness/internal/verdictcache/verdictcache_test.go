package verdictcache

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/reads"
	"github.com/proompteng/nevermigrate/harness/report"
)

const key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// verdict is one that depends on a state.
func verdict(state string) Verdict {
	return Verdict{
		Reads:    []reads.Read{{Look: reads.Look{Kind: reads.File, Path: "x"}, State: state}},
		Target:   report.Target{Note: state, Workloads: []report.Workload{{Kind: "Pod", Containers: []report.Container{{Name: "<&>"}}}}},
		Findings: []report.Finding{{Code: "CNM002", Causes: []report.Cause{{File: "f", Line: 1}}, Fix: &report.Fix{File: "f"}}},
		Searched: []bool{true},
	}
}

func open(t *testing.T, dir string) *Cache {
	t.Helper()
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func put(t *testing.T, c *Cache, key string, v Verdict) {
	t.Helper()
	if err := c.Put(key, v); err != nil {
		t.Fatal(err)
	}
}

// TestCache: what is put comes back, the newest first, a few of a key.
func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "cache")
	c := open(t, dir)
	if got := c.Get(key); got != nil {
		t.Errorf("an empty cache has %v", got)
	}
	for _, state := range []string{"a", "b", "c", "d", "e", "c"} {
		put(t, c, key, verdict(state))
	}
	want := []Verdict{verdict("c"), verdict("e"), verdict("d"), verdict("b")}
	if diff := cmp.Diff(want, open(t, dir).Get(key)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := c.Get(strings.Replace(key, "0", "f", 1)); got != nil {
		t.Errorf("another key has %v", got)
	}
}

// TestDamage: a file that is cut off anywhere, or changed in one bit, is not there, and is
// written again.
func TestDamage(t *testing.T) {
	c := open(t, t.TempDir())
	put(t, c, key, verdict("a"))
	whole, err := os.ReadFile(c.file(key))
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string][]byte{"empty": nil, "of another format": []byte(strings.Replace(string(whole), "verdict 1", "verdict 0", 1)), "more": append(append([]byte{}, whole...), '\n')}
	for i := range whole {
		damaged[fmt.Sprintf("cut off at %d", i)] = whole[:i]
		bit := append([]byte{}, whole...)
		bit[i] ^= 1 << (i % 8)
		damaged[fmt.Sprintf("a bit of %d", i)] = bit
	}
	for what, text := range damaged {
		if err := os.WriteFile(c.file(key), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := c.Get(key); got != nil {
			t.Errorf("%s: %v", what, got)
		}
	}
	put(t, c, key, verdict("b"))
	if diff := cmp.Diff([]Verdict{verdict("b")}, c.Get(key)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFaithful: what is not the same when it is read again is not to be kept.
func TestFaithful(t *testing.T) {
	if _, ok := Faithful(verdict("a")); !ok {
		t.Error("a verdict is not faithful")
	}
	v := verdict("a")
	v.Target.Note = "\xff"
	if _, ok := Faithful(v); ok {
		t.Error("a text that is no UTF-8 is faithful")
	}
}

// TestSeveralAtOnce: processes and goroutines that write and read one key see whole
// verdicts only.
func TestSeveralAtOnce(t *testing.T) {
	dir := t.TempDir()
	if at := os.Getenv("VERDICT_CACHE_WRITER"); at != "" {
		c := open(t, at)
		for i := range 200 {
			put(t, c, key, verdict(fmt.Sprint(os.Getpid(), i)))
		}
		return
	}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run", "^TestSeveralAtOnce$")
			cmd.Env = append(os.Environ(), "VERDICT_CACHE_WRITER="+dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	done := make(chan bool)
	go func() { all.Wait(); close(done) }()
	c := open(t, dir)
	seen := 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		for _, v := range c.Get(key) {
			seen++
			if diff := cmp.Diff(verdict(v.Target.Note), v); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", ".new-*")); seen == 0 || len(left) > 0 {
		t.Errorf("%d verdicts were seen, and %v is left", seen, left)
	}
}

// TestTrim: once a day what nobody used for a month goes, and nothing else.
func TestTrim(t *testing.T) {
	c := open(t, t.TempDir())
	old := strings.Replace(key, "0", "f", 1)
	put(t, c, key, verdict("a"))
	put(t, c, old, verdict("a"))
	other := filepath.Join(c.dir, "other")
	now := time.Now()
	before := now.Add(-keepUnused - time.Hour)
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{c.file(key), c.file(old), other} {
		if err := os.Chtimes(file, before, before); err != nil {
			t.Fatal(err)
		}
	}
	c.Get(key)
	c.Trim(now)
	if c.Get(key) == nil || c.Get(old) != nil {
		t.Errorf("what was used: %v, what was not: %v", c.Get(key), c.Get(old))
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
	put(t, c, old, verdict("a"))
	if err := os.Chtimes(c.file(old), before, before); err != nil {
		t.Fatal(err)
	}
	if c.Trim(now.Add(time.Hour)); c.Get(old) == nil {
		t.Error("it was trimmed twice a day")
	}
}

// TestOpen: a folder that cannot be written to is an error at once.
func TestOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil || !strings.HasPrefix(err.Error(), "open verdict cache: ") {
		t.Errorf("a file: %v", err)
	}
}
