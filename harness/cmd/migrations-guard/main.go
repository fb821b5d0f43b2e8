//go:build unix

// Command migrations-guard starts a controllers process only when it would not
// run migrations. It is the entry point of an image, or an init container, and
// stops what got past every check of manifests.
//
//	migrations-guard [flags] [--] [COMMAND [ARGUMENT...]]
//
// It resolves the mode of the migrations variable in its own environment and
// writes one line of JSON about it to standard error: standard output is the
// command's. When the mode is skip, it becomes the command, in the same
// process, so that signals, exit status, streams, arguments and environment are
// the command's own; without a command it only checks. Otherwise it writes what
// is set, what to set and where, and nothing is started.
//
// The line has the keys guard, version, mode (skip or auto), variable, value
// (null when it is not set, cut after 256 characters), set, declarations (how
// often the environment has it), source (environment, or default when it is not
// set), skipValues, action (exec, check or refuse) and command (its name
// without its arguments, which may hold secrets). Nothing but ASCII is written.
// No other variable's value is.
//
// Exit status, unless it is the command's: 0 a check that held, 64 bad usage,
// 78 the mode is not skip, 126 the command cannot be run, 127 it was not found.
// Linux and other Unix systems only: elsewhere a process cannot become another.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/proompteng/nevermigrate/harness/internal/version"
)

// The exit statuses; 64 and 78 are those of sysexits.h, 126 and 127 those that
// shells and env have.
const (
	statusHeld      = 0
	statusUsage     = 64
	statusRefused   = 78
	statusCannotRun = 126
	statusNotFound  = 127
)

func main() {
	os.Exit(run(os.Args[1:], environment("/proc/self/environ"), os.Stdout, os.Stderr))
}

// run does all of it and gives the exit status. It does not return when the
// command is started.
func run(args, environ []string, stdout, stderr io.Writer) int {
	settings, err := parse(args, environ)
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "migrations-guard: %v; nothing is started, see migrations-guard --help\n", err)
		return statusUsage
	case settings.help:
		fmt.Fprint(stdout, help)
		return statusHeld
	case settings.version:
		fmt.Fprintf(stdout, "migrations-guard %s", version.Program())
		return statusHeld
	}

	verdict := judge(settings, environ)
	// A log that cannot be written does not make the process migrate.
	_, _ = stderr.Write(verdict.line())
	if verdict.Action == refuse {
		fmt.Fprintf(stderr, "migrations-guard: %s\n", verdict.complaint)
		return statusRefused
	}
	if len(settings.command) == 0 {
		return statusHeld
	}
	status, err := become(settings.command, environ)
	fmt.Fprintf(stderr, "migrations-guard: %v\n", err)
	return status
}
