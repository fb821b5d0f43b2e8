package lib.process_test

import data.lib.parameters
import data.lib.process
import data.lib.testing

# The places of changes, for tables where the text is not the point.
_changes(container) := [object.remove(change, ["text"]) | some change in process.changes(container, "c")]

_of_script(script) := [change.how | some change in _changes({"command": ["sh", "-c", script]})]

_of_words(words) := [change.how | some change in _changes({"command": words})]

test_scripts_that_set_it if {
	every script in [
		"JANGAR_MIGRATIONS=auto node main.js",
		"JANGAR_MIGRATIONS= node main.js",
		"JANGAR_MIGRATIONS+=x node",
		"cd /app && JANGAR_MIGRATIONS=auto node",
		"(JANGAR_MIGRATIONS=auto node)",
		"true;JANGAR_MIGRATIONS=auto node",
		"export JANGAR_MIGRATIONS=auto",
		"export 'JANGAR_MIGRATIONS'=auto",
		"export \"JANGAR_MIGRATIONS=auto\"",
		"export JANGAR_MIGR\"\"ATIONS=auto",
		"export JANGAR_\\\nMIGRATIONS=auto",
		"JANGAR\\_MIGRATIONS=auto node",
		"declare -x JANGAR_MIGRATIONS",
		"typeset JANGAR_MIGRATIONS",
		"local JANGAR_MIGRATIONS",
		"setenv JANGAR_MIGRATIONS auto",
		"read JANGAR_MIGRATIONS",
		"read -r A JANGAR_MIGRATIONS < file",
		"mapfile -t JANGAR_MIGRATIONS",
		"getopts ab JANGAR_MIGRATIONS",
		"printf -v JANGAR_MIGRATIONS auto",
		"printf -vJANGAR_MIGRATIONS auto",
		"set -gx JANGAR_MIGRATIONS auto",
		"for JANGAR_MIGRATIONS in auto; do node; done",
		": ${JANGAR_MIGRATIONS:=auto}",
		": ${JANGAR_MIGRATIONS=auto}",
		"let JANGAR_MIGRATIONS=1",
		"env JANGAR_MIGRATIONS=auto node",
		"env -S'JANGAR_MIGRATIONS=auto node'",
		"env --split-string=JANGAR_MIGRATIONS=auto",
		"echo 'JANGAR_MIGRATIONS=$JANGAR_MIGRATIONS' > .env",
		"echo JANGAR_MIGRATIONS=auto > .env",
		"process.env.JANGAR_MIGRATIONS = 'auto'",
		"process.env.JANGAR_MIGRATIONS='auto'",
		"process.env.JANGAR_MIGRATIONS ||= 'auto'",
		"process.env.JANGAR_MIGRATIONS ??= 'auto'",
		"process.env['JANGAR_MIGRATIONS'] = 'auto'",
		"process.env[`JANGAR_MIGRATIONS`]='auto'",
		"process.env.JANGAR_MIGRATIONS =",
		"process.env[\"JANGAR_MIGRATIONS\"] &&= \"auto\"",
		"Object.assign(process.env, {JANGAR_MIGRATIONS: 'auto'})",
		"Object.assign(process.env, {A: 1, \"JANGAR_MIGRATIONS\" : 'auto'})",
		"Reflect.set(process.env, 'JANGAR_MIGRATIONS', 'auto')",
		"import os; os.environ[\"JANGAR_MIGRATIONS\"] = \"auto\"",
		"os.environ.setdefault('JANGAR_MIGRATIONS', 'auto')",
		"os.putenv('JANGAR_MIGRATIONS', 'auto')",
		"os.Setenv(\"JANGAR_MIGRATIONS\", \"auto\")",
		"$ENV{JANGAR_MIGRATIONS} = 'auto'",
	] {
		_of_script(script) == ["sets"]
	}
}

test_scripts_that_remove_it if {
	every script in [
		"unset JANGAR_MIGRATIONS",
		"unset -v A JANGAR_MIGRATIONS; node",
		"unset A; unset JANGAR_MIGRATIONS",
		"env -u JANGAR_MIGRATIONS node",
		"env -uJANGAR_MIGRATIONS node",
		"/usr/bin/env -u A -u JANGAR_MIGRATIONS node",
		"env --unset JANGAR_MIGRATIONS node",
		"env --unset=JANGAR_MIGRATIONS node",
		"env --uns=JANGAR_MIGRATIONS node",
		"env -vu JANGAR_MIGRATIONS node",
		"env A=1 -u JANGAR_MIGRATIONS node",
		"env \\\n  -u JANGAR_MIGRATIONS node",
		"delete process.env.JANGAR_MIGRATIONS",
		"delete process.env['JANGAR_MIGRATIONS']",
		"delete(process.env.JANGAR_MIGRATIONS)",
		"del os.environ['JANGAR_MIGRATIONS']",
		"os.environ.pop('JANGAR_MIGRATIONS', None)",
		"os.unsetenv('JANGAR_MIGRATIONS')",
		"Reflect.deleteProperty(process.env, 'JANGAR_MIGRATIONS')",
	] {
		_of_script(script) == ["removes"]
	}
}

test_scripts_that_clear_the_environment if {
	every script in [
		"env -i node",
		"env - node",
		"exec env -i PATH=/bin node",
		"/usr/bin/env -i node",
		"env -0i node",
		"env -iv node",
		"env -v -i node",
		"env -C /app -i node",
		"env -S '-i node'",
		"env --ignore-environment node",
		"env --ignore-env node",
		"a; env -i",
		"exec -c node",
		"exec -cl node",
		"exec -lc node",
		"exec -l -c node",
		"exec -a name -c node",
		"process.env = {}",
		"os.environ.clear()",
	] {
		_of_script(script) == ["clears"]
	}
}

test_reading if {
	every script in [
		"JANGAR_MIGRATIONS=skip node main.js",
		"echo ${JANGAR_MIGRATIONS:=auto}",
		"export A=1 JANGAR_MIGRATIONS",
		"readonly JANGAR_MIGRATIONS",
		"echo $JANGAR_MIGRATIONS",
		"echo \"mode: ${JANGAR_MIGRATIONS:-skip}\"",
		"echo \"JANGAR_MIGRATIONS=$JANGAR_MIGRATIONS\"",
		"echo JANGAR_MIGRATIONS=${JANGAR_MIGRATIONS}",
		"[ \"$JANGAR_MIGRATIONS\" = skip ]",
		"[ \"${JANGAR_MIGRATIONS}\" = skip ]",
		"[ \"${JANGAR_MIGRATIONS}\" == skip ]",
		"[[ $JANGAR_MIGRATIONS == skip ]]",
		"[[ $JANGAR_MIGRATIONS = skip ]] && exec node",
		"test \"$JANGAR_MIGRATIONS\" = skip",
		"test JANGAR_MIGRATIONS = Y",
		"printenv JANGAR_MIGRATIONS",
		"if [ \"$JANGAR_MIGRATIONS\" != skip ]; then exit 78; fi",
		"case \"$JANGAR_MIGRATIONS\" in skip) ;; *) exit 78 ;; esac",
		": \"${JANGAR_MIGRATIONS:?must be set}\"",
		"echo ${JANGAR_MIGRATIONS%%=*} ${JANGAR_MIGRATIONS:0:2}",
		"env | grep JANGAR_MIGRATIONS",
		"env | grep -i jangar",
		"env",
		"env A=1 node",
		"env -u PORT node -i",
		"env -u MY_JANGAR_MIGRATIONS node",
		"env -u JANGAR_MIGRATIONS_TABLE node",
		"exec node main.js",
		"exec bash -c 'node main.js'",
		"exec -l bash -c 'node main.js'",
		"exec -a name node -c x",
		"MY_JANGAR_MIGRATIONS=auto node",
		"JANGAR_MIGRATIONS_TABLE=x node",
		"export MY_JANGAR_MIGRATIONS JANGAR_MIGRATIONS_TABLE",
		"export MODE=$JANGAR_MIGRATIONS",
		"export MODE=\"${JANGAR_MIGRATIONS:-skip}\"; echo JANGAR_MIGRATIONS",
		"unset PORT; echo JANGAR_MIGRATIONS",
		"unset JANGAR_MIGRATIONS_TABLE",
		"unset $JANGAR_MIGRATIONS",
		"if (process.env.JANGAR_MIGRATIONS === 'skip') run()",
		"if (process.env.JANGAR_MIGRATIONS===\"skip\") run()",
		"if (process.env.JANGAR_MIGRATIONS == \"skip\") run()",
		"if (process.env.JANGAR_MIGRATIONS != \"skip\") run()",
		"const mode = process.env.JANGAR_MIGRATIONS ?? \"auto\"",
		"process.env[\"JANGAR_MIGRATIONS\"] === \"skip\"",
		"process.env == x",
		"process.env.MY_JANGAR_MIGRATIONS = 'x'",
		"process.env.JANGAR_MIGRATIONS_TABLE = 'x'",
		"delete process.env.PORT; process.env.JANGAR_MIGRATIONS",
		"if os.environ[\"JANGAR_MIGRATIONS\"] == \"skip\": run()",
		"os.environ.get('JANGAR_MIGRATIONS')",
		"$ENV{JANGAR_MIGRATIONS} =~ /skip/",
		"$ENV{JANGAR_MIGRATIONS} == 1",
		"reset(MY_JANGAR_MIGRATIONS)",
		"os.environ.pop('PORT'); os.getenv('JANGAR_MIGRATIONS')",
		"",
	] {
		_of_script(script) == []
	}
}

test_words if {
	every words, how in {
		["env", "-u", "JANGAR_MIGRATIONS", "node"]: "removes",
		["env", "-uJANGAR_MIGRATIONS", "node"]: "removes",
		["env", "--unset", "JANGAR_MIGRATIONS"]: "removes",
		["/usr/bin/env", "-i", "node"]: "clears",
		["env", "-"]: "clears",
		["env", "-iu", "PORT", "node"]: "clears",
		["env", "JANGAR_MIGRATIONS=auto", "node"]: "sets",
		["env", "JANGAR_MIGRATIONS=$JANGAR_MIGRATIONS", "node"]: "sets",
	} {
		_of_words(words) == [how]
	}
	every words in [["printenv", "JANGAR_MIGRATIONS"], ["test", "JANGAR_MIGRATIONS", "=", "Y"], ["node", "-i"], []] {
		_of_words(words) == []
	}
}

test_places if {
	bad := ["sh", "-c", "JANGAR_MIGRATIONS=auto node"]
	hook := {"exec": {"command": bad}}
	_changes({
		"args": bad,
		"lifecycle": {"postStart": hook, "preStop": hook},
		"livenessProbe": hook,
		"readinessProbe": hook,
		"startupProbe": hook,
	}) == [
		{"path": "c.args[2]", "how": "sets"},
		{"path": "c.lifecycle.postStart.exec.command[2]", "how": "sets"},
		{"path": "c.lifecycle.preStop.exec.command[2]", "how": "sets"},
		{"path": "c.livenessProbe.exec.command[2]", "how": "sets"},
		{"path": "c.readinessProbe.exec.command[2]", "how": "sets"},
		{"path": "c.startupProbe.exec.command[2]", "how": "sets"},
	]
	_changes({"command": ["env", "-i"], "args": ["node"]}) == [{"path": "c.command", "how": "clears"}]
	_changes({"command": ["env"], "args": ["-i", "node"]}) == [{"path": "c.command", "how": "clears"}]
	_changes({"command": bad, "args": bad}) == [
		{"path": "c.command[2]", "how": "sets"},
		{"path": "c.args[2]", "how": "sets"},
	]
	_changes({"command": ["env"], "livenessProbe": {"exec": {"command": ["-i"]}}}) == []
}

test_the_variable_of_the_constraint if {
	_of_script("A.B-C=auto node") == ["sets"] with parameters.env_var as "A.B-C"
	_of_script("AxB-C=auto node") == [] with parameters.env_var as "A.B-C"
	_of_script("JANGAR_MIGRATIONS=auto node") == [] with parameters.env_var as "A.B-C"
}

test_the_place_of_a_change if {
	hook := {"lifecycle": {"preStop": {"exec": {"command": ["env", "-u", "JANGAR_MIGRATIONS", "node"]}}}}
	process.changes(hook, "c") == [{
		"path": "c.lifecycle.preStop.exec.command",
		"how": "removes",
		"text": "env -u JANGAR_MIGRATIONS node",
	}]
	word := {"livenessProbe": {"exec": {"command": ["sh", "-c", "unset JANGAR_MIGRATIONS"]}}}
	process.changes(word, "c") == [{
		"path": "c.livenessProbe.exec.command[2]",
		"how": "removes",
		"text": "unset JANGAR_MIGRATIONS",
	}]
}

_scripts(container) := [word.text |
	some line in process.lines
	some word in process.words(container, line, "c")
	word.script
]

test_what_is_a_script if {
	every words in [
		["sh", "-c", "X"], ["/bin/bash", "-ec", "X"], ["node", "-e", "X"], ["node", "--eval", "X"], ["nodejs", "-p", "X"],
		["python3.12", "-c", "X"], ["perl", "-E", "X"], ["node", "--print", "X"], ["env", "-S", "X"],
		["env", "--split-string", "X"], ["pwsh", "-Command", "X"], ["su", "node", "-c", "X"], ["su", "--command", "X"],
		["tini", "--", "sh", "-c", "X"], ["busybox", "ash", "-c", "X"], ["nice", "-n", "5", "sh", "-c", "X"],
	] {
		_scripts({"command": words}) == ["X"]
		_scripts({"command": array.slice(words, 0, 1), "args": array.slice(words, 1, count(words))}) == ["X"]
	}
	every words in [["kubectl", "exec", "-c", "X"], ["a", "-c", "X"], ["sh", "X"], ["sh", "-x", "X"], ["mysh", "-c", "X"], ["a", "-c", "sh"], ["-c", "X"], []] {
		_scripts({"command": words}) == []
	}
	_scripts({"args": ["-c", "X"]}) == ["X"]
	_scripts({"args": ["X", "-c", "Y"]}) == ["Y"]
	_scripts({"livenessProbe": {"exec": {"command": ["sh", "-c", "X"]}}}) == ["X"]
	_scripts({"source": "X"}) == ["X"]
	_scripts({"source": 5}) == []
}

test_the_script_of_a_workflow if {
	process.changes({"command": ["bash"], "source": "unset JANGAR_MIGRATIONS; node"}, "c") == [{
		"path": "c.source",
		"how": "removes",
		"text": "unset JANGAR_MIGRATIONS",
	}]
	process.changes({"source": "unset JANGAR_MIGRATIONS"}, "c")[0].path == "c.source"
	process.changes({"source": ["unset JANGAR_MIGRATIONS"]}, "c") == []
	[word.text | some word in process.words({"source": "$$(A) $(A)"}, process.lines[0], "c")] == ["$$(A) $(A)"]
	_scripts({"source": "X", "livenessProbe": {"exec": {"command": ["sh", "-c", "Y"]}}}) == ["X", "Y"]
}

# References are expanded with the environment in a command, with literals in a
# probe, and not at all in a hook.
test_references if {
	pre := {"env": [{"name": "PRE", "value": "export $(REST)"}, {"name": "REST", "value": "x"}, {"name": "A", "value": "$(REST)"}]}
	given := object.union(pre, {
		"command": ["$(PRE)", "$(A)", "$$(A)"],
		"livenessProbe": {"exec": {"command": ["$(A)", "$$(A)"]}},
		"lifecycle": {"preStop": {"exec": {"command": ["$(A)", "$$(A)"]}}},
	})
	[word.text | some word in process.words(given, process.lines[0], "c")] == ["export $(REST)", "x", "$(A)"]
	[word.text | some word in process.words(given, [["livenessProbe", "exec", "command"]], "c")] == ["$(REST)", "$(A)"]
	[word.text | some word in process.words(given, [["lifecycle", "preStop", "exec", "command"]], "c")] == ["$(A)", "$$(A)"]
	process.changes(
		{"command": ["sh", "-c", "$(PRE) node"], "env": [{"name": "PRE", "value": "export JANGAR_MIGRATIONS=auto;"}]},
		"c",
	) == [{"path": "c.command[2]", "how": "sets", "text": "JANGAR_MIGRATIONS=auto"}]
}

_from_a_secret(name) := {"name": name, "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}

test_references_that_the_manifest_does_not_show if {
	every words in [["sh", "-c", "$(A)"], ["sh", "-c", "true; $(A) node"], ["env", "$(A)", "node"], ["sh", "-c", "env $(A) node"]] {
		[change.how | some change in process.changes({"command": words, "env": [_from_a_secret("A")]}, "c")] == ["hides"]
	}
	every words in [["node", "$(A)"], ["sh", "-c", "node $(A)"], ["env", "node", "$(A)"], ["sh", "-c", "echo $(A)"]] {
		process.changes({"command": words, "env": [_from_a_secret("A")]}, "c") == []
	}
	process.changes({"command": ["sh", "-c", "$(A)"]}, "c") == []
	process.changes({"command": ["sh", "-c", "$(A)"], "env": [_from_a_secret("A")]}, "c") == [{
		"path": "c.command[2]",
		"how": "hides",
		"text": "\ue000A\ue001",
	}]
}

_in_env(script, value) := [[change.path, change.how, change.text] |
	some change in process.changes({"command": ["sh", "-c", script], "env": [{"name": "A", "value": value}]}, "c")
]

test_what_variables_hold if {
	every script in ["$A node", "${A}; node", "eval \"$A\"", "sh -c \"$A\"", "env $A node", "export $A", "x; $A"] {
		_in_env(script, "JANGAR_MIGRATIONS=auto") == [["c.command[2]", "sets", "JANGAR_MIGRATIONS=auto"]]
		_in_env(script, "B=auto") == []
	}
	_in_env("node $A", "JANGAR_MIGRATIONS=auto") == []
	_of_words(["eval", "$A"]) == []
	process.changes({"command": ["x", "$A"], "env": [{"name": "A", "value": "JANGAR_MIGRATIONS=auto"}]}, "c") == []
	_in_env("env JANGAR_MIGRATIONS=skip $A node", "B=1") == []
	process.changes(
		{"command": ["sh", "-c", "$A\n$B"], "env": [{"name": "A", "value": "x"}, {"name": "B", "value": "doas node"}]},
		"c",
	) == [{"path": "c.command[2]", "how": "clears", "text": "doas node"}]
}

test_variables_that_are_not_known if {
	process.unknown_variables("$A; $B; eval $C; node $D", {"env": [{"name": "A", "value": "a"}]}) == ["B", "C"]
	process.unknown_variables("for A in b c; do $A; done", {}) == []
	process.unknown_variables("node", {}) == []
}

test_a_printer if {
	every words in [["echo", "JANGAR_MIGRATIONS=auto"], ["/bin/echo", "unset JANGAR_MIGRATIONS"], ["printf", "JANGAR_MIGRATIONS=auto"], ["logger", "env -i"]] {
		_of_words(words) == []
	}
	_of_words(["xecho", "JANGAR_MIGRATIONS=auto"]) == ["sets"]
}

test_the_hint_of_the_guard if {
	hint := "Set JANGAR_MIGRATIONS=skip in the values, not JANGAR_MIGRATIONS=auto"
	every words in [
		["/migrations-guard", "--hint", hint, "--", "node"],
		["migrations-guard", sprintf("--hint=%s", [hint]), "--", "node"],
	] {
		_of_words(words) == []
	}
	every words in [
		["/migrations-guard", hint], ["/migrations-guard", "--", sprintf("x --hint=%s", [hint])],
		["/x-migrations-guard", "--hint", hint], ["/x-migrations-guard", sprintf("--hint=%s", [hint])],
	] {
		_of_words(words) == ["sets"]
	}
}

test_problems if {
	process.problems(
		{
			"command": "x",
			"args": ["a", 5, null],
			"lifecycle": "x",
			"livenessProbe": {"exec": []},
			"readinessProbe": {"exec": {"command": {}}},
			"startupProbe": null,
		},
		"c",
	) == [
		testing.wrong_type("c.lifecycle", "a string", "a map"),
		testing.wrong_type("c.livenessProbe.exec", "a list", "a map"),
		testing.wrong_type("c.command", "a string", "a list"),
		testing.wrong_type("c.readinessProbe.exec.command", "a map", "a list"),
		testing.wrong_type("c.args[1]", "a number", "a string"),
		testing.wrong_type("c.args[2]", "null", "a string"),
	]
	process.problems({"lifecycle": {"preStop": {"exec": {"command": [5]}}}}, "c") == [testing.wrong_type(
		"c.lifecycle.preStop.exec.command[0]",
		"a number", "a string",
	)]
	process.problems({"command": ["a"], "lifecycle": {"preStop": {"exec": {"command": ["a"]}}}}, "c") == []
	process.changes({"command": "env -i", "args": [5, "JANGAR_MIGRATIONS=auto"]}, "c") == [{
		"path": "c.args[1]",
		"how": "sets",
		"text": "JANGAR_MIGRATIONS=auto",
	}]
}

# What a shell runs because variables hold it, whole and by its pieces.
_runs(script, vars) := process.changes({"command": ["sh", "-c", script], "env": vars}, "c")

test_variables_are_replaced_by_token if {
	a := [{"name": "A", "value": "JANGAR_MIGRATIONS"}]
	_runs("unset $A", a) == [{"path": "c.command[2]", "how": "removes", "text": "unset JANGAR_MIGRATIONS"}]
	_runs("unset ${A}", a) == [{"path": "c.command[2]", "how": "removes", "text": "unset JANGAR_MIGRATIONS"}]
	_runs("unset $AB", a) == []
	_runs("unset $B $A", array.concat(a, [{"name": "B", "value": "x"}])) == [{"path": "c.command[2]", "how": "removes", "text": "unset x JANGAR_MIGRATIONS"}]
	_runs("env $A node", [{"name": "A", "value": "JANGAR_MIGRATIONS=skip"}]) == []
	_runs("env $A node", [{"name": "A", "value": "B=1"}, {"name": "AB", "value": "JANGAR_MIGRATIONS=auto"}]) == []
	count(_runs("env $A $AB node", [{"name": "A", "value": "B=1"}, {"name": "AB", "value": "JANGAR_MIGRATIONS=auto"}])) == 1
}

# The words that an interpreter reads as scripts.
_script_words(command) := [i |
	some i, word in process.words({"command": command}, [["command"], ["args"]], "c")
	word.script
]

test_options_before_a_script if {
	_script_words(["sh", "-c", "a"]) == [2]
	_script_words(["sh", "-c", "--", "a", "b"]) == [2, 3]
	_script_words(["sh", "-c", "-x", "-e", "a"]) == [2, 3, 4]
	_script_words(["sh", "-c", "a", "-x", "b"]) == [2]
	_script_words(["sh", "-c", "a-b", "c-"]) == [2]
	_script_words(["bash", "-cx", "a"]) == [2]
	_script_words(["bash", "-config", "a"]) == []
	_script_words(["x", "-c", "sh"]) == []
	_script_words(["sh"]) == []
}
