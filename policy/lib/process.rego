# METADATA
# scope: package
# title: What a container starts, and what that does to its environment
# description: >-
#   A command can set, remove or clear the migrations variable after the
#   kubelet has set it. Commands are read as text: shells, env, JavaScript and
#   Python in one go. What is unclear counts as a change; reading does not.
package lib.process

import data.lib.parameters
import data.lib.text
import data.lib.unreadable
import data.lib.value

_hooks := [
	["lifecycle", "postStart", "exec", "command"],
	["lifecycle", "preStop", "exec", "command"],
	["livenessProbe", "exec", "command"],
	["readinessProbe", "exec", "command"],
	["startupProbe", "exec", "command"],
]

_commands := array.concat([["command"], ["args"]], _hooks)

# METADATA
# title: What of the commands cannot be read
problems(container, path) := array.concat(
	unreadable.mistyped([[sprintf("%s.%s", [path, concat(".", above)]), value.at(container, above), "object"] |
		some above in _maps
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

_maps := {array.slice(hook, 0, i + 1) |
	some hook in _hooks
	some i in numbers.range(0, count(hook) - 2)
}

# METADATA
# title: The places that change the migrations variable, with how they do it
# description: >-
#   Each word that does so by itself. When none does, the words of a command
#   are read as one line, for `env -u NAME` is three of them.
changes(container, path) := [change |
	some line in _lines
	words := [word |
		some command in line
		some i, part in value.entries(value.at(container, command))
		is_string(part)
		word := {"path": sprintf("%s.%s[%d]", [path, concat(".", command), i]), "text": _plain(part)}
	]
	some change in _changes_of_line(words, sprintf("%s.%s", [path, concat(".", line[0])]))
]

# command and args make one line, each hook another.
_lines := array.concat([[["command"], ["args"]]], [[hook] | some hook in _hooks])

_changes_of_line(words, path) := [change |
	some change in _changes_of_words(words)
] if {
	count(_changes_of_words(words)) > 0
} else := [{"path": path, "how": how} |
	how := _how(concat(" ", [word.text | some word in words]))
]

_changes_of_words(words) := [{"path": word.path, "how": how} |
	some word in words
	how := _how(word.text)
]

# A word without what a shell takes away: quotes and backslashes.
_plain(word) := strings.replace_n({"\\": "", "\"": "", "'": "", "`": " "}, _joined(_without_echo(word)))

# A backslash at the end of a line joins it with the next.
_joined(word) := replace(word, "\\\n", "")

# `echo "NAME=$NAME"` only prints the variable. Between single quotes, and
# where no shell reads the word, the same text would mean something else.
_without_echo(word) := regex.replace(word, _echo, " ") if {
	not contains(word, "'")
} else := word

_echo := sprintf(`(?:^|[\s;&|({])echo\s+"?[^"$;&|<>\n]*%s=\$(?:%s|\{%s\})`, [_name, _name, _name])

_name := text.literal(parameters.env_var)

_how(line) := [how |
	some how in ["sets", "removes", "clears"]
	some pattern in _patterns[how]
	regex.match(pattern, line)
][0]

# NAME stands for the migrations variable, < and > for the ends of a word, and
# ~ for the rest of a simple command.
_written := {
	"sets": [
		# NAME=, NAME+=, as a command, an argument, or inside ${ }
		`(?:^|[^A-Za-z0-9_$.])NAME\+?=`,
		`\$\{NAME:=`,
		# env -S"NAME=..."
		`-[a-zA-Z0-9]*S\s*NAME=`,
		# export NAME, declare NAME, read NAME and the like
		`<(?:export|declare|typeset|local|readonly|setenv|read|mapfile|readarray|getopts|let)\s(?:~\s)?NAME>`,
		`<printf\s+-v\s*NAME>`,
		`<set\s+-[a-zA-Z]+\s+NAME>`,
		`<(?:for|select)\s+NAME>`,
		# process.env.NAME = ..., os.environ["NAME"] = ..., ||= and the like
		`\.NAME\s*(?:\|\||&&|\?\?|\*\*|[-+*/%&|^])?=(?:[^=]|$)`,
		`\[\s*NAME\s*\]\s*(?:\|\||&&|\?\?|\*\*|[-+*/%&|^])?=(?:[^=]|$)`,
		`[A-Za-z_)\]]\{\s*NAME\s*\}\s*=(?:[^=\x7e]|$)`,
		# {NAME: ...}
		`(?:^|[^$])\{\s*NAME\s*:`,
		`,\s*NAME\s*:`,
		# os.putenv("NAME", ...), Reflect.set(process.env, "NAME", ...)
		`(?i:<(?:setdefault|putenv|setenv|set|defineProperty)\s*\()(?:[^)\n]*[^A-Za-z0-9_$])?NAME>`,
	],
	"removes": [
		`<unset\s(?:~\s)?NAME>`,
		`<env\s~-(?:-u[a-z]*[=\s]+|[A-Za-z0-9-]*u\s*)NAME>`,
		`<(?:delete|del)[\s(][^;\n]*<NAME>`,
		`(?i:<(?:pop|unsetenv|deleteProperty)\s*\()(?:[^)\n]*[^A-Za-z0-9_$])?NAME>`,
	],
	"clears": [
		# env -i, env -, env --ignore-environment, with other options before
		`(?:^|[^A-Za-z0-9_.$-])env(?:\s+-[^\s;&|]*(?:\s+[^\s;&|=-][^\s;&|=]*)?)*\s+(?:-[0v]*S\s*)?(?:-[0v]*i\S*|--i[a-z-]*|-)(?:\s|$)`,
		# exec -c
		`<exec\s+(?:-l+\s+|-l*a\s*\S+\s+)*-l*c[la]*(?:\s|$)`,
		`process\.env\s*=(?:[^=]|$)`,
		`<environ\.clear\s*\(`,
	],
}

_patterns := {how: patterns |
	some how, written in _written
	patterns := [pattern |
		some text in written
		pattern := strings.replace_n(
			{"NAME": _name, "<": `(?:^|[^A-Za-z0-9_$])`, ">": `(?:$|[^A-Za-z0-9_])`, "~": `[^;&|\n]*`},
			text,
		)
	]
}
