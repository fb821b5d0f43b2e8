package lib.process_test

import data.lib.parameters
import data.lib.process

_changes(container) := process.changes(container, "c")

_of_script(script) := [change.how | some change in _changes({"command": ["sh", "-c", script]})]

_of_words(words) := [change.how | some change in _changes({"command": words})]

test_scripts_that_set_it if {
	every script in [
		"JANGAR_MIGRATIONS=auto node main.js",
		"JANGAR_MIGRATIONS=skip node main.js",
		"JANGAR_MIGRATIONS= node main.js",
		"JANGAR_MIGRATIONS+=x node",
		"cd /app && JANGAR_MIGRATIONS=auto node",
		"(JANGAR_MIGRATIONS=auto node)",
		"true;JANGAR_MIGRATIONS=auto node",
		"export JANGAR_MIGRATIONS=auto",
		"export A=1 JANGAR_MIGRATIONS",
		"export 'JANGAR_MIGRATIONS'=auto",
		"export \"JANGAR_MIGRATIONS=auto\"",
		"export JANGAR_MIGR\"\"ATIONS=auto",
		"export JANGAR_\\\nMIGRATIONS=auto",
		"JANGAR\\_MIGRATIONS=auto node",
		"declare -x JANGAR_MIGRATIONS",
		"typeset JANGAR_MIGRATIONS",
		"local JANGAR_MIGRATIONS",
		"readonly JANGAR_MIGRATIONS",
		"setenv JANGAR_MIGRATIONS auto",
		"read JANGAR_MIGRATIONS",
		"read -r A JANGAR_MIGRATIONS < file",
		"mapfile -t JANGAR_MIGRATIONS",
		"getopts ab JANGAR_MIGRATIONS",
		"printf -v JANGAR_MIGRATIONS auto",
		"printf -vJANGAR_MIGRATIONS auto",
		"set -gx JANGAR_MIGRATIONS auto",
		"for JANGAR_MIGRATIONS in auto; do node; done",
		"echo ${JANGAR_MIGRATIONS:=auto}",
		"echo ${JANGAR_MIGRATIONS=auto}",
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
	process.changes(hook, "c") == [{"path": "c.lifecycle.preStop.exec.command", "how": "removes"}]
	word := {"livenessProbe": {"exec": {"command": ["sh", "-c", "unset JANGAR_MIGRATIONS"]}}}
	process.changes(word, "c") == [{"path": "c.livenessProbe.exec.command[2]", "how": "removes"}]
}

test_what_echo_prints_separates_words if {
	_of_script("unset echo JANGAR_MIGRATIONS=$JANGAR_MIGRATIONS JANGAR_MIGRATIONS") == ["removes"]
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
		_mistyped("c.lifecycle", "a string", "a map"),
		_mistyped("c.livenessProbe.exec", "a list", "a map"),
		_mistyped("c.command", "a string", "a list"),
		_mistyped("c.readinessProbe.exec.command", "a map", "a list"),
		_mistyped("c.args[1]", "a number", "a string"),
		_mistyped("c.args[2]", "null", "a string"),
	]
	process.problems({"lifecycle": {"preStop": {"exec": {"command": [5]}}}}, "c") == [_mistyped(
		"c.lifecycle.preStop.exec.command[0]",
		"a number", "a string",
	)]
	process.problems({"command": ["a"], "lifecycle": {"preStop": {"exec": {"command": ["a"]}}}}, "c") == []
	process.changes({"command": "env -i", "args": [5, "JANGAR_MIGRATIONS=auto"]}, "c") == [{"path": "c.args[1]", "how": "sets"}]
}

_mistyped(path, found, expected) := {
	"path": path,
	"message": sprintf("%s is %s where %s is expected, so the rules cannot read it.", [path, found, expected]),
	"remedy": sprintf("Write %s as %s.", [path, expected]),
}
