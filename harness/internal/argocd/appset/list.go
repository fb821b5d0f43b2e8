package appset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// list gives the elements of a list generator, and then those of elementsYaml:
// applicationset/generators/list.go.
func (g *generation) list(_ context.Context, generator *api.ApplicationSetGenerator, at spot) ([]paramSet, error) {
	list := generator.List
	var sets []paramSet
	for i, raw := range list.Elements {
		at := at.path("list", "elements").item(i)
		var element map[string]any
		if err := json.Unmarshal(raw.Raw, &element); err != nil {
			return nil, failed(at, fmt.Errorf("the element is no map: %w", err), nil)
		}
		if !g.set.Spec.GoTemplate {
			var err error
			if element, err = flatElement(element); err != nil {
				return nil, failed(at, err, nil)
			}
		}
		sets = append(sets, paramSet{element, []Origin{{Place: at.place()}}})
	}
	if list.ElementsYaml == "" {
		return sets, nil
	}
	at = at.path("list", "elementsYaml")
	var elements []map[string]any
	if err := yaml.Unmarshal([]byte(list.ElementsYaml), &elements); err != nil {
		return nil, failed(at, fmt.Errorf("it is no list of maps: %w", err), nil)
	}
	inner := at.inner(list.ElementsYaml)
	for i, element := range elements {
		sets = append(sets, paramSet{element, []Origin{{Place: inner.item(i).place()}}})
	}
	return sets, nil
}

// flatElement is an element where goTemplate is not set: texts only, and those of
// values with a prefix. An element without any member gives no parameters at all.
func flatElement(element map[string]any) (map[string]any, error) {
	if len(element) == 0 {
		return nil, nil
	}
	flat := map[string]any{}
	put := func(key string, value any) error {
		text, ok := value.(string)
		if !ok {
			return fmt.Errorf("%s is no text, as it must be without goTemplate", key)
		}
		if other, twice := flat[key]; twice && other != text {
			return &refusal{fmt.Sprintf("%q is given twice, and Argo CD takes either", key), "give it once"}
		}
		flat[key] = text
		return nil
	}
	for key, value := range element {
		if key != "values" {
			if err := put(key, value); err != nil {
				return nil, err
			}
			continue
		}
		values, ok := value.(map[string]any)
		if !ok {
			return nil, errors.New("values is no map")
		}
		for key, value := range values {
			if err := put("values."+key, value); err != nil {
				return nil, err
			}
		}
	}
	return flat, nil
}
