// Package surface finds what can be set in the values of a Helm chart: in its
// values file, in its JSON schema, and in the syntax trees of its templates and
// of its subcharts' templates. It renders nothing.
package surface

import (
	"strings"
)

// Surface is what can be set in the values of a chart.
type Surface struct {
	// Places are sorted by path.
	Places []Place
	// Notes name what could not be followed, each with file and line, so that
	// "nothing else can be set" is not claimed in silence. Sorted.
	Notes []string
}

// Place is one key of the values that can be set. What lies below a key of any
// name, or in a list, is told by the Element of the map or list.
type Place struct {
	// Path has the keys from the root of the top chart's values. A subchart's
	// places are below its name or alias. The empty path is the values as a
	// whole: it is a place only where a template reads keys of any name there or
	// writes all of them.
	Path []string
	Shape
	// Read is true when a template or a dependency's condition reads the place,
	// a place above it with all its content, or a place below it. What is only
	// declared is not read, unless a note says that something was not followed.
	Read bool
	// Default is the value in the chart's own values files, nil when there is
	// none.
	Default any
	// Sources tell where it is read or declared, sorted.
	Sources []Source
	// Files are the template files whose output can depend on the place, by the
	// names under which Helm renders them (agents/charts/db/templates/a.yaml),
	// sorted; as Read, unless a note says that something was not followed.
	Files []string
}

// Shape is what the templates and the schemas do with a value.
type Shape struct {
	// Kinds are those as which it is read or declared; none when nothing is
	// known.
	Kinds Kind
	// Raw is true when its content is written as it is, with all that is in it
	// (toYaml, toJson, tpl …). A scalar that is only printed is not raw.
	Raw bool
	// Template is true when the value is a template that Helm's tpl executes.
	Template bool
	// Switch is true when it decides what is written (if, with, and, or, not,
	// ternary, default, a dependency's condition or tag …).
	Switch bool
	// Name is true when it goes into the name of an object or a container, or
	// into the label app.kubernetes.io/name. Found as far as the text of the
	// templates shows it.
	Name bool
	// Fields are the keys that are read or declared inside a list's element or
	// inside a map that is one; nil for a Place, whose keys are places.
	Fields map[string]*Shape
	// Element is what is known of a list's elements, or of the values of a map
	// whose keys can have any name; nil when nothing reads or declares them.
	Element *Shape
	// Enum has the values that the schema lists, in its order; nil when it lists
	// none.
	Enum []any
	// Types has the JSON types that the schema allows, sorted; none for any.
	Types []string
	// Closed is true when the schema refuses keys that it does not list.
	Closed bool
	// Compared has the literals with which templates compare the value, sorted.
	Compared []string
}

// Kind is a set of the kinds of value.
type Kind uint16

// The kinds of value.
const (
	Scalar Kind = 1 << iota
	Map
	List
)

// String lists the kinds, with | between them.
func (k Kind) String() string {
	var names []string
	for i, name := range []string{"scalar", "map", "list"} {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// Has reports whether the set has one of some kinds.
func (k Kind) Has(kinds Kind) bool { return k&kinds != 0 }

// KindOf is the kind of a value; none for nil.
func KindOf(v any) Kind {
	switch v.(type) {
	case nil:
		return 0
	case map[string]any:
		return Map
	case []any:
		return List
	default:
		return Scalar
	}
}

// Source is a line of a file of the chart.
type Source struct {
	// File is the path below the top chart's folder, with `/`.
	File string
	Line int
}
