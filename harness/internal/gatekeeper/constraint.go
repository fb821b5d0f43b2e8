package gatekeeper

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/decider"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// Parameter is a parameter of a constraint, as the policy describes it.
type Parameter struct {
	Name string `json:"name"`
	// Flag sets it on a command line, and Usage says how.
	Flag  string `json:"flag"`
	Usage string `json:"usage"`
	// Schema is its JSON schema, with type, description and default.
	Schema apiextensions.JSONSchemaProps `json:"schema"`
}

// IsList reports whether the parameter is a list of strings and not a string.
func (p Parameter) IsList() bool { return p.Schema.Type == "array" }

// Default is what holds when the parameter is not given, a list of one string
// when it is a string.
func (p Parameter) Default() []string {
	var list []string
	if json.Unmarshal(p.Schema.Default.Raw, &list) != nil {
		list = make([]string, 1)
		// The schema was read from JSON, so a default that is no list is a string.
		_ = json.Unmarshal(p.Schema.Default.Raw, &list[0])
	}
	return list
}

// Constraint is what can be chosen in a constraint.
type Constraint struct {
	// Name is metadata.name.
	Name string
	// EnforcementAction is deny, warn or dryrun.
	EnforcementAction string
	// Namespaces are the namespaces that are bound, all when there are none.
	Namespaces []string
	// ExcludedNamespaces are namespaces that are not bound.
	ExcludedNamespaces []string
	// Parameters are spec.parameters by name, one string for what is no list.
	Parameters map[string][]string

	// Described are the parameters that there are, and Kinds the kinds of
	// workload.
	Described []Parameter
	Kinds     []Kinds
}

// Kinds are kinds of the same API groups.
type Kinds struct{ Groups, Names []string }

// Value is what a parameter is set to, in its type.
func (c Constraint) Value(parameter Parameter) any {
	given := c.Parameters[parameter.Name]
	if parameter.IsList() {
		return append([]string{}, given...)
	}
	return strings.Join(given, "")
}

//go:embed constraint.yaml.tmpl
var constraintText string

// parameters is data.lib.parameters.described of the policy, so that a command
// line need not evaluate the policy to know its flags. A test writes it.
//
//go:embed parameters.json
var parameters []byte

// Parameters are the parameters of a constraint, in the order in which it has
// them.
func Parameters() ([]Parameter, error) {
	var described []Parameter
	if err := json.Unmarshal(parameters, &described); err != nil {
		return nil, fmt.Errorf("read the parameters: %w", err)
	}
	return described, nil
}

// Defaults is the constraint that says what holds without one, as the policy
// in this binary says it. It fails only when that policy is broken.
func Defaults(ctx context.Context) (Constraint, error) {
	described, err := Parameters()
	if err != nil {
		return Constraint{}, err
	}
	policy, err := evaluate.New(ctx, nil, nil)
	if err != nil {
		return Constraint{}, fmt.Errorf("read the defaults of the policy: %w", err)
	}
	workloads := map[string]decider.Kind{}
	if err := policy.Value(ctx, "data.lib.kind.workloads", &workloads); err != nil {
		return Constraint{}, fmt.Errorf("read the defaults of the policy: %w", err)
	}
	c := Constraint{
		Name: "controllers-never-migrate", EnforcementAction: "deny",
		ExcludedNamespaces: []string{}, Parameters: map[string][]string{}, Described: described,
	}
	for _, parameter := range described {
		c.Parameters[parameter.Name] = parameter.Default()
	}
	byGroups := map[string]Kinds{}
	for _, kind := range slices.Sorted(maps.Keys(workloads)) {
		key := strings.Join(workloads[kind].Groups, ",")
		byGroups[key] = Kinds{workloads[kind].Groups, append(byGroups[key].Names, kind)}
	}
	for _, groups := range slices.Sorted(maps.Keys(byGroups)) {
		c.Kinds = append(c.Kinds, byGroups[groups])
	}
	return c, nil
}

// YAML is the constraint as a manifest, with comments. Start from Defaults. It
// is an error when the name cannot be one, or when the policy could not use the
// constraint; the error says what is wrong with it.
func (c Constraint) YAML(ctx context.Context) ([]byte, error) {
	text, err := c.write()
	if err != nil {
		return nil, fmt.Errorf("write constraint: %w", err)
	}
	objects, err := manifest.Read(text)
	if err != nil {
		return nil, fmt.Errorf("write constraint: %w", err)
	}
	checked := &constraint.Constraint{File: c.Name, Name: c.Name, Content: objects[0].Content}
	if _, err := evaluate.New(ctx, nil, checked); err != nil {
		return nil, err
	}
	return text, nil
}

// longestName is what Gatekeeper's schema of a constraint says.
const longestName = 63

func (c Constraint) write() ([]byte, error) {
	if problems := validation.IsDNS1123Subdomain(c.Name); len(problems) > 0 {
		return nil, fmt.Errorf("the name %q cannot be one: %s", c.Name, strings.Join(problems, ", "))
	}
	if len(c.Name) > longestName {
		return nil, fmt.Errorf("the name %q has %d characters: Gatekeeper takes at most %d", c.Name, len(c.Name), longestName)
	}
	return writeYAML(constraintText, yaml.FlowStyle, c)
}
