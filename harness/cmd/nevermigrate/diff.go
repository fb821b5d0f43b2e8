package main

import (
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/diff"
	"github.com/proompteng/nevermigrate/harness/report"
)

func newDiffCommand() *cobra.Command {
	var options diff.Options
	var newOnly bool
	var outputs *outputs
	cmd := &cobra.Command{
		Use:   "diff --base REV [flags] [PATH...]",
		Short: "Tell what a change did to the contract",
		Long: `Tell what a change did to the contract: judge the working tree and a commit,
and compare the two by container and by finding.

The head side is the working tree as it is, uncommitted changes and untracked
files included. The base side is the merge base of REV and HEAD, as in a pull
request, or with --no-merge-base REV itself; it is read from the repository's
object store, so REV must have been fetched. Submodules are not part of it, and
files that git filters make (LFS) are there as git stores them.

A PATH is an app, a manifest or a folder, below which every app is found; by
default the working directory. An app that was moved or renamed is one app, also
when it left the paths or came into them. Constraints and the policy are the
files of today for both sides.

A finding is new, kept or fixed by its code, constraint, workload, namespace and
container. When the base side of an app cannot be judged, all its findings are
new.

` + outputHelp + ` Table, json and markdown hold the
comparison. The other formats are those of check, for the head side; with
--new-only they hold what is new there.

Exit status: that of check for the head side. With --new-only findings that the
base side has too are forgiven, and their causes are not looked for.`,
		Example: `  nevermigrate diff --base origin/main
  nevermigrate diff --base origin/main --new-only -o markdown argocd/applications
  nevermigrate diff --base HEAD~1 --no-merge-base argocd/applications/agents`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if options.Base == "" {
				return usageError(cmd, errors.New("no base: name the revision to compare with, such as --base origin/main"))
			}
			if err := checkPolicyFlags(cmd); err != nil {
				return err
			}
			if err := outputs.check(cmd); err != nil {
				return err
			}
			if len(args) == 0 {
				args = []string{"."}
			}
			options.CausesOfNew = newOnly
			show, wipe := progress(cmd.ErrOrStderr(), time.Now)
			options.Check.Progress = show
			result, err := diff.Run(cmd.Context(), args, options)
			wipe()
			if err != nil {
				return err
			}
			write := func(w io.Writer, format report.Format, how report.WriteOptions) error {
				return writeDiff(w, result, format, how, newOnly)
			}
			return outputs.writeWith(cmd, write, result.ExitStatus(newOnly, outputs.failOnWarn), options.Check)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.Base, "base", "", "`REV` to compare with: a branch, a tag, a hash, HEAD~2, origin/main")
	flags.BoolVar(&options.NoMergeBase, "no-merge-base", false, "compare with REV itself, not with its merge base with HEAD")
	flags.BoolVar(&newOnly, "new-only", false, "fail on new findings only")
	flags.StringArrayVar(&options.Check.Constraints, "constraint", nil, "`FILE` with a constraint that sets parameters and enforcement; can be given several times")
	flags.BoolVar(&options.Check.AllowAbsent, "allow-absent", false, "accept that there is no controllers workload")
	outputs = addOutputFlags(cmd)
	addPolicyFlags(cmd, &options.Check)
	addRenderFlags(cmd, &options.Check)
	must(cmd.MarkFlagFilename("constraint", "yaml", "yml", "json"))
	return cmd
}

// writeDiff writes the comparison, or, in a format that has no place for one,
// the verdict on the head side.
func writeDiff(w io.Writer, result *diff.Diff, format report.Format, how report.WriteOptions, newOnly bool) error {
	text := diff.TextOptions{Color: how.Color, NewOnly: newOnly, FailOnWarn: how.FailOnWarn}
	switch format {
	case report.FormatTable:
		return result.WriteTable(w, text)
	case report.FormatJSON:
		return result.WriteJSON(w)
	case report.FormatMarkdown:
		return result.WriteMarkdown(w, text)
	default:
		return result.Head(newOnly).Write(w, format, how)
	}
}
