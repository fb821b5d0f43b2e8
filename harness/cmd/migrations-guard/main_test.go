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
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

// result is all that comes out of a process.
type result struct {
	Status         int
	Stdout, Stderr string
}

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
	return result{status, read(p.t, p.stdout), read(p.t, p.stderr)}
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

// line gives the line that the guard writes, with the defaults for what a case
// does not change.
func line(changes ...string) string {
	keys := [][2]string{
		{"guard", `"migrations-guard"`}, {"version", `"(devel)"`}, {"mode", `"skip"`},
		{"variable", `"JANGAR_MIGRATIONS"`}, {"value", `"skip"`}, {"set", "true"}, {"declarations", "1"},
		{"source", `"environment"`}, {"skipValues", `["skip","disabled","false","0","off"]`},
		{"action", `"exec"`}, {"command", `"sh"`},
	}
	var pairs []string
	for _, key := range keys {
		for i := 0; i < len(changes); i += 2 {
			if changes[i] == key[0] {
				key[1] = changes[i+1]
			}
		}
		if key[1] != "" {
			pairs = append(pairs, fmt.Sprintf("%q:%s", key[0], key[1]))
		}
	}
	return "{" + strings.Join(pairs, ",") + "}\n"
}

const (
	checks  = "migrations-guard: this check fails: "
	because = ", so the service would run migrations, and controllers never do. "
	remedy  = "Set JANGAR_MIGRATIONS to \"skip\", once: controllers.env.vars.JANGAR_MIGRATIONS in the chart's values.\n"
)

func TestModes(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, test := range []struct {
		name    string
		environ []string
		want    result
	}{
		{"skip", []string{"JANGAR_MIGRATIONS=skip"}, result{0, "", line("action", `"check"`, "command", "")}},
		{"another spelling", []string{"JANGAR_MIGRATIONS= OFF\n"}, result{0, "", line("action", `"check"`, "command", "", "value", `" OFF\n"`)}},
		{"a value behind a long blank", []string{"JANGAR_MIGRATIONS=" + strings.Repeat(" ", 100_000) + "0"},
			result{0, "", line("action", `"check"`, "command", "", "value", `"`+strings.Repeat(" ", 256)+`..."`)}},
		{"auto", []string{"JANGAR_MIGRATIONS=auto"}, result{78, "",
			line("mode", `"auto"`, "value", `"auto"`, "action", `"refuse"`, "command", "") +
				checks + `JANGAR_MIGRATIONS is "auto"` + because + remedy}},
		{"empty", []string{"JANGAR_MIGRATIONS="}, result{78, "",
			line("mode", `"auto"`, "value", `""`, "action", `"refuse"`, "command", "") +
				checks + `JANGAR_MIGRATIONS is ""` + because + remedy}},
		{"absent", []string{"PATH=/bin"}, result{78, "",
			line("mode", `"auto"`, "value", "null", "set", "false", "declarations", "0", "source", `"default"`, "action", `"refuse"`, "command", "") +
				checks + "JANGAR_MIGRATIONS is not set" + because + remedy}},
		{"no environment", nil, result{78, "",
			line("mode", `"auto"`, "value", "null", "set", "false", "declarations", "0", "source", `"default"`, "action", `"refuse"`, "command", "") +
				checks + "JANGAR_MIGRATIONS is not set" + because + remedy}},
		{"no value at all", []string{"JANGAR_MIGRATIONS"}, result{78, "",
			line("mode", `"auto"`, "value", "null", "set", "false", "declarations", "0", "source", `"default"`, "action", `"refuse"`, "command", "") +
				checks + "JANGAR_MIGRATIONS is not set" + because + remedy}},
		{"another case", []string{"jangar_migrations=skip", "SECRET=hunter2"}, result{78, "",
			line("mode", `"auto"`, "value", "null", "set", "false", "declarations", "0", "source", `"default"`, "action", `"refuse"`, "command", "") +
				checks + "JANGAR_MIGRATIONS is not set" + because + remedy}},
		{"a look-alike with control characters", []string{"JANGAR_MIGRATION\x1b=skip"}, result{78, "",
			line("mode", `"auto"`, "value", "null", "set", "false", "declarations", "0", "source", `"default"`, "action", `"refuse"`, "command", "") +
				checks + `JANGAR_MIGRATIONS is not set` + because + remedy}},
		{"twice skip", []string{"JANGAR_MIGRATIONS=skip", "JANGAR_MIGRATIONS=off"},
			result{0, "", line("declarations", "2", "action", `"check"`, "command", "")}},
		{"skip, then auto", []string{"JANGAR_MIGRATIONS=skip", "JANGAR_MIGRATIONS=auto"}, result{78, "",
			line("mode", `"auto"`, "value", `"auto"`, "declarations", "2", "action", `"refuse"`, "command", "") +
				checks + `JANGAR_MIGRATIONS is set 2 times, once to "auto"` + because + remedy}},
		{"auto, then skip", []string{"JANGAR_MIGRATIONS=auto", "X=1", "JANGAR_MIGRATIONS=skip"}, result{78, "",
			line("mode", `"auto"`, "value", `"auto"`, "declarations", "2", "action", `"refuse"`, "command", "") +
				checks + `JANGAR_MIGRATIONS is set 2 times, once to "auto"` + because + remedy}},
		{"a very long value", []string{"JANGAR_MIGRATIONS=" + long}, result{78, "",
			line("mode", `"auto"`, "value", `"`+long[:256]+`..."`, "action", `"refuse"`, "command", "") +
				checks + `JANGAR_MIGRATIONS is "` + long[:256] + `..."` + because + remedy}},
		{"invalid UTF-8", []string{"JANGAR_MIGRATIONS=\xffskip"}, result{78, "",
			line("mode", `"auto"`, "value", `"\ufffdskip"`, "action", `"refuse"`, "command", "") +
				checks + `JANGAR_MIGRATIONS is "\xffskip"` + because + remedy}},
		{"control characters", []string{"JANGAR_MIGRATIONS=\x1b]0;\u009b\u202e\U0001f600\x7f\n"}, result{78, "",
			line("mode", `"auto"`, "value", `"\u001b]0;\u009b\u202e\ud83d\ude00\u007f\n"`, "action", `"refuse"`, "command", "") +
				checks + `JANGAR_MIGRATIONS is "\x1b]0;\u009b\u202e\U0001f600\x7f\n"` + because + remedy}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := runGuard(t, test.environ)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			first, _, _ := strings.Cut(got.Stderr, "\n")
			if !json.Valid([]byte(first)) {
				t.Errorf("the line is no JSON: %s", first)
			}
			// With a command it is the same, but for what it is about.
			status := test.want.Status
			if status == 0 {
				status = 3
			}
			if started := runGuard(t, append([]string{"PATH=/bin:/usr/bin"}, test.environ...), "--", "sh", "-c", "exit 3"); started.Status != status {
				t.Errorf("with a command the status is %d, not %d", started.Status, status)
			}
		})
	}
}

func TestRefusedCommandIsNamedWithoutItsArguments(t *testing.T) {
	want := result{78, "", line("mode", `"auto"`, "value", `"auto"`, "action", `"refuse"`, "command", `"node\n"`) +
		`migrations-guard: "node\n" is not started: JANGAR_MIGRATIONS is "auto"` + because + remedy}
	got := runGuard(t, []string{"JANGAR_MIGRATIONS=auto"}, "node\n", "--password=hunter2")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSettings(t *testing.T) {
	skip := []string{"JANGAR_MIGRATIONS=skip"}
	usage := func(text string) result {
		return result{64, "", "migrations-guard: " + text + "; nothing is started, see migrations-guard --help\n"}
	}
	checked := []string{"action", `"check"`, "command", ""}
	const noName = " cannot be the name of an environment variable: use letters, digits, _, - and . only, and do not start with a digit"
	const noSkipValue = ": write skip values in lower case, in ASCII, without $ and without white space around them"
	for _, test := range []struct {
		name    string
		environ []string
		args    []string
		want    result
	}{
		{"variable by flag", []string{"MODE=skip"}, []string{"--variable", "MODE"}, result{0, "", line(append(checked, "variable", `"MODE"`)...)}},
		{"variable by environment", []string{"MODE=skip", "MIGRATIONS_GUARD_VARIABLE=MODE"}, nil, result{0, "", line(append(checked, "variable", `"MODE"`)...)}},
		{"flag over environment", []string{"MODE=skip", "MIGRATIONS_GUARD_VARIABLE=OTHER"}, []string{"-variable=MODE"}, result{0, "", line(append(checked, "variable", `"MODE"`)...)}},
		{"skip values by flag", []string{"JANGAR_MIGRATIONS=B,c"}, []string{"--skip-value", "a", "--skip-value", "b,c"},
			result{0, "", line(append(checked, "value", `"B,c"`, "skipValues", `["a","b,c"]`)...)}},
		{"skip values by environment", []string{"JANGAR_MIGRATIONS=B", "MIGRATIONS_GUARD_SKIP_VALUES=a,b"}, nil,
			result{0, "", line(append(checked, "value", `"B"`, "skipValues", `["a","b"]`)...)}},
		{"skip values replace the defaults", skip, []string{"--skip-value=never"}, result{78, "",
			line("mode", `"auto"`, "skipValues", `["never"]`, "action", `"refuse"`, "command", "") + checks + `JANGAR_MIGRATIONS is "skip"` + because +
				"Set JANGAR_MIGRATIONS to \"never\", once: controllers.env.vars.JANGAR_MIGRATIONS in the chart's values.\n"}},
		{"hint by flag", []string{"MODE=on"}, []string{"--variable", "MODE", "--hint", "mode in \"values.yaml\"\n"}, result{78, "",
			line("mode", `"auto"`, "variable", `"MODE"`, "value", `"on"`, "action", `"refuse"`, "command", "") + checks + `MODE is "on"` + because +
				"Set MODE to \"skip\", once: mode in \"values.yaml\"\\n.\n"}},
		{"hint by environment", []string{"JANGAR_MIGRATIONS=on", "MIGRATIONS_GUARD_HINT=ask the platform"}, nil, result{78, "",
			line("mode", `"auto"`, "value", `"on"`, "action", `"refuse"`, "command", "") + checks + `JANGAR_MIGRATIONS is "on"` + because +
				"Set JANGAR_MIGRATIONS to \"skip\", once: ask the platform.\n"}},
		{"hint follows the variable", []string{"MODE=on"}, []string{"--variable", "MODE"}, result{78, "",
			line("mode", `"auto"`, "variable", `"MODE"`, "value", `"on"`, "action", `"refuse"`, "command", "") + checks + `MODE is "on"` + because +
				"Set MODE to \"skip\", once: controllers.env.vars.MODE in the chart's values.\n"}},
		{"the same setting twice", []string{"MODE=skip", "MIGRATIONS_GUARD_VARIABLE=MODE", "MIGRATIONS_GUARD_VARIABLE=MODE"}, nil,
			result{0, "", line(append(checked, "variable", `"MODE"`)...)}},
		{"nothing after the dashes", skip, []string{"--"}, result{0, "", line(checked...)}},

		{"unknown flag", skip, []string{"--varable", "X", "--", "sh", "-c", "echo started"}, usage("flag provided but not defined: -varable")},
		{"unknown flag with control characters", skip, []string{"--\x1b[31m"}, usage(`flag provided but not defined: -\x1b[31m`)},
		{"flag without a value", skip, []string{"--variable"}, usage("flag needs an argument: -variable")},
		{"variable by flag that is no name", skip, []string{"--variable", "A=B", "sh", "-c", "echo started"}, usage(`--variable: "A=B"` + noName)},
		{"variable by flag that is empty", skip, []string{"--variable=", "sh"}, usage(`--variable: ""` + noName)},
		{"variable by environment that is empty", append(skip, "MIGRATIONS_GUARD_VARIABLE="), []string{"sh"}, usage(`MIGRATIONS_GUARD_VARIABLE: ""` + noName)},
		{"variable by flag, twice", skip, []string{"--variable", "A", "--variable", "A"}, usage("--variable: given 2 times")},
		{"variable by environment, twice", append(skip, "MIGRATIONS_GUARD_VARIABLE=A", "MIGRATIONS_GUARD_VARIABLE=B"), []string{"sh"},
			usage("MIGRATIONS_GUARD_VARIABLE: set more than once in the environment, with different values")},
		{"skip value that is auto", skip, []string{"--skip-value", "auto"}, usage(`--skip-value: "auto" makes the service migrate: remove the entry`)},
		{"skip value in capitals", skip, []string{"--skip-value", "ok", "--skip-value", "Never"}, usage(`--skip-value: no value of the service is compared with "Never"` + noSkipValue)},
		{"skip values that are empty", append(skip, "MIGRATIONS_GUARD_SKIP_VALUES="), []string{"sh"},
			usage("MIGRATIONS_GUARD_SKIP_VALUES: an empty string: remove the entry or write what it stands for")},
		{"skip values with blanks", append(skip, "MIGRATIONS_GUARD_SKIP_VALUES=skip, off"), []string{"sh"},
			usage(`MIGRATIONS_GUARD_SKIP_VALUES: no value of the service is compared with " off"` + noSkipValue)},
		{"empty hint", skip, []string{"--hint", ""}, usage("--hint: empty: say where the variable is set, or leave it out")},
		{"version with a command", skip, []string{"--version", "--", "sh"}, usage("--help and --version stand alone, without a command")},
		{"help with a command", skip, []string{"--help", "sh"}, usage("--help and --version stand alone, without a command")},

		{"version", nil, []string{"--version"}, result{0, "migrations-guard (devel)\n", ""}},
		{"help", nil, []string{"--help"}, result{0, help, ""}},
		{"help, short", nil, []string{"-h"}, result{0, help, ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			environ := append([]string{"PATH=/bin:/usr/bin"}, test.environ...)
			if diff := cmp.Diff(test.want, runGuard(t, environ, test.args...)); diff != "" {
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
				line := line("declarations", "2", "command", fmt.Sprintf("%q", command[0]))
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
			want := result{test.want, fmt.Sprintf("%d\n%s", p.process.Pid, test.stdout), line()}
			if diff := cmp.Diff(want, p.wait()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCommandsThatCannotStart(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := file("plain", "#!/bin/sh\n", 0o600)
	orphan := file("orphan", "#!/no/such/interpreter\n", 0o700)
	shapeless := file("shapeless", "echo started\n", 0o700)
	inPath := "PATH=/no/such/folder:" + plain + ":" + folder
	for _, test := range []struct {
		command, path string
		status        int
		want          string
	}{
		{"no-such-command", inPath, 127, `"no-such-command" was not found in PATH`},
		{"no-such-command", "PATH=", 127, `"no-such-command" was not found in PATH`},
		{"no-such-command", "NO_PATH=1", 127, `"no-such-command" was not found in PATH`},
		{"/no/such/command", inPath, 127, `"/no/such/command" was not found`},
		{plain + "/x", inPath, 127, fmt.Sprintf("%q was not found", plain+"/x")},
		{"", inPath, 127, `"" was not found`},
		{"plain", inPath, 126, fmt.Sprintf(`"plain" cannot be started: %s is not executable for this user`, plain)},
		{plain, inPath, 126, fmt.Sprintf("%q cannot be started: %s is not executable for this user", plain, plain)},
		{folder, inPath, 126, fmt.Sprintf("%q cannot be started: %s is not executable for this user", folder, folder)},
		{"orphan", inPath, 127, fmt.Sprintf(`"orphan" cannot be started: %s is there, but the interpreter or loader that it names is not`, orphan)},
		{"shapeless", inPath, 126, fmt.Sprintf(`"shapeless" cannot be started: %s is no program for this machine and names no interpreter in a #! line`, shapeless)},
		{strings.Repeat("x", 300), "PATH=/", 126, fmt.Sprintf(`"%s..." cannot be started: /%s...: file name too long`, strings.Repeat("x", 256), strings.Repeat("x", 255))},
	} {
		got := runGuard(t, []string{test.path, "JANGAR_MIGRATIONS=skip"}, "--", test.command)
		command := test.command
		if len(command) > 256 {
			command = command[:256] + "..."
		}
		want := result{test.status, "", line("command", fmt.Sprintf("%q", command)) + "migrations-guard: " + test.want + "\n"}
		if test.command == "" {
			want.Stderr = line("command", "") + "migrations-guard: " + test.want + "\n"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q with %s (-want +got):\n%s", test.command, test.path, diff)
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
		want := result{0, second + "/tool\n", line("command", `"tool"`)}
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
