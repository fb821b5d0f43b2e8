package appset

import (
	"reflect"
	"strings"
)

// fieldError is an error in a field of what is filled in.
type fieldError struct {
	// path are keys and indexes, from the top.
	path []any
	err  error
}

func (e *fieldError) Error() string { return e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

// below is an error one step further down. No name is no step.
func below(step any, err error) error {
	if step == "" {
		return err
	}
	if inner, ok := err.(*fieldError); ok {
		return &fieldError{append([]any{step}, inner.path...), inner.err}
	}
	return &fieldError{[]any{step}, err}
}

// jsonName is the name of a field in JSON, or empty where the fields in it stand
// beside it.
func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

// follow is the spot at a path.
func (s spot) follow(path []any) spot {
	for _, step := range path {
		switch step := step.(type) {
		case int:
			s = s.item(step)
		case string:
			s = s.member(step)
		}
	}
	return s
}
