package lib.constraint_test

import data.lib.constraint
import data.lib.kind
import data.lib.testing

_problems(spec) := problems if {
	whole := testing.constraint(spec)
	problems := constraint.problems with data.apiVersion as whole.apiVersion
		with data.kind as whole.kind
		with data.metadata as whole.metadata
		with data.spec as whole.spec
}

_problem(path, message, remedy) := {
	"path": path,
	"message": sprintf("%s %s", [path, message]),
	"remedy": remedy,
}

test_none_given if {
	not constraint.given
	constraint.problems == []
	constraint.enforcement == "deny"
	constraint.match == {}
	not constraint.parameters
	constraint.problems == [] with data.parameters as {"x": 1}
}

test_given_by_any_of_its_keys if {
	constraint.given with data.kind as "X"
	constraint.given with data.apiVersion as "X"
	constraint.given with data.spec as {}
	constraint.given with data.kind as false
}

test_what_it_says if {
	spec := {"enforcementAction": "dryrun", "match": {"namespaces": ["a"]}, "parameters": {"envVar": "A"}}
	constraint.enforcement == "dryrun" with data.spec as spec
	constraint.match == {"namespaces": ["a"]} with data.spec as spec
	constraint.parameters == {"envVar": "A"} with data.spec as spec
}

test_good_constraints if {
	every spec in [
		{},
		{"enforcementAction": "deny"},
		{"enforcementAction": "warn", "match": {}, "parameters": {}},
		{"match": null, "parameters": null},
		{"match": {"namespaces": ["agents", "*-x", "y-*", "*z*", "*"], "excludedNamespaces": [], "kinds": []}},
		{"match": {"kinds": [{"apiGroups": ["apps", "*"], "kinds": ["Deployment"]}, {"apiGroups": [""], "kinds": ["*"]}, {}]}},
	] {
		_problems(spec) == []
	}
	every version in ["v1", "v1alpha1", "v1beta1"] {
		constraint.problems == [] with data.apiVersion as sprintf("constraints.gatekeeper.sh/%s", [version])
			with data.kind as "ControllersNeverMigrate"
			with data.spec as {}
	}
}

_bad_version := {
	"path": "apiVersion",
	"message": "apiVersion does not name a version of constraints.gatekeeper.sh.",
	"remedy": "Set apiVersion to constraints.gatekeeper.sh/v1beta1.",
}

_bad_kind := {
	"path": "kind",
	"message": "kind is not ControllersNeverMigrate.",
	"remedy": "Set kind to ControllersNeverMigrate.",
}

_no_spec := {
	"path": "spec",
	"message": "The constraint has no spec.",
	"remedy": "Add spec, with enforcementAction, match or parameters where the defaults do not fit.",
}

test_api_version_and_kind if {
	every version in ["v1", "constraints.gatekeeper.sh", "xconstraints.gatekeeper.sh/v1", "constraints.gatekeeper.sh/v1x", 5] {
		constraint.problems == [_bad_version] with data.apiVersion as version
			with data.kind as "ControllersNeverMigrate"
			with data.spec as {}
	}
	constraint.problems == [_bad_version, _bad_kind] with data.spec as {}
	constraint.problems == [_bad_version, _bad_kind, _no_spec] with data.kind as "ConfigMap"
	constraint.problems == [_bad_kind, _no_spec] with data.apiVersion as "constraints.gatekeeper.sh/v1"
}

test_spec if {
	_problems(null) == [_no_spec]
	_problems([]) == [_problem("spec", "is a list where a map is expected.", "Write spec as a map.")]
	_problems({"enforcementaction": "deny", "other": 1}) == [
		_problem(
			"spec.enforcementaction", "is not a key of a constraint. Is enforcementAction meant?",
			"Use one of enforcementAction, match, parameters.",
		),
		_problem(
			"spec.other", "is not a key of a constraint.",
			"Use one of enforcementAction, match, parameters.",
		),
	]
}

test_keys_beside_spec if {
	constraint.problems == [
		_problem("enforcementAction", "stands beside spec.", "Move it to spec.enforcementAction."),
		_problem("match", "stands beside spec.", "Move it to spec.match."),
		_problem("parameters", "stands beside spec.", "Move it to spec.parameters."),
	] with data.apiVersion as "constraints.gatekeeper.sh/v1"
		with data.kind as "ControllersNeverMigrate"
		with data.spec as {}
		with data.parameters as {}
		with data.match as {}
		with data.enforcementAction as "warn"
}

test_enforcement_action if {
	every action, shown in {"scoped": "scoped", "Deny": "Deny", "": "", null: "null", 5: "5", false: "false"} {
		_problems({"enforcementAction": action}) == [_problem(
			"spec.enforcementAction",
			sprintf("is %q, which is not supported.", [shown]),
			"Use deny, warn or dryrun.",
		)]
	}
}

test_match if {
	_problems({"match": []}) == [_problem(
		"spec.match", "is a list where a map is expected.",
		"Write spec.match as a map, or leave it out.",
	)]
	every key in ["labelSelector", "namespaceSelector", "scope", "name", "source"] {
		_problems({"match": {key: {}}}) == [_problem(
			sprintf("spec.match.%s", [key]),
			"is not supported here, because it needs the cluster.",
			"Use one of excludedNamespaces, kinds, namespaces.",
		)]
	}
	_problems({"match": {"namespace": [], "x": 1}}) == [
		_problem(
			"spec.match.namespace", "is not a key of a match. Is namespaces meant?",
			"Use one of excludedNamespaces, kinds, namespaces.",
		),
		_problem(
			"spec.match.x", "is not a key of a match.",
			"Use one of excludedNamespaces, kinds, namespaces.",
		),
	]
	every key in ["namespaces", "excludedNamespaces", "kinds"] {
		_problems({"match": {key: "agents"}}) == [_problem(
			sprintf("spec.match.%s", [key]),
			"is a string where a list is expected.",
			"Write a list, or leave it out.",
		)]
		count(_problems({"match": {key: null}})) == 1
	}
}

test_namespaces if {
	every key in ["namespaces", "excludedNamespaces"] {
		every name in ["", "Agents", "a*b", "a_b", "a\n", 5, null] {
			_problems({"match": {key: ["ok", name]}}) == [_problem(
				sprintf("spec.match.%s[1]", [key]),
				"cannot be the name of a namespace.",
				"Use lower case letters, digits and -, with * at the start or the end only.",
			)]
		}
	}
}

test_kinds if {
	_problems({"match": {"kinds": ["Deployment"]}}) == [_problem(
		"spec.match.kinds[0]",
		"is not a map.", "Write it as a map with apiGroups and kinds.",
	)]
	_problems({"match": {"kinds": [{"apigroups": ["apps"], "kinds": ["*"]}]}}) == [_problem(
		"spec.match.kinds[0].apigroups",
		"is not supported.", "Use apiGroups and kinds only.",
	)]
	every key in ["apiGroups", "kinds"] {
		_problems({"match": {"kinds": [{key: "apps"}]}}) == [_problem(
			sprintf("spec.match.kinds[0].%s", [key]),
			"is not a list.", "Write a list of strings.",
		)]
	}
	_problems({"match": {"kinds": [{}, {"apiGroups": ["apps", "app"], "kinds": ["Deploymnet"]}]}}) == [
		_problem(
			"spec.match.kinds[1].apiGroups[1]",
			"does not name a workload, so the contract would bind less than it seems to.",
			sprintf(`Use "*" or one of %s.`, [concat(", ", sort([sprintf("%q", [group]) | some group in kind.groups]))]),
		),
		_problem(
			"spec.match.kinds[1].kinds[0]",
			"does not name a workload, so the contract would bind less than it seems to.",
			sprintf(`Use "*" or one of %s.`, [concat(", ", sort([sprintf("%q", [name]) | some name in object.keys(kind.workloads)]))]),
		),
	]
	count(_problems({"match": {"kinds": [{"kinds": [5]}]}})) == 1
}

test_parameters_are_checked_too if {
	_problems({"parameters": {"envVar": "1"}, "other": 1}) == [
		_problem("spec.other", "is not a key of a constraint.", "Use one of enforcementAction, match, parameters."),
		_problem(
			"spec.parameters.envVar", "is \"1\", which cannot be the name of an environment variable.",
			"Use letters, digits, _, - and . only, and do not start with a digit.",
		),
	]
}
