package cause

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/report"
)

// source is a YAML file that takes part in what is rendered.
type source struct {
	// file is its real path, by which an overlay replaces it; shown is the path
	// in the report.
	file, shown string
	text        []byte
	layer       report.Layer
	// kustomization says that the file is one, in which the layer of a place
	// follows from the key it stands under.
	kustomization bool
	places        []*place // in the order of the file
}

// place is a node of a source: what an experiment changes and a report names.
type place struct {
	source *source
	layer  report.Layer
	parent *place
	steps  []step
	// key is that of the map member, empty for an item of a list.
	key          string
	path         string
	line, column int
	node         *yaml.Node
	children     []*place
}

// step leads from a node to one below it.
type step struct {
	key    string // of a map
	index  int    // of a list; for the first step, of a document
	isKey  bool
	nested bool // into the documents of the text that a scalar holds
}

// maxPlaces bounds how many nodes of one app are looked at.
const maxPlaces = 50_000

var errTooManyPlaces = errors.New("too many places")

// parse reads the documents of a text.
func parse(text []byte) ([]*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var documents []*yaml.Node
	for {
		document := &yaml.Node{}
		err := decoder.Decode(document)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
}

// read fills in the places of a source. A text that is no YAML has none.
func (s *source) read(budget *int) error {
	documents, err := parse(s.text)
	if err != nil {
		return nil // such as a text file of a generator
	}
	w := walker{source: s, budget: budget}
	for i, document := range documents {
		if len(document.Content) == 1 {
			w.visit(document.Content[0], &place{layer: s.layer, steps: []step{{index: i}}}, nil)
		}
	}
	return w.err
}

type walker struct {
	source *source
	budget *int
	err    error
	// line and column are those before a text that stands inside another; where
	// its lines are not those of the file, inexact is the place that holds it.
	line, column int
	inexact      *place
}

// visit notes a node as the given place, which lacks what follows from the
// node, and the nodes below it. Aliases are not followed: what they refer to is
// noted where it stands.
func (w *walker) visit(node *yaml.Node, at, parent *place) {
	if *w.budget--; *w.budget < 0 {
		w.err = errTooManyPlaces
		return
	}
	at.source, at.node, at.parent = w.source, node, parent
	if at.line == 0 {
		at.line, at.column = node.Line+w.line, node.Column+w.column
	}
	if w.inexact != nil {
		at.line, at.column = w.inexact.line, w.inexact.column
	}
	if parent != nil {
		parent.children = append(parent.children, at)
	}
	w.source.places = append(w.source.places, at)
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i].Value
			member := &place{key: key, layer: at.layer, path: join(at.path, key), steps: with(at.steps, step{key: key, isKey: true})}
			if w.source.kustomization && w.source.layer != report.Component {
				member.layer = kustomizationLayer(member.path, at.layer)
			}
			w.visitMember(node.Content[i], node.Content[i+1], member, at)
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			w.visit(item, &place{layer: at.layer, path: fmt.Sprintf("%s[%d]", at.path, i), steps: with(at.steps, step{index: i})}, at)
		}
	case yaml.ScalarNode:
		if w.source.kustomization && nestedPattern.MatchString(at.path) {
			w.nested(at)
		}
	}
}

// visitMember notes a member of a map, which stands where its key stands.
func (w *walker) visitMember(key, value *yaml.Node, at, parent *place) {
	at.line, at.column = key.Line+w.line, key.Column+w.column
	w.visit(value, at, parent)
}

// nestedPattern are the paths of a kustomization's texts that are YAML.
var nestedPattern = regexp.MustCompile(`^(patches|patchesJson6902)\[\d+\]\.patch$|^(patchesStrategicMerge|transformers|generators)\[\d+\]$`)

func (w *walker) nested(at *place) {
	documents, err := parse([]byte(at.node.Value))
	if err != nil {
		return
	}
	inner := walker{source: w.source, budget: w.budget, inexact: w.inexact}
	if at.node.Style&yaml.LiteralStyle != 0 && w.inexact == nil {
		inner.line, inner.column = at.line, indentation(w.source.text, at.line)
	} else if inner.inexact == nil {
		inner.inexact = at
	}
	for i, document := range documents {
		if len(document.Content) != 1 || document.Content[0].Kind == yaml.ScalarNode {
			continue // a path, not YAML
		}
		inner.visit(document.Content[0], &place{layer: at.layer, path: at.path, steps: with(at.steps, step{index: i, nested: true})}, at)
	}
	w.err = errors.Join(w.err, inner.err)
}

// indentation is that of the first line after the given one that is not blank.
func indentation(text []byte, line int) int {
	lines := strings.Split(string(text), "\n")
	for ; line < len(lines); line++ {
		if rest := strings.TrimLeft(lines[line], " "); strings.TrimSpace(rest) != "" {
			return len(lines[line]) - len(rest)
		}
	}
	return 0
}

// kustomizationLayer is the layer of what stands in a kustomization.
func kustomizationLayer(path string, otherwise report.Layer) report.Layer {
	switch {
	case inlineValuesPattern.MatchString(path):
		return report.InlineValues
	case strings.HasPrefix(path, "patches"), strings.HasPrefix(path, "transformers"):
		return report.Patch
	case strings.HasPrefix(path, "replacements"):
		return report.Replacement
	default:
		return otherwise
	}
}

var inlineValuesPattern = regexp.MustCompile(`(^helmCharts\[\d+\]|^helmChartInflationGenerator\[\d+\]|^generators\[\d+\])\.valuesInline`)

func with(steps []step, next step) []step {
	return append(append(make([]step, 0, len(steps)+1), steps...), next)
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_$/-]+$`)

// join appends a key to a value path.
func join(path, key string) string {
	switch {
	case !plainKey.MatchString(key):
		return fmt.Sprintf("%s[%q]", path, key)
	case path == "":
		return key
	default:
		return path + "." + key
	}
}

// isScalar reports whether a place holds one value, also by an alias.
func (p *place) isScalar() bool {
	return p.node.Kind == yaml.ScalarNode || p.node.Kind == yaml.AliasNode && p.node.Alias.Kind == yaml.ScalarNode
}

// text is the value of a scalar as it is written, without quotes.
func (p *place) text() string {
	if p.node.Kind == yaml.AliasNode {
		return p.node.Alias.Value
	}
	return p.node.Value
}

func (p *place) isNull() bool {
	return p.node.Kind == yaml.ScalarNode && p.node.ShortTag() == yaml.NodeTagNull
}

// member returns the member of a map, or nil.
func (p *place) member(key string) *place {
	if p == nil || p.node.Kind != yaml.MappingNode {
		return nil
	}
	for _, child := range p.children {
		if child.key == key {
			return child
		}
	}
	return nil
}

// scalarMember is the text of a scalar member of a map, or empty.
func (p *place) scalarMember(key string) string {
	if m := p.member(key); m != nil && m.isScalar() {
		return m.text()
	}
	return ""
}

// under reports whether a place is another or stands below it.
func (p *place) under(other *place) bool {
	for ; p != nil; p = p.parent {
		if p == other {
			return true
		}
	}
	return false
}
