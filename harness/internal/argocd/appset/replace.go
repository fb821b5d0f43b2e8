package appset

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// finalizer is ResourcesFinalizerName of Argo CD.
const finalizer = "resources-finalizer.argocd.argoproj.io"

// application fills in the template of an Application: RenderTemplateParams of
// applicationset/utils/utils.go. Without parameters nothing is filled in, and no
// finalizer is added.
func (r *renderer) application(template *api.Application, policy *api.ApplicationSetSyncPolicy, params map[string]any, options []string) (*api.Application, error) {
	if len(params) == 0 {
		return template, nil
	}
	filler := &filler{renderer: r, params: params, options: options}
	filled, err := fill(filler, template)
	if err != nil {
		return nil, err
	}
	if (policy == nil || !policy.PreserveResourcesOnDeletion) && len(filled.Finalizers) == 0 {
		filled.Finalizers = []string{finalizer}
	}
	return filled, nil
}

// generator fills in the second generator of a matrix with parameters of the
// first: RenderGeneratorParams. A key that is missing in values stays as it is, for
// the generator's own parameters.
func (r *renderer) generator(generator *api.ApplicationSetGenerator, params map[string]any, options []string) (*api.ApplicationSetGenerator, error) {
	filler := &filler{renderer: r, params: params, options: options, values: options}
	if r.goTemplate {
		filler.values = append(slices.DeleteFunc(slices.Clone(options), func(option string) bool {
			return strings.HasPrefix(option, "missingkey=")
		}), "missingkey=error")
	}
	filler.keepMissing = true
	return fill(filler, generator)
}

// filler fills in all texts of a value: deeplyReplaceWithFilter of
// applicationset/utils/utils.go.
type filler struct {
	renderer *renderer
	params   map[string]any
	options  []string
	// keepMissing keeps what is missing in the values of a generator, which are
	// filled in with the options values.
	keepMissing bool
	values      []string
}

func fill[T any](f *filler, original *T) (*T, error) {
	destination := reflect.New(reflect.TypeFor[*T]()).Elem()
	if err := f.fill(destination, reflect.ValueOf(original)); err != nil {
		return nil, err
	}
	return destination.Interface().(*T), nil
}

func (f *filler) text(text string) (string, error) {
	return f.renderer.replace(text, f.params, f.options)
}

func (f *filler) fill(destination, original reflect.Value) error {
	switch original.Kind() {
	case reflect.Pointer:
		if original.IsNil() {
			return nil
		}
		destination.Set(reflect.New(original.Type().Elem()))
		return f.fill(destination.Elem(), original.Elem())
	case reflect.Interface:
		value := original.Elem()
		if !value.IsValid() {
			return nil
		}
		filled := reflect.New(value.Type()).Elem()
		if err := f.fill(filled, value); err != nil {
			return err
		}
		destination.Set(filled)
	case reflect.Struct:
		return f.fillStruct(destination, original)
	case reflect.Slice:
		destination.Set(reflect.MakeSlice(original.Type(), original.Len(), original.Len()))
		for i := range original.Len() {
			if err := f.fill(destination.Index(i), original.Index(i)); err != nil {
				return below(i, err)
			}
		}
	case reflect.Map:
		return f.fillMap(destination, original)
	case reflect.String:
		filled, err := f.text(original.String())
		if err != nil {
			return err
		}
		destination.SetString(filled)
	default:
		destination.Set(original)
	}
	return nil
}

var (
	rawTypes   = []reflect.Type{reflect.TypeFor[apiextensionsv1.JSON](), reflect.TypeFor[runtime.RawExtension]()}
	valueTypes = []reflect.Type{reflect.TypeFor[api.ClusterGenerator](), reflect.TypeFor[api.GitGenerator]()}
	valuesType = reflect.TypeFor[map[string]string]()
)

func (f *filler) fillStruct(destination, original reflect.Value) error {
	structure := original.Type()
	for i := range original.NumField() {
		field := structure.Field(i)
		var err error
		switch {
		// Only the times in metadata have such fields. A template has none of them.
		case !field.IsExported():
		case f.keepMissing && field.Name == "Values" && field.Type == valuesType && slices.Contains(valueTypes, structure):
			err = f.fillValues(destination.Field(i), original.Field(i))
		case field.Name == "Raw" && slices.Contains(rawTypes, structure):
			err = f.fillRaw(destination.Field(i), original.Field(i).Bytes())
		default:
			err = f.fill(destination.Field(i), original.Field(i))
		}
		if err != nil {
			return below(jsonName(field), err)
		}
	}
	return nil
}

// fillValues fills in the values of a generator.
func (f *filler) fillValues(destination, original reflect.Value) error {
	if original.IsNil() {
		return nil
	}
	filled := map[string]string{}
	values := original.Interface().(map[string]string)
	for _, key := range f.renderer.sorted(slices.Collect(maps.Keys(values))) {
		value := values[key]
		text, err := f.renderer.replace(value, f.params, f.values)
		switch {
		case err == nil:
			filled[key] = text
		case isMissingKey(err):
			filled[key] = value
		default:
			return below(key, err)
		}
	}
	destination.Set(reflect.ValueOf(filled))
	return nil
}

// fillRaw fills in a part that is JSON. Numbers go through float64, as they do in
// Argo CD.
func (f *filler) fillRaw(destination reflect.Value, text []byte) error {
	converted, err := asJSON(string(text))
	if err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal([]byte(converted), &value); err != nil {
		return fmt.Errorf("failed to unmarshal JSON field: %w", err)
	}
	filled, err := fill(f, &value)
	if err != nil {
		return err
	}
	data, err := json.Marshal(filled)
	if err != nil {
		return fmt.Errorf("failed to marshal templated JSON field: %w", err)
	}
	destination.SetBytes(data)
	return nil
}

// fillMap fills in keys and values. Null is dropped. Where two keys become one,
// Argo CD takes either.
func (f *filler) fillMap(destination, original reflect.Value) error {
	destination.Set(reflect.MakeMap(original.Type()))
	names := make([]string, 0, original.Len())
	for _, key := range original.MapKeys() {
		names = append(names, key.String())
	}
	for _, name := range f.renderer.sorted(names) {
		value := original.MapIndex(reflect.ValueOf(name))
		if isNil(value) {
			continue
		}
		filled := reflect.New(value.Type()).Elem()
		if err := f.fill(filled, value); err != nil {
			return below(name, err)
		}
		key, err := f.text(name)
		if err != nil {
			return below(name, err)
		}
		if other := destination.MapIndex(reflect.ValueOf(key)); other.IsValid() && !reflect.DeepEqual(other.Interface(), filled.Interface()) {
			return &refusal{
				fmt.Sprintf("two keys of a map become %q, and Argo CD takes either of their values", key),
				"give the key once",
			}
		}
		destination.SetMapIndex(reflect.ValueOf(key), filled)
	}
	return nil
}

func isNil(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.Map, reflect.Pointer, reflect.Interface, reflect.Slice:
		return value.IsNil()
	}
	return false
}

// asJSON is ConvertYAMLToJSON of Argo CD: what begins with a brace is JSON already.
func asJSON(text string) (string, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return text, nil
	}
	converted, err := yaml.YAMLToJSON([]byte(text))
	return string(converted), err
}
