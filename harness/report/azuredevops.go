package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/open-policy-agent/conftest/output"
)

// Escapes of Azure Pipelines' logging commands. An agent looks for a command
// anywhere in a line.
var (
	azureText     = strings.NewReplacer("##", "# #")
	azureData     = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", "##", "# #")
	azureProperty = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", "]", "%5D", ";", "%3B", "##", "# #")
)

// writeAzureDevOps writes Azure Pipelines' logging commands. Conftest writes the
// file into the message, where Azure does not look for it, and no line, no
// column and no code: they become properties here.
func (r *Report) writeAzureDevOps(w io.Writer) error {
	results := r.checkResults(azureText.Replace, func(e entry) string { return azureData.Replace(e.body()) })
	var text bytes.Buffer
	if err := output.NewAzureDevOps(&text).Output(results); err != nil {
		return err
	}
	entries := r.entries()
	for line := range strings.Lines(text.String()) {
		line = strings.TrimSuffix(line, "\n")
		command, isIssue := strings.CutPrefix(line, "##vso[task.logissue type=")
		if !isIssue {
			fmt.Fprintln(w, strings.ReplaceAll(line, "See conftest results", "See results"))
			continue
		}
		if len(entries) == 0 {
			return fmt.Errorf("conftest wrote more issues than there are findings")
		}
		e := entries[0]
		entries = entries[1:]
		kind, _, _ := strings.Cut(command, "]")
		properties := "sourcepath=" + azureProperty.Replace(clean(e.target.Path))
		if cause := e.cause(); cause != nil {
			properties = "sourcepath=" + azureProperty.Replace(clean(cause.File))
			if cause.Line > 0 {
				properties += fmt.Sprintf(";linenumber=%d;columnnumber=%d", cause.Line, max(cause.Column, 1))
			}
		}
		fmt.Fprintf(w, "##vso[task.logissue type=%s;%s;code=%s;]%s: %s\n",
			kind, properties, azureProperty.Replace(clean(e.code())), azureData.Replace(e.heading()), azureData.Replace(e.body()))
	}
	if len(entries) > 0 {
		return fmt.Errorf("conftest left out %d issues", len(entries))
	}
	return nil
}
