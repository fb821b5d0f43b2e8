package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/internal/chartlock"
	"github.com/proompteng/nevermigrate/harness/internal/config"
	"github.com/proompteng/nevermigrate/harness/internal/diff"
	"github.com/proompteng/nevermigrate/harness/internal/probe"
	"github.com/proompteng/nevermigrate/harness/internal/pull"
	"github.com/proompteng/nevermigrate/harness/report"
)

// schemas are the JSON Schemas by name, in the order in which they are listed.
var schemas = []struct {
	name string
	text []byte
}{
	{"report", report.Schema},
	{"list", report.CoverageSchema},
	{"apps", report.ApplicationsSchema},
	{"diff", diff.Schema},
	{"explain", report.ExplanationSchema},
	{"probe", probe.Schema},
	{"vendor", pull.Schema},
	{"rules", catalogue.Schema},
	{"config", config.Schema},
	{"in-force", config.InForceSchema},
	{"lock", chartlock.Schema},
}

func newSchemaCommand() *cobra.Command {
	var names []string
	for _, schema := range schemas {
		names = append(names, schema.name)
	}
	list := strings.Join(names, " or ")
	return &cobra.Command{
		Use:   "schema " + strings.Join(names, "|"),
		Short: "Print the JSON Schema of a JSON output, of the configuration, or of the lock",
		Long: `Print the JSON Schema of a JSON output: report is what check and merge print,
list, apps, diff, explain, probe and vendor what the commands of these names print,
and rules what explain prints of codes. config is the schema of the configuration,
in-force that of what the command config prints, and lock that of the lock.`,
		Example:   "  nevermigrate schema report > report.schema.json",
		ValidArgs: names,
		Args:      exactArgs(1, "the name of a schema: "+list),
		RunE: func(cmd *cobra.Command, args []string) error {
			i := slices.Index(names, args[0])
			if i < 0 {
				return usageError(cmd, fmt.Errorf("no schema %q: there is %s", args[0], list))
			}
			return printText(cmd, "schema", schemas[i].text)
		},
	}
}
