package main_test

import data.lib.parameters
import data.lib.testing
import data.main

# Codes of results with their paths, for tables where the texts are not the point.
_found(results) := {[result.details.code, result.details.path] | some result in results}

_env := sprintf("%s.env", [testing.first])

test_allows_a_good_controllers_workload if {
	main.violation == set() with input as testing.with_value("skip")
	main.warn == set() with input as testing.with_value("skip")
}

# CNM000

_broken_constraint := testing.constraint({"parameters": {"envvar": "X"}})

_unusable := {
	"path": "",
	"message": concat(" ", [
		"The constraint cannot be used: spec.parameters.envvar is not a parameter. Is envVar meant?",
		sprintf("Use one of %s.", [concat(", ", object.keys(parameters.values))]),
	]),
	"remedy": "Repair the constraint. Until then every workload is denied.",
}

test_denies_cnm000_every_workload if {
	list := {
		"apiVersion": "v1",
		"kind": "List",
		"items": [testing.with_value("auto"), testing.control_plane([]), {"kind": "ConfigMap"}],
	}
	main.violation == {
		testing.denial_of("CNM000", "Deployment/agents-controllers", "agents", _unusable),
		testing.denial_of("CNM000", "Deployment/agents", "agents", _unusable),
	} with input as list
		with data.kind as _broken_constraint.kind
		with data.apiVersion as _broken_constraint.apiVersion
		with data.spec as _broken_constraint.spec
	main.warn == set() with input as list
		with data.kind as _broken_constraint.kind
		with data.apiVersion as _broken_constraint.apiVersion
		with data.spec as _broken_constraint.spec
}

test_denies_cnm000_also_under_warn if {
	main.violation == {testing.denial_of("CNM000", "Deployment/agents-controllers", "agents", _unusable)} with input as testing.with_value("auto")
		with data.kind as _broken_constraint.kind
		with data.apiVersion as _broken_constraint.apiVersion
		with data.spec as object.union(_broken_constraint.spec, {"enforcementAction": "warn"})
}

test_denies_cnm000_what_cannot_be_read if {
	main.violation == {testing.denial_of("CNM000", "List/", "", _unusable)} with input as {"kind": "List", "items": {"a": 1}}
		with data.kind as _broken_constraint.kind
		with data.apiVersion as _broken_constraint.apiVersion
		with data.spec as _broken_constraint.spec
}

test_denies_cnm000_in_a_review if {
	main.violation == {testing.denial_of("CNM000", "Deployment/agents-controllers", "agents", _unusable)} with input as {
		"review": {"object": testing.with_value("skip")},
		"parameters": {"envvar": "X"},
	}
}

test_denies_cnm000_and_names_every_problem if {
	found := object.union(_unusable, {"message": concat(" ", [
		"The constraint cannot be used:",
		"spec.parameters.controllers is empty. Name at least one, or leave the key out to use the default.",
		"spec.parameters.skipValues is empty. Name at least one, or leave the key out to use the default.",
	])})
	main.violation == {testing.denial_of("CNM000", "Deployment/agents-controllers", "agents", found)} with input as {
		"review": {"object": testing.with_value("skip")},
		"parameters": {"controllers": [], "skipValues": []},
	}
}

test_allows_cnm000_a_good_constraint if {
	constraint := testing.constraint({"parameters": {"envVar": "JANGAR_MIGRATIONS"}})
	main.violation == set() with input as testing.with_value("skip")
		with data.kind as constraint.kind
		with data.apiVersion as constraint.apiVersion
		with data.spec as constraint.spec
}

test_missing_cnm000_constraint_without_spec if {
	found := object.union(_unusable, {"message": concat(" ", [
		"The constraint cannot be used: The constraint has no spec.",
		"Add spec, with enforcementAction, match or parameters where the defaults do not fit.",
	])})
	main.violation == {testing.denial_of("CNM000", "Deployment/agents-controllers", "agents", found)} with input as testing.with_value("skip")
		with data.kind as _broken_constraint.kind
		with data.apiVersion as _broken_constraint.apiVersion
}

# CNM001

test_denies_cnm001_another_variable if {
	main.violation == {testing.undeclared} with input as testing.controllers([testing.container([{
		"name": "PORT",
		"value": "80",
	}])])
}

test_denies_cnm001_in_each_kind_of_container if {
	pod := {
		"containers": [testing.good],
		"initContainers": [{"name": "init"}],
		"ephemeralContainers": [{"name": "debug"}],
	}
	workload := object.union(testing.controllers([]), {"spec": {"template": {"spec": pod}}})
	_found(main.violation) == {
		["CNM001", "spec.template.spec.initContainers[0].env"],
		["CNM001", "spec.template.spec.ephemeralContainers[0].env"],
	} with input as workload
}

test_denies_cnm001_env_from_might_set_it if {
	main.violation == {testing.denial("CNM001", {
		"path": _env,
		"message": concat("", [
			_env, " does not declare JANGAR_MIGRATIONS. envFrom (configMapRef name \"settings\", secretRef name \"keys\")",
			" might set it, which the manifest does not prove.",
		]),
		"remedy": testing.declare_it,
	})} with input as testing.controllers([{
		"name": "app",
		"envFrom": [{"prefix": "A_", "configMapRef": {"name": "settings"}}, {"secretRef": {"name": "keys"}}],
	}])
}

test_denies_cnm001_one_env_from_might_set_it if {
	main.violation == {testing.denial("CNM001", {
		"path": _env,
		"message": concat("", [
			_env, " does not declare JANGAR_MIGRATIONS. envFrom (secretRef name \"keys\")",
			" might set it, which the manifest does not prove.",
		]),
		"remedy": testing.declare_it,
	})} with input as testing.controllers([{"name": "app", "envFrom": [{"secretRef": {"name": "keys"}}]}])
}

test_denies_cnm001_and_names_a_look_alike if {
	main.violation == {testing.denial("CNM001", {
		"path": _env,
		"message": concat("", [
			_env, " does not declare JANGAR_MIGRATIONS, so the service migrates.",
			" env[1] declares \"JANGAR_MIGRATION\", which is another variable.",
		]),
		"remedy": concat("", [
			testing.declare_it,
			" If the service reads that other variable, name it in the constraint as envVar.",
		]),
	})} with input as testing.controllers([testing.container([
		{"name": "AGENTS_MIGRATIONS", "value": "skip"},
		{"name": "JANGAR_MIGRATION", "value": "skip"},
	])])
}

test_allows_cnm001_an_exempt_image if {
	constraint := testing.constraint({"parameters": {"exemptImages": ["registry.example.com/*"]}})
	main.violation == set() with input as testing.controllers([testing.container([])])
		with data.kind as constraint.kind
		with data.apiVersion as constraint.apiVersion
		with data.spec as constraint.spec
}

test_allows_cnm001_other_workloads if {
	main.violation == set() with input as testing.control_plane([testing.container([])])
}

test_missing_cnm001_no_env if {
	main.violation == {testing.undeclared} with input as testing.controllers([{"name": "app"}])
	main.violation == {testing.undeclared} with input as testing.controllers([{"name": "app", "env": null, "envFrom": null}])
	main.violation == {testing.undeclared} with input as testing.controllers([{"name": "app", "env": [], "envFrom": []}])
}

# CNM002

_says_auto(path, what) := testing.denial("CNM002", {
	"path": sprintf("%s.%s", [testing.first, path]),
	"message": sprintf("JANGAR_MIGRATIONS in %s.env[0] %s, so the service migrates.", [testing.first, what]),
	"remedy": testing.set_it,
})

test_denies_cnm002_auto if {
	main.violation == {_says_auto("env[0].value", "is \"auto\"")} with input as testing.with_value("auto")
	main.violation == {_says_auto("env[0].value", "is \" AUTO\"")} with input as testing.with_value(" AUTO")
}

test_denies_cnm002_a_typo if {
	main.violation == {_says_auto("env[0].value", "is \"skpi\", which is not a skip value")} with input as testing.with_value("skpi")
	main.violation == {_says_auto("env[0].value", "is \"true\", which is not a skip value")} with input as testing.with_value("true")
}

test_denies_cnm002_an_escaped_reference if {
	main.violation == {_says_auto("env[0].value", "is \"$$(MODE)\", which is not a skip value")} with input as testing.with_value("$$(MODE)")
}

test_denies_cnm002_beside_value_from if {
	both := {"name": "JANGAR_MIGRATIONS", "value": "auto", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}
	{code | some [code, _] in _found(main.violation)} == {"CNM002", "CNM003", "CNM004"} with input as testing.controllers([testing.container([both])])
}

test_denies_cnm002_under_warn_and_dryrun_as_a_warning if {
	every action in ["warn", "dryrun"] {
		constraint := testing.constraint({"enforcementAction": action})
		expected := testing.about_container("CNM002", "warn", action, "app", {
			"path": sprintf("%s[0].value", [_env]),
			"message": sprintf("JANGAR_MIGRATIONS in %s[0] is \"auto\", so the service migrates.", [_env]),
			"remedy": testing.set_it,
		})
		main.warn == {expected} with input as testing.with_value("auto")
			with data.kind as constraint.kind
			with data.apiVersion as constraint.apiVersion
			with data.spec as constraint.spec
		main.violation == set() with input as testing.with_value("auto")
			with data.kind as constraint.kind
			with data.apiVersion as constraint.apiVersion
			with data.spec as constraint.spec
	}
}

test_allows_cnm002_every_skip_value if {
	every value in ["skip", "disabled", "false", "0", "off", " SKIP\n"] {
		main.violation == set() with input as testing.with_value(value)
	}
}

test_allows_cnm002_auto_in_a_control_plane if {
	main.violation == set() with input as testing.control_plane([testing.container([testing.entry("auto")])])
	main.warn == set() with input as testing.control_plane([testing.container([testing.entry("auto")])])
}

test_missing_cnm002_no_value if {
	main.violation == {_says_auto("env[0]", "has no value")} with input as testing.controllers([testing.container([{"name": "JANGAR_MIGRATIONS"}])])
	main.violation == {_says_auto("env[0].value", "has no value")} with input as testing.with_value(null)
	main.violation == {_says_auto("env[0].value", "has no value")} with input as testing.with_value("")
}

# CNM003

_from(path, what) := testing.denial("CNM003", {
	"path": sprintf("%s[0].%s", [_env, path]),
	"message": sprintf("JANGAR_MIGRATIONS in %s[0] comes from %s, which the manifest does not prove.", [_env, what]),
	"remedy": "Remove valueFrom. Set it to value: \"skip\".",
})

_value_from(source) := testing.controllers([testing.container([{"name": "JANGAR_MIGRATIONS", "valueFrom": source}])])

test_denies_cnm003_value_from if {
	main.violation == {_from("valueFrom", "secretKeyRef name \"db\" key \"mode\"")} with input as _value_from({"secretKeyRef": {"name": "db", "key": "mode"}})
	main.violation == {_from("valueFrom", "fieldRef fieldPath \"metadata.name\"")} with input as _value_from({"fieldRef": {"fieldPath": "metadata.name"}})
}

test_denies_cnm003_value_from_beside_an_empty_value if {
	entry := {"name": "JANGAR_MIGRATIONS", "value": "", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}
	main.violation == {_from("valueFrom", "configMapKeyRef name \"c\" key \"k\"")} with input as testing.controllers([testing.container([entry])])
}

test_denies_cnm003_a_reference if {
	main.violation == {testing.denial("CNM003", {
		"path": sprintf("%s[0].value", [_env]),
		"message": sprintf("JANGAR_MIGRATIONS in %s[0] is \"$(MODE)\", which refers to another variable.", [_env]),
		"remedy": testing.set_it,
	})} with input as testing.with_value("$(MODE)")
}

test_allows_cnm003_a_reference_in_another_variable if {
	main.violation == set() with input as testing.controllers([testing.container([
		testing.entry("skip"),
		{"name": "URL", "value": "http://$(HOST)/"},
		{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
	])])
}

test_allows_cnm003_value_from_null if {
	entry := {"name": "JANGAR_MIGRATIONS", "value": "skip", "valueFrom": null}
	main.violation == set() with input as testing.controllers([testing.container([entry])])
}

test_missing_cnm003_value_from_without_a_source if {
	main.violation == {_from("valueFrom", "no source")} with input as _value_from({})
}

# CNM004

test_denies_cnm004_a_duplicate if {
	main.violation == {testing.denial("CNM004", {
		"path": sprintf("%s[2]", [_env]),
		"message": sprintf("JANGAR_MIGRATIONS is declared 2 times in %s: env[0] is \"skip\", env[2] is \"skip\".", [_env]),
		"remedy": "Keep one of them, with value: \"skip\".",
	})} with input as testing.controllers([testing.container([
		testing.entry("skip"),
		{"name": "PORT", "value": "80"},
		testing.entry("skip"),
	])])
}

test_denies_cnm004_and_says_what_each_one_is if {
	source := {"configMapKeyRef": {"name": "c", "key": "k"}}
	env := [
		testing.entry("auto"),
		testing.entry(5),
		testing.entry(""),
		{"name": "JANGAR_MIGRATIONS", "valueFrom": source},
		{"name": "JANGAR_MIGRATIONS", "value": "skip", "valueFrom": source},
		testing.entry("$(MODE)"),
	]
	results := main.violation with input as testing.controllers([testing.container(env)])
	_found(results) == {
		["CNM002", sprintf("%s[0].value", [_env])],
		["CNM006", sprintf("%s[1].value", [_env])],
		["CNM002", sprintf("%s[2].value", [_env])],
		["CNM003", sprintf("%s[3].valueFrom", [_env])],
		["CNM003", sprintf("%s[4].valueFrom", [_env])],
		["CNM003", sprintf("%s[5].value", [_env])],
		["CNM004", sprintf("%s[5]", [_env])],
	}
	{result.details.message | some result in results; result.details.code == "CNM004"} == {concat("", [
		"JANGAR_MIGRATIONS is declared 6 times in ", _env, ": env[0] is \"auto\", env[1] cannot be read,",
		" env[2] has no value, env[3] comes from configMapKeyRef name \"c\" key \"k\",",
		" env[4] has both the value \"skip\" and valueFrom configMapKeyRef name \"c\" key \"k\", env[5] is \"$(MODE)\".",
	])}
}

test_denies_cnm004_value_beside_value_from if {
	entry := {"name": "JANGAR_MIGRATIONS", "value": "skip", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
	main.violation == {
		_from("valueFrom", "secretKeyRef name \"s\" key \"k\""),
		testing.denial("CNM004", {
			"path": sprintf("%s[0]", [_env]),
			"message": concat("", [
				"JANGAR_MIGRATIONS in ", _env, "[0] has both the value \"skip\" and valueFrom",
				" secretKeyRef name \"s\" key \"k\".",
			]),
			"remedy": "Remove valueFrom and keep value: \"skip\".",
		}),
	} with input as testing.controllers([testing.container([entry])])
	main.warn == set() with input as testing.controllers([testing.container([object.union(entry, {"value": "off"})])])
}

test_allows_cnm004_once_in_each_container if {
	main.violation == set() with input as testing.controllers([testing.good, testing.good_with({"name": "other"})])
}

test_allows_cnm004_other_duplicates if {
	main.violation == set() with input as testing.controllers([testing.container([
		testing.entry("skip"),
		{"name": "PORT", "value": "80"},
		{"name": "PORT", "value": "81"},
	])])
}

test_missing_cnm004_duplicates_without_values if {
	_found(main.violation) == {
		["CNM002", sprintf("%s[0]", [_env])],
		["CNM002", sprintf("%s[1]", [_env])],
		["CNM004", sprintf("%s[1]", [_env])],
	} with input as testing.controllers([testing.container([{"name": "JANGAR_MIGRATIONS"}, {"name": "JANGAR_MIGRATIONS"}])])
}

# CNM005

test_denies_cnm005_a_command if {
	deeds := {
		"sets JANGAR_MIGRATIONS by \"JANGAR_MIGRATIONS=auto\"": "JANGAR_MIGRATIONS=auto node main.js",
		"removes JANGAR_MIGRATIONS by \"unset JANGAR_MIGRATIONS\"": "unset JANGAR_MIGRATIONS; node main.js",
		"clears the environment and JANGAR_MIGRATIONS with it by \"env -i node\"": "env -i node main.js",
	}
	every deed, script in deeds {
		main.violation == {testing.denial("CNM005", {
			"path": sprintf("%s.command[2]", [testing.first]),
			"message": sprintf("%s.command[2] %s, whatever env declares.", [testing.first, deed]),
			"remedy": "Leave JANGAR_MIGRATIONS to env of the container, and only read it in commands.",
		})} with input as testing.controllers([testing.good_with({"command": ["sh", "-c", script]})])
	}
}

test_denies_cnm005_what_the_manifest_does_not_show if {
	main.violation == {testing.denial("CNM005", {
		"path": sprintf("%s.command[2]", [testing.first]),
		"message": concat("", [
			testing.first, ".command[2] runs \"$(START)\", which the manifest does not show,",
			" so it could set JANGAR_MIGRATIONS.",
		]),
		"remedy": "Write the command or the variable there in place of the reference.",
	})} with input as testing.controllers([testing.good_with({
		"command": ["sh", "-c", "$(START)"],
		"env": [testing.entry("skip"), {"name": "START", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
	})])
}

_with_script(text) := {"target": {
	"object": json.patch(
		testing.controllers([testing.good_with({
			"command": ["/scripts/start.sh"],
			"volumeMounts": [{"name": "scripts", "mountPath": "/scripts"}],
		})]),
		[{"op": "add", "path": "/spec/template/spec/volumes", "value": [{"name": "scripts", "configMap": {"name": "agents"}}]}],
	),
	"beside": [{"kind": "ConfigMap", "metadata": {"name": "agents", "namespace": "agents"}, "data": {"start.sh": text}}],
}}

test_denies_cnm005_a_script_of_a_config_map if {
	deeds := {
		"sets JANGAR_MIGRATIONS by \"JANGAR_MIGRATIONS=auto\"": "JANGAR_MIGRATIONS=auto node",
		"removes JANGAR_MIGRATIONS by \"unset JANGAR_MIGRATIONS\"": "unset JANGAR_MIGRATIONS",
		"clears the environment and JANGAR_MIGRATIONS with it by \"env -i node\"": "exec env -i node",
	}
	every deed, script in deeds {
		main.violation == {testing.denial("CNM005", {
			"path": sprintf("%s.command[0]", [testing.first]),
			"message": concat("", [
				"data[\"start.sh\"] of ConfigMap/agents ", deed, ", whatever env declares, and ", testing.first,
				".command[0] runs it.",
			]),
			"remedy": "Leave JANGAR_MIGRATIONS to env of the container, and only read it in commands.",
		})} with input as _with_script(script)
	}
	main.violation == set() with input as _with_script("exec node server.js")
	main.warn == set() with input as _with_script("exec node server.js")
}

test_allows_cnm005_reading if {
	main.violation == set() with input as testing.controllers([testing.good_with({
		"command": ["sh", "-c", "if [ \"$JANGAR_MIGRATIONS\" != skip ]; then exit 78; fi; exec node main.js"],
		"args": ["--mode", "$(JANGAR_MIGRATIONS)"],
	})])
}

test_allows_cnm005_in_an_exempt_image_and_a_control_plane if {
	container := testing.good_with({"command": ["env", "-i", "node"]})
	main.violation == set() with input as testing.control_plane([container])
}

test_missing_cnm005_no_commands if {
	main.violation == set() with input as testing.controllers([testing.good_with({
		"command": null,
		"args": [],
		"lifecycle": {"postStart": {}, "preStop": null},
		"livenessProbe": {"exec": {}},
		"startupProbe": {"httpGet": {"port": 80}},
	})])
}

# CNM006

test_denies_cnm006_wrong_types_in_a_container if {
	cases := {
		"env": [{"env": {"JANGAR_MIGRATIONS": "skip"}}, "a map", "a list"],
		"envFrom": [{"env": [], "envFrom": "settings"}, "a string", "a list"],
		"envFrom[0]": [{"env": [], "envFrom": ["settings"]}, "a string", "a map"],
		"env[0]": [{"env": ["JANGAR_MIGRATIONS=skip"]}, "a string", "a map"],
		"env[0].name": [{"env": [{"name": true, "value": "skip"}]}, "a boolean", "a string"],
		"env[0].value": [{"env": [{"name": "JANGAR_MIGRATIONS", "value": ["skip"]}]}, "a list", "a string"],
		"env[0].valueFrom": [{"env": [{"name": "JANGAR_MIGRATIONS", "valueFrom": "x"}]}, "a string", "a map"],
		"command": [{"command": "env -i"}, "a string", "a list"],
		"args[1]": [{"args": ["--workers", 4]}, "a number", "a string"],
		"lifecycle.preStop": [{"lifecycle": {"preStop": []}}, "a list", "a map"],
		"livenessProbe.exec.command": [{"livenessProbe": {"exec": {"command": "x"}}}, "a string", "a list"],
	}
	every path, case in cases {
		[fields, found, expected] := case
		place := sprintf("%s.%s", [testing.first, path])
		main.violation == {testing.denial("CNM006", testing.mistyped(place, found, expected))} with input as testing.controllers([testing.good_with(fields)])
	}
}

test_denies_cnm006_an_unquoted_value if {
	every value, found in {0: "number 0", false: "boolean false"} {
		main.violation == {testing.denial("CNM006", {
			"path": sprintf("%s[0].value", [_env]),
			"message": concat("", [
				_env, "[0].value of JANGAR_MIGRATIONS is the ", found,
				" where a string is expected, so the rules cannot read it.",
			]),
			"remedy": "Write it in quotes: value: \"skip\".",
		})} with input as testing.with_value(value)
	}
}

test_denies_cnm006_an_image_that_could_be_exempt if {
	constraint := testing.constraint({"parameters": {"exemptImages": ["registry.example.com/*"]}})
	workload := testing.controllers([testing.good_with({"image": 5})])
	place := sprintf("%s.image", [testing.first])
	main.violation == {testing.denial("CNM006", testing.mistyped(place, "a number", "a string"))} with input as workload
		with data.kind as constraint.kind
		with data.apiVersion as constraint.apiVersion
		with data.spec as constraint.spec
	every_image := testing.constraint({"parameters": {"exemptImages": []}})
	main.violation == set() with input as workload
		with data.kind as every_image.kind
		with data.apiVersion as every_image.apiVersion
		with data.spec as every_image.spec
}

test_denies_cnm006_a_directive if {
	every path, fields in {
		"env[0].$patch": {"env": [object.union(testing.entry("skip"), {"$patch": "delete"})]},
		"$retainKeys": {"$retainKeys": ["env"]},
	} {
		place := sprintf("%s.%s", [testing.first, path])
		main.violation == {testing.denial("CNM006", {
			"path": place,
			"message": concat("", [
				place, " is a directive of a patch, which kubectl carries out when it applies the object,",
				" so the rules cannot tell what is left.",
			]),
			"remedy": "Move it to a patch of the kustomization, or remove it.",
		})} with input as testing.controllers([testing.good_with(fields)])
	}

	# Whether the variable is declared cannot be told.
	_found(main.violation) == {["CNM006", sprintf("%s[0].$patch", [_env])]} with input as testing.controllers([testing.container([{"$patch": "replace"}])])
	_found(main.violation) == {["CNM006", sprintf("%s[0].$patch", [_env])]} with input as testing.controllers([testing.container([{
		"name": "PORT",
		"value": "80",
		"$patch": "delete",
	}])])
	main.violation == set() with input as testing.control_plane([testing.good_with({"$patch": "delete"})])
}

test_denies_cnm006_a_workload_that_cannot_be_read if {
	main.violation == {testing.denial_of(
		"CNM006", "Deployment/agents", "agents",
		testing.mistyped("spec.template.spec.containers", "a map", "a list"),
	)} with input as testing.control_plane({"app": {}})
}

test_denies_cnm006_a_list_that_cannot_be_read if {
	main.violation == {testing.denial_of("CNM006", "List/all", "", {
		"path": "items",
		"message": "items of \"List\" is a map, so the objects in it cannot be read.",
		"remedy": "Write items as a list of objects.",
	})} with input as {"apiVersion": "v1", "kind": "List", "metadata": {"name": "all"}, "items": {"a": {}}}
}

test_denies_cnm006_a_list_in_too_many_lists if {
	main.violation == {testing.denial_of("CNM006", "List/", "", {
		"path": "items[0].items[0].items[0].items",
		"message": "items[0].items[0].items[0].items is a list inside three other lists, and the rules look no deeper.",
		"remedy": "Write the objects as separate documents.",
	})} with input as _list([_list([_list([_list([{}])])])])
}

test_denies_cnm006_an_item_that_is_no_object if {
	main.violation == {testing.denial_of("CNM006", "List/", "", {
		"path": "items[0]",
		"message": "items[0] is a string, so it cannot be read as an object.",
		"remedy": "Make each item an object with apiVersion, kind and metadata.",
	})} with input as _list(["x"])
}

test_denies_cnm006_combined_input if {
	main.violation == {testing.denial_of("CNM006", "/", "", {
		"path": "",
		"message": "The input is a list of documents, and the rules judge one document at a time.",
		"remedy": "Run conftest without --combine.",
	})} with input as [{"path": "a.yaml", "contents": testing.with_value("skip")}]
}

_list(items) := {"apiVersion": "v1", "kind": "List", "items": items}

test_allows_cnm006_a_value_of_another_variable if {
	main.violation == set() with input as testing.controllers([testing.container([
		testing.entry("skip"),
		{"name": "PORT", "value": 80, "valueFrom": "x"},
	])])
}

test_allows_cnm006_null_for_absent if {
	workload := testing.controllers([testing.good_with({"envFrom": null, "command": null, "lifecycle": null})])
	main.violation == set() with input as object.union(workload, {"spec": {"template": {
		"metadata": null,
		"spec": {"volumes": null, "initContainers": null, "ephemeralContainers": null},
	}}})
}

test_allows_cnm006_a_control_plane_without_containers if {
	main.violation == set() with input as testing.control_plane([])
}

test_missing_cnm006_no_containers if {
	found := testing.missing("spec.template.spec.containers", "a list")
	expected := {testing.denial_of("CNM006", "Deployment/agents-controllers", "agents", found)}
	main.violation == expected with input as testing.controllers([])
	main.violation == expected with input as testing.controllers(null)
	bare := {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "agents-controllers", "namespace": "agents"}}
	main.violation == expected with input as bare
	main.violation == expected with input as object.union(bare, {"spec": {}})
	main.violation == expected with input as object.union(bare, {"spec": {"template": {"spec": null}}})
}

# CNM101

test_warns_cnm101_another_spelling if {
	every value in ["SKIP", " skip", "disabled", "off", "0", "false"] {
		main.warn == {testing.doubt("CNM101", {
			"path": sprintf("%s[0].value", [_env]),
			"message": sprintf("JANGAR_MIGRATIONS in %s[0] is %q, another spelling of \"skip\".", [_env, value]),
			"remedy": testing.set_it,
		})} with input as testing.with_value(value)
		main.violation == set() with input as testing.with_value(value)
	}
}

test_allows_cnm101_the_only_skip_value if {
	constraint := testing.constraint({"parameters": {"skipValues": ["never", "none"]}})
	main.warn == set() with input as testing.with_value("never")
		with data.kind as constraint.kind
		with data.apiVersion as constraint.apiVersion
		with data.spec as constraint.spec
	count(main.warn) == 1 with input as testing.with_value("none")
		with data.kind as constraint.kind
		with data.apiVersion as constraint.apiVersion
		with data.spec as constraint.spec
}

test_allows_cnm101_what_is_denied if {
	main.warn == set() with input as testing.with_value("auto")
	main.warn == set() with input as testing.controllers([testing.container([testing.entry("off"), testing.entry("off")])])
	main.warn == set() with input as testing.with_value("$(MODE)")
}

test_missing_cnm101_no_value if {
	main.warn == set() with input as testing.controllers([testing.container([{"name": "JANGAR_MIGRATIONS"}])])
}

# CNM102

test_warns_cnm102_a_typo_in_a_control_plane if {
	every list in ["containers", "initContainers"] {
		place := sprintf("spec.template.spec.%s[0]", [list])
		found := {
			"path": sprintf("%s.env[0].value", [place]),
			"message": concat("", [
				"JANGAR_MIGRATIONS in ", place, ".env[0] is \"atuo\",",
				" which is neither auto nor a skip value, so the service migrates.",
			]),
			"remedy": "Set it to value: \"auto\" or to value: \"skip\".",
		}
		pod := {list: [testing.container([testing.entry("atuo")])]}
		workload := object.union(
			testing.control_plane([{"name": "main"}]),
			{"spec": {"template": {"spec": pod}}},
		)
		main.warn == {{
			"msg": sprintf("CNM102 Deployment/agents container app: %s %s", [found.message, found.remedy]),
			"details": object.union(found, {
				"code": "CNM102",
				"severity": "warn",
				"enforcement": "deny",
				"workload": "Deployment/agents",
				"namespace": "agents",
				"container": "app",
			}),
		}} with input as workload
		main.violation == set() with input as workload
	}
}

test_allows_cnm102_what_is_meant if {
	every value in ["auto", " Auto", "", "  ", "skip", "OFF", null, "$(MODE)", 5] {
		main.warn == set() with input as testing.control_plane([testing.container([testing.entry(value)])])
	}
}

test_allows_cnm102_an_exempt_image if {
	constraint := testing.constraint({"parameters": {"exemptImages": ["registry.example.com/app:1"]}})
	main.warn == set() with input as testing.control_plane([testing.container([testing.entry("atuo")])])
		with data.kind as constraint.kind
		with data.apiVersion as constraint.apiVersion
		with data.spec as constraint.spec
}

test_missing_cnm102_not_declared if {
	main.warn == set() with input as testing.control_plane([{"name": "app"}])
	main.warn == set() with input as testing.control_plane([testing.container([{"name": "JANGAR_MIGRATIONS"}])])
}

# The road to Gatekeeper

test_denies_in_a_review if {
	main.violation == {_says_auto("env[0].value", "is \"auto\"")} with input as {
		"review": {"object": testing.with_value("auto")},
		"parameters": {},
	}
}

test_denies_in_a_review_with_parameters if {
	_found(main.violation) == {["CNM001", _env]} with input as {
		"review": {"object": testing.with_value("skip")},
		"parameters": {"envVar": "AGENTS_MIGRATIONS"},
	}
}

test_denies_what_only_looks_like_a_review if {
	manifest := object.union(testing.with_value("auto"), {
		"review": {"object": testing.with_value("skip")},
		"parameters": {"envVar": "OTHER", "controllers": ["nothing"]},
	})
	main.violation == {_says_auto("env[0].value", "is \"auto\"")} with input as manifest
	main.violation == {_says_auto("env[0].value", "is \"auto\"")} with input as object.union(manifest, {"apiVersion": 5})
}

test_allows_what_the_constraint_leaves_out if {
	constraint := testing.constraint({"match": {"namespaces": ["other"]}})
	main.violation == set() with input as testing.with_value("auto")
		with data.kind as constraint.kind
		with data.apiVersion as constraint.apiVersion
		with data.spec as constraint.spec
}

test_allows_cnm102_controllers_have_rules_of_their_own if {
	main.warn == set() with input as testing.with_value("atuo")
}

# CNM104

_doubted(path, says) := testing.doubt("CNM104", {
	"path": sprintf("%s.%s", [testing.first, path]),
	"message": sprintf("%s.%s %s", [testing.first, path, says]),
	"remedy": "Start the service by the image's own entry point, or write in the manifest what it loads.",
})

test_warns_cnm104_what_is_loaded if {
	secret := {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
	cases := {
		{"command": ["sh", "-c", ". /app/env; exec node"]}: ["command[2]", "loads what the manifest does not show: \". /app/env\"."],
		{"command": ["doppler", "run", "--", "node"]}: ["command", "starts \"doppler\", which changes the environment of what it starts."],
		{"command": ["sh", "-c", "$START"]}: ["command[2]", "runs what \"$START\" holds, and env does not show it."],
		{
			"command": ["sh", "-c", "node $(ARGS)"],
			"env": [testing.entry("skip"), object.union({"name": "ARGS"}, secret)],
		}: ["command[2]", "has \"$(ARGS)\" in a script, and the manifest does not show what that is."],
		{"env": [testing.entry("skip"), {"name": "BASH_ENV", "value": "/x"}]}: [
			"env[1]",
			"is \"BASH_ENV\", by which a program loads code before it starts.",
		],
	}
	every fields, case in cases {
		main.warn == {_doubted(case[0], case[1])} with input as testing.controllers([testing.good_with(fields)])
		main.violation == set() with input as testing.controllers([testing.good_with(fields)])
	}
}

test_warns_cnm104_a_mention if {
	main.warn == {testing.doubt("CNM104", {
		"path": sprintf("%s.command[2]", [testing.first]),
		"message": concat("", [
			testing.first, ".command[2] mentions JANGAR_MIGRATIONS in \"x JANGAR_MIGRATIONS y\",",
			" which is neither clearly a change nor clearly a reading.",
		]),
		"remedy": "Leave JANGAR_MIGRATIONS to env of the container, and only read it in commands.",
	})} with input as testing.controllers([testing.good_with({"command": ["sh", "-c", "x JANGAR_MIGRATIONS y"]})])
}

test_warns_cnm104_a_script_that_nothing_runs if {
	main.warn == {testing.doubt("CNM104", {
		"path": testing.first,
		"message": concat("", [
			testing.first, " mounts data[\"start.sh\"] of ConfigMap/agents, which would change JANGAR_MIGRATIONS by",
			" \"unset JANGAR_MIGRATIONS\", and no command shows whether it is run.",
		]),
		"remedy": "Remove that from the file, or start the service by the image's own entry point.",
	})} with input as json.patch(_with_script("unset JANGAR_MIGRATIONS"), [{
		"op": "replace",
		"path": "/target/object/spec/template/spec/containers/0/command",
		"value": ["node"],
	}])
}

test_allows_cnm104_what_only_reads if {
	main.warn == set() with input as testing.controllers([testing.good_with({"command": ["sh", "-c", "exec node server.js --mode=$JANGAR_MIGRATIONS"]})])
	main.warn == set() with input as testing.control_plane([testing.good_with({"command": ["sh", "-c", ". /app/env"]})])
	main.warn == set() with input as testing.controllers([testing.good_with({"image": "busybox", "command": ["sh", "-c", ". /app/env"]}), testing.good])
}

test_missing_cnm104_no_commands if {
	main.warn == set() with input as testing.controllers([testing.good_with({"command": null, "args": null, "lifecycle": {}})])
}

# CNM105

_alike(place, path, name, line) := {
	"msg": sprintf("CNM105 Deployment/agents-controller: %s %s", [_alike_message(place, name), _alike_remedy(line)]),
	"details": {
		"code": "CNM105", "severity": "warn", "enforcement": "deny",
		"workload": "Deployment/agents-controller", "namespace": "agents", "container": "",
		"path": path, "message": _alike_message(place, name), "remedy": _alike_remedy(line),
	},
}

_alike_message(place, name) := sprintf("%s %q looks like controllers and the workload is not bound, so the service may migrate.", [place, name])

_alike_remedy(line) := sprintf("If it is controllers, bind it in the constraint: controllers: %s.", [line])

_controller(containers) := testing.deployment("agents-controller", containers)

test_warns_cnm105_what_looks_like_controllers if {
	expected := {_alike(
		"The name", "metadata.name", "agents-controller",
		`["*-controllers","*-controllers-*","agents-controller"]`,
	)}
	every container in [
		testing.container([testing.entry("auto")]),
		testing.container([{"name": "JANGAR_MIGRATIONS", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]),
		testing.good_with({"command": ["sh", "-c", ". /app/env"]}),
		testing.good_with({"command": ["env", "-i", "node"]}),
	] {
		main.warn == expected with input as _controller([testing.good, container])
		main.violation == set() with input as _controller([testing.good, container])
	}
}

test_allows_cnm105_what_skips_or_is_bound if {
	main.warn == set() with input as _controller([testing.good])
	main.warn == set() with input as testing.with_value("auto")
	main.warn == set() with input as testing.control_plane([testing.container([testing.entry("auto")])])
	main.warn == set() with input as _controller([testing.good_with({"image": "busybox", "env": [testing.entry("auto")]}), testing.good])
}

test_missing_cnm105_not_declared if {
	main.warn == set() with input as _controller([{"name": "app"}])
	main.warn == set() with input as _controller([testing.container([])])
	main.warn == set() with input as _controller([])
}

# Which containers

test_denies_only_containers_of_the_images if {
	constraint := testing.constraint({"parameters": {"images": ["registry.example.com/app"]}})
	workload := testing.controllers([testing.container([testing.entry("auto")]), {"name": "side", "image": "example.com/side"}])
	main.violation == {_says_auto("env[0].value", "is \"auto\"")} with input as workload
		with data.kind as constraint.kind
		with data.apiVersion as constraint.apiVersion
		with data.spec as constraint.spec
	_found(main.violation) == {
		["CNM002", sprintf("%s[0].value", [_env])],
		["CNM001", "spec.template.spec.containers[1].env"],
	} with input as workload
}

test_allows_injected_containers if {
	main.violation == set() with input as testing.controllers([
		testing.good,
		{"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.22"},
	])
	main.violation == set() with input as testing.deployment("calico-kube-controllers", [{
		"name": "calico-kube-controllers",
		"image": "docker.io/calico/kube-controllers:v3.28.0",
	}])
}
