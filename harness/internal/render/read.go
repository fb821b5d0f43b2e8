package render

import (
	"bytes"
	"fmt"
	"strings"

	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/kio"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// readObjects reads what helm printed as kustomize's generator for charts does, with
// its second try for output that has a message before the first document.
func readObjects(factory *resmap.Factory, manifests []byte) (resmap.ResMap, error) {
	if objects, ok := readPlain(manifests); ok {
		return objects, nil
	}
	objects, err := factory.NewResMapFromBytes(manifests)
	if err == nil {
		return objects, nil
	}
	reader := &kio.ByteReader{Reader: bytes.NewReader(manifests), OmitReaderAnnotations: true}
	nodes, readErr := reader.Read()
	if readErr != nil {
		return nil, fmt.Errorf("read what helm rendered: %w", readErr)
	}
	if len(nodes) == 0 {
		return nil, fmt.Errorf("read what helm rendered: %w", err)
	}
	if objects, err = factory.NewResMapFromRNodeSlice(nodes); err != nil {
		return nil, fmt.Errorf("read what helm rendered: %w", err)
	}
	return objects, nil
}

// readPlain gives what resmap.Factory.NewResMapFromBytes gives, for manifests that are
// read without an error and are no lists. It leaves out the replacing of aliases, which
// copies every map of every document, also where there is no alias: half the time that
// the reading takes.
func readPlain(manifests []byte) (objects resmap.ResMap, ok bool) {
	reader := &kio.ByteReader{Reader: bytes.NewReader(manifests), OmitReaderAnnotations: true}
	nodes, err := reader.Read()
	if err != nil {
		return nil, false
	}
	objects = resmap.New()
	for _, node := range nodes {
		if !withoutAliases(node.Document()) {
			if err := node.DeAnchor(); err != nil {
				return nil, false
			}
		}
		if node.IsNilOrEmpty() {
			continue
		}
		if _, err := node.GetValidatedMetadata(); err != nil || strings.HasSuffix(node.GetKind(), "List") {
			return nil, false
		}
		if err := objects.Append(&resource.Resource{RNode: *node}); err != nil {
			return nil, false
		}
	}
	return objects, true
}

// withoutAliases reports whether kyaml's DeAnchor leaves a node as it is: nothing in it
// is an anchor or an alias, and each key is a string that merges nothing.
func withoutAliases(node *kyaml.Node) bool {
	if node.Anchor != "" || node.Kind == kyaml.AliasNode {
		return false
	}
	for i, below := range node.Content {
		isKey := node.Kind == kyaml.MappingNode && i%2 == 0
		if isKey && (below.Tag != kyaml.NodeTagString || below.Value == "<<") {
			return false
		}
		if !withoutAliases(below) {
			return false
		}
	}
	return true
}
