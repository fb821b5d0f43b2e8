// Package mergekeys holds what kustomize must know of the kinds of Kubernetes to
// apply a patch: the fields of each kind, which of them are lists, and by which
// keys the items of a list are merged.
//
// Kyaml has that in its OpenAPI schema, with all else that an API server says of
// itself, and takes 35 ms to read it. Here it is one file of lines, made of that
// schema by a test that compares the two for every kind and field, and read in 2 ms.
//
// A line that begins with a name is a definition; the lines below it that begin with a
// space are its fields. After the name stand, where there are any: the type, or `any`
// where the schema says nothing of what it is, `=NAME` for a definition to look at, `kind=APIVERSION,KIND` for each kind that it is
// the definition of, `strategy=`, `key=` and `keys=` as the extensions of the schema
// say them, and at the end `of` with what the items of a list are, or `map` with what
// the values of a map are.
package mergekeys

import (
	_ "embed"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
)

//go:embed definitions.txt
var text string

// The extensions of the schema by which kyaml knows kinds and merges lists: see
// sigs.k8s.io/kustomize/kyaml/openapi.
const (
	kindsExtension    = "x-kubernetes-group-version-kind"
	strategyExtension = "x-kubernetes-patch-strategy"
	keyExtension      = "x-kubernetes-patch-merge-key"
	keysExtension     = "x-kubernetes-list-map-keys"
)

const refPrefix = "#/definitions/"

// Definitions are those of kyaml's built-in schema, with what it takes to apply a
// patch and nothing else. They are made anew by each call, for kyaml's
// openapi.AddDefinitions.
func Definitions() spec.Definitions {
	r := reader{refs: map[string]spec.Ref{}, types: map[string]spec.StringOrArray{}}
	definitions := make(spec.Definitions, strings.Count(text, "\n")/5)
	var name string
	var definition spec.Schema
	add := func() {
		if name != "" {
			definitions[name] = definition
		}
	}
	for line := range strings.Lines(text) {
		field, isField := strings.CutPrefix(strings.TrimSuffix(line, "\n"), " ")
		key, words, _ := strings.Cut(field, " ")
		if !isField {
			add()
			name, definition = key, r.schema(words)
			continue
		}
		if definition.Properties == nil {
			definition.Properties = map[string]spec.Schema{}
		}
		definition.Properties[key] = r.schema(words)
	}
	add()
	return definitions
}

// reader reads lines, and makes what many of them say once.
type reader struct {
	refs  map[string]spec.Ref
	types map[string]spec.StringOrArray
}

// schema reads the words after a name.
func (r *reader) schema(words string) (s spec.Schema) {
	for words != "" {
		var word string
		word, words, _ = strings.Cut(words, " ")
		name, value, isSetting := strings.Cut(word, "=")
		switch {
		case word == "of":
			items := r.schema(words)
			s.Items = &spec.SchemaOrArray{Schema: &items}
			return s
		case word == "map":
			values := r.schema(words)
			s.AdditionalProperties = &spec.SchemaOrBool{Allows: true, Schema: &values}
			return s
		case word == "any":
			s.Description = "anything" // for kyaml, a schema without a word is none
		case !isSetting:
			s.Type = r.typeOf(word)
		case name == "":
			s.Ref = r.refTo(value)
		case name == "kind":
			kinds, _ := s.Extensions[kindsExtension].([]any)
			s.AddExtension(kindsExtension, append(kinds, kindOf(value)))
		case name == "strategy":
			s.AddExtension(strategyExtension, value)
		case name == "key":
			s.AddExtension(keyExtension, value)
		case name == "keys":
			var keys []any
			for key := range strings.SplitSeq(value, ",") {
				keys = append(keys, key)
			}
			s.AddExtension(keysExtension, keys)
		}
	}
	return s
}

// typeOf is the type of a name.
func (r *reader) typeOf(name string) spec.StringOrArray {
	if _, ok := r.types[name]; !ok {
		r.types[name] = spec.StringOrArray{name}
	}
	return r.types[name]
}

// refTo is a reference to a definition.
func (r *reader) refTo(name string) spec.Ref {
	if _, ok := r.refs[name]; !ok {
		r.refs[name] = spec.MustCreateRef(refPrefix + name)
	}
	return r.refs[name]
}

// kindOf is the extension's form of APIVERSION,KIND.
func kindOf(text string) map[string]any {
	apiVersion, kind, _ := strings.Cut(text, ",")
	group, version, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		group, version = "", apiVersion
	}
	return map[string]any{"group": group, "version": version, "kind": kind}
}
