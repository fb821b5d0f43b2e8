// Package markdown writes Markdown for pull request comments and step summaries.
// What comes from manifests is nothing but text there: no table cell ends early,
// nobody is mentioned, and no link or picture appears.
package markdown

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
)

// Bounds of the parts of a comment, in bytes. GitHub takes comments of 65,536
// characters and refuses longer ones, and a comment that is refused is a finding
// unseen.
const (
	TableLimit   = 20_000
	DetailsLimit = 25_000
	RestLimit    = 12_000
	NotesLimit   = 5_000
)

// textLimit bounds each text.
const textLimit = 4_000

// Code is a text as code, which may stand in a table. A code span is literal but
// for the pipe, which ends a cell, and the backtick; with those, or the backslash
// that would escape them, it is HTML with nothing left to read as Markdown.
func Code(text string) string {
	text = plaintext.Line(plaintext.Cut(text, textLimit))
	if text == "" {
		return ""
	}
	if !strings.ContainsAny(text, "|`\\") && strings.TrimSpace(text) == text {
		return "`" + text + "`"
	}
	var b strings.Builder
	for _, c := range text {
		if c <= unicode.MaxASCII && !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != ' ' && c != '-' {
			fmt.Fprintf(&b, "&#%d;", c)
		} else {
			b.WriteRune(c)
		}
	}
	return "<code>" + b.String() + "</code>"
}

var (
	special = strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;",
		"|", "&#124;", "`", "&#96;", "*", "&#42;", `\`, "&#92;", "~", "&#126;", "$", "&#36;", "^", "&#94;", "!", "&#33;",
		"](", "]&#40;", "][", "]&#91;", "://", "&#58;//", "www.", "www&#46;",
		// GitHub looks for mentions and issues in the rendered text, where an
		// escape is gone; a comment keeps the parts apart.
		"@", "@<!-- -->", "#", "#<!-- -->",
	)
	outerUnderscores = regexp.MustCompile(`\b_+|_+\b`)
)

// Text is a text as prose on one line.
func Text(text string) string {
	escaped := special.Replace(plaintext.Line(plaintext.Cut(text, textLimit)))
	return outerUnderscores.ReplaceAllStringFunc(escaped, func(underscores string) string {
		return strings.Repeat("&#95;", len(underscores))
	})
}

// Lines is a text as prose that keeps its lines.
func Lines(text string) string {
	lines := strings.Split(plaintext.Lines(plaintext.Cut(text, textLimit)), "\n")
	for i, line := range lines {
		lines[i] = Text(strings.TrimSpace(line))
	}
	return strings.Join(lines, "<br>")
}

// CodeBlock is a text as a block of code, which no text can end.
func CodeBlock(text string) string {
	return "    " + plaintext.Indented(text, 4)
}

// WriteList writes an item for each thing as long as they fit into so many bytes,
// and then how many did not. The noun is what one of the things is called.
func WriteList[T any](w io.Writer, things []T, item func(T) string, limit int, noun string) {
	for i, thing := range things {
		part := item(thing)
		if limit -= len(part); limit < 0 {
			fmt.Fprintf(w, "\nNot shown for want of room: %s. The other formats show all.\n", plaintext.Count(len(things)-i, noun))
			return
		}
		fmt.Fprint(w, part)
	}
}

// WriteTable writes a table with a row for each thing, bounded as WriteList has
// it. The heading is a line of Markdown. Cells that are missing in a row are empty.
func WriteTable[T any](w io.Writer, heading string, things []T, cells func(T) []string, limit int, noun string) {
	columns := strings.Count(heading, "|") - 1
	fmt.Fprintf(w, "\n%s\n%s|\n", heading, strings.Repeat("|---", columns))
	row := func(thing T) string {
		cells := cells(thing)
		return "| " + strings.Join(cells, " | ") + strings.Repeat(" |", 1+columns-len(cells)) + "\n"
	}
	WriteList(w, things, row, limit, noun)
}

// WriteFolded writes a summary that a click unfolds, with what is written inside.
func WriteFolded(w io.Writer, summary string, inside func()) {
	fmt.Fprintf(w, "\n<details><summary>%s</summary>\n", summary)
	inside()
	fmt.Fprint(w, "\n</details>\n")
}
