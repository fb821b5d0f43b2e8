package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/report"
)

func newSchemaCommand() *cobra.Command {
	schemas := map[string][]byte{"report": report.Schema}
	return &cobra.Command{
		Use:       "schema report",
		Short:     "Print the JSON Schema of the report",
		Example:   "  nevermigrate schema report > report.schema.json",
		ValidArgs: []string{"report"},
		Args:      exactArgs(1, "the name of a schema: report"),
		RunE: func(cmd *cobra.Command, args []string) error {
			schema, ok := schemas[args[0]]
			if !ok {
				return usageError(cmd, fmt.Errorf("no schema %q: there is report", args[0]))
			}
			_, err := cmd.OutOrStdout().Write(schema)
			return err
		},
	}
}
