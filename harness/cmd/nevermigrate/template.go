package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newTemplateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "template",
		Short: "Print what enforces the contract in a cluster",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError(cmd, errors.New("unknown template "+args[0]))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
}
