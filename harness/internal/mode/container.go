package mode

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Resolution is the mode of a container, and what makes it so.
type Resolution struct {
	Mode Mode
	// Place is the entry that decides, as in env[2] or envFrom[0]; empty when
	// none does.
	Place string
	// Declarations counts the entries of env that name the variable.
	Declarations int
	// Reason says it in a few words. It shows the value of the migrations
	// variable as it is written, and that of no other variable.
	Reason string
}

// Container gives the mode that the service would run in, in a container as a
// manifest has it: the environment that the kubelet would build, by the
// service's rules. What cannot be read, or is known only at run time, gives
// Unknown.
//
// It follows makeEnvironmentVariables of Kubernetes 1.35
// (pkg/kubelet/kubelet_pods.go): envFrom in order, each source over the ones
// before it; then env in order, an entry over all of the same name before it.
// $(NAME) in a value stands for what was defined by then. An empty value beside
// valueFrom is as none. What its validation of pods keeps from ever reaching a
// kubelet, such as a value beside valueFrom, is Unknown.
//
// Variables that stand for Services are left out: they can put an address or a
// port into a reference, never a skip value that the service knows.
func (r Rules) Container(container map[string]any) Resolution {
	sources, problem := readSources(container)
	if problem != "" {
		return Resolution{Mode: Unknown, Reason: problem}
	}
	entries, problem := readEntries(container)
	if problem != "" {
		return Resolution{Mode: Unknown, Reason: problem}
	}

	var resolution Resolution
	earlier := environment{variables: map[string]variable{}, sources: sources}
	for i, entry := range entries {
		found := earlier.define(entry)
		if entry.name != r.Variable {
			continue
		}
		resolution.Declarations++
		resolution.Place = fmt.Sprintf("env[%d]", i)
		resolution.Mode = Unknown
		if found.unknown == "" {
			resolution.Mode = r.Resolve(found.text, true)
		}
		resolution.Reason = resolution.Place + " " + found.described(entry)
	}
	switch place := sources.mightSet(r.Variable); {
	case resolution.Declarations > 1:
		resolution.Reason += fmt.Sprintf(", the last of %d declarations", resolution.Declarations)
	case resolution.Declarations == 1:
	case place != "":
		resolution = Resolution{Mode: Unknown, Place: place, Reason: place + " might set it"}
	default:
		resolution = Resolution{Mode: Auto, Reason: "not declared"}
	}
	return resolution
}

// variable is what an entry of env gives.
type variable struct {
	text string
	// unknown says why the text is not known; empty when it is.
	unknown string
}

func (v variable) described(entry entry) string {
	switch {
	case v.unknown != "":
		return v.unknown
	case v.text != entry.value:
		return fmt.Sprintf("is %s, with its references followed", quoted(entry.value))
	default:
		return "is " + quoted(entry.value)
	}
}

// largest is what Linux hands to a process at most, all in all. It keeps a
// million entries that repeat a long one from filling the memory.
const largest = 6 << 20

// environment is what the entries read so far define.
type environment struct {
	variables map[string]variable
	sources   sources
	// expanded is how much text came out of references.
	expanded int
}

// define adds an entry, over any of the same name, and gives what it stands for.
func (e *environment) define(entry entry) variable {
	found := variable{text: entry.value, unknown: entry.unknown}
	if found.unknown == "" && strings.Contains(entry.value, "$") {
		found = e.expand(entry.value)
	}
	e.variables[entry.name] = found
	return found
}

func (e *environment) expand(value string) variable {
	tooLong := variable{unknown: "becomes longer than a process can be given"}
	if e.expanded > largest {
		return tooLong
	}
	var unknown string
	text, ok := Expand(value, func(name string) (string, bool) {
		if earlier, ok := e.variables[name]; ok {
			if earlier.unknown != "" {
				unknown = fmt.Sprintf("refers to %s, which is not known", quoted(name))
			}
			return earlier.text, true
		}
		if place := e.sources.mightSet(name); place != "" {
			unknown = fmt.Sprintf("refers to %s, which %s might set", quoted(name), place)
		}
		return "", false
	})
	e.expanded += len(text)
	switch {
	case unknown != "":
		return variable{unknown: unknown}
	case !ok:
		return tooLong
	}
	return variable{text: text}
}

// entry is one of env. Its value counts only when unknown is empty.
type entry struct {
	name, value string
	unknown     string
}

// readEntries reads env. An entry whose name cannot be read could be any
// variable, so that is a problem of the whole.
func readEntries(container map[string]any) (read []entry, problem string) {
	list, problem := listOf(container, "env")
	if problem != "" {
		return nil, problem
	}
	for i, thing := range list {
		fields, ok := thing.(map[string]any)
		if !ok {
			return nil, fmt.Sprintf("env[%d] is %s where a map is expected", i, describedType(thing))
		}
		name, ok := fields["name"].(string)
		if !ok {
			return nil, fmt.Sprintf("env[%d].name is %s where a string is expected", i, describedType(fields["name"]))
		}
		read = append(read, readEntry(name, fields))
	}
	return read, ""
}

func readEntry(name string, fields map[string]any) entry {
	value, isString := fields["value"].(string)
	if fields["value"] != nil && !isString {
		return entry{name: name, unknown: fmt.Sprintf("has %s as its value where a string is expected", describedType(fields["value"]))}
	}
	if fields["valueFrom"] == nil {
		return entry{name: name, value: value}
	}
	from, isMap := fields["valueFrom"].(map[string]any)
	switch {
	case !isMap:
		return entry{name: name, unknown: fmt.Sprintf("has %s as its valueFrom where a map is expected", describedType(fields["valueFrom"]))}
	case value != "":
		return entry{name: name, unknown: "has both value and valueFrom, which the API server refuses"}
	case len(from) == 0:
		return entry{name: name, unknown: "has a valueFrom that names no source, which the API server refuses"}
	}
	return entry{name: name, unknown: fmt.Sprintf("takes it from %s, which is known at run time only", quoted(slices.Min(slices.Collect(maps.Keys(from)))))}
}

// sources holds the prefixes of the sources of envFrom, in order.
type sources []string

// mightSet gives the last source that could define a variable; a later one
// wins. Of more sources than anybody writes, the prefixes are not looked at.
func (s sources) mightSet(name string) (place string) {
	const most = 100
	for i, prefix := range slices.Backward(s) {
		if len(s) > most || strings.HasPrefix(name, prefix) {
			return fmt.Sprintf("envFrom[%d]", i)
		}
	}
	return ""
}

func readSources(container map[string]any) (read sources, problem string) {
	list, problem := listOf(container, "envFrom")
	if problem != "" {
		return nil, problem
	}
	for i, thing := range list {
		fields, ok := thing.(map[string]any)
		if !ok {
			return nil, fmt.Sprintf("envFrom[%d] is %s where a map is expected", i, describedType(thing))
		}
		prefix, ok := fields["prefix"].(string)
		if fields["prefix"] != nil && !ok {
			return nil, fmt.Sprintf("envFrom[%d].prefix is %s where a string is expected", i, describedType(fields["prefix"]))
		}
		read = append(read, prefix)
	}
	return read, ""
}

func listOf(container map[string]any, key string) (list []any, problem string) {
	if container[key] == nil {
		return nil, ""
	}
	list, ok := container[key].([]any)
	if !ok {
		return nil, fmt.Sprintf("%s is %s where a list is expected", key, describedType(container[key]))
	}
	return list, ""
}
