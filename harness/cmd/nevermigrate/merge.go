package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/shard"
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
		Args: someArgs("no REPORT: name the JSON reports of all shards"),
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
			merged, err := shard.Merge(cmd.Context(), reports)
			if err != nil {
				return fmt.Errorf("merge: %w", err)
			}
			warn(cmd, merged)
			return outputs.write(cmd, merged, check.Options{})
		},
	}
	cmd.ValidArgsFunction = completeJSON
	outputs = addOutputFlags(cmd)
	cmd.Flags().BoolVarP(&outputs.quiet, "quiet", "q", false, "leave what does not fail out of the table")
	return cmd
}

// readReport reads a JSON report from a file.
func readReport(name string) (*report.Report, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	defer file.Close()
	r, err := report.Read(file)
	if err != nil {
		return nil, fmt.Errorf("read report %s: %w", name, err)
	}
	return r, nil
}
