package lib.parameters_test

import data.lib.constraint
import data.lib.parameters

_problems(given) := problems if problems := parameters.problems with constraint.parameters as given

_problem(path, message, remedy) := {
	"path": sprintf("spec.parameters%s", [path]),
	"message": sprintf("spec.parameters%s %s", [path, message]),
	"remedy": remedy,
}

_all := "controllers, envVar, exemptImages, skipValues"

test_defaults if {
	parameters.env_var == "JANGAR_MIGRATIONS"
	parameters.skip_values == ["skip", "disabled", "false", "0", "off"]
	parameters.plain_skip == "skip"
	parameters.controllers == ["*-controllers"]
	parameters.exempt_images == []
	parameters.problems == []
}

_given := {
	"envVar": "AGENTS_MIGRATIONS",
	"skipValues": ["never", "no"],
	"controllers": ["worker-*"],
	"exemptImages": ["proxy:1"],
}

test_given_in_a_constraint if {
	parameters.env_var == "AGENTS_MIGRATIONS" with constraint.parameters as _given
	parameters.skip_values == ["never", "no"] with constraint.parameters as _given
	parameters.plain_skip == "never" with constraint.parameters as _given
	parameters.controllers == ["worker-*"] with constraint.parameters as _given
	parameters.exempt_images == ["proxy:1"] with constraint.parameters as _given
	parameters.problems == [] with constraint.parameters as _given
	parameters.plain_skip == "skip" with constraint.parameters as {"skipValues": ["no", "skip"]}
}

test_given_in_a_review if {
	review := {"review": {"object": {}}, "parameters": _given}
	parameters.env_var == "AGENTS_MIGRATIONS" with input as review
	parameters.env_var == "AGENTS_MIGRATIONS" with input as review with constraint.parameters as {"envVar": "X"}
	parameters.env_var == "JANGAR_MIGRATIONS" with input as {"review": {}} with constraint.parameters as {"envVar": "X"}
}

test_a_manifest_cannot_give_them if {
	parameters.env_var == "JANGAR_MIGRATIONS" with input as {"kind": "Pod", "review": {}, "parameters": _given}
}

test_what_cannot_be_used_leaves_the_default if {
	mistyped := {"envVar": 5, "skipValues": "no", "controllers": {"x": "y"}, "exemptImages": "proxy:1"}
	parameters.env_var == "JANGAR_MIGRATIONS" with constraint.parameters as mistyped
	parameters.skip_values == ["skip", "disabled", "false", "0", "off"] with constraint.parameters as mistyped
	parameters.controllers == ["*-controllers"] with constraint.parameters as mistyped
	parameters.exempt_images == [] with constraint.parameters as mistyped
}

test_one_problem_each if {
	_problems({"envVar": [5, ""]}) == [_problem(
		".envVar", "is a list where a string is expected.",
		"Write the name of the environment variable as a string.",
	)]
	_problems({"other": [5, ""]}) == [_problem(
		".other", "is not a parameter.",
		sprintf("Use one of %s.", [_all]),
	)]
}

test_none_are_fine if {
	_problems(null) == []
	_problems({}) == []
	_problems({"exemptImages": []}) == []
}

test_parameters_of_another_type if {
	every given, found in {"x": "a string", false: "a boolean", 5: "a number"} {
		_problems(given) == [_problem(
			"", sprintf("is %s where a map is expected.", [found]),
			sprintf("Write a map with the keys %s, or leave it out.", [_all]),
		)]
	}
	count(_problems(["envVar"])) == 1
}

test_unknown_keys if {
	_problems({"envvar": "X", "other": 1, "skipvalue": []}) == [
		_problem(".envvar", "is not a parameter. Is envVar meant?", sprintf("Use one of %s.", [_all])),
		_problem(".other", "is not a parameter.", sprintf("Use one of %s.", [_all])),
		_problem(".skipvalue", "is not a parameter. Is skipValues meant?", sprintf("Use one of %s.", [_all])),
	]
}

test_env_var if {
	every name in ["A", "_a", "a-b", ".a", "A1"] {
		_problems({"envVar": name}) == []
	}
	every name in ["", "1A", "A=B", "A B", "A\n", "Ä", "$A"] {
		_problems({"envVar": name}) == [_problem(
			".envVar",
			sprintf("is %q, which cannot be the name of an environment variable.", [name]),
			"Use letters, digits, _, - and . only, and do not start with a digit.",
		)]
	}
	every name, found in {5: "a number", null: "null", false: "a boolean"} {
		_problems({"envVar": name}) == [_problem(
			".envVar", sprintf("is %s where a string is expected.", [found]),
			"Write the name of the environment variable as a string.",
		)]
	}
}

test_lists if {
	every key in ["skipValues", "controllers", "exemptImages"] {
		_problems({key: "skip"}) == [_problem(
			sprintf(".%s", [key]), "is a string where a list of strings is expected.",
			"Write a list of strings.",
		)]
		_problems({key: null}) == [_problem(
			sprintf(".%s", [key]), "is null where a list of strings is expected.",
			"Write a list of strings.",
		)]
		_problems({key: ["a", false, ""]}) == [
			_problem(sprintf(".%s[1]", [key]), "is a boolean where a string is expected.", "Write it in quotes."),
			_problem(sprintf(".%s[2]", [key]), "is an empty string.", "Remove the entry or write what it stands for."),
		]
	}
	every key in ["skipValues", "controllers"] {
		_problems({key: []}) == [_problem(
			sprintf(".%s", [key]), "is empty.",
			"Name at least one, or leave the key out to use the default.",
		)]
	}
}

test_skip_values if {
	every value in ["skip", "a b", "0", "x!"] {
		_problems({"skipValues": [value]}) == []
	}
	every value in ["Skip", " skip", "skip ", "skíp", "$skip", "a$b", "a\nb"] {
		_problems({"skipValues": ["skip", value]}) == [_problem(
			".skipValues[1]",
			sprintf("is %q, and no value of the service is compared with that.", [value]),
			"Write skip values in lower case, in ASCII, without $ and without white space around them.",
		)]
	}
	_problems({"skipValues": ["skip", "auto"]}) == [_problem(
		".skipValues[1]", "is \"auto\", which makes the service migrate.",
		"Remove the entry.",
	)]
}
