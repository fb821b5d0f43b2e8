//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/startcases"
)

// The tests look at processes through /proc, so they are Linux's.

// guard is the binary, built as docs/guards.md says.
var guard string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "migrations-guard-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(folder) }()
		guard = filepath.Join(folder, "migrations-guard")
		build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-s -w", "-o", guard, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the guard: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// process is a process that was started with just these variables, also when
// two have the same name; package exec would drop one.
type process struct {
	t              *testing.T
	process        *os.Process
	stdout, stderr *os.File
}

func begin(t *testing.T, environ []string, stdin *os.File, extra []*os.File, argv ...string) *process {
	t.Helper()
	open := func(name string) *os.File {
		file, err := os.Create(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		return file
	}
	p := &process{t: t, stdout: open("stdout"), stderr: open("stderr")}
	path := argv[0]
	if !strings.Contains(path, "/") {
		var err error
		if path, err = exec.LookPath(path); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	p.process, err = os.StartProcess(path, argv, &os.ProcAttr{
		Env:   environ,
		Files: append([]*os.File{stdin, p.stdout, p.stderr}, extra...),
	})
	if err != nil {
		t.Fatalf("start %s: %v", argv[0], err)
	}
	return p
}

type result = startcases.Result

// wait gives the result; a status below 0 is a signal.
func (p *process) wait() result {
	p.t.Helper()
	timer := time.AfterFunc(time.Minute, func() { _ = p.process.Kill() })
	state, err := p.process.Wait()
	if !timer.Stop() || err != nil {
		p.t.Fatalf("the process did not end: %v", err)
	}
	status := state.ExitCode()
	if ended := state.Sys().(syscall.WaitStatus); ended.Signaled() {
		status = -int(ended.Signal())
	}
	return result{Status: status, Stdout: read(p.t, p.stdout), Stderr: read(p.t, p.stderr)}
}

func read(t *testing.T, file *os.File) string {
	t.Helper()
	data, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// runGuard runs the guard to its end.
func runGuard(t *testing.T, environ []string, args ...string) result {
	t.Helper()
	return begin(t, environ, nil, nil, append([]string{guard}, args...)...).wait()
}

func TestModes(t *testing.T) {
	for _, command := range []string{"", "false"} {
		for _, test := range startcases.Modes(command, 1) {
			t.Run(test.Name, func(t *testing.T) {
				environ, args := test.Environ, test.Args
				if command != "" {
					environ, args = append([]string{"PATH=/bin:/usr/bin"}, environ...), append(args, "--", command)
				}
				got := runGuard(t, environ, args...)
				if diff := cmp.Diff(test.Want, got); diff != "" {
					t.Errorf("%v: -want +got:\n%s", args, diff)
				}
				first, _, _ := strings.Cut(got.Stderr, "\n")
				if !json.Valid([]byte(first)) {
					t.Errorf("the line is no JSON: %s", first)
				}
			})
		}
	}
}

func TestRefusedCommandIsNamedWithoutItsArguments(t *testing.T) {
	want := result{Status: 78, Stderr: startcases.Line("mode", `"auto"`, "value", `"auto"`, "action", `"refuse"`, "command", `"node\n"`) +
		`migrations-guard: "node\n" is not started: JANGAR_MIGRATIONS is "auto"` + startcases.Because + startcases.Remedy}
	got := runGuard(t, []string{"JANGAR_MIGRATIONS=auto"}, "node\n", "--password=hunter2")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSettings(t *testing.T) {
	for _, test := range append(startcases.Settings(),
		startcases.Case{Name: "version", Args: []string{"--version"}, Want: result{Stdout: "migrations-guard (devel)\n"}},
		startcases.Case{Name: "help", Args: []string{"--help"}, Want: result{Stdout: help}},
		startcases.Case{Name: "help, short", Args: []string{"-h"}, Want: result{Stdout: help}},
	) {
		t.Run(test.Name, func(t *testing.T) {
			environ := append([]string{"PATH=/bin:/usr/bin"}, test.Environ...)
			if diff := cmp.Diff(test.Want, runGuard(t, environ, test.Args...)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestBecomesTheCommand looks at what a command sees, with the guard before it
// and without.
func TestBecomesTheCommand(t *testing.T) {
	environ := []string{"PATH=/bin:/usr/bin", "JANGAR_MIGRATIONS=skip", "JANGAR_MIGRATIONS=off", "X=1", "X=2", "odd", "", "Y=\xff\n", "GODEBUG=x=1"}
	for name, command := range map[string][]string{
		"exit status":           {"sh", "-c", "exit 42"},
		"exit status as ours":   {"sh", "-c", "exit 78"},
		"arguments":             {"sh", "-c", `for a in "$0" "$@"; do printf '<%s>' "$a"; done`, "--", "", "--variable", "a b", "\xff\x1b", "--"},
		"name of the process":   {"/bin/sh", "-c", `printf %s "$0"`},
		"environment":           {"cat", "/proc/self/environ"},
		"streams":               {"sh", "-c", "echo out; cat; cat <&3"},
		"open files":            {"sh", "-c", "ls /proc/self/fd | wc -l"},
		"signals and limits":    {"sh", "-c", "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status; ulimit -n; ulimit -s"},
		"working directory":     {"pwd"},
		"killed by itself":      {"sh", "-c", "kill -KILL $$"},
		"a flag of the command": {"sh", "-c", "echo $1", "sh", "--help"},
	} {
		t.Run(name, func(t *testing.T) {
			stream := func(text string) *os.File {
				path := filepath.Join(t.TempDir(), "in")
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				file, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = file.Close() })
				return file
			}
			want := begin(t, environ, stream("in"), []*os.File{stream("three")}, command...).wait()
			for _, dashes := range [][]string{{guard, "--"}, {guard}} {
				got := begin(t, environ, stream("in"), []*os.File{stream("three")}, append(slices.Clone(dashes), command...)...).wait()
				line := startcases.Line("declarations", "2", "command", fmt.Sprintf("%q", command[0]))
				expected := want
				expected.Stderr = line + want.Stderr
				if diff := cmp.Diff(expected, got); diff != "" {
					t.Errorf("%q: -want +got:\n%s", dashes, diff)
				}
			}
		})
	}
}

func TestSignalsReachTheCommand(t *testing.T) {
	environ := []string{"PATH=/bin:/usr/bin", "JANGAR_MIGRATIONS=skip"}
	for name, test := range map[string]struct {
		script string
		signal syscall.Signal
		want   int
		stdout string
	}{
		"not handled":     {"echo $$; while :; do sleep 0.05; done", syscall.SIGTERM, -int(syscall.SIGTERM), ""},
		"handled":         {"trap 'echo bye; exit 9' TERM; echo $$; while :; do sleep 0.05; done", syscall.SIGTERM, 9, "bye\n"},
		"interrupted":     {"trap 'echo bye; exit 7' INT; echo $$; while :; do sleep 0.05; done", syscall.SIGINT, 7, "bye\n"},
		"another, of use": {"trap 'echo reload; exit 0' USR1; echo $$; while :; do sleep 0.05; done", syscall.SIGUSR1, 0, "reload\n"},
	} {
		t.Run(name, func(t *testing.T) {
			p := begin(t, environ, nil, nil, guard, "--", "sh", "-c", test.script)
			deadline := time.Now().Add(time.Minute)
			for !strings.HasSuffix(read(t, p.stdout), "\n") {
				if time.Now().After(deadline) {
					_ = p.process.Kill()
					t.Fatalf("the command did not start: %s", read(t, p.stderr))
				}
				time.Sleep(10 * time.Millisecond)
			}
			if err := p.process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			// The command has the number of the process that was started.
			want := result{Status: test.want, Stdout: fmt.Sprintf("%d\n%s", p.process.Pid, test.stdout), Stderr: startcases.Line()}
			if diff := cmp.Diff(want, p.wait()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCommandsThatCannotStart(t *testing.T) {
	folder := t.TempDir()
	for name, file := range startcases.Files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(file.Text), os.FileMode(file.Mode)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range startcases.CannotStart(folder) {
		if diff := cmp.Diff(test.Want, runGuard(t, test.Environ, test.Args...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.Name, diff)
		}
	}
}

func TestPathIsFollowedAsExecvpDoes(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for path, mode := range map[string]os.FileMode{first + "/tool": 0o600, second + "/tool": 0o700} {
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho \"$0\"\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"PATH=" + first + ":" + second, "PATH=/no:" + second + "/:" + first} {
		got := runGuard(t, []string{path, "JANGAR_MIGRATIONS=skip"}, "tool")
		want := result{Stdout: second + "/tool\n", Stderr: startcases.Line("command", `"tool"`)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", path, diff)
		}
	}
	// Without PATH there is a default.
	if got := runGuard(t, []string{"JANGAR_MIGRATIONS=skip"}, "sh", "-c", "echo started"); got.Stdout != "started\n" {
		t.Errorf("without PATH: %+v", got)
	}
}

// A log that nobody reads must not start a process that migrates, nor keep one
// from starting that does not.
func TestWithoutALog(t *testing.T) {
	for value, want := range map[string]int{"skip": 3, "auto": 78} {
		process, err := os.StartProcess(guard, []string{guard, "/bin/sh", "-c", "exit 3"}, &os.ProcAttr{Env: []string{"JANGAR_MIGRATIONS=" + value}})
		if err != nil {
			t.Fatal(err)
		}
		state, err := process.Wait()
		if err != nil || state.ExitCode() != want {
			t.Errorf("%s: %v, %v, want status %d", value, state, err, want)
		}
	}
}

func TestWithoutTheFileOfTheEnvironment(t *testing.T) {
	if diff := cmp.Diff(os.Environ(), environment(filepath.Join(t.TempDir(), "none"))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestPage runs what docs/start-up-guard-image.md shows: what a command prints, and
// its exit status.
func TestPage(t *testing.T) {
	text, err := os.ReadFile("../../../docs/start-up-guard-image.md")
	if err != nil {
		t.Fatal(err)
	}
	sessions := regexp.MustCompile("(?s)```\n\\$ (\\S+=\\S+) migrations-guard(.*?); echo \\$\\?\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	for _, session := range sessions {
		got := runGuard(t, []string{session[1]}, strings.Fields(session[2])...)
		if diff := cmp.Diff(session[3], fmt.Sprintf("%s%s%d\n", got.Stdout, got.Stderr, got.Status)); diff != "" {
			t.Errorf("%s, -shown +printed:\n%s", session[2], diff)
		}
	}
	if len(sessions) != 3 {
		t.Errorf("%d sessions, want 3", len(sessions))
	}
}

// TestIsSmallAndAlone looks at what is in the binary.
func TestIsSmallAndAlone(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	want := []string{"github.com/proompteng/nevermigrate/harness/internal/mode", "github.com/proompteng/nevermigrate/harness/internal/version", "github.com/proompteng/nevermigrate/harness/cmd/migrations-guard"}
	if diff := cmp.Diff(want, strings.Fields(string(out))); diff != "" {
		t.Errorf("packages beyond the standard library, -want +got:\n%s", diff)
	}
	file, err := os.Open(guard)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	size, err := io.Copy(io.Discard, file)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, stripped", size)
	if size > 4<<20 {
		t.Errorf("%d bytes are more than 4 MiB", size)
	}
}

// Elsewhere a process cannot become another, and the build says so.
func TestBuildsOnUnixOnly(t *testing.T) {
	for system, want := range map[string]bool{"linux": true, "darwin": true, "freebsd": true, "windows": false, "plan9": false} {
		var stderr bytes.Buffer
		list := exec.Command("go", "list", "-f", "{{len .GoFiles}}", ".")
		list.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64")
		list.Stderr = &stderr
		_, err := list.Output()
		excluded := strings.Contains(stderr.String(), "build constraints exclude all Go files")
		if (err == nil) != want || excluded == want {
			t.Errorf("%s: %v: %s", system, err, &stderr)
		}
	}
}
