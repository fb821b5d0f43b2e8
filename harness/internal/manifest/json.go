package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	strictjson "sigs.k8s.io/json"
	yaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// jsonText reads JSON values that follow each other, with the lines and columns
// of all that is in them.
type jsonText struct {
	data    []byte
	decoder *json.Decoder
	// keep says to return what is below a value, keys that are given twice too.
	// Without it these are an error, and a text needs no more memory than its
	// deepest value.
	keep bool
	// unread says how many bytes are before the items of lists that are left unread, each
	// a node without content; nil when none is.
	unread map[*yaml.Node]int
	// begin is where the last value begins that next returned; at is where the last
	// token begins, line its line, and column how many characters are before it there;
	// both are counted up to counted.
	begin, at, line, column, counted int
}

func newJSONText(data []byte, keep bool) *jsonText {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return &jsonText{data: data, decoder: decoder, keep: keep, line: 1}
}

// maxJSONDepth is that of encoding/json.
const maxJSONDepth = 10_000

// next returns the next value, or io.EOF. Errors name their line.
func (j *jsonText) next() (*yaml.Node, error) {
	if j.skip(" \t\r\n"); j.at == len(j.data) {
		return nil, io.EOF
	}
	j.begin = j.at
	return j.value(0)
}

// skip moves to where the next token begins, past the given bytes.
func (j *jsonText) skip(bytes string) {
	for j.at = int(j.decoder.InputOffset()); j.at < len(j.data) && strings.IndexByte(bytes, j.data[j.at]) >= 0; j.at++ {
	}
}

// count counts lines and columns up to the token: each text once, for a large list may
// be one line.
func (j *jsonText) count() {
	text := j.data[j.counted:j.at]
	j.counted = j.at
	j.line += bytes.Count(text, []byte("\n"))
	if end := bytes.LastIndexByte(text, '\n'); end >= 0 {
		j.column, text = 0, text[end+1:]
	}
	j.column += utf8.RuneCount(text)
}

// begins moves to where the next token begins, past the given bytes, and returns an empty
// node that is there.
func (j *jsonText) begins(between string) *yaml.Node {
	j.skip(between)
	j.count()
	return &yaml.Node{Line: j.line, Column: 1 + j.column}
}

// token returns the next token, which stands in as many maps and lists, and where
// it begins, as an empty node.
func (j *jsonText) token(depth int) (json.Token, *yaml.Node, error) {
	between := " \t\r\n:,"
	if depth == 0 {
		between = " \t\r\n"
	}
	node := j.begins(between)
	token, err := j.decoder.Token()
	if err != nil {
		return nil, nil, fmt.Errorf("line %d: %w", min(j.line, lines(j.data)), jsonError(err))
	}
	return token, node, nil
}

// jsonError puts the end of a text in one way: the decoder has two.
func jsonError(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("no JSON: %w", err)
}

func (j *jsonText) value(depth int) (*yaml.Node, error) {
	token, node, err := j.token(depth)
	if err != nil {
		return nil, err
	}
	if depth == maxJSONDepth {
		return nil, fmt.Errorf("line %d: no JSON: it is deeper than %d levels", node.Line, depth)
	}
	switch token := token.(type) {
	case json.Delim:
		node.Kind, node.Tag, node.Style = yaml.MappingNode, yaml.NodeTagMap, yaml.FlowStyle
		if token == '[' {
			node.Kind, node.Tag = yaml.SequenceNode, yaml.NodeTagSeq
		}
		return node, j.below(node, depth)
	case string:
		node.Kind, node.Tag, node.Value, node.Style = yaml.ScalarNode, yaml.NodeTagString, token, yaml.DoubleQuotedStyle
	case json.Number:
		node.Kind, node.Tag, node.Value = yaml.ScalarNode, yaml.NodeTagFloat, token.String()
		if !strings.ContainsAny(node.Value, ".eE") {
			node.Tag = yaml.NodeTagInt
		}
	case bool:
		node.Kind, node.Tag, node.Value = yaml.ScalarNode, yaml.NodeTagBool, fmt.Sprint(token)
	default:
		node.Kind, node.Tag, node.Value = yaml.ScalarNode, yaml.NodeTagNull, "null"
	}
	return node, nil
}

// below reads what stands in a map or a list, to its end.
func (j *jsonText) below(node *yaml.Node, depth int) error {
	seen := map[string]int{}
	for j.decoder.More() {
		if node.Kind == yaml.MappingNode {
			key, err := j.value(depth + 1)
			if err != nil {
				return err
			}
			if first, twice := seen[key.Value]; twice && !j.keep {
				return fmt.Errorf("line %d: %w", key.Line, givenTwice(key.Value, first))
			}
			seen[key.Value] = key.Line
			if j.keep {
				node.Content = append(node.Content, key)
			}
		}
		item, err := j.item(node, depth+1)
		if err != nil {
			return err
		}
		if j.keep {
			node.Content = append(node.Content, item)
		}
	}
	_, _, err := j.token(depth + 1)
	return err
}

// item reads a value that stands in a map or a list. What stands in a list of the map
// that is the document may be left unread.
func (j *jsonText) item(in *yaml.Node, depth int) (*yaml.Node, error) {
	if j.unread == nil || in.Kind != yaml.SequenceNode || depth != 2 {
		return j.value(depth)
	}
	node := j.begins(" \t\r\n:,")
	j.unread[node] = j.at
	var text json.RawMessage
	if err := j.decoder.Decode(&text); err != nil {
		return nil, fmt.Errorf("line %d: %w", j.line, jsonError(err))
	}
	return node, nil
}

// givenTwice says that a key stands twice in a map, first in a line.
func givenTwice(key string, first int) error {
	return fmt.Errorf("key %q is given twice, first in line %d", key, first)
}

// lines is how many lines a text has; an empty one has one.
func lines(text []byte) int {
	return 1 + bytes.Count(bytes.TrimRight(text, "\r\n\t "), []byte("\n"))
}

// readJSON reads JSON objects that follow each other, as kubectl does.
func readJSON(data []byte) ([]Object, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	objects, err := readAll(func() (map[string]any, error) {
		var text json.RawMessage
		if err := decoder.Decode(&text); err != nil {
			return nil, err
		}
		return jsonObject(text)
	})
	if err == nil {
		return objects, nil
	}
	// Once more, to say in which line.
	located := newJSONText(data, false)
	if _, again := readAll(func() (map[string]any, error) {
		node, err := located.next()
		if err != nil {
			return nil, err
		}
		object, err := jsonObject(data[located.begin:located.decoder.InputOffset()])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", node.Line, err)
		}
		return object, nil
	}); again != nil {
		err = again
	}
	return nil, err
}

// jsonObject is the object that a JSON text holds.
func jsonObject(text []byte) (map[string]any, error) {
	var content any
	twice, err := strictjson.UnmarshalStrict(text, &content, strictjson.DisallowDuplicateFields)
	if err = errors.Join(append(twice, err)...); err != nil {
		return nil, err
	}
	return asObject(content)
}

// firstIsJSON reports whether a text begins with a whole JSON value.
func firstIsJSON(data []byte) bool {
	var first json.RawMessage
	return json.NewDecoder(bytes.NewReader(data)).Decode(&first) == nil
}
