package report

import "strings"

// Clean writes control characters and other characters that cannot be seen as
// Go escapes. Names come from files that nobody has reviewed yet.
func Clean(text string) string { return clean(text) }

// CleanLines cleans a text of several lines and indents all but the first as
// the table does.
func CleanLines(text string) string { return indent(text) }

// TableText is what the table says of a finding, from its code on.
func (f *Finding) TableText(color bool) string {
	t := table{paint: newPainter(color)}
	t.finding(f)
	return strings.TrimSpace(t.text.String())
}
