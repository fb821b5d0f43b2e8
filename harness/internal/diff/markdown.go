package diff

import (
	"fmt"
	"io"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/markdown"
	"github.com/proompteng/nevermigrate/harness/internal/output"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// WriteMarkdown writes the diff for a pull request comment: findings in a
// table, the containers that changed in another, the rest folded.
func (d *Diff) WriteMarkdown(w io.Writer, options TextOptions) error {
	var b strings.Builder
	status, sentence := d.verdict(options)
	fmt.Fprintf(&b, "### nevermigrate: %s\n\n**%s.** %s\n\n%s\n", status, plaintext.UpperFirst(sentence), d.Summary.text(), d.sides(markdown.Code))
	d.markdownFindings(&b)
	var exempted []report.Target
	for _, t := range d.Targets {
		exempted = append(exempted, report.Target{Path: t.Path, Exempted: t.Exempted})
	}
	output.WriteMarkdownExempted(&b, exempted)
	var rows []containerRow
	for i := range d.Targets {
		rows = append(rows, d.Targets[i].containerRows()...)
	}
	if len(rows) > 0 {
		markdown.WriteTable(&b, "| Change | Target | Workload | Role | Container | Mode |", rows, containerRow.markdownCells, markdown.RestLimit, "container")
	}
	if d.NotJudged != nil && len(d.NotJudged.New) > 0 {
		markdown.WriteTable(&b, "| New, not judged | Kind | May be bound | Why |", d.NotJudged.New, output.NotJudgedCells, markdown.RestLimit, "place")
	}
	if notes := d.markdownNotes(); len(notes) > 0 {
		b.WriteString("\n")
		markdown.WriteList(&b, notes, func(note string) string { return note }, markdown.NotesLimit, "note")
	}
	b.WriteString(output.MarkdownLinks(b.String()))
	return plaintext.Write(w, b.String())
}

// changedEntry is a finding, or an error, and what became of it.
type changedEntry struct {
	change string
	output.Shared
}

func (e changedEntry) markdownCells() []string {
	return append([]string{e.change}, e.MarkdownCells()...)
}

// markdownFindings writes errors and findings in a table, and what is known of
// those that are still there.
func (d *Diff) markdownFindings(b *strings.Builder) {
	var rows []changedEntry
	var still []output.Shared
	add := func(change string, entries []output.Entry) {
		for _, one := range output.Told(entries) {
			rows = append(rows, changedEntry{change, one})
			if change != "fixed" {
				still = append(still, one)
			}
		}
	}
	collect := func(change string, findings func(*Target) []report.Finding) {
		var entries []output.Entry
		for i := range d.Targets {
			list := findings(&d.Targets[i])
			for j := range list {
				entries = append(entries, output.Entry{Target: &report.Target{Path: d.Targets[i].Path}, Finding: &list[j]})
			}
		}
		add(change, entries)
	}
	for _, t := range d.Targets {
		if t.Error != "" {
			add("", []output.Entry{{Target: &report.Target{Path: t.Path, Error: t.Error}}})
		}
	}
	collect("new", func(t *Target) []report.Finding { return t.Findings.New })
	collect("kept", func(t *Target) []report.Finding { return t.Findings.Kept })
	collect("fixed", func(t *Target) []report.Finding { return t.Findings.Fixed })
	if len(rows) > 0 {
		markdown.WriteTable(b, "| Finding | | Code | Target | Workload | Cause |", rows, changedEntry.markdownCells, markdown.TableLimit, "finding")
	}
	if len(still) > 0 {
		output.WriteMarkdownDetails(b, still)
	}
}

func (r containerRow) markdownCells() []string {
	w := r.workload
	return []string{string(r.change), markdown.Code(r.target.Path), output.MarkdownWorkload(report.Workload{Kind: w.Kind, Namespace: w.Namespace, Name: w.Name, Constraint: w.Constraint}),
		markdown.Text(sides(w.Role)), markdown.Code(r.container.describe()), markdown.Text(r.container.modeText())}
}

// markdownNotes tell what the tables do not.
func (d *Diff) markdownNotes() []string {
	var notes []string
	for i := range d.Targets {
		t := &d.Targets[i]
		path := markdown.Code(t.Path)
		switch t.Change {
		case Added, Removed:
			notes = append(notes, fmt.Sprintf("- %s was %s.\n", path, t.Change))
		case Moved:
			notes = append(notes, fmt.Sprintf("- %s was moved to %s.\n", markdown.Code(t.BasePath), path))
		}
		if t.Kind != nil {
			notes = append(notes, fmt.Sprintf("- %s is of another kind now: %s.\n", path, markdown.Text(sides(*t.Kind))))
		}
		if t.LostControllers && t.Change != Removed {
			notes = append(notes, fmt.Sprintf("- %s: %s\n", path, lostControllers))
		}
		if t.BaseError != "" {
			notes = append(notes, fmt.Sprintf("- %s: %s %s\n", path, baseUnjudged, markdown.Text(strings.Join(strings.Fields(t.BaseError), " "))))
		}
	}
	return notes
}
