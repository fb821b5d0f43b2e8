package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/chartguard"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
)

func newTemplateChartGuardCommand() *cobra.Command {
	var options chartguard.Options
	var file string
	var rendering check.Options
	cmd := &cobra.Command{
		Use:   "chart-guard [flags] [CHART]",
		Short: "Print a Helm template that makes a chart refuse to render when its controllers would migrate",
		Long: `Print a Helm template that makes a chart refuse to render when its controllers
would migrate. Put it into the chart as ` + chartguard.File + `;
the comment in it says the rest.

The guard renders the chart's own templates once more and judges what they write
by the rules CNM001 to CNM006. CHART is the folder of the chart: it is templated,
with the values of -f, --set, --set-string and --set-json, to see which templates
write controllers. Each of them must write a controllers workload (CNM007). All
others that write workloads, or may, are judged too, for a value may give one of them
a name that the contract binds. Without a CHART name them with --template and --other.

Of the constraint the parameters count. Its match and its enforcementAction do
not: the chart's value controllersMigrationsGuard decides, where it is installed.`,
		Example: `  nevermigrate template chart-guard charts/agents > charts/agents/` + chartguard.File + `
  nevermigrate template chart-guard --constraint policy/constraint.yaml --name agents.guard --other templates/deployment.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
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
			if len(args) == 0 && len(options.Templates) == 0 && options.Name == "" {
				return usageError(cmd, errors.New("no CHART: name its folder, or its templates with --template and --name"))
			}
			if len(args) == 1 {
				var err error
				if options, err = chartguard.ForChart(cmd.Context(), args[0], options, rendering.Release, rendering.Render); err != nil {
					return err
				}
			}
			options.Command = chartguard.CommandOf(options, file)
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
	cmd.ValidArgsFunction = completeOne
	flags := cmd.Flags()
	flags.StringVar(&file, "constraint", "", "`FILE` with the constraint that sets the parameters")
	flags.StringArrayVar(&options.Templates, "template", nil, "`FILE` of the chart that must write a controllers workload; can be given several times (default those of CHART, or "+chartguard.DefaultTemplate+")")
	flags.StringArrayVar(&options.Others, "other", nil, "`FILE` of the chart that writes another workload; can be given several times")
	flags.StringVar(&options.ValuesKey, "values-key", chartguard.DefaultValuesKey, "`PATH` of the value that switches the guard")
	flags.StringVar(&options.ValuePath, "value-path", "", "`PATH` of the value that sets the variable for the controllers, for the messages")
	flags.StringVar(&options.Name, "name", "", "`NAME` with which the names of the guard's own templates start; charts below one umbrella need different ones (default: the name of CHART and the last word of the values key)")
	must(cmd.MarkFlagFilename("template", "yaml", "yml", "tpl"))
	must(cmd.MarkFlagFilename("other", "yaml", "yml", "tpl"))
	must(cmd.MarkFlagFilename("constraint", "yaml", "yml", "json"))
	addReleaseFlags(cmd, &rendering.Release)
	addVersionFlags(cmd, &rendering)
	return cmd
}
