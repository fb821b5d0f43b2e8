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
	manifest := {
		"apiVersion": "apps/v1",
		"kind": "Deployment",
		"metadata": {"name": "agents", "namespace": "ns"},
		"spec": {"template": {
			"metadata": {"labels": {"app.kubernetes.io/name": "label"}},
			"spec": {"containers": [_app], "initContainers": [{"name": "init"}]},
		}},
	}
	_one(manifest) == {
		"object": manifest,
		"place": {"template": ["spec", "template"], "spec": ["spec", "template", "spec"]},
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
	_bound(_labelled({"app": "x-controllers"}))
	_bound(_labelled({"app.kubernetes.io/component": "controllers"}))
	_bound(_labelled({"app.kubernetes.io/component": "controllers"})) with parameters.controllers as ["agents-controllers"]
	_bound(_labelled({"app": "x", "app.kubernetes.io/component": "y"})) with parameters.controllers as ["x-y"]
	_bound(object.union(testing.control_plane([_app]), {"metadata": {"labels": {"app.kubernetes.io/name": "x-controllers"}}}))
	_bound(object.union(testing.control_plane([_app]), {"metadata": {"labels": {"app.kubernetes.io/component": "controllers"}}}))
	_bound(testing.deployment("agents-controllers-canary", [_app]))
	_bound({"kind": "Job", "metadata": {"generateName": "agents-controllers-"}, "spec": {"template": {"spec": {"containers": [_app]}}}})
	every list in ["containers", "initContainers", "ephemeralContainers"] {
		_bound(object.union(
			testing.control_plane([_app]),
			{"spec": {"template": {"spec": {list: [_app, {"name": "x-controllers"}]}}}},
		))
	}
}

test_others if {
	not _bound(testing.control_plane([_app]))
	not _bound(_labelled({"k8s-app": "x-controllers", "app.kubernetes.io/component": "controller"}))
	not _bound(testing.deployment("controllers", [_app]))
	not _bound(testing.deployment("agents-controllers-canary", [_app])) with parameters.controllers as ["*-controllers"]
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
		one.unreadable == [testing.wrong_type(place, found, expected)]
		one.missing == []
		workload.is_controllers(one)
	}
	label := _labelled({"app.kubernetes.io/name": 5})
	_one(label).unreadable == [testing.wrong_type(
		"spec.template.metadata.labels[\"app.kubernetes.io/name\"]",
		"a number", "a string",
	)]
}

test_labels_of_the_object_that_cannot_be_read if {
	every label in ["app", "app.kubernetes.io/name", "app.kubernetes.io/component"] {
		one := _one(_set("/metadata/labels", {label: 5}))
		[[problem.args.found, problem.path] | some problem in one.unreadable] == [["a number", _label_path(label)]]
	}
	_one(_set("/metadata/labels", ["x"])).unreadable == [testing.wrong_type("metadata.labels", "a list", "a map")]
}

_label_path("app") := "metadata.labels.app"

_label_path(label) := sprintf("metadata.labels[%q]", [label]) if label != "app"

test_a_kind_that_is_not_there if {
	one := _one(json.remove(_plain, ["kind"]))
	one.kind == "unknown"
	one.unreadable == [testing.not_there("kind", "a string")]
	_one(_set("/kind", "")).unreadable == [testing.not_there("kind", "a string")]
	_one(_set("/kind", 5)).kind == "unknown"
}

test_a_name_that_is_not_there if {
	expected := [testing.not_there("metadata.name", "a string")]
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
	expected := [testing.not_there("spec.template.spec.containers", "a list")]
	every thing in [[], null] {
		_one(_set("/spec/template/spec/containers", thing)).missing == expected
	}
	_one(_set("/spec/template/spec", {"initContainers": [_app]})).missing == expected
	_one(_set("/spec/template", null)).missing == expected
	_one(_set("/spec", "x")).missing == []
}

_exempt(images) := {container.name |
	containers := [{"name": image, "image": image} | some image in images]
	manifest := testing.controllers(array.concat(containers, [{"name": "none"}, {"name": "number", "image": 5}]))
	found := workload.all with input as manifest
	some container in found[0].containers
	container.exempt
}

test_exempt_images if {
	_given := {"exemptImages": ["proxy:1", "registry/*", "a/b", "*-sidecar"]}
	every image in [
		"proxy:1", "registry/x:1", "a/b", "a/b:1", "a/b:1@sha256:0", "mirror.example/c/a/b:1", "mirror/registry/x:1",
		"quay.io/x-sidecar", "quay.io/x-sidecar:2",
	] {
		_exempt([image]) == {image} with constraint.parameters as _given
	}
	every image in ["proxy:12", "evilregistry/x:1", "a/bc", "xa/b", "a/b/c", "a/b c", "c/proxy:1", "sidecar"] {
		_exempt([image]) == set() with constraint.parameters as _given
	}
}

# One for each entry.
_known := [
	"gcr.io/gke-release/asm/proxyv2:1.20.8",
	"public.ecr.aws/aws-observability/aws-for-fluent-bit:2.32.0",
	"quay.io/brancz/kube-rbac-proxy:v0.18.0",
	"docker.io/library/busybox:1.36",
	"docker.io/calico/kube-controllers:v3.28.0",
	"gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.11.0",
	"gcr.io/cloudsql-docker/gce-proxy:1.33.2",
	"docker.io/curlimages/curl:8.8.0",
	"docker.io/datadog/agent:7.54.0",
	"docker.io/datadog/dd-lib-js-init:v5",
	"gcr.io/datadoghq/agent:7.54.0",
	"gcr.io/datadoghq/apm-inject:0",
	"gcr.io/datadoghq/dd-lib-java-init:v1",
	"docker.io/envoyproxy/envoy:v1.30.2",
	"cr.fluentbit.io/fluent/fluent-bit:3.0.7",
	"docker.io/fluent/fluentd:v1.16",
	"docker.io/hashicorp/vault:1.16.1",
	"docker.io/istio/install-cni:1.22.1",
	"docker.io/istio/proxyv2:1.22.1",
	"gcr.io/istio-release/proxyv2:1.22.1",
	"gcr.io/kubebuilder/kube-rbac-proxy:v0.15.0",
	"cr.l5d.io/linkerd/proxy:stable-2.14.10",
	"cr.l5d.io/linkerd/proxy-init:v2.2.3",
	"mirrored-calico-kube-controllers:v3.28.0",
	"docker.io/nicolaka/netshoot:v0.13",
	"ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib:0.103.0",
	"ghcr.io/open-telemetry/opentelemetry-operator/autoinstrumentation-nodejs:0.52.1",
	"docker.io/otel/opentelemetry-collector:0.103.0",
	"docker.io/otel/opentelemetry-collector-contrib:0.103.0",
	"registry.k8s.io/pause:3.9",
	"docker.io/rancher/mirrored-calico-kube-controllers:v3.28.0",
	"docker.io/rancher/mirrored-pause:3.6",
	"ghcr.io/tailscale/tailscale:v1.68.1",
	"quay.io/tigera/kube-controllers:v3.19.0",
]

test_images_that_hold_no_service if {
	every image in [
		"istio/proxyv2:1.22", "docker.io/istio/proxyv2:1.22", "mirror.example/hub/istio/proxyv2", "busybox", "localhost/busybox",
		"docker.io/library/busybox:1", "mirror.example/hub/library/busybox", "registry.k8s.io/pause:3.9",
		"gcr.io/datadoghq/dd-lib-js-init:v5", "quay.io/calico/kube-controllers:v3",
	] {
		_exempt([image]) == {image}
	}
	every image in _known {
		_exempt([image]) == {image}
	}
	count(_known) == count(parameters.known_images)
	every image in ["istio/proxyv2x", "evil/busybox", "busybox2", "pause/x", "registry.k8s.io/agents", "agents:1"] {
		_exempt([image]) == set()
	}
}

test_images_of_the_service if {
	_given := {"images": ["acme/agents", "*/x-*"], "exemptImages": ["acme/agents:old"]}
	every image in ["acme/agents:1", "ghcr.io/acme/agents", "b/x-1:2"] {
		_exempt([image]) == set() with constraint.parameters as _given
	}
	every image in ["acme/agents:old", "acme/other", "x-1"] {
		_exempt([image]) == {image} with constraint.parameters as _given
	}
}

test_a_workload_of_images_that_hold_no_service_is_not_bound if {
	calico := testing.deployment("calico-kube-controllers", [{"name": "c", "image": "quay.io/calico/kube-controllers"}])
	not _bound(calico)
	_bound(testing.deployment("calico-kube-controllers", [{"name": "c", "image": "quay.io/calico/other"}]))
	workload.left_out == [] with input as calico
	mine := testing.controllers([{"name": "c", "image": "a/b"}])
	not _bound(mine) with constraint.parameters as {"exemptImages": ["a/b"]}
	[one.name | some one in workload.left_out] == ["agents-controllers"] with input as mine
		with constraint.parameters as {"exemptImages": ["a/b"]}
	workload.left_out == [] with input as mine with constraint.parameters as {"images": ["a/c"]}
	other := testing.control_plane([{"name": "c", "image": "a/b"}])
	workload.left_out == [] with input as other with constraint.parameters as {"exemptImages": ["a/b"]}
	partly := testing.controllers([{"name": "c", "image": "a/b"}, _app])
	workload.left_out == [] with input as partly with constraint.parameters as {"exemptImages": ["a/b"]}
}

test_what_a_rollout_refers_to_is_bound if {
	rollout := {
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
		"metadata": {"name": "agents-controllers"},
		"spec": {"workloadRef": {"kind": "Deployment", "name": "agents"}},
	}
	_both(rollout) == {"agents"}
	_both(json.patch(rollout, [{"op": "replace", "path": "/metadata/name", "value": "agents"}])) == set()
	_both(json.patch(rollout, [{"op": "replace", "path": "/spec/workloadRef/name", "value": "x"}])) == set()
	_both(json.patch(rollout, [{"op": "replace", "path": "/spec/workloadRef/kind", "value": "PodTemplate"}])) == set()
	_both(json.patch(rollout, [{"op": "remove", "path": "/spec/workloadRef/kind"}])) == {"agents"}
}

_both(rollout) := {found.name |
	some found in workload.judged with input as {"kind": "List", "items": [rollout, testing.control_plane([_app])]}
	workload.is_controllers(found) with input as {"kind": "List", "items": [rollout, testing.control_plane([_app])]}
}

_clone_set(spec) := {"apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet", "metadata": {"name": "agents"}, "spec": spec}

test_a_kind_that_is_not_in_the_table if {
	one := _one(_clone_set({"template": {"metadata": {"labels": {"app": "x-controllers"}}, "spec": {"containers": [_app]}}}))
	one.kind == "CloneSet"
	one.names == {"agents", "x-controllers", "app"}
	one.unreadable == []
	one.missing == []
	[container.path | some container in one.containers] == ["spec.template.spec.containers[0]"]
	workload.is_controllers(one)
}

_workflow(template) := {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "agents"}, "spec": {"templates": [{}, template]}}

test_the_containers_of_a_workflow if {
	one := _one(_workflow({"name": "x-controllers", "container": _app, "initContainers": [{"name": "init"}]}))
	[[container.name, container.type, container.path] | some container in one.containers] == [
		["init", "initContainer", "spec.templates[1].initContainers[0]"],
		["app", "container", "spec.templates[1].container"],
	]
	one.missing == []
	one.unreadable == []
	[container.path | some container in _one(_workflow({"script": {"image": "a", "source": "b"}})).containers] == ["spec.templates[1].script"]
	[container.path | some container in _one(_workflow({"script": 5, "container": _app})).containers] == ["spec.templates[1].container"]
	_one(_workflow({"containers": [_app], "script": _app})).missing == []
	_one(_workflow({"container": _app, "script": _app})).missing == []
	unknown := {"metadata": {"name": "agents"}, "spec": {"containers": []}}
	_one(unknown).missing == [testing.not_there("spec.containers", "a list")]
}

# In a kind of the table only the object and its pod template have names.
test_what_lies_between_in_a_known_kind if {
	cron_job := {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "agents"}, "spec": {"jobTemplate": {
		"metadata": {"labels": {"app": "x-controllers"}},
		"spec": {"template": {"spec": {"containers": [_app]}}},
	}}}
	_one(cron_job).names == {"agents", "app"}
}

# In a kind of the table they are no containers.
test_a_single_container_in_a_known_kind if {
	one := _one(_set("/spec/template/spec", {"container": _app}))
	one.containers == []
	one.missing == [testing.not_there("spec.template.spec.containers", "a list")]
}

# The names of a step bind it, for it has no other.
test_the_names_of_a_step if {
	_one(_workflow({"name": "step", "container": _app, "metadata": {"labels": {"app": "label"}}})).names == {"agents", "label"}
	jobs := {"kind": "JobSet", "metadata": {"name": "agents"}, "spec": {"jobs": [{
		"metadata": {"name": "x-controllers"},
		"template": {"spec": {"template": {"spec": {"containers": [_app]}}}},
	}]}}
	_one(jobs).names == {"agents", "x-controllers", "app"}
	_bound(jobs)
}

test_a_step_of_a_workflow_has_containers if {
	step := {"container": _app, "script": _app}
	workflow := {"kind": "Workflow", "metadata": {"name": "a"}, "spec": {"templates": [step]}}
	_one(workflow).missing == []
	[container.path | some container in _one(workflow).containers] == [
		"spec.templates[0].container",
		"spec.templates[0].script",
	]
}

test_what_is_nearly_readable if {
	containers := {"app": {"name": "app"}}
	one := _one(_set("/spec/template/spec/initContainers", containers))
	one.unreadable == [testing.wrong_type("spec.template.spec.initContainers", "a map", "a list")]
	generated := _one(_set("/metadata/generateName", 5))
	generated.names == {"agents", "app"}
	not workload.is_controllers(generated)
	_one(_labelled({"app.kubernetes.io/component": ""})).names == {"agents", "app"}
	_one({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [_app]}}).namespace == ""
}

test_a_workload_that_cannot_be_read_whole if {
	manifest := _set("/spec/template/spec/containers", null)
	_one(manifest) == {
		"object": manifest,
		"place": {"template": ["spec", "template"], "spec": ["spec", "template", "spec"]},
		"kind": "Deployment",
		"group": "apps",
		"name": "agents",
		"namespace": "agents",
		"names": {"agents"},
		"path": "",
		"containers": [],
		"unreadable": [],
		"missing": [testing.not_there("spec.template.spec.containers", "a list")],
	}
}

test_a_rollout_names_what_it_refers_to if {
	rollout := {
		"apiVersion": "argoproj.io/v1alpha1",
		"kind": "Rollout",
		"metadata": {"name": "x-controllers"},
		"spec": {"workloadRef": {"kind": "Deployment", "name": "agents"}},
	}
	every other, bound in {"Rollout": true, "Other": false} {
		changed := object.union(rollout, {"kind": other})
		count(workload.controllers) == 1 == bound with input as {"kind": "List", "items": [_plain, changed]}
		count(workload.controllers) == 1 == bound with input as {"target": {"object": _plain, "beside": [changed]}}
	}
	every changes in [
		{"metadata": {"name": "x"}}, {"spec": {"workloadRef": {"name": "other"}}},
		{"spec": {"workloadRef": {"kind": "DaemonSet"}}},
	] {
		workload.controllers == [] with input as {"target": {"object": _plain, "beside": [object.union(rollout, changes)]}}
		count(workload.others) == 1 with input as {"target": {"object": _plain, "beside": [object.union(rollout, changes)]}}
	}
}

test_what_a_step_holds_beside_its_container if {
	step := {"name": "step", "container": _app, "securityContext": {"name": "x", "image": "x"}}
	flow := object.union(_workflow(step), {"spec": {"metadata": {"name": "between"}}})
	one := _one(flow)
	[container.name | some container in one.containers] == ["app"]
	not "between" in one.names
}
