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

// Markdown is for pull request comments and step summaries: what is broken in a
// table, the rest folded.
const Markdown report.Format = "markdown"

func writeMarkdown(b *bytes.Buffer, r *report.Report, options Options) error {
	status, sentence := Verdict(r, options.FailOnWarn)
	fmt.Fprintf(b, "### nevermigrate: %s\n\n**%s.** %s\n", status, plaintext.UpperFirst(sentence), counts(r.Summary))
	entries := slices.DeleteFunc(byLevel(problems(r)), Entry.isInformation)
	if len(entries) > 0 {
		told := Told(entries)
		markdown.WriteTable(b, "| | Code | Target | Workload | Cause |", told, Shared.MarkdownCells, markdown.TableLimit, "finding")
		WriteMarkdownDetails(b, told)
	}
	writeMarkdownWarnings(b, r)
	if r.Coverage != nil && len(r.Coverage.NotJudged) > 0 {
		markdown.WriteFolded(b, "What was not judged", func() {
			markdown.WriteTable(b, "| Place | Kind | May be bound | Why |", r.Coverage.NotJudged, NotJudgedCells, markdown.RestLimit, "place")
		})
	}
	var modes []containerMode
	for i := range r.Targets {
		target := &r.Targets[i]
		modes = append(modes, modesOf(target)...)
		if target.Error == "" && len(target.Workloads) == 0 && len(target.Findings)+len(target.Exempted) == 0 {
			modes = append(modes, containerMode{Target: target})
		}
	}
	if len(modes) > 0 {
		markdown.WriteFolded(b, "Modes of all workloads", func() {
			markdown.WriteTable(b, "| Target | Workload | Role | Container | Mode |", modes, containerMode.markdownCells, markdown.RestLimit, "container")
		})
	}
	b.WriteString(MarkdownLinks(b.String()))
	return nil
}

// NotJudgedCells are the cells for a place that was not judged: path, kind, whether it
// may be bound, and why.
func NotJudgedCells(n report.NotJudged) []string {
	mayBind := "no"
	switch {
	case n.Excluded != "":
		mayBind = "excluded"
	case n.MayBind:
		mayBind = "**yes**"
	}
	return []string{markdown.Code(n.Path), markdown.Text(n.Kind), mayBind, markdown.Text(reasonOf(&n))}
}

// WriteMarkdownDetails writes, folded, all that is known of entries.
func WriteMarkdownDetails(w io.Writer, told []Shared) {
	markdown.WriteFolded(w, "What is set, and what to set instead", func() {
		fmt.Fprintln(w)
		markdown.WriteList(w, told, Shared.markdownItem, markdown.DetailsLimit, "finding")
	})
}

// MarkdownCells are the cells for what is told once: severity, code, target, workload,
// cause.
func (s Shared) MarkdownCells() []string {
	e := s[0]
	target, workload, cause := markdown.Code(e.Target.Path), "", ""
	if e.Finding != nil {
		workload = markdownStyle.subject(e.Finding)
	}
	if c := e.cause(); c != nil {
		cause = markdown.Code(fileLine(c.File, c.Line))
	}
	if len(s) > 1 {
		target = s.targets()
		if slices.ContainsFunc(s, func(o Entry) bool { return markdownStyle.subject(o.Finding) != workload }) {
			workload = plaintext.Count(len(s), "container") + " of workloads"
		}
	}
	return []string{e.severity(), linked(e.code()), target, workload, cause}
}

// MarkdownWorkload names a workload.
func MarkdownWorkload(w report.Workload) string {
	return markdownStyle.subject(&report.Finding{Workload: w.Kind + "/" + w.Name, Namespace: w.Namespace}) + markdownStyle.constraint(w.Constraint)
}

func (e Entry) markdownItem() string {
	path := markdown.Code(e.Target.Path)
	if e.Finding == nil {
		return fmt.Sprintf("- **error** %s could not be judged:<br>%s\n", path, markdown.Lines(e.Target.Error))
	}
	f := e.Finding
	subject := markdownStyle.subject(f) + markdownStyle.constraint(f.Constraint)
	lines := []string{fmt.Sprintf("- **%s** %s %s", linked(f.Code), path, subject), markdown.Text(f.Message)}
	if f.Remedy != "" {
		lines = append(lines, markdownStyle.labelled("Remedy", markdown.Text(f.Remedy)))
	}
	lines = append(lines, markdownStyle.origin(f)...)
	if e.exempted != nil {
		lines = append(lines, markdownStyle.exempted(e.exempted))
	}
	return strings.Join(lines, "<br>") + "\n"
}

// markdownItem is all that is known of what is told once; of what many targets share,
// with the targets below it.
func (s Shared) markdownItem() string {
	if len(s) == 1 {
		return s[0].markdownItem()
	}
	f := s[0].Finding
	all, own := s.origins(markdownStyle)
	lines := append([]string{
		fmt.Sprintf("- **%s** in %s, by one cause%s", linked(f.Code), s.targets(), markdownStyle.constraint(f.Constraint)),
		markdown.Text(f.Message), markdownStyle.labelled("Remedy", markdown.Text(f.Remedy)),
	}, all...)
	text := strings.Join(lines, "<br>") + "\n"
	for i, e := range s[:min(len(s), mostNamed)] {
		text += "  - " + strings.Join(append([]string{markdown.Code(e.Target.Path) + " " + markdownStyle.subject(e.Finding)}, own[i]...), "<br>") + "\n"
	}
	if more := s.more(); more != "" {
		text += "  - " + more + "\n"
	}
	return text
}

func (m containerMode) markdownCells() []string {
	path, w, c := markdown.Code(m.Target.Path), m.Workload, m.Container
	if w == nil { // There is nothing to see in the target.
		return []string{path, "none"}
	}
	return []string{path, MarkdownWorkload(*w), string(w.Role), containerName(c, markdown.Code, markdown.Text), markdown.Text(ModeText(c.Mode, c.Exempt))}
}
