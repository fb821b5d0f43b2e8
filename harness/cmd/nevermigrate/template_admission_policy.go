package main

import (
	"bytes"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/admission"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
)

func newTemplateAdmissionPolicyCommand() *cobra.Command {
	var files []string
	cmd := &cobra.Command{
		Use:   "admission-policy [flags]",
		Short: "Print a ValidatingAdmissionPolicy, for clusters without Gatekeeper",
		Long: `Print a ValidatingAdmissionPolicy with its binding, for clusters without
Gatekeeper, from Kubernetes 1.30 on. Its parameters are those of the constraint:
they are part of the policy, so print it anew when they change. Each constraint
gives a policy of its name.`,
		Example: `  nevermigrate template admission-policy | kubectl apply -f -
  nevermigrate template admission-policy --constraint constraint.yaml | kubectl apply -f -`,
		Args:              exactArgs(0, "no argument"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := constraint.Load(files)
			if err != nil {
				return err
			}
			var documents [][]byte
			for _, c := range constraint.OrDefaults(loaded) {
				policy, err := admission.New(cmd.Context(), c)
				if err != nil {
					return err
				}
				text, err := policy.YAML()
				if err != nil {
					return err
				}
				documents = append(documents, text)
			}
			return printText(cmd, cmd.Name(), bytes.Join(documents, []byte("---\n")))
		},
	}
	addConstraintFlag(cmd, &files, "constraints that set parameters and enforcement")
	return cmd
}
