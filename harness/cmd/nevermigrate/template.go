package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/proompteng/nevermigrate/harness/internal/gatekeeper"
)

func newTemplateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "template NAME",
		Short: "Print what enforces the contract in a cluster or in a chart",
		Long: `Print what enforces the contract, made of the policy in this program: in a
cluster, for kubectl apply or for a repository that Argo CD syncs, or in a chart.`,
	}
	cmd.AddCommand(newTemplateGatekeeperCommand(), newTemplateConstraintCommand(), newTemplateAdmissionPolicyCommand(), newTemplateChartGuardCommand())
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	cmd.Args = exactArgs(1, "the name of a template: "+strings.Join(names, " or "))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return usageError(cmd, fmt.Errorf("no template %q: there is %s", args[0], strings.Join(names, " or ")))
	}
	return cmd
}

func newTemplateGatekeeperCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "gatekeeper",
		Short: "Print the ConstraintTemplate for Gatekeeper",
		Long: `Print the ConstraintTemplate for Gatekeeper: the policy in this program, and the
schema of its parameters. It does nothing without a constraint.`,
		Example:           `  nevermigrate template gatekeeper | kubectl apply -f -`,
		Args:              exactArgs(0, "no argument"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := gatekeeper.Template(cmd.Context())
			if err != nil {
				return err
			}
			return printText(cmd, cmd.Name(), text)
		},
	}
}

func newTemplateConstraintCommand() *cobra.Command {
	var chosen gatekeeper.Constraint
	cmd := &cobra.Command{
		Use:   "constraint [flags]",
		Short: "Print a constraint for Gatekeeper, which check reads too",
		Long: `Print a constraint for Gatekeeper. The same file sets parameters and enforcement
for check --constraint, and for conftest test --data. What is not chosen has its
default, which is spelled out. What the policy cannot use is refused.`,
		Example: `  nevermigrate template constraint --enforcement warn | kubectl apply -f -
  nevermigrate template constraint --env-var AGENTS_MIGRATIONS --exempt-image 'registry.example/mesh/*' > constraint.yaml`,
		Args:              exactArgs(0, "no argument"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			constraint, err := gatekeeper.Defaults(cmd.Context())
			if err != nil {
				return err
			}
			for flag, choose := range map[string]func(){
				"name":               func() { constraint.Name = chosen.Name },
				"enforcement":        func() { constraint.EnforcementAction = chosen.EnforcementAction },
				"namespace":          func() { constraint.Namespaces = chosen.Namespaces },
				"excluded-namespace": func() { constraint.ExcludedNamespaces = chosen.ExcludedNamespaces },
			} {
				if cmd.Flags().Changed(flag) {
					choose()
				}
			}
			chooseParameters(cmd, &constraint)
			text, err := constraint.YAML(cmd.Context())
			if err != nil {
				return err
			}
			return printText(cmd, cmd.Name(), text)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&chosen.Name, "name", "", "`NAME` of the constraint (default controllers-never-migrate)")
	addParameterFlags(cmd)
	flags.StringVar(&chosen.EnforcementAction, "enforcement", "", "`ACTION` on a finding: deny, warn or dryrun (default deny)")
	flags.StringArrayVar(&chosen.Namespaces, "namespace", nil, "`NAMESPACE` that is bound, with * at the start or the end; can be given several times (default all)")
	flags.StringArrayVar(&chosen.ExcludedNamespaces, "excluded-namespace", nil, "`NAMESPACE` that is not bound; can be given several times")
	must(cmd.RegisterFlagCompletionFunc("enforcement", cobra.FixedCompletions([]string{"deny", "warn", "dryrun"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// addParameterFlags adds a flag for each parameter of a constraint.
func addParameterFlags(cmd *cobra.Command) {
	parameters, err := gatekeeper.Parameters()
	must(err)
	for _, parameter := range parameters {
		if parameter.IsList() {
			cmd.Flags().StringArray(parameter.Flag, nil, parameter.Usage+"; can be given several times")
		} else {
			cmd.Flags().String(parameter.Flag, "", fmt.Sprintf("%s (default %s)", parameter.Usage, strings.Join(parameter.Default(), "")))
		}
	}
}

// chooseParameters sets the parameters whose flags are given.
func chooseParameters(cmd *cobra.Command, constraint *gatekeeper.Constraint) {
	for _, parameter := range constraint.Described {
		if !cmd.Flags().Changed(parameter.Flag) {
			continue
		}
		value := cmd.Flags().Lookup(parameter.Flag).Value
		constraint.Parameters[parameter.Name] = []string{value.String()}
		if list, ok := value.(pflag.SliceValue); ok {
			constraint.Parameters[parameter.Name] = list.GetSlice()
		}
	}
}
