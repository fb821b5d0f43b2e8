package output

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// AzureDevOps is Azure Pipelines' logging commands, which become issues of a run.
const AzureDevOps report.Format = "azuredevops"

// Escapes of Azure Pipelines' logging commands. An agent looks for a command
// anywhere in a line.
var (
	azureText     = strings.NewReplacer("##", "# #")
	azureData     = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", "##", "# #")
	azureProperty = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", "]", "%5D", ";", "%3B", "##", "# #")
)

// writeAzureDevOps writes one issue for each finding, or for what many targets share.
func writeAzureDevOps(b *bytes.Buffer, r *report.Report, options Options) error {
	kinds := [levels]string{denied: "error", warned: "warning", dryRun: "warning"}
	issue := func(e Entry, heading, body string) {
		file, line, column := e.place()
		fmt.Fprintf(b, "##vso[task.logissue type=%s;sourcepath=%s", kinds[e.level()], azureProperty.Replace(file))
		if line > 0 {
			fmt.Fprintf(b, ";linenumber=%d;columnnumber=%d", line, max(column, 1))
		}
		fmt.Fprintf(b, ";code=%s;]%s: %s\n", azureProperty.Replace(plaintext.Line(e.code())), azureData.Replace(heading), azureData.Replace(body))
	}
	all := allResults(r)
	shared := Share(slices.Concat(all...))
	for _, results := range all {
		target := results[0].Target
		fmt.Fprintf(b, "##[group]%s: %s\n", azureText.Replace(plaintext.Line(target.Path)), target.Status)
		for _, e := range results {
			pointer, isShared := shared.Pointer(e.Finding, false)
			switch {
			case e.passed:
				fmt.Fprintln(b, azureText.Replace(e.right()))
			case isShared:
				fmt.Fprintln(b, azureText.Replace(pointer))
			case e.isInformation():
				fmt.Fprintln(b, azureData.Replace(e.line()))
			case e.exempted != nil:
				fmt.Fprintf(b, "exempted %s\n", azureText.Replace(e.line()))
			default:
				issue(e, e.heading(), e.body())
			}
		}
		fmt.Fprintln(b, "##[endgroup]")
	}
	for _, s := range shared.Groups {
		issue(s[0], s.heading(), s.body())
	}
	for _, line := range Warnings(r) {
		fmt.Fprintf(b, "##vso[task.logissue type=warning;]%s\n", azureData.Replace(line))
	}
	options.Color = false
	fmt.Fprintln(b, conclusion(r, options))
	return nil
}
