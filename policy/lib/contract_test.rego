package lib.contract_test

import data.lib.constraint
import data.lib.contract
import data.lib.parameters

_object := {"kind": "Deployment", "group": "apps", "namespace": "agents"}

_excluded(match, thing) if contract.excludes(thing) with constraint.match as match

test_without_a_constraint if {
	contract.problems == []
	contract.enforcement == "deny"
	contract.usable
	not contract.excludes(_object)
}

test_without_the_file_that_reads_it if {
	contract.problems == [] with data.lib.constraint as {}
	contract.enforcement == "deny" with data.lib.constraint as {}
	contract.usable with data.lib.constraint as {}
}

test_problems if {
	contract.problems == ["p"] with constraint.problems as ["p"]
	contract.enforcement == "deny" with constraint.problems as ["p"] with constraint.enforcement as "warn"
	contract.enforcement == "warn" with constraint.enforcement as "warn"
	not contract.usable with constraint.problems as ["p"]
}

test_a_review_asks_its_own_parameters_only if {
	review := {"review": {"object": {}}}
	contract.problems == ["q"] with input as review with constraint.problems as ["p"] with parameters.problems as ["q"]
	contract.enforcement == "deny" with input as review with constraint.enforcement as "warn"
	not contract.excludes(_object) with input as review with constraint.match as {"namespaces": ["x"]}
}

test_namespaces if {
	every pattern in ["agents", "*", "ag*", "*nts", "*gen*", "agents*", "*agents"] {
		not _excluded({"namespaces": [pattern]}, _object)
		not _excluded({"namespaces": ["x", pattern]}, _object)
		_excluded({"excludedNamespaces": [pattern]}, _object)
		_excluded({"excludedNamespaces": ["x", pattern]}, _object)
	}
	every pattern in ["agent", "gents", "nts*", "*ag", "*x*", "agents-*", "x"] {
		_excluded({"namespaces": [pattern]}, _object)
		not _excluded({"excludedNamespaces": [pattern]}, _object)
	}
	not _excluded({"namespaces": [], "excludedNamespaces": []}, _object)
	_excluded({"namespaces": ["agents"], "excludedNamespaces": ["agents"]}, _object)
}

test_no_namespace_is_in_reach if {
	nowhere := object.union(_object, {"namespace": ""})
	not _excluded({"namespaces": ["x"]}, nowhere)
	not _excluded({"excludedNamespaces": ["*"]}, nowhere)
}

test_kinds if {
	every entry in [
		{"apiGroups": ["apps"], "kinds": ["Deployment"]},
		{"apiGroups": ["*"], "kinds": ["*"]},
		{"apiGroups": ["", "apps"], "kinds": ["Pod", "Deployment"]},
		{"kinds": ["Deployment"]},
		{"apiGroups": ["apps"], "kinds": null},
		{"apiGroups": [], "kinds": []},
		{},
	] {
		not _excluded({"kinds": [entry]}, _object)
		not _excluded({"kinds": [{"apiGroups": ["batch"], "kinds": ["Job"]}, entry]}, _object)
	}
	every entry in [
		{"apiGroups": ["apps"], "kinds": ["StatefulSet"]},
		{"apiGroups": [""], "kinds": ["Deployment"]},
		{"apiGroups": ["batch"], "kinds": ["*"]},
	] {
		_excluded({"kinds": [entry]}, _object)
	}
	not _excluded({"kinds": []}, _object)
}

test_what_cannot_be_read_is_in_reach if {
	entry := {"apiGroups": ["apps"], "kinds": ["Deployment"]}
	not _excluded({"kinds": [entry]}, object.union(_object, {"group": "*"}))
	not _excluded({"kinds": [entry]}, object.union(_object, {"kind": "unknown"}))
}

test_kinds_that_are_not_in_the_table if {
	other := {"kind": "CloneSet", "group": "apps.kruise.io", "namespace": "agents"}
	every entry in [{"apiGroups": [""], "kinds": ["Pod"]}, {"kinds": ["Pod"]}, {"apiGroups": ["*"], "kinds": ["CloneSet"]}, {"kinds": ["*"]}] {
		not _excluded({"kinds": [entry]}, other)
	}
	every entry in [{"apiGroups": ["apps"], "kinds": ["Pod"]}, {"apiGroups": [""], "kinds": ["PodTemplate"]}, {"kinds": ["Deployment"]}] {
		_excluded({"kinds": [entry]}, other)
	}
	pods := {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}
	not _excluded(pods, object.union(other, {"kind": "StatefulSet"}))
	_excluded(pods, _object)
	_excluded(pods, object.union(_object, {"kind": "Rollout", "group": "argoproj.io"}))
	_excluded(pods, object.union(_object, {"group": "*"}))
	not _excluded(pods, object.union(_object, {"kind": "unknown", "group": ""}))
	_excluded(pods, object.union(_object, {"kind": "unknown"}))
}
