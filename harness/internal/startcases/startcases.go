// Package startcases lists what can happen when migrations-guard starts, and what
// must come out of it: for the tests of the program, and for those of its image.
package startcases

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Result is all that comes out of a process. A status below 0 is a signal.
type Result struct {
	Status         int
	Stdout, Stderr string
}

// Case is a start of the guard.
type Case struct {
	Name string
	// Environ is the environment, entry by entry as a process gets it.
	Environ []string
	// Args are the guard's flags and the command.
	Args []string
	Want Result
	// ProcessOnly says why a process in a container never gets this environment.
	// Empty: it can.
	ProcessOnly string
}

// Why a container does not have an environment that a process may have.
const (
	once    = "a runtime passes each name once"
	equals  = "a runtime refuses an entry without ="
	unicode = "the configuration of a runtime is JSON, which holds Unicode only"
)

// Line is the line that the guard writes, without changes for the command sh that
// is started. A change is a key and its value as JSON; an empty one leaves it out.
func Line(changes ...string) string {
	keys := [][2]string{
		{"guard", `"migrations-guard"`}, {"version", Version}, {"mode", `"skip"`},
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

// Version is the version in a line, as JSON: that of a guard that Go has not stamped.
const Version = `"(devel)"`

const (
	// Because is the middle of what a refusal says.
	Because = ", so the service would run migrations, and controllers never do. "
	// Remedy is its end when no setting is changed.
	Remedy = "Set JANGAR_MIGRATIONS to \"skip\", once: controllers.env.vars.JANGAR_MIGRATIONS in the chart's values.\n"
)

// with are the changes of a line for an action on a command, or on none.
func with(action, command string, changes []string) []string {
	named := ""
	if command != "" {
		named = strconv.Quote(command)
	}
	return append([]string{"action", strconv.Quote(action), "command", named}, changes...)
}

// held is what comes of a mode that is skip, before the command runs.
func held(command string, changes []string) Result {
	action := "exec"
	if command == "" {
		action = "check"
	}
	return Result{Stderr: Line(with(action, command, changes)...)}
}

// refused is what comes of another mode.
func refused(command, found, remedy string, changes []string) Result {
	stopped := "this check fails"
	if command != "" {
		stopped = strconv.Quote(command) + " is not started"
	}
	return Result{78, "", Line(append(with("refuse", command, changes), "mode", `"auto"`)...) +
		"migrations-guard: " + stopped + ": " + found + Because + remedy}
}

// Modes are the cases of the variable, for a command or, when that is empty, for a
// check. The command, which follows the guard's arguments, ends with a status and
// prints nothing.
func Modes(command string, status int) []Case {
	holds := func(changes ...string) Result {
		result := held(command, changes)
		if command != "" {
			result.Status = status
		}
		return result
	}
	refused := func(found string, changes ...string) Result { return refused(command, found, Remedy, changes) }
	unset := []string{"value", "null", "set", "false", "declarations", "0", "source", `"default"`}
	long := strings.Repeat("x", 100_000)
	return []Case{
		{Name: "skip", Environ: []string{"JANGAR_MIGRATIONS=skip"}, Want: holds()},
		{Name: "another spelling", Environ: []string{"JANGAR_MIGRATIONS= OFF\n"}, Want: holds("value", `" OFF\n"`)},
		{Name: "a value behind a long blank", Environ: []string{"JANGAR_MIGRATIONS=" + strings.Repeat(" ", 100_000) + "0"}, Want: holds("value", `"`+strings.Repeat(" ", 256)+`..."`)},
		{Name: "auto", Environ: []string{"JANGAR_MIGRATIONS=auto"}, Want: refused(`JANGAR_MIGRATIONS is "auto"`, "value", `"auto"`)},
		{Name: "empty", Environ: []string{"JANGAR_MIGRATIONS="}, Want: refused(`JANGAR_MIGRATIONS is ""`, "value", `""`)},
		{Name: "absent", Environ: []string{"PATH=/bin"}, Want: refused("JANGAR_MIGRATIONS is not set", unset...)},
		{Name: "no environment", Want: refused("JANGAR_MIGRATIONS is not set", unset...)},
		{Name: "no value at all", Environ: []string{"JANGAR_MIGRATIONS"}, Want: refused("JANGAR_MIGRATIONS is not set", unset...), ProcessOnly: equals},
		{Name: "another case", Environ: []string{"jangar_migrations=skip", "SECRET=hunter2"}, Want: refused("JANGAR_MIGRATIONS is not set", unset...)},
		{Name: "a look-alike with control characters", Environ: []string{"JANGAR_MIGRATION\x1b=skip"}, Want: refused(`JANGAR_MIGRATIONS is not set`, unset...)},
		{Name: "twice skip", Environ: []string{"JANGAR_MIGRATIONS=skip", "JANGAR_MIGRATIONS=off"}, Want: holds("declarations", "2"), ProcessOnly: once},
		{Name: "skip, then auto", Environ: []string{"JANGAR_MIGRATIONS=skip", "JANGAR_MIGRATIONS=auto"}, Want: refused(`JANGAR_MIGRATIONS is set 2 times, once to "auto"`, "value", `"auto"`, "declarations", "2"), ProcessOnly: once},
		{Name: "auto, then skip", Environ: []string{"JANGAR_MIGRATIONS=auto", "X=1", "JANGAR_MIGRATIONS=skip"}, Want: refused(`JANGAR_MIGRATIONS is set 2 times, once to "auto"`, "value", `"auto"`, "declarations", "2"), ProcessOnly: once},
		{Name: "a very long value", Environ: []string{"JANGAR_MIGRATIONS=" + long}, Want: refused(`JANGAR_MIGRATIONS is "`+long[:256]+`..."`, "value", `"`+long[:256]+`..."`)},
		{Name: "invalid UTF-8", Environ: []string{"JANGAR_MIGRATIONS=\xffskip"}, Want: refused(`JANGAR_MIGRATIONS is "\xffskip"`, "value", `"\ufffdskip"`), ProcessOnly: unicode},
		{Name: "control characters", Environ: []string{"JANGAR_MIGRATIONS=\x1b]0;\u009b\u202e\U0001f600\x7f\n"}, Want: refused(`JANGAR_MIGRATIONS is "\x1b]0;\u009b\u202e\U0001f600\x7f\n"`, "value", `"\u001b]0;\u009b\u202e\ud83d\ude00\u007f\n"`)},
	}
}

// Settings are the cases of the flags, and of the variables that stand for them. No
// command of theirs is started.
func Settings() []Case {
	skip := []string{"JANGAR_MIGRATIONS=skip"}
	holds := func(changes ...string) Result { return held("", changes) }
	refused := func(found, remedy string, changes ...string) Result { return refused("", found, remedy, changes) }
	usage := func(text string) Result {
		return Result{64, "", "migrations-guard: " + text + "; nothing is started, see migrations-guard --help\n"}
	}
	const noName = " cannot be the name of an environment variable: use letters, digits, _, - and . only, and do not start with a digit"
	const noSkipValue = ": write skip values in lower case, in ASCII, without $ and without white space around them"
	return []Case{
		{Name: "variable by flag", Environ: []string{"MODE=skip"}, Args: []string{"--variable", "MODE"}, Want: holds("variable", `"MODE"`)},
		{Name: "variable by environment", Environ: []string{"MODE=skip", "MIGRATIONS_GUARD_VARIABLE=MODE"}, Want: holds("variable", `"MODE"`)},
		{Name: "flag over environment", Environ: []string{"MODE=skip", "MIGRATIONS_GUARD_VARIABLE=OTHER"}, Args: []string{"-variable=MODE"}, Want: holds("variable", `"MODE"`)},
		{Name: "skip values by flag", Environ: []string{"JANGAR_MIGRATIONS=B,c"}, Args: []string{"--skip-value", "a", "--skip-value", "b,c"}, Want: holds("value", `"B,c"`, "skipValues", `["a","b,c"]`)},
		{Name: "skip values by environment", Environ: []string{"JANGAR_MIGRATIONS=B", "MIGRATIONS_GUARD_SKIP_VALUES=a,b"}, Want: holds("value", `"B"`, "skipValues", `["a","b"]`)},
		{Name: "skip values replace the defaults", Environ: skip, Args: []string{"--skip-value=never"}, Want: refused(`JANGAR_MIGRATIONS is "skip"`, "Set JANGAR_MIGRATIONS to \"never\", once: controllers.env.vars.JANGAR_MIGRATIONS in the chart's values.\n", "skipValues", `["never"]`)},
		{Name: "hint by flag", Environ: []string{"MODE=on"}, Args: []string{"--variable", "MODE", "--hint", "mode in \"values.yaml\"\n"}, Want: refused(`MODE is "on"`, "Set MODE to \"skip\", once: mode in \"values.yaml\"\\n.\n", "variable", `"MODE"`, "value", `"on"`)},
		{Name: "hint by environment", Environ: []string{"JANGAR_MIGRATIONS=on", "MIGRATIONS_GUARD_HINT=ask the platform"}, Want: refused(`JANGAR_MIGRATIONS is "on"`, "Set JANGAR_MIGRATIONS to \"skip\", once: ask the platform.\n", "value", `"on"`)},
		{Name: "hint follows the variable", Environ: []string{"MODE=on"}, Args: []string{"--variable", "MODE"}, Want: refused(`MODE is "on"`, "Set MODE to \"skip\", once: controllers.env.vars.MODE in the chart's values.\n", "variable", `"MODE"`, "value", `"on"`)},
		{Name: "the same setting twice", Environ: []string{"MODE=skip", "MIGRATIONS_GUARD_VARIABLE=MODE", "MIGRATIONS_GUARD_VARIABLE=MODE"}, Want: holds("variable", `"MODE"`), ProcessOnly: once},
		{Name: "nothing after the dashes", Environ: skip, Args: []string{"--"}, Want: holds()},
		{Name: "unknown flag", Environ: skip, Args: []string{"--varable", "X", "--", "sh", "-c", "echo started"}, Want: usage("flag provided but not defined: -varable")},
		{Name: "unknown flag with control characters", Environ: skip, Args: []string{"--\x1b[31m"}, Want: usage(`flag provided but not defined: -\x1b[31m`)},
		{Name: "flag without a value", Environ: skip, Args: []string{"--variable"}, Want: usage("flag needs an argument: -variable")},
		{Name: "variable by flag that is no name", Environ: skip, Args: []string{"--variable", "A=B", "sh", "-c", "echo started"}, Want: usage(`--variable: "A=B"` + noName)},
		{Name: "variable by flag that is empty", Environ: skip, Args: []string{"--variable=", "sh"}, Want: usage(`--variable: ""` + noName)},
		{Name: "variable by environment that is empty", Environ: append(slices.Clone(skip), "MIGRATIONS_GUARD_VARIABLE="), Args: []string{"sh"}, Want: usage(`MIGRATIONS_GUARD_VARIABLE: ""` + noName)},
		{Name: "variable by flag, twice", Environ: skip, Args: []string{"--variable", "A", "--variable", "A"}, Want: usage("--variable: given 2 times")},
		{Name: "variable by environment, twice", Environ: append(slices.Clone(skip), "MIGRATIONS_GUARD_VARIABLE=A", "MIGRATIONS_GUARD_VARIABLE=B"), Args: []string{"sh"}, Want: usage("MIGRATIONS_GUARD_VARIABLE: set more than once in the environment, with different values"), ProcessOnly: once},
		{Name: "skip value that is auto", Environ: skip, Args: []string{"--skip-value", "auto"}, Want: usage(`--skip-value: "auto" makes the service migrate: remove the entry`)},
		{Name: "skip value in capitals", Environ: skip, Args: []string{"--skip-value", "ok", "--skip-value", "Never"}, Want: usage(`--skip-value: no value of the service is compared with "Never"` + noSkipValue)},
		{Name: "skip values that are empty", Environ: append(slices.Clone(skip), "MIGRATIONS_GUARD_SKIP_VALUES="), Args: []string{"sh"}, Want: usage("MIGRATIONS_GUARD_SKIP_VALUES: an empty string: remove the entry or write what it stands for")},
		{Name: "skip values with blanks", Environ: append(slices.Clone(skip), "MIGRATIONS_GUARD_SKIP_VALUES=skip, off"), Args: []string{"sh"}, Want: usage(`MIGRATIONS_GUARD_SKIP_VALUES: no value of the service is compared with " off"` + noSkipValue)},
		{Name: "empty hint", Environ: skip, Args: []string{"--hint", ""}, Want: usage("--hint: empty: say where the variable is set, or leave it out")},
		{Name: "version with a command", Environ: skip, Args: []string{"--version", "--", "sh"}, Want: usage("--help and --version stand alone, without a command")},
		{Name: "help with a command", Environ: skip, Args: []string{"--help", "sh"}, Want: usage("--help and --version stand alone, without a command")},
	}
}

// Files are those that CannotStart names, with their content and mode.
var Files = map[string]struct {
	Text string
	Mode uint32
}{
	"plain":     {"#!/bin/sh\n", 0o600},
	"orphan":    {"#!/no/such/interpreter\n", 0o700},
	"shapeless": {"echo started\n", 0o700},
}

// CannotStart are the cases of commands that cannot be started. Files are in a
// folder, and belong to who starts them.
func CannotStart(folder string) []Case {
	plain, orphan, shapeless := filepath.Join(folder, "plain"), filepath.Join(folder, "orphan"), filepath.Join(folder, "shapeless")
	inPath := "PATH=/no/such/folder:" + plain + ":" + folder
	cannot := func(command, path string, status int, says string) Case {
		shown := command
		if len(shown) > 256 {
			shown = shown[:256] + "..."
		}
		return Case{
			Name:    fmt.Sprintf("%q with %s", shown, path),
			Environ: []string{path, "JANGAR_MIGRATIONS=skip"},
			Args:    []string{"--", command},
			Want:    Result{status, "", Line(with("exec", shown, nil)...) + "migrations-guard: " + says + "\n"},
		}
	}
	return []Case{
		cannot("no-such-command", inPath, 127, `"no-such-command" was not found in PATH`),
		cannot("no-such-command", "PATH=", 127, `"no-such-command" was not found in PATH`),
		cannot("no-such-command", "NO_PATH=1", 127, `"no-such-command" was not found in PATH`),
		cannot("/no/such/command", inPath, 127, `"/no/such/command" was not found`),
		cannot(plain+"/x", inPath, 127, fmt.Sprintf("%q was not found", plain+"/x")),
		cannot("", inPath, 127, `"" was not found`),
		cannot("plain", inPath, 126, fmt.Sprintf(`"plain" cannot be started: %s is not executable for this user`, plain)),
		cannot(plain, inPath, 126, fmt.Sprintf("%q cannot be started: %s is not executable for this user", plain, plain)),
		cannot(folder, inPath, 126, fmt.Sprintf("%q cannot be started: %s is not executable for this user", folder, folder)),
		cannot("orphan", inPath, 127, fmt.Sprintf(`"orphan" cannot be started: %s is there, but the interpreter or loader that it names is not`, orphan)),
		cannot("shapeless", inPath, 126, fmt.Sprintf(`"shapeless" cannot be started: %s is no program for this machine and names no interpreter in a #! line`, shapeless)),
		cannot(strings.Repeat("x", 300), "PATH=/", 126, fmt.Sprintf(`"%s..." cannot be started: /%s...: file name too long`, strings.Repeat("x", 256), strings.Repeat("x", 255))),
	}
}
