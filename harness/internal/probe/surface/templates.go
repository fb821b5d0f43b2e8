package surface

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/proompteng/nevermigrate/harness/internal/chartguard"
)

// A definition is a template by its name, and where it stands.
type definition struct {
	tree *parse.Tree
	file *file
	// under is the template that this one replaces only while its chart is
	// enabled, nil when there is none.
	under *definition
	// verdict is true for a template with which a chart guard judges.
	verdict bool
}

// A file is a template file.
type file struct {
	unit  *unit
	name  string // as Helm names it
	shown string // below the top chart's folder
	text  string
	// starts are where the lines start.
	starts []int
	// lines are the text with an X for each character of an action; a line of
	// nothing else is empty.
	lines []string
	fixed *Source // for a template that stands in a value: where it is executed
}

var actionPattern = regexp.MustCompile(`(?s)\{\{(?:[- \t\n]*/\*.*?\*/)?(?:"(?:\\.|[^"\\])*"|` + "`[^`]*`|[^\"`}]" + `|\}[^}])*\}\}`)

func newFile(u *unit, name, shown, text string) *file {
	f := &file{unit: u, name: name, shown: shown, text: text}
	blanked := actionPattern.ReplaceAllStringFunc(text, func(action string) string {
		return strings.Map(func(c rune) rune {
			if c == '\n' {
				return c
			}
			return 'X'
		}, action)
	})
	for line := range strings.SplitSeq(blanked, "\n") {
		if strings.Trim(line, "X \t\r") == "" {
			line = ""
		}
		f.lines = append(f.lines, strings.TrimRight(line, "\r"))
	}
	start := 0
	for line := range strings.SplitAfterSeq(text, "\n") {
		f.starts = append(f.starts, start)
		start += len(line)
	}
	return f
}

// line is the index of the line in which a position is.
func (f *file) line(pos parse.Pos) int {
	i, exact := slices.BinarySearch(f.starts, int(pos))
	if exact {
		return i
	}
	return i - 1
}

func (f *file) at(pos parse.Pos) Source {
	if f.fixed != nil {
		return *f.fixed
	}
	return Source{f.shown, f.line(pos) + 1}
}

// partial files are not executed themselves, nor are those of a library.
func (f *file) partial() bool {
	return strings.HasPrefix(path.Base(f.name), "_") || f.unit.chart.Metadata.Type == "library"
}

var keyLine = regexp.MustCompile(`^([ ]*)((?:- +)*)["']?([A-Za-z][-\w./]*)["']?:(?:\s|$)`)

// writesName tells whether the action at a position writes the value of
// metadata.name, of a container's name, or of the label app.kubernetes.io/name.
// It goes by the text around the actions, read as indented YAML.
func (f *file) writesName(pos parse.Pos) bool {
	if f.fixed != nil {
		return false
	}
	i := f.line(pos)
	m := keyLine.FindStringSubmatch(f.lines[i])
	switch {
	case m == nil:
		return false
	case m[3] == "app.kubernetes.io/name":
		return true
	case m[3] != "name":
		return false
	}
	parent, list := f.parent(i, m)
	if list {
		return slices.Contains([]string{"containers", "initContainers", "ephemeralContainers"}, parent)
	}
	return parent == "metadata"
}

// parent finds the key under which the line i stands, and whether it is in an
// element of a list there.
func (f *file) parent(i int, m []string) (key string, list bool) {
	indent := len(m[1]) + len(m[2])
	if m[2] != "" {
		indent, list = len(m[1]), true
	}
	for i--; i >= 0; i-- {
		m := keyLine.FindStringSubmatch(f.lines[i])
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

// parseAll parses the template files in the order in which Helm does, so that
// of two templates of the same name the same one counts.
func (m *machine) parseAll(ctx context.Context) ([]*file, error) {
	var all []*file
	for _, u := range m.units {
		for _, t := range u.chart.Templates {
			all = append(all, newFile(u, u.full+"/"+t.Name, u.folder+t.Name, string(t.Data)))
		}
	}
	slices.SortFunc(all, func(a, b *file) int {
		return -cmp.Or(cmp.Compare(strings.Count(a.name, "/"), strings.Count(b.name, "/")), cmp.Compare(a.name, b.name))
	})
	m.definitions = map[string]definition{}
	for _, f := range all {
		trees, err := parseTemplate(f.name, f.text)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", f.shown, err)
		}
		verdicts, err := chartguard.Verdicts(ctx, f.text)
		if err != nil {
			return nil, err
		}
		m.define(trees, f, verdicts)
	}
	return all, nil
}

func parseTemplate(name, text string) (map[string]*parse.Tree, error) {
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	_, err := tree.Parse(text, "", "", trees)
	if _, ok := trees[name]; !ok && err == nil {
		trees[name] = tree // the parser leaves an empty one out
	}
	return trees, err
}

// define adds templates; one without content does not replace another, as in
// text/template. One of a chart that can be disabled leaves the one that it
// replaces reachable.
func (m *machine) define(trees map[string]*parse.Tree, f *file, verdicts map[string]bool) {
	for name, tree := range trees {
		old, ok := m.definitions[name]
		if ok && parse.IsEmptyTree(tree.Root) {
			continue
		}
		replacing := definition{tree: tree, file: f, verdict: verdicts[name]}
		if ok && f.unit.optional && f.unit != old.file.unit {
			replacing.under = &old
		}
		m.definitions[name] = replacing
	}
}
