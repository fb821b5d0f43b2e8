package catalogue

import (
	_ "embed"
	"fmt"

	"sigs.k8s.io/yaml"
)

// Example is a manifest in which a rule finds something, and its twin, which
// differs in one line and is right. Both are cases of the fixtures; of CNM000 they
// are constraints.
type Example struct {
	// Why is the case's reason, in one sentence.
	Why string `json:"why"`
	// Finds are what the rule finds: message and remedy.
	Finds string `json:"finds"`
	// Fires and Right are the manifests.
	Fires string `json:"fires"`
	Right string `json:"right"`
}

// examples are the examples by their codes. A test writes the file.
//
//go:embed examples.yaml
var examples []byte

// Schema is the JSON Schema of rules with their examples.
//
//go:embed rules.schema.json
var Schema []byte

// Examples are the examples by their codes.
func Examples() (map[string]Example, error) {
	var all map[string]Example
	if err := yaml.UnmarshalStrict(examples, &all); err != nil {
		return nil, fmt.Errorf("read the examples: %w", err)
	}
	return all, nil
}
