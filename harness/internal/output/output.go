// Package output writes reports, each format in a file of its own. In every
// format, characters that cannot be seen are written as escapes, and so is what
// the reader of the format would take for more than text.
package output

import (
	"bytes"
	"fmt"
	"io"

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// formats are the formats and what writes them, the one for people first.
var formats = []struct {
	name  report.Format
	write func(b *bytes.Buffer, r *report.Report, options Options) error
}{
	{Table, writeTable},
	{JSON, writeJSON},
	{SARIF, writeSARIF},
	{JUnit, writeJUnit},
	{GitHub, writeGitHub},
	{TAP, writeTAP},
	{AzureDevOps, writeAzureDevOps},
	{Markdown, writeMarkdown},
	{HTML, writeHTML},
}

// Options say how a report is written.
type Options struct {
	// Color paints the table for a terminal.
	Color bool
	// Wide gives the table every column.
	Wide bool
	// Quiet leaves what does not fail out of the table.
	Quiet bool
	// FailOnWarn says that warnings count; see report.Report.ExitStatus.
	FailOnWarn bool
	// Rules returns what is known of the rules. Only formats that tell it call
	// Rules. Nil: nothing is known.
	Rules func() ([]catalogue.Rule, error)
	// Version is the version of the program that writes the report.
	Version string
}

func (o Options) rules() ([]catalogue.Rule, error) {
	if o.Rules == nil {
		return nil, nil
	}
	return o.Rules()
}

// Formats lists the formats, the one for people first.
func Formats() []report.Format {
	var names []report.Format
	for _, format := range formats {
		names = append(names, format.name)
	}
	return names
}

// Write writes a report in a format.
func Write(w io.Writer, r *report.Report, name report.Format, options Options) error {
	for _, format := range formats {
		if format.name != name {
			continue
		}
		var b bytes.Buffer
		if err := format.write(&b, r, options); err != nil {
			return fmt.Errorf("write report as %s: %w", name, err)
		}
		return plaintext.Write(w, b.String())
	}
	return fmt.Errorf("write report: unknown format %q", name)
}

// JSON is the stable form, which report.Read reads.
const JSON report.Format = "json"

func writeJSON(b *bytes.Buffer, r *report.Report, _ Options) error { return r.WriteJSON(b) }

// Verdict is the status of the whole, as ExitStatus has it, and why: a sentence
// without a full stop.
func Verdict(r *report.Report, failOnWarn bool) (report.Status, string) {
	switch r.ExitStatus(failOnWarn) {
	case report.ExitUndecided:
		if r.Summary.Errors == 0 && r.Summary.MayBind > 0 {
			return report.Error, "it could not be decided, for what was not judged may be bound by the contract"
		}
		return report.Error, "it could not be decided"
	case report.ExitBroken:
		if r.Summary.Denied == 0 {
			return report.Fail, "there are warnings"
		}
		return report.Fail, "the contract is broken"
	default:
		if isExempted(r) {
			return report.Pass, "the contract holds but for what is exempted"
		}
		return report.Pass, "the contract holds"
	}
}

// conclusion is the last line of a format for people or logs: the verdict, why, and
// counts.
func conclusion(r *report.Report, options Options) string {
	status, sentence := Verdict(r, options.FailOnWarn)
	return Painter(options.Color).Status(status) + ": " + sentence + ". " + counts(r.Summary)
}

// FromCache says of how many targets the verdict was kept from before, when any is kept.
func FromCache(cached *int, of int) string {
	if cached == nil {
		return ""
	}
	return fmt.Sprintf(" (%d of %d from the cache)", *cached, of)
}

// counts is a summary as a sentence.
func counts(s report.Summary) string {
	notJudged := ""
	if s.NotJudged > 0 {
		notJudged = fmt.Sprintf(", %s not judged", plaintext.Count(s.NotJudged, "place"))
		if s.MayBind > 0 {
			notJudged += fmt.Sprintf(" of which %d may be bound", s.MayBind)
		}
	}
	return fmt.Sprintf("%s%s, %s, %s judged, %d denied, %d warned%s, %s%s.",
		plaintext.Count(s.Targets, "target"), FromCache(s.Cached, s.Targets), plaintext.Count(s.Controllers, "controllers workload"), plaintext.Count(s.Containers, "container"),
		s.Denied, s.Warned, exemptedCount(s), plaintext.Count(s.Errors, "error"), notJudged)
}
