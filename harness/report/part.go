package report

import "strings"

// Clean writes control characters and other characters that cannot be seen as
// Go escapes. Names come from files that nobody has reviewed yet.
func Clean(text string) string { return clean(text) }

// CleanLines cleans a text of several lines and indents all but the first as
// the table does.
func CleanLines(text string) string { return indent(text) }

// CleanText cleans a text of several lines and keeps its lines.
func CleanText(text string) string { return cleanLines(text) }

// CleanJSON writes the characters of a JSON text that cannot be seen as the
// escapes that mean them.
func CleanJSON(text []byte) []byte { return escapeUnseen(text) }

// TableText is what the table says of a finding, from its code on.
func (f *Finding) TableText(color bool) string {
	t := table{paint: newPainter(color)}
	t.finding(f)
	return strings.TrimSpace(t.text.String())
}

// MarkdownCode is a text as code in Markdown, which may stand in a table.
func MarkdownCode(text string) string { return markdownCode(text) }

// MarkdownText is a text that says nothing but itself in Markdown.
func MarkdownText(text string) string { return markdownText(clean(text)) }

// MarkdownRow is the row that Markdown has for a finding of a target, or, when
// it is nil, for the target's error: severity, code, target, workload, cause.
func MarkdownRow(target *Target, finding *Finding) string {
	return markdownRow(entry{target, finding})
}

// MarkdownItem is the item of a list that tells all of the same.
func MarkdownItem(target *Target, finding *Finding) string {
	return markdownBlock(entry{target, finding})
}

// WriteBounded writes things as long as they fit into so many bytes, and then
// how many did not.
func WriteBounded[T any](b *strings.Builder, things []T, write func(T) string, limit int, noun string) {
	writeBounded(b, things, write, limit, noun)
}
