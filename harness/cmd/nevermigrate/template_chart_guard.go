package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/proompteng/nevermigrate/harness/internal/chartguard"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
)

func newTemplateChartGuardCommand() *cobra.Command {
	var options chartguard.Options
	var file string
	cmd := &cobra.Command{
		Use:   "chart-guard",
		Short: "Print a Helm template that makes a chart refuse to render when its controllers would migrate",
		Long: `Print a Helm template that makes a chart refuse to render when its controllers
would migrate. Put it into the chart as templates/controllers-migrations-guard.yaml;
the comment in it says the rest.

The guard renders the chart's own templates once more and judges what they write
by the rules CNM001 to CNM006. A --template must write a controllers workload
(CNM007); name with --other all other templates that write workloads, for a
value may give one of them a name that the contract binds.

Of the constraint the parameters count. Its match and its enforcementAction do
not: the chart's value controllersMigrationsGuard decides, where it is installed.`,
		Example: `  nevermigrate template chart-guard > charts/agents/templates/controllers-migrations-guard.yaml
  nevermigrate template chart-guard --constraint policy/constraint.yaml --name agents.guard --other templates/deployment.yaml`,
		Args: exactArgs(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file != "" {
				constraints, err := constraint.Load([]string{file})
				if err != nil {
					return err
				}
				if len(constraints) != 1 {
					return fmt.Errorf("load constraint %s: it holds %d constraints, and a guard judges by one: print one guard for each, with a --name and a --values-key of its own", file, len(constraints))
				}
				options.Constraint = &constraints[0]
			}
			options.Command = commandLine(cmd)
			guard, err := chartguard.Print(cmd.Context(), options)
			if errors.Is(err, chartguard.ErrOption) {
				return usageError(cmd, err)
			}
			if err != nil {
				return err
			}
			return printText(cmd, cmd.Name(), guard)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&file, "constraint", "", "`FILE` with the constraint that sets the parameters")
	flags.StringArrayVar(&options.Templates, "template", nil, "`FILE` of the chart that must write a controllers workload; can be given several times (default "+chartguard.DefaultTemplate+")")
	flags.StringArrayVar(&options.Others, "other", nil, "`FILE` of the chart that writes another workload; can be given several times")
	flags.StringVar(&options.ValuesKey, "values-key", chartguard.DefaultValuesKey, "`PATH` of the value that switches the guard")
	flags.StringVar(&options.ValuePath, "value-path", "", "`PATH` of the value that sets the variable for the controllers, for the messages")
	flags.StringVar(&options.Name, "name", "", "`NAME` with which the names of the guard's own templates start; charts below one umbrella need different ones (default: the last word of the values key)")
	must(cmd.MarkFlagFilename("constraint", "yaml", "yml", "json"))
	return cmd
}

// commandLine is a command with the flags that were given, each value in the
// form in which a shell reads it.
func commandLine(cmd *cobra.Command) string {
	words := []string{cmd.CommandPath()}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		values := []string{flag.Value.String()}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			if strings.ContainsFunc(value, func(r rune) bool { return !strings.ContainsRune(plainRunes, r) }) {
				value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
			}
			words = append(words, "--"+flag.Name+" "+value)
		}
	})
	return strings.Join(words, " ")
}

// plainRunes mean nothing to a shell.
const plainRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./"
