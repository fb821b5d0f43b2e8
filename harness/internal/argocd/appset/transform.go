package appset

import (
	"context"
	"errors"

	"dario.cat/mergo"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// paramSet are the parameters of one Application, and where they come from.
type paramSet struct {
	params  map[string]any
	origins []Origin
}

// transformed is what a generator gives: parameters, and the template with what
// the generator's own says.
type transformed struct {
	sets     []paramSet
	template api.ApplicationSetTemplate
}

// run makes the parameters of one generator.
type run func(ctx context.Context, generator *api.ApplicationSetGenerator, at spot) ([]paramSet, error)

// transform runs the generators of one entry, filled in with parameters if there
// are any, and selects from what they give: Transform of
// applicationset/generators/generator_spec_processor.go.
func (g *generation) transform(ctx context.Context, generator *api.ApplicationSetGenerator, at spot, base api.ApplicationSetTemplate, params map[string]any) ([]transformed, error) {
	selector, err := newSelector(generator.Selector)
	if err != nil {
		return nil, failed(at.member("selector"), err, nil)
	}
	var all []transformed
	for _, one := range g.relevant(generator) {
		template := copyOfTemplate(*one.template)
		if err := mergo.Merge(&template, base); err != nil {
			return nil, failed(at.path(one.name, "template"), err, nil)
		}
		filled := generator
		if len(params) != 0 {
			filled, err = stable(g.renderer, params, func(params map[string]any) (*api.ApplicationSetGenerator, error) {
				return g.renderer.generator(generator, params, g.set.Spec.GoTemplateOptions)
			})
			if err != nil {
				return nil, failed(at, err, nil)
			}
		}
		sets, err := one.run(ctx, filled, at)
		if err != nil {
			return nil, failed(at.member(one.name), err, nil)
		}
		if sets, err = selector.of(sets); err != nil {
			return nil, failed(at.member("selector"), err, nil)
		}
		if g.made += len(sets); g.made > 4*maxApplications {
			return nil, tooMany(at)
		}
		all = append(all, transformed{sets, template})
	}
	return all, nil
}

// relevant are the generators of an entry, in the order of the fields of Argo CD's
// type.
func (g *generation) relevant(generator *api.ApplicationSetGenerator) []relevant {
	var found []relevant
	if generator.List != nil {
		found = append(found, relevant{"list", &generator.List.Template, g.list})
	}
	if generator.Clusters != nil {
		found = append(found, relevant{"clusters", &generator.Clusters.Template, g.clusters})
	}
	if generator.Git != nil {
		found = append(found, relevant{"git", &generator.Git.Template, g.git})
	}
	if generator.Matrix != nil {
		found = append(found, relevant{"matrix", &generator.Matrix.Template, g.matrix})
	}
	if generator.Merge != nil {
		found = append(found, relevant{"merge", &generator.Merge.Template, g.merge})
	}
	return found
}

type relevant struct {
	name     string
	template *api.ApplicationSetTemplate
	run      run
}

// child runs a generator in a matrix or merge: getParams of both.
func (g *generation) child(ctx context.Context, nested api.ApplicationSetNestedGenerator, at spot, params map[string]any) ([]paramSet, error) {
	generator, err := nested.Generator()
	if err != nil {
		return nil, failed(at, err, nil)
	}
	all, err := g.transform(ctx, generator, at, api.ApplicationSetTemplate{}, params)
	switch {
	case err != nil:
		return nil, err
	case len(all) == 0:
		return nil, failed(at, errors.New("it has no generator that Argo CD v3.6.1 allows here"), nil)
	case len(all) > 1:
		return nil, failed(at, errors.New("it has more than one generator"), nil)
	}
	return all[0].sets, nil
}
