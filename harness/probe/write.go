package probe

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/proompteng/nevermigrate/harness/report"
)

// Schema is the JSON Schema of the report that WriteJSON writes.
//
//go:embed probe.schema.json
var Schema []byte

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return write(w, b.String())
}

func write(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	for i := range r.Charts {
		chart := &r.Charts[i]
		fmt.Fprintf(&b, "%s: %s\n", report.Clean(chart.title()), chart.state())
		if n := len(chart.Notes); n > 0 && chart.Base == Harmless {
			fmt.Fprintf(&b, "  %s of the templates could not be followed:\n", plural(n, "place"))
			for _, note := range chart.Notes {
				fmt.Fprintf(&b, "    %s\n", report.Clean(note))
			}
		}
		for h := range chart.Holes {
			chart.Holes[h].table(&b)
		}
		b.WriteByte('\n')
	}
	for _, id := range r.Gone {
		fmt.Fprintf(&b, "no longer found: %s: take it out of the baseline\n", report.Clean(id))
	}
	fmt.Fprintf(&b, "%s\n", r.sentence())
	return write(w, b.String())
}

func (c *Chart) title() string {
	return fmt.Sprintf("%s, release %s in namespace %s", c.Folder, c.Release, c.Namespace)
}

func (c *Chart) state() string {
	switch c.Base {
	case NoControllers:
		return "no controllers workload, so nothing was pushed"
	case Harmless:
		n := &c.Counts
		return fmt.Sprintf("%s at %s: %d refused, %d harmless, %d holes, %d escaped, %d vanished",
			plural(n.Total(), "configuration"), plural(c.Places, "place"), n.Refused, n.Harmless, n.Hole, n.Escaped, n.Vanished)
	default:
		return "the values as they are given are a hole, so nothing was pushed: mend that first"
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (h *Hole) table(b *strings.Builder) {
	fmt.Fprintf(b, "  %s %s\n", h.label(), report.Clean(h.title()))
	line := func(key, text string) {
		if text != "" {
			fmt.Fprintf(b, "    %-9s %s\n", key, strings.ReplaceAll(strings.TrimSpace(report.CleanLines(text)), "\n", "\n          "))
		}
	}
	line("set", h.Arguments)
	line("found", h.found())
	line("template", h.Template)
	line("read at", strings.Join(h.Read, ", "))
	line("rendered", oneLine(h.Entry))
	if h.Unconfirmed != "" {
		line("not confirmed", h.Unconfirmed)
	}
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

func (h *Hole) label() string {
	switch {
	case h.Known:
		return "KNOWN"
	case h.Verdict == Breach:
		return "HOLE"
	default:
		return strings.ToUpper(string(h.Verdict))
	}
}

func (h *Hole) title() string {
	if len(h.Paths) == 0 {
		return "with nothing set"
	}
	return strings.Join(h.Paths, " with ")
}

func (h *Hole) found() string {
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

// sentence is the verdict on all charts.
func (r *Report) sentence() string {
	s := &r.Summary
	var parts []string
	if s.Escaped > 0 {
		parts = append(parts, plural(s.Escaped, "hole")+" that the policy does not see")
	}
	parts = append(parts, plural(s.Holes, "hole"))
	if s.Known > 0 {
		parts[len(parts)-1] += fmt.Sprintf(" besides %d known", s.Known)
	}
	if s.Vanished > 0 {
		parts = append(parts, fmt.Sprintf("%d ways to make controllers vanish", s.Vanished))
		if s.Vanished == 1 {
			parts[len(parts)-1] = "1 way to make controllers vanish"
		}
	}
	if s.Unconfirmed > 0 {
		parts = append(parts, fmt.Sprintf("%d not confirmed", s.Unconfirmed))
	}
	return fmt.Sprintf("%s in %s (seed %d).", strings.Join(parts, ", "), plural(s.Configurations, "configuration"), r.Seed)
}

// WriteMarkdown writes the report for comments and step summaries.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### nevermigrate probe\n\n**%s**\n", report.MarkdownText(r.sentence()))
	for i := range r.Charts {
		chart := &r.Charts[i]
		fmt.Fprintf(&b, "\n%s: %s.\n", report.MarkdownCode(chart.title()), report.MarkdownText(chart.state()))
		if len(chart.Holes) == 0 {
			continue
		}
		b.WriteString("\n| | Codes | Set | Template |\n|---|---|---|---|\n")
		for h := range chart.Holes {
			hole := &chart.Holes[h]
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", strings.ToLower(hole.label()), strings.Join(hole.Codes, " "), report.MarkdownCode(hole.Arguments), report.MarkdownCode(hole.Template))
		}
		b.WriteString("\n<details><summary>What is set, and what is rendered</summary>\n")
		for h := range chart.Holes {
			hole := &chart.Holes[h]
			fmt.Fprintf(&b, "\n%s: %s\n", report.MarkdownCode(hole.title()), report.MarkdownText(hole.found()))
			for _, text := range []string{hole.Values, hole.Entry} {
				if text != "" {
					fmt.Fprintf(&b, "\n%s\n", indented(text))
				}
			}
			if hole.Unconfirmed != "" {
				fmt.Fprintf(&b, "\nNot confirmed: %s\n", report.MarkdownText(hole.Unconfirmed))
			}
		}
		b.WriteString("\n</details>\n")
	}
	for _, id := range r.Gone {
		fmt.Fprintf(&b, "\nNo longer found: %s\n", report.MarkdownCode(id))
	}
	return write(w, b.String())
}

// indented is a code block of Markdown that no text can end.
func indented(text string) string {
	var lines []string
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		lines = append(lines, "    "+report.Clean(line))
	}
	return strings.Join(lines, "\n")
}
