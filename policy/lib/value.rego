# METADATA
# scope: package
# title: Values of unknown type
# description: >-
#   The author of a manifest decides what type a value has. Everything that
#   reads a manifest goes through these functions, so that a wrong type gives
#   an answer and never makes a rule undefined.
package lib.value

# METADATA
# title: One field, null when it is absent
# description: >-
#   Kubernetes reads null as absent, so there is no need to tell them apart.
#   Something that is not a map has no fields.
default field(_, _) := null

field(thing, name) := thing[name] if is_object(thing)

# METADATA
# title: The entries of a list, none when it is not a list
default entries(_) := []

entries(thing) := thing if is_array(thing)

# METADATA
# title: A string, empty when it is not one
default text(_) := ""

text(thing) := thing if is_string(thing)

# METADATA
# title: A set value has another type than the one that is expected
mistyped(thing, expected) if {
	thing != null
	type_name(thing) != expected
}

_words := {
	"array": "a list",
	"boolean": "a boolean",
	"null": "null",
	"number": "a number",
	"object": "a map",
	"string": "a string",
}

# METADATA
# title: The type of a value, in the words of YAML
described_type(thing) := _words[type_name(thing)]

# METADATA
# title: A type, in the words of YAML
described(expected) := _words[expected]

# METADATA
# title: What stands at a place, null when there is nothing
default at(_, _) := null

at(thing, []) := thing

at(thing, place) := object.get(thing, place, null) if is_object(thing)

# METADATA
# title: A place, as it is printed
# description: Takes a list of keys and indices.
written(place) := path if {
	is_string(min(place)) # numbers come before strings
	path := concat(".", place)
	strings.count(path, ".") == count(place) - 1
	not regex.match(`[^-A-Za-z0-9_$.]`, path)
} else := trim_prefix(concat("", [_step(step) | some step in place]), ".")

_step(step) := sprintf("[%d]", [step]) if {
	is_number(step)
} else := sprintf("[%q]", [step]) if {
	regex.match(`[^-A-Za-z0-9_$]`, step)
} else := sprintf(".%s", [step])

# METADATA
# title: Problems in the order of their paths
by_path(problems) := [problem | some [_, problem] in sort([[problem.path, problem] | some problem in problems])]
