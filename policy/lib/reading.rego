# METADATA
# scope: package
# title: How a command is read
# description: >-
#   Regular expressions, and what is done with them. Go, CEL and Helm's templates
#   have the same, so the contract in other languages takes them from here. In
#   them NAME stands for the migrations variable, SKIP for a value that keeps the
#   service from migrating, < and > for the ends of a word, ~ for the rest of a
#   simple command, and ^^ for the place where a shell looks for a command.
package lib.reading

import data.lib.parameters
import data.lib.text

# METADATA
# title: The word before a script
# description: An interpreter reads the word behind it.
script_flag := `\A(?:-[a-zA-Z]*[ceES]|-[a-zA-Z]*c[abefhiklmnprtuvxBCEHPT]+|-p|-Command|--(?:eval|print|command|split-string))\z`

# METADATA
# title: A name that a variable has and no command
# description: Nobody calls a variable date.
variable_name := `\A(?:[A-Z_][A-Za-z0-9_]*|[a-z][A-Za-z0-9_]*[A-Z_][A-Za-z0-9_]*)\z`

# METADATA
# title: A program that reads the word behind an option as a script
interpreter := `(?m)(?:^|/)(?:(?:ba|da|k|z|a|c|tc|fi|mk)?sh|node(?:js)?|bun|deno|python[0-9.]*|pypy[0-9.]*|perl|ruby|php[0-9.]*|lua|pwsh|powershell|su|runuser|env|npm|pnpm|npx|yarn|flock|script|busybox)$`

# METADATA
# title: A program that only prints its words
printer := `(?:^|/)(?:echo|printf|logger)$`

# METADATA
# title: The guard of this project, which prints a hint when it stops
guard := `(?:^|/)migrations-guard$`

_name := text.literal(parameters.env_var)

_skip := sprintf("(?i:%s)", [concat("|", [text.literal(skip) | some skip in parameters.skip_values])])

# The words in expressions, each with what it stands for.
_words := {
	"NAME": _name,
	"SKIP": _skip,
	# The variable's own value, with a skip value where it is not set.
	"SAME": sprintf(`(?:%[2]s|\$%[1]s|\$\{%[1]s\}|\$\{%[1]s:?[-=]%[2]s\})`, [_name, _skip]),
	"<": `(?:^|[^A-Za-z0-9_$])`,
	">": `(?:$|[^A-Za-z0-9_])`,
	"~": `[^;&|\n]*`,
	"^^": `(?:^|[;&|\n({!]|-[a-zA-Z]*c\s|(?:^|[^A-Za-z0-9_$])(?:then|do|else|if|while|until|elif|exec|command|nohup|time)\s)\s*`,
	# env with its options, and the option by which it splits a text.
	"ENVS": `(?:^|[^A-Za-z0-9_.$-])env(?:\s+(?:-[0v]+|-[uC]\s+\S+|-[uC]\S+|--(?:unset|chdir)=\S+|--(?:debug|null|unset\s+\S+|chdir\s+\S+)))*\s+`,
	"SPLIT": `(?:(?:-[0v]*S\s*|--s[a-z-]*[=\s])\s*)?`,
}

# METADATA
# title: An expression with what the words of this package stand for
translated(pattern) := strings.replace_n(_words, pattern)

# METADATA
# title: A quoted piece of a script, a comment, or neither
# description: The second group is what stands before a comment.
comment := `(?s)("(?:[^"\\]|\\.)*"|'[^']*'|\\.|\$\{[^{}\n]*\})|(\A|[\s;&|(])#[^\n]*`

# METADATA
# title: One simple command of a shell with what ends it, or one character
simple := `(?s)(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[<>]&|[^;&|\n"'\\])+(?:\|\||&&|[;&|\n])?|.`

# What a shell takes as it is: no substitution, no redirection, no pipe.
_plain_argument := "(?:\"(?:[^\"\\\\`$]|\\\\.|\\$[^(\"`])*\"|'[^']*'|\\\\.|[^;&|\\n\"'\\\\<>()`$]|\\$[^('\"`])"

_opening := `(?s)\A\s*(?:(?:if|then|elif|else|do|while|until|!|\{|[^\s()"'$]*\))\s*)*`

_closing := `(?:[12]?>\s*&\s*[12]|[12]?>>?\s*/dev/(?:stderr|stdout|null|tty|fd/[12]|pts/0)|\s)*(?:\}\s*|\)\s*)?(?:\|\||&&|[;&\n])?\s*\z`

# The first argument of printf when it is no option.
_format := "(?:\"[^-\"\\\\`$](?:[^\"\\\\`$]|\\\\.|\\$[^(\"`])*\"|'[^-'][^']*'|[^-\"'\\s;&|<>()`$])"

# METADATA
# title: A simple command that only prints
prints := sprintf(
	`%s(?:/\S*/)?(?:(?:echo|logger)(?:\s%s*)?|printf\s+(?:--\s+)?%s%s*)%s`,
	[_opening, _plain_argument, _format, _plain_argument, _closing],
)

# METADATA
# title: A simple command that only looks for a text, or sends it somewhere
# description: >-
#   What it prints may still be used. One that sudo runs, of a few, starts nothing
#   that reads the variable.
looks := sprintf(
	`%s(?:(?:/\S*/)?(?:[efz]?grep|rg|test|true|curl|wget|\[\[?)|(?:sudo|doas)\s+(?:-n\s+)?(?:/\S*/)?(?:chown|chmod|chgrp|mkdir|rm|cp|mv|ln|install|touch|tee|sysctl|mount))\s(?:%s|<\s*[^\s<(]+)*(?:[12]?>\s*&\s*[12]|[12]?>>?\s*/dev/null|\s)*(?:\|\||&&|[;&|\n])?\s*\z`,
	[_opening, _plain_argument],
)

# METADATA
# title: What a script does with the variable that cannot make it migrate
# description: Each is left out of the script before changes are looked for.
harmless := translated(concat("|", [
	# ${NAME:?message}
	"\\$\\{NAME:?\\?[^}`(]*\\}",
	# ${NAME:=skip}
	`\$\{NAME:?=(?:"SKIP"|'SKIP'|SKIP)\}`,
	# NAME=skip, NAME="${NAME:-skip}", as a whole word
	`(?:\A|[\s;&|({]|-c\s*["'])NAME=(?:"SAME"|'SKIP'|\\"SAME\\"|SAME)(?:[\s;&|)}]|\z)`,
	`<echo\s+"NAME=SAME"(?:[\s;&|)}]|\z)`,
	# process.env.NAME = "skip", os.environ["NAME"] = 'skip'
	"(?:\\.NAME|[\\[{]\\s*\\\\?[\"'`]?NAME\\\\?[\"'`]?\\s*[\\]}])\\s*(?:\\|\\||&&|\\?\\?)?=\\s*\\\\?(?:\"SKIP\\\\?\"|'SKIP'|`SKIP`)\\s*(?:[;,)\\n}\"']|\\z)",
	# console.log("NAME=" + process.env.NAME), print(f"NAME={...}")
	sprintf("<(?:console\\.[a-z]+|print|logg(?:er|ing)\\.[a-z]+)\\((?:%s|[^()\"'`=]|%s\\((?:%s|[^()\"'`=])*\\)|\\((?:\"[\\w:,/-]*\"|'[\\w:,/-]*'|[^()\"'`=])*\\))*\\)", [_string, _shown, _string]),
]))

# What only makes a text of something. Another call could run one that says more
# than a word.
_shown := `\b(?:JSON\.stringify|String|str|repr|len|get|getenv)\s*`

# A string of JavaScript or Python that runs nothing, in a script that may be
# quoted itself.
_string := "(?:\\\\\"[^\"\\\\]*\\\\\"|\"(?:[^\"\\\\\\n]|\\\\.)*\"|'(?:[^'\\\\\\n]|\\\\.)*'|`(?:[^`\\\\$]|\\\\.|\\$\\{[^}=(]*\\})*`)"

# METADATA
# title: A script in which quotes are not followed
# description: >-
#   A here-document that is kept, an escaped quote between $' and ', and arithmetic
#   that can set the variable: in brackets, or between [[ and ]]. Nothing is left
#   out of such a script.
odd := translated(concat("|", [
	`\x3c\x3c`,
	_escaped_quote,
	`[$\w]\[(?:[^\]\n"'\x60]*[^$\w{#!\]\n"'\x60])?NAME`,
	`\[\[\s(?:[^;&|\n]*[^$\w{#!;&|\n])?NAME[^;&|\n]*\s-(?:eq|ne|l[te]|g[te])\s`,
	`\s-(?:eq|ne|l[te]|g[te])\s(?:[^;&|\n]*[^$\w{#!;&|\n])?NAME`,
]))

_escaped_quote := `\$'[^']*\\'`

# METADATA
# title: The expression for a here-document that some commands are given
# description: >-
#   Takes an expression for the command with what stands before it, one for the
#   rest of its line, and one for a piece of the document. Its first group is what
#   stands before, in which each quote has an end. DELIMITER is the delimiter.
here_document(command, rest, piece) := sprintf(
	`(?s)\A((?:[^"'\\]|"(?:[^"\\]|\\.)*"|'[^']*'|\\.)*?)%s\x3c\x3c-?[ \t]*["']?DELIMITER["']?%s\n(?:%s)*?\n[ \t]*DELIMITER(?:\n|\z)`,
	[command, rest, piece],
)

# METADATA
# title: The expression for a here-document that is only printed
message := here_document(`(?:\A|\n)[ \t]*cat[ \t]*(?:>&2[ \t]*)?`, `[ \t]*(?:>&2)?[ \t]*`, "[^`$]|\\$[^(`]")

# METADATA
# title: A script without its first here-document, when that is one of an expression
without_here_document(script, expression) := regex.replace(script, replace(expression, "DELIMITER", delimiter), "$1\n") if {
	not regex.match(_escaped_quote, script)
	[[_, delimiter]] := regex.find_all_string_submatch_n(`\x3c\x3c-?\s*["']?([A-Za-z_]+)`, script, 1)
} else := script

# METADATA
# title: A script without its comments and without here-documents that are only printed
# description: Where quotes are not followed it keeps its comments.
without_comments(script) := regex.replace(said, comment, "$1$2") if {
	said := _without_messages(script)
	contains(said, "#")
	not regex.match(odd, said)
	not contains(said, "`")
} else := _without_messages(script)

_without_messages(script) := without_here_document(without_here_document(script, message), message)

_may_print := `echo|printf|logger`

# METADATA
# title: A script without what only prints
spoken(script) := concat("", [command |
	some command in regex.find_n(simple, script, -1)
	not regex.match(prints, command)
]) if {
	regex.match(_may_print, script)
	not regex.match(odd, script)
} else := script

# METADATA
# title: A script without what only looks for a text
unlooked(script) := concat("", [command |
	some command in regex.find_n(simple, script, -1)
	not regex.match(looks, command)
]) if {
	regex.match(_looked_for, script)
	not regex.match(odd, script)
} else := script

# What a command that only looks could be taken for.
_looked_for := translated(`NAME|sudo|doas`)

# METADATA
# title: A script without what only looks for a text and passes it on to nothing
silent(script) := concat("", [command |
	some command in regex.find_n(simple, script, -1)
	not _is_silent(command)
]) if {
	contains(script, parameters.env_var)
	not regex.match(odd, script)
} else := script

_is_silent(command) if {
	regex.match(looks, command)
	not regex.match(`[^|]\|\s*\z`, command)
}

# METADATA
# title: A script without what cannot make the service migrate
harmed(script) := regex.replace(script, harmless, " ") if {
	contains(script, parameters.env_var)
} else := script

# METADATA
# title: A text without what a shell takes away
# description: Quotes and backslashes. A backslash at the end of a line joins it with the next.
plain(word) := strings.replace_n(
	{"\\": "", "$\"": "", "$'": "", "\"": "", "'": "", "`": " "},
	replace(word, "\\\n", ""),
)

# METADATA
# title: All expressions by name, for the contract in other languages
expressions := {
	"script_flag": script_flag,
	"variable_name": variable_name,
	"interpreter": interpreter,
	"printer": printer,
	"guard": guard,
	"odd": odd,
	"escaped_quote": _escaped_quote,
	"message": message,
	"comment": comment,
	"simple": simple,
	"may_print": _may_print,
	"prints": prints,
	"looked_for": _looked_for,
	"looks": looks,
	"harmless": harmless,
	"whole": _whole,
	"kept": _kept,
	"hidden": hidden,
	"hidden_from_env": hidden_from_env,
	"runs_variables": _runs_variables,
}

# METADATA
# title: A word as changes are looked for in it
# description: >-
#   Takes a word with whether it is a script. What is harmless is only looked for in
#   one that seems to change something. NAME=skip as a whole word changes nothing.
judged(word) := plain(harmed(unlooked(spoken(without_comments(word.text))))) if {
	word.script
	change(plain(word.text))
} else := "" if {
	not word.script
	regex.match(_whole, word.text)
} else := plain(word.text)

_whole := translated(`\A\s*NAME=SKIP\z`)

# METADATA
# title: The simple commands of a script that run what variables hold
commands_of_variables(script) := [command |
	contains(script, "$")
	some command in regex.find_n(simple, without_comments(script), -1)
	regex.match(_runs_variables, command)
]

# A variable that something is compared with is no command: [[ $A = b && $N -gt 0 ]].
_no_comparison := `[^-=!\s]|![^=]|-.?\z|-[^englo]|-[nlg][^et]|-e[^qf]|-o[^t]|-[englo][a-z][\w-]`

_runs_variables := sprintf(`%s(?:exec\s+)?(?:"?\$\{?[A-Za-z_]\w*\}?"?(?:\s*(?:[;&|)]|\z)|\s+(?:%s))|(?:eval|export|declare|typeset|unset|(?:/\S*/)?(?:env|[a-z]*sh\s+-[a-z]*c))\s)`, [_opening, _no_comparison])

# METADATA
# title: The variables whose text a simple command runs
variables_run(command) := {name |
	some [_, name] in regex.find_all_string_submatch_n(`\$\{?([A-Za-z_]\w*)\}?`, command, -1)
	regex.match(`(?:^|[^A-Za-z0-9_$])(?:eval|[a-z]*sh\s+-[a-z]*c)\s`, command)
} | {name |
	some [_, name] in regex.find_all_string_submatch_n(`(?:\A|\s)"?\$\{?([A-Za-z_]\w*)\}?`, command, -1)
}

# The prefixes of the name, and each with the rest of it in braces.
_prefix := concat("|", [text.literal(substring(parameters.env_var, 0, i)) | some i in numbers.range(1, count(parameters.env_var))])

_in_braces := concat("|", [sprintf(`%s\{(?:[^{}\s]*,)?%s[,}]`, [
	text.literal(substring(parameters.env_var, 0, i)),
	text.literal(substring(parameters.env_var, i, -1)),
]) |
	some i in numbers.range(0, count(parameters.env_var))
])

# By what a text must hold for a pattern to match, which is found far faster.
_written := {
	"sets": {
		"NAME": [
			# NAME=, NAME+=, as a command, an argument, or inside ${ }
			`(?:^|[^A-Za-z0-9_$.])NAME\+?=`,
			`\$\{NAME:?=`,
			# env -S"NAME=..."
			`-[a-zA-Z0-9]*S\s*NAME=`,
			# declare NAME, read NAME and the like
			`<(?:declare|typeset|local|setenv|read|mapfile|readarray|getopts|let)\s(?:~\s)?NAME>`,
			`<printf\s+-v\s*NAME>`,
			`^^set\s+(?:-\S+\s+)*NAME\s`,
			`<(?:for|select)\s+NAME\s+in>`,
			# PowerShell
			`(?i:<(?:set-item|si|new-item)\s+(?:-\S+\s+)*env:)NAME>`,
			`(?i:\$env:)NAME\s*[-+]?=`,
			# process.env.NAME = ..., os.environ["NAME"] = ..., ||= and the like
			`\.NAME\s*(?:\|\||&&|\?\?|\*\*|[-+*/%&|^])?=(?:[^=]|$)`,
			`\.NAME\s*(?:\+\+|--)`,
			`(?:\+\+|--)[A-Za-z_.]*\.NAME>`,
			`\[\s*NAME\s*\]\s*(?:\|\||&&|\?\?|\*\*|[-+*/%&|^])?=(?:[^=]|$)`,
			`[A-Za-z_)\]]\{\s*NAME\s*\}\s*=(?:[^=\x7e]|$)`,
			# {NAME: ...}, {["NAME"]: ...}
			`(?:^|[^$])\{\s*\[?\s*NAME\s*\]?\s*:`,
			`,\s*\[?\s*NAME\s*\]?\s*:`,
			# os.putenv("NAME", ...), Reflect.set(process.env, "NAME", ...)
			`(?i:<(?:setdefault|putenv|setenv|set|defineProperty)\s*\()(?:[^)\n]*[^A-Za-z0-9_$])?NAME>`,
		],
		"{": [`(?:^|[^A-Za-z0-9_$.{])(?:BRACES)[^\s;&|]*\+?=`],
	},
	"removes": {
		"NAME": [
			`<unset\s(?:~[\s{,])?NAME>`,
			`<export\s+-[a-zA-Z]*n[a-zA-Z]*\s(?:~\s)?NAME>`,
			`ENVSSPLIT(?:\w+=\S*\s+)*-[0v]*u[\s_]*NAME>`,
			`ENVSSPLIT(?:\w+=\S*\s+)*--u(?:n|ns|nse|nset)?[=\s]NAME>`,
			`<--unset(?:env)?[=\s]+NAME>`,
			`<(?:delete|del)[\s(][^;\n]*<NAME>`,
			`(?i:<(?:pop|unsetenv|deleteProperty)\s*\()(?:[^)\n]*[^A-Za-z0-9_$])?NAME>`,
		],
		"{": [`<unset\s(?:~\s)?(?:BRACES)`],
		"${!": [`<unset\s(?:~\s)?\$\{!(?:PREFIX)[@*]\}`],
	},
	"clears": {
		# env -i, env -, env --ignore-environment, with other options before
		"env": [`ENVSSPLIT(?:-[0v]*i[a-zA-Z0]*|--i(?:g|gn|gno|gnor|gnore|gnore-|gnore-e[a-z]*)?|-)(?:\s|$)`],
		# exec -c
		"exec": [`(?:^|[;&|\n({!]|-[a-zA-Z]*c\s|<(?:then|do|else)\s)\s*exec\s+(?:-l+\s+|-l*a\s*\S+\s+)*-l*c[la]*(?:\s|$)`],
		# su -, su -l, runuser -l, su -c COMMAND - USER
		"su": [`(?:^|[\s;&|({/])su(?:\s+-[abd-km-zA-Z]+(?:\s+[^-\s]\S*)?|\s+[a-z]\S*)*\s+(?:-[abd-km-zA-Z]*l[a-zA-Z]*|--login|-)(?:\s|$)`, `(?:^|[\s;&|({/])su\s~-c\s~\s(?:-|-l|--login)\s+[a-z]\w*\s*(?:[;&|]|$)`],
		"runuser": [`(?:^|[\s;&|({/])runuser(?:\s+-[abd-km-zA-Z]+(?:\s+[^-\s]\S*)?|\s+[a-z]\S*)*\s+(?:-[abd-km-zA-Z]*l[a-zA-Z]*|--login|-)(?:\s|$)`],
		# sudo without -E
		"sudo": [`^^(?:/\S*/)?sudo(?:\s+(?:-[a-zA-DF-Z]+|--[a-oq-z][a-z-]*(?:=\S+)?|-[ugrtCDhpRTU]\s+\S+|[A-Za-z_]\w*=\S*))*\s+[^-\s]`, `^^(?:/\S*/)?sudo\s~--preserve-env=`],
		"setpriv": [`<setpriv\s~--reset-env>`],
		"bwrap": [`<bwrap\s~--clearenv>`],
		"doas": [`^^(?:/\S*/)?doas\s`],
		"process.env": [`process\.env\s*=(?:[^=]|$)`],
		"environ": [`<environ\.clear\s*\(`],
		"%ENV": [`%ENV\s*=`],
	},
}

# METADATA
# title: What a text does to the variable when it holds something and a pattern matches
patterns := {how: needing |
	some how, written in _written
	needing := [{"needs": _needed(needs), "pattern": _grouped(how, needs)} | some needs, _ in written]
}

_needed(needs) := replace(needs, "NAME", parameters.env_var)

# Made when it is needed, for it takes far longer than to look for a text.
_grouped(how, needs) := _with_braces(needs, concat("|", [sprintf("(?:%s)", [translated(pattern)]) |
	some pattern in _written[how][needs]
]))

_with_braces(needs, pattern) := pattern if not contains(needs, "{")

_with_braces(needs, pattern) := strings.replace_n({"BRACES": _in_braces, "PREFIX": _prefix}, pattern) if contains(needs, "{")

# What a program that empties the environment is told to keep.
_kept := translated(`<(?:(?:su|runuser)\s~(?:-w\s*|--whitelist-environment[=\s])|sudo\s~--preserve-env=)(?:\S*,)?NAME(?:,\S*)?(?:\s|$)[^;&|\n]*`)

# METADATA
# title: How a text changes the variable, with the piece that does
# description: Takes a text without quotes. Undefined for one that changes nothing.
change(line) := [{"how": how, "text": _around(left, pattern)} |
	some how in ["sets", "removes", "clears"]
	left := _without_kept(how, line)
	some needs, _ in _written[how]
	contains(left, _needed(needs))
	pattern := _grouped(how, needs)
	regex.match(pattern, left)
][0]

_without_kept("clears", line) := regex.replace(line, _kept, " ")

_without_kept(how, line) := line if how != "clears"

# METADATA
# title: The expression for what the manifest does not show, as a word of env
hidden_from_env := translated(`ENVS(?:[A-Za-z_]\w*=\S*\s+)*\x{e000}`)

# METADATA
# title: The expression for what the manifest does not show, where a shell or env runs it
hidden := sprintf(`%s|%s`, [translated(`^^\x{e000}`), hidden_from_env])

# METADATA
# title: What the manifest does not show, where an expression finds it
# description: Takes a text without quotes. Undefined for one that runs nothing of the kind.
hides(line, expression) := {"how": "hides", "text": _around(line, expression)} if {
	contains(line, "\ue000")
	regex.match(expression, line)
}

# The piece that a pattern matches, to the end of its last word.
_around(line, pattern) := trim(regex.find_n(sprintf(`(?:%s)[^\s;&|)]*`, [pattern]), line, 1)[0], " \t\n;&|({")

# METADATA
# title: A variable of a script that runs over a list that stands there
is_listed(script, name) if regex.match(sprintf(`(?:^|[\s;&|])for\s+%s\s+in\s[^$;\n\x60]*[;\n]`, [name]), script)

# METADATA
# title: The expression for the loading of a file
loads_file(path) := translated(sprintf(`^^(?:\.|source)\s+["']?%s["']?(?:[\s;&|)]|$)`, [text.literal(path)]))

# METADATA
# title: The expression for a script that runs a file, or loads it
runs_file(path) := translated(sprintf(
	`^^(?:(?:\.|source|(?:/\S*/)?(?:(?:ba|da|k|z|a)?sh|node|python[0-9.]*|perl|env))\s+(?:-\S+\s+)*)?["']?%s(?:["'\s;&|)]|$)`,
	[text.literal(path)],
))
