package appset

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kjson "sigs.k8s.io/json"
	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// decode is the ApplicationSet as the API server hands it to Argo CD: names of
// fields match by their case, and an unknown field is dropped, with a warning.
// Generators that need a network are an error.
func decode(content map[string]any, top spot) (*api.ApplicationSet, []Warning, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return nil, nil, &Problem{Message: "it cannot be written as JSON: " + plain(err), Remedy: "correct it"}
	}
	var set api.ApplicationSet
	unknown, err := kjson.UnmarshalStrict(text, &set, kjson.DisallowUnknownFields)
	if err != nil {
		return nil, nil, &Problem{Place: wrongType(err, top), Message: "it is no ApplicationSet: " + plain(err), Remedy: "correct the type"}
	}
	found := &checker{}
	found.unknown(unknown, top)
	for i, generator := range set.Spec.Generators {
		if err := found.generator(&generator, top.path("spec", "generators").item(i), true); err != nil {
			return nil, nil, err
		}
	}
	return &set, found.warnings, nil
}

// checker looks at generators before they run.
type checker struct{ warnings []Warning }

// generator refuses a generator that needs a network, also deep in others, and
// warns of what is ignored.
func (c *checker) generator(generator *api.ApplicationSetGenerator, at spot, top bool) error {
	for _, other := range []struct {
		name, needs string
		value       *api.Opaque
	}{
		{"scmProvider", "asks a source code host for repositories", generator.SCMProvider},
		{"clusterDecisionResource", "asks the cluster for an object", generator.ClusterDecisionResource},
		{"pullRequest", "asks a source code host for pull requests", generator.PullRequest},
		{"plugin", "asks a plugin", generator.Plugin},
		{"oci", "reads an OCI registry", generator.Oci},
	} {
		if other.value != nil {
			return &Problem{
				Place: at.member(other.name).place(), Refused: true,
				Message: "the " + other.name + " generator " + other.needs + ", so what it gives is not known offline",
				Remedy:  "use a list or git generator, or exclude the ApplicationSet",
			}
		}
	}
	if top && isEmpty(generator) {
		c.warnings = append(c.warnings, Warning{at.place(), "no generator that Argo CD v3.6.1 knows: it makes no Application"})
	}
	if git := generator.Git; git != nil && len(git.Directories) > 0 && len(git.Files) > 0 {
		c.warnings = append(c.warnings, Warning{at.path("git", "files").place(), "ignored, because directories stand beside it"})
	}
	if generator.Matrix != nil {
		if err := c.nested(generator.Matrix.Generators, at.path("matrix", "generators")); err != nil {
			return err
		}
	}
	if generator.Merge != nil {
		return c.nested(generator.Merge.Generators, at.path("merge", "generators"))
	}
	return nil
}

func isEmpty(g *api.ApplicationSetGenerator) bool {
	return g.List == nil && g.Clusters == nil && g.Git == nil && g.Matrix == nil && g.Merge == nil
}

func (c *checker) nested(generators []api.ApplicationSetNestedGenerator, at spot) error {
	for i, nested := range generators {
		generator, err := nested.Generator()
		if err != nil {
			return &Problem{Place: at.item(i).place(), Message: "it is no generator: " + plain(err), Remedy: "correct the type"}
		}
		c.dropped(nested.Matrix, &api.NestedMatrixGenerator{}, at.item(i).member("matrix"))
		c.dropped(nested.Merge, &api.NestedMergeGenerator{}, at.item(i).member("merge"))
		if err := c.generator(generator, at.item(i), false); err != nil {
			return err
		}
	}
	return nil
}

// dropped warns of what is unknown in a nested matrix or merge.
func (c *checker) dropped(text *apiextensionsv1.JSON, into any, at spot) {
	if text == nil {
		return
	}
	unknown, err := kjson.UnmarshalStrict(text.Raw, into, kjson.DisallowUnknownFields)
	if err == nil {
		c.unknown(unknown, at)
	}
}

var unknownField = regexp.MustCompile(`^unknown field "(.*)"$`)

// unknown warns of fields that Argo CD drops.
func (c *checker) unknown(errs []error, at spot) {
	for _, err := range errs {
		if match := unknownField.FindStringSubmatch(err.Error()); match != nil {
			c.warnings = append(c.warnings, Warning{at.dotted(match[1]).place(), "Argo CD v3.6.1 knows no such field and ignores it"})
		}
	}
}

var segment = regexp.MustCompile(`^([^.\[]+)|^\.|^\[(\d+)\]`)

// dotted is the spot at a path as errors of JSON have it: a.b[0].c. Some leave the
// index out: then it is the first item that has such a member.
func (s spot) dotted(path string) spot {
	for path != "" {
		match := segment.FindStringSubmatch(path)
		if match != nil && match[1] != "" {
			s = s.firstWith(match[1])
		}
		switch {
		case match == nil:
			return s.member(path)
		case match[2] != "":
			var i int
			fmt.Sscan(match[2], &i)
			s = s.item(i)
		case match[1] != "":
			s = s.member(match[1])
		}
		path = path[len(match[0]):]
	}
	return s
}

// firstWith is the first item of a list with a member, or the spot itself.
func (s spot) firstWith(key string) spot {
	list := referred(s.node)
	if list == nil || list.Kind != yaml.SequenceNode {
		return s
	}
	for i := range list.Content {
		if item := s.item(i); item.member(key).node != nil {
			return item
		}
	}
	return s
}

// wrongType is where a value of the wrong type stands, as far as an error tells.
func wrongType(err error, top spot) Place {
	var typed *json.UnmarshalTypeError
	if errors.As(err, &typed) && typed.Field != "" {
		return top.dotted(typed.Field).place()
	}
	if _, field, ok := strings.Cut(err.Error(), "Go struct field ApplicationSet."); ok {
		field, _, _ = strings.Cut(field, " ")
		return top.dotted(field).place()
	}
	return Place{}
}
