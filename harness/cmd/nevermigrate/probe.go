package main

import (
	"fmt"
	"io"
	"log"
	"time"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/probe"
	"github.com/proompteng/nevermigrate/harness/report"
)

func newProbeCommand() *cobra.Command {
	var options probe.Options
	var configs *configFlags
	var check check.Options
	var output string
	var requireCoverage bool
	cmd := &cobra.Command{
		Use:   "probe [flags] CHART|APP",
		Short: "Search a chart's values for a configuration that makes controllers migrate",
		Long: fmt.Sprintf(`Search a chart's values for a configuration that makes controllers migrate.

The chart is rendered again and again, and watched: which way each branch of its
templates goes, with what each function is called, and from which value that came.
What would make a branch go the other way is set next, and what might change the
migrations variable of a controllers container where a value is written. What did
something new is gone on from; when nothing was, two at a time are tried together. It
ends when nothing was new for %d configurations. Each is one of

  refused    the chart or its schema refuses to render
  harmless   every controllers container skips
  hole       a controllers container migrates or cannot be proven not to
  escaped    the same, and the policy does not see it: a mistake in the policy
  vanished   a template writes no controllers workload any more

and each distinct hole is reported once, with the least that must be set. It is
rendered once more as an app before it is reported.

A CHART is a folder with a Chart.yaml. Of an APP, a folder with a kustomization,
each chart is probed under the app's values; its patches are not part of it. What
--set, --set-string and --set-json set is pinned: it is never changed.

What is not values is changed, too: the release, and the cluster's versions. Such
a hole is of the kind release or capabilities. The report tells of each branch that
was not taken both ways, and why.

The same seed gives the same report, whatever the number of jobs.

`, probe.Quiet) + configHelp + `

Exit status: 0 no hole, or known ones only; 1 there are holes; 2 it could not be
decided, a hole escaped, the values as they are given are a known hole, or, with
--require-coverage, a branch that some value might take was not taken.`,
		Example: `  nevermigrate probe charts/agents
  nevermigrate probe --set controllersMigrationsGuard=enforce charts/agents
  nevermigrate probe -o json argocd/applications/agents > known-holes.json
  nevermigrate probe --baseline known-holes.json argocd/applications/agents`,
		Args: exactArgs(1, "a CHART or an APP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			write, ok := probeFormats[output]
			if !ok {
				return usageError(cmd, fmt.Errorf("unknown output %q: use table, json, markdown or html", output))
			}
			said := given(cmd, check, args)
			said.NoBaseline = true // the flag is for holes
			run, _, err := configs.join(cmd, check, said)
			if err != nil {
				return err
			}
			defer run.Close()
			options.Constraints, options.Render = run.Check.Constraints, run.Check.Render
			options.Policy, options.Verification = check.Policy, check.Verification
			// Helm warns of values of another type than the chart's, of which
			// there are many here.
			log.SetOutput(io.Discard)
			// Thousands of configurations leave much behind and keep little.
			tuneMemory(200, 160<<20)
			show, wipe := probeProgress(cmd.ErrOrStderr(), time.Now)
			options.Progress = show
			result, err := probe.Run(cmd.Context(), args[0], options)
			wipe()
			if err != nil {
				return err
			}
			if err := write(result, cmd.OutOrStdout()); err != nil {
				return err
			}
			if status := result.ExitStatus(requireCoverage); status != report.ExitHolds {
				return exitStatus(status)
			}
			return nil
		},
	}
	cmd.ValidArgsFunction = completeOne
	flags := cmd.Flags()
	flags.StringVarP(&output, "output", "o", "table", "`FORMAT` of the report: table, json, markdown or html")
	flags.StringArrayVarP(&options.Values, "values", "f", nil, "`FILE` with values to start from, over the chart's or the app's own; can be given several times")
	flags.StringArrayVar(&options.Set, "set", nil, "`PATH=VALUE` to set and pin, as helm's --set")
	flags.StringArrayVar(&options.SetString, "set-string", nil, "`PATH=TEXT` to set and pin, as helm's --set-string")
	flags.StringArrayVar(&options.SetJSON, "set-json", nil, "`PATH=JSON` to set and pin, as helm's --set-json")
	flags.StringVar(&options.ReleaseName, "release-name", "", "`NAME` of a chart's release (default: the chart's name)")
	flags.StringVarP(&options.Namespace, "namespace", "n", "", "`NAMESPACE` of a chart's release (default \"default\")")
	flags.IntVar(&options.Budget, "budget", probe.DefaultBudget, "`NUMBER` of configurations to try for each chart")
	flags.Uint64Var(&options.Seed, "seed", 0, "`NUMBER` that decides which combinations are tried")
	flags.IntVar(&options.Jobs, "jobs", 0, "`NUMBER` of configurations to try at the same time (default: one for each processor)")
	flags.StringVar(&options.Baseline, "baseline", "", "`FILE` with known holes: a JSON report of probe, or a list of their ids")
	flags.BoolVar(&requireCoverage, "require-coverage", false, "exit with 2 when a branch was not taken that some value might take")
	configs = addConfigFlags(cmd)
	addConstraintFlag(cmd, &check.Constraints, "a constraint that sets parameters and enforcement")
	addPolicyFlags(cmd, &check)
	addVersionFlags(cmd, &check)
	addCacheFlag(cmd)
	must(cmd.MarkFlagFilename("values", "yaml", "yml", "json"))
	must(cmd.MarkFlagFilename("baseline"))
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "markdown", "html"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

var probeFormats = map[string]func(*probe.Report, io.Writer) error{
	"table":    (*probe.Report).WriteTable,
	"json":     (*probe.Report).WriteJSON,
	"markdown": (*probe.Report).WriteMarkdown,
	"html":     (*probe.Report).WriteHTML,
}

// probeProgress returns a function that shows on a terminal how many
// configurations have been tried and how fast, and one that ends that with the
// whole rate. Elsewhere both do nothing.
func probeProgress(w io.Writer, now func() time.Time) (show func(tried, budget int), wipe func()) {
	if !isTerminal(w) {
		return nil, func() {}
	}
	start, done := now(), 0
	show = func(tried, budget int) {
		done = tried
		fmt.Fprintf(w, "\r\x1b[Ktried %d of %d configurations, %.0f a second", tried, budget, float64(tried)/now().Sub(start).Seconds())
	}
	wipe = func() {
		if done > 0 {
			fmt.Fprintf(w, "\r\x1b[K%.0f configurations a second\n", float64(done)/now().Sub(start).Seconds())
		}
	}
	return show, wipe
}
