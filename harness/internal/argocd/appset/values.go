package appset

import (
	"maps"
	"slices"
)

// addValues adds the values of a generator, filled in with its parameters, to
// them: appendTemplatedValues of applicationset/generators/value_interpolation.go.
// One value does not see another.
func (g *generation) addValues(values map[string]string, params map[string]any) error {
	filled, err := stable(g.renderer, params, func(params map[string]any) (map[string]string, error) {
		filled := map[string]string{}
		for _, key := range g.renderer.sorted(slices.Collect(maps.Keys(values))) {
			text, err := g.renderer.replace(values[key], params, g.set.Spec.GoTemplateOptions)
			if err != nil {
				return nil, err
			}
			filled[key] = text
		}
		return filled, nil
	})
	if err != nil || len(filled) == 0 {
		return err
	}
	if g.set.Spec.GoTemplate {
		params["values"] = filled
		return nil
	}
	for key, value := range filled {
		params["values."+key] = value
	}
	return nil
}
