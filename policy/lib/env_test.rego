package lib.env_test

import data.lib.env
import data.lib.parameters
import data.lib.testing

_mode(entries) := env.mode_of({"env": entries})

_x(value) := testing.entry(value)

_v(name, value) := {"name": name, "value": value}

_from := {"configMapKeyRef": {"name": "c", "key": "k"}}

test_mode_of_literals if {
	_mode([_x("skip")]) == "skip"
	_mode([_x(" OFF")]) == "skip"
	_mode([_x("auto")]) == "auto"
	_mode([_x("")]) == "auto"
	_mode([_x(null)]) == "auto"
	_mode([{"name": "JANGAR_MIGRATIONS"}]) == "auto"
	_mode([_v("jangar_migrations", "skip")]) == "auto"
}

test_mode_when_absent if {
	every container in [{}, {"env": null}, {"env": []}, {"env": [], "envFrom": []}, {"envFrom": null}] {
		env.mode_of(container) == "auto"
	}
	env.mode_of({"envFrom": [{"secretRef": {"name": "s"}}]}) == "unknown"
	env.mode_of({"env": [_x("skip")], "envFrom": [{"secretRef": {"name": "s"}}]}) == "skip"
}

test_mode_of_duplicates if {
	_mode([_x("auto"), _x("skip")]) == "skip"
	_mode([_x("skip"), _x("auto")]) == "auto"
	_mode([_x("skip"), _x("")]) == "auto"
	_mode([_x("skip"), {"name": "JANGAR_MIGRATIONS", "valueFrom": _from}]) == "unknown"
	_mode([{"name": "JANGAR_MIGRATIONS", "valueFrom": _from}, _x("skip")]) == "skip"
}

test_mode_of_what_cannot_be_known if {
	every container in [
		{"env": {"JANGAR_MIGRATIONS": "skip"}},
		{"env": "x"},
		{"env": [_x("skip")], "envFrom": "x"},
		{"env": [_x("skip")], "envFrom": ["x"]},
		{"env": [_x("skip"), "x"]},
		{"env": [_x("skip"), {"name": 5}]},
		{"env": [_x("skip"), {"value": "skip"}]},
		{"env": [_x(5)]},
		{"env": [{"name": "JANGAR_MIGRATIONS", "valueFrom": "x"}]},
		{"env": [{"name": "JANGAR_MIGRATIONS", "value": "skip", "valueFrom": _from}]},
		{"env": [{"name": "JANGAR_MIGRATIONS", "value": "", "valueFrom": _from}]},
	] {
		env.mode_of(container) == "unknown"
	}
}

test_mode_of_references if {
	_mode([_v("A", "skip"), _x("$(A)")]) == "skip"
	_mode([_v("A", "sk"), _v("B", "ip"), _x("$(A)$(B)")]) == "skip"
	_mode([_v("A", "skip"), _v("B", "$(A)"), _x(" $(B) ")]) == "skip"
	_mode([_v("A", "skip"), _v("B", "$(A)"), _v("C", "$(B)"), _x("$(C)")]) == "skip"
	_mode([_v("A", "skip"), _v("B", "$(A)"), _v("C", "$(B)"), _v("D", "$(C)"), _x("$(D)")]) == "unknown"
	_mode([_v("A", "skip"), _v("A", "auto"), _x("$(A)")]) == "auto"
	_mode([_v("A", "auto"), _v("A", "skip"), _x("$(A)"), _v("A", "auto")]) == "skip"
	_mode([_x("skip"), _x("$(JANGAR_MIGRATIONS)")]) == "skip"
	_mode([_v("A", ""), _x("$(A)skip")]) == "skip"
	_mode([_v("A", "$$(B)"), _v("B", "skip"), _x("$(A)")]) == "auto"
}

test_mode_of_references_to_nothing if {
	_mode([_x("$(A)")]) == "auto"
	_mode([_x("$(A)"), _v("A", "skip")]) == "auto"
	_mode([_x("$()")]) == "auto"
	env.mode_of({"env": [_x("$(A)")], "envFrom": [{"secretRef": {"name": "s"}}]}) == "unknown"
	env.mode_of({"env": [_v("A", "skip"), _x("$(A)")], "envFrom": [{"secretRef": {"name": "s"}}]}) == "skip"
	_mode([{"name": "A", "valueFrom": _from}, _x("$(A)")]) == "unknown"
	_mode([{"name": "A", "value": "skip", "valueFrom": _from}, _x("$(A)")]) == "unknown"
	_mode([_v("A", 5), _x("$(A)")]) == "unknown"
}

test_mode_of_references_among_very_many if {
	few := [_v("P", "1") | some _ in numbers.range(3, 1000)]
	_mode(array.concat(few, [_v("A", "skip"), _x("$(A)")])) == "skip"
	_mode(array.concat(few, [_v("P", "1"), _v("A", "skip"), _x("$(A)")])) == "unknown"
	_mode(array.concat(few, [_v("P", "1"), _v("A", "skip"), _x("skip")])) == "skip"
}

_text(value) := env.declarations({"env": [_x(value)]})[0].text

# From the tests of k8s.io/kubernetes third_party/forked/golang/expansion, for
# values without a reference.
test_dollars_are_read_as_the_kubelet_does if {
	every value, text in {
		"plain": "plain",
		"$$(A)": "$(A)",
		"$$$$(A)": "$$(A)",
		"$$": "$",
		"$": "$",
		"a$": "a$",
		"$A": "$A",
		"$(A": "$(A",
		"$$(A": "$(A",
		"$((": "$((",
		"$$$": "$$",
		"${A}": "${A}",
		"f$$oo": "f$oo",
		"$\n$$": "$\n$",
		")$": ")$",
		"a$)b": "a$)b",
	} {
		_text(value) == text
	}
}

test_references if {
	every value in ["$(A)", "x$(A)y", "$$$(A)", "$()", "$(A $(B)", "$(A$(B))", "$($$)", "$A$(B)"] {
		[declared.is | some declared in env.declarations({"env": [_x(value)]})] == ["reference"]
	}
	every value in ["$$(A)", "$(A", "$A)", "$$$$(A)", "(A)", "$ (A)", "$)"] {
		[declared.is | some declared in env.declarations({"env": [_x(value)]})] == ["literal"]
	}
}

test_a_reference_inside_other_text if {
	_mode([_v("A $(B", "skip"), _x("$(A $(B)")]) == "skip"
	_mode([_v("A", "skip"), _x("$$$(A)")]) == "auto"
}

test_declarations if {
	env.declarations({"env": [
		_v("PORT", "80"),
		_x("off"),
		{"name": "JANGAR_MIGRATIONS", "valueFrom": _from},
		{"name": "JANGAR_MIGRATIONS", "value": "skip", "valueFrom": _from},
		{"name": "JANGAR_MIGRATIONS", "value": "$(A)", "valueFrom": _from},
		_x(5),
		"x",
		{"name": "JANGAR_MIGRATIONS", "valueFrom": 5},
	]}) == [
		{"index": 1, "place": "env[1]", "is": "literal", "value": "off", "text": "off", "mode": "skip"},
		{"index": 2, "place": "env[2]", "is": "valueFrom", "from": _from},
		{"index": 3, "place": "env[3]", "is": "literal", "value": "skip", "text": "skip", "mode": "skip", "from": _from},
		{"index": 4, "place": "env[4]", "is": "reference", "value": "$(A)", "from": _from},
		{"index": 5, "place": "env[5]", "is": "unreadable"},
		{"index": 7, "place": "env[7]", "is": "unreadable"},
	]
	env.declarations({"env": {"JANGAR_MIGRATIONS": "skip"}}) == []
}

test_the_variable_of_the_constraint if {
	_mode([_v("AGENTS_MIGRATIONS", "skip")]) == "skip" with parameters.env_var as "AGENTS_MIGRATIONS"
	_mode([_x("skip")]) == "auto" with parameters.env_var as "AGENTS_MIGRATIONS"
}

test_sources if {
	env.described_source({"secretKeyRef": {"name": "s", "key": "k", "optional": true}}) == "secretKeyRef name \"s\" key \"k\""
	env.described_source({"fieldRef": {"fieldPath": "spec.nodeName"}}) == "fieldRef fieldPath \"spec.nodeName\""
	env.described_source({"resourceFieldRef": {"resource": "limits.cpu"}}) == "resourceFieldRef resource \"limits.cpu\""
	env.described_source({"fileKeyRef": {"path": "p", "key": "k"}}) == "fileKeyRef key \"k\" path \"p\""
	env.described_source({"secretKeyRef": {"name": 5}}) == "secretKeyRef "
	env.described_source({"secretKeyRef": "x"}) == "secretKeyRef "
	env.described_source({}) == "no source"
}

# A name can be empty in a manifest, though not in a cluster.
test_only_a_reference_is_replaced if {
	every set in ["skip$x$()", "skip$)$()", "skip$($", "$()skip$("] {
		env.mode_of({"env": [_v("", ""), _v("JANGAR_MIGRATIONS", set)]}) == "auto"
	}
}

test_described_sources_without_their_prefix if {
	env.described_sources([
		{"prefix": "A_", "secretRef": {"name": "keys"}},
		{"prefix": "B_", "configMapRef": {"name": "settings"}},
	]) == "secretRef name \"keys\", configMapRef name \"settings\""
}

_near(names) := env.look_alike({"env": [_v(name, "skip") | some name in names]})

test_look_alike if {
	_near(["PORT", "JANGAR_MIGRATION"]) == [1, 1, "JANGAR_MIGRATION"]
	_near(["AGENTS_MIGRATIONS", "jangar_migrations", "JANGAR-MIGRATIONS"]) == [1, 1, "jangar_migrations"]
	_near(["X_MIGRATIONS", "AGENTS_MIGRATIONS"]) == [2, 0, "X_MIGRATIONS"]
	not _near(["PORT", "MIGRATIONS_X", "JANGAR_MIGRATIONS", "MIGRATIONS", "X_MIGRATIONS_Y"])
	not env.look_alike({"env": [5, {"name": 5}]})
	not _near(["AB_CD", "LONG_LONG_MODE"]) with parameters.env_var as "MODE"
}

test_directives if {
	directive := {"says": ["directive"], "args": {}}
	env.directives(
		{
			"$setElementOrder/env": [], "$patch": "merge", "name": "$app", "env": [
				{"name": "JANGAR_MIGRATIONS", "value": "skip", "$patch": "delete"},
				{"name": "B", "value": "$patch"},
				{"$retainKeys": ["name"]},
				"$patch", null,
			],
		},
		"c",
	) == [
		object.union(directive, {"path": "c.$patch"}),
		object.union(directive, {"path": "c.$setElementOrder/env"}),
		object.union(directive, {"path": "c.env[0].$patch"}),
		object.union(directive, {"path": "c.env[2].$retainKeys"}),
	]
	env.directives({"env": [_x("skip"), {"a$patch": "delete"}], "envFrom": []}, "c") == []
	env.directives({}, "c") == []
}

# A directive may stand alone, and is said once.
test_an_entry_with_a_directive if {
	env.problems({"env": [{"$patch": "replace"}]}, "c") == []
	env.problems({"env": [{"$patch": "delete", "name": 5}]}, "c") == [testing.wrong_type("c.env[0].name", "a number", "a string")]
	env.problems({"env": [{"a$patch": "delete"}]}, "c") == [testing.wrong_type("c.env[0].name", "null", "a string")]
	env.problems({"env": [{}]}, "c") == [testing.wrong_type("c.env[0].name", "null", "a string")]
}

_hidden := "\ue000A\ue001"

test_expansion if {
	held := {"env": [_v("A", "a"), _v("B", "$(A)b"), {"name": "C", "valueFrom": _from}, _v("A", "c"), _v("D", 5)]}
	every word, text in {
		"plain": "plain", "$A": "$A", "$(A)": "c", "x$(B)y$(A)": "xabyc", "$$(A)": "$(A)", "$$": "$", "$(X)": "$(X)",
		"$(C)": "\ue000C\ue001", "$(D)": "\ue000D\ue001",
	} {
		env.expanded(held, "environment", word) == text
	}
	every word, text in {"$(A)": "c", "$(B)": "$(A)b", "$$(A)": "$(A)", "$(X)": "$(X)", "$(C)": "", "$(D)": ""} {
		env.expanded(held, "literals", word) == text
	}
	every word in ["$(A)", "$$(A)", "$$", "a"] {
		env.expanded(held, "nothing", word) == word
	}
}

test_expansion_beside_env_from if {
	env.expanded({}, "environment", "a$$b") == "a$b"
	from := {"envFrom": [{"secretRef": {"name": "s"}}]}
	every name in ["A", "A1", "Port", "PORT", "aPort", "_", "AB1", "port_1"] {
		env.expanded(from, "environment", sprintf("$(%s)", [name])) == sprintf("\ue000%s\ue001", [name])
	}
	every word in ["$(date)", "$(date +%s)", "$(date +A)", "$(1A)", "$(hostname)", "$(port2)"] {
		env.expanded(from, "environment", word) == word
	}
	env.expanded(object.union(from, {"env": [_v("A", "a")]}), "environment", "$(A)") == "a"
	env.expanded({"envFrom": []}, "environment", "$(A)") == "$(A)"
}

test_the_text_of_a_variable if {
	env.text_of({"env": [_v("A", "a"), _v("B", "$(A)")]}, "B") == "a"
	not env.text_of({"env": [_v("A", "a")]}, "B")
	not env.text_of({"env": [{"name": "A", "valueFrom": _from}]}, "A")
	few := [_v("P", "1") | some _ in numbers.range(1, 1000)]
	env.text_of({"env": few}, "P") == "1"
	not env.text_of({"env": array.concat(few, [_v("A", "a")])}, "A")
}

test_shown if {
	env.hidden("A") == _hidden
	env.shown(concat("", ["x", _hidden, "y", _hidden])) == "x$(A)y$(A)"
	env.shown("x$(A)") == "x$(A)"
}
