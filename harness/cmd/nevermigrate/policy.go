package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/bundle"
)

// addPolicyFlags adds the flags of commands that judge by a policy.
func addPolicyFlags(cmd *cobra.Command, options *harness.Options) {
	flags := cmd.Flags()
	flags.StringVar(&options.Policy, "policy", "", "`PATH` of a folder or an OPA bundle with a policy to use in place of the built-in one")
	flags.StringVar(&options.Verification.KeyFile, "verification-key", "", "`FILE` with the public key or the secret by which the bundle must be signed")
	flags.StringVar(&options.Verification.Algorithm, "signing-alg", bundle.DefaultAlgorithm, "`NAME` of the algorithm by which the bundle must be signed")
	flags.StringVar(&options.Verification.KeyID, "verification-key-id", "", "`NAME` by which the signature of the bundle must call the key (default any)")
	flags.StringVar(&options.Verification.Scope, "scope", "", "`SCOPE` that the signature of the bundle must claim")
	must(cmd.MarkFlagFilename("policy"))
	must(cmd.MarkFlagFilename("verification-key"))
}

// checkPolicyFlags reports a mistake in the flags, before anything is judged.
func checkPolicyFlags(cmd *cobra.Command) error {
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
