package cause

import (
	"fmt"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/report"
)

// Manifest is a manifest that was judged as it is, whose findings are looked
// into. It is for one goroutine.
type Manifest struct {
	file string
	// objects are those of all documents, by the name and namespace that
	// findings have for them.
	objects map[objectName][]object
	known   map[manifestPlace]*report.Cause

	text   []byte
	places []*place // see Chain
	read   bool
}

type objectName struct{ name, namespace string }

// object is an object of a manifest.
type object struct {
	// root is its document.
	node, root *yaml.Node
}

type manifestPlace struct {
	objectName
	workload, path string
}

// maxManifestText bounds what is looked into: the places of a text need about a
// hundred times its memory.
const maxManifestText = 10 << 20

// NewManifest prepares to look into a manifest. A text that is no YAML, such as
// JSON objects that follow each other, or that is very long gives no causes.
func NewManifest(file string, text []byte) *Manifest {
	m := &Manifest{file: file, objects: map[objectName][]object{}, known: map[manifestPlace]*report.Cause{}, text: text}
	if len(text) > maxManifestText {
		return m
	}
	documents, err := parse(text)
	if err != nil {
		return m
	}
	for _, document := range documents {
		if len(document.Content) != 1 {
			continue
		}
		root := document.Content[0]
		for _, node := range append([]*yaml.Node{root}, items(root)...) {
			if node.Kind == yaml.MappingNode {
				_, name := describe(node)
				m.objects[name] = append(m.objects[name], object{node, root})
			}
		}
	}
	return m
}

// Find fills in the cause of a finding: the place that the finding names. It
// needs no experiment.
func (m *Manifest) Find(finding *report.Finding) {
	best := m.find(finding)
	if best == nil {
		return
	}
	cause := *best
	if finding.Code == "CNM005" {
		cause.Value = "" // a command, not the variable
	}
	finding.Causes = []report.Cause{cause}
}

func (m *Manifest) find(finding *report.Finding) *report.Cause {
	var best *report.Cause
	depth := -1
	// A name may hold a slash; its kind does not.
	_, name, _ := strings.Cut(finding.Workload, "/")
	at := manifestPlace{objectName{name, finding.Namespace}, finding.Workload, finding.Path}
	if known, ok := m.known[at]; ok {
		return known
	}
	for _, object := range m.objects[at.objectName] {
		if !describes(object.node, finding) {
			continue
		}
		// A path into a list begins with the item that the object is.
		from, path := object.root, segments(finding.Path)
		if object.node != object.root && (len(path) < 2 || path[0] != "items") {
			from = object.node
		}
		if cause, found := deepest(from, path); found > depth {
			cause.File, cause.Path, cause.Layer = m.file, joined(path[:found]), report.Resource
			if found < len(path) {
				cause.Value = ""
			}
			best, depth = &cause, found
		}
	}
	m.known[at] = best
	return best
}

// joined is the opposite of segments.
func joined(segments []any) string {
	path := ""
	for _, segment := range segments {
		switch segment := segment.(type) {
		case string:
			path = join(path, segment)
		case int:
			path += fmt.Sprintf("[%d]", segment)
		}
	}
	return path
}

// items are the objects of a list, and of the lists in it.
func items(root *yaml.Node) []*yaml.Node {
	var all []*yaml.Node
	var collect func(*yaml.Node)
	collect = func(of *yaml.Node) {
		if of.Kind != yaml.MappingNode {
			return
		}
		list := lookup(of, "items")
		if list == nil || list.Kind != yaml.SequenceNode {
			return
		}
		for _, item := range list.Content {
			all = append(all, item)
			collect(item)
		}
	}
	collect(root)
	return all
}

// describe gives the kind, the name and the namespace of an object.
func describe(object *yaml.Node) (kind string, name objectName) {
	scalar := func(of *yaml.Node, key string) string {
		if of == nil || of.Kind != yaml.MappingNode {
			return ""
		}
		if value := lookup(of, key); value != nil && value.Kind == yaml.ScalarNode {
			return value.Value
		}
		return ""
	}
	metadata := lookup(object, "metadata")
	return scalar(object, "kind"), objectName{scalar(metadata, "name"), scalar(metadata, "namespace")}
}

// describes reports whether a node is the object of a finding. An item of a
// typed list need not say its kind.
func describes(node *yaml.Node, finding *report.Finding) bool {
	if node.Kind != yaml.MappingNode {
		return false
	}
	kind, name := describe(node)
	if name.namespace != finding.Namespace {
		return false
	}
	if kind == "" {
		return strings.HasSuffix(finding.Workload, "/"+name.name)
	}
	return kind+"/"+name.name == finding.Workload
}

// deepest follows a path as far as it goes, and returns where it ended and how
// many steps it went.
func deepest(node *yaml.Node, path []any) (report.Cause, int) {
	cause := report.Cause{Line: node.Line, Column: node.Column}
	for depth, segment := range path {
		if node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		switch segment := segment.(type) {
		case string:
			found := false
			for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
				if node.Content[i].Value == segment {
					cause.Line, cause.Column = node.Content[i].Line, node.Content[i].Column
					node, found = node.Content[i+1], true
					break
				}
			}
			if !found {
				return cause, depth
			}
		case int:
			if node.Kind != yaml.SequenceNode || segment >= len(node.Content) {
				return cause, depth
			}
			node = node.Content[segment]
			cause.Line, cause.Column = node.Line, node.Column
		}
	}
	if node.Kind == yaml.ScalarNode {
		cause.Value = short(node.Value)
	}
	return cause, len(path)
}

// Chain is App.Chain: the last entry of the container's env that declares the
// variable.
func (m *Manifest) Chain(envVar string, workload report.Workload, container string) []report.Cause {
	if !m.read {
		m.read = true
		budget := maxPlaces
		all := &source{file: m.file, shown: m.file, text: m.text, layer: report.Resource}
		if len(m.text) <= maxManifestText && all.read(&budget) == nil {
			m.places = all.places
		}
	}
	finding := &report.Finding{Workload: workload.Kind + "/" + workload.Name, Namespace: workload.Namespace}
	var last []report.Cause
	for _, p := range m.places {
		if p.scalarMember("name") != envVar || p.parent == nil || p.parent.key != "env" || p.parent.parent.scalarMember("name") != container {
			continue
		}
		object := p
		for object != nil && !describes(object.node, finding) {
			object = object.parent
		}
		if object == nil {
			continue
		}
		at, value := p, ""
		if m := p.member("value"); m != nil && m.isScalar() {
			at, value = m, short(m.text())
		}
		last = []report.Cause{{File: m.file, Line: at.line, Column: at.column, Path: at.path, Value: value, Layer: report.Resource}}
	}
	return last
}
