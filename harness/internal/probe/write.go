package probe

import (
	_ "embed"
	"fmt"
	"io"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/markdown"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
)

// Schema is the JSON Schema of the report that WriteJSON writes.
//
//go:embed probe.schema.json
var Schema []byte

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error { return plaintext.WriteJSON(w, r) }

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	for _, chart := range r.Charts {
		fmt.Fprintf(&b, "%s: %s\n", plaintext.Line(chart.Title()), chart.State())
		for _, hole := range chart.Holes {
			hole.table(&b)
		}
		for _, branch := range chart.Coverage.NotTaken {
			fmt.Fprintf(&b, "  not taken %s\n", plaintext.Line(branch.line()))
		}
		b.WriteByte('\n')
	}
	for _, id := range r.Gone {
		fmt.Fprintf(&b, "no longer found: %s: take it out of the baseline\n", plaintext.Line(id))
	}
	fmt.Fprintf(&b, "%s\n", r.Sentence())
	return plaintext.Write(w, b.String())
}

// Title says what a chart is.
func (c *Chart) Title() string {
	return fmt.Sprintf("%s, release %s in namespace %s", c.Folder, c.Release, c.Namespace)
}

// State says what was tried of it.
func (c *Chart) State() string {
	switch {
	case c.Base == NoControllers && c.Ended == "":
		return "no controllers workload, whatever was tried"
	case c.Base == Harmless || c.Base == NoControllers:
		n := &c.Counts
		places := plaintext.Count(c.Places, "place")
		if c.Places == 0 {
			places = "no place, as there is nothing to set"
		}
		text := fmt.Sprintf("%s at %s: %d refused, %d harmless, %d holes, %d escaped, %d vanished; %s",
			plaintext.Count(n.Total(), "configuration"), places, n.Refused, n.Harmless, n.Hole, n.Escaped, n.Vanished, c.Ended)
		if c.Base == NoControllers {
			text += "; the controllers are off in what is given"
		}
		return text
	default:
		return "the values as they are given are a hole, so nothing was pushed: mend that first"
	}
}

func (h Hole) table(b *strings.Builder) {
	fmt.Fprintf(b, "  %s %s\n", h.Label(), plaintext.Line(h.Title()))
	for _, line := range []struct{ key, text string }{
		{"set", h.Arguments},
		{"found", h.Found()},
		{"template", h.Template},
		{"read at", strings.Join(h.Read, ", ")},
		{"rendered", oneLine(h.Entry)},
		{"kind", h.changed()},
		{"not confirmed", h.Unconfirmed},
	} {
		if line.text != "" {
			fmt.Fprintf(b, "    %-9s %s\n", line.key, plaintext.Indented(line.text, 12))
		}
	}
}

// line says which branch was not taken, and why.
func (b Branch) line() string {
	way := "never taken"
	if b.Always {
		way = "always taken"
	}
	return fmt.Sprintf("%s:%d %s (%s: %s)", b.File, b.Line, plaintext.Cut(b.Condition, 80), way, b.Reason)
}

// oneLine puts YAML on one line, as far as it has a form for that.
func oneLine(entry string) string {
	var kept, comments []string
	for line := range strings.Lines(entry) {
		if comment, ok := strings.CutPrefix(line, "# "); ok {
			comments = append(comments, strings.TrimSpace(comment))
		} else {
			kept = append(kept, line)
		}
	}
	text := flow(strings.Join(kept, ""))
	if len(comments) > 0 {
		text += " (" + strings.Join(comments, "; ") + ")"
	}
	return text
}

// Label says in a word what a hole is.
func (h Hole) Label() string {
	switch {
	case h.Known:
		return "KNOWN"
	case h.Verdict == Migrates:
		return "HOLE"
	default:
		return strings.ToUpper(string(h.Verdict))
	}
}

// changed says what is changed, where it is not the values.
func (h Hole) changed() string {
	switch h.Kind {
	case OfRelease:
		return "release: the chart migrates as another release"
	case OfCluster:
		return "capabilities: the chart migrates on another cluster"
	}
	return ""
}

// Title is what is set.
func (h Hole) Title() string {
	if len(h.Paths) == 0 {
		return "with nothing set"
	}
	return strings.Join(h.Paths, " with ")
}

// Found says what was found, and of what.
func (h Hole) Found() string {
	text := h.Message
	if len(h.Codes) > 0 {
		text = strings.Join(h.Codes, ", ") + ": " + text
	}
	if h.Workload == "" {
		return text
	}
	if h.Container == "" {
		return h.Workload + ": " + text
	}
	return h.Workload + ", container " + h.Container + ": " + text
}

// Sentence is the verdict on all charts.
func (r *Report) Sentence() string {
	s := &r.Summary
	var parts []string
	if s.Escaped > 0 {
		parts = append(parts, plaintext.Count(s.Escaped, "hole")+" that the policy does not see")
	}
	parts = append(parts, plaintext.Count(s.Holes, "hole"))
	if s.Known > 0 {
		parts[len(parts)-1] += fmt.Sprintf(" besides %d known", s.Known)
	}
	if s.Vanished == 1 {
		parts = append(parts, "1 way to make controllers vanish")
	} else if s.Vanished > 1 {
		parts = append(parts, fmt.Sprintf("%d ways to make controllers vanish", s.Vanished))
	}
	if s.Unconfirmed > 0 {
		parts = append(parts, fmt.Sprintf("%d not confirmed", s.Unconfirmed))
	}
	text := fmt.Sprintf("%s in %s (seed %d)", strings.Join(parts, ", "), plaintext.Count(s.Configurations, "configuration"), r.Seed)
	if s.Branches == 0 {
		return text + "."
	}
	text += fmt.Sprintf("; %d of %d branches taken", s.Taken, s.Branches)
	var missed []string
	for _, chart := range r.Charts {
		for _, branch := range chart.Coverage.NotTaken {
			if !branch.Explained {
				missed = append(missed, fmt.Sprintf("%s:%d %s", branch.File, branch.Line, plaintext.Cut(branch.Condition, 60)))
			}
		}
	}
	switch n := len(missed) - shownBranches; {
	case len(missed) == 0 && s.Taken < s.Branches:
		text += "; no value takes the others"
	case n > 0:
		text += fmt.Sprintf("; not taken: %s and %d more", strings.Join(missed[:shownBranches], ", "), n)
	case len(missed) > 0:
		text += "; not taken: " + strings.Join(missed, ", ")
	}
	return text + "."
}

// shownBranches is how many branches the summary names.
const shownBranches = 3

// WriteMarkdown writes the report for comments and step summaries.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### nevermigrate probe\n\n**%s**\n", markdown.Text(r.Sentence()))
	for _, chart := range r.Charts {
		fmt.Fprintf(&b, "\n%s: %s.\n", markdown.Code(chart.Title()), markdown.Text(chart.State()))
		if len(chart.Holes) > 0 {
			markdown.WriteTable(&b, "| | Codes | Set | Template |", chart.Holes, Hole.markdownCells, markdown.TableLimit, "hole")
			markdown.WriteFolded(&b, "What is set, and what is rendered", func() {
				markdown.WriteList(&b, chart.Holes, Hole.markdownItem, markdown.DetailsLimit, "hole")
			})
		}
	}
	for _, chart := range r.Charts {
		if len(chart.Coverage.NotTaken) > 0 {
			b.WriteString("\n")
			markdown.WriteList(&b, chart.Coverage.NotTaken, func(branch Branch) string { return "- not taken: " + markdown.Code(branch.line()) + "\n" }, markdown.DetailsLimit, "branch")
		}
		if len(chart.Coverage.Templates) > 0 {
			markdown.WriteFolded(&b, "The templates: + marks a branch that was taken both ways, - one that was not", func() {
				markdown.WriteList(&b, chart.Coverage.Templates, func(t TemplateCoverage) string {
					return fmt.Sprintf("\n%s: %d of %d\n\n%s\n", markdown.Code(t.File), t.Taken, t.Branches, markdown.CodeBlock(t.text()))
				}, markdown.DetailsLimit, "template")
			})
		}
	}
	for _, id := range r.Gone {
		fmt.Fprintf(&b, "\nNo longer found: %s\n", markdown.Code(id))
	}
	return plaintext.Write(w, b.String())
}

func (h Hole) markdownCells() []string {
	return []string{strings.ToLower(h.Label()), strings.Join(h.Codes, " "), markdown.Code(h.Arguments), markdown.Code(h.Template)}
}

func (h Hole) markdownItem() string {
	text := fmt.Sprintf("\n%s: %s\n", markdown.Code(h.Title()), markdown.Text(h.Found()))
	text += "\nFrom the value to the line: "
	for i, step := range h.Way() {
		if i > 0 {
			text += " → "
		}
		text += markdown.Code(step)
	}
	text += "\n"
	for _, code := range []string{h.Values, h.Entry} {
		if code != "" {
			text += "\n" + markdown.CodeBlock(code) + "\n"
		}
	}
	if h.Unconfirmed != "" {
		text += "\nNot confirmed: " + markdown.Text(h.Unconfirmed) + "\n"
	}
	return text
}
