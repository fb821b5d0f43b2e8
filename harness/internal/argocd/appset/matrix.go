package appset

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"dario.cat/mergo"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// matrix combines each set of one generator with each of another, which is filled
// in with the first: applicationset/generators/matrix.go.
func (g *generation) matrix(ctx context.Context, generator *api.ApplicationSetGenerator, at spot) ([]paramSet, error) {
	at = at.path("matrix", "generators")
	generators := generator.Matrix.Generators
	if len(generators) != 2 {
		return nil, failed(at, fmt.Errorf("a matrix takes two generators, and has %d", len(generators)), nil)
	}
	first, err := g.child(ctx, generators[0], at.item(0), nil)
	if err != nil {
		return nil, err
	}
	// One that uses no parameters runs once.
	var reused []paramSet
	reusable := isReusable(generators[1])
	if reusable && len(first) > 0 {
		if reused, err = g.child(ctx, generators[1], at.item(1), first[0].params); err != nil {
			return nil, err
		}
	}
	var sets []paramSet
	for _, a := range first {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		second := copySets(reused)
		if !reusable {
			if second, err = g.child(ctx, generators[1], at.item(1), a.params); err != nil {
				return nil, err
			}
		}
		for _, b := range second {
			params, err := g.combined(a.params, b.params)
			if err != nil {
				return nil, failed(at, err, slices.Concat(a.origins, b.origins))
			}
			sets = append(sets, paramSet{params, slices.Concat(a.origins, b.origins)})
		}
		if len(sets) > maxApplications {
			return nil, tooMany(at)
		}
	}
	return sets, nil
}

// override merges maps into others. Argo CD panics where a map of texts, which the
// values of git and clusters are, meets a map of anything.
func override(into *map[string]any, from map[string]any) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("two generators give maps of different types under one name, such as values of a list and of a git generator, and Argo CD fails on it: %v", panicked)
		}
	}()
	return mergo.Merge(into, from, mergo.WithOverride)
}

// isReusable reports whether a generator gives the same whatever it is filled in
// with.
func isReusable(nested api.ApplicationSetNestedGenerator) bool {
	generator, err := nested.Generator()
	if err != nil {
		return false
	}
	text, err := json.Marshal(generator)
	return err == nil && !bytes.Contains(text, []byte("{{"))
}

func copySets(sets []paramSet) []paramSet {
	copied := make([]paramSet, len(sets))
	for i, set := range sets {
		copied[i] = paramSet{copyOf(set.params), set.origins}
	}
	return copied
}

// combined are the parameters of both. With goTemplate the first override the
// second, unless they are empty; without, a difference is an error.
func (g *generation) combined(a, b map[string]any) (map[string]any, error) {
	params := map[string]any{}
	if g.set.Spec.GoTemplate {
		if err := override(&params, b); err != nil {
			return nil, err
		}
		err := override(&params, a)
		return params, err
	}
	for key, value := range a {
		params[key] = fmt.Sprintf("%v", value)
	}
	for key, value := range b {
		text := fmt.Sprintf("%v", value)
		if other, twice := params[key]; twice && other != text {
			return nil, fmt.Errorf("the two generators give different values for %s, %q and %q, which a matrix without goTemplate does not allow", key, other, text)
		}
		params[key] = text
	}
	return params, nil
}
