# METADATA
# scope: package
# title: What a start loads that the manifest does not show
# description: >-
#   A file, the output of a command, or a launcher may set the migrations variable,
#   and nobody can tell from the manifest. So this warns, where lib.process denies.
package lib.loading

import data.lib.env
import data.lib.mounted
import data.lib.parameters
import data.lib.process
import data.lib.reading
import data.lib.value

# METADATA
# title: Programs that inject an environment into what they start, or that clean it
# description: By a text that a command must hold, each with the expression that finds it.
launchers := {
	"aws-vault": `aws-vault\s+exec`,
	"berglas": `berglas\s+exec`,
	"chamber": `chamber\s+exec`,
	"chpst": `chpst\s~-e\S*`,
	"cron": `crond?\s~-[a-z]*f|crond|supercronic`,
	"direnv": `direnv\s+exec`,
	"doppler": `doppler\s+run`,
	"dotenv": `dotenv\s~(?:-o|--override)|dotenv\s+run`,
	"dotenvx": `dotenvx\s+run`,
	"env-cmd": `env-cmd`,
	"envconsul": `envconsul`,
	"envdir": `envdir|s6-envdir`,
	"foreman": `foreman\s+(?:start|run)`,
	"hivemind": `hivemind`,
	"honcho": `honcho\s+(?:start|run)`,
	"infisical": `infisical\s+run`,
	"mise": `mise\s+(?:x|exec|run)`,
	"op": `op\s+run`,
	"overmind": `overmind\s+(?:start|s|run)`,
	"pgenv": `pgenv`,
	"pm2": `pm2(?:-runtime|-docker|\s+start)`,
	"secrets-init": `secrets-init`,
	"sops": `sops\s+exec-env`,
	"summon": `summon`,
	"supervisord": `supervisord`,
	"teller": `teller\s+run`,
	"vault": `vault\s+exec|vault-env`,
	"with-contenv": `with-contenv`,
}

_launcher_pattern(name) := sprintf(`(?:^|[\s;&|({!])(?:[^\s;&|=]*/)?(?:%s)(?:\s|$)`, [replace(launchers[name], "~", `[^;&|\n]*`)])

# What the expressions below imply.
_may_load := `(?:^|[\s;&|({!])\.\s|source|set\s+-|\$\(|\x60|sh|while|xargs|declare|typeset|export|unset|env|eval|\$'|alias|BASH_ENV`

_may_set := `process\.env|dotenv|env|environ|ENV|exec|\.`

# As ^^, but not inside ((, in a list or in a call.
_start := `(?:^|[;&|\n{]|(?:^|[^(=\w])\(|-[a-zA-Z]*c\s|<(?:then|do|else|if|while|until|elif|exec|command|nohup|time)\s)\s*(?:!\s+)?`

_loads := [reading.translated(pattern) |
	some pattern in [
		# . FILE, source FILE
		`^^\.\s+[^\s;&|]+`,
		`^^source\s+[^;&|\n]+`,
		`^^set\s+-(?:[a-zA-Z]*a[a-zA-Z]*|o\s+allexport)`,
		# the output of a command, as words of these
		`<(?:export|env|eval|declare|typeset|unset)\s+(?:(?:[^\s;&|"'$\x60\\]|"(?:[^"\\]|\\.)*"|'[^']*'|\$\{?\w+\}?|\$\([^)]*\))+\s+)*["']?(?:\$\(|\x60)[^;&|]*`,
		`<eval\s~(?:\$\(|\x60)[^;&|]*`,
		`<for\s+\w+\s+in\s~(?:\$\(|\x60)[^|]*;\s*do\s+(?:unset|export)`,
		sprintf(`%s["']?(?:\$\((?:\s+\(|\s*[^\s()])[^\s)]*|\x60\s*[^\s)]+)`, [_start]),
		`\|\s*(?:exec\s+)?(?:/\S*/)?(?:ba|da|k|z|a)?sh(?:\s|$)`,
		`^^(?:/\S*/)?(?:ba|da|k|z|a)?sh\s+(?:-\S+\s+)*\x3c\s*[^\s;&|]+`,
		`<BASH_ENV=[^\s;&|]+`,
		`(?s)<while\s(?:.*\s)?read\s.*<(?:export|eval|declare)\s[^;&|\n]*`,
		`<xargs\s~env(?:\s|$)`,
		`<declare\s+-[a-zA-Z]*n\s[^;&|]*`,
		`<(?:export|declare|typeset|unset|env)\s(?:~\s)?["']?\$\{?\w+\}?[^\s;&|]*=[^\s;&|]*`,
		`<eval\s~\$\{?\w+\}?[A-Za-z_0-9]*=[^\s;&|]*`,
		`\$'[^']*\\[x0-7uU][^']*'`,
		`^^alias\s~\$[^\s;&|]*`,
	]
]

# What may set the variable where the script does not do so by its name.
_sets := [reading.translated(pattern) |
	some pattern in [
		# JavaScript
		`Object\.assign\(\s*process\.env\s*,[^;]*`,
		`process\.env\s*\[(?:\s*[^"'\x60\s\]][^\]]*|[^\]]*[+$][^\]]*)\]\s*(?:\|\||&&|\?\?)?=[^=]`,
		`(?s)<dotenv.*<override`,
		`\.NAME\s*[\]}]\s*=[^=]`,
		`<env\s*:\s*\{\s*(?:[^.}\s][^}]*)?\}`,
		# Perl
		`\$ENV\{[^}]*[.$][^}]*\}\s*=`,
		# Python
		`<load_dotenv\s*\([^)]*override\s*=\s*True`,
		`<environ\.update\s*\([^;]*`,
		`<environ\s*\|=[^;]*`,
		`<exec[lv]p?e\s*\([^;\n]*`,
		`<environ\[(?:\s*[^"'\s\]][^\]]*|[^\]]*[+%][^\]]*)\]\s*=[^=]`,
		`<env\s*=\s*\{\s*(?:[^*}\s][^}]*)?\}`,
	]
]

# METADATA
# title: The places of a container that load what the manifest does not show
# description: Each with a form of the catalogue, and the piece of text that does.
of(workload, container) := array.concat(
	array.concat(_in_commands(workload, container), _in_env(container.spec, container.path)),
	[object.union(found, {"says": "not_run"}) | some found in mounted.unrun(workload, container)],
)

_in_commands(workload, container) := [{"path": found.word.path, "says": found.says, "text": found.text, "source": ""} |
	not process.starts_nothing(container.spec)
	some line in process.lines
	words := array.concat(
		[_without_files(word, workload, container) | some word in process.words(container.spec, line, container.path)],
		[{"path": file.by, "text": file.text, "script": true} |
			line[0] == ["command"]
			some file in mounted.run(workload, container)
		],
	)
	not _prints(words)
	some found in _in_line(words, container.spec, sprintf("%s.%s", [container.path, concat(".", line[0])]))
]

# A script without the files that it loads and that are read. Twice, for what ends
# one command may begin the next.
_without_files(word, workload, container) := object.union(word, {"text": left}) if {
	word.script
	loads := [reading.loads_file(path) | some path in mounted.paths(workload, container.spec)]
	count(loads) > 0
	left := regex.replace(regex.replace(word.text, concat("|", loads), "\n"), concat("|", loads), "\n")
} else := word

_prints(words) if regex.match(reading.printer, words[0].text)

_in_line(words, container, path) := array.concat(
	[object.union(found, {"word": word}) |
		some word in words
		found := _in_word(word, container)
	],
	[object.union(found, {"word": {"path": path}}) |
		count(words) > 0
		found := _in_words(concat(" ", [reading.plain(word.text) | some word in words; not word.script]))
	],
)

_in_words(line) := {"says": "launcher", "text": name} if {
	name := _launcher(line)
} else := {"says": "loads", "text": _piece(_code_in_an_option, line)}

_code_in_an_option := `--import[\s=]+data:\S*|dotenv_config_override=true`

_launcher(line) := [name |
	some name, _ in launchers
	contains(line, name)
	regex.match(_launcher_pattern(name), line)
][0]

_in_word(word, container) := {"says": "loads", "text": _piece(pattern, script)} if {
	word.script
	script := _script(word)
	regex.match(_may_load, script)
	pattern := _first(_loads, script)
} else := {"says": "loads", "text": _piece(pattern, script)} if {
	word.script
	not _denied(word)
	script := _script(word)
	regex.match(_may_set, script)
	pattern := _first(_sets, script)
} else := {"says": "launcher", "text": name} if {
	word.script
	name := _launcher(reading.plain(_script(word)))
} else := {"says": "runs_variable", "text": sprintf("$%s", [name])} if {
	word.script
	name := process.unknown_variables(word.text, container)[0]
} else := {"says": "reference", "text": sprintf("$(%s)", [name])} if {
	word.script
	not _denied(word)
	[[_, name]] := regex.find_all_string_submatch_n(`\x{e000}([^\x{e001}]*)\x{e001}`, word.text, 1)
} else := {"says": "mentions", "text": _piece(_mention_with_place, left)} if {
	word.script
	not _denied(word)
	left := _unread(word)
	contains(left, parameters.env_var)
} else := {"says": "mentions", "text": word.text} if {
	not word.script
	not _denied(word)
	regex.match(_beside, reading.judged(word))
}

# The path of a program is found out, and nothing is loaded. What a client of a
# database is told is no script of a shell.
_script(word) := regex.replace(
	reading.spoken(reading.without_comments(_untold(word.text))),
	`\$\(\s*(?:command\s+-v|which|type\s+-p|dirname|realpath|readlink)\s[^()]*\)`, "x",
)

_untold(script) := reading.without_here_document(reading.without_here_document(script, _told), _told)

_told := reading.here_document(
	`(?:\A|[\n;&|])[ \t]*(?:/\S*/)?(?:mysql|mariadb|psql|sqlite3|mongo|mongosh|redis-cli|clickhouse-client|cqlsh|sqlcmd)\s[^\n;&|\x3c]*`,
	`[^\n;&|]*(?:\|\|\s*(?:exit|return)[^\n;&|]*)?`,
	`.`,
)

_first(expressions, script) := [pattern |
	some pattern in expressions
	regex.match(pattern, script)
][0]

_piece(pattern, script) := trim(regex.find_n(pattern, script, 1)[0], " \t\n;&|({!\"'")

_denied(word) if reading.change(reading.judged(word))

_denied(word) if reading.hides(reading.judged(word), reading.hidden)

# What is left of a script without the places that clearly read the variable.
_unread(word) := regex.replace(reading.plain(reading.harmed(_unlooked(word))), _read, " ")

_unlooked(word) := reading.silent(reading.spoken(reading.without_comments(word.text)))

_read := reading.translated(concat("|", [
	`\$\{?[#!]?NAME(?:[^A-Za-z0-9_][^}\s]*\}|\}|\b)`,
	`(?i:\$env:)NAME\b`,
	`\b(?:[A-Za-z_)\]]*\.)NAME\b`,
	`\[\s*:?NAME\s*\]`,
	`\{\s*NAME\s*\}`,
	`\(\s*NAME\s*[,)]`,
	`\b(?:getenv|get|printenv|has|fetch)\s*\(?\s*NAME\b`,
	`\bNAME\s+(?:not\s+)?in\s`,
	`-[vnz]\s+NAME\b`,
	`\b(?:export|readonly)\s[^;&|\n]*\bNAME\b`,
	`--(?:variable|whitelist-environment|preserve-env)[=\s]\S*NAME\b`,
	`\s-w\s+\S*NAME\b`,
	`[A-Za-z0-9_]NAME|NAME[A-Za-z0-9_]`,
]))

_beside := reading.translated(`(?:^|[^A-Za-z0-9_$])NAME[^A-Za-z0-9_$]{0,2}[=:]`)

_mention_with_place := reading.translated(`\S*\s?NAME\s?\S*`)

# Variables by which a program loads something before it starts.
_in_env(container, path) := [{"path": sprintf("%s.env[%d]", [path, i]), "says": "option", "text": entry.name, "source": ""} |
	some i, entry in env.entries(container)
	entry.name in env.loaders
	_loads_by_env(entry, container)
]

_loads_by_env(entry, _) if {
	value.field(entry, "name") == "BASH_ENV"
	_is_set(entry)
}

_loads_by_env(entry, _) if {
	value.field(entry, "name") == "NODE_OPTIONS"
	value.field(entry, "valueFrom") != null
}

_loads_by_env(entry, _) if {
	value.field(entry, "name") == "NODE_OPTIONS"
	regex.match(`(?:^|\s)(?:-r|--require)(?:[\s=]|$)|(?:^|\s)--(?:import|(?:experimental-)?loader)[\s=]+["']?\S`, regex.replace(value.text(value.field(entry, "value")), _watchers, " "))
}

# What only watches a program, and is loaded into very many.
_watchers := `(?:^|\s)(?:-r|--require|--import)[\s=]+(?:@opentelemetry/\S*|/otel-auto-instrumentation\S*|dd-trace\S*|newrelic\S*|elastic-apm-node\S*)`

_loads_by_env(entry, container) if {
	value.field(entry, "name") == "DOTENV_CONFIG_OVERRIDE"
	_is_set(entry)
	some command in ["command", "args"]
	some word in value.entries(value.field(container, command))
	contains(value.text(word), "dotenv")
}

_is_set(entry) if value.text(value.field(entry, "value")) != ""

_is_set(entry) if value.field(entry, "valueFrom") != null

# METADATA
# title: What a container starts can have another mode than env declares
makes_unknown(workload, container) if {
	some found in [
		process.changes(container.spec, container.path),
		mounted.changes(workload, container),
		of(workload, container),
	]
	count(found) > 0
}
