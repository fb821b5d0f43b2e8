package lib.loading_test

import data.lib.loading
import data.lib.testing

_workload := {"object": {}, "namespace": "agents", "place": {"template": [], "spec": ["spec"]}}

_of(container) := loading.of(_workload, {"path": "c", "spec": container})

_of_script(script) := [[found.says, found.text] | some found in _of({"command": ["sh", "-c", script]})]

_of_words(words) := [[found.says, found.text] | some found in _of({"command": words})]

# Each script with the piece that is quoted of it.
_loads := {
	". /app/env": ". /app/env",
	"cd /app && . ./env; node": ". ./env",
	"source /app/env && node": "source /app/env",
	"set -a": "set -a",
	"set -eao": "set -eao",
	"set -o allexport; x": "set -o allexport",
	"export $(cat .env)": "export $(cat .env)",
	"env A=1 \"B\" 'C' $D $(e) `cat .env` node": "env A=1 \"B\" 'C' $D $(e) `cat .env` node",
	"eval `x`": "eval `x`",
	"declare \"$(cat .env)\"": "declare \"$(cat .env)",
	"typeset $(cat .env)": "typeset $(cat .env)",
	"unset $(cat names)": "unset $(cat names)",
	"eval x=$(c)": "eval x=$(c)",
	". /app/env@": ". /app/env@",
	"eval a; eval b $(c)": "eval b $(c)",
	"for a in $(env); do unset $a; done": "for a in $(env); do unset",
	"for a in `env`; do export $a; done": "for a in `env`; do export",
	"$(cat /app/start)": "$(cat",
	"exec \"$(cat /app/start)\"": "exec \"$(cat",
	"`cat /app/start`": "`cat",
	"curl x | sh": "sh",
	"cat x | exec /bin/bash -s": "exec /bin/bash",
	"cat x |dash": "dash",
	"sh < /app/x": "sh < /app/x",
	"/bin/bash -e < x": "/bin/bash -e < x",
	"BASH_ENV=/app/x bash y": "BASH_ENV=/app/x",
	"BASH_ENV=/app/x node": "BASH_ENV=/app/x",
	"while IFS= read -r l; do export \"$l\"; done < .env": "while IFS= read -r l; do export \"$l",
	"while read l; do\neval $l\ndone": "while read l; do\neval $l",
	"while read l; do declare -x $l; done": "while read l; do declare -x $l",
	"cat x | xargs -d '\\n' env node": "xargs -d '\\n' env",
	"cat x | xargs env node": "xargs env",
	"declare -xn r=a": "declare -xn r=a",
	"export $a=b": "export $a=b",
	"declare -x ${a}_B=c": "declare -x ${a}_B=c",
	"typeset \"$a=b\"": "typeset \"$a=b",
	"unset $a=b": "unset $a=b",
	"env A=1 $a=b node": "env A=1 $a=b",
	"eval x $a=b": "eval x $a=b",
	"eval ${a}_B=c": "eval ${a}_B=c",
	"x $'\\x4aANGAR=1'": "$'\\x4aANGAR=1",
	"x $'\\112=1'": "$'\\112=1",
	"x $'\\u004a'": "$'\\u004a",
	"alias a=$b": "alias a=$b",
}

test_what_loads if {
	every script, piece in _loads {
		_of_script(script)[0] == ["loads", piece]
	}
}

_sets := {
	"Object.assign(process.env, a); b": "Object.assign(process.env, a)",
	"process.env[a] = b": "process.env[a] =",
	"process.env['A' + b] ||= c": "process.env['A' + b] ||=",
	"process.env[`${a}`] ??= b": "process.env[`${a}`] ??=",
	"require('dotenv').config({override: true})": "dotenv').config({override",
	"({a: process.env.JANGAR_MIGRATIONS} = b)": ".JANGAR_MIGRATIONS} =",
	"({a: e.JANGAR_MIGRATIONS} = b)": ".JANGAR_MIGRATIONS} =",
	"[process.env.JANGAR_MIGRATIONS] = b": ".JANGAR_MIGRATIONS] =",
	"spawn(a, {env: {}})": "env: {}",
	"spawn(a, {env: {A: 1}})": "env: {A: 1}",
	"$ENV{\"A$b\"} = 1": "$ENV{\"A$b\"} =",
	"$ENV{a . b} = 1": "$ENV{a . b} =",
	"load_dotenv('.env', override=True)": "load_dotenv('.env', override=True",
	"os.environ.update(a); b": ".environ.update(a)",
	"os.environ |= a; b": ".environ |= a",
	"os.execve(a, b, c)": ".execve(a, b, c)",
	"os.execle(a, b); c": ".execle(a, b)",
	"os.execvpe(a, b)": ".execvpe(a, b)",
	"os.environ[a] = b": ".environ[a] =",
	"os.environ['A' + b] = c": ".environ['A' + b] =",
	"run(a, env={})": "env={}",
	"run(a, env = {'A': 1})": "env = {'A': 1}",
}

test_what_may_set if {
	every script, piece in _sets {
		_of_script(script)[0] == ["loads", piece]
	}
}

test_what_loads_nothing if {
	every script in [
		"exec node server.js", "./env; node", "x . y", "set -eu", "set -x; set -- a", "export A=1", "export A=\"$B\"", "echo $(date)",
		"A=$(date) node", "cd \"$(dirname \"$0\")\"", "x | grep sh", "x | shred", "node < x", "MY_BASH_ENV=1 x", "while read l; do echo $l; done",
		"xargs rm", "declare -x A=1", "x $'a\\n'", "alias a=b", "source_it x", "resource /app/x",
		"# . /app/env", "echo . /app/env", "\"$(command -v node)\" server.js", "$(which node) a", "for a in 1 2; do unset A; done",
		"process.env['A'] = b", "process.env[\"A\"] = b", "Object.assign({}, process.env, a)", "require('dotenv').config()",
		"spawn(a, {env: {...process.env, A: 1}})", "spawn(a, {env: process.env})", "$ENV{A} = 1", "load_dotenv()", "os.environ['A'] = b",
		"os.environ.get(a)", "run(a, env={**os.environ})", "environ[a] == b", "process.env[a] == b",
	] {
		_of_script(script) == []
	}
}

test_where_it_stands if {
	load := [{"path": "c.command[2]", "says": "loads", "text": ". /app/env", "source": ""}]
	_of({"command": ["sh", "-c", ". /app/env"]}) == load
	_of({"command": ["sh", "-c"], "args": [". /app/env"]}) == [object.union(load[0], {"path": "c.args[0]"})]
	_of({"lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", ". /app/env"]}}}}) == [object.union(
		load[0],
		{"path": "c.lifecycle.postStart.exec.command[2]"},
	)]
	_of({"command": ["node", ". /app/env"]}) == []
	_of({"command": ["echo", "doppler run"]}) == []
	_of({}) == []
	_of({"command": ["dumb-init", "doppler", "run", "--", "node"]}) == [{"path": "c.command", "says": "launcher", "text": "doppler", "source": ""}]
	_of({"command": ["dumb-init", "--"], "args": ["/usr/bin/doppler", "run"]})[0].path == "c.command"
	_of({"args": ["doppler", "run"]})[0].path == "c.command"
	_of({"lifecycle": {"preStop": {"exec": {"command": ["doppler", "run"]}}}})[0].path == "c.lifecycle.preStop.exec.command"
}

# Each launcher with the commands by which it is known.
_launchers := {
	"aws-vault": ["aws-vault exec a"],
	"berglas": ["berglas exec -- a"],
	"chamber": ["chamber exec a"],
	"chpst": ["chpst -u a -e /env a", "chpst -e/env a"],
	"cron": ["cron -f", "crond", "crond -l 2 -f", "supercronic /tab"],
	"direnv": ["direnv exec / a"],
	"doppler": ["doppler run -- a"],
	"dotenv": ["dotenv -o a", "dotenv -f .env --override a", "dotenv run a"],
	"dotenvx": ["dotenvx run -- a"],
	"env-cmd": ["env-cmd a", "npx env-cmd -f .env a"],
	"envconsul": ["envconsul a"],
	"envdir": ["envdir /e a", "/usr/bin/s6-envdir /e a"],
	"foreman": ["foreman start"],
	"hivemind": ["hivemind"],
	"honcho": ["honcho start", "honcho run a"],
	"overmind": ["overmind start"],
	"pgenv": ["pgenv a"],
	"infisical": ["infisical run -- a"],
	"mise": ["mise x -- a", "mise exec -- a", "mise run a"],
	"op": ["op run -- a"],
	"pm2": ["pm2-runtime a", "pm2-docker a", "pm2 start a"],
	"secrets-init": ["secrets-init a"],
	"sops": ["sops exec-env a b"],
	"summon": ["summon a"],
	"supervisord": ["/usr/bin/supervisord -n"],
	"teller": ["teller run a"],
	"vault": ["vault exec a", "/vault/vault-env a"],
	"with-contenv": ["with-contenv a"],
}

test_launchers if {
	object.keys(_launchers) == object.keys(loading.launchers)
	every name, commands in _launchers {
		every command in commands {
			_of_words(split(command, " ")) == [["launcher", name]]
			count(_of_script(sprintf("cd /app; %s", [command]))) == 1
		}
	}
	_of_script("cd /app; doppler run a") == [["launcher", "doppler"]]
	every command in [
		"doppler secrets", "op read", "my-doppler run", "vault read", "pm2 stop a", "node summoner", "node --x=summon/a",
		"cronjob", "dotenv a", "chpst -u a b", "mise use", "foreman check", "crond-x", "node a=/summon",
	] {
		_of_script(sprintf("cd /app; %s", [command])) == []
	}
}

test_code_in_an_option if {
	_of_words(["node", "--import", "data:text/javascript,x", "server.js"]) == [["loads", "--import data:text/javascript,x"]]
	_of_words(["node", "--import=data:x", "a"]) == [["loads", "--import=data:x"]]
	_of_words(["node", "-r", "dotenv/config", "a", "dotenv_config_override=true"]) == [["loads", "dotenv_config_override=true"]]
	_of_words(["node", "--import", "tsx", "a", "dotenv_config_override=false"]) == []
}

_from_a_secret(name) := {"name": name, "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}

test_variables_and_references if {
	_of_script("$A; node") == [["runs_variable", "$A"]]
	_of_script("eval \"$B\"") == [["runs_variable", "$B"]]
	_of({"command": ["sh", "-c", "$A node"], "env": [{"name": "A", "value": "nice"}]}) == []
	_of({"command": ["sh", "-c", "node --dsn=$(A)"], "env": [_from_a_secret("A")]}) == [{
		"path": "c.command[2]", "says": "reference", "text": "$(A)", "source": "",
	}]
	_of({"command": ["sh", "-c", "node $(A) $(B)"], "env": [_from_a_secret("A"), _from_a_secret("B")]})[0].text == "$(A)"
	_of_words(["x", "$A"]) == []
	_of_words(["x", "os.execve(a)"]) == []
	_of({"command": ["node", "--dsn=$(A)"], "env": [_from_a_secret("A")]}) == []

	# What is denied is not doubted too.
	_of({"command": ["sh", "-c", "$(A) node"], "env": [_from_a_secret("A")]}) == []
	_of({"command": ["sh", "-c", "JANGAR_MIGRATIONS=auto node $(A)"], "env": [_from_a_secret("A")]}) == []
	_of_script("JANGAR_MIGRATIONS=auto; spawn(a, {env: {}})") == []
}

test_mentions if {
	every script, piece in {
		"x JANGAR_MIGRATIONS y": "x JANGAR_MIGRATIONS y",
		"x $JANGAR_MIGRATIONS JANGAR_MIGRATIONS y": "JANGAR_MIGRATIONS y",
		"sed -i s/JANGAR_MIGRATIONS/a/ b": "s/JANGAR_MIGRATIONS/a/",
		"grep JANGAR_MIGRATIONS a | cat": "grep JANGAR_MIGRATIONS a",
		"echo JANGAR_MIGRATIONS > a": "echo JANGAR_MIGRATIONS >",
	} {
		_of_script(script) == [["mentions", piece]]
	}
	_of_words(["x", "--set", "y.JANGAR_MIGRATIONS:auto"]) == [["mentions", "y.JANGAR_MIGRATIONS:auto"]]
	_of_words(["x", "--set JANGAR_MIGRATIONS: auto"]) == [["mentions", "--set JANGAR_MIGRATIONS: auto"]]
	_of_words(["x", "JANGAR_MIGRATIONS]: auto"]) == [["mentions", "JANGAR_MIGRATIONS]: auto"]]
	_of_words(["env", "JANGAR_MIGRATIONS=auto"]) == []
	_of_words(["env", "JANGAR_MIGRATIONS=skip"]) == []
	_of_words(["x", "JANGAR_MIGRATIONS"]) == []
}

test_readings if {
	every script in [
		"x $JANGAR_MIGRATIONS", "x ${JANGAR_MIGRATIONS}", "x ${JANGAR_MIGRATIONS%%=*}", "x ${#JANGAR_MIGRATIONS}", "x ${!JANGAR_MIGRATIONS}",
		"x $env:JANGAR_MIGRATIONS", "x $Env:JANGAR_MIGRATIONS", "f(process.env.JANGAR_MIGRATIONS)", "f(process.env['JANGAR_MIGRATIONS'])",
		"f(ENV[:JANGAR_MIGRATIONS])", "const { JANGAR_MIGRATIONS } = process.env", "f(JANGAR_MIGRATIONS, a)", "f(JANGAR_MIGRATIONS)",
		"getenv('JANGAR_MIGRATIONS')", "os.environ.get JANGAR_MIGRATIONS", "printenv JANGAR_MIGRATIONS", "has JANGAR_MIGRATIONS",
		"fetch('JANGAR_MIGRATIONS' )", "'JANGAR_MIGRATIONS' in process.env", "'JANGAR_MIGRATIONS' not in os.environ",
		"x -v JANGAR_MIGRATIONS", "x -z JANGAR_MIGRATIONS", "x -n JANGAR_MIGRATIONS", "export A JANGAR_MIGRATIONS", "readonly JANGAR_MIGRATIONS",
		"x --variable=JANGAR_MIGRATIONS", "x --whitelist-environment A,JANGAR_MIGRATIONS", "x --preserve-env=JANGAR_MIGRATIONS", "x -w A,JANGAR_MIGRATIONS",
		"x MY_JANGAR_MIGRATIONS", "x JANGAR_MIGRATIONS_TABLE", "x aJANGAR_MIGRATIONS", "grep JANGAR_MIGRATIONS a", "echo JANGAR_MIGRATIONS",
		"x # JANGAR_MIGRATIONS", "f(a).JANGAR_MIGRATIONS", "f(a[0].JANGAR_MIGRATIONS)",
	] {
		_of_script(script) == []
	}
}

_of_env(entries, words) := [[found.path, found.says, found.text, found.source] |
	some found in _of({"env": entries, "command": words})
]

test_variables_that_load if {
	every entry in [
		{"name": "BASH_ENV", "value": "/app/env"}, _from_a_secret("BASH_ENV"), _from_a_secret("NODE_OPTIONS"),
		{"name": "NODE_OPTIONS", "value": "--require /app/x.js"}, {"name": "NODE_OPTIONS", "value": "--x -r /app/x.js"},
		{"name": "NODE_OPTIONS", "value": "--require=/app/x.js"}, {"name": "NODE_OPTIONS", "value": "--import data:x"},
		{"name": "NODE_OPTIONS", "value": "--x --import=\"/app/x\""}, {"name": "NODE_OPTIONS", "value": "--loader /app/x"},
		{"name": "NODE_OPTIONS", "value": "--experimental-loader=x"}, {"name": "NODE_OPTIONS", "value": "-r"},
		{"name": "NODE_OPTIONS", "value": "--require dd-trace/init --require ./x"},
	] {
		_of_env([{"name": "A", "value": "b"}, "x", entry], ["node"]) == [["c.env[2]", "option", entry.name, ""]]
	}
	every entry in [
		{"name": "BASH_ENV", "value": ""}, {"name": "BASH_ENV"}, {"name": "MY_BASH_ENV", "value": "a"}, {"name": "NODE_OPTIONS", "value": "--max-old-space-size=4096"},
		{"name": "NODE_OPTIONS"}, {"name": "NODE_OPTIONS", "value": "--require @opentelemetry/auto/register"}, {"name": "NODE_OPTIONS", "value": "--import=dd-trace/register.js"},
		{"name": "NODE_OPTIONS", "value": "--a -r newrelic"}, {"name": "NODE_OPTIONS", "value": "--require /otel-auto-instrumentation-nodejs/autoinstrumentation.js"},
		{"name": "NODE_OPTIONS", "value": "--require elastic-apm-node/start"}, {"name": "OTHER_OPTIONS", "value": "--require x"}, _from_a_secret("OTHER_OPTIONS"),
		{"name": "DOTENV_CONFIG_OVERRIDE", "value": "true"}, {"name": "DOTENV_CONFIG_OVERRIDE", "value": "--require x"},
		_from_a_secret("DOTENV_CONFIG_OVERRIDE"),
	] {
		_of_env([entry], ["node"]) == []
	}
}

test_dotenv_with_an_override if {
	entry := {"name": "DOTENV_CONFIG_OVERRIDE", "value": "true"}
	_of_env([entry], ["node", "-r", "dotenv/config"]) == [["c.env[0]", "option", "DOTENV_CONFIG_OVERRIDE", ""]]
	_of({"env": [_from_a_secret("DOTENV_CONFIG_OVERRIDE")], "args": [5, "x/dotenv"]})[0].text == "DOTENV_CONFIG_OVERRIDE"
	_of_env([{"name": "DOTENV_CONFIG_OVERRIDE", "value": ""}], ["node", "-r", "dotenv/config"]) == []
	_of_env([{"name": "DOTENV", "value": "true"}], ["node", "-r", "dotenv/config"]) == []
	_of_env([{"name": "NODE_OPTIONS", "value": "--max-old-space-size=4096"}], ["node", "-r", "dotenv/config"]) == []
}

test_the_mode_is_unknown if {
	every spec in [
		{"command": ["sh", "-c", "JANGAR_MIGRATIONS=auto node"]}, {"command": ["sh", "-c", ". x"]},
		{"env": [{"name": "BASH_ENV", "value": "x"}]},
	] {
		loading.makes_unknown(_workload, {"path": "c", "spec": spec})
	}
	not loading.makes_unknown(_workload, {"path": "c", "spec": {"command": ["node"]}})
}

_any_workload := {"object": testing.controllers([]), "place": {"spec": ["spec", "template", "spec"]}, "namespace": "agents"}

# What a script of bash loads, as it is quoted.
_texts(script) := [found.text | some found in loading.of(_any_workload, {"path": "c", "spec": {"command": ["bash", "-c", script]}})]

test_comparisons_are_no_commands if {
	every comparison in ["-gt 0", "-ge 0", "-lt 0", "-le 0", "-eq 0", "-ne 0", "-nt f", "-ot f", "-ef f", "= a", "== a", "!= a", "=~ a"] {
		_texts(sprintf("[[ -n $A && $B %s ]]", [comparison])) == []
		_texts(sprintf("[[ -n $A || \"${B}\" %s ]]\nexec node server.js", [comparison])) == []
	}
	every arguments in ["", " ", ";", " server.js", " -", " -n", " -n 1", " -e x", " -o x", " -x", " --gt", " -next", " -eqx", " ! -x", "\n", " && true"] {
		_texts(sprintf("true && $B%s", [arguments])) == ["$B"]
	}
}

test_outputs_that_are_no_commands if {
	every script in [
		"N=$(($RANDOM%10)); exit $N",
		"N=$(($(($RANDOM%10))%2)) && exit $N",
		"[ $(( $(date +%s) - start )) -gt 5 ] || exit 1",
		"(( $(date +%s) > 5 )) || exit 1",
		"disks=($(ls /dev))",
		"disks+=( $(ls /dev) )",
		"console.log(`token ${t}`)",
		"console.log(`port`)",
		"if [ ! \"$(hostname)\" = a ] || [[ ! $(hostname) = a ]]; then true; fi",
	] {
		_texts(script) == []
	}
	_texts("$(cat f)") == ["$(cat"]
	_texts("($(cat f))") == ["$(cat"]
	_texts("x $($(cat f))") == ["$($(cat"]
	_texts("( `cat f` )") == ["`cat"]
	_texts("`cat f`") == ["`cat"]
	_texts("true && \"$(cat f)\" x") == ["$(cat"]
	_texts("$( (cat f) )") == ["$( (cat"]
	_texts("if $(cat f); then true; fi") == ["if $(cat"]
	_texts("! $(cat f) || true") == ["$(cat"]
	_texts("if ! \"$(cat f)\"; then true; fi") == ["if ! \"$(cat"]
}

test_queries_are_no_scripts if {
	every client in ["mysql -h db", "psql", "/usr/bin/psql -d $D -X", "true && sqlite3 f"] {
		_texts(sprintf("%s <<EOF\nselect\n$(cat f),\nsource f\nEOF\nexec node server.js", [client])) == []
	}
	_texts("psql <<-'SQL' || exit 1\n\tselect\n. f\n\tSQL\ntrue") == []
	_texts("psql <<EOF\nselect\nEOF\n. f\nEOF") == [". f"]
	_texts("psql <<EOF\nselect\nEOF\n. f\n") == [". f"]
	_texts("psql <<EOF; . f\nselect\nEOF\n") == [". f"]
	_texts("psql <<EOF | sh\nselect\nEOF\n") == ["sh"]
	_texts("sh <<EOF\n. f\nEOF") == [". f"]
	_texts("psql -f x; sh <<EOF\n. f\nEOF") == [". f"]
	_texts("mypsql <<EOF\n. f\nEOF") == [". f"]
}

test_what_is_quoted if {
	_texts("source f x\n\nexec node server.js") == ["source f x"]
	_texts("alias a=\"${B}/c d\"\nexec node server.js") == ["alias a=\"${B}/c"]
}

test_two_clients_are_told if {
	_texts("psql <<A\nselect\nA\ncd /\nmysql <<B\n. f\nB") == []
}
