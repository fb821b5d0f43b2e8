// Package plaintext writes text so that it is nothing but text wherever it is shown:
// on a terminal, in the log of a CI system, in JSON. Names come from files that
// nobody has reviewed yet.
package plaintext

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// logCommands are what Azure Pipelines, and GitHub Actions of old, take for a
// command anywhere in a line of a log.
var logCommands = strings.NewReplacer("##[", "# #[", "##vso[", "# #vso[")

// Line is a text for a part of a line. Control characters and other characters
// that cannot be seen become Go escapes, and commands to a log are taken apart.
func Line(text string) string {
	var b strings.Builder
	for _, r := range logCommands.Replace(text) {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		escaped := strconv.QuoteRune(r)
		b.WriteString(escaped[1 : len(escaped)-1])
	}
	return b.String()
}

// Lines is a text that keeps its lines, each as Line has it. A line that GitHub
// Actions would take for a command, blanks before it or not, is none then.
func Lines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		line = Line(strings.ReplaceAll(strings.TrimRight(line, " \t\r"), "\t", "    "))
		if command := strings.TrimLeft(line, " "); strings.HasPrefix(command, "::") {
			line = line[:len(line)-len(command)] + ": " + command[1:]
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

// Indented is a text as Lines has it, with so many blanks before every line but
// the first.
func Indented(text string, blanks int) string {
	return strings.ReplaceAll(Lines(text), "\n", "\n"+strings.Repeat(" ", blanks))
}

// Quoted is a text in quotes, as Go writes it.
func Quoted(text string) string { return logCommands.Replace(strconv.Quote(text)) }

// longestCell is longer than any name in Kubernetes, with a kind before it. A
// longer one would widen the column in every row.
const longestCell = 400

// Cell is a text as Line has it, not longer than names can be.
func Cell(text string) string { return Line(Cut(text, longestCell)) }

// Cut is a text of not more than so many bytes, or its beginning and an ellipsis.
func Cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}

// Count is a number of things, such as "1 target" and "2 targets".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// UpperFirst is a sentence that begins with a capital letter.
func UpperFirst(sentence string) string {
	first, size := utf8.DecodeRuneInString(sentence)
	return string(unicode.ToUpper(first)) + sentence[size:]
}

// WriteColumns writes rows so that their cells stand below each other, without the
// columns of the names that are left out. Colours are for the last column only: they
// would upset the width of another.
func WriteColumns(w io.Writer, rows [][]string, leftOut ...string) {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		var cells []string
		for i, cell := range row {
			if !slices.Contains(leftOut, rows[0][i]) {
				cells = append(cells, cell)
			}
		}
		fmt.Fprintf(columns, "  %s\n", strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	columns.Flush()
}

// WriteJSON writes a value as JSON that people can read. Characters that cannot
// be seen, such as those that turn the direction of a line, are escaped there too.
func WriteJSON(w io.Writer, value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	var b bytes.Buffer
	for _, c := range text.String() {
		switch {
		case c == '\n' || unicode.IsPrint(c):
			b.WriteRune(c)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return Write(w, b.String())
}

// Write writes a text.
func Write(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}
