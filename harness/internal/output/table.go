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
// findings, what many targets share, and a last line with the verdict and counts.
const Table report.Format = "table"

// noWorkload is said of a target in which there is nothing to see.
const noWorkload = "no workload is bound by the contract or declares the migrations variable"

func writeTable(b *bytes.Buffer, r *report.Report, options Options) error {
	paint := Painter(options.Color)
	shared := Share(slices.Concat(allResults(r)...))
	for i := range r.Targets {
		target := &r.Targets[i]
		if options.Quiet && !slices.ContainsFunc(resultsOf(target), func(e Entry) bool { return e.fails(options.FailOnWarn) }) {
			continue
		}
		fmt.Fprintf(b, "%s: %s\n", plaintext.Line(target.Path), paint.Status(target.Status))
		if len(target.Chain) > 0 && target.Status != report.Pass {
			fmt.Fprintf(b, "  From %s\n", chainText(target.Chain))
		}
		switch {
		case target.Error != "":
			fmt.Fprintf(b, "  %s\n", plaintext.Indented(target.Error, 2))
		case len(target.Workloads) > 0:
			plaintext.WriteColumns(b, modeRows(target, options), ModeColumns(target.Workloads, options.Wide)...)
			if target.Note != "" {
				fmt.Fprintf(b, "  %s\n", plaintext.Line(target.Note))
			}
		case target.Note != "":
			fmt.Fprintf(b, "  %s\n", plaintext.Line(target.Note))
		case len(target.Findings)+len(target.Exempted) == 0:
			fmt.Fprintf(b, "  %s\n", noWorkload)
		}
		for j := range target.Findings {
			finding := &target.Findings[j]
			lines := FindingLines(finding, paint)
			if pointer, ok := shared.Pointer(finding, paint); ok {
				lines = []string{pointer}
			}
			fmt.Fprintf(b, "\n  %s\n", strings.Join(lines, "\n    "))
		}
		writeExempted(b, target)
		b.WriteByte('\n')
	}
	for _, s := range shared.Groups {
		if options.Quiet && !s[0].fails(options.FailOnWarn) {
			continue
		}
		fmt.Fprintf(b, "%s\n\n", strings.Join(s.Lines(paint), "\n  "))
	}
	if notJudged := shownNotJudged(r.Coverage, options); len(notJudged) > 0 {
		plaintext.WriteColumns(b, NotJudgedRows(notJudged, paint))
		b.WriteByte('\n')
	}
	fmt.Fprintln(b, conclusion(r, options))
	return nil
}

// chainText are the places that an Application comes from, on one line.
func chainText(chain []report.ApplicationPlace) string {
	var texts []string
	for i, place := range chain {
		text := fileLine(place.File, place.Line)
		if i > 0 && place.File == chain[i-1].File && place.Line > 0 {
			text = fmt.Sprintf("line %d", place.Line)
		}
		texts = append(texts, strings.TrimSpace(text+" "+plaintext.Line(place.Path)))
	}
	return strings.Join(texts, ", ")
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

// ModeColumns are the columns of a table of modes that are left out, so that it fits
// a terminal: NAMESPACE and CONSTRAINT when all workloads have the same. A wide table
// leaves out what is empty.
func ModeColumns(workloads []report.Workload, wide bool) (leftOut []string) {
	for _, column := range []struct {
		name string
		of   func(report.Workload) string
	}{
		{"NAMESPACE", func(w report.Workload) string { return w.Namespace }},
		{"CONSTRAINT", func(w report.Workload) string { return w.Constraint }},
	} {
		isSame := !slices.ContainsFunc(workloads, func(w report.Workload) bool { return column.of(w) != column.of(workloads[0]) })
		if isSame && (!wide || column.of(workloads[0]) == "") {
			leftOut = append(leftOut, column.name)
		}
	}
	return leftOut
}

func modeRows(target *report.Target, options Options) [][]string {
	paint := Painter(options.Color)
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
	return slices.Concat([]string{
		severityWord(f, paint) + " " + plainStyle.subject(f),
		plaintext.Line(f.Message),
		"Remedy: " + plaintext.Line(f.Remedy),
	}, plainStyle.origin(f), page(f))
}

// severityWord is the code, how bad it is, and how the constraint enforces it.
func severityWord(f *report.Finding, paint Painter) string {
	word := plaintext.Line(f.Code) + " " + string(f.Severity)
	if f.Enforcement != "" {
		word += " (enforcementAction: " + plaintext.Line(f.Enforcement) + ")"
	}
	return paint.Paint(word, string(f.Severity))
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
