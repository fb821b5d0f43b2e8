package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Format is a way to write a report.
type Format string

// The formats. SARIF, JUnit, GitHub, TAP and AzureDevOps are conftest's.
const (
	FormatTable       Format = "table"
	FormatJSON        Format = "json"
	FormatSARIF       Format = "sarif"
	FormatJUnit       Format = "junit"
	FormatGitHub      Format = "github"
	FormatTAP         Format = "tap"
	FormatAzureDevOps Format = "azuredevops"
	FormatMarkdown    Format = "markdown"
	FormatHTML        Format = "html"
)

// Formats lists the formats, the one for people first.
func Formats() []Format {
	return []Format{
		FormatTable, FormatJSON, FormatSARIF, FormatJUnit, FormatGitHub, FormatTAP, FormatAzureDevOps,
		FormatMarkdown, FormatHTML,
	}
}

// WriteOptions say how a report is written.
type WriteOptions struct {
	// Color paints the table for a terminal.
	Color bool
	// FailOnWarn says that warnings count; see ExitStatus.
	FailOnWarn bool
	// Rules are the texts of the rules, which SARIF and HTML carry.
	Rules []Rule
	// Version is the version of the program that made the report.
	Version string
}

// Write writes the report in a format. In every format, characters that cannot
// be seen are written as escapes, and so is what the reader of the format would
// take for more than text: names come from files that nobody has reviewed yet.
func (r *Report) Write(w io.Writer, format Format, options WriteOptions) error {
	var text bytes.Buffer
	var err error
	switch format {
	case FormatTable:
		err = r.WriteTable(&text, TableOptions{Color: options.Color, FailOnWarn: options.FailOnWarn})
	case FormatJSON:
		err = r.WriteJSON(&text)
	case FormatSARIF:
		err = r.writeSARIF(&text, options)
	case FormatJUnit:
		err = r.writeJUnit(&text, options)
	case FormatGitHub:
		err = r.writeGitHub(&text)
	case FormatTAP:
		err = r.writeTAP(&text, options)
	case FormatAzureDevOps:
		err = r.writeAzureDevOps(&text)
	case FormatMarkdown:
		err = r.writeMarkdown(&text, options)
	case FormatHTML:
		err = r.writeHTML(&text, options)
	default:
		return fmt.Errorf("write report: unknown format %q", format)
	}
	if err != nil {
		return fmt.Errorf("write report as %s: %w", format, err)
	}
	if _, err := w.Write(text.Bytes()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// cleanLines cleans a text of several lines and keeps the lines. A line that
// GitHub Actions would take for a command, blanks before it or not, is none then.
func cleanLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		line = clean(strings.ReplaceAll(strings.TrimRight(line, " \t\r"), "\t", "    "))
		if command := strings.TrimLeft(line, " "); strings.HasPrefix(command, "::") {
			line = line[:len(line)-len(command)] + ": " + command[1:]
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}
