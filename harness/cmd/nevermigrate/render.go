package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness"
)

func newRenderCommand() *cobra.Command {
	var options harness.Options
	cmd := &cobra.Command{
		Use:   "render [flags] PATH",
		Short: "Print the manifests that are judged",
		Long: `Print the manifests that are judged: for an app, byte for byte what
` + "`kustomize build --enable-helm`" + ` prints for it.`,
		Example: `  nevermigrate render argocd/applications/agents | conftest test -`,
		Args:    exactArgs(1, "one PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Stdin = cmd.InOrStdin()
			manifests, err := harness.Render(cmd.Context(), args[0], options)
			if err != nil {
				return err
			}
			if _, err := cmd.OutOrStdout().Write(manifests); err != nil {
				return fmt.Errorf("write manifests: %w", err)
			}
			return nil
		},
	}
	addRenderFlags(cmd, &options)
	return cmd
}
