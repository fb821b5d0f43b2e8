package lib.workload_test

import data.lib.constraint
import data.lib.parameters
import data.lib.testing
import data.lib.workload

# The only workload of an input.
_one(manifest) := found[0] if {
	found := workload.all with input as manifest
	count(found) == 1
}

_bound(manifest) if workload.is_controllers(_one(manifest))

_app := {"name": "app", "image": "app:1"}

test_a_workload if {
	_one({
		"apiVersion": "apps/v1",
		"kind": "Deployment",
		"metadata": {"name": "agents", "namespace": "ns"},
		"spec": {"template": {
			"metadata": {"labels": {"app.kubernetes.io/name": "label"}},
			"spec": {"containers": [_app], "initContainers": [{"name": "init"}]},
		}},
	}) == {
		"kind": "Deployment",
		"group": "apps",
		"name": "agents",
		"namespace": "ns",
		"names": {"agents", "label", "app", "init"},
		"path": "",
		"containers": [
			{"name": "app", "type": "container", "path": "spec.template.spec.containers[0]", "exempt": false, "spec": _app},
			{"name": "init", "type": "initContainer", "path": "spec.template.spec.initContainers[0]", "exempt": false, "spec": {"name": "init"}},
		],
		"unreadable": [],
		"missing": [],
	}
}

test_the_place_of_the_pod if {
	pod := {"spec": {"containers": [_app], "ephemeralContainers": [_app]}}
	meta := {"metadata": {"name": "a"}}
	every case in [
		["Pod", "", pod],
		["PodTemplate", "template.", {"template": pod}],
		["Job", "spec.template.", {"spec": {"template": pod}}],
		["CronJob", "spec.jobTemplate.spec.template.", {"spec": {"jobTemplate": {"spec": {"template": pod}}}}],
	] {
		[kind, place, manifest] := case
		found := _one(object.union_n([{"kind": kind}, meta, manifest]))
		[container.path | some container in found.containers] == [
			sprintf("%sspec.containers[0]", [place]),
			sprintf("%sspec.ephemeralContainers[0]", [place]),
		]
		[container.type | some container in found.containers] == ["container", "ephemeralContainer"]
		found.unreadable == []
	}
}

test_in_a_list if {
	found := workload.all with input as {"kind": "List", "items": [testing.controllers({}), testing.controllers([_app])]}
	[[one.path, one.name] | some one in found] == [["items[0].", "agents-controllers"], ["items[1].", "agents-controllers"]]
	[problem.path | some problem in found[0].unreadable] == ["items[0].spec.template.spec.containers"]
	[container.path | some container in found[1].containers] == ["items[1].spec.template.spec.containers[0]"]
}

test_what_is_no_workload if {
	every manifest in [
		{"kind": "Service", "metadata": {"name": "agents-controllers"}},
		{"kind": "Deployment", "apiVersion": "example.com/v1", "metadata": {"name": "agents-controllers"}},
		{"metadata": {"name": "agents-controllers"}},
		"Deployment", null, [],
	] {
		workload.all == [] with input as manifest
	}
}

_labelled(labels) := object.union(
	testing.control_plane([_app]),
	{"spec": {"template": {"metadata": {"labels": labels}}}},
)

test_controllers_by_name_label_and_container if {
	_bound(testing.controllers([_app]))
	_bound(_labelled({"app.kubernetes.io/name": "x-controllers"}))
	every list in ["containers", "initContainers", "ephemeralContainers"] {
		_bound(object.union(
			testing.control_plane([_app]),
			{"spec": {"template": {"spec": {list: [_app, {"name": "x-controllers"}]}}}},
		))
	}
}

test_others if {
	not _bound(testing.control_plane([_app]))
	not _bound(_labelled({"app": "x-controllers", "app.kubernetes.io/component": "x-controllers"}))
	not _bound(object.union(testing.control_plane([_app]), {"metadata": {"labels": {"app.kubernetes.io/name": "x-controllers"}}}))
	not _bound(testing.control_plane([]))
	not _bound(testing.control_plane([{"image": "app:1"}]))
	not _bound({"kind": "Deployment", "metadata": {"name": "agents"}})
	not _bound({"kind": "Job", "metadata": {"generateName": "agents-"}})
}

test_controllers_of_the_constraint if {
	_bound(testing.control_plane([_app])) with parameters.controllers as ["x", "agents"]
	not _bound(testing.controllers([_app])) with parameters.controllers as ["x", "agents"]
}

test_judged if {
	count(workload.judged) == 1 with input as testing.control_plane([])
	workload.judged == [] with input as testing.control_plane([]) with constraint.match as {"namespaces": ["x"]}
	workload.judged == [] with input as testing.control_plane([]) with constraint.problems as ["p"]
	workload.judged == [] with input as testing.control_plane([])
		with constraint.match as {"kinds": [{"apiGroups": ["batch"], "kinds": ["*"]}]}
}

_plain := testing.control_plane([_app])

_set(path, thing) := json.patch(_plain, [{"op": "add", "path": path, "value": thing}])

_cases := {
	"/kind": [5, "kind", "a number", "a string"],
	"/metadata": ["x", "metadata", "a string", "a map"],
	"/metadata/name": [["x"], "metadata.name", "a list", "a string"],
	"/spec": [5, "spec", "a number", "a map"],
	"/spec/template": [[], "spec.template", "a list", "a map"],
	"/spec/template/metadata": ["x", "spec.template.metadata", "a string", "a map"],
	"/spec/template/metadata/labels": [[], "spec.template.metadata.labels", "a list", "a map"],
	"/spec/template/spec": [false, "spec.template.spec", "a boolean", "a map"],
	"/spec/template/spec/containers": [{}, "spec.template.spec.containers", "a map", "a list"],
	"/spec/template/spec/initContainers": ["x", "spec.template.spec.initContainers", "a string", "a list"],
	"/spec/template/spec/ephemeralContainers": [5, "spec.template.spec.ephemeralContainers", "a number", "a list"],
	"/spec/template/spec/containers/0": [null, "spec.template.spec.containers[0]", "null", "a map"],
	"/spec/template/spec/containers/1": ["x", "spec.template.spec.containers[1]", "a string", "a map"],
	"/spec/template/spec/containers/0/name": [5, "spec.template.spec.containers[0].name", "a number", "a string"],
}

# Patching needs the parents to be there.
_with_parents := json.patch(_plain, [{"op": "add", "path": "/spec/template/metadata", "value": {"labels": {}}}])

test_what_cannot_be_read_is_bound if {
	every path, case in _cases {
		[thing, place, found, expected] := case
		one := _one(json.patch(_with_parents, [{"op": "add", "path": path, "value": thing}]))
		one.unreadable == [testing.mistyped(place, found, expected)]
		one.missing == []
		workload.is_controllers(one)
	}
	label := _labelled({"app.kubernetes.io/name": 5})
	_one(label).unreadable == [testing.mistyped(
		"spec.template.metadata.labels[\"app.kubernetes.io/name\"]",
		"a number", "a string",
	)]
}

test_a_kind_that_is_not_there if {
	one := _one(json.remove(_plain, ["kind"]))
	one.kind == "unknown"
	one.unreadable == [testing.missing("kind", "a string")]
	_one(_set("/kind", "")).unreadable == [testing.missing("kind", "a string")]
	_one(_set("/kind", 5)).kind == "unknown"
}

test_a_name_that_is_not_there if {
	expected := [testing.missing("metadata.name", "a string")]
	_one(json.remove(_plain, ["metadata"])).unreadable == expected
	_one(_set("/metadata", null)).unreadable == expected
	_one(_set("/metadata/name", null)).unreadable == expected
	_one(_set("/metadata/name", "")).unreadable == expected
	_one(_set("/metadata/name", "")).name == ""
	_one(_set("/metadata", {"generateName": "a-"})).unreadable == []
	_one(_set("/metadata", {"generateName": "a-"})).name == "a-"
	_one(_set("/metadata", {"generateName": 5})).unreadable == expected
	_one(_set("/metadata", {"generateName": ""})).unreadable == expected
}

test_a_namespace_of_another_type_is_none if {
	_one(_set("/metadata/namespace", 5)).namespace == ""
	_one(_set("/metadata/namespace", 5)).unreadable == []
}

test_missing if {
	expected := [testing.missing("spec.template.spec.containers", "a list")]
	every thing in [[], null] {
		_one(_set("/spec/template/spec/containers", thing)).missing == expected
	}
	_one(_set("/spec/template/spec", {"initContainers": [_app]})).missing == expected
	_one(_set("/spec/template", null)).missing == expected
	_one(_set("/spec", "x")).missing == []
}

test_images_that_are_almost_exempt if {
	manifest := testing.controllers([{"name": "a", "image": "evil/registry/x:1"}, {"name": "b", "image": "a*bc"}])
	found := workload.all with input as manifest with parameters.exempt_images as ["registry/*", "a*b"]
	[container.exempt | some container in found[0].containers] == [false, false]
}

test_exempt_images if {
	manifest := testing.controllers([
		{"name": "a", "image": "proxy:1"}, {"name": "b", "image": "proxy:12"},
		{"name": "c", "image": "registry/x:1"}, {"name": "d"}, {"name": "e", "image": 5},
	])
	found := workload.all with input as manifest with parameters.exempt_images as ["proxy:1", "registry/*"]
	{container.name | some container in found[0].containers; container.exempt} == {"a", "c"}
	none := workload.all with input as manifest
	{container.name | some container in none[0].containers; container.exempt} == set()
}
