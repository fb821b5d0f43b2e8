package output

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/markdown"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// exemptedEntry is the entry for a finding that passes.
func exemptedEntry(target *report.Target, e *report.Exempted) Entry {
	return Entry{Target: target, Finding: &e.Finding, exempted: e}
}

// exempted says why a finding passes, and how long.
func (s style) exempted(e *report.Exempted) string {
	return s.labelled(exemptedTitle(*e), s.prose(e.Reason))
}

func exemptedTitle(e report.Exempted) string {
	if e.Until == "" {
		return "Exempted"
	}
	return "Exempted until " + plaintext.Line(e.Until)
}

// ExemptedLines is what the table says of a finding that passes: what it is, what
// is wrong, and why it passes.
func ExemptedLines(e *report.Exempted) []string {
	return []string{
		plaintext.Line(e.Code) + " exempted " + plainStyle.subject(&e.Finding),
		plaintext.Line(e.Message),
		plainStyle.exempted(e),
	}
}

// writeExempted writes the findings of a target that pass, for the table.
func writeExempted(b *bytes.Buffer, target *report.Target) {
	for i := range target.Exempted {
		fmt.Fprintf(b, "\n  %s\n", strings.Join(ExemptedLines(&target.Exempted[i]), "\n    "))
	}
}

// isExempted reports whether something that passes would be denied.
func isExempted(r *report.Report) bool {
	return slices.ContainsFunc(r.Targets, func(t report.Target) bool {
		return slices.ContainsFunc(t.Exempted, func(e report.Exempted) bool { return e.Severity == report.Deny })
	})
}

// exemptedCount is a part of the counts; without any there is none.
func exemptedCount(s report.Summary) string {
	if s.Exempted == 0 {
		return ""
	}
	return fmt.Sprintf(", %d exempted", s.Exempted)
}

// Warnings are what a run says of its exemptions and of its baseline, a line each:
// what matches nothing any more is to be removed.
func Warnings(r *report.Report) []string {
	var lines []string
	for _, e := range r.UnusedExemptions {
		lines = append(lines, "an exemption matches nothing, so remove it: "+ExemptionText(e))
	}
	if b := r.Baseline; b != nil && b.Gone > 0 {
		are := "are"
		if b.Gone == 1 {
			are = "is"
		}
		lines = append(lines, fmt.Sprintf("%s of the baseline %s %s gone: write it again with --write-baseline", plaintext.Count(b.Gone, "finding"), plaintext.Line(b.File), are))
	}
	return lines
}

// ExemptionText is an exemption on one line, as the configuration has it.
func ExemptionText(e report.Exemption) string {
	var parts []string
	for _, part := range []struct{ key, value string }{
		{"code", e.Code}, {"workload", e.Workload}, {"container", e.Container}, {"path", e.Path}, {"until", e.Until}, {"reason", e.Reason},
	} {
		if part.value != "" {
			parts = append(parts, part.key+": "+part.value)
		}
	}
	return plaintext.Line(strings.Join(parts, ", "))
}

// WriteMarkdownExempted writes, folded, the findings of targets that pass.
func WriteMarkdownExempted(w io.Writer, targets []report.Target) {
	var entries []Entry
	for i := range targets {
		for j := range targets[i].Exempted {
			entries = append(entries, exemptedEntry(&targets[i], &targets[i].Exempted[j]))
		}
	}
	if len(entries) == 0 {
		return
	}
	markdown.WriteFolded(w, "What is exempted, and why", func() {
		fmt.Fprintln(w)
		markdown.WriteList(w, entries, Entry.markdownItem, markdown.DetailsLimit, "finding")
	})
}

// writeMarkdownWarnings writes what a run says of its exemptions.
func writeMarkdownWarnings(b *bytes.Buffer, r *report.Report) {
	for i, line := range Warnings(r) {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "- **warning** %s\n", markdown.Text(line))
	}
}
