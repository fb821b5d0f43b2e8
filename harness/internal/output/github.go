package output

import (
	"bytes"
	"fmt"
	"slices"
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

// writeGitHub writes one annotation for each finding, or for what many targets share,
// since GitHub shows ten of a kind and no more. What is right is not annotated.
func writeGitHub(b *bytes.Buffer, r *report.Report, options Options) error {
	kinds := [levels]string{denied: "error", warned: "warning", dryRun: "notice"}
	annotation := func(e Entry, heading, body string) {
		file, line, column := e.place()
		fmt.Fprintf(b, "::%s file=%s,line=%d", kinds[e.level()], githubProperty.Replace(file), max(line, 1))
		if column > 0 {
			fmt.Fprintf(b, ",col=%d", column)
		}
		fmt.Fprintf(b, ",title=%s::%s\n", githubProperty.Replace(heading), githubData.Replace(body))
	}
	all := allResults(r)
	shared := Share(slices.Concat(all...))
	for _, results := range all {
		fmt.Fprintf(b, "::group::%s: %s\n", githubData.Replace(plaintext.Line(results[0].Target.Path)), results[0].Target.Status)
		for _, e := range results {
			pointer, isShared := shared.Pointer(e.Finding, false)
			switch {
			case e.passed:
				fmt.Fprintln(b, githubLine(e.right()))
			case isShared:
				fmt.Fprintln(b, githubLine(pointer))
			case e.isInformation():
				fmt.Fprintln(b, githubLine(e.line()))
			case e.exempted != nil:
				// It is listed and not annotated: there may be many.
				fmt.Fprintf(b, "exempted %s\n", githubData.Replace(e.line()))
			default:
				annotation(e, e.heading(), e.body())
			}
		}
		fmt.Fprintln(b, "::endgroup::")
	}
	for _, s := range shared.Groups {
		annotation(s[0], s.heading(), s.body())
	}
	for _, line := range Warnings(r) {
		fmt.Fprintf(b, "::warning::%s\n", githubData.Replace(line))
	}
	options.Color = false
	fmt.Fprintln(b, conclusion(r, options))
	return nil
}

// githubLine is a line of the log that is no command.
func githubLine(text string) string { return plaintext.Lines(githubData.Replace(text)) }
