package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/output"
	"github.com/proompteng/nevermigrate/harness/report"
)

func newExplainCommand() *cobra.Command {
	var options check.Options
	var configs *configFlags
	var format string
	cmd := &cobra.Command{
		Use:   "explain [flags] [PATH...]|CODE...",
		Short: "Tell which place decides the mode of each container, or what a rule means",
		Long: `With a CODE such as CNM002: tell what the rule means and how to mend what it
finds, with an example that fires and its twin that is right.

With a PATH: tell which place decides the mode of each container, and which places would
decide if it were not there: in values, patches, resources and templates. PATH
is as for check, and without one the paths of the configuration are taken. It is found by experiment: the app is rendered with changes
that are made in memory only.

` + configHelp + `

Exit status: 0, or 2 when something could not be explained. Whether the contract
holds is for check to say.`,
		Example: `  nevermigrate explain argocd/applications/agents
  nevermigrate explain CNM002`,
		PreRunE: checkPolicyFlags,
		RunE: func(cmd *cobra.Command, args []string) error {
			write := output.WriteExplanation
			switch format {
			case "text":
			case "json":
				write = func(w io.Writer, e *report.Explanation) error { return e.WriteJSON(w) }
			default:
				return usageError(cmd, fmt.Errorf("unknown output %q: use text or json", format))
			}
			if codes := codesOf(args); len(codes) > 0 {
				if len(codes) < len(args) {
					return usageError(cmd, fmt.Errorf("%s is a code and not all of %s are: explain codes and paths one after the other (a path of that name is ./%s)", codes[0], strings.Join(args, ", "), codes[0]))
				}
				return explainCodes(cmd, codes, format, options)
			}
			run, read, err := configs.join(cmd, options, given(cmd, options, args))
			if err != nil {
				return err
			}
			defer run.Close()
			options, args = run.Check, run.Paths
			if len(args) == 0 {
				return noPath(cmd, read, "no PATH and no CODE: name an app, a manifest, a folder with apps, - for standard input, or a code such as CNM002")
			}
			options.Stdin = cmd.InOrStdin()
			explanation, err := check.Explain(cmd.Context(), args, options)
			if err != nil {
				return err
			}
			if err := write(cmd.OutOrStdout(), explanation); err != nil {
				return err
			}
			if slices.ContainsFunc(explanation.Targets, func(t report.ExplainedTarget) bool { return t.Error != "" }) {
				return exitStatus(report.ExitUndecided)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "`FORMAT` of the explanation: text or json")
	configs = addConfigFlags(cmd)
	addConstraintFlag(cmd, &options.Constraints, "a constraint that sets parameters")
	addPolicyFlags(cmd, &options)
	addRenderFlags(cmd, &options)
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp)))
	cmd.ValidArgsFunction = completeCodes(&options)
	return cmd
}

var codePattern = regexp.MustCompile(`^(?i)CNM[0-9]{3}$`)

// codesOf are the arguments that are codes, in capitals.
func codesOf(args []string) []string {
	var codes []string
	for _, arg := range args {
		if codePattern.MatchString(arg) {
			codes = append(codes, strings.ToUpper(arg))
		}
	}
	return codes
}

// explainCodes prints what rules mean. The examples are those of the policy in
// this binary.
func explainCodes(cmd *cobra.Command, codes []string, format string, options check.Options) error {
	known, err := check.Rules(cmd.Context(), options)
	if err != nil {
		return err
	}
	examples := map[string]catalogue.Example{}
	if options.Policy == "" {
		if examples, err = catalogue.Examples(); err != nil {
			return err
		}
	}
	var rules []output.ExplainedRule
	for _, code := range codes {
		i := slices.IndexFunc(known, func(r catalogue.Rule) bool { return r.Code == code })
		if i < 0 {
			var names []string
			for _, rule := range known {
				names = append(names, rule.Code)
			}
			return usageError(cmd, fmt.Errorf("no rule has the code %s: there are %s", code, strings.Join(names, ", ")))
		}
		rule := output.ExplainedRule{Rule: known[i]}
		if example, ok := examples[code]; ok {
			rule.Example = &example
		}
		rules = append(rules, rule)
	}
	if format == "json" {
		return output.WriteRulesJSON(cmd.OutOrStdout(), rules)
	}
	for i, rule := range rules {
		if i > 0 {
			fmt.Fprintln(cmd.OutOrStdout())
		}
		if err := output.WriteRule(cmd.OutOrStdout(), rule); err != nil {
			return err
		}
	}
	return nil
}
