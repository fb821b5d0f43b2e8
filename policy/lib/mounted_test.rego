package lib.mounted_test

import data.lib.document
import data.lib.loading
import data.lib.mounted
import data.lib.testing

_workload := {
	"object": {"spec": {"volumes": [
		{"name": "scripts", "configMap": {"name": "scripts"}},
		{"name": "both", "projected": {"sources": [
			{"secret": {"name": "scripts"}}, {"configMap": {"name": "scripts"}},
			{"configMap": "x"}, {"configMap": {"name": "other", "items": [{"key": "b", "path": "sub/b.sh"}, {"key": "c"}, {"key": "e", "path": "x/sub/e"}, "x"]}},
		]}},
		{"name": "secret", "secret": {"secretName": "scripts"}},
		{"name": "string", "configMap": "scripts"},
		"x",
	]}},
	"namespace": "agents",
	"place": {"template": [], "spec": ["spec"]},
}

_config_map(name, data_of_it) := {"kind": "ConfigMap", "metadata": {"name": name, "namespace": "agents"}, "data": data_of_it}

_beside := [
	_config_map("scripts", {"start.sh": "unset JANGAR_MIGRATIONS\n", "a": 5}),
	_config_map("other", {"b": ". /x", "c": "d", "e": "f"}),
	{"kind": "Rollout", "metadata": {"name": "scripts"}, "data": {"start.sh": "rollout"}},
]

_target(beside) := {"target": {"object": {}, "beside": beside}}

_files(mounts, beside) := {[file.path, file.text, file.place] |
	some file in mounted.files(_workload, {"volumeMounts": mounts}) with input as _target(beside)
}

_unset := "unset JANGAR_MIGRATIONS\n"

test_files if {
	_files([{"name": "scripts", "mountPath": "/scripts"}], _beside) == {["/scripts/start.sh", _unset, "data[\"start.sh\"] of ConfigMap/scripts"]}
	_files([{"name": "scripts", "mountPath": "/scripts/", "subPath": ""}], _beside) == {[
		"/scripts/start.sh", _unset,
		"data[\"start.sh\"] of ConfigMap/scripts",
	]}
	_files([{"name": "both", "mountPath": "/x"}], _beside) == {
		["/x/start.sh", _unset, "data[\"start.sh\"] of ConfigMap/scripts"],
		["/x/sub/b.sh", ". /x", "data[\"b\"] of ConfigMap/other"],
		["/x", "d", "data[\"c\"] of ConfigMap/other"],
		["/x/x/sub/e", "f", "data[\"e\"] of ConfigMap/other"],
	}
}

test_a_file_by_its_sub_path if {
	{path | some [path, _, _] in _files([{"name": "scripts", "mountPath": "/start", "subPath": "start.sh"}], _beside)} == {"/start"}
	{path | some [path, _, _] in _files([{"name": "both", "mountPath": "/y/", "subPath": "sub"}], _beside)} == {"/y/b.sh"}
	{path | some [path, _, _] in _files([{"name": "both", "mountPath": "/y/", "subPath": "sub/b.sh"}], _beside)} == {"/y"}
	_files([{"name": "scripts", "mountPath": "/start", "subPath": "start"}], _beside) == set()
}

test_what_is_no_file if {
	every mount in [
		{"name": "secret", "mountPath": "/x"}, {"name": "string", "mountPath": "/x"}, {"name": "none", "mountPath": "/x"},
		{"mountPath": "/x"}, {"name": "scripts"}, "scripts",
	] {
		_files([mount], _beside) == set()
	}
	_files([{"name": "scripts", "mountPath": "/x"}], []) == set()
	_files([{"name": "scripts", "mountPath": "/x"}], [object.union(_beside[0], {"kind": "Secret"})]) == set()
	_files([{"name": "scripts", "mountPath": "/x"}], [object.union(_beside[0], {"metadata": {"namespace": "other"}})]) == set()
	_files([{"name": "scripts", "mountPath": "/x"}], [object.union(_beside[0], {"data": "x"})]) == set()
	count(_files([{"name": "scripts", "mountPath": "/x"}], [object.union(_beside[0], {"metadata": {"namespace": ""}})])) == 1
	mounted.files(_workload, {}) == []
}

_container(command) := {"path": "c", "spec": {
	"command": command,
	"volumeMounts": [{"name": "scripts", "mountPath": "/s"}],
}}

_runs := [
	["/s/start.sh"], ["sh", "/s/start.sh"], ["/bin/bash", "-e", "/s/start.sh", "x"], ["sh", "-c", "exec /s/start.sh"],
	["sh", "-c", ". /s/start.sh; node"], ["sh", "-c", "echo a; sh -e /s/start.sh"], ["env", "sh", "/s/start.sh"],
]

_runs_not := [
	["cat", "/s/start.sh"], ["node", "server.js", "/s/start.sh"], ["sh", "-c", "echo /s/start.sh"], ["sh", "-c", "# /s/start.sh"],
	["sh", "-c", "cat /s/start.sh"], ["/s/start.sh2"], ["x", ". /s/start.sh"], [],
]

test_files_that_are_run if {
	every command in _runs {
		[[file.path, file.by] | some file in mounted.run(_workload, _container(command)) with input as _target(_beside)] == [[
			"/s/start.sh",
			sprintf("c.command[%d]", [[i | some i, word in command; contains(word, "/s/start.sh")][0]]),
		]]
	}
	[found |
		some command in _runs
		some found in mounted.unrun(_workload, _container(command)) with input as _target(_beside)
	] == []
	[found |
		some command in _runs_not
		some found in mounted.run(_workload, _container(command)) with input as _target(_beside)
	] == []
	hook := {"path": "c", "spec": object.union(
		_container(["node"]).spec,
		{"lifecycle": {"preStop": {"exec": {"command": ["/s/start.sh"]}}}},
	)}
	[file.by | some file in mounted.run(_workload, hook) with input as _target(_beside)] == ["c.lifecycle.preStop.exec.command[0]"]
}

_prints := _target([_config_map("scripts", {"start.sh": "echo JANGAR_MIGRATIONS=auto"})])

test_changes if {
	mounted.changes(_workload, _container(["/s/start.sh"])) == [{
		"path": "c.command[0]",
		"says": "removes_in_a_file",
		"text": "unset JANGAR_MIGRATIONS",
		"source": "data[\"start.sh\"] of ConfigMap/scripts",
	}] with input as _target(_beside)
	mounted.changes(_workload, _container(["node"])) == [] with input as _target(_beside)
	mounted.changes(_workload, _container(["/s/start.sh"])) == [] with input as _prints
}

test_changes_that_nothing_runs if {
	unrun := {
		"path": "c",
		"text": "unset JANGAR_MIGRATIONS",
		"source": "data[\"start.sh\"] of ConfigMap/scripts",
	}
	mounted.unrun(_workload, _container(["node"])) == [unrun] with input as _target(_beside)
	loading.of(_workload, _container(["node"])) == [object.union(unrun, {"says": "not_run"})] with input as _target(_beside)
	mounted.unrun(_workload, _container(["node"])) == [] with input as _prints
}

_loads_file := _target([_config_map("scripts", {"start.sh": "node", "more.sh": ". /x"})])

test_files_that_load if {
	load := {"path": "c.command[2]", "says": "loads", "text": ". /x", "source": ""}
	loading.of(_workload, _container(["sh", "-c", ". /s/more.sh"])) == [load] with input as _loads_file
	loading.of(_workload, _container(["sh", "-c", "cat /s/more.sh"])) == [] with input as _loads_file
	loading.of(_workload, _container(["node"])) == [] with input as _loads_file
	both := {"path": "c", "spec": object.union(
		_container(["sh", "-c", ". /s/more.sh"]).spec,
		{"livenessProbe": {"exec": {"command": ["sh", "-c", ". /s/start.sh"]}}},
	)}
	loading.of(_workload, both) == [load] with input as _loads_file
}

# What is read is not doubted too.
test_files_that_are_loaded_and_read if {
	every script in [". /s/start.sh", ". /s/start.sh; source /s/start.sh\nnode", "source '/s/start.sh' && node"] {
		loading.of(_workload, _container(["sh", "-c", script])) == [] with input as _loads_file
		loading.of(_workload, _container(["sh", "-c", script])) == [] with input as _prints
		count(loading.of(_workload, _container(["sh", "-c", script]))) == 1 with input as _target([])
	}
	loading.of(_workload, _container(["x", ". /s/start.sh"])) == [] with input as _loads_file
	[found.text | some found in loading.of(_workload, _container(["sh", "-c", ". /s/start.sh\n. /y"])) with input as _loads_file] == [". /y"]
	twice := ". /s/start.sh\n. /s/start.sh\n. /y"
	[found.text | some found in loading.of(_workload, _container(["sh", "-c", twice])) with input as _loads_file] == [". /y"]
	word := ". /s/start.sh JANGAR_MIGRATIONS: auto"
	[found.text | some found in loading.of(_workload, _container(["x", word])) with input as _loads_file] == [word]
}

test_the_mode_is_unknown if {
	loading.makes_unknown(_workload, _container(["/s/start.sh"])) with input as _target(_beside)
	loading.makes_unknown(_workload, _container(["node"])) with input as _target(_beside)
	not loading.makes_unknown(_workload, _container(["/s/start.sh"])) with input as _target([])
}

test_paths if {
	mounted.paths(_workload, _container([]).spec) == {"/s/start.sh"} with input as _target(_beside)
}

_start_map := {"kind": "ConfigMap", "metadata": {"name": "files"}, "data": {"start": "export JANGAR_MIGRATIONS=auto"}}

# The words by which a container runs /config/start from a ConfigMap.
_by_of(fields) := [file.by |
	container := object.union({"name": "app", "volumeMounts": [{"name": "files", "mountPath": "/config"}]}, fields)
	deployment := object.union(testing.controllers([container]), {"spec": {"template": {"spec": {"volumes": [{"name": "files", "configMap": {"name": "files"}}]}}}})
	workload := {"object": deployment, "place": {"spec": ["spec", "template", "spec"]}, "namespace": "agents"}
	some file in mounted.run(workload, {"path": "c", "spec": container}) with document.beside as [_start_map]
]

test_files_that_are_run if {
	_by_of({"command": ["/config/start"]}) == ["c.command[0]"]
	_by_of({"command": ["sh", "/config/start"]}) == ["c.command[1]"]
	_by_of({"command": ["bash", "-e", "/config/start"]}) == ["c.command[2]"]
	_by_of({"args": ["/config/start"]}) == ["c.args[0]"]
	_by_of({"args": ["-e", "/config/start"]}) == ["c.args[1]"]
	_by_of({"args": ["--no-conf", "-x", "/config/start"]}) == ["c.args[2]"]
}

test_files_of_settings_are_not_run if {
	every option in ["-conf", "-config", "--config", "--cfg", "--config.file", "--config-file", "--config_path", "--app.config", "--configFile", "--Config"] {
		_by_of({"args": [option, "/config/start"]}) == []
		_by_of({"command": ["node", option, "/config/start"]}) == []
	}
	every option in ["--xconfig", "--configure", "-c", "--conf=x"] {
		_by_of({"args": [option, "/config/start"]}) == ["c.args[1]"]
	}
}

test_files_that_are_not_run_one_by_one if {
	mounted.run(_workload, _container(["node", "server.js", "/s/start.sh"])) == [] with input as _target(_beside)
	mounted.run(_workload, _container(["cat", "/s/start.sh"])) == [] with input as _target(_beside)
	mounted.unrun(_workload, _container(["/s/start.sh"])) == [] with input as _target(_beside)
}
