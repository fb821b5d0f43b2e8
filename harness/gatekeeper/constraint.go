package gatekeeper

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/constraint"
	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/manifest"
)

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
	// Parameters are spec.parameters.
	Parameters Parameters

	kinds []kinds
}

// Parameters are the parameters of the policy.
type Parameters struct {
	EnvVar       string   `json:"envVar" yaml:"envVar"`
	SkipValues   []string `json:"skipValues" yaml:"skipValues,flow"`
	Controllers  []string `json:"controllers" yaml:"controllers,flow"`
	ExemptImages []string `json:"exemptImages" yaml:"exemptImages,flow"`
}

// The constraint as it is written.
type (
	object struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string `yaml:"kind"`
		Metadata   struct {
			Name string `yaml:"name"`
		} `yaml:"metadata"`
		Spec spec `yaml:"spec"`
	}
	spec struct {
		EnforcementAction string     `yaml:"enforcementAction"`
		Match             match      `yaml:"match"`
		Parameters        Parameters `yaml:"parameters"`
	}
	match struct {
		Kinds              []kinds  `yaml:"kinds"`
		Namespaces         []string `yaml:"namespaces,flow,omitempty"`
		ExcludedNamespaces []string `yaml:"excludedNamespaces,flow"`
	}
	kinds struct {
		APIGroups []string `yaml:"apiGroups,flow"`
		Kinds     []string `yaml:"kinds,flow"`
	}
)

const constraintHeader = `Controllers never migrate: a constraint.
Written by: nevermigrate template constraint
Without Gatekeeper: nevermigrate check --constraint FILE, conftest test --data FILE`

// Defaults is the constraint that says what holds without one, as the policy
// in this binary says it. It fails only when that policy is broken.
func Defaults(ctx context.Context) (Constraint, error) {
	var found struct {
		Parameters Parameters
		Workloads  map[string]struct{ Groups []string }
	}
	policy, err := evaluate.New(ctx, nil, nil)
	if err != nil {
		return Constraint{}, fmt.Errorf("read the defaults of the policy: %w", err)
	}
	err = policy.Value(ctx, `{
		"parameters": {
			"envVar": data.lib.parameters.env_var,
			"skipValues": data.lib.parameters.skip_values,
			"controllers": data.lib.parameters.controllers,
			"exemptImages": data.lib.parameters.exempt_images,
		},
		"workloads": data.lib.kind.workloads,
	}`, &found)
	if err != nil {
		return Constraint{}, fmt.Errorf("read the defaults of the policy: %w", err)
	}
	c := Constraint{
		Name: "controllers-never-migrate", EnforcementAction: "deny",
		ExcludedNamespaces: []string{}, Parameters: found.Parameters,
	}
	byGroups := map[string]*kinds{}
	for kind, workload := range found.Workloads {
		key := strings.Join(workload.Groups, ",")
		if byGroups[key] == nil {
			byGroups[key] = &kinds{APIGroups: workload.Groups}
		}
		byGroups[key].Kinds = append(byGroups[key].Kinds, kind)
	}
	for _, together := range byGroups {
		slices.Sort(together.Kinds)
		c.kinds = append(c.kinds, *together)
	}
	slices.SortFunc(c.kinds, func(a, b kinds) int { return slices.Compare(a.APIGroups, b.APIGroups) })
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
	if len(objects) != 1 {
		return nil, fmt.Errorf("write constraint: it became %d objects", len(objects))
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
	of := object{APIVersion: "constraints.gatekeeper.sh/v1beta1", Kind: constraint.Kind, Spec: spec{
		EnforcementAction: c.EnforcementAction,
		Match:             match{Kinds: c.kinds, Namespaces: c.Namespaces, ExcludedNamespaces: c.ExcludedNamespaces},
		Parameters:        c.Parameters,
	}}
	of.Metadata.Name = c.Name
	var node yaml.Node
	if err := node.Encode(of); err != nil {
		return nil, err
	}
	node.HeadComment = constraintHeader
	comment(&node, "deny, warn or dryrun. warn is how to roll the contract out.", "spec", "enforcementAction")
	comment(&node, "Namespaces may start or end with a *.", "spec", "match", "excludedNamespaces")
	for parameter, description := range descriptions {
		comment(&node, description, "spec", "parameters", parameter)
	}
	text, err := yaml.MarshalWithOptions(&node, &yaml.EncoderOptions{SeqIndent: yaml.WideSequenceStyle})
	return text, err
}

// comment writes a comment above a key.
func comment(node *yaml.Node, text string, path ...string) {
	for depth, key := range path {
		for i := 0; i < len(node.Content); i += 2 {
			if node.Content[i].Value == key {
				if depth == len(path)-1 {
					node.Content[i].HeadComment = text
				}
				node = node.Content[i+1]
				break
			}
		}
	}
}
