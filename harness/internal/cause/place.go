package cause

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/report"
)

// source is a file that takes part in what is rendered.
type source struct {
	// file is its real path, by which an overlay replaces it; shown is the path
	// in the report.
	file, shown string
	text        []byte
	layer       report.Layer
	// archive and name say where the file is when it is packed; name is in there.
	archive *archive
	name    string
	// downloaded says that the file is one of a chart that is not in the work tree.
	downloaded bool
	// plain says that the file has no places: it is a template, or a text that one
	// or a generator reads.
	plain, template bool
	// kustomization says that the file is one, in which the layer of a place
	// follows from the key it stands under.
	kustomization bool
	// documents and places, in the order of the file; a plain text has none.
	documents []*yaml.Node
	places    []*place
}

// place is a node of a source: what an experiment changes and a report names.
type place struct {
	source *source
	layer  report.Layer
	parent *place
	// inText says that the place is a document in the text that its parent holds,
	// whose documents then are these.
	inText    bool
	documents []*yaml.Node
	// template says that the text is one, or stands in one; its documents are those of
	// the text without what a template does.
	template bool
	// key is that of the map member, empty for an item of a list.
	key          string
	path         string
	line, column int
	node         *yaml.Node
	children     []*place
}

// maxPlaces bounds how many nodes of one app are looked at.
const maxPlaces = 50_000

// read fills in the places of a source, as many as budget holds, which is below
// zero when there are more. A text that is no YAML has none.
func (s *source) read(budget *int) {
	s.documents, _ = manifest.Nodes(s.text) // it may be a text file of a generator
	w := walker{source: s, budget: budget}
	for _, document := range s.documents {
		if len(document.Content) == 1 {
			w.visit(document.Content[0], &place{layer: s.layer})
		}
	}
}

type walker struct {
	source *source
	budget *int
	// line and column are those before a text that stands inside another; where
	// its lines are not those of the file, inexact is the place that holds it.
	line, column int
	inexact      *place
	// template says that the text is one of a template, or stands in one.
	template bool
}

// visit notes a node as the given place, which lacks what follows from the
// node, and the nodes below it. Aliases are not followed: what they refer to is
// noted where it stands.
func (w *walker) visit(node *yaml.Node, at *place) {
	if *w.budget--; *w.budget < 0 {
		return
	}
	at.source, at.node = w.source, node
	if at.line == 0 {
		at.line, at.column = node.Line+w.line, node.Column+w.column
	}
	if w.inexact != nil {
		at.line, at.column = w.inexact.line, w.inexact.column
	}
	if at.parent != nil {
		at.parent.children = append(at.parent.children, at)
	}
	if !w.template || node.Kind != yaml.ScalarNode || !strings.Contains(node.Value, mask) {
		w.source.places = append(w.source.places, at)
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			name := key.Value
			if key.Kind == yaml.AliasNode {
				name = key.Alias.Value
			}
			// A member stands where its key stands.
			member := &place{
				parent: at, key: name, layer: at.layer, path: join(at.path, name),
				line: key.Line + w.line, column: key.Column + w.column,
			}
			if w.source.kustomization && w.source.layer != report.Component {
				member.layer = kustomizationLayer(member.path, at.layer)
			}
			w.visit(node.Content[i+1], member)
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			w.visit(item, &place{parent: at, layer: at.layer, path: fmt.Sprintf("%s[%d]", at.path, i)})
		}
	case yaml.ScalarNode:
		if w.source.kustomization && nestedPattern.MatchString(at.path) || w.source.layer == report.ApplicationLayer && inApplication.MatchString(at.path) {
			w.nested(at)
		}
	}
}

// nestedPattern are the paths of a kustomization's texts that are YAML.
var nestedPattern = regexp.MustCompile(`^(patches|patchesJson6902)\[\d+\]\.patch$|^(patchesStrategicMerge|transformers|generators)\[\d+\]$`)

// inApplication are the paths of an Application's and an ApplicationSet's texts that are
// YAML.
var inApplication = regexp.MustCompile(`\.kustomize\.patches\[\d+\]\.patch$|\.helm\.values$|^spec\.templatePatch$`)

// templatePatch is the path of an ApplicationSet's text that is a template of YAML.
const templatePatch = "spec.templatePatch"

// nestedText is the text that a place holds, of a template without what it does.
func (p *place) nestedText() string {
	if p.template {
		return masked(p.node.Value)
	}
	return p.node.Value
}

// actionPattern finds what a template does.
var actionPattern = regexp.MustCompile(`(?s)\{\{.*?\}\}`)

// onlyActions finds lines of nothing else, and what they are indented by.
var onlyActions = regexp.MustCompile(`(?m)^([ ]*)#?~{4}[ ~]*$`)

// masked is a template's text as YAML of the same lines and columns: lines of nothing
// but actions are comments, and each other action is a word.
func masked(text string) string {
	text = actionPattern.ReplaceAllStringFunc(text, func(action string) string {
		lines := strings.Split(action, "\n")
		for i, line := range lines {
			lines[i] = strings.Repeat("~", len(line))
		}
		return strings.Join(lines, "\n")
	})
	return onlyActions.ReplaceAllStringFunc(text, func(line string) string {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		return line[:indent] + "#" + line[indent+1:]
	})
}

// mask is in no text that an edit may write.
const mask = "~~~~"

// within is the place that holds the text in which a place stands; nil: that of the
// file.
func (p *place) within() *place {
	if top := p.top(); top.inText {
		return top.parent
	}
	return nil
}

func (w *walker) nested(at *place) {
	at.template = w.template || at.path == templatePatch && strings.Contains(at.node.Value, "{{")
	at.documents, _ = manifest.Nodes([]byte(at.nestedText()))
	inner := walker{source: w.source, budget: w.budget, inexact: at, template: at.template}
	if at.node.Style&yaml.LiteralStyle != 0 {
		inner.line, inner.column, inner.inexact = at.line, indentation(w.source.text, at.line), nil
	}
	for _, document := range at.documents {
		// A single scalar is a path, not YAML.
		if len(document.Content) == 1 && document.Content[0].Kind != yaml.ScalarNode {
			inner.visit(document.Content[0], &place{parent: at, layer: at.layer, path: at.path, inText: true})
		}
	}
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

// member returns the member of a map, or nil. Of two with the same key it is the
// later, which Helm takes.
func (p *place) member(key string) *place {
	if p == nil || p.node.Kind != yaml.MappingNode {
		return nil
	}
	for _, child := range slices.Backward(p.children) {
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

// top is the topmost place of a document.
func (p *place) top() *place {
	for p.parent != nil && !p.inText {
		p = p.parent
	}
	return p
}

// keys are those that lead to a place from the top of its document; nil when a
// list is on the way.
func (p *place) keys() []string {
	var keys []string
	for ; p.parent != nil; p = p.parent {
		if p.key == "" {
			return nil
		}
		keys = slices.Insert(keys, 0, p.key)
	}
	return keys
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
