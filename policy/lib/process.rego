# METADATA
# scope: package
# title: What a container starts, and what that does to its environment
# description: >-
#   A command can set, remove or clear the migrations variable after the kubelet
#   has set it. Commands are read as text: shells, env, JavaScript and Python in
#   one go. What clearly only reads or prints is left out first. What is left and
#   looks like a change is one.
package lib.process

import data.lib.env
import data.lib.reading
import data.lib.unreadable
import data.lib.value

# METADATA
# title: The commands that are run beside the container's own
hooks := [
	["lifecycle", "postStart", "exec", "command"],
	["lifecycle", "preStop", "exec", "command"],
	["livenessProbe", "exec", "command"],
	["readinessProbe", "exec", "command"],
	["startupProbe", "exec", "command"],
]

_commands := array.concat([["command"], ["args"]], hooks)

# METADATA
# title: What of the commands cannot be read
problems(container, path) := [] if {
	starts_nothing(container)
} else := array.concat(
	unreadable.mistyped([[sprintf("%s.%s", [path, concat(".", above)]), value.at(container, above), "object"] |
		some above in maps
	]),
	array.concat(
		unreadable.mistyped([[sprintf("%s.%s", [path, concat(".", command)]), value.at(container, command), "array"] |
			some command in _commands
		]),
		[unreadable.wrong_type(sprintf("%s.%s[%d]", [path, concat(".", command), i]), word, "string") |
			some command in _commands
			some i, word in value.entries(value.at(container, command))
			not is_string(word)
		],
	),
)

# METADATA
# title: The image decides alone what is started
# description: >-
#   There is no command, no hook, and no probe that runs a command, and no map in
#   which one could be.
starts_nothing(container) if {
	count(object.keys(container) & _starters) == 0
	probes_run_nothing(container)
}

_starters := {"command", "args", "source", "lifecycle"}

# METADATA
# title: No probe of a container runs a command
probes_run_nothing(container) if {
	every probe in object.filter(container, _probes) {
		is_object(probe)
		not "exec" in object.keys(probe)
	}
}

_probes := ["livenessProbe", "readinessProbe", "startupProbe"]

# METADATA
# title: The maps down to a hook
maps := {array.slice(hook, 0, i + 1) |
	some hook in hooks
	some i in numbers.range(0, count(hook) - 2)
}

# METADATA
# title: The commands that are read as one line
# description: command and args make one, each hook another.
lines := array.concat([[["command"], ["args"]]], [[hook] | some hook in hooks])

# METADATA
# title: The words of a line, as the process gets them
# description: >-
#   Each with its path, and whether an interpreter reads it as a script: the word
#   behind -c and the like.
words(container, line, path) := array.concat(_in_lists(container, line, path), _source(container, line, path))

# The script of a workflow's step.
_source(container, [["command"], ["args"]], path) := [{
	"path": sprintf("%s.source", [path]),
	"text": env.expanded(container, "nothing", container.source),
	"script": true,
}] if {
	is_string(container.source)
} else := []

_source(_, line, _) := [] if line[0] != ["command"]

_in_lists(container, line, path) := [word |
	raw := [{"path": sprintf("%s.%s[%d]", [path, concat(".", command), i]), "text": part} |
		some command in line
		some i, part in value.entries(value.at(container, command))
		is_string(part)
	]
	scripts := _scripts(raw)
	some i, given in raw
	word := {
		"path": given.path,
		"text": env.expanded(container, _road(line), given.text),
		"script": scripts[i],
	}
]

# How the kubelet expands references: with the environment in command and args,
# with what stands in the manifest in probes, and not at all in hooks.
_road(line) := "environment" if {
	line[0] == ["command"]
} else := "nothing" if {
	line[0][0] == "lifecycle"
} else := "literals"

# Which words are scripts: those behind an option that makes the next word one, with
# other options between. Each word is a letter in a text, so that one look over it finds
# all of them, and a very long line takes no longer than many short ones.
_scripts(raw) := [is_script |
	begin := _first_interpreter(raw)
	letters := concat("", [_letter(word.text, i, begin) | some i, word in raw])
	some piece in regex.find_n(`f[f-]*w?|[w-]`, letters, -1)
	some at in numbers.range(0, count(piece) - 1)
	is_script := at > 0
]

# f for such an option of an interpreter, - for another option, w for another word.
_letter(text, i, begin) := "f" if {
	i > begin
	regex.match(reading.script_flag, text)
} else := "-" if {
	startswith(text, "-")
} else := "w"

# Without a command the image's own entry point may be an interpreter.
_first_interpreter(raw) := -1 if {
	regex.match(`\.args\[[0-9]+\]$`, raw[0].path)
} else := min({count(raw)} | {i |
	some i, word in raw
	count(word.text) < 256
	regex.match(reading.interpreter, word.text)
})

# METADATA
# title: The places that change the migrations variable, with how they do it
# description: >-
#   Each word that does so by itself. When none does, the words of a command
#   are read as one line, for `env -u NAME` is three of them.
changes(container, path) := [change |
	not starts_nothing(container)
	some line in lines
	_is_given(container, line)
	some change in _changes_of_line(
		words(container, line, path), container,
		sprintf("%s.%s", [path, concat(".", line[0])]),
	)
]

_is_given(container, line) if {
	some command in line
	value.at(container, command) != null
}

_is_given(container, [["command"], ["args"]]) if is_string(container.source)

_changes_of_line(line, container, path) := [] if {
	regex.match(reading.printer, line[0].text)
} else := found if {
	found := _changes_of_words(line, container)
	count(found) > 0
} else := [{"path": path, "how": change.how, "text": change.text} |
	change := _change_of_line(concat(" ", [_in_line(word) | some word in _read(line)]))
]

# A script is judged by itself; of the line it makes no more than an argument does.
_in_line(word) := substring(reading.judged(word), 0, 100) if {
	word.script
} else := reading.judged(word)

_change_of_line(line) := change if {
	change := reading.change(line)
} else := reading.hides(line, reading.hidden_from_env)

_changes_of_words(line, container) := [{"path": word.path, "how": change.how, "text": change.text} |
	some word in _read(line)
	change := _change(word, container)
]

_change(word, container) := change if {
	change := reading.change(reading.judged(word))
} else := change if {
	word.script
	change := reading.change(reading.judged({"text": _with_values(word.text, container), "script": true}))
} else := change if {
	word.script
	change := reading.hides(reading.judged(word), reading.hidden)
}

# The words without what a guard says when it stops.
_read(line) := [word |
	some i, word in line
	not _is_hint(line, i)
]

_is_hint(line, i) if {
	regex.match(reading.guard, line[0].text)
	line[i - 1].text == "--hint"
}

_is_hint(line, i) if {
	regex.match(reading.guard, line[0].text)
	startswith(line[i].text, "--hint=")
}

# A shell runs what some of its variables hold. Those that env declares by a
# literal are read.
_with_values(script, container) := concat("\n", [text |
	some command in reading.commands_of_variables(script)
	names := reading.variables_run(command)
	held := {name: held | some name in names; held := env.text_of(container, name)}
	count(held) > 0
	text := concat("", [_held(token, held) | some token in regex.find_n(`\$\{[A-Za-z_]\w*\}|\$[A-Za-z_]\w*|(?s:.)`, command, -1)])
])

_held(token, held) := held[trim(token, "${}")] if {
	count(token) > 1
} else := token

# METADATA
# title: The variables of a shell that a script runs and env does not declare by a literal
unknown_variables(script, container) := [name |
	some command in reading.commands_of_variables(script)
	some name in reading.variables_run(command)
	not env.text_of(container, name)
	not reading.is_listed(script, name)
]
