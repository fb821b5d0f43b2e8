package diff

import (
	"fmt"
	"io"
	"strings"

	"github.com/proompteng/nevermigrate/harness/report"
)

// Bounds of the parts of the Markdown, in bytes; see package report.
const (
	markdownFindings   = 20_000
	markdownDetails    = 25_000
	markdownContainers = 12_000
)

// WriteMarkdown writes the diff for a pull request comment: findings in a
// table, the containers that changed in another, the rest folded.
func (d *Diff) WriteMarkdown(w io.Writer, options TextOptions) error {
	var b strings.Builder
	word, sentence := d.verdict(options)
	fmt.Fprintf(&b, "### nevermigrate: %s\n\n**%s.** %s\n\n%s\n", word, upperFirst(sentence), d.Summary.text(), d.Base.markdown())
	d.markdownFindings(&b)
	if rows := d.containerRows(); len(rows) > 0 {
		b.WriteString("\n| Change | Target | Workload | Role | Container | Mode |\n|---|---|---|---|---|---|\n")
		report.WriteBounded(&b, rows, containerRow.markdown, markdownContainers, "container")
	}
	if notes := d.markdownNotes(); len(notes) > 0 {
		b.WriteString("\n")
		report.WriteBounded(&b, notes, func(note string) string { return note }, markdownContainers, "note")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write diff: %w", err)
	}
	return nil
}

func (b Base) markdown() string {
	what := ""
	if b.MergeBase {
		what = ", its merge base with HEAD"
	}
	return fmt.Sprintf("Base: %s (commit %s%s).", report.MarkdownCode(b.Revision), report.MarkdownCode(b.Commit[:12]), what)
}

// changedFinding is a finding, or with none an error, and what became of it.
type changedFinding struct {
	change  string
	target  report.Target
	finding *report.Finding
}

func (f changedFinding) markdown() string {
	return "| " + f.change + " " + report.MarkdownRow(&f.target, f.finding)
}

func (d *Diff) markdownFindings(b *strings.Builder) {
	var all, told []changedFinding
	collect := func(change string, findings func(*Target) []report.Finding) {
		for i := range d.Targets {
			t := &d.Targets[i]
			for j := range findings(t) {
				one := changedFinding{change, report.Target{Path: t.Path}, &findings(t)[j]}
				all = append(all, one)
				if change != "fixed" {
					told = append(told, one)
				}
			}
		}
	}
	for _, t := range d.Targets {
		if t.Error != "" {
			all = append(all, changedFinding{"", report.Target{Path: t.Path, Error: t.Error}, nil})
		}
	}
	told = append(told, all...)
	collect("new", func(t *Target) []report.Finding { return t.Findings.New })
	collect("kept", func(t *Target) []report.Finding { return t.Findings.Kept })
	collect("fixed", func(t *Target) []report.Finding { return t.Findings.Fixed })
	if len(all) == 0 {
		return
	}
	b.WriteString("\n| Finding | | Code | Target | Workload | Cause |\n|---|---|---|---|---|---|\n")
	report.WriteBounded(b, all, changedFinding.markdown, markdownFindings, "finding")
	if len(told) == 0 {
		return
	}
	b.WriteString("\n<details><summary>What is set, and what to set instead</summary>\n\n")
	report.WriteBounded(b, told, func(f changedFinding) string { return report.MarkdownItem(&f.target, f.finding) }, markdownDetails, "finding")
	b.WriteString("\n</details>\n")
}

// containerRow is a container that changed.
type containerRow struct {
	target    *Target
	workload  *Workload
	container Container
	change    Change
}

// containerRows lists the containers that changed. A workload that changed and
// has none is listed too.
func (d *Diff) containerRows() []containerRow {
	var rows []containerRow
	for i := range d.Targets {
		for _, row := range d.Targets[i].containerRows() {
			row.target = &d.Targets[i]
			rows = append(rows, row)
		}
	}
	return rows
}

func (t *Target) containerRows() []containerRow {
	var rows []containerRow
	for i := range t.Workloads {
		w := &t.Workloads[i]
		listed := len(rows)
		for _, c := range w.Containers {
			change := c.Change
			if change == Unchanged && w.roleChanged() {
				change = Changed
			}
			if change != Unchanged {
				rows = append(rows, containerRow{workload: w, container: c, change: change})
			}
		}
		if len(rows) == listed && w.Change != Unchanged {
			rows = append(rows, containerRow{workload: w, container: Container{Name: "(none)", Type: "container"}, change: w.Change})
		}
	}
	return rows
}

func (r containerRow) markdown() string {
	workload := report.MarkdownCode(r.workload.Kind + "/" + r.workload.Name)
	if r.workload.Namespace != "" {
		workload += " in " + report.MarkdownCode(r.workload.Namespace)
	}
	if r.workload.Constraint != "" {
		workload += ", constraint " + report.MarkdownCode(r.workload.Constraint)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", r.change, report.MarkdownCode(r.target.Path), workload,
		report.MarkdownText(r.workload.roleText()), report.MarkdownCode(r.container.describe()), report.MarkdownText(r.container.modeText()))
}

// markdownNotes tell what the tables do not.
func (d *Diff) markdownNotes() []string {
	var notes []string
	for i := range d.Targets {
		t := &d.Targets[i]
		path := report.MarkdownCode(t.Path)
		switch t.Change {
		case Added, Removed:
			notes = append(notes, fmt.Sprintf("- %s was %s.\n", path, t.Change))
		case Moved:
			notes = append(notes, fmt.Sprintf("- %s was moved to %s.\n", report.MarkdownCode(t.BasePath), path))
		}
		if t.LostControllers && t.Change != Removed {
			notes = append(notes, fmt.Sprintf("- %s: %s\n", path, lostControllers))
		}
		if t.BaseError != "" {
			notes = append(notes, fmt.Sprintf("- %s: %s %s\n", path, baseUnjudged, report.MarkdownText(strings.Join(strings.Fields(t.BaseError), " "))))
		}
	}
	return notes
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
