package lib.kind_test

import data.lib.kind
import data.lib.value

_template(name, version) := _place(name, {"apiVersion": version})

_place(name, object) := kind.pods(name, object)[0].template

test_groups if {
	known := {"", "apps", "argoproj.io", "batch", "extensions"}
	known - kind.groups == set()
	not "example.com" in kind.groups
}

test_group if {
	every version, group in {
		"v1": "",
		"v1beta1": "",
		"apps/v1": "apps",
		"argoproj.io/v1alpha1": "argoproj.io",
		"example.com/stable": "example.com",
		"apps": "*",
		"": "*",
		"/v1": "*",
		"apps/": "*",
		"apps/v1/x": "*",
		"Apps/v1": "*",
		" apps/v1": "*",
		"apps/v1\n": "*",
		"v1\n": "*",
		"V1": "*",
	} {
		kind.group({"apiVersion": version}) == group
	}
	every version in [null, 1, ["apps/v1"], {}] {
		kind.group({"apiVersion": version}) == "*"
	}
	kind.group({}) == "*"
}

test_each_kind_in_each_group if {
	every case in [
		["Deployment", "apps/v1"], ["Deployment", "extensions/v1beta1"],
		["DaemonSet", "apps/v1"], ["DaemonSet", "extensions/v1beta1"],
		["ReplicaSet", "apps/v1"], ["ReplicaSet", "extensions/v1beta1"],
		["StatefulSet", "apps/v1"],
		["Job", "batch/v1"],
		["ReplicationController", "v1"],
		["Rollout", "argoproj.io/v1alpha1"],
	] {
		_template(case[0], case[1]) == ["spec", "template"]
		_template(case[0], "nonsense") == ["spec", "template"]
	}
	_template("CronJob", "batch/v1") == ["spec", "jobTemplate", "spec", "template"]
	_template("Pod", "v1") == []
	_template("PodTemplate", "v1") == ["template"]
}

test_other_groups_and_kinds if {
	every case in [
		["Deployment", "example.com/v1"], ["Deployment", "v1"], ["StatefulSet", "extensions/v1beta1"],
		["Pod", "apps/v1"], ["Job", "apps/v1"], ["Rollout", "apps/v1"], ["PodTemplate", "apps/v1"],
		["ConfigMap", "v1"], ["deployment", "apps/v1"], ["Service", null],
	] {
		not _template(case[0], case[1])
	}
	pod := {"containers": []}
	not _place("Service", {"apiVersion": "serving.knative.dev/v1", "spec": {"template": {"spec": pod}}})
	not _place("Deployment", {"apiVersion": "example.com/v1", "spec": {"template": {"spec": pod}}})
}

test_a_rollout_by_reference if {
	reference := {"kind": "Deployment", "name": "a"}
	not _place("Rollout", {"spec": {"workloadRef": reference}})
	not _place("Rollout", {"spec": {"workloadRef": reference, "template": null}})
	_place("Rollout", {"spec": {"workloadRef": reference, "template": {}}})
	_place("Rollout", {"spec": {"workloadRef": null}})
	_place("Rollout", {"spec": {}})
	_place("Deployment", {"spec": {"workloadRef": reference}})
}

test_a_kind_that_cannot_be_read if {
	pod := {"containers": []}
	every name in [null, "", 5, ["Deployment"]] {
		_place(name, {"spec": pod}) == []
		_place(name, {"spec": {"template": {"spec": pod}}}) == ["spec", "template"]
		_place(name, {"template": {"spec": pod}}) == ["template"]
		_place(name, {"spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}) == [
			"spec", "jobTemplate",
			"spec", "template",
		]
		not _place(name, {"spec": {"containers": null}})
		not _place(name, {"data": {}})
	}
}

# The API server is asked for a version, and knows a resource by its name.
test_each_kind_is_complete if {
	every group in kind.groups {
		regex.match(`\Av[0-9]+((alpha|beta)[0-9]+)?\z`, kind.versions[group])
	}
	every name, workload in kind.workloads {
		object.keys(workload) == {"groups", "resources", "template"}
		workload.resources[0] == sprintf("%ss", [lower(name)])
	}
	kind.workloads.Pod.resources == ["pods", "pods/ephemeralcontainers"]
}

_app := {"containers": [{"name": "app"}]}

_found(object) := {[value.written(pod.template), value.written(pod.spec)] | some pod in kind.pods(object.kind, object)}

test_pods_at_any_depth if {
	_found({"kind": "CloneSet", "apiVersion": "apps.kruise.io/v1alpha1", "spec": {"template": {"spec": _app}}}) == {["spec.template", "spec.template.spec"]}
	_found({"kind": "StatefulSet", "apiVersion": "apps.kruise.io/v1beta1", "spec": {"template": {"spec": _app}}}) == {["spec.template", "spec.template.spec"]}
	_found({"kind": "JobSet", "spec": {"jobs": [{"template": {"spec": _app}}, {"template": {"spec": {"containers": [{"image": "a"}]}}}]}}) == {
		["spec.jobs[0].template", "spec.jobs[0].template.spec"],
		["spec.jobs[1].template", "spec.jobs[1].template.spec"],
	}
	_found({"kind": "Workflow", "spec": {"templates": [{"container": {"image": "a"}}, {"script": {"image": "a"}}, {"containerSet": _app}]}}) == {
		["spec.templates[0]", "spec.templates[0]"],
		["spec.templates[1]", "spec.templates[1]"],
		["spec.templates[2].containerSet", "spec.templates[2].containerSet"],
	}
	_found({"kind": "Odd", "containers": [{"name": "app"}]}) == {["", ""]}
	_found({"kind": "Odd", "items": {"spec": _app}, "objects": {"spec": _app}}) == {["items", "items.spec"], ["objects", "objects.spec"]}
	_found({"kind": null, "spec": {"odd": _app}}) == {["spec.odd", "spec.odd"]}
}

test_no_pods if {
	kind.pods("ConfigMap", {"kind": "ConfigMap", "apiVersion": "v1"}) == []
	_found({"kind": "Template", "objects": [{"kind": "Pod", "spec": _app}], "items": [{"spec": _app}]}) == set()
	_found({"kind": "CloneSet", "spec": {"template": {"spec": {"containers": [{"ports": []}, "name"]}}}}) == set()
	_found({"kind": "CloneSet", "spec": {"template": {"spec": {"containers": {"name": "app"}}}}}) == set()
	_found({"kind": "Workflow", "spec": {"templates": [{"container": {"image": ""}}, {"container": "a"}]}}) == set()
	_found({"kind": "ConfigMap", "apiVersion": "v1", "data": {"a": "\"containers\":[{\"name\":\"app\"}]"}}) == set()
}

test_what_a_rollout_refers_to if {
	rollout := {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": {"workloadRef": {"kind": "Deployment", "name": "agents"}}}
	kind.referred("Rollout", rollout) == {"kind": "Deployment", "name": "agents"}
	kind.referred("Rollout", object.union(rollout, {"spec": {"workloadRef": {"name": "agents"}}})) == {"kind": "Deployment", "name": "agents"}
	not kind.referred("Rollout", object.union(rollout, {"spec": {"template": {}}}))
	not kind.referred("Deployment", rollout)
	not kind.referred("Rollout", object.union(rollout, {"apiVersion": "example.com/v1"}))
}

test_keys_of_what_may_hold_pods if {
	{key | some key in kind.pod_keys} == {"containers", "container", "script", "items", "objects"}
}
