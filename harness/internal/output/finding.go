package output

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/proompteng/nevermigrate/harness/internal/markdown"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// style is how the parts of a sentence are written.
type style struct {
	// name is for names and places, value for that of the variable, prose for
	// everything else.
	name, value, prose func(string) string
	inNamespace        string
	// label is a format for the word before a line.
	label string
}

var (
	plainStyle    = style{plaintext.Line, plaintext.Quoted, plaintext.Line, " in namespace ", "%s: "}
	markdownStyle = style{markdown.Code, markdown.Code, markdown.Text, " in ", "**%s:** "}
)

// subject is what a finding is about, below the target.
func (s style) subject(f *report.Finding) string {
	if f.Workload == "" {
		return "the whole target"
	}
	text := s.name(f.Workload)
	if f.Namespace != "" {
		text += s.inNamespace + s.name(f.Namespace)
	}
	if f.Container != "" {
		text += ", container " + s.name(f.Container)
	}
	return text
}

// constraint names the constraint of a subject; it is empty for the defaults.
func (s style) constraint(name string) string {
	if name == "" {
		return ""
	}
	return ", constraint " + s.name(name)
}

// labelled is a line with a word before it that says what it is.
func (s style) labelled(word, line string) string { return fmt.Sprintf(s.label, word) + line }

// page is a line with the address of the page of a finding's rule; none for a rule
// without one.
func page(f *report.Finding) []string {
	address := report.PageOf(f.Code)
	if address == "" {
		return nil
	}
	return []string{plainStyle.labelled("Page", address)}
}

// linked is the code of a finding in Markdown; MarkdownLinks makes it lead to the page of
// its rule.
func linked(code string) string {
	if report.PageOf(code) == "" {
		return markdown.Text(code)
	}
	return "[" + code + "]"
}

var inBrackets = regexp.MustCompile(`\[(\w+)\]`)

// MarkdownLinks are the lines to put at the end of a text in Markdown, by which the codes
// in it lead to the pages of their rules: each address once, for a comment has a bound.
func MarkdownLinks(text string) string {
	pages := map[string]string{}
	for _, match := range inBrackets.FindAllStringSubmatch(text, -1) {
		if address := report.PageOf(match[1]); address != "" {
			pages[match[1]] = address
		}
	}
	lines := ""
	for _, code := range slices.Sorted(maps.Keys(pages)) {
		lines += "\n[" + code + "]: " + pages[code]
	}
	if lines != "" {
		lines += "\n"
	}
	return lines
}

// origin tells in lines where a finding comes from: its causes, what they
// override, and the fix.
func (s style) origin(f *report.Finding) []string {
	var lines []string
	word := "Cause"
	for _, cause := range f.Causes {
		lines = append(lines, s.labelled(word, s.cause(cause)))
		word = "Cause too"
	}
	for _, cause := range f.Overridden {
		lines = append(lines, s.labelled("Overrides", s.cause(cause)))
	}
	if note := searchNote(f); note != "" {
		lines = append(lines, s.prose(note))
	}
	if f.Fix != nil {
		lines = append(lines, s.labelled(fixTitle(f.Fix), "in "+s.name(fileLine(f.Fix.File, f.Fix.Line))+" "+s.prose(f.Fix.Change)))
	}
	return lines
}

// searchNote says what kept the search for causes from its end; it is empty when
// nothing did.
func searchNote(f *report.Finding) string {
	switch {
	case f.CausesError != "":
		return "The search for causes failed: " + f.CausesError
	case f.CausesTruncated:
		return "The search for causes ended at its bound, so there may be others."
	default:
		return ""
	}
}

// fixTitle says whether somebody has tried the fix.
func fixTitle(f *report.Fix) string {
	if f.Verified {
		return "Fix (verified)"
	}
	return "Fix (not verified)"
}

// cause is a cause as a sentence without a full stop.
func (s style) cause(c report.Cause) string {
	text := s.name(causePlace(c))
	if c.Path != "" {
		text += " " + s.name(c.Path)
	}
	if c.Value != "" {
		text += " is " + s.value(c.Value)
	}
	if c.Layer != "" {
		text += " (" + s.prose(string(c.Layer)) + ")"
	}
	return text
}

// causePlace is a cause's file, line and column as compilers write them.
func causePlace(c report.Cause) string {
	place := fileLine(c.File, c.Line)
	if c.Line > 0 && c.Column > 0 {
		place += ":" + strconv.Itoa(c.Column)
	}
	return place
}

func fileLine(file string, line int) string {
	if line > 0 {
		return plaintext.Line(file) + ":" + strconv.Itoa(line)
	}
	return plaintext.Line(file)
}
