package surface

import (
	"regexp"
	"slices"
	"strings"
	"text/template/parse"
)

// names tells which actions of a template file write a name: the value of
// metadata.name, of a container's name, or of the label
// app.kubernetes.io/name. It goes by the text around the actions, read as
// indented YAML.
type names struct {
	lines  []string // actions are blanked, or X where they write into a line
	starts []int
}

func newNames(source string) *names {
	skeleton := []byte(source)
	for at := 0; ; {
		open := strings.Index(source[at:], "{{")
		if open < 0 {
			break
		}
		open += at
		end := actionEnd(source, open)
		for i := open; i < end; i++ {
			if skeleton[i] != '\n' {
				skeleton[i] = 'X'
			}
		}
		at = end
	}
	n := &names{}
	start := 0
	for line := range strings.SplitAfterSeq(string(skeleton), "\n") {
		n.starts = append(n.starts, start)
		start += len(line)
		line = strings.TrimRight(line, "\r\n")
		if strings.Trim(line, "X \t") == "" {
			line = ""
		}
		n.lines = append(n.lines, line)
	}
	return n
}

// actionEnd is where the action ends that starts at open.
func actionEnd(source string, open int) int {
	if rest := strings.TrimLeft(source[open+2:], "- \t\n"); strings.HasPrefix(rest, "/*") {
		if i := strings.Index(source[open:], "*/"); i >= 0 {
			open += i
		}
	}
	var quote byte
	for i := open + 2; i < len(source); i++ {
		switch c := source[i]; {
		case quote != 0:
			if c == '\\' && quote == '"' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '`':
			quote = c
		case c == '}' && strings.HasPrefix(source[i:], "}}"):
			return i + 2
		}
	}
	return len(source)
}

var keyLine = regexp.MustCompile(`^([ ]*)((?:- +)*)["']?([A-Za-z][-\w./]*)["']?:(?:\s|$)`)

// at tells whether the action at pos writes a name.
func (n *names) at(pos parse.Pos) bool {
	i, exact := slices.BinarySearch(n.starts, int(pos))
	if !exact {
		i--
	}
	if i < 0 || i >= len(n.lines) {
		return false
	}
	m := keyLine.FindStringSubmatch(n.lines[i])
	if m == nil {
		return false
	}
	switch m[3] {
	case "app.kubernetes.io/name":
		return true
	case "name":
		parent, list := n.parent(i, m)
		if list {
			return parent == "containers" || parent == "initContainers" || parent == "ephemeralContainers"
		}
		return parent == "metadata"
	}
	return false
}

// parent finds the key under which the line i stands, and whether it is in an
// element of a list there.
func (n *names) parent(i int, m []string) (key string, list bool) {
	indent := len(m[1]) + len(m[2])
	if m[2] != "" {
		indent, list = len(m[1]), true
	}
	for i--; i >= 0; i-- {
		m := keyLine.FindStringSubmatch(n.lines[i])
		if m == nil {
			continue
		}
		dash := m[2] != ""
		switch own := len(m[1]); {
		case own < indent && dash && !list && own+len(m[2]) == indent:
			indent, list = own, true // an earlier key of the same element
		case own < indent && dash:
			return m[3], list
		case own < indent || own == indent && list && !dash:
			return m[3], list
		}
	}
	return "", list
}
