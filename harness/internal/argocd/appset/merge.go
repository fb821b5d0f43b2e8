package appset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// merge overrides the sets of the first generator by those of the others that have
// the same merge keys: applicationset/generators/merge.go. What they give comes in
// the order of a map in Argo CD; here it is that of the keys.
func (g *generation) merge(ctx context.Context, generator *api.ApplicationSetGenerator, at spot) ([]paramSet, error) {
	merge := generator.Merge
	inner := at.path("merge", "generators")
	if len(merge.Generators) < 2 {
		return nil, failed(inner, fmt.Errorf("a merge takes two generators or more, and has %d", len(merge.Generators)), nil)
	}
	var all [][]paramSet
	for i, nested := range merge.Generators {
		sets, err := g.child(ctx, nested, inner.item(i), nil)
		if err != nil {
			return nil, err
		}
		all = append(all, sets)
	}
	base, err := byMergeKey(merge.MergeKeys, all[0])
	if err != nil {
		return nil, failed(at.path("merge", "mergeKeys"), err, nil)
	}
	for _, sets := range all[1:] {
		overrides, err := byMergeKey(merge.MergeKeys, sets)
		if err != nil {
			return nil, failed(at.path("merge", "mergeKeys"), err, nil)
		}
		for key, set := range base {
			by, ok := overrides[key]
			if !ok {
				continue
			}
			if err := g.overridden(&set.params, by.params); err != nil {
				return nil, failed(inner, err, slices.Concat(set.origins, by.origins))
			}
			base[key] = paramSet{set.params, slices.Concat(set.origins, by.origins)}
		}
	}
	var sets []paramSet
	for _, key := range slices.Sorted(maps.Keys(base)) {
		sets = append(sets, base[key])
	}
	return sets, nil
}

func (g *generation) overridden(params *map[string]any, other map[string]any) error {
	if g.set.Spec.GoTemplate {
		return override(params, other)
	}
	if *params == nil {
		return errors.New("an element without any member cannot be overridden: Argo CD fails on it")
	}
	maps.Copy(*params, other)
	return nil
}

// byMergeKey are sets by their values of the merge keys, which must be unique. A
// missing one counts as null.
func byMergeKey(keys []string, sets []paramSet) (map[string]paramSet, error) {
	if len(keys) == 0 {
		return nil, errors.New("there are no merge keys, and a merge needs one at least")
	}
	found := map[string]paramSet{}
	for _, set := range sets {
		values := map[string]any{}
		for _, key := range keys {
			values[key] = set.params[key]
		}
		text, err := json.Marshal(values)
		if err != nil {
			return nil, err
		}
		if other, twice := found[string(text)]; twice {
			return nil, fmt.Errorf("the merge keys do not tell %s from %s: both have %s", from(other.origins), from(set.origins), text)
		}
		found[string(text)] = set
	}
	return found, nil
}
