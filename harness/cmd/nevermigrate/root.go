package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/version"
	"github.com/proompteng/nevermigrate/policy"
)

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "nevermigrate",
		Short: "Check that controllers never apply database migrations",
		Long: `nevermigrate renders apps the way Argo CD does, through kustomize with Helm
enabled, and checks that no container of a controllers workload can apply
database migrations.`,
		Version:       versions(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("{{.Version}}")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError(cmd, err) })
	root.AddCommand(newInitCommand(), newCheckCommand(), newListCommand(), newAppsCommand(), newExplainCommand(), newDiffCommand(), newMergeCommand(), newProbeCommand(), newRenderCommand(), newVendorCommand(), newConfigCommand(), newBundleCommand(), newSchemaCommand(), newTemplateCommand(), newCompletionCommand(), newManCommand(), newVersionCommand())
	completeTheRest(root)
	return root
}

// usageErr is an error in how the command line was used; run prints where to
// read how it is used.
type usageErr struct {
	error
	command string
}

func usageError(cmd *cobra.Command, err error) error {
	return usageErr{err, cmd.CommandPath()}
}

// exactArgs is cobra.ExactArgs with a message that says what is expected.
func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError(cmd, fmt.Errorf("expected %s, got %d arguments", what, len(args)))
		}
		return nil
	}
}

// someArgs is cobra.MinimumNArgs(1) with a message of its own.
func someArgs(message string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usageError(cmd, errors.New(message))
		}
		return nil
	}
}

// printText writes what was asked for, which is named in the error.
func printText(cmd *cobra.Command, what string, text []byte) error {
	if _, err := cmd.OutOrStdout().Write(text); err != nil {
		return fmt.Errorf("write %s: %w", what, err)
	}
	return nil
}

// newVersionCommand is what --version prints, as a command, for those who look for it
// there.
func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Print the versions of the program, the policy and what is linked in",
		Args:              exactArgs(0, "no argument"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printText(cmd, "the versions", []byte(versions()))
		},
	}
}

// versions tells what is inside: one line each for the program, the commit that it was
// built of and its time where they are known, the policy and
// the modules that decide what is rendered and how it is judged.
func versions() string {
	var b strings.Builder
	modules := version.Modules()
	fmt.Fprintf(&b, "nevermigrate %spolicy %s\n", version.Program(), policy.Version)
	for _, module := range []struct{ name, path string }{
		{"helm", "helm.sh/helm/v4"},
		{"kustomize/api", "sigs.k8s.io/kustomize/api"},
		{"opa", "github.com/open-policy-agent/opa"},
		{"conftest", "github.com/open-policy-agent/conftest"},
	} {
		fmt.Fprintf(&b, "%s %s\n", module.name, cmp.Or(modules[module.path], "(unknown)"))
	}
	return b.String()
}
