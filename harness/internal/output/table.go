package output

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/fatih/color"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Table is for people: each target with the modes of its workloads and its
// findings, and a last line with the verdict and counts.
const Table report.Format = "table"

// noWorkload is said of a target in which there is nothing to see.
const noWorkload = "no workload is bound by the contract or declares the migrations variable"

func writeTable(b *bytes.Buffer, r *report.Report, options Options) error {
	paint := Painter(options.Color)
	for i := range r.Targets {
		target := &r.Targets[i]
		if options.Quiet && !slices.ContainsFunc(resultsOf(target), func(e Entry) bool { return e.fails(options.FailOnWarn) }) {
			continue
		}
		fmt.Fprintf(b, "%s: %s\n", plaintext.Line(target.Path), paint.Status(target.Status))
		switch {
		case target.Error != "":
			fmt.Fprintf(b, "  %s\n", plaintext.Indented(target.Error, 2))
		case len(target.Workloads) > 0:
			plaintext.WriteColumns(b, modeRows(target, paint), "CONSTRAINT")
		case target.Note != "":
			fmt.Fprintf(b, "  %s\n", plaintext.Line(target.Note))
		case len(target.Findings)+len(target.Exempted) == 0:
			fmt.Fprintf(b, "  %s\n", noWorkload)
		}
		for j := range target.Findings {
			fmt.Fprintf(b, "\n  %s\n", strings.Join(FindingLines(&target.Findings[j], paint), "\n    "))
		}
		writeExempted(b, target)
		b.WriteByte('\n')
	}
	if notJudged := shownNotJudged(r.Coverage, options); len(notJudged) > 0 {
		plaintext.WriteColumns(b, NotJudgedRows(notJudged, paint), "")
		b.WriteByte('\n')
	}
	status, sentence := Verdict(r, options.FailOnWarn)
	fmt.Fprintf(b, "%s: %s. %s\n", paint.Status(status), sentence, counts(r.Summary))
	return nil
}

// shownNotJudged are the places that were not judged, without those that prove
// nothing when it is to be quiet.
func shownNotJudged(c *report.Coverage, options Options) []report.NotJudged {
	switch {
	case c == nil:
		return nil
	case !options.Quiet:
		return c.NotJudged
	}
	return report.Undecided(c.NotJudged)
}

// NotJudgedRows are a table of places that were not judged, a line for each.
func NotJudgedRows(places []report.NotJudged, paint Painter) [][]string {
	rows := [][]string{{"NOT JUDGED", "KIND", "MAY BE BOUND", "WHY"}}
	for i := range places {
		n := &places[i]
		mayBind := "no"
		switch {
		case n.Excluded != "":
			mayBind = "excluded"
		case n.MayBind:
			mayBind = paint.Paint("yes", "error")
		}
		rows = append(rows, []string{plaintext.Cell(n.Path), plaintext.Cell(n.Kind), mayBind, plaintext.Line(reasonOf(n))})
	}
	return rows
}

func modeRows(target *report.Target, paint Painter) [][]string {
	rows := [][]string{{"WORKLOAD", "NAMESPACE", "ROLE", "CONTAINER", "CONSTRAINT", "MODE"}}
	for _, m := range modesOf(target) {
		rows = append(rows, []string{plaintext.Cell(m.workload()), plaintext.Cell(m.Workload.Namespace), string(m.Workload.Role),
			containerName(m.Container, plaintext.Cell, plaintext.Line), plaintext.Cell(m.Workload.Constraint),
			paint.Paint(plaintext.Line(ModeText(m.Container.Mode, m.Container.Exempt)), m.Judgement())})
	}
	return rows
}

// FindingLines is what the table says of a finding, from its code on.
func FindingLines(f *report.Finding, paint Painter) []string {
	word := plaintext.Line(f.Code) + " " + string(f.Severity)
	if f.Enforcement != "" {
		word += " (enforcementAction: " + plaintext.Line(f.Enforcement) + ")"
	}
	return append([]string{
		paint.Paint(word, string(f.Severity)) + " " + plainStyle.subject(f),
		plaintext.Line(f.Message),
		"Remedy: " + plaintext.Line(f.Remedy),
	}, plainStyle.origin(f)...)
}

// Painter paints words for a terminal, or, when it is false, leaves them as they
// are.
type Painter bool

// Paint paints a text by a word that says how good it is: a status, a severity or
// what JudgeMode says.
func (p Painter) Paint(text, word string) string {
	var attribute color.Attribute
	switch word {
	case "pass", "right":
		attribute = color.FgGreen
	case "fail", "deny", "wrong":
		attribute = color.FgRed
	case "error", "warn":
		attribute = color.FgYellow
	}
	if !bool(p) || attribute == color.Reset {
		return text
	}
	c := color.New(attribute)
	c.EnableColor()
	return c.Sprint(text)
}

// Status paints a verdict.
func (p Painter) Status(status report.Status) string { return p.Paint(string(status), string(status)) }
