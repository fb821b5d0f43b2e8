package lib.result_test

import data.lib.result
import data.lib.testing

_found := {
	"code": "CNM101",
	"workload": {"kind": "Deployment", "name": "w", "namespace": "n"},
	"container": "c",
	"path": "p",
	"says": ["spelling"],
	"args": {"place": "env[0]", "value": "\"off\""},
}

_expected := {
	"msg": "CNM101 Deployment/w container c: JANGAR_MIGRATIONS in env[0] is \"off\", another spelling of \"skip\". Set it to value: \"skip\".",
	"details": {
		"code": "CNM101",
		"workload": "Deployment/w",
		"namespace": "n",
		"container": "c",
		"path": "p",
		"message": "JANGAR_MIGRATIONS in env[0] is \"off\", another spelling of \"skip\".",
		"remedy": "Set it to value: \"skip\".",
		"severity": "warn",
		"enforcement": "deny",
	},
}

test_a_result_has_the_words_of_the_catalogue if {
	result.of(_found) == _expected
}

test_the_arguments_that_are_always_there_are_the_constraints if {
	found := object.union(_found, {"args": {"place": "env[0]", "value": "\"off\"", "variable": "another", "skip": "another"}})
	result.of(found) == _expected
	result.of(_found).details.remedy == "Set it to value: \"never\"." with data.lib.parameters.plain_skip as "never"
}

test_a_result_about_a_whole_workload if {
	startswith(result.of(object.union(_found, {"container": ""})).msg, "CNM101 Deployment/w: JANGAR")
}

test_an_unknown_code_is_not_lost if {
	unknown := result.of(object.union(_found, {"code": "CNM999"}))
	unknown.msg == "CNM999 Deployment/w container c: (spelling) (no remedy)"
	unknown.details.severity == "deny"
}

test_severity if {
	result.severity("CNM001") == "deny"
	result.severity("CNM101") == "warn"
	constraint := testing.constraint({"enforcementAction": "dryrun"})
	result.severity("CNM001") == "warn" with data.kind as constraint.kind
		with data.apiVersion as constraint.apiVersion
		with data.spec as constraint.spec
}
