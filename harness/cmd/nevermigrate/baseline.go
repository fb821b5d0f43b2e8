package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// canWriteBaseline reports flags that would make a baseline of a part of what
// there is.
func canWriteBaseline(cmd *cobra.Command, file, part string, options check.Options) error {
	switch {
	case file == "":
		return usageError(cmd, errors.New("--write-baseline is empty"))
	case cmd.Flags().Changed("baseline"):
		return usageError(cmd, errors.New("--baseline and --write-baseline are both given: a baseline that is written knows nothing of another one"))
	case part != "":
		return usageError(cmd, errors.New("--write-baseline and --shard are both given: a baseline is of the whole run"))
	case options.Exempt.Partial():
		return usageError(cmd, errors.New("--write-baseline and a PATH are both given, and the configuration has paths: a baseline is of all of them"))
	}
	return nil
}

// writeKnown writes a baseline of what a check found, and returns the report as the
// next check has it. Configured is the baseline that is in force.
func writeKnown(cmd *cobra.Command, file, configured string, result *report.Report, options check.Options) (*report.Report, error) {
	known, err := options.Exempt.Known(result)
	if err != nil {
		return nil, fmt.Errorf("write baseline %s: %w", file, err)
	}
	if err := writeFile(file, known.WriteJSON); err != nil {
		return nil, err
	}
	note := ""
	if configured == "" || filepath.Clean(configured) != filepath.Clean(file) {
		note = "; name it as the baseline of the configuration, or with --baseline, and they pass"
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s to %s%s\n", plaintext.Count(known.Summary.Denied+known.Summary.Warned, "finding"), plaintext.Line(file), note)
	return options.Exempt.WithKnown(file, known).Again(result), nil
}
