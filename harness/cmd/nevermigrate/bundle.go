package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/bundle"
)

func newBundleCommand() *cobra.Command {
	var signing bundle.Signing
	var output string
	cmd := &cobra.Command{
		Use:   "bundle [flags]",
		Short: "Write the policy as an OPA bundle",
		Long: `Write the policy in this program as an OPA bundle, for opa, for a bundle server,
and for --policy of check, diff and explain.

Its revision names the version of the rules and their text. Equal rules make
equal bytes, on any day and machine. With --signing-key the bundle is signed, as
opa build does it; the algorithms whose names begin with ES or PS sign with
random numbers, so their signatures, and nothing else, differ each time.

A key is a file in PEM and, for the algorithms whose names begin with HS, a file
with the secret.`,
		Example: `  nevermigrate bundle
  nevermigrate bundle --signing-key private.pem -o policy.tar.gz
  opa eval --bundle policy.tar.gz --input deployment.yaml data.main.violation`,
		Args:              exactArgs(0, "no argument"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output == "" {
				return usageError(cmd, errors.New("no output: name a file, or - for standard output"))
			}
			if err := needs(cmd, "signing-key", "signing-alg", "verification-key-id", "claims-file"); err != nil {
				return err
			}
			write := func(w io.Writer) error { return bundle.Write(w, signing) }
			if output == "-" {
				return write(cmd.OutOrStdout())
			}
			return writeFile(output, write)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&output, "output", "o", "bundle.tar.gz", "`FILE` to write, or - for standard output")
	flags.StringVar(&signing.KeyFile, "signing-key", "", "`FILE` with the private key or the secret to sign with")
	flags.StringVar(&signing.Algorithm, "signing-alg", bundle.DefaultAlgorithm, "`NAME` of the algorithm to sign with")
	flags.StringVar(&signing.KeyID, "verification-key-id", bundle.DefaultKeyID, "`NAME` by which the signature calls the key")
	flags.StringVar(&signing.ClaimsFile, "claims-file", "", "JSON `FILE` with more claims of the signature, such as scope")
	must(cmd.MarkFlagFilename("output", "tar.gz"))
	must(cmd.MarkFlagFilename("signing-key"))
	must(cmd.MarkFlagFilename("claims-file", "json"))
	return cmd
}
