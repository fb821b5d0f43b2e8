package lib.resemblance_test

import data.lib.parameters
import data.lib.resemblance
import data.lib.testing
import data.lib.workload

_app := {"name": "app", "image": "app:1"}

# The only workload of an input.
_one(manifest) := found[0] if {
	found := workload.all with input as manifest
}

_named(name) := testing.deployment(name, [_app])

_of(manifest) := found if {
	found := resemblance.of(_one(manifest))
} else := {}

test_the_name if {
	_of(_named("agents-controller")) == {
		"place": "The name", "path": "metadata.name", "name": "agents-controller", "binds": true,
		"pattern": "agents-controller",
	}
	every name in ["controllers", "Controllers", "agents-controllersx", "agentscontroller", "controllers-agents"] {
		_of(_named(name)).name == name
	}
	every name in ["agents", "control-plane", "agents-contr", ""] {
		_of(_named(name)) == {}
	}
}

_sixty := concat("", ["x" | some _ in numbers.range(1, 60)])

# A name has at most 63 characters, and longer ones are cut.
test_a_name_that_is_cut if {
	every end in ["-con", "-cont", "-controlle"] {
		_of(_named(concat("", [substring(_sixty, 0, 61 - count(end)), end]))) != {}
		_of(_named(concat("", [substring(_sixty, 0, 60 - count(end)), end]))) == {}
	}
	every end in ["-co", "-con-", "xcon", "-conx"] {
		_of(_named(concat("", [_sixty, end]))) == {}
	}
}

_labelled(place, labels) := json.patch(_named("agents"), [{"op": "add", "path": place, "value": {"labels": labels}}])

test_labels if {
	_of(json.patch(_named("agents"), [{"op": "add", "path": "/metadata/labels", "value": {"a": "b", "app": "x-controller"}}])) == {
		"place": "The label", "path": "metadata.labels[\"app\"]", "name": "x-controller", "binds": true,
		"pattern": "x-controller",
	}
	_of(_labelled("/spec/template/metadata", {"role": "x-controller"})) == {
		"place": "The label", "path": "spec.template.metadata.labels[\"role\"]", "name": "x-controller", "binds": false,
		"pattern": "agents",
	}
	_of(_labelled("/spec/template/metadata", {"role": "x"})) == {}
	_of(_labelled("/spec/template/metadata", {"controllers": 5})) == {}
	_of(_labelled("/spec/template/metadata", "controllers")) == {}
	_of(_labelled("/spec/template/metadata", ["controllers"])) == {}
}

_owned(owners) := json.patch(_named("agents"), [{"op": "add", "path": "/metadata/ownerReferences", "value": owners}])

test_owners if {
	owner := {"kind": "ReplicaSet", "name": "x-controller"}
	_of(_owned([{"name": "x"}, owner])) == {
		"place": "The owner", "path": "metadata.ownerReferences[1].name", "name": "x-controller", "binds": false,
		"pattern": "agents",
	}
	_of(_owned([{"name": 5}, "controllers"])) == {}
	_of(_owned(owner)) == {}
}

test_containers if {
	_of(testing.deployment("agents", [_app, {"name": "controller", "image": "app:1"}])) == {
		"place": "The container", "path": "spec.template.spec.containers[1].name", "name": "controller", "binds": true,
		"pattern": "controller",
	}
	_of(testing.deployment("agents", [{"name": "controller", "image": "busybox"}])) == {}
}

test_in_a_list if {
	owned := object.union(_owned([{"name": "x-controller"}]), {"metadata": {"name": "agents"}})
	labelled := _labelled("/spec/template/metadata", {"role": "x-controller"})
	list := {"kind": "List", "items": [
		_named("x-controller"), owned, labelled,
		testing.deployment("agents", [{"name": "controller", "image": "app:1"}]),
	]}
	found := workload.all with input as list
	[resemblance.of(one).path | some one in found] == [
		"items[0].metadata.name",
		"items[1].metadata.ownerReferences[0].name",
		"items[2].spec.template.metadata.labels[\"role\"]",
		"items[3].spec.template.spec.containers[0].name",
	]
}

test_the_first_counts if {
	_of(testing.deployment("agents-controller", [{"name": "controller", "image": "app:1"}])).place == "The name"
	_of(json.patch(
		testing.deployment("agents", [{"name": "controller", "image": "app:1"}]),
		[{"op": "add", "path": "/metadata/labels", "value": {"b": "controller-b", "a": "controller-a"}}],
	)).name == "controller-a"
}

test_the_stems_of_patterns if {
	_of(_named("my-workers")) == {}
	every pattern in ["*-workers-*", "Worker", "_worker.*"] {
		_of(_named("my-workers")).name == "my-workers" with parameters.controllers as [pattern]
		_of(_named("agents-controller")) == {} with parameters.controllers as [pattern]
	}
	_of(_named("abcd")).name == "abcd" with parameters.controllers as ["abcds-*"]
	_of(_named("abc")) == {} with parameters.controllers as ["abc", "abcs"]
	_of(_named("abcd")) == {} with parameters.controllers as ["@abcd"]
	_of(_named("xyzw")).name == "xyzw" with parameters.controllers as ["abcd*xyzw"]
	_of(_named("any")) == {} with parameters.controllers as ["*"]
}
