package lib.kind_test

import data.lib.kind

_template(name, version) := kind.template(name, {"apiVersion": version})

test_groups if {
	kind.groups == {"", "apps", "argoproj.io", "batch", "extensions"}
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
	not kind.template("Service", {"apiVersion": "serving.knative.dev/v1", "spec": {"template": {"spec": pod}}})
	not kind.template("Deployment", {"apiVersion": "example.com/v1", "spec": {"template": {"spec": pod}}})
}

test_a_rollout_by_reference if {
	reference := {"kind": "Deployment", "name": "a"}
	not kind.template("Rollout", {"spec": {"workloadRef": reference}})
	not kind.template("Rollout", {"spec": {"workloadRef": reference, "template": null}})
	kind.template("Rollout", {"spec": {"workloadRef": reference, "template": {}}})
	kind.template("Rollout", {"spec": {"workloadRef": null}})
	kind.template("Rollout", {"spec": {}})
	kind.template("Deployment", {"spec": {"workloadRef": reference}})
}

test_a_kind_that_cannot_be_read if {
	pod := {"containers": []}
	every name in [null, "", 5, ["Deployment"]] {
		kind.template(name, {"spec": pod}) == []
		kind.template(name, {"spec": {"template": {"spec": pod}}}) == ["spec", "template"]
		kind.template(name, {"template": {"spec": pod}}) == ["template"]
		kind.template(name, {"spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}) == [
			"spec", "jobTemplate",
			"spec", "template",
		]
		not kind.template(name, {"spec": {"containers": null}})
		not kind.template(name, {"data": {}})
	}
}
