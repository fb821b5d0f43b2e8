package appset

import (
	"reflect"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// copyOf is a set of parameters that shares nothing with another: deepCopyParams
// of applicationset/generators/matrix.go.
func copyOf(params map[string]any) map[string]any {
	if params == nil {
		return nil
	}
	return copyValue(reflect.ValueOf(params)).Interface().(map[string]any)
}

// copyOfTemplate is a template that shares nothing with another.
func copyOfTemplate(template api.ApplicationSetTemplate) api.ApplicationSetTemplate {
	return copyValue(reflect.ValueOf(template)).Interface().(api.ApplicationSetTemplate)
}

// copyValue copies maps, lists and what is exported of structures; nil stays nil.
func copyValue(original reflect.Value) reflect.Value {
	switch original.Kind() {
	case reflect.Map:
		if original.IsNil() {
			return original
		}
		made := reflect.MakeMapWithSize(original.Type(), original.Len())
		for entry := original.MapRange(); entry.Next(); {
			made.SetMapIndex(entry.Key(), copyValue(entry.Value()))
		}
		return made
	case reflect.Slice:
		if original.IsNil() {
			return original
		}
		made := reflect.MakeSlice(original.Type(), original.Len(), original.Len())
		for i := range original.Len() {
			made.Index(i).Set(copyValue(original.Index(i)))
		}
		return made
	case reflect.Interface:
		if original.IsNil() {
			return original
		}
		made := reflect.New(original.Type()).Elem()
		made.Set(copyValue(original.Elem()))
		return made
	case reflect.Pointer:
		if original.IsNil() {
			return original
		}
		made := reflect.New(original.Type().Elem())
		made.Elem().Set(copyValue(original.Elem()))
		return made
	case reflect.Struct:
		made := reflect.New(original.Type()).Elem()
		made.Set(original)
		for i := range made.NumField() {
			if made.Type().Field(i).IsExported() {
				made.Field(i).Set(copyValue(original.Field(i)))
			}
		}
		return made
	default:
		return original
	}
}
