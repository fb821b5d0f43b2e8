package cause

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Fault is what is wrong with the text of a file of an app that does not render,
// with file and line, as `values.yaml: line 3: …`: no YAML, a template, something
// else than what is read there, or, when duplicates are asked for, a key that is
// given twice. It is nil when the files can be read.
func Fault(dir string, duplicates bool, maxBytes int64) (err error) {
	defer func() {
		if recover() != nil {
			err = nil // what a text can do to a YAML library is not what is asked
		}
	}()
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	files := newSources(cmp.Or(maxBytes, render.DefaultMaxBytes), nil)
	files.wanted = func([]byte) bool { return false }
	files.kustomization(dir, "")
	for _, file := range files.all {
		if err := file.fault(duplicates); err != nil {
			return fmt.Errorf("%s: %w", file.shown, err)
		}
	}
	return nil
}

// fault is what is wrong with a source's text.
func (s *source) fault(duplicates bool) error {
	if err := manifest.Fault(s.text, duplicates); err != nil {
		return err
	}
	for _, p := range s.places {
		if p.isScalar() && len(p.documents) == 0 && nestedPattern.MatchString(p.path) && strings.Contains(p.text(), "\n") {
			if err := manifest.Fault([]byte(p.text()), duplicates); err != nil {
				return fmt.Errorf("line %d: in %s: %w", p.line, p.path, err)
			}
		}
	}
	wanted, isOf := s.topType()
	nodes, err := manifest.Nodes(s.text)
	if err != nil {
		return nil
	}
	for _, document := range nodes {
		for _, root := range document.Content {
			if isNull := root.Kind == yaml.ScalarNode && root.ShortTag() == yaml.NodeTagNull; !isNull && !isOf(root.Kind) {
				return fmt.Errorf("line %d: %s, and here is %s", root.Line, wanted, kindName(root))
			}
		}
	}
	return nil
}

// topType says what must stand at the top of a source.
func (s *source) topType() (wanted string, isOf func(yaml.Kind) bool) {
	isMap := func(k yaml.Kind) bool { return k == yaml.MappingNode }
	switch s.layer {
	case report.ChartValues, report.ValuesFile, report.AdditionalValuesFile:
		return "values are a map", isMap
	case report.Patch:
		return "a patch is an object or a list of operations", func(k yaml.Kind) bool { return isMap(k) || k == yaml.SequenceNode }
	case report.Resource:
		return "a manifest is an object", isMap
	default:
		return "", func(yaml.Kind) bool { return true }
	}
}

func kindName(node *yaml.Node) string {
	switch node.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a map"
	default:
		return "a value"
	}
}
