package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/shard"
)

func newCheckCommand() *cobra.Command {
	var options check.Options
	var outputs *outputs
	var configs *configFlags
	var part, defaultPath, baseline, writeBaseline string
	var trace bool
	cmd := &cobra.Command{
		Use:   "check [flags] [PATH...]",
		Short: "Judge apps and manifests",
		Long: `Judge apps and manifests.

A PATH is an app (a folder with a kustomization), a chart, a rendered manifest
(.yaml, .yml, .json), - for standard input, or a folder, below which everything is
found that can put a workload into a cluster. Without a PATH the paths of the
configuration are judged. What an app reads is judged with it and not by itself.
What Argo CD deploys from this repository is judged as its Applications render it.
What is there and not judged has a line: an Application of another repository, a Flux
HelmRelease, a submodule that is not checked out, jsonnet, and others. When its text holds the
migrations variable or a name of controllers, the check could not be decided.
nevermigrate list shows what is found, and judges nothing.

An app or a chart that is named must contain a controllers workload. What is found
below a folder, and manifests, need none; but when there is none anywhere, the
check has judged nothing, and fails.

A chart is templated with its defaults, as helm template does, or, when one is
named, with the values of -f, --set, --set-string and --set-json.

` + configHelp + `

Findings that the configuration exempts and those of its baseline are listed, and
do not count. --write-baseline makes all findings of today known, so that a
repository that has some can adopt the gate.

` + outputHelp + `

Exit status: 0 the contract holds, 1 it is broken, 2 it could not be decided.`,
		Example: `  nevermigrate check argocd/applications/agents
  nevermigrate check --constraint policy/constraint.yaml argocd/applications
  nevermigrate check charts/agents -f values.yaml --set replicas=2
  nevermigrate check -o sarif=report.sarif -o html=report.html argocd/applications
  kubectl get deployments --all-namespaces -o yaml | nevermigrate check -`,
		PreRunE: checkPolicyFlags,
		RunE: func(cmd *cobra.Command, args []string) error {
			verdicts, done, err := openVerdicts(cmd)
			if err != nil {
				return err
			}
			defer done()
			options.Verdicts = verdicts
			said := given(cmd, options, args)
			said.NoBaseline = writeBaseline != ""
			run, read, err := configs.join(cmd, options, said)
			if err != nil {
				return err
			}
			defer run.Close()
			options, args = run.Check, run.Paths
			outputs.configure(cmd, read)
			if len(args) == 0 && defaultPath != "" {
				args = []string{defaultPath}
			}
			if len(args) == 0 {
				return noPath(cmd, read, "no PATH: name an app, a chart, a manifest, a folder with these, or - for standard input")
			}
			if err := outputs.check(cmd); err != nil {
				return err
			}
			if part != "" {
				if options.Shard, err = shard.Parse(part); err != nil {
					return usageError(cmd, err)
				}
			}
			if cmd.Flags().Changed("write-baseline") {
				if err := canWriteBaseline(cmd, writeBaseline, part, options); err != nil {
					return err
				}
				// Nobody reads the causes of what is known.
				options.WithoutCauses = true
			}
			if options.Jobs < 0 {
				return usageError(cmd, fmt.Errorf("--jobs %d: give a number of at least 1", options.Jobs))
			}
			options.Stdin = cmd.InOrStdin()
			show, wipe := progress(cmd.ErrOrStderr(), time.Now)
			options.Progress = show
			if trace {
				// A line that shows how far it is would be lost among the others.
				options.Trace, options.Progress = cmd.ErrOrStderr(), nil
			}
			result, err := check.All(cmd.Context(), args, options)
			wipe()
			if err != nil {
				return err
			}
			if writeBaseline != "" {
				if result, err = writeKnown(cmd, writeBaseline, cmp.Or(baseline, read.Local(read.Baseline.Value)), result, options); err != nil {
					return err
				}
			}
			warn(cmd, result)
			return outputs.write(cmd, result, options)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&options.AllowAbsent, "allow-absent", false, "accept that there is no controllers workload")
	flags.BoolVar(&options.WithoutCauses, "no-causes", false, "leave out the search for the causes of findings, which takes longer than the check itself")
	flags.StringVar(&part, "shard", "", "`K/N` to judge the K-th of N parts of the targets; join the JSON reports with merge")
	flags.IntVar(&options.Jobs, "jobs", 0, "`NUMBER` of targets to judge at the same time (default: one more than there are processors)")
	flags.BoolVar(&trace, "trace", false, "write to standard error how the policy judges each object, as conftest's --trace does")
	addReleaseFlags(cmd, &options.Release)
	addRootFlag(cmd, &options)
	addConstraintFlag(cmd, &options.Constraints, "a constraint that sets parameters and enforcement")
	flags.StringVar(&defaultPath, "default-path", "", "`PATH` to judge where neither an argument nor the configuration names one")
	must(cmd.MarkFlagFilename("default-path"))
	addBaselineFlag(cmd, &baseline)
	flags.StringVar(&writeBaseline, "write-baseline", "", "`FILE` to write a baseline to: what is found today is known then")
	must(cmd.MarkFlagFilename("write-baseline", "json"))
	configs = addConfigFlags(cmd)
	outputs = addOutputFlags(cmd)
	cmd.Flags().BoolVarP(&outputs.quiet, "quiet", "q", false, "leave what does not fail out of the table")
	addVerdictCacheFlag(cmd)
	addPolicyFlags(cmd, &options)
	addRenderFlags(cmd, &options)
	return cmd
}
