package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/output"
)

func newListCommand() *cobra.Command {
	var options check.Options
	var format string
	var configs *configFlags
	cmd := &cobra.Command{
		Use:   "list [flags] [PATH...]",
		Short: "List what check judges, and what it does not",
		Long: `List what check judges, and what it does not. Only what may hold Applications of
Argo CD is rendered.

Each place below a PATH that can put a workload into a cluster has a line: it is
judged, it is read by an app that is judged, or it is not judged. The last may be
bound by the contract when its text holds the migrations variable or a name of
controllers; then check could not be decided. What only shows when an app is
rendered, such as a HelmRelease that a chart writes, check adds.

` + configHelp + `

Exit status: 0, or 2 when there is nothing at a PATH.`,
		Example: `  nevermigrate list .
  nevermigrate list -o json argocd | jq '.notJudged[] | select(.mayBind)'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "table" && format != "json" {
				return usageError(cmd, fmt.Errorf("unknown output %q: use table or json", format))
			}
			run, read, err := configs.join(cmd, options, given(cmd, options, args))
			if err != nil {
				return err
			}
			options, args = run.Check, run.Paths
			if len(args) == 0 {
				return noPath(cmd, read, "no PATH: name a folder, an app, a chart or a manifest")
			}
			coverage, err := check.List(cmd.Context(), args, options)
			if err != nil {
				return err
			}
			var b strings.Builder
			if format == "json" {
				if err := coverage.WriteJSON(&b); err != nil {
					return err
				}
			} else {
				if err := output.WriteCoverage(&b, coverage, output.Painter(colored(cmd.OutOrStdout(), false))); err != nil {
					return err
				}
			}
			return printText(cmd, "the list", []byte(b.String()))
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "`FORMAT`: table, or json with the shape of coverage in a report")
	addConstraintFlag(cmd, &options.Constraints, "a constraint that sets the variable and the names that are looked for")
	configs = addConfigFlags(cmd)
	addRootFlag(cmd, &options)
	addRenderFlags(cmd, &options)
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}
