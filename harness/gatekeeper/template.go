// Package gatekeeper writes what makes Gatekeeper enforce the contract in a
// cluster: the ConstraintTemplate, made of the embedded policy, and
// constraints. What a parameter defaults to is read from the policy too.
package gatekeeper

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/constraint"
	"github.com/proompteng/nevermigrate/policy"
)

// The file with the rules, and the one that Gatekeeper stands in for: it reads
// the constraint itself.
const (
	rules          = "main.rego"
	constraintFile = "lib/constraint.rego"
)

// The parts of a ConstraintTemplate of templates.gatekeeper.sh/v1 that are
// needed here. Gatekeeper's own types would bring the CEL engine into every
// program that links this package; a test compares with them.
type (
	template struct {
		APIVersion string       `json:"apiVersion"`
		Kind       string       `json:"kind"`
		Metadata   metadata     `json:"metadata"`
		Spec       templateSpec `json:"spec"`
	}
	metadata struct {
		Name        string            `json:"name"`
		Annotations map[string]string `json:"annotations"`
	}
	templateSpec struct {
		CRD     crd      `json:"crd"`
		Targets []target `json:"targets"`
	}
	crd struct {
		Spec crdSpec `json:"spec"`
	}
	crdSpec struct {
		Names      names         `json:"names"`
		Validation crdValidation `json:"validation"`
	}
	names struct {
		Kind string `json:"kind"`
	}
	crdValidation struct {
		LegacySchema    bool                           `json:"legacySchema"`
		OpenAPIV3Schema *apiextensions.JSONSchemaProps `json:"openAPIV3Schema"`
	}
	target struct {
		Target string `json:"target"`
		Code   []code `json:"code"`
	}
	code struct {
		Engine string `json:"engine"`
		Source source `json:"source"`
	}
	source struct {
		Version string   `json:"version"`
		Rego    string   `json:"rego"`
		Libs    []string `json:"libs"`
	}
)

// header is the first lines of the template.
const header = `Controllers never migrate, for Gatekeeper.
Written by: nevermigrate template gatekeeper`

// Template is the ConstraintTemplate as YAML: the embedded policy, and the
// schema of the parameters. It fails only when the policy in this binary is
// broken.
func Template(ctx context.Context) ([]byte, error) {
	defaults, err := Defaults(ctx)
	if err != nil {
		return nil, fmt.Errorf("write template: %w", err)
	}
	about, err := aboutPolicy()
	if err != nil {
		return nil, fmt.Errorf("write template: %w", err)
	}
	source, err := policySource()
	if err != nil {
		return nil, fmt.Errorf("write template: %w", err)
	}
	text, err := writeYAML(template{
		APIVersion: "templates.gatekeeper.sh/v1",
		Kind:       "ConstraintTemplate",
		Metadata: metadata{
			// Gatekeeper wants the kind in lower case.
			Name: strings.ToLower(constraint.Kind),
			Annotations: map[string]string{
				"metadata.gatekeeper.sh/title":   about.Title,
				"metadata.gatekeeper.sh/version": policy.Version,
				"description":                    about.Description,
			},
		},
		Spec: templateSpec{
			CRD: crd{crdSpec{
				Names:      names{constraint.Kind},
				Validation: crdValidation{OpenAPIV3Schema: schema(defaults.Parameters)},
			}},
			Targets: []target{{Target: "admission.k8s.gatekeeper.sh", Code: []code{{Engine: "Rego", Source: source}}}},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("write template: %w", err)
	}
	return text, nil
}

// writeYAML writes a value with JSON tags as YAML for people: its keys in their
// order, and texts of many lines as they are.
func writeYAML(of any) ([]byte, error) {
	text, err := json.Marshal(of)
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if err := restyle(&document); err != nil {
		return nil, err
	}
	document.Content[0].HeadComment = header
	return yaml.MarshalWithOptions(&document, &yaml.EncoderOptions{SeqIndent: yaml.WideSequenceStyle})
}

// restyle takes the form of JSON from a node, and what is in it.
func restyle(node *yaml.Node) error {
	switch {
	case node.Kind != yaml.ScalarNode:
		node.Style = 0
	case strings.Contains(node.Value, "\n"):
		node.Style = yaml.LiteralStyle
	case node.Tag == yaml.NodeTagString:
		// Quotes stay where YAML 1.1 needs them.
		if err := node.Encode(node.Value); err != nil {
			return err
		}
	}
	for _, child := range node.Content {
		if err := restyle(child); err != nil {
			return err
		}
	}
	return nil
}

// aboutPolicy is the annotation of the package with the rules.
func aboutPolicy() (*ast.Annotations, error) {
	text, err := policy.FS.ReadFile(rules)
	if err != nil {
		return nil, err
	}
	module, err := ast.ParseModuleWithOpts(rules, string(text), ast.ParserOptions{ProcessAnnotation: true})
	if err != nil {
		return nil, err
	}
	for _, annotation := range module.Annotations {
		if annotation.Scope == "package" {
			return annotation, nil
		}
	}
	return nil, fmt.Errorf("%s has no annotation of its package", rules)
}

// policySource is the policy as the engine of Gatekeeper takes it: what the
// rules import must be below data.lib, and be given with them.
func policySource() (source, error) {
	modules, err := modules()
	if err != nil {
		return source{}, err
	}
	s := source{Version: "v1", Rego: modules[rules]}
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		if path != rules && path != constraintFile {
			s.Libs = append(s.Libs, modules[path])
		}
	}
	return s, nil
}

// modules are the texts of the policy's files by their paths.
func modules() (map[string]string, error) {
	texts := map[string]string{}
	err := fs.WalkDir(policy.FS, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := policy.FS.ReadFile(path)
		texts[path] = string(text)
		return err
	})
	return texts, err
}
