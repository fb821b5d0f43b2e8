package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/diff"
	"github.com/proompteng/nevermigrate/harness/probe"
	"github.com/proompteng/nevermigrate/harness/report"
)

// schemas are the JSON Schemas by name, in the order in which they are listed.
var schemas = []struct {
	name string
	text func() ([]byte, error)
}{
	{"report", func() ([]byte, error) { return report.Schema, nil }},
	{"diff", diff.Schema},
	{"explain", func() ([]byte, error) { return report.ExplanationSchema, nil }},
	{"probe", func() ([]byte, error) { return probe.Schema, nil }},
}

func newSchemaCommand() *cobra.Command {
	var names []string
	for _, schema := range schemas {
		names = append(names, schema.name)
	}
	list := strings.Join(names, " or ")
	return &cobra.Command{
		Use:   "schema " + strings.Join(names, "|"),
		Short: "Print the JSON Schema of a JSON output",
		Long: `Print the JSON Schema of a JSON output: report is what check and merge print,
diff, explain and probe what the commands of these names print.`,
		Example:   "  nevermigrate schema report > report.schema.json",
		ValidArgs: names,
		Args:      exactArgs(1, "the name of a schema: "+list),
		RunE: func(cmd *cobra.Command, args []string) error {
			i := slices.Index(names, args[0])
			if i < 0 {
				return usageError(cmd, fmt.Errorf("no schema %q: there is %s", args[0], list))
			}
			text, err := schemas[i].text()
			if err != nil {
				return err
			}
			if _, err := cmd.OutOrStdout().Write(text); err != nil {
				return fmt.Errorf("write schema: %w", err)
			}
			return nil
		},
	}
}
