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
import data.lib.reading
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
problems(container, path) := [] if {
	_is_plain(container)
} else := array.concat(
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

# It is told without a path.
_is_plain(container) if {
	names(container)
	every declared in declarations(container) {
		declared.is != "unreadable"
	}
}

# METADATA
# title: The names in env, where env and envFrom can be read and each name is another
# description: >-
#   As it is nearly always. Undefined where it is not, and where there is none. What
#   lies between two strings when it is sorted is a string.
names(container) := found if {
	is_array(container.env)
	found := {name | name := container.env[_].name}
	count(found) == count(container.env)
	is_string(min(found))
	is_string(max(found))
	from := object.get(container, "envFrom", [])
	is_array(from)
	every source in from {
		is_object(source)
	}
}

# METADATA
# title: Directives of a patch in a container and its env
# description: >-
#   `kustomize build` keeps them where it does not know the kind, and kubectl
#   carries them out, so an entry that stands there may be deleted.
directives(container, path) := [] if {
	names(container)
	keys := object.keys(container) | object.keys(object.union_n(container.env))
	not regex.match(`(?m)^\$`, concat("\n", keys))
} else := array.concat(
	_directives(container, path),
	[directive |
		some i, entry in entries(container)
		some directive in _directives(entry, sprintf("%s.env[%d]", [path, i]))
	],
)

_directives(map, path) := [{"path": sprintf("%s.%s", [path, key]), "says": ["directive"], "args": {}} |
	is_object(map)
	some key in sort([key | some key in object.keys(map); startswith(key, "$")])
]

_is_directive(entry) if {
	some key in object.keys(entry)
	startswith(key, "$")
}

_entry_problems(entry, path) := [unreadable.wrong_type(path, entry, "object")] if {
	not is_object(entry)
} else := [] if {
	_is_directive(entry)
	value.field(entry, "name") == null
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
	"says": ["value_is_no_string"],
	"args": {"found": sprintf("%s %v", [type_name(set), set])},
}] if {
	type_name(set) in {"boolean", "number"}
} else := unreadable.mistyped([[sprintf("%s.value", [path]), set, "string"]])

# METADATA
# title: The entries of env and envFrom can be read
# description: Otherwise the variable cannot be said to be absent.
is_readable(container) if {
	names(container)
} else if {
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
	entry.name == parameters.env_var
]

# An empty value beside valueFrom is as none, for the API server and the kubelet.
_declaration(entry) := {"is": "unreadable"} if {
	not _is_readable_entry(entry)
} else := {"is": "valueFrom", "from": value.field(entry, "valueFrom")} if {
	_set(entry) == ""
	value.field(entry, "valueFrom") != null
} else := object.union(_conflict(entry), {"is": "reference", "value": _set(entry)}) if {
	contains(_set(entry), "$")
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

# METADATA
# title: A reference in a value
# description: $$, $(NAME), or $ and whatever follows it, as the kubelet reads them.
reference := `(?s)\$(\$|\([^)]*\)|.)`

_tokens(set) := regex.find_n(reference, set, -1)

_references(set) := {name |
	some token in _tokens(set)
	startswith(token, "$(")
	endswith(token, ")")
	name := substring(token, 2, count(token) - 3)
}

_expanded(set, values) := set if {
	not contains(set, "$")
} else := concat("", [part |
	tokens := array.concat(_tokens(set), [""])
	some i, between in regex.split(reference, set)
	some part in [between, _replacement(tokens[i], values)]
])

_replacement(token, values) := "$" if {
	token == "$$"
} else := values[substring(token, 2, count(token) - 3)] if {
	startswith(token, "$(")
	endswith(token, ")")
} else := token

# METADATA
# title: A declaration has a value and a source beside it
has_value_and_source(declared) if {
	declared.value
	declared.from
}

# METADATA
# title: What a declaration gives, in words
described(declared) := "cannot be read" if {
	declared.is == "unreadable"
} else := sprintf("has both the value %s and valueFrom %s", [
	text.quoted(declared.value), described_source(declared.from),
]) if {
	has_value_and_source(declared)
} else := sprintf("comes from %s", [described_source(declared.from)]) if {
	declared.from
} else := "has no value" if {
	declared.value == ""
} else := sprintf("is %s", [text.quoted(declared.value)])

# METADATA
# title: Variables by which a program loads something before it starts
loaders := {"BASH_ENV", "DOTENV_CONFIG_OVERRIDE", "NODE_OPTIONS"}

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
# title: The objects that entries of envFrom name
described_sources(entries_of_env_from) := concat(", ", [described_source(object.remove(source, ["prefix"])) |
	some source in entries_of_env_from
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

# METADATA
# title: A word of a command as the process gets it
# description: >-
#   Takes the container, the road that its kind of command has in the kubelet, and
#   the word. References to what the manifest does not show are marked: their name
#   stands between two characters that no manifest has.
#   https://github.com/kubernetes/kubernetes/blob/v1.35.0/pkg/kubelet/container/helpers.go
expanded(container, road, word) := word if {
	not contains(word, "$(")
	not contains(word, "$$")
} else := _expanded(word, {name: held | some name in _references(word); held := _held(container, road, name)}) if {
	road != "nothing"
} else := word

_held(container, "literals", name) := _set(entries(container)[_last_of(container, name)])

_held(container, "environment", name) := text_of(container, name)

_held(container, "environment", name) := hidden(name) if {
	_is_hidden(container, name)
	not text_of(container, name)
}

_is_hidden(container, name) if _last_of(container, name) >= 0

# What envFrom might define. A name in small letters is taken for a command that
# a shell runs.
_is_hidden(container, name) if {
	count(sources(container)) > 0
	regex.match(reading.variable_name, name)
}

_last_of(container, name) := max([i |
	some i, entry in entries(container)
	value.field(entry, "name") == name
])

# METADATA
# title: The mark of a reference that the manifest does not show
hidden(name) := sprintf("\ue000%s\ue001", [name])

# METADATA
# title: The text that a variable has in a process of a container
# description: Undefined where the manifest does not show it, or nothing declares it.
text_of(container, name) := _resolved(container)[_last_of(container, name)] if count(entries(container)) <= _most_entries

# METADATA
# title: A text in which references stand as they are written
shown(word) := regex.replace(word, `\x{e000}([^\x{e001}]*)\x{e001}`, "$$($1)")
