package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/report"
)

func newMergeCommand() *cobra.Command {
	var outputs *outputs
	cmd := &cobra.Command{
		Use:   "merge [flags] REPORT...",
		Short: "Join the JSON reports of shards into one verdict",
		Long: `Join the JSON reports that check --shard made into one verdict. A shard by
itself cannot know whether there is a controllers workload in another one: that
and the counts are judged here, over the whole. A shard that is missing is an
error.

` + outputHelp + `

Exit status: as check has it.`,
		Example: `  nevermigrate check --shard 1/2 -o json=1.json argocd
  nevermigrate check --shard 2/2 -o json=2.json argocd
  nevermigrate merge 1.json 2.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, errors.New("no REPORT: name the JSON reports of all shards"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := outputs.check(cmd); err != nil {
				return err
			}
			var reports []*report.Report
			for _, file := range args {
				r, err := readReport(file)
				if err != nil {
					return err
				}
				reports = append(reports, r)
			}
			merged, err := harness.Merge(reports)
			if err != nil {
				return fmt.Errorf("merge: %w", err)
			}
			return outputs.write(cmd, merged, harness.Options{})
		},
	}
	outputs = addOutputFlags(cmd)
	return cmd
}

// readReport reads a JSON report. A key that this program does not know is an
// error: it may change the verdict.
func readReport(file string) (*report.Report, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var r report.Report
	if err := decoder.Decode(&r); err != nil {
		return nil, fmt.Errorf("read report %s: it is no report of check -o json: %w", file, err)
	}
	return &r, nil
}
