package manifest

import (
	"bytes"
	"errors"
	"regexp"

	goyaml "sigs.k8s.io/yaml/goyaml.v2"
)

// errUnrendered says that a text is a template still.
var errUnrendered = errors.New("a template was not rendered, {{ … }} is left over: render it with helm template or kustomize build, or name the app's folder")

// actionPattern is an action of a template, or several in one line.
var actionPattern = regexp.MustCompile(`(?s)\{\{.*?\}\}(?:[^\n]*?\}\})*`)

// maxActions bounds how many actions of a text are tried, and maxTemplate the text.
const (
	maxActions  = 50
	maxTemplate = 4 << 20
)

// unrendered is the line of the first action of a template that makes a text
// unreadable, whose fault is in a line, or 0 where none does. An action in quotes,
// in a comment or in a text block does not: the text can be read with it.
func unrendered(data []byte, faulty int) int {
	if len(data) > maxTemplate {
		return 0
	}
	actions := actionPattern.FindAllIndex(data, maxActions)
	if len(actions) == 0 {
		return 0
	}
	for _, at := range actions {
		begin, end := documentOf(data, at)
		before, after := data[begin:at[0]], data[at[1]:end]
		if !isYAML(data[begin:end]) && isYAML(bytes.Join([][]byte{before, after}, inPlace(data, at))) {
			return lineAt(data, at[0])
		}
	}
	// The text before it may be unfinished: a list over several lines.
	if isYAML(data) {
		return 0
	}
	var without []byte
	last, nearest := 0, 0
	for _, at := range actions {
		without = append(append(without, data[last:at[0]]...), inPlace(data, at)...)
		if last = at[1]; faulty == 0 && nearest == 0 || lineAt(data, at[0]) <= faulty {
			nearest = lineAt(data, at[0])
		}
	}
	if nearest > 0 && isYAML(append(without, data[last:]...)) {
		return nearest
	}
	return 0
}

// documentOf is where the document begins that an action is in, and where the
// line of the action ends.
func documentOf(data []byte, action []int) (begin, end int) {
	if i := bytes.LastIndex(data[:action[0]], []byte("\n---")); i >= 0 {
		begin = i + 1
	}
	end = len(data)
	if i := bytes.IndexByte(data[action[1]:], '\n'); i >= 0 {
		end = action[1] + i + 1
	}
	return begin, end
}

// inPlace is a text in place of an action: nothing where it has its line for
// itself, as a condition has.
func inPlace(data []byte, action []int) []byte {
	before := data[1+bytes.LastIndexByte(data[:action[0]], '\n') : action[0]]
	_, end := documentOf(data, action)
	if len(bytes.TrimSpace(before)) == 0 && len(bytes.TrimSpace(data[action[1]:end])) == 0 {
		return nil
	}
	return []byte("x")
}

func lineAt(data []byte, at int) int { return 1 + bytes.Count(data[:at], []byte("\n")) }

// isYAML reports whether a text can be read.
func isYAML(text []byte) bool {
	decoder := goyaml.NewDecoder(bytes.NewReader(text))
	for {
		var content any
		if err := decoder.Decode(&content); err != nil {
			return isEOF(err)
		}
	}
}
