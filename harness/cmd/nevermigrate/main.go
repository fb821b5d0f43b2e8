// Command nevermigrate checks that controllers never apply database migrations.
//
// The contract with its users:
//
//	nevermigrate init [DIR]              set a repository up, and judge it
//	nevermigrate check [flags] [PATH...] judge apps and manifests
//	nevermigrate diff --base REV PATH... tell what a change did to the contract
//	nevermigrate diff BASE HEAD          tell it from two JSON reports of check
//	nevermigrate merge REPORT...         join the reports of shards
//	nevermigrate explain PATH...         tell which place decides each mode
//	nevermigrate probe CHART|APP         search a chart's values for a hole
//	nevermigrate render PATH             print the manifests that are judged
//	nevermigrate vendor [PATH...]        download charts that are not committed
//	nevermigrate config                  print what is in force, and why
//	nevermigrate bundle                  write the policy as an OPA bundle
//	nevermigrate schema NAME             print the JSON Schema of a JSON output
//	nevermigrate template NAME           print what enforces the contract in a cluster
//	nevermigrate completion SHELL        print the script by which a shell completes
//
// What was asked for goes to standard output, everything else to standard
// error. The exit status is 0 when the contract holds, 1 when it is broken and
// 2 when it could not be decided: bad usage, unreadable input, a failed
// rendering, a broken policy.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	tuneMemory(400, 144<<20)
	collectLater()
	raiseLimit()
	// Helm logs remarks on charts (a symbolic link, a table over a scalar)
	// that are not addressed to the user of this command.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	log.SetOutput(os.Stderr)
	log.SetFlags(0)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run runs the command line and returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand()
	if completing(args) {
		plainDescriptions(root)
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var status exitStatus
	var usage usageErr
	switch {
	case err == nil:
		return report.ExitHolds
	case errors.As(err, &status):
		return int(status)
	default:
		// It may hold names from files that nobody has reviewed yet.
		fmt.Fprintf(stderr, "Error: %s\n", plaintext.Lines(err.Error()))
		if errors.As(err, &usage) {
			fmt.Fprintf(stderr, "Run `%s --help` for usage.\n", usage.command)
		}
		return report.ExitUndecided
	}
}

// exitStatus carries an exit status to run when the command has said all there
// is to say.
type exitStatus int

// Error implements error.
func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }
