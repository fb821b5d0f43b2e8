package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"
	goyaml "sigs.k8s.io/yaml/goyaml.v2"
)

// faultError is what is wrong with a document, counted from 1, of a stream.
type faultError struct {
	document int
	err      error
}

func (e *faultError) Error() string { return fmt.Sprintf("document %d: %v", e.document, e.err) }

func (e *faultError) Unwrap() error { return e.err }

// Fault is what is wrong with a text of YAML or JSON that need not hold objects,
// with its line, as `line 3: …`; nil when nothing is. Keys that are given twice are
// wrong when duplicates are asked for.
func Fault(data []byte, duplicates bool) error {
	decoder, twice := goyaml.NewDecoder(bytes.NewReader(data)), duplicatesIn(data)
	_, err := readAll(func() (map[string]any, error) {
		var content any
		err := decoder.Decode(&content)
		if err == nil && duplicates {
			err = twice()
		}
		return nil, err
	})
	if err != nil && firstIsJSON(data) {
		located := newJSONText(data, !duplicates)
		_, err = readAll(func() (map[string]any, error) {
			_, err := located.next()
			return nil, err
		})
	}
	if err == nil {
		return nil
	}
	return errors.Unwrap(inLine(data, err))
}

// inLine is a fault of a YAML stream with its line, and with words of our own
// where those of the YAML reader say nothing to people.
func inLine(data []byte, err error) error {
	var fault *faultError
	if !errors.As(err, &fault) {
		return err
	}
	located := func(line int, err error) error {
		return &faultError{fault.document, fmt.Errorf("line %d: %w", line, err)}
	}
	inner := fault.err
	line, message := syntaxFault(data, inner)
	if strings.HasSuffix(message, "excessive aliasing") {
		message += ": write out what the aliases repeat, or remove it"
	}
	if line := unrendered(data, line); line > 0 && !errors.Is(inner, errNoObject) {
		return located(line, errUnrendered)
	}
	if line > 0 {
		return located(line, errors.New(message))
	}
	root, readable := documentNode(data, fault.document)
	if !readable {
		return located(1, errors.New(message)) // the reader names every other line
	}
	if !errors.Is(inner, errNoObject) {
		if line, found := faultBelow(root); found != nil {
			return located(line, found)
		}
	}
	return located(max(root.Line, 1), errors.New(message))
}

var (
	linePattern = regexp.MustCompile(`^line (\d+): `)
	// parserPattern are the faults in whose line the reader is one too low.
	parserPattern = regexp.MustCompile(`^(did not find expected|found undefined tag handle|found duplicate %|found incompatible YAML document)`)
	anchorPattern = regexp.MustCompile(`^(?:unknown )?anchor '(.*)' (?:referenced|value contains itself)$`)
	readerPattern = regexp.MustCompile(`^(control characters are not allowed|incomplete UTF-8|invalid (leading|trailing) UTF-8|invalid length of a UTF-8|invalid Unicode)`)
)

// syntaxFault is the line and the message of a fault that the YAML reader found
// in a text. The line is 0 where the reader does not tell.
func syntaxFault(data []byte, err error) (line int, message string) {
	var typeError *goyaml.TypeError
	if errors.As(err, &typeError) {
		return 0, strings.Join(typeError.Errors, "; ")
	}
	message = strings.TrimPrefix(err.Error(), "yaml: ")
	if at := linePattern.FindStringSubmatch(message); at != nil {
		line, _ = strconv.Atoi(at[1])
		message = message[len(at[0]):]
		if parserPattern.MatchString(message) {
			line++
		}
		return min(line, lines(data)), message
	}
	if anchor := anchorPattern.FindStringSubmatch(message); anchor != nil {
		if at := regexp.MustCompile(`\*` + regexp.QuoteMeta(anchor[1]) + `(?:[^\w-]|$)`).FindIndex(data); at != nil {
			return 1 + bytes.Count(data[:at[0]], []byte("\n")), message
		}
	}
	if readerPattern.MatchString(message) {
		return lineOfUnreadable(data), message
	}
	return 0, message
}

// lineOfUnreadable is the line of the first character that YAML does not allow.
func lineOfUnreadable(data []byte) int {
	line := 1
	for i := 0; i < len(data); {
		r, width := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && width == 1, r != '\t' && r != '\n' && r != '\r' && r != 0x85 && (r < 0x20 || r >= 0x7f && r < 0xa0), r == 0xfffe, r == 0xffff:
			return line
		case r == '\n':
			line++
		}
		i += width
	}
	return line
}

// documentNode is what the given document of a stream holds, as nodes. It is
// false when they cannot be read.
func documentNode(data []byte, number int) (*yaml.Node, bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); err != nil {
			return nil, false
		}
		if number--; number == 0 {
			if len(document.Content) != 1 {
				return &document, true
			}
			return document.Content[0], true
		}
	}
}

// faultBelow finds what in a node, or below it, cannot stand in a Kubernetes
// object, with its line; nil when there is nothing. Aliases are not followed:
// what they refer to is looked at where it stands.
func faultBelow(node *yaml.Node) (line int, fault error) {
	switch node.Kind {
	case yaml.ScalarNode:
		if node.Style&yaml.TaggedStyle == 0 && !strings.ContainsAny(node.Value, "nN") {
			return 0, nil // neither NaN nor infinity
		}
		value, err := scalar(node)
		if err == nil {
			_, err = toJSON(value)
		}
		return node.Line, err
	case yaml.MappingNode:
		if line, fault := wrongKey(node); fault != nil {
			return line, fault
		}
	}
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			continue
		}
		if line, fault := faultBelow(child); fault != nil {
			return line, fault
		}
	}
	return 0, nil
}

// wrongKey finds the first key of a map that cannot stand there, or that stands
// there for the second time.
func wrongKey(mapping *yaml.Node) (line int, fault error) {
	seen := map[string]int{}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key := mapping.Content[i]
		if isMerge(key) {
			if !canBeMerged(mapping.Content[i+1]) {
				return key.Line, errors.New("<< merges maps, and here is something else")
			}
			continue
		}
		name, err := nodeKey(key)
		if err != nil {
			return key.Line, err
		}
		if first, twice := seen[name]; twice {
			return key.Line, givenTwice(name, first)
		}
		seen[name] = key.Line
	}
	return 0, nil
}

// isMerge reports whether a key merges maps into the one that it stands in. In
// quotes it is a key like any other.
func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && key.ShortTag() == "!!merge"
}

// canBeMerged reports whether a node is a map, or a list of maps.
func canBeMerged(node *yaml.Node) bool {
	if node.Kind == yaml.SequenceNode {
		for _, item := range node.Content {
			if referred(item).Kind != yaml.MappingNode {
				return false
			}
		}
		return true
	}
	return referred(node).Kind == yaml.MappingNode
}

// referred is a node, or what an alias refers to.
func referred(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode && node.Alias != nil {
		return node.Alias
	}
	return node
}

// nodeKey is the name that a key has in JSON.
func nodeKey(key *yaml.Node) (string, error) {
	key = referred(key)
	switch key.Kind {
	case yaml.MappingNode:
		return keyName(map[any]any{})
	case yaml.SequenceNode:
		return keyName([]any{})
	}
	value, err := scalar(key)
	if err != nil {
		return "", err
	}
	return keyName(value)
}

// scalar is the value of a scalar for the YAML reader of kubectl, which has
// other types than the one that makes nodes.
func scalar(node *yaml.Node) (any, error) {
	tagged := node.Style&yaml.TaggedStyle != 0
	if !tagged && node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return node.Value, nil
	}
	text := node.Value
	if tagged {
		text = node.LongTag() + " " + strconv.QuoteToASCII(text)
		if strings.HasPrefix(node.LongTag(), "tag:") {
			text = "!<" + node.LongTag() + "> " + strconv.QuoteToASCII(node.Value)
		}
	}
	var value any
	err := goyaml.Unmarshal([]byte(text), &value)
	switch value.(type) {
	case nil:
		if !tagged && err == nil && node.Tag == yaml.NodeTagNull {
			return nil, nil
		}
	case map[any]any, []any:
	default:
		if _, isText := value.(string); err == nil && (tagged || !isText) {
			return value, nil
		}
	}
	if tagged && err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return node.Value, nil
}

// errTwice says that a key stands twice in a map.
var errTwice = errors.New("a key is given twice")

// duplicatesIn returns a function that says of one document of a stream after the
// other whether a key stands twice in one of its maps, apart from the keys that <<
// merges into one. It is an error as well when that cannot be found out.
func duplicatesIn(data []byte) func() error {
	decoder := goyaml.NewDecoder(bytes.NewReader(data))
	nodes := yaml.NewDecoder(bytes.NewReader(data))
	return func() error {
		// A MapSlice has the keys that are written, as kubectl's reader has them,
		// and none of those that are merged; but it lacks the maps below <<.
		var written goyaml.MapSlice
		var node yaml.Node
		err := decoder.Decode(&written)
		if noMap := new(goyaml.TypeError); errors.As(err, &noMap) {
			err = nil // no object either, as will be said
		}
		if err := errors.Join(err, nodes.Decode(&node)); err != nil {
			return fmt.Errorf("look for a key that is given twice: %w", err)
		}
		for _, root := range node.Content {
			if _, fault := faultBelow(root); fault != nil {
				return errTwice
			}
		}
		if twiceIn(written) {
			return errTwice
		}
		return nil
	}
}

// twiceIn reports whether a key stands twice in a map of a value.
func twiceIn(value any) bool {
	switch value := value.(type) {
	case goyaml.MapSlice:
		seen := map[any]bool{}
		for _, item := range value {
			switch key := item.Key.(type) {
			case goyaml.MapSlice, []any:
				return true // no key of an object
			case float64:
				if math.IsNaN(key) {
					return true
				}
			}
			if seen[item.Key] || twiceIn(item.Value) {
				return true
			}
			seen[item.Key] = true
		}
	case []any:
		for _, item := range value {
			if twiceIn(item) {
				return true
			}
		}
	}
	return false
}
