# METADATA
# scope: package
# title: Kinds of workload
package lib.kind

import data.lib.value

# METADATA
# title: Each kind of workload
# description: >-
#   Its API groups, the resources by which the API server knows it, and the place
#   of its pod template. The pod template of a Pod is the Pod, whose ephemeral
#   containers are set through a resource of their own.
workloads := {
	"CronJob": {
		"groups": {"batch"},
		"resources": ["cronjobs"],
		"template": ["spec", "jobTemplate", "spec", "template"],
	},
	"DaemonSet": {"groups": {"apps", "extensions"}, "resources": ["daemonsets"], "template": ["spec", "template"]},
	"Deployment": {"groups": {"apps", "extensions"}, "resources": ["deployments"], "template": ["spec", "template"]},
	"Job": {"groups": {"batch"}, "resources": ["jobs"], "template": ["spec", "template"]},
	"Pod": {"groups": {""}, "resources": ["pods", "pods/ephemeralcontainers"], "template": []},
	"PodTemplate": {"groups": {""}, "resources": ["podtemplates"], "template": ["template"]},
	"ReplicaSet": {"groups": {"apps", "extensions"}, "resources": ["replicasets"], "template": ["spec", "template"]},
	"ReplicationController": {"groups": {""}, "resources": ["replicationcontrollers"], "template": ["spec", "template"]},
	"Rollout": {"groups": {"argoproj.io"}, "resources": ["rollouts"], "template": ["spec", "template"]},
	"StatefulSet": {"groups": {"apps"}, "resources": ["statefulsets"], "template": ["spec", "template"]},
}

# METADATA
# title: The version of each API group in which its workloads are read
# description: >-
#   The API server converts other versions of the same resource. It serves no
#   group extensions any more, but a constraint may name it.
versions := {
	"": "v1",
	"apps": "v1",
	"argoproj.io": "v1alpha1",
	"batch": "v1",
	"extensions": "v1beta1",
}

# METADATA
# title: The places in which some kind of workload has its pod template
templates := sort({workload.template | some workload in workloads})

# METADATA
# title: The labels that count as names
name_labels := ["app.kubernetes.io/name", "app"]

# METADATA
# title: The label that names a component of what the others name
component_label := "app.kubernetes.io/component"

# METADATA
# title: The API groups of all kinds of workload
groups := {group | some group in workloads[_].groups}

# A version of the core, or a group with a version.
_version := `\A(?:v[0-9]+(?:(?:alpha|beta)[0-9]+)?|([a-z0-9](?:[-.a-z0-9]*[a-z0-9])?)/[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\z`

# METADATA
# title: The API group of an object, * when it cannot be read
# description: An apiVersion that cannot be read could stand for any group.
default group(_) := "*"

group(object) := group if {
	is_string(object.apiVersion)
	[[_, group]] := regex.find_all_string_submatch_n(_version, object.apiVersion, 1)
}

# METADATA
# title: The kind is one of the table, in a group that it has there
is_known(name, object) if group(object) in (workloads[name].groups | {"*"})

# METADATA
# title: The places of an object's pods, none for what is no workload
# description: >-
#   Each is the place of a pod template with that of the pod spec. A kind of the
#   table has it where the table says. Any other object may hold pod specs at any
#   depth: a list of containers, or a container or a script as Argo's workflows
#   have it. An object whose kind cannot be read is also taken for a workload when
#   something that looks like a pod template is found where a workload has it.
default pods(_, _) := []

pods(name, object) := [{"template": place, "spec": array.concat(place, ["spec"])} |
	place := workloads[name].template
	not _by_reference(name, object)
] if {
	is_known(name, object)
} else := [{"template": place, "spec": array.concat(place, ["spec"])} |
	place := _expected(object)[0]
] if {
	not _readable(name)
	count(_expected(object)) > 0
} else := [{"template": _template_of(spec), "spec": spec} |
	some spec in _pod_specs(object)
] if {
	_may_hold_containers(object)
}

_expected(object) := [place |
	some place in templates
	containers := value.at(object, array.concat(place, ["spec", "containers"]))
	containers != null
]

# To look for a word in the text of an object is far cheaper than to walk it.
_may_hold_containers(object) if {
	is_object(object)
	regex.match(`"(?:containers":\[|(?:container|script)":\{)`, json.marshal(_alone(object)))
}

_pod_specs(object) := [path |
	walk(_alone(object), [path, node])
	is_object(node)
	_is_pod_spec(node)
]

# An object without the objects that it lists, which are looked at by themselves.
_alone(object) := json.remove(object, [key | some key in lists; is_array(value.field(object, key))])

_is_pod_spec(node) if {
	some container in value.entries(value.field(node, "containers"))
	_is_container(container)
}

_is_pod_spec(node) if {
	some key in singles
	value.text(value.field(value.field(node, key), "image")) != ""
}

_is_container(container) if {
	is_object(container)
	count({"name", "image"} & object.keys(container)) > 0
}

# METADATA
# title: The keys under which an object lists others
# description: Everything with items is a list, and a Template of OpenShift has objects.
lists := ["items", "objects"]

# METADATA
# title: Keys of which an object has one at some depth, when it holds a pod or lists objects
pod_keys := array.concat(["containers"], array.concat(singles, lists))

# METADATA
# title: The keys under which a workflow has one container in place of a list
singles := ["container", "script"]

_template_of(spec) := array.slice(spec, 0, count(spec) - 1) if {
	spec[count(spec) - 1] == "spec"
} else := spec

_readable(name) if value.text(name) != ""

# A Rollout may leave its pod template to a Deployment, which is judged itself.
_by_reference("Rollout", rollout) if {
	value.field(value.field(rollout, "spec"), "template") == null
	value.field(value.field(rollout, "spec"), "workloadRef") != null
}

# METADATA
# title: The workload that a Rollout takes its pod template from
# description: By kind and name; undefined for everything else.
referred(name, rollout) := {"kind": value.text(value.field(ref, "kind")), "name": value.text(value.field(ref, "name"))} if {
	is_known(name, rollout)
	_by_reference(name, rollout)
	ref := rollout.spec.workloadRef
}
