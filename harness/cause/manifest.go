package cause

import (
	"fmt"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/report"
)

// FindInManifest fills in the cause of a finding in a manifest that was judged
// as it is: the place that the finding names. It needs no experiment.
func FindInManifest(file string, text []byte, finding *report.Finding) {
	documents, err := parse(text)
	if err != nil {
		return // such as JSON objects that follow each other
	}
	var best *report.Cause
	depth := -1
	for _, document := range documents {
		if len(document.Content) != 1 {
			continue
		}
		root := document.Content[0]
		for i, object := range append([]*yaml.Node{root}, items(root)...) {
			if !describes(object, finding) {
				continue
			}
			// A path into a list begins with the item that the object is.
			from, path := root, segments(finding.Path)
			if i > 0 && (len(path) < 2 || path[0] != "items") {
				from = object
			}
			if cause, found := deepest(from, path); found > depth {
				cause.File, cause.Path, cause.Layer = file, joined(path[:found]), report.Resource
				if found < len(path) {
					cause.Value = ""
				}
				best, depth = &cause, found
			}
		}
	}
	if best == nil {
		return
	}
	if finding.Code == "CNM005" {
		best.Value = "" // a command, not the variable
	}
	finding.Causes = []report.Cause{*best}
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

// items are the objects of a list.
func items(root *yaml.Node) []*yaml.Node {
	if root.Kind != yaml.MappingNode {
		return nil
	}
	list := lookup(root, "items")
	if list == nil || list.Kind != yaml.SequenceNode {
		return nil
	}
	var all []*yaml.Node
	for _, item := range list.Content {
		all = append(all, item)
		all = append(all, items(item)...)
	}
	return all
}

// describes reports whether a node is the object of a finding. An item of a
// typed list need not say its kind.
func describes(node *yaml.Node, finding *report.Finding) bool {
	kind, name, namespace := "", "", ""
	if node.Kind != yaml.MappingNode {
		return false
	}
	scalar := func(of *yaml.Node, key string) string {
		if of == nil || of.Kind != yaml.MappingNode {
			return ""
		}
		if value := lookup(of, key); value != nil && value.Kind == yaml.ScalarNode {
			return value.Value
		}
		return ""
	}
	kind = scalar(node, "kind")
	metadata := lookup(node, "metadata")
	name, namespace = scalar(metadata, "name"), scalar(metadata, "namespace")
	if namespace != finding.Namespace {
		return false
	}
	if kind == "" {
		return len(finding.Workload) > len(name) && finding.Workload[len(finding.Workload)-len(name)-1:] == "/"+name
	}
	return kind+"/"+name == finding.Workload
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

// ChainInManifest is App.Chain for a manifest that was judged as it is: the
// last entry of the container's env that declares the variable.
func ChainInManifest(file string, text []byte, envVar string, workload report.Workload, container string) []report.Cause {
	budget := maxPlaces
	s := &source{file: file, shown: file, text: text, layer: report.Resource}
	if s.read(&budget) != nil {
		return nil
	}
	finding := &report.Finding{Workload: workload.Kind + "/" + workload.Name, Namespace: workload.Namespace}
	var last []report.Cause
	for _, p := range s.places {
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
		last = []report.Cause{{File: file, Line: at.line, Column: at.column, Path: at.path, Value: value, Layer: report.Resource}}
	}
	return last
}
