package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/proompteng/nevermigrate/harness/internal/chartcache"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/config"
	"github.com/proompteng/nevermigrate/harness/internal/configured"
	"github.com/proompteng/nevermigrate/harness/internal/diff"
	"github.com/proompteng/nevermigrate/harness/internal/output"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

func newDiffCommand() *cobra.Command {
	var options diff.Options
	var newOnly, trustHead bool
	var baseline string
	var configs *configFlags
	var outputs *outputs
	cmd := &cobra.Command{
		Use: `diff --base REV [flags] [PATH...]
  nevermigrate diff [flags] BASE.json HEAD.json`,
		Short: "Tell what a change did to the contract",
		Long: `Tell what a change did to the contract: judge the working tree and a commit,
and compare the two by container and by finding; or compare two reports.

With --base the head side is the working tree as it is, uncommitted changes and
untracked files included. The base side is the merge base of REV and HEAD, as in
a pull request, or with --no-merge-base REV itself; it is read from the
repository's object store, so REV must have been fetched. Submodules are not part
of it, and files that git filters make (LFS) are there as git stores them.

A PATH is an app, a manifest or a folder, below which every app is found; by
default the paths of the configuration, or else the working directory. An app
that was moved or renamed is one app, also when it left the paths or came into
them. What was judged on the base side and is not any more is no removal.

Both sides are judged by the contract of the base side: its configuration and its
constraints, so that a change cannot disarm the gate. --trust-head takes those of
the working tree, for a change of the contract itself. A --constraint that the base
side does not have is taken from the working tree.

Without --base two JSON reports of check are compared, BASE.json of before and
HEAD.json of after the change; - is standard input. No repository is needed. Both
must be made in the same way: with the same paths, as seen from the working
directory, and the same flags and constraints. A target is the same when it has
the same path, or else most of the same workloads.

A finding is new, kept or fixed by its code, constraint, workload, namespace and
container. What the configuration exempts is none of these. When the base side of an app cannot be judged, all its findings are
new.

` + configHelp + `

` + outputHelp + ` Table, json and markdown hold the
comparison. The other formats are those of check, for the head side; with
--new-only they hold what is new there.

Exit status: that of check for the head side. With --new-only findings that the
base side has too are forgiven, and their causes are not looked for.`,
		Example: `  nevermigrate diff --base origin/main
  nevermigrate diff --base origin/main --new-only -o markdown argocd/applications
  nevermigrate diff --base HEAD~1 --no-merge-base argocd/applications/agents
  nevermigrate check -o json argocd/applications | nevermigrate diff before.json -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if options.Base == "" && (len(args) == 0 || cmd.Flags().Changed("base")) {
				return usageError(cmd, errors.New("no base: name the revision to compare with, such as --base origin/main, or the JSON reports of both sides"))
			}
			if err := checkPolicyFlags(cmd, args); err != nil {
				return err
			}
			if options.Base == "" {
				read, err := configs.load(cmd)
				if err != nil {
					return err
				}
				outputs.configure(cmd, read)
			} else {
				verdicts, done, err := openVerdicts(cmd)
				if err != nil {
					return err
				}
				defer done()
				options.Check.Verdicts = verdicts
				said := given(cmd, options.Check, args)
				run, read, err := configs.join(cmd, options.Check, said)
				if err != nil {
					return err
				}
				defer run.Close()
				if !trustHead {
					options.Contract = contracts(configs, options.Check, said, run, read)
				}
				var charts *chartcache.Locked
				options.Charts = func(file func(string) string) render.ChartStore {
					charts = configured.Charts(said, read, func(path string) string { return file(filepath.ToSlash(path)) })
					return charts
				}
				defer func() {
					if charts != nil {
						charts.Close()
					}
				}()
				options.Check, args = run.Check, run.Paths
				outputs.configure(cmd, read)
			}
			if err := outputs.check(cmd); err != nil {
				return err
			}
			options.CausesOfNew = newOnly
			compare := diffWithBase
			if options.Base == "" {
				compare = diffReports
			}
			result, err := compare(cmd, args, options)
			if err != nil {
				return err
			}
			warn(cmd, result.Head(false))
			write := func(w io.Writer, format report.Format, how output.Options) error {
				return writeDiff(w, result, format, how, newOnly)
			}
			return outputs.writeWith(cmd, write, result.ExitStatus(newOnly, outputs.failOnWarn), options.Check)
		},
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if options.Base == "" {
			return completeJSON(cmd, args, typed)
		}
		return nil, cobra.ShellCompDirectiveDefault
	}
	flags := cmd.Flags()
	flags.StringVar(&options.Base, "base", "", "`REV` to compare with: a branch, a tag, a hash, HEAD~2, origin/main")
	must(cmd.RegisterFlagCompletionFunc("base", completeRevision))
	flags.BoolVar(&options.NoMergeBase, "no-merge-base", false, "compare with REV itself, not with its merge base with HEAD")
	flags.BoolVar(&trustHead, "trust-head", false, "judge by the configuration and the constraints of the working tree, not by those of the base: for a change of the contract itself")
	flags.BoolVar(&newOnly, "new-only", false, "fail on new findings only")
	flags.BoolVar(&options.Check.AllowAbsent, "allow-absent", false, "accept that there is no controllers workload")
	addConstraintFlag(cmd, &options.Check.Constraints, "a constraint that sets parameters and enforcement")
	addBaselineFlag(cmd, &baseline)
	configs = addConfigFlags(cmd)
	outputs = addOutputFlags(cmd)
	addVerdictCacheFlag(cmd)
	addPolicyFlags(cmd, &options.Check)
	addRenderFlags(cmd, &options.Check)
	return cmd
}

// contracts returns what tells the contract of the base side, by which both sides are
// judged, and that of the head side. Flags win on both: a constraint that is named is
// each side's file of that name.
func contracts(configs *configFlags, flags check.Options, said configured.Given, head configured.Run, read *config.Config) func(func(string) string) (before, own diff.ContractOf, err error) {
	return func(file func(string) string) (before, own diff.ContractOf, err error) {
		own = diff.ContractOf{Check: head.Check, Config: read.File, Baseline: head.Baseline}
		if own.Config == "" {
			if own.Config, err = config.Default("."); err != nil {
				return before, own, err
			}
		}
		base, err := configs.loadFrom(file)
		if err != nil {
			return before, own, err
		}
		own.Added = read.Added(base)
		there := said
		there.Constraints = nil
		for _, name := range said.Constraints {
			// What is not there yet, or in no repository, is taken as it is.
			if at := file(filepath.ToSlash(filepath.Clean(name))); !filepath.IsAbs(name) && isFile(at) {
				name = at
			}
			there.Constraints = append(there.Constraints, name)
		}
		run, err := configured.Join(flags, there, base, func(path string) string { return file(filepath.ToSlash(path)) })
		if err != nil {
			return before, own, err
		}
		before = diff.ContractOf{Check: run.Check, Baseline: run.Baseline, Config: file(filepath.ToSlash(own.Config))}
		if len(said.Paths) == 0 {
			before.Paths = run.Paths
			if len(before.Paths) == 0 {
				before.Paths = []string{"."}
			}
		}
		return before, own, nil
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// diffWithBase compares paths of the working tree with the base.
func diffWithBase(cmd *cobra.Command, paths []string, options diff.Options) (*diff.Diff, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	show, wipe := progress(cmd.ErrOrStderr(), time.Now)
	options.Check.Progress = show
	result, err := diff.Run(cmd.Context(), paths, options)
	wipe()
	return result, err
}

// diffReports compares two reports. How targets are judged cannot be said any
// more, so the flags that do are refused.
func diffReports(cmd *cobra.Command, names []string, _ diff.Options) (*diff.Diff, error) {
	var judging []string
	cmd.LocalNonPersistentFlags().VisitAll(func(flag *pflag.Flag) {
		if !slices.Contains([]string{"output", "no-color", "wide", "fail-on-warn", "new-only", "config", "no-config", "help"}, flag.Name) {
			judging = append(judging, flag.Name)
		}
	})
	if err := needs(cmd, "base", judging...); err != nil {
		return nil, err
	}
	const instead = "to compare the working tree with a revision, name it, such as --base origin/main"
	if len(names) != 2 {
		return nil, usageError(cmd, fmt.Errorf("expected two reports, BASE.json and HEAD.json, got %d: %s", len(names), instead))
	}
	if names[0] == names[1] {
		return nil, usageError(cmd, fmt.Errorf("BASE.json and HEAD.json are both %s, which has no change: name the report of before and that of after it", diff.FileName(names[0])))
	}
	var files [2]diff.File
	for i, name := range names {
		r, err := readReportOrStdin(cmd, name)
		if err != nil {
			return nil, fmt.Errorf("%w: make it with `check -o json` of this nevermigrate; %s", err, instead)
		}
		files[i] = diff.File{Name: name, Report: r}
	}
	return diff.Files(files[0], files[1])
}

// writeDiff writes the comparison, or, in a format that has no place for one,
// the verdict on the head side.
func writeDiff(w io.Writer, result *diff.Diff, format report.Format, how output.Options, newOnly bool) error {
	text := diff.TextOptions{Color: how.Color, Wide: how.Wide, NewOnly: newOnly, FailOnWarn: how.FailOnWarn}
	switch format {
	case output.Table:
		return result.WriteTable(w, text)
	case output.JSON:
		return result.WriteJSON(w)
	case output.Markdown:
		return result.WriteMarkdown(w, text)
	default:
		return output.Write(w, result.Head(newOnly), format, how)
	}
}

func readReportOrStdin(cmd *cobra.Command, name string) (*report.Report, error) {
	if name != "-" {
		return readReport(name)
	}
	r, err := report.Read(cmd.InOrStdin())
	if err != nil {
		return nil, fmt.Errorf("read report from standard input: %w", err)
	}
	return r, nil
}
