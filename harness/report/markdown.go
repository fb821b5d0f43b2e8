package report

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Bounds of the parts, in bytes. GitHub takes comments of 65,536 characters and
// refuses longer ones, and a comment that is refused is a finding unseen.
const (
	markdownTable    = 20_000
	markdownFindings = 25_000
	markdownModes    = 12_000
	markdownMessage  = 4_000
)

// writeMarkdown writes for pull request comments and step summaries: what is
// broken in a table, the rest folded. Conftest has no such format. What comes
// from manifests is written so that it can be nothing but text: no table cell
// ends early, nobody is mentioned, and no link or picture appears.
func (r *Report) writeMarkdown(w io.Writer, options WriteOptions) error {
	var b strings.Builder
	word, sentence := r.verdict(options.FailOnWarn)
	fmt.Fprintf(&b, "### nevermigrate: %s\n\n**%s** %s\n", word, upperFirst(sentence)+".", upperFirst(r.Summary.String()))
	entries := r.entriesByLevel()
	if len(entries) > 0 {
		b.WriteString("\n| | Code | Target | Workload | Cause |\n|---|---|---|---|---|\n")
		writeBounded(&b, entries, markdownRow, markdownTable, "finding")
		b.WriteString("\n<details><summary>What is set, and what to set instead</summary>\n\n")
		writeBounded(&b, entries, markdownBlock, markdownFindings, "finding")
		b.WriteString("\n</details>\n")
	}
	if rows := r.modeRows(); len(rows) > 0 {
		b.WriteString("\n<details><summary>Modes of all workloads</summary>\n\n| Target | Workload | Role | Container | Mode |\n|---|---|---|---|---|\n")
		writeBounded(&b, rows, markdownRowOfMode, markdownModes, "container")
		b.WriteString("\n</details>\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// entriesByLevel lists what is denied in any target before what is doubtful.
func (r *Report) entriesByLevel() []entry {
	var entries []entry
	for _, wanted := range []level{denied, warned, dryRun} {
		for _, e := range r.entries() {
			if e.level() == wanted {
				entries = append(entries, e)
			}
		}
	}
	return entries
}

// writeBounded writes things as long as they fit, and how many did not.
func writeBounded[T any](b *strings.Builder, things []T, markdown func(T) string, limit int, noun string) {
	for i, thing := range things {
		part := markdown(thing)
		if limit -= len(part); limit < 0 {
			fmt.Fprintf(b, "\nNot shown for want of room: %s. The other formats show all.\n", count(len(things)-i, noun))
			return
		}
		b.WriteString(part)
	}
}

func markdownRow(e entry) string {
	workload, cause := "", ""
	if e.finding != nil {
		workload = markdownWhere(e.finding)
	}
	if c := e.cause(); c != nil {
		cause = markdownCode(filePlace(c.File, c.Line))
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", e.severity(), markdownText(e.code()), markdownCode(e.target.Path), workload, cause)
}

// severity is the word for how bad it is.
func (e entry) severity() string {
	switch {
	case e.finding == nil:
		return "error"
	case e.level() == dryRun:
		return "dry run"
	default:
		return string(e.finding.Severity)
	}
}

func markdownWhere(f *Finding) string {
	if f.Workload == "" {
		return "the whole target"
	}
	where := markdownCode(f.Workload)
	if f.Namespace != "" {
		where += " in " + markdownCode(f.Namespace)
	}
	if f.Container != "" {
		where += ", container " + markdownCode(f.Container)
	}
	return where
}

func markdownBlock(e entry) string {
	if e.finding == nil {
		lines := strings.Split(cleanLines(cut(e.target.Error, markdownMessage)), "\n")
		for i := range lines {
			lines[i] = markdownText(strings.TrimSpace(lines[i]))
		}
		return fmt.Sprintf("- **error** %s could not be judged:<br>%s\n", markdownCode(e.target.Path), strings.Join(lines, "<br>"))
	}
	f := e.finding
	var b strings.Builder
	fmt.Fprintf(&b, "- **%s** %s %s", markdownText(f.Code), markdownCode(e.target.Path), markdownWhere(f))
	if f.Constraint != "" {
		fmt.Fprintf(&b, ", constraint %s", markdownCode(f.Constraint))
	}
	fmt.Fprintf(&b, "<br>%s", markdownText(clean(cut(f.Message, markdownMessage))))
	if f.Remedy != "" {
		fmt.Fprintf(&b, "<br>**Remedy:** %s", markdownText(clean(cut(f.Remedy, markdownMessage))))
	}
	for i := range f.Causes {
		word := "Cause"
		if i > 0 {
			word = "Cause too"
		}
		fmt.Fprintf(&b, "<br>**%s:** %s", word, f.Causes[i].markdown())
	}
	for i := range f.Overridden {
		fmt.Fprintf(&b, "<br>**Overrides:** %s", f.Overridden[i].markdown())
	}
	if f.CausesTruncated {
		fmt.Fprintf(&b, "<br>%s", truncatedNote)
	}
	if f.Fix != nil {
		fmt.Fprintf(&b, "<br>**%s:** in %s %s", f.Fix.Title(), markdownCode(filePlace(f.Fix.File, f.Fix.Line)), markdownText(clean(cut(f.Fix.Change, markdownMessage))))
	}
	return b.String() + "\n"
}

func (c *Cause) markdown() string {
	text := markdownCode(c.place())
	if c.Path != "" {
		text += " " + markdownCode(c.Path)
	}
	if c.Value != "" {
		text += " is " + markdownCode(c.Value)
	}
	if c.Layer != "" {
		text += " (" + markdownText(clean(string(c.Layer))) + ")"
	}
	return text
}

// modeRow is a container and what it is in. Without a workload it stands for a
// target in which there is nothing to see.
type modeRow struct {
	target    *Target
	workload  *Workload
	container Container
}

func (r *Report) modeRows() []modeRow {
	var rows []modeRow
	for i := range r.Targets {
		target := &r.Targets[i]
		if target.isSilent() {
			rows = append(rows, modeRow{target: target})
		}
		for j := range target.Workloads {
			workload := &target.Workloads[j]
			for _, container := range workload.containersOrNone() {
				rows = append(rows, modeRow{target, workload, container})
			}
		}
	}
	return rows
}

func markdownRowOfMode(row modeRow) string {
	workload := row.workload
	if workload == nil {
		return fmt.Sprintf("| %s | none | | | |\n", markdownCode(row.target.Path))
	}
	name := markdownCode(workload.Kind + "/" + workload.Name)
	if workload.Namespace != "" {
		name += " in " + markdownCode(workload.Namespace)
	}
	if workload.Constraint != "" {
		name += ", constraint " + markdownCode(workload.Constraint)
	}
	mode := string(row.container.Mode)
	if row.container.Exempt {
		mode += " (exempt)"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |\n",
		markdownCode(row.target.Path), name, workload.Role, row.container.markdown(), markdownText(mode))
}

// isSilent reports whether there is nothing to show of a target.
func (t *Target) isSilent() bool {
	return t.Error == "" && len(t.Workloads) == 0 && len(t.Findings) == 0
}

// containersOrNone lists the containers, or one that stands for there being
// none: a workload is not left out because it cannot be read.
func (w *Workload) containersOrNone() []Container {
	if len(w.Containers) == 0 {
		return []Container{{Type: "container", Mode: Unknown}}
	}
	return w.Containers
}

func (c Container) markdown() string {
	switch {
	case c.Name == "":
		return "(none)"
	case c.Type != "container":
		return markdownCode(c.Name) + " (" + markdownText(clean(c.Type)) + ")"
	default:
		return markdownCode(c.Name)
	}
}

// markdownCode is a text as code, which may stand in a table. A code span is
// literal but for the pipe, which ends a cell, and the backtick; with those, or
// the backslash that would escape them, it is HTML with nothing left to read as
// Markdown.
func markdownCode(text string) string {
	text = clean(cut(text, markdownMessage))
	if text == "" {
		return ""
	}
	if !strings.ContainsAny(text, "|`\\") && strings.TrimSpace(text) == text {
		return "`" + text + "`"
	}
	var b strings.Builder
	for _, c := range text {
		if c < utf8.RuneSelf && !isAlphanumeric(c) && c != ' ' && c != '-' {
			fmt.Fprintf(&b, "&#%d;", c)
		} else {
			b.WriteRune(c)
		}
	}
	return "<code>" + b.String() + "</code>"
}

var (
	markdownSpecial = strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;",
		"|", "&#124;", "`", "&#96;", "*", "&#42;", `\`, "&#92;", "~", "&#126;", "$", "&#36;", "^", "&#94;", "!", "&#33;",
		"](", "]&#40;", "][", "]&#91;", "://", "&#58;//", "www.", "www&#46;",
		// GitHub looks for mentions and issues in the rendered text, where an
		// escape is gone; a comment keeps the parts apart.
		"@", "@<!-- -->", "#", "#<!-- -->",
	)
	outerUnderscores = regexp.MustCompile(`\b_+|_+\b`)
)

// markdownText is a text as prose that says nothing but itself.
func markdownText(text string) string {
	return outerUnderscores.ReplaceAllStringFunc(markdownSpecial.Replace(text), func(underscores string) string {
		return strings.Repeat("&#95;", len(underscores))
	})
}

func isAlphanumeric(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// cut cuts a text that would fill a comment.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}

func upperFirst(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
