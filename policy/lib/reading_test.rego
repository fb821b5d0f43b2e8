package lib.reading_test

import data.lib.parameters
import data.lib.reading

_of_script(text) := reading.judged({"text": text, "script": true})

_changes(text) := change if {
	change := reading.change(_of_script(text))
} else := {}

# Each text with the piece that is quoted of it.
_sets := {
	"JANGAR_MIGRATIONS=auto node": "JANGAR_MIGRATIONS=auto",
	"JANGAR_MIGRATIONS+=x node": "JANGAR_MIGRATIONS+=x",
	": ${JANGAR_MIGRATIONS:=auto}": "${JANGAR_MIGRATIONS:=auto}",
	": ${JANGAR_MIGRATIONS=auto}": "${JANGAR_MIGRATIONS=auto}",
	"env -S'JANGAR_MIGRATIONS=auto node'": "-SJANGAR_MIGRATIONS=auto",
	"env -vS JANGAR_MIGRATIONS=auto node": "-vS JANGAR_MIGRATIONS=auto",
	"declare -x JANGAR_MIGRATIONS": "declare -x JANGAR_MIGRATIONS",
	"typeset JANGAR_MIGRATIONS": "typeset JANGAR_MIGRATIONS",
	"local JANGAR_MIGRATIONS": "local JANGAR_MIGRATIONS",
	"setenv JANGAR_MIGRATIONS auto": "setenv JANGAR_MIGRATIONS auto",
	"read -r A JANGAR_MIGRATIONS": "read -r A JANGAR_MIGRATIONS",
	"mapfile -t JANGAR_MIGRATIONS": "mapfile -t JANGAR_MIGRATIONS",
	"readarray JANGAR_MIGRATIONS": "readarray JANGAR_MIGRATIONS",
	"getopts ab JANGAR_MIGRATIONS": "getopts ab JANGAR_MIGRATIONS",
	"let JANGAR_MIGRATIONS++": "let JANGAR_MIGRATIONS++",
	"printf -v JANGAR_MIGRATIONS auto": "printf -v JANGAR_MIGRATIONS auto",
	"printf -vJANGAR_MIGRATIONS auto": "printf -vJANGAR_MIGRATIONS auto",
	"a; set -gx JANGAR_MIGRATIONS auto": "set -gx JANGAR_MIGRATIONS auto",
	"for JANGAR_MIGRATIONS in auto; do node; done": "for JANGAR_MIGRATIONS in auto",
	"select JANGAR_MIGRATIONS in auto; do node; done": "select JANGAR_MIGRATIONS in auto",
	"Set-Item -Path env:JANGAR_MIGRATIONS -Value auto": "Set-Item -Path env:JANGAR_MIGRATIONS -Value",
	"si Env:JANGAR_MIGRATIONS auto": "si Env:JANGAR_MIGRATIONS auto",
	"New-Item ENV:JANGAR_MIGRATIONS": "New-Item ENV:JANGAR_MIGRATIONS",
	"$Env:JANGAR_MIGRATIONS = 'auto'": "$Env:JANGAR_MIGRATIONS =",
	"$env:JANGAR_MIGRATIONS += 'auto'": "$env:JANGAR_MIGRATIONS +=",
	"process.env.JANGAR_MIGRATIONS = 'auto'": ".JANGAR_MIGRATIONS = auto",
	"process.env.JANGAR_MIGRATIONS ||= 'auto'": ".JANGAR_MIGRATIONS ||= auto",
	"process.env.JANGAR_MIGRATIONS ??= m": ".JANGAR_MIGRATIONS ??= m",
	"process.env.JANGAR_MIGRATIONS **= 2": ".JANGAR_MIGRATIONS **= 2",
	"process.env.JANGAR_MIGRATIONS += 2": ".JANGAR_MIGRATIONS += 2",
	"process.env.JANGAR_MIGRATIONS++": ".JANGAR_MIGRATIONS++",
	"process.env.JANGAR_MIGRATIONS --": ".JANGAR_MIGRATIONS --",
	"++process.env.JANGAR_MIGRATIONS": "++process.env.JANGAR_MIGRATIONS",
	"--process.env.JANGAR_MIGRATIONS": "--process.env.JANGAR_MIGRATIONS",
	"process.env['JANGAR_MIGRATIONS'] = 'auto'": "[JANGAR_MIGRATIONS] = auto",
	"process.env[\"JANGAR_MIGRATIONS\"] &&= \"auto\"": "[JANGAR_MIGRATIONS] &&= auto",
	"$ENV{JANGAR_MIGRATIONS} = 'auto'": "V{JANGAR_MIGRATIONS} = auto",
	"spawn('x', {env: {JANGAR_MIGRATIONS: 'auto'}})": "JANGAR_MIGRATIONS:",
	"spawn('x', {env: {['JANGAR_MIGRATIONS']: 'auto'}})": "[JANGAR_MIGRATIONS]:",
	"spawn('x', {env: {A: 1, JANGAR_MIGRATIONS : 'auto'}})": ", JANGAR_MIGRATIONS :",
	"os.environ.setdefault('JANGAR_MIGRATIONS', 'auto')": ".setdefault(JANGAR_MIGRATIONS,",
	"os.putenv('JANGAR_MIGRATIONS', 'auto')": ".putenv(JANGAR_MIGRATIONS,",
	"os.Setenv(\"JANGAR_MIGRATIONS\", \"auto\")": ".Setenv(JANGAR_MIGRATIONS,",
	"Reflect.set(process.env, 'JANGAR_MIGRATIONS', 'auto')": ".set(process.env, JANGAR_MIGRATIONS,",
	"Object.defineProperty(process.env, 'JANGAR_MIGRATIONS', x)": ".defineProperty(process.env, JANGAR_MIGRATIONS,",
	"export JANGAR_{A,MIGRATIONS}=auto": "JANGAR_{A,MIGRATIONS}=auto",
	"export {JANGAR_MIGRATIONS,A}=auto": "JANGAR_MIGRATIONS,A}=auto",
	"export JANGAR_MIGRATION{S,X}+=auto": "JANGAR_MIGRATION{S,X}+=auto",
	"export JANGAR_MIGRATIONS{,_X}=auto": "JANGAR_MIGRATIONS{,_X}=auto",
	"export JANGAR_MIGRATIONS{_X,}=auto@": "JANGAR_MIGRATIONS{_X,}=auto@",
}

test_what_sets if {
	every text, piece in _sets {
		_changes(text) == {"how": "sets", "text": piece}
	}
}

_removes := {
	"unset JANGAR_MIGRATIONS": "unset JANGAR_MIGRATIONS",
	"unset -v A JANGAR_MIGRATIONS": "unset -v A JANGAR_MIGRATIONS",
	"unset {A,JANGAR_MIGRATIONS}": "unset {A,JANGAR_MIGRATIONS}",
	"unset {JANGAR_MIGRATIONS}": "unset {JANGAR_MIGRATIONS}",
	"export -n JANGAR_MIGRATIONS": "export -n JANGAR_MIGRATIONS",
	"export -fn A JANGAR_MIGRATIONS": "export -fn A JANGAR_MIGRATIONS",
	"env A=1 -u JANGAR_MIGRATIONS": "env A=1 -u JANGAR_MIGRATIONS",
	"env -vuJANGAR_MIGRATIONS": "env -vuJANGAR_MIGRATIONS",
	"env -0S '-u JANGAR_MIGRATIONS'": "env -0S -u JANGAR_MIGRATIONS",
	"env -S-u_JANGAR_MIGRATIONS": "env -S-u_JANGAR_MIGRATIONS",
	"env --uns JANGAR_MIGRATIONS": "env --uns JANGAR_MIGRATIONS",
	"env A=1 --u=JANGAR_MIGRATIONS": "env A=1 --u=JANGAR_MIGRATIONS",
	"env --chdir=/app --split-string='--unset=JANGAR_MIGRATIONS'": "env --chdir=/app --split-string=--unset=JANGAR_MIGRATIONS",
	"dotenv --unset JANGAR_MIGRATIONS": "--unset JANGAR_MIGRATIONS",
	"bwrap --unsetenv JANGAR_MIGRATIONS": "--unsetenv JANGAR_MIGRATIONS",
	"delete process.env.JANGAR_MIGRATIONS": "delete process.env.JANGAR_MIGRATIONS",
	"del os.environ['JANGAR_MIGRATIONS']": "del os.environ[JANGAR_MIGRATIONS]",
	"os.environ.pop('JANGAR_MIGRATIONS', None)": ".pop(JANGAR_MIGRATIONS,",
	"os.Unsetenv('JANGAR_MIGRATIONS')": ".Unsetenv(JANGAR_MIGRATIONS)",
	"Reflect.deleteProperty(process.env, 'JANGAR_MIGRATIONS')": ".deleteProperty(process.env, JANGAR_MIGRATIONS)",
	"unset JANGAR_{A,MIGRATIONS}": "unset JANGAR_{A,MIGRATIONS}",
	"unset A JANGAR_{MIGRATIONS,A}": "unset A JANGAR_{MIGRATIONS,A}",
	"unset ${!JANGAR_@}": "unset ${!JANGAR_@}",
	"unset A ${!JANGAR_MIGRATIONS*}": "unset A ${!JANGAR_MIGRATIONS*}",
	"unset ${!J*}": "unset ${!J*}",
}

test_what_removes if {
	every text, piece in _removes {
		_changes(text) == {"how": "removes", "text": piece}
	}
}

_clears := {
	"env -i node": "env -i node",
	"env - node": "env - node",
	"env -0i node": "env -0i node",
	"env --ignore-env node": "env --ignore-env node",
	"env --i node": "env --i node",
	"env -S '-i node'": "env -S -i node",
	"env -u A -C /app -uB -C/ --unset=A --chdir=/ --debug --null --unset A --chdir / -v -i node": concat(" ", [
		"env -u A -C /app -uB -C/ --unset=A --chdir=/ --debug --null",
		"--unset A --chdir / -v -i node",
	]),
	"exec -c node": "exec -c node",
	"then exec -cl node": "then exec -cl node",
	"do exec -l -a n -lc node": "do exec -l -a n -lc node",
	"a && exec -la n -c node": "exec -la n -c node",
	"bash -c 'exec -c node'": "-c exec -c node",
	"su - node": "su - node",
	"su -l node": "su -l node",
	"su -m -s /bin/sh --login node": "su -m -s /bin/sh --login node",
	"su node -l": "su node -l",
	"su -c x - node": "su -c x - node",
	"su -s /bin/sh -c x -l node; a": "su -s /bin/sh -c x -l node",
	"su -s /bin/sh -c x --login node": "su -s /bin/sh -c x --login node",
	"runuser -l node": "runuser -l node",
	"runuser -u node - a": "runuser -u node - a",
	"runuser -s /bin/sh node --login": "runuser -s /bin/sh node --login",
	"sudo node x": "sudo node",
	"/usr/bin/sudo -n -u node A=1 --login node": "/usr/bin/sudo -n -u node",
	"sudo -E --preserve-env=A node": "sudo -E --preserve-env=A",
	"setpriv --reuid 1 --reset-env node": "setpriv --reuid 1 --reset-env node",
	"bwrap --a --clearenv node": "bwrap --a --clearenv node",
	"doas node": "doas node",
	"/usr/bin/doas -u a node": "/usr/bin/doas -u",
	"process.env = {}": "process.env = {}",
	"os.environ.clear()": ".environ.clear",
	"%ENV = ()": "%ENV =",
}

test_what_clears if {
	every text, piece in _clears {
		_changes(text) == {"how": "clears", "text": piece}
	}
}

test_what_is_no_change if {
	every text in [
		"MY_JANGAR_MIGRATIONS=auto node", "A_{JANGAR,B}_MIGRATIONS=auto", "export MODE=$JANGAR_MIGRATIONS",
		"[ \"$JANGAR_MIGRATIONS\" = skip ]", "if (process.env.JANGAR_MIGRATIONS == 'skip') run()",
		"if (a[JANGAR_MIGRATIONS] === 'skip') run()", "print(os.environ{JANGAR_MIGRATIONS} =~ x)",
		"unset JANGAR_MIGRATIONS_TABLE", "unset ${!JANGAR_MIGRATIONS_@}", "unset ${!A@}", "unset A{B,C}",
		"env -u JANGAR_MIGRATIONS_TABLE node", "env -u A node -i", "env node -i", "my-env -i node",
		"exec node -c", "execute -c node", "npm exec -c node", "exec -a n node -c x",
		"su node", "su node -c 'a -l'", "sum - a", "runuser -u node -- node", "sudo -E node", "sudo --preserve-env node",
		"sudo --preserve-env=A,JANGAR_MIGRATIONS node", "sudoers a", "su -w JANGAR_MIGRATIONS - node",
		"runuser --whitelist-environment=A,JANGAR_MIGRATIONS,B -l node",
		"setpriv --reuid 1 node --x", "bwrap --ro-bind / / node", "process.env == x", "ENV = 1",
		"a.set(process.env, 'B', JANGAR_MIGRATIONS_TABLE)", "console.log({ JANGAR_MIGRATIONS })", "environ.clearly(",
		"",
	] {
		_changes(text) == {}
	}
}

# The first that is found counts, and what sets goes before what clears.
test_one_change if {
	_changes("env -i JANGAR_MIGRATIONS=auto node").how == "sets"
	_changes("env -i node; unset JANGAR_MIGRATIONS").how == "removes"
	_changes("sudo -E node; JANGAR_MIGRATIONS=auto; su -w JANGAR_MIGRATIONS node") == {"how": "sets", "text": "JANGAR_MIGRATIONS=auto"}
}

test_the_variable_of_the_constraint if {
	_changes("A.B-C=auto node") == {"how": "sets", "text": "A.B-C=auto"} with parameters.env_var as "A.B-C"
	_changes("AxB-C=auto node") == {} with parameters.env_var as "A.B-C"
	_changes("unset {A.B,A.B-C}").how == "removes" with parameters.env_var as "A.B-C"
	_changes("JANGAR_MIGRATIONS=never node") == {} with parameters.skip_values as ["never"]
	_changes("JANGAR_MIGRATIONS=skip node").how == "sets" with parameters.skip_values as ["never", "a.b"]
	_changes("JANGAR_MIGRATIONS=axb node").how == "sets" with parameters.skip_values as ["never", "a.b"]
}

# What is left of a script behind each step of the reading.

test_comments if {
	every script, left in {
		"a # JANGAR_MIGRATIONS=auto\nb": "a \nb",
		"# a": "",
		"a;#b\nc": "a;\nc",
		"a '# b' \"# c\" \\# d": "a '# b' \"# c\" \\# d",
		"a \"\\\" # b\"": "a \"\\\" # b\"",
		"a#b ${#c}": "a#b ${#c}",
		"a|#b": "a|",
		"a&#b": "a&",
		"(#b": "(",
		"{#b; ${A%% #*}; ${A:- #b}": "{#b; ${A%% #*}; ${A:- #b}",
		"cat <<A\n# b\nA\nc # d": "\nc ",
		"node <<A\n# b\nA": "node <<A\n# b\nA",
	} {
		reading.without_comments(script) == left
	}
}

test_messages if {
	every script in [
		"cat <<END\nA=1\nEND\n", "cat <<-'END'\nA=1\n  END\n", "  cat >&2 <<\"END\" >&2\nA=1 $B\nEND",
		"cat << END\nEND2\nEND\n", "cat >&2 <<- END\nA\nEND",
	] {
		reading.without_comments(script) == "\n"
	}
	reading.without_comments("cat <<A\na\nA\nb\ncat <<B\nc\nB\n") == "\nb\n"
	every script in [
		"cat <<END > .env\nA=1\nEND\n", "cat <<END\n$(a)\nEND\n", "cat <<END\n`a`\nEND\n", "tac <<END\na\nEND\n",
		"cat <<END\na\nEND2\n",
	] {
		reading.without_comments(script) == script
	}
}

test_what_prints if {
	every script in [
		"echo JANGAR_MIGRATIONS=auto", "echo", "/bin/echo a", "logger a \"b $c\" 'd' \\$e ${f} >&2", "printf a b",
		"printf -- %s a", "printf '%s' a", "printf \"%s\" a", "if ! echo a; ", "then { echo a }", "elif echo a 2>&1; ",
		"else echo a > /dev/stderr; ", "do echo a >> /dev/fd/2;", "while echo a >/dev/null;", "until echo a || ",
		"x) echo a && ", "echo a )", "echo a >/dev/stdout", "echo a >/dev/tty", "echo a >/dev/pts/0\n", "echo 'a;b'",
		"echo a & ",
	] {
		trim_space(reading.spoken(script)) == ""
	}
	every script in [
		"echo a > .env", "echo a | sh", "echo $(a)", "echo `a`", "echo \"$(a)\"", "echo \"`a`\"", "printf -v a b",
		"printf '-v' a", "printf \"-v\" a", "xecho a", "echoes a", "echo <(a)", "echo $'a'", "echo a >/dev/sda",
		"printfs a", "loggers a", "echo $\"a\"",
	] {
		reading.spoken(script) == script
	}
	reading.spoken("echo a; node b\necho c") == " node b\n"
	reading.spoken("node <<A\necho a\nA") == "node <<A\necho a\nA"
	reading.spoken("echo a; node 'b") == " node 'b"
}

test_what_looks if {
	every script in [
		"grep -q ^JANGAR_MIGRATIONS=skip /proc/1/environ", "/bin/grep JANGAR_MIGRATIONS=a .env && ", "egrep JANGAR_MIGRATIONS=",
		"fgrep JANGAR_MIGRATIONS=", "zgrep JANGAR_MIGRATIONS=", "rg JANGAR_MIGRATIONS=", "[ -n JANGAR_MIGRATIONS=a ]", "[[ JANGAR_MIGRATIONS= ]]",
		"test JANGAR_MIGRATIONS=a = b", "if ! curl -d JANGAR_MIGRATIONS=a >/dev/null 2>&1; ", "wget --x=JANGAR_MIGRATIONS=", "true JANGAR_MIGRATIONS=",
		"grep JANGAR_MIGRATIONS < .env", "sudo chown a b", "doas -n /bin/chmod a", "sudo mkdir -p a", "sudo rm a\n", "sudo cp a b", "sudo mv a b",
		"sudo chgrp a b", "sudo ln a b", "sudo install a", "sudo touch a", "sudo tee a", "sudo sysctl a", "sudo mount a",
	] {
		trim_space(reading.unlooked(script)) == ""
	}
	every script in [
		"grep JANGAR_MIGRATIONS $(a)", "pgrep-x JANGAR_MIGRATIONS", "sudo node a",
		"grep JANGAR_MIGRATIONS .env > b", "sudo cpx a", "node <<A\ngrep JANGAR_MIGRATIONS\nA", "curl JANGAR_MIGRATIONS `a`",
	] {
		reading.unlooked(script) == script
	}
	reading.unlooked("grep JANGAR_MIGRATIONS a | cat") == " cat"
	reading.unlooked("grep a b") == "grep a b"
	reading.unlooked("grep JANGAR_MIGRATIONS b; node") == " node"
}

test_what_is_silent if {
	reading.silent("grep -q JANGAR_MIGRATIONS a || exit 1") == " exit 1"
	reading.silent("grep JANGAR_MIGRATIONS a | cat") == "grep JANGAR_MIGRATIONS a | cat"
	reading.silent("grep a b") == "grep a b"
	reading.silent("node <<A\ngrep JANGAR_MIGRATIONS a\nA") == "node <<A\ngrep JANGAR_MIGRATIONS a\nA"
	reading.silent("cat JANGAR_MIGRATIONS") == "cat JANGAR_MIGRATIONS"
}

test_what_is_harmless if {
	every script in [
		"${JANGAR_MIGRATIONS:?a b}", "${JANGAR_MIGRATIONS?}",
		"${JANGAR_MIGRATIONS:=skip}", "${JANGAR_MIGRATIONS=\"Off\"}", "${JANGAR_MIGRATIONS:='0'}",
		"JANGAR_MIGRATIONS=skip", "JANGAR_MIGRATIONS=\"$JANGAR_MIGRATIONS\"", "JANGAR_MIGRATIONS='SKIP'",
		"JANGAR_MIGRATIONS=${JANGAR_MIGRATIONS}", "JANGAR_MIGRATIONS=\"${JANGAR_MIGRATIONS:-skip}\"",
		"JANGAR_MIGRATIONS=${JANGAR_MIGRATIONS=skip}", "JANGAR_MIGRATIONS=\\\"skip\\\"",
		"-c 'JANGAR_MIGRATIONS=skip ", "-c\"JANGAR_MIGRATIONS=skip ",
		"echo \"JANGAR_MIGRATIONS=$JANGAR_MIGRATIONS\"",
		".JANGAR_MIGRATIONS = \"skip\"", "['JANGAR_MIGRATIONS'] ||= 'skip';", "[\"JANGAR_MIGRATIONS\"]='skip'",
		"[`JANGAR_MIGRATIONS`] ??= `off`", "{JANGAR_MIGRATIONS} &&= \"skip\"", "[\\\"JANGAR_MIGRATIONS\\\"] = \\\"skip\\\"",
		"console.log(\"JANGAR_MIGRATIONS=\" + process.env.JANGAR_MIGRATIONS)", "print(f\"JANGAR_MIGRATIONS={x}\")",
		"logger.info(`JANGAR_MIGRATIONS=${a}`)", "logging.warn('JANGAR_MIGRATIONS=' + str(a))",
		"console.error(JSON.stringify({JANGAR_MIGRATIONS: 'a'}))", "print(\\\"JANGAR_MIGRATIONS=\\\")",
		"print(a(\"b\", 1))",
	] {
		trim_space(reading.harmed(concat("", [script, _note]))) == trim_space(_note)
	}
	every script in [
		"${JANGAR_MIGRATIONS:?`a`}", "${JANGAR_MIGRATIONS:?$(a)}", "${JANGAR_MIGRATIONS:=auto}", "${JANGAR_MIGRATIONS:=skipper}",
		"JANGAR_MIGRATIONS=skipper", "XJANGAR_MIGRATIONS=skip", "JANGAR_MIGRATIONS=skip-", "JANGAR_MIGRATIONS=${JANGAR_MIGRATIONS:-auto}",
		"JANGAR_MIGRATIONS='$JANGAR_MIGRATIONS'", "echo \"JANGAR_MIGRATIONS=auto\"", ".JANGAR_MIGRATIONS = \"skip\" + a",
		".JANGAR_MIGRATIONS = \"auto\"", "['JANGAR_MIGRATIONS'] = a", "console.log(process.env.JANGAR_MIGRATIONS = 'auto')",
		"print(`${a = 1}`)", "console.log(\"JANGAR_MIGRATIONS", "println(\"a\")",
	] {
		reading.harmed(concat("", [script, _note])) == concat("", [script, _note])
	}
	reading.harmed("print(a)") == "print(a)"
}

# So that the variable is mentioned.
_note := "\nJANGAR_MIGRATIONS"

test_a_text_without_quotes if {
	reading.plain("a\\\nb \"c\" 'd' `e` \\f $\"g\" $'h'") == "ab c d  e  f g h"
}

test_words_and_scripts if {
	reading.judged({"text": "echo 'a=1'; node 'b' # c", "script": true}) == "echo a=1; node b # c"
	reading.judged({"text": "echo 'JANGAR_MIGRATIONS=1'; node 'b' # c", "script": true}) == " node b "
	reading.judged({"text": "echo 'a=1'; node 'b' # c", "script": false}) == "echo a=1; node b # c"
	reading.judged({"text": "JANGAR_MIGRATIONS=skip", "script": false}) == ""
	reading.judged({"text": " JANGAR_MIGRATIONS=SKIP", "script": false}) == ""
	reading.judged({"text": "JANGAR_MIGRATIONS=skipper", "script": false}) == "JANGAR_MIGRATIONS=skipper"
	reading.judged({"text": "x JANGAR_MIGRATIONS=skip", "script": false}) == "x JANGAR_MIGRATIONS=skip"
	reading.judged({"text": "JANGAR_MIGRATIONS=skip\n", "script": false}) == "JANGAR_MIGRATIONS=skip\n"
}

test_what_the_manifest_does_not_show if {
	every text, piece in {
		"\ue000A\ue001 node": "\ue000A\ue001",
		"a; \ue000A\ue001": "\ue000A\ue001",
		"env \ue000A\ue001 node": "env \ue000A\ue001",
		"exec env -u B C=1 \ue000A\ue001 node": "env -u B C=1 \ue000A\ue001",
	} {
		reading.hides(text, reading.hidden) == {"how": "hides", "text": piece}
	}
	every text in ["node \ue000A\ue001", "env node \ue000A\ue001", "A=\ue000A\ue001 node", ""] {
		not reading.hides(text, reading.hidden)
	}
}

test_variables_that_are_run if {
	every script, want in {
		"$A": {"A"},
		"a; \"$A\" b": {"A"},
		"exec ${A}; b": {"A"},
		"if $A; then b; fi": {"A"},
		"eval \"a$A; b\" $B": {"A", "B"},
		"sh -c \"$A\"": {"A"},
		"bash -ec 'x' ${A}": {"A"},
		"env $A node": {"A"},
		"/usr/bin/env A=$B node": set(),
		"export $A": {"A"},
		"export A=$B": set(),
		"declare $A": {"A"},
		"typeset $A": {"A"},
		"unset ${A}": {"A"},
		"node $A": set(),
		"A=$B": set(),
		"$A/b": set(),
		"# $A": set(),
		"eval a": set(),
	} {
		{name |
			some command in reading.commands_of_variables(script)
			some name in reading.variables_run(command)
		} == want
	}
	reading.commands_of_variables("eval a") == []
	reading.commands_of_variables("a $b; eval $c") == [" eval $c"]
}

test_lists_that_stand_there if {
	every script in ["for a in b c; do", "x; for a in b\ndo", "x&for a in b;", "x|for a in b;", "for  a  in  b;"] {
		reading.is_listed(script, "a")
	}
	every script in ["for b in c; do", "for a in $b; do", "for a in `b`; do", "xfor a in b;", "for a in b", ""] {
		not reading.is_listed(script, "a")
	}
}

test_files_that_are_loaded if {
	every script in [". /a/b.sh", "x; source /a/b.sh", ". '/a/b.sh' c", ". \"/a/b.sh\"; c", ". /a/b.sh)", ". /a/b.sh|c"] {
		regex.match(reading.loads_file("/a/b.sh"), script)
	}
	every script in [". /a/bxsh", "x . /a/b.sh", "sh /a/b.sh", ". /a/b.sh2", "./a/b.sh"] {
		not regex.match(reading.loads_file("/a/b.sh"), script)
	}
}

test_files_that_are_run if {
	every script in [
		"/a/b.sh", "x && /a/b.sh c", "exec '/a/b.sh'", ". /a/b.sh", "source /a/b.sh", "sh /a/b.sh", "/bin/bash -e -u /a/b.sh",
		"dash /a/b.sh", "ksh /a/b.sh", "zsh /a/b.sh", "ash /a/b.sh;", "node /a/b.sh", "python3.12 /a/b.sh", "perl /a/b.sh", "env \"/a/b.sh\"",
	] {
		regex.match(reading.runs_file("/a/b.sh"), script)
	}
	every script in ["/a/bxsh", "cat /a/b.sh", "/a/b.sh2", "x /a/b.sh", "/x/a/b.sh", ""] {
		not regex.match(reading.runs_file("/a/b.sh"), script)
	}
}

test_expressions_for_other_languages if {
	reading.translated("<NAME>~SKIP ^^a") == concat("", [
		"(?:^|[^A-Za-z0-9_$])JANGAR_MIGRATIONS(?:$|[^A-Za-z0-9_])[^;&|\\n]*(?i:skip|disabled|false|0|off) ",
		`(?:^|[;&|\n({!]|-[a-zA-Z]*c\s|(?:^|[^A-Za-z0-9_$])`,
		`(?:then|do|else|if|while|until|elif|exec|command|nohup|time)\s)\s*a`,
	])
	object.keys(reading.expressions) == {
		"script_flag", "variable_name", "interpreter", "printer", "guard", "odd", "escaped_quote", "message", "comment", "simple", "may_print", "prints",
		"looked_for", "looks", "harmless", "whole", "kept", "hidden", "hidden_from_env", "runs_variables",
	}
	every expression in reading.expressions {
		regex.is_valid(expression)
	}
	object.keys(reading.patterns) == {"sets", "removes", "clears"}
	every groups in reading.patterns {
		every group in groups {
			object.keys(group) == {"needs", "pattern"}
			regex.is_valid(group.pattern)
		}
	}
}

test_comments_beside_backticks_stay if {
	reading.without_comments("x `a` y # c") == "x `a` y # c"
	reading.without_comments("x a y # c") == "x a y "
}

# Each leaves out nothing, for the text behind it may be read otherwise.
_odd := [
	"echo JANGAR_MIGRATIONS=1 <<A", "echo JANGAR_MIGRATIONS=1 $'\\''", "echo $[JANGAR_MIGRATIONS=1]", "echo ${a[1 + JANGAR_MIGRATIONS=1]}",
	"[[ JANGAR_MIGRATIONS=1 -eq 1 ]]", "[[ x+JANGAR_MIGRATIONS=1 -lt 1 ]]", "[[ 1 -gt JANGAR_MIGRATIONS=1 ]]", "[ 1 -ne 1+JANGAR_MIGRATIONS=1 ]",
]

test_where_quotes_are_not_followed if {
	every script in _odd {
		reading.spoken(script) == script
		reading.unlooked(script) == script
		reading.silent(script) == script
		reading.without_comments(sprintf("%s # c", [script])) == sprintf("%s # c", [script])
	}
	every script in [
		"echo [JANGAR_MIGRATIONS=1]", "echo ${a[$JANGAR_MIGRATIONS]} JANGAR_MIGRATIONS=1",
		"echo ${a[\"JANGAR_MIGRATIONS\"]}", "echo ${a[0]}JANGAR_MIGRATIONS=1", "echo [[ JANGAR_MIGRATIONS=1 ]]",
	] {
		reading.spoken(script) == ""
		reading.without_comments(sprintf("%s # c", [script])) == sprintf("%s ", [script])
	}
	reading.without_comments("JANGAR_MIGRATIONS=1 $'a' # c") == "JANGAR_MIGRATIONS=1 $'a' "
	reading.unlooked("[[ ${#JANGAR_MIGRATIONS} -eq 4 ]]") == ""
	reading.unlooked("[[ 4 -eq ${#JANGAR_MIGRATIONS} ]]") == ""
	reading.without_comments("cat <<A\nb\nA\n: $'\\''") == "cat <<A\nb\nA\n: $'\\''"
	reading.without_comments(": \"\ncat <<A\n\"; b\nA\n") == ": \"\ncat <<A\n\"; b\nA\n"
	reading.without_comments(": \"a\"\ncat <<A\nb\nA\nc") == ": \"a\"\nc"
}

test_what_is_made_a_text if {
	every name in ["JSON.stringify", "String", "str", "repr", "len", "get", "getenv"] {
		reading.harmed(sprintf("print(%s(\"JANGAR_MIGRATIONS=1\"))", [name])) == " "
		reading.harmed(sprintf("print(%s ('JANGAR_MIGRATIONS=1', a))", [name])) == " "
	}
	every script in ["print(exec(\"JANGAR_MIGRATIONS=1\"))", "console.log(eval('JANGAR_MIGRATIONS=1'))", "print(xstr(\"JANGAR_MIGRATIONS=1\"))"] {
		reading.harmed(script) == script
	}
	reading.harmed("print(a('JANGAR_MIGRATIONS'))") == " "
}
