// Package constraint reads the Gatekeeper objects of kind
// ControllersNeverMigrate, the one place where parameters and enforcement are
// set, from files.
//
// It checks that a file holds constraints and nothing else. What may stand in
// spec is the policy's to say (data.lib.constraint.problems), so that conftest
// and Gatekeeper judge a constraint alike.
package constraint

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Kind is the kind of a constraint.
const Kind = "ControllersNeverMigrate"

// Constraint is one constraint.
type Constraint struct {
	// File is the path it was read from.
	File string
	// SHA256 is the digest of that file.
	SHA256 string
	// Name is metadata.name.
	Name string
	// Content is the whole object, as encoding/json would decode it.
	Content map[string]any
}

// Spec is the constraint's spec. That of a nil constraint, and of one without, is
// nil, which can be read like an empty one.
func (c *Constraint) Spec() map[string]any {
	if c == nil {
		return nil
	}
	spec, _ := c.Content["spec"].(map[string]any)
	return spec
}

// Parameters are the parameters in the spec, nil where there are none.
func (c *Constraint) Parameters() map[string]any {
	parameters, _ := c.Spec()["parameters"].(map[string]any)
	return parameters
}

// maxBytes bounds a file of constraints.
const maxBytes = 1 << 20

func read(file string) ([]byte, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	data, err := io.ReadAll(io.LimitReader(opened, maxBytes+1))
	if err == nil && len(data) > maxBytes {
		err = fmt.Errorf("%s: it is larger than the limit of %d bytes for constraints", file, maxBytes)
	}
	return data, err
}

// Load reads the constraints of files, in order. It is an error when a file
// cannot be read, is larger than 1 MiB, holds no constraint or anything else, when a constraint has
// an unknown key beside spec, or when two have the same name.
func Load(files []string) ([]Constraint, error) {
	var constraints []Constraint
	seen := map[string]string{}
	for _, file := range files {
		data, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("load constraint: %w", err)
		}
		objects, err := manifest.Read(data)
		if err != nil {
			return nil, fmt.Errorf("load constraint %s: %w", file, err)
		}
		for _, object := range objects {
			c, err := fromObject(file, object.Content)
			if err != nil {
				return nil, fmt.Errorf("load constraint %s: document %d: %w", file, object.Document, err)
			}
			if earlier, ok := seen[c.Name]; ok {
				return nil, fmt.Errorf("load constraint %s: the name %q is taken by a constraint in %s: give each its own metadata.name", file, c.Name, earlier)
			}
			c.SHA256 = report.Digest(data)
			seen[c.Name] = file
			constraints = append(constraints, c)
		}
	}
	return constraints, nil
}

// OrDefaults is what is to be judged by: the constraints that were loaded, or
// else one that is nil and stands for the defaults.
func OrDefaults(loaded []Constraint) []*Constraint {
	if len(loaded) == 0 {
		return []*Constraint{nil}
	}
	var constraints []*Constraint
	for i := range loaded {
		constraints = append(constraints, &loaded[i])
	}
	return constraints
}

var topLevelKeys = []string{"apiVersion", "kind", "metadata", "spec", "status"}

func fromObject(file string, content map[string]any) (Constraint, error) {
	if content["kind"] != Kind {
		return Constraint{}, fmt.Errorf("kind is %v: a constraint has kind %s", content["kind"], Kind)
	}
	for key := range content {
		if !slices.Contains(topLevelKeys, key) {
			return Constraint{}, fmt.Errorf("%s: unknown key: a constraint has %s", key, strings.Join(topLevelKeys, ", "))
		}
	}
	metadata, _ := content["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	if name == "" {
		return Constraint{}, fmt.Errorf("metadata.name is missing: name the constraint")
	}
	return Constraint{File: file, Name: name, Content: content}, nil
}
