// Package gatekeeper writes what makes Gatekeeper enforce the contract in a
// cluster: the ConstraintTemplate, made of the embedded policy, and
// constraints. What a parameter defaults to is read from the policy too.
package gatekeeper

import (
	"context"
	_ "embed"
	"fmt"
	"io/fs"

	"github.com/open-policy-agent/opa/v1/ast"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/proompteng/nevermigrate/policy"
)

// The file with the rules, and the one that Gatekeeper stands in for: it reads
// the constraint itself.
const (
	rules          = "main.rego"
	constraintFile = "lib/constraint.rego"
)

//go:embed template.yaml.tmpl
var templateText string

// Template is the ConstraintTemplate as YAML: the embedded policy, and the
// schema of the parameters. It fails only when the policy in this binary is
// broken.
func Template(context.Context) ([]byte, error) {
	text, err := filledTemplate()
	if err != nil {
		return nil, fmt.Errorf("write template: %w", err)
	}
	return text, nil
}

func filledTemplate() ([]byte, error) {
	described, err := Parameters()
	if err != nil {
		return nil, err
	}
	about, err := aboutPolicy()
	if err != nil {
		return nil, err
	}
	main, libs, err := modules()
	if err != nil {
		return nil, err
	}
	return writeYAML(templateText, 0, map[string]any{
		"About": about, "Version": policy.Version, "Schema": schema(described), "Rules": main, "Libs": libs,
	})
}

// schema is the schema of spec.parameters. What data.lib.parameters.problems
// says of a parameter, the API server says by this, before the constraint can
// do harm: a constraint that cannot be used denies every workload.
//
// Structural schemas cannot refuse unknown keys: they drop them, and a typo
// would disarm the contract without a word. So unknown keys are kept, each
// known key has a default, and no more keys than the known ones may be there
// once the defaults are filled in.
func schema(described []Parameter) *apiextensions.JSONSchemaProps {
	properties := map[string]apiextensions.JSONSchemaProps{}
	for _, parameter := range described {
		properties[parameter.Name] = parameter.Schema
	}
	return &apiextensions.JSONSchemaProps{
		Type:                   "object",
		Description:            "What the contract binds. Another key is refused as one too many, for these are always there, with their defaults.",
		Default:                &apiextensions.JSON{Raw: []byte("{}")},
		Properties:             properties,
		MaxProperties:          new(int64(len(properties))),
		XPreserveUnknownFields: new(true),
	}
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

// modules is the policy as the engine of Gatekeeper takes it: what the rules
// import must be below data.lib, and be given with them.
func modules() (main string, libs []string, err error) {
	err = fs.WalkDir(policy.FS, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == constraintFile {
			return err
		}
		text, err := policy.FS.ReadFile(path)
		if path == rules {
			main = string(text)
		} else {
			libs = append(libs, string(text))
		}
		return err
	})
	return main, libs, err
}
