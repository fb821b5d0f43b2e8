# METADATA
# scope: package
# title: The environment of a container
# description: >-
#   Built as the kubelet builds it. envFrom comes first, then env in order, and
#   a later duplicate wins. $(NAME) stands for an entry defined earlier, $$ is
#   an escape, and what cannot be resolved stays as it is.
package lib.env

import data.lib.mode
import data.lib.parameters
import data.lib.text
import data.lib.unreadable
import data.lib.value

# METADATA
# title: The entries of env
entries(container) := value.entries(value.field(container, "env"))

# METADATA
# title: The entries of envFrom
sources(container) := value.entries(value.field(container, "envFrom"))

# METADATA
# title: What in env and envFrom cannot be read
# description: >-
#   An entry whose name cannot be read could be the migrations variable. Of
#   the values only that of the migrations variable matters.
problems(container, path) := array.concat(
	unreadable.mistyped([[sprintf("%s.%s", [path, key]), value.field(container, key), "array"] |
		some key in ["env", "envFrom"]
	]),
	array.concat(
		[problem |
			some i, entry in entries(container)
			some problem in _entry_problems(entry, sprintf("%s.env[%d]", [path, i]))
		],
		[unreadable.wrong_type(sprintf("%s.envFrom[%d]", [path, i]), source, "object") |
			some i, source in sources(container)
			not is_object(source)
		],
	),
)

_entry_problems(entry, path) := [unreadable.wrong_type(path, entry, "object")] if {
	not is_object(entry)
} else := [unreadable.wrong_type(sprintf("%s.name", [path]), value.field(entry, "name"), "string")] if {
	not is_string(value.field(entry, "name"))
} else := array.concat(
	_value_problems(value.field(entry, "value"), path),
	unreadable.mistyped([[sprintf("%s.valueFrom", [path]), value.field(entry, "valueFrom"), "object"]]),
) if {
	entry.name == parameters.env_var
}

_value_problems(set, path) := [{
	"path": sprintf("%s.value", [path]),
	"message": sprintf("%s.value of %s is the %s %v where a string is expected, so the rules cannot read it.", [
		path, parameters.env_var, type_name(set), set,
	]),
	"remedy": sprintf("Write it in quotes: value: %q.", [parameters.plain_skip]),
}] if {
	type_name(set) in {"boolean", "number"}
} else := unreadable.mistyped([[sprintf("%s.value", [path]), set, "string"]])

# METADATA
# title: The entries of env and envFrom can be read
# description: Otherwise the variable cannot be said to be absent.
is_readable(container) if {
	every key in ["env", "envFrom"] {
		not value.mistyped(value.field(container, key), "array")
	}
	every entry in entries(container) {
		is_string(value.field(entry, "name"))
	}
	every source in sources(container) {
		is_object(source)
	}
}

# METADATA
# title: The declarations of the migrations variable
# description: >-
#   In order, each with what kind of declaration it is. A literal carries the
#   text that the container gets and its mode.
declarations(container) := [object.union({"index": i, "place": sprintf("env[%d]", [i])}, _declaration(entry)) |
	some i, entry in entries(container)
	value.field(entry, "name") == parameters.env_var
]

# An empty value beside valueFrom is as none, for the API server and the kubelet.
_declaration(entry) := {"is": "unreadable"} if {
	not _is_readable_entry(entry)
} else := {"is": "valueFrom", "from": value.field(entry, "valueFrom")} if {
	_set(entry) == ""
	value.field(entry, "valueFrom") != null
} else := object.union(_conflict(entry), {"is": "reference", "value": _set(entry)}) if {
	count(_references(_set(entry))) > 0
} else := object.union(_conflict(entry), {
	"is": "literal",
	"value": _set(entry),
	"text": _expanded(_set(entry), {}),
	"mode": mode.of(_expanded(_set(entry), {})),
})

_conflict(entry) := {"from": entry.valueFrom} if {
	value.field(entry, "valueFrom") != null
} else := {}

_is_readable_entry(entry) if {
	not value.mistyped(value.field(entry, "value"), "string")
	not value.mistyped(value.field(entry, "valueFrom"), "object")
}

# The value of an entry; the kubelet does not tell absent from empty.
_set(entry) := value.text(value.field(entry, "value"))

# METADATA
# title: The mode that a container runs in
# description: Unknown is what the manifest alone does not decide.
default mode_of(_) := "unknown"

mode_of(container) := mode.of(_last(container)) if is_readable(container)

# The text that the container gets, undefined when it cannot be known.
_last(container) := "" if {
	count(declarations(container)) == 0
	count(sources(container)) == 0
}

_last(container) := declared.text if {
	declared := _winner(container)
	not declared.from
}

_last(container) := _resolved(container)[declared.index] if {
	declared := _winner(container)
	declared.is == "reference"
	count(entries(container)) <= _most_entries
}

_winner(container) := declared[count(declared) - 1] if declared := declarations(container)

# References are followed by looking at all entries for each of them. That is
# not worth it for more entries than anybody writes.
_most_entries := 1000

# The texts of the entries, by index. An entry may refer to an earlier one,
# which may do so too. Rego has no recursion, so three steps are followed, and
# what lies behind them is unknown.
_resolved(container) := _step(container, _step(container, _step(container, _step(container, {}))))

_step(container, known) := {i: resolved |
	some i, entry in entries(container)
	_is_readable_entry(entry)
	value.field(entry, "valueFrom") == null
	names := _references(_set(entry))
	values := {name: found | some name in names; found := _look_up(container, known, i, name)}
	count(values) == count(names)
	resolved := _expanded(_set(entry), values)
}

_look_up(container, known, i, name) := known[_earlier(container, i, name)]

# Nothing defines the name, not even an envFrom: the reference stays as text.
_look_up(container, _, i, name) := sprintf("$(%s)", [name]) if {
	not _earlier(container, i, name)
	count(sources(container)) == 0
}

_earlier(container, i, name) := max([j |
	some j, entry in entries(container)
	j < i
	entry.name == name
])

# $$, $(NAME), or $ and whatever follows it, as the kubelet reads them.
_dollar := `(?s)\$(\$|\([^)]*\)|.)`

_tokens(set) := regex.find_n(_dollar, set, -1)

_references(set) := {name |
	some token in _tokens(set)
	startswith(token, "$(")
	endswith(token, ")")
	name := substring(token, 2, count(token) - 3)
}

_expanded(set, values) := concat("", [part |
	tokens := array.concat(_tokens(set), [""])
	some i, between in regex.split(_dollar, set)
	some part in [between, _replacement(tokens[i], values)]
])

_replacement(token, values) := "$" if {
	token == "$$"
} else := values[substring(token, 2, count(token) - 3)] if {
	startswith(token, "$(")
	endswith(token, ")")
} else := token

# METADATA
# title: Where a value comes from
# description: Names the object and the key, never what they hold.
described_source(from) := sprintf("%s %s", [sort(object.keys(from))[0], _details(from)])

described_source(from) := "no source" if count(from) == 0

_details(from) := concat(" ", [sprintf("%s %s", [key, text.quoted(detail)]) |
	some key in ["name", "key", "fieldPath", "resource", "path"]
	some source in from
	detail := value.field(source, key)
	is_string(detail)
])

# METADATA
# title: The objects that envFrom names
described_sources(container) := concat(", ", [described_source(object.remove(source, ["prefix"])) |
	some source in sources(container)
])

# METADATA
# title: A name in env that looks like the migrations variable and is another
# description: >-
#   The nearest: the same but for case and punctuation, then a slip of the
#   keyboard, then the same last word, as after a renaming. The first of those.
look_alike(container) := min([[rank, i, entry.name] |
	some i, entry in entries(container)
	is_string(value.field(entry, "name"))
	rank := _likeness(entry.name)
])

_likeness(name) := 1 if {
	text.similar(name, parameters.env_var)
} else := 2 if {
	name != parameters.env_var
	endswith(name, sprintf("_%s", [_last_word]))
}

_last_word := words[count(words) - 1] if {
	words := split(parameters.env_var, "_")
	count(words) > 1
}
