package output

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// GitHub is GitHub's workflow commands, which become annotations at the causes.
const GitHub report.Format = "github"

// Escapes of GitHub's workflow commands. The older form of a command starts
// anywhere in a line with ##[, and has no escape.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", "##[", "# #[")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C", "##[", "# #[")
)

// writeGitHub writes one annotation for each finding, since GitHub shows ten of
// a kind and no more. What passed is counted and not annotated.
func writeGitHub(b *bytes.Buffer, r *report.Report, _ Options) error {
	kinds := [levels]string{denied: "error", warned: "warning", dryRun: "notice"}
	all := allResults(r)
	for _, results := range all {
		fmt.Fprintf(b, "::group::%s: %s\n", githubData.Replace(plaintext.Line(results[0].Target.Path)), results[0].Target.Status)
		for _, e := range results {
			if e.passed {
				continue
			}
			if e.isInformation() {
				fmt.Fprintln(b, githubData.Replace(e.line()))
				continue
			}
			if e.exempted != nil {
				// It is listed and not annotated: there may be many.
				fmt.Fprintf(b, "exempted %s\n", githubData.Replace(e.line()))
				continue
			}
			file, line, column := e.place()
			fmt.Fprintf(b, "::%s file=%s,line=%d", kinds[e.level()], githubProperty.Replace(file), max(line, 1))
			if column > 0 {
				fmt.Fprintf(b, ",col=%d", column)
			}
			fmt.Fprintf(b, ",title=%s::%s\n", githubProperty.Replace(e.heading()), githubData.Replace(e.body()))
		}
		fmt.Fprintf(b, "%d passed\n::endgroup::\n", numbers(results)[passed])
	}
	for _, line := range Warnings(r) {
		fmt.Fprintf(b, "::warning::%s\n", githubData.Replace(line))
	}
	fmt.Fprintln(b, totals(all))
	return nil
}
