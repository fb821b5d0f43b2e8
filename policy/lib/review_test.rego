package lib.review_test

import data.lib.review
import data.lib.testing

_violating := testing.with_value("auto")

test_a_review if {
	review.is_review with input as {"review": {"object": {}}, "parameters": {}}
	every manifest in [{"kind": "Pod"}, {"kind": false}, {"apiVersion": "v1"}, {"items": []}] {
		review.is_review == false with input as object.union({"review": {"object": {}}}, manifest)
	}
	review.is_review == false with input as {"review": "yes"}
}

test_a_target if {
	review.is_target with input as {"target": {"object": {}, "beside": []}}
	every thing in [{"target": {}, "kind": "Pod"}, {"target": "x"}, {"target": []}, {}, {"review": {"object": {}}}, "target"] {
		review.is_target == false with input as thing
	}
}

_starts_nothing(request) if review.starts_nothing with input as {"review": request}

_update(old, new) := {"operation": "UPDATE", "oldObject": old, "object": new}

_changed(thing, path, to) := json.patch(thing, [{"op": "add", "path": path, "value": to}])

test_a_deletion if {
	_starts_nothing({"operation": "DELETE", "object": _violating, "oldObject": _violating})
	_starts_nothing({"operation": "DELETE", "object": null})
	review.starts_nothing == false with input as {"kind": "Pod", "review": {"operation": "DELETE"}}
}

test_a_creation_and_an_audit if {
	every operation in ["CREATE", "CONNECT", "", "delete", null] {
		not _starts_nothing({"operation": operation, "object": _violating, "oldObject": _violating})
	}
	not _starts_nothing({"object": _violating, "oldObject": _violating})
}

test_an_update_beside_the_pod_template if {
	every change in [
		["/spec/replicas", 0],
		["/metadata/annotations", {"a": "b"}],
		["/metadata/finalizers", []],
		["/metadata/labels", {"app.kubernetes.io/name": "x"}],
		["/status", {"replicas": 1}],
	] {
		[path, to] := change
		_starts_nothing(_update(_violating, _changed(_violating, path, to)))
	}
}

test_an_update_of_the_pod_template if {
	every change in [
		["/spec/template/metadata", {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}],
		["/spec/template/spec/volumes", []],
		["/spec/template/spec/containers/0/env/0/value", "autos"],
		["/spec/template", null],
		["/spec/template", "x"],
	] {
		[path, to] := change
		not _starts_nothing(_update(_violating, _changed(_violating, path, to)))
	}
}

_cron_job(spec) := {
	"apiVersion": "batch/v1", "kind": "CronJob",
	"metadata": {"name": "agents-controllers"}, "spec": object.union(
		spec,
		{"jobTemplate": {"spec": {"template": _violating.spec.template}}},
	),
}

test_an_update_of_a_cron_job if {
	_starts_nothing(_update(_cron_job({"suspend": false}), _cron_job({"suspend": true})))
	not _starts_nothing(_update(
		_cron_job({}),
		_changed(_cron_job({}), "/spec/jobTemplate/spec/template/spec/containers/0/image", "app:2"),
	))
}

_pod := {
	"apiVersion": "v1", "kind": "Pod",
	"metadata": {"name": "a", "labels": {"app.kubernetes.io/name": "agents-controllers"}},
	"spec": _violating.spec.template.spec,
}

test_an_update_of_a_pod if {
	every change in [
		["/metadata/finalizers", []],
		["/metadata/labels/a", "b"],
		["/spec/tolerations", []],
		["/status", {"phase": "Failed"}],
	] {
		[path, to] := change
		_starts_nothing(_update(_pod, _changed(_pod, path, to)))
	}
	every change in [
		["/metadata/labels/app.kubernetes.io~1name", "x"],
		["/spec/containers/0/image", "app:2"],
		["/spec/initContainers", [testing.good]],
		["/spec/ephemeralContainers", [testing.good]],
	] {
		[path, to] := change
		not _starts_nothing(_update(_pod, _changed(_pod, path, to)))
	}
}

test_an_update_that_cannot_be_read if {
	every old in [null, "x", [], {}] {
		not _starts_nothing(_update(old, _violating))
	}
	not _starts_nothing({"operation": "UPDATE", "object": _violating})
	not _starts_nothing({"operation": "UPDATE", "oldObject": _violating})
	not _starts_nothing(_update(_violating, "x"))
}

test_an_update_without_a_pod_template if {
	not _starts_nothing(_update(null, json.remove(_violating, ["spec"])))
	without := json.remove(_violating, ["spec/template/spec/containers"])
	_starts_nothing(_update(without, without))
}

test_an_update_of_a_manifest if {
	manifest := object.union(_violating, {"review": _update(_violating, _violating)})
	review.starts_nothing == false with input as manifest
}

# What is no workload is not judged anyhow.
test_an_update_of_something_else if {
	scale := {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "agents-controllers"}}
	not _starts_nothing(_update(scale, scale))
}

# The pods of a kind that is not in the table are looked for.
test_an_update_of_any_kind if {
	set := {"apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet", "metadata": {"name": "a"}, "spec": {"template": _violating.spec.template}}
	_starts_nothing(_update(set, _changed(set, "/spec/replicas", 2)))
	not _starts_nothing(_update(set, _changed(set, "/spec/template/spec/containers/0/image", "b")))
	moved := json.patch(set, [{"op": "move", "from": "/spec/template", "path": "/spec/other"}])
	not _starts_nothing(_update(set, moved))
}

test_an_update_of_the_labels_of_a_pod if {
	every label in ["app", "app.kubernetes.io~1component"] {
		not _starts_nothing(_update(_pod, _changed(_pod, sprintf("/metadata/labels/%s", [label]), "b")))
	}
}
