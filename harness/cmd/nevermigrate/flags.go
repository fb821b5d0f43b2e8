package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/bundle"
	"github.com/proompteng/nevermigrate/harness/internal/chartlock"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// addPolicyFlags adds the flags of commands that judge by a policy.
func addPolicyFlags(cmd *cobra.Command, options *check.Options) {
	flags := cmd.Flags()
	flags.StringVar(&options.Policy, "policy", "", "`PATH` of a folder or an OPA bundle with a policy to use in place of the built-in one")
	flags.StringVar(&options.Verification.KeyFile, "verification-key", "", "`FILE` with the public key or the secret by which the bundle must be signed")
	flags.StringVar(&options.Verification.Algorithm, "signing-alg", bundle.DefaultAlgorithm, "`NAME` of the algorithm by which the bundle must be signed")
	flags.StringVar(&options.Verification.KeyID, "verification-key-id", "", "`NAME` by which the signature of the bundle must call the key (default any)")
	flags.StringVar(&options.Verification.Scope, "scope", "", "`SCOPE` that the signature of the bundle must claim")
	must(cmd.MarkFlagFilename("policy"))
	must(cmd.MarkFlagFilename("verification-key"))
}

// addConstraintFlag adds the flag for files with something.
func addConstraintFlag(cmd *cobra.Command, files *[]string, something string) {
	cmd.Flags().StringArrayVar(files, "constraint", nil, "`FILE` with "+something+"; can be given several times")
	must(cmd.MarkFlagFilename("constraint", "yaml", "yml", "json"))
}

// addRenderFlags adds the flags of commands that render apps.
func addRenderFlags(cmd *cobra.Command, options *check.Options) {
	addVersionFlags(cmd, options)
	addCacheFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&options.Render.HelmCommand, "helm-command", "", "`PATH` of a helm to run in place of the embedded one")
	flags.DurationVar(&options.Render.Timeout, "timeout", 0, "longest `TIME` for rendering one app (default 2m)")
	must(cmd.MarkFlagFilename("helm-command"))
}

// addRootFlag adds the flag for root Applications.
func addRootFlag(cmd *cobra.Command, options *check.Options) {
	cmd.Flags().StringArrayVar(&options.Roots, "root", nil, "`FILE` with an Application or ApplicationSet that leads to all that counts; what Argo CD does not deploy from there is left out, and named")
	must(cmd.MarkFlagFilename("root", "yaml", "yml", "json"))
}

// addReleaseFlags adds the flags for the release of a chart, as helm template has
// them.
func addReleaseFlags(cmd *cobra.Command, release *render.Release) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&release.Values.Files, "values", "f", nil, "`FILE` with values for the chart that is named; can be given several times")
	flags.StringArrayVar(&release.Values.Set, "set", nil, "`PATH=VALUE` for the chart that is named, as helm's --set")
	flags.StringArrayVar(&release.Values.SetString, "set-string", nil, "`PATH=TEXT` for the chart that is named, as helm's --set-string")
	flags.StringArrayVar(&release.Values.SetJSON, "set-json", nil, "`PATH=JSON` for the chart that is named, as helm's --set-json")
	flags.StringVar(&release.Name, "release-name", "", "`NAME` of the chart's release (default \"release-name\")")
	flags.StringVarP(&release.Namespace, "namespace", "n", "", "`NAMESPACE` of the chart's release (default \"default\")")
	must(cmd.MarkFlagFilename("values", "yaml", "yml", "json"))
}

// addVersionFlags adds the flags for the cluster that charts see.
func addVersionFlags(cmd *cobra.Command, options *check.Options) {
	flags := cmd.Flags()
	flags.StringVar(&options.Render.KubeVersion, "kube-version", "1.35.0", "`VERSION` of Kubernetes that charts see")
	flags.StringSliceVar(&options.Render.APIVersions, "api-versions", nil, "Kubernetes API `VERSIONS` that charts see besides Helm's own")
}

// addCacheFlag adds the flag for the folder with charts that were downloaded.
func addCacheFlag(cmd *cobra.Command) {
	cmd.Flags().String("cache", "", "`FOLDER` with the charts of "+chartlock.Name+" that vendor downloaded (default nevermigrate/charts in the user's cache folder)")
	must(cmd.MarkFlagDirname("cache"))
}

// addVerdictCacheFlag adds the flag for the folder in which verdicts are kept.
func addVerdictCacheFlag(cmd *cobra.Command) {
	cmd.Flags().String("verdict-cache", "", "`FOLDER` in which verdicts are kept: what reads the same as before is not judged again. Who can write to it can write a verdict")
	must(cmd.MarkFlagDirname("verdict-cache"))
}

// openVerdicts opens the folder that the flag names; there are none without it. What is
// returned is to be called in the end.
func openVerdicts(cmd *cobra.Command) (verdicts *check.Verdicts, done func(), err error) {
	dir := cmd.Flags().Lookup("verdict-cache").Value.String()
	if err := needs(cmd, "verdict-cache"); err != nil || dir == "" {
		return nil, func() {}, err
	}
	if verdicts, err = check.NewVerdicts(dir); err != nil {
		return nil, nil, err
	}
	return verdicts, func() {
		if err := verdicts.Close(); err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "Warning: some verdicts are not kept: %s\n", plaintext.Line(err.Error()))
		}
	}, nil
}

// checkPolicyFlags reports a mistake in the flags, before anything is judged.
func checkPolicyFlags(cmd *cobra.Command, _ []string) error {
	if err := needs(cmd, "policy", "verification-key"); err != nil {
		return err
	}
	return needs(cmd, "verification-key", "signing-alg", "verification-key-id", "scope")
}

// needs reports flags that say nothing without another one: whoever gives them
// expects what does not happen. The other one must not be given empty, as it is
// when a script's variable is not set.
func needs(cmd *cobra.Command, needed string, flags ...string) error {
	if cmd.Flags().Lookup(needed).Value.String() != "" {
		return nil
	}
	if cmd.Flags().Changed(needed) {
		return usageError(cmd, fmt.Errorf("--%s is empty", needed))
	}
	for _, flag := range flags {
		if cmd.Flags().Changed(flag) {
			return usageError(cmd, fmt.Errorf("--%s says nothing without --%s", flag, needed))
		}
	}
	return nil
}

// must is for errors that only a mistake in this package can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
