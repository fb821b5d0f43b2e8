package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/output"
)

func newAppsCommand() *cobra.Command {
	var options check.Options
	var format string
	var configs *configFlags
	cmd := &cobra.Command{
		Use:   "apps [flags] [PATH...]",
		Short: "List what Argo CD deploys, and whether check judges it",
		Long: `List what Argo CD deploys: the Applications below each PATH, those that
ApplicationSets make and those that apps of apps render, with project, sources,
destination, the place that they come from, and whether check judges them, or why
not. Nothing is judged.

` + configHelp + ` Its key argocd says what else Argo CD knows.

Exit status: 0, or 2 when there is nothing at a PATH.`,
		Example: `  nevermigrate apps argocd
  nevermigrate apps -o json argocd | jq '.applications[] | select(.judged | not)'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "table" && format != "json" {
				return usageError(cmd, fmt.Errorf("unknown output %q: use table or json", format))
			}
			run, read, err := configs.join(cmd, options, given(cmd, options, args))
			if err != nil {
				return err
			}
			defer run.Close()
			options, args = run.Check, run.Paths
			if len(args) == 0 {
				return noPath(cmd, read, "no PATH: name a folder with Applications, or one of their files")
			}
			options.Stdin = cmd.InOrStdin()
			applications, err := check.Applications(cmd.Context(), args, options)
			if err != nil {
				return err
			}
			var b strings.Builder
			if format == "json" {
				err = applications.WriteJSON(&b)
			} else {
				err = output.WriteApplications(&b, applications, output.Painter(colored(cmd.OutOrStdout(), false)))
			}
			if err != nil {
				return err
			}
			return printText(cmd, "the Applications", []byte(b.String()))
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "`FORMAT`: table or json")
	configs = addConfigFlags(cmd)
	addRootFlag(cmd, &options)
	addConstraintFlag(cmd, &options.Constraints, "a constraint that says what is bound")
	addRenderFlags(cmd, &options)
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}
