package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness"
)

func newCheckCommand() *cobra.Command {
	var options harness.Options
	var outputs *outputs
	var shard string
	cmd := &cobra.Command{
		Use:   "check [flags] PATH...",
		Short: "Judge apps and manifests",
		Long: `Judge apps and manifests.

A PATH is an app (a folder with a kustomization), a rendered manifest (.yaml,
.yml, .json), - for standard input, or a folder, below which every app is found.

An app that is named must contain a controllers workload. Apps that are found
below a folder, and manifests, need none; but when there is none anywhere, the
check has judged nothing, and fails.

` + outputHelp + `

Exit status: 0 the contract holds, 1 it is broken, 2 it could not be decided.`,
		Example: `  nevermigrate check argocd/applications/agents
  nevermigrate check --constraint policy/constraint.yaml argocd/applications
  nevermigrate check -o sarif=report.sarif -o html=report.html argocd/applications
  kubectl get deployments --all-namespaces -o yaml | nevermigrate check -`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, errors.New("no PATH: name an app, a manifest, a folder with apps, or - for standard input"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkPolicyFlags(cmd); err != nil {
				return err
			}
			if err := outputs.check(cmd); err != nil {
				return err
			}
			if shard != "" {
				var err error
				if options.Shard, err = harness.ParseShard(shard); err != nil {
					return usageError(cmd, err)
				}
			}
			options.Stdin = cmd.InOrStdin()
			show, wipe := progress(cmd.ErrOrStderr(), time.Now)
			options.Progress = show
			result, err := harness.CheckAll(cmd.Context(), args, options)
			wipe()
			if err != nil {
				return err
			}
			return outputs.write(cmd, result, options)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&options.Constraints, "constraint", nil, "`FILE` with a constraint that sets parameters and enforcement; can be given several times")
	flags.BoolVar(&options.AllowAbsent, "allow-absent", false, "accept that there is no controllers workload")
	flags.BoolVar(&options.WithoutCauses, "no-causes", false, "leave out the search for the causes of findings, which takes longer than the check itself")
	flags.StringVar(&shard, "shard", "", "`K/N` to judge the K-th of N parts of the targets; join the JSON reports with merge")
	outputs = addOutputFlags(cmd)
	addPolicyFlags(cmd, &options)
	addRenderFlags(cmd, &options)
	must(cmd.MarkFlagFilename("constraint", "yaml", "yml", "json"))
	return cmd
}

// addRenderFlags adds the flags that check and render share.
func addRenderFlags(cmd *cobra.Command, options *harness.Options) {
	flags := cmd.Flags()
	flags.StringVar(&options.Render.HelmCommand, "helm-command", "", "`PATH` of a helm to run in place of the embedded one")
	flags.StringVar(&options.Render.KubeVersion, "kube-version", "1.35.0", "`VERSION` of Kubernetes that charts see")
	flags.StringSliceVar(&options.Render.APIVersions, "api-versions", nil, "Kubernetes API `VERSIONS` that charts see besides Helm's own")
	flags.DurationVar(&options.Render.Timeout, "timeout", 0, "longest `TIME` for rendering one app (default 2m)")
	must(cmd.MarkFlagFilename("helm-command"))
}

// must is for errors that only a mistake in this package can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
