package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/report"
)

func newExplainCommand() *cobra.Command {
	var options harness.Options
	var output string
	cmd := &cobra.Command{
		Use:   "explain [flags] PATH...",
		Short: "Tell which place decides the mode of each container",
		Long: `Tell which place decides the mode of each container, and which places would
decide if it were not there: in values, patches, resources and templates. PATH
is as for check. It is found by experiment: the app is rendered with changes
that are made in memory only.

Exit status: 0, or 2 when a PATH could not be explained. Whether the contract
holds is for check to say.`,
		Example: `  nevermigrate explain argocd/applications/agents`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, errors.New("no PATH: name an app, a manifest, a folder with apps, or - for standard input"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkPolicyFlags(cmd); err != nil {
				return err
			}
			write := (*report.Explanation).WriteText
			switch output {
			case "text":
			case "json":
				write = (*report.Explanation).WriteJSON
			default:
				return usageError(cmd, fmt.Errorf("unknown output %q: use text or json", output))
			}
			options.Stdin = cmd.InOrStdin()
			explanation, err := harness.Explain(cmd.Context(), args, options)
			if err != nil {
				return err
			}
			if err := write(explanation, cmd.OutOrStdout()); err != nil {
				return err
			}
			if slices.ContainsFunc(explanation.Targets, func(t report.ExplainedTarget) bool { return t.Error != "" }) {
				return exitStatus(report.ExitUndecided)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&options.Constraints, "constraint", nil, "`FILE` with a constraint that sets parameters; can be given several times")
	flags.StringVarP(&output, "output", "o", "text", "`FORMAT` of the explanation: text or json")
	addPolicyFlags(cmd, &options)
	addRenderFlags(cmd, &options)
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.MarkFlagFilename("constraint", "yaml", "yml", "json"))
	return cmd
}
