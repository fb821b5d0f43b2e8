package output

import (
	"bytes"
	"fmt"
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

func writeAzureDevOps(b *bytes.Buffer, r *report.Report, _ Options) error {
	kinds := [levels]string{denied: "error", warned: "warning", dryRun: "warning"}
	all := allResults(r)
	for _, results := range all {
		path := azureText.Replace(plaintext.Line(results[0].Target.Path))
		fmt.Fprintf(b, "##[section]Testing '%s' against %d policies in namespace 'main'\n##[group]See results\n", path, len(results))
		for _, e := range results {
			if e.passed {
				continue
			}
			if e.isInformation() {
				fmt.Fprintln(b, azureData.Replace(e.line()))
				continue
			}
			if e.exempted != nil {
				fmt.Fprintf(b, "exempted %s\n", azureText.Replace(e.line()))
				continue
			}
			file, line, column := e.place()
			fmt.Fprintf(b, "##vso[task.logissue type=%s;sourcepath=%s", kinds[e.level()], azureProperty.Replace(file))
			if line > 0 {
				fmt.Fprintf(b, ";linenumber=%d;columnnumber=%d", line, max(column, 1))
			}
			fmt.Fprintf(b, ";code=%s;]%s: %s\n", azureProperty.Replace(plaintext.Line(e.code())), azureData.Replace(e.heading()), azureData.Replace(e.body()))
		}
		if n := numbers(results)[passed]; n > 0 {
			fmt.Fprintf(b, "success file=%s %d\n", path, n)
		}
		fmt.Fprintln(b, "##[endgroup]")
	}
	for _, line := range Warnings(r) {
		fmt.Fprintf(b, "##vso[task.logissue type=warning;]%s\n", azureData.Replace(line))
	}
	fmt.Fprintln(b, totals(all))
	return nil
}
