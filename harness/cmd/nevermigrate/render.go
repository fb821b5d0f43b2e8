package main

import (
	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/check"
)

func newRenderCommand() *cobra.Command {
	var options check.Options
	var configs *configFlags
	cmd := &cobra.Command{
		Use:   "render [flags] PATH",
		Short: "Print the manifests that are judged",
		Long: `Print the manifests that are judged: for an app, byte for byte what
` + "`kustomize build --enable-helm`" + ` prints for it.

` + configHelp,
		Example: `  nevermigrate render argocd/applications/agents | conftest test -`,
		Args:    exactArgs(1, "one PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			run, _, err := configs.join(cmd, options, given(cmd, options, args))
			if err != nil {
				return err
			}
			defer run.Close()
			options = run.Check
			options.Stdin = cmd.InOrStdin()
			manifests, err := check.Render(cmd.Context(), args[0], options)
			if err != nil {
				return err
			}
			return printText(cmd, "manifests", manifests)
		},
	}
	cmd.ValidArgsFunction = completeOne
	configs = addConfigFlags(cmd)
	addRenderFlags(cmd, &options)
	return cmd
}
