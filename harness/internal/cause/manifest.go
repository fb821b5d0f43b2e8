package cause

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Manifest is a manifest that was judged as it is and is looked into. It needs
// no experiment: a place in an object is a place in the text. It is for one
// goroutine.
type Manifest struct {
	file    string
	err     error // why the text cannot be looked into
	tree    *manifest.Tree
	judged  []report.Workload
	objects map[container][]object
	known   map[manifestPlace]*report.Cause
}

type manifestPlace struct {
	container
	path string
}

// maxManifestText bounds what is looked into: the nodes of a text need many
// times its memory.
const maxManifestText = 10 << 20

// NewManifest prepares to look into the text of a manifest, with the objects that were
// read from it and the workloads that were judged, in it and in others.
func NewManifest(file string, text []byte, objects []manifest.Object, judged []report.Workload) *Manifest {
	m := &Manifest{file: file, judged: judged, objects: byWorkload(objects), known: map[manifestPlace]*report.Cause{}}
	if len(text) > maxManifestText {
		m.err = fmt.Errorf("it is larger than %d bytes", maxManifestText)
	} else {
		m.tree, m.err = manifest.ReadTree(text)
	}
	return m
}

// Find fills in the cause of a finding: the place that the finding names. It is
// an error when that is not found. That nobody applies migrations has as many
// causes as there are control planes; they are added to those that are there.
func (m *Manifest) Find(_ context.Context, evaluator *evaluate.Evaluator, finding *report.Finding) (err error) {
	defer recovered(&err)
	if finding.Code == stated.Fallback {
		return m.findFallback(evaluator, finding)
	}
	if finding.Workload == "" {
		return nil // what is not there has no place
	}
	found, err := m.find(container{finding.Workload, finding.Namespace, ""}, asJoined(finding.Path))
	if err != nil {
		return err
	}
	cause := *found
	if slices.Contains([]string{"CNM005", loading, resemblance}, finding.Code) {
		cause.Value = "" // a command or a name, not the variable
	}
	finding.Causes = []report.Cause{cause}
	return nil
}

func (m *Manifest) findFallback(evaluator *evaluate.Evaluator, finding *report.Finding) error {
	judged := slices.DeleteFunc(slices.Clone(m.judged), func(w report.Workload) bool { return w.Constraint != evaluator.ConstraintName() })
	envVar, _ := evaluator.Variable()
	for _, at := range controlPlanes(judged) {
		if len(finding.Causes) == maxCauses {
			return nil
		}
		if len(at.objects(m.objects)) == 0 {
			continue // it is in another manifest of the target
		}
		found, err := m.find(at, at.declaration(m.objects, envVar, lastEntry).says)
		if err != nil {
			return err
		}
		finding.Causes = append(finding.Causes, *found)
	}
	return nil
}

// Explain fills in what decides the mode of a container: the last entry of its
// env that declares the variable. That it is not found stands in explained.
func (m *Manifest) Explain(_ context.Context, evaluator *evaluate.Evaluator, workload report.Workload, explained *report.ExplainedContainer) (err error) {
	defer recovered(&err)
	explained.Chain = []report.Cause{}
	envVar, _ := evaluator.Variable()
	at := container{workload.Kind + "/" + workload.Name, workload.Namespace, explained.Name}
	last := at.declaration(m.objects, envVar, lastEntry)
	if explained.Declared = last.declared; last.declared {
		if found, err := m.find(at, last.says); err == nil {
			explained.Chain = append(explained.Chain, *found)
		}
	}
	return nil
}

// find returns the place in the text of a path inside a workload's object, or of
// what holds it. Of several objects of one name it is the one that has most of
// the path.
func (m *Manifest) find(of container, path string) (*report.Cause, error) {
	at := manifestPlace{container{of.workload, of.namespace, ""}, path}
	if known, ok := m.known[at]; ok {
		return known, nil
	}
	if m.err != nil {
		return nil, fmt.Errorf("look for the place in %s: %w", m.file, m.err)
	}
	var best *report.Cause
	_, name, _ := strings.Cut(of.workload, "/") // the name may hold a slash
	for _, o := range of.objects(m.objects) {
		number := o.document.Document
		if number > len(m.tree.Documents) || len(m.tree.Documents[number-1].Content) != 1 || !strings.HasPrefix(path, o.path) {
			continue
		}
		root := m.tree.Documents[number-1].Content[0]
		follow := func(path string) report.Cause { return deepest(root, path, m.tree.Fill) }
		if metadata := join(o.path, "metadata"); follow(join(metadata, "name")).Value != short(name) &&
			follow(join(metadata, "generateName")).Value != short(name) {
			continue // another reader counts documents in another way
		}
		if cause := follow(path); best == nil || len(cause.Path) > len(best.Path) {
			cause.File, cause.Layer = m.file, report.Resource
			best = &cause
		}
	}
	if best == nil {
		return nil, fmt.Errorf("look for the place in %s: %s is not found there", m.file, of.workload)
	}
	m.known[at] = best
	return best, nil
}

// deepest follows a path as far as it goes, and returns where it ended. It has a
// value where that is all of the path. What is left of a node is read by fill.
func deepest(node *yaml.Node, path string, fill func(*yaml.Node) error) report.Cause {
	cause := report.Cause{Line: node.Line, Column: node.Column}
	for cause.Path != path {
		if fill(node) != nil {
			return cause
		}
		if node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		at, next, deeper := below(node, cause.Path, path)
		if next == nil {
			return cause
		}
		node, cause.Line, cause.Column, cause.Path = next, at.Line, at.Column, deeper
	}
	if node.Kind == yaml.ScalarNode {
		cause.Value = short(node.Value)
	}
	return cause
}

// below is the node below another, which stands at a part of a path, that leads
// on, where it stands, and its path. Nothing leads on from there when it is nil.
func below(node *yaml.Node, part, path string) (at, next *yaml.Node, deeper string) {
	switch node.Kind {
	case yaml.MappingNode:
		at, next = manifest.Member(node, func(key string) bool {
			deeper = join(part, key)
			rest, ok := strings.CutPrefix(path, deeper)
			return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
		})
		return at, next, deeper
	case yaml.SequenceNode:
		i := -1
		if _, err := fmt.Sscanf(path[len(part):], "[%d]", &i); err == nil && i >= 0 && i < len(node.Content) {
			if deeper = fmt.Sprintf("%s[%d]", part, i); strings.HasPrefix(path, deeper) {
				return node.Content[i], node.Content[i], deeper
			}
		}
	}
	return nil, nil, ""
}

// CanSet reports whether a person can set the value at a path in a file of values by
// changing its line: the whole path is there, and nothing else would be changed.
func CanSet(file, path string) bool {
	values := newSources(maxManifestText, nil).file(file, source{layer: report.ValuesFile})
	if values == nil {
		return false
	}
	i := slices.IndexFunc(values.places, func(p *place) bool { return p.path == path && p.isScalar() })
	if i < 0 {
		return false
	}
	_, written, err := values.edited([]edit{set(values.places[i], "set")})
	return err == nil && written
}

// InValues returns the place of a path in a file of values, and whether the file has
// all of it.
func InValues(file, path string) (report.Cause, bool) {
	text, err := os.ReadFile(file)
	if err != nil || len(text) > maxManifestText {
		return report.Cause{}, false
	}
	tree, err := manifest.ReadTree(text)
	if err != nil || len(tree.Documents) != 1 || len(tree.Documents[0].Content) != 1 {
		return report.Cause{}, false
	}
	found := deepest(tree.Documents[0].Content[0], path, tree.Fill)
	found.File, found.Layer = shownPath(file), report.ValuesFile
	return found, found.Path == path
}
