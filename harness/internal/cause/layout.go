package cause

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// errLayout says that a node does not stand in a text in one of the ways in which a
// change can be written down.
var errLayout = errors.New("it cannot be written into the text")

// layout tells where nodes stand in a text. A node has the line and the column of
// its first character only; where it ends is read from the text.
type layout struct {
	text  string
	lines []int // where they begin
}

func newLayout(text string) *layout {
	l := &layout{text: text, lines: []int{0}}
	for i := 0; i < len(text); {
		r, width := utf8.DecodeRuneInString(text[i:])
		i += width
		if r == '\r' && strings.HasPrefix(text[i:], "\n") {
			i++
		}
		if r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029 {
			l.lines = append(l.lines, i)
		}
	}
	return l
}

// offset is where a line and a column, both from 1, are in the text.
func (l *layout) offset(line, column int) (int, error) {
	if line < 1 || line > len(l.lines) {
		return 0, errLayout
	}
	at := l.lines[line-1]
	for ; column > 1; column-- {
		if at >= len(l.text) {
			return 0, errLayout
		}
		_, width := utf8.DecodeRuneInString(l.text[at:])
		at += width
	}
	return at, nil
}

// start is where a node begins, with its anchor and its tag.
func (l *layout) start(node *yaml.Node) (int, error) { return l.offset(node.Line, node.Column) }

// content is where a node begins after its anchor and its tag.
func (l *layout) content(node *yaml.Node) (int, error) {
	at, err := l.start(node)
	for err == nil && at < len(l.text) && (l.text[at] == '&' || l.text[at] == '!') {
		for at < len(l.text) && !isSpace(l.text[at]) {
			at++
		}
		at = l.skipBlanks(at)
	}
	return at, err
}

// end is where a node ends. It is that of its last part.
func (l *layout) end(node *yaml.Node) (int, error) {
	at, err := l.content(node)
	if err != nil {
		return 0, err
	}
	switch {
	case node.Kind == yaml.ScalarNode:
		return l.scalarEnd(node, at)
	case node.Kind == yaml.AliasNode:
		return at + 1 + len(node.Value), nil
	case len(node.Content) == 0 && !l.isFlow(node):
		return 0, errLayout
	case len(node.Content) > 0:
		if at, err = l.endOfLast(node); err != nil {
			return 0, err
		}
	default:
		at++
	}
	if !l.isFlow(node) {
		return at, nil
	}
	if at = l.skipAll(at); at < len(l.text) && (l.text[at] == '}' || l.text[at] == ']') {
		return at + 1, nil
	}
	return 0, errLayout
}

// endOfLast is where the last part of a map or a list ends.
func (l *layout) endOfLast(node *yaml.Node) (int, error) {
	last := node.Content[len(node.Content)-1]
	if node.Kind == yaml.MappingNode {
		return l.memberEnd(node.Content[len(node.Content)-2], last)
	}
	return l.end(last)
}

// memberEnd is where a member of a map ends, which may have no value.
func (l *layout) memberEnd(key, value *yaml.Node) (int, error) {
	if isImplicit(value) {
		return l.afterColon(key)
	}
	return l.end(value)
}

// isImplicit reports whether nothing stands where a null is.
func isImplicit(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Value == "" && node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 && node.Anchor == ""
}

// afterColon is where the colon after a key ends.
func (l *layout) afterColon(key *yaml.Node) (int, error) {
	at, err := l.end(key)
	if err != nil {
		return 0, err
	}
	if at = l.skipBlanks(at); at < len(l.text) && l.text[at] == ':' {
		return at + 1, nil
	}
	return 0, errLayout
}

func (l *layout) scalarEnd(node *yaml.Node, at int) (int, error) {
	rest := l.text[at:]
	switch {
	case isImplicit(node):
		return 0, errLayout
	case rest == "":
		return 0, errLayout
	case rest[0] == '"':
		for i := 1; i < len(rest); i++ {
			switch rest[i] {
			case '\\':
				i++
			case '"':
				return at + i + 1, nil
			}
		}
		return 0, errLayout
	case rest[0] == '\'':
		for i := 1; i < len(rest); i++ {
			if rest[i] != '\'' {
				continue
			}
			if !strings.HasPrefix(rest[i+1:], "'") {
				return at + i + 1, nil
			}
			i++
		}
		return 0, errLayout
	case node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		_, _, end, err := l.block(node)
		return end, err
	case strings.HasPrefix(rest, node.Value):
		return at + len(node.Value), nil
	default:
		return 0, errLayout // over several lines
	}
}

// block is where the text of a block scalar stands: the index of its first line, the
// indentation, and where the last line that is not blank ends, without its line break.
func (l *layout) block(node *yaml.Node) (first int, indent string, end int, err error) {
	at, err := l.content(node)
	if err != nil {
		return 0, "", 0, err
	}
	header, _, _ := strings.Cut(l.text[at:], "\n")
	header, _, _ = strings.Cut(header, "#")
	if strings.ContainsAny(header, "123456789") {
		return 0, "", 0, errLayout
	}
	first, end = l.lineOf(at)+1, l.lineEnd(at)
	found := false
	for i := first; i < len(l.lines); i++ {
		line := l.text[l.lines[i]:l.lineEnd(l.lines[i])]
		content := strings.TrimLeft(line, " ")
		switch {
		case content == "":
			continue
		case !found:
			found, indent = true, line[:len(line)-len(content)]
		}
		if !strings.HasPrefix(line, indent) {
			break
		}
		end = l.lineEnd(l.lines[i])
	}
	if !found {
		return 0, "", 0, errLayout
	}
	return first, indent, end, nil
}

// isFlow reports whether a map or a list is written in braces or brackets.
func (l *layout) isFlow(node *yaml.Node) bool {
	at, err := l.content(node)
	return err == nil && at < len(l.text) && (l.text[at] == '{' || l.text[at] == '[')
}

// lineOf is the index of the line that a place is in.
func (l *layout) lineOf(at int) int {
	i, isBeginning := slices.BinarySearch(l.lines, at)
	if !isBeginning {
		i--
	}
	return i
}

// lineEnd is where the line ends that a place is in, without its line break.
func (l *layout) lineEnd(at int) int {
	i, end := l.lineOf(at), len(l.text)
	if i+1 < len(l.lines) {
		end = l.lines[i+1]
	}
	return l.lines[i] + len(strings.TrimRight(l.text[l.lines[i]:end], "\r\n\u0085\u2028\u2029"))
}

// lineBreak is the text's.
func (l *layout) lineBreak() string {
	if i := strings.IndexByte(l.text, '\n'); i > 0 && l.text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// isFirst reports whether nothing but blanks stands before a place in its line.
func (l *layout) isFirst(at int) bool {
	return strings.Trim(l.text[l.lines[l.lineOf(at)]:at], " ") == ""
}

// isLast reports whether nothing but a comment stands after a place in its line.
func (l *layout) isLast(at int) bool {
	rest := l.text[at:max(at, l.lineEnd(at))]
	return strings.TrimLeft(rest, " \t") == "" || rest[0] != '#' && strings.HasPrefix(strings.TrimLeft(rest, " \t"), "#")
}

// dash is where the dash of an item of a list in lines is.
func (l *layout) dash(item *yaml.Node) (int, error) {
	at, err := l.start(item)
	if err != nil {
		return 0, err
	}
	before := strings.TrimRight(l.text[:at], " \t\r\n")
	if !strings.HasSuffix(before, "-") {
		return 0, errLayout
	}
	return len(before) - 1, nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (l *layout) skipBlanks(at int) int {
	for at < len(l.text) && (l.text[at] == ' ' || l.text[at] == '\t') {
		at++
	}
	return at
}

// skipAll skips blanks, line breaks, commas and comments.
func (l *layout) skipAll(at int) int {
	for at < len(l.text) {
		switch c := l.text[at]; {
		case isSpace(c) || c == ',':
			at++
		case c == '#' && (at == 0 || isSpace(l.text[at-1])):
			at = l.lineEnd(at)
		default:
			return at
		}
	}
	return at
}

// splice is a part of a text that is replaced.
type splice struct {
	start, end int
	text       string
}

// spliced is a text with splices, which must not overlap.
func (l *layout) spliced(splices []splice) (string, error) {
	var made bytes.Buffer
	at := 0
	for _, s := range splices {
		if s.start < at || s.end < s.start || s.end > len(l.text) {
			return "", errLayout
		}
		made.WriteString(l.text[at:s.start])
		made.WriteString(strings.ReplaceAll(s.text, "\n", l.lineBreak()))
		at = s.end
	}
	made.WriteString(l.text[at:])
	return made.String(), nil
}
