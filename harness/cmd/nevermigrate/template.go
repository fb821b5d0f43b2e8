package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/gatekeeper"
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
		Example: `  nevermigrate template gatekeeper | kubectl apply -f -`,
		Args:    exactArgs(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := gatekeeper.Template(cmd.Context())
			if err != nil {
				return err
			}
			return printTemplate(cmd, text)
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
		Args: exactArgs(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			constraint, err := gatekeeper.Defaults(cmd.Context())
			if err != nil {
				return err
			}
			for flag, choose := range map[string]func(){
				"name":               func() { constraint.Name = chosen.Name },
				"env-var":            func() { constraint.Parameters.EnvVar = chosen.Parameters.EnvVar },
				"skip-value":         func() { constraint.Parameters.SkipValues = chosen.Parameters.SkipValues },
				"controllers":        func() { constraint.Parameters.Controllers = chosen.Parameters.Controllers },
				"exempt-image":       func() { constraint.Parameters.ExemptImages = chosen.Parameters.ExemptImages },
				"enforcement":        func() { constraint.EnforcementAction = chosen.EnforcementAction },
				"namespace":          func() { constraint.Namespaces = chosen.Namespaces },
				"excluded-namespace": func() { constraint.ExcludedNamespaces = chosen.ExcludedNamespaces },
			} {
				if cmd.Flags().Changed(flag) {
					choose()
				}
			}
			text, err := constraint.YAML(cmd.Context())
			if err != nil {
				return err
			}
			return printTemplate(cmd, text)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&chosen.Name, "name", "", "`NAME` of the constraint (default controllers-never-migrate)")
	flags.StringVar(&chosen.Parameters.EnvVar, "env-var", "", "`VARIABLE` that decides (default JANGAR_MIGRATIONS)")
	flags.StringArrayVar(&chosen.Parameters.SkipValues, "skip-value", nil, "`VALUE` that keeps the service from migrating, in place of the default ones; can be given several times")
	flags.StringArrayVar(&chosen.Parameters.Controllers, "controllers", nil, "`PATTERN` for the names of controllers workloads, in place of *-controllers; can be given several times")
	flags.StringArrayVar(&chosen.Parameters.ExemptImages, "exempt-image", nil, "`IMAGE` that is not judged, exact or with a trailing *; can be given several times")
	flags.StringVar(&chosen.EnforcementAction, "enforcement", "", "`ACTION` on a finding: deny, warn or dryrun (default deny)")
	flags.StringArrayVar(&chosen.Namespaces, "namespace", nil, "`NAMESPACE` that is bound, with * at the start or the end; can be given several times (default all)")
	flags.StringArrayVar(&chosen.ExcludedNamespaces, "excluded-namespace", nil, "`NAMESPACE` that is not bound; can be given several times")
	must(cmd.RegisterFlagCompletionFunc("enforcement", cobra.FixedCompletions([]string{"deny", "warn", "dryrun"}, cobra.ShellCompDirectiveNoFileComp)))
	for _, flag := range []string{"name", "env-var", "skip-value", "controllers", "exempt-image", "namespace", "excluded-namespace"} {
		must(cmd.RegisterFlagCompletionFunc(flag, cobra.NoFileCompletions))
	}
	return cmd
}

func printTemplate(cmd *cobra.Command, text []byte) error {
	if _, err := cmd.OutOrStdout().Write(text); err != nil {
		return fmt.Errorf("write %s: %w", cmd.Name(), err)
	}
	return nil
}
