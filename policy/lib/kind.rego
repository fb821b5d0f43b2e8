# METADATA
# scope: package
# title: Kinds of workload
package lib.kind

import data.lib.value

# METADATA
# title: Each kind of workload, its API groups and the place of its pod template
# description: The pod template of a Pod is the Pod.
workloads := {
	"CronJob": {"groups": {"batch"}, "template": ["spec", "jobTemplate", "spec", "template"]},
	"DaemonSet": {"groups": {"apps", "extensions"}, "template": ["spec", "template"]},
	"Deployment": {"groups": {"apps", "extensions"}, "template": ["spec", "template"]},
	"Job": {"groups": {"batch"}, "template": ["spec", "template"]},
	"Pod": {"groups": {""}, "template": []},
	"PodTemplate": {"groups": {""}, "template": ["template"]},
	"ReplicaSet": {"groups": {"apps", "extensions"}, "template": ["spec", "template"]},
	"ReplicationController": {"groups": {""}, "template": ["spec", "template"]},
	"Rollout": {"groups": {"argoproj.io"}, "template": ["spec", "template"]},
	"StatefulSet": {"groups": {"apps"}, "template": ["spec", "template"]},
}

# METADATA
# title: The API groups of all kinds of workload
groups := {group | some group in workloads[_].groups}

_core_version := `\Av[0-9]+((alpha|beta)[0-9]+)?\z`

_group_and_version := `\A[a-z0-9]([-.a-z0-9]*[a-z0-9])?/[a-z0-9]([-a-z0-9]*[a-z0-9])?\z`

# METADATA
# title: The API group of an object, * when it cannot be read
# description: An apiVersion that cannot be read could stand for any group.
default group(_) := "*"

group(object) := "" if regex.match(_core_version, value.text(value.field(object, "apiVersion")))

group(object) := split(version, "/")[0] if {
	version := value.text(value.field(object, "apiVersion"))
	regex.match(_group_and_version, version)
}

# METADATA
# title: The place of the pod template, undefined for what is no workload
# description: >-
#   An object whose kind cannot be read is taken for a workload when something
#   that looks like a pod template is found where a workload has it.
template(name, object) := workloads[name].template if {
	group(object) in (workloads[name].groups | {"*"})
	not _by_reference(name, object)
}

template(name, object) := found[0] if {
	not _readable(name)
	found := [place |
		some place in [[], ["spec", "template"], ["spec", "jobTemplate", "spec", "template"], ["template"]]
		containers := value.at(object, array.concat(place, ["spec", "containers"]))
		containers != null
	]
}

_readable(name) if value.text(name) != ""

# A Rollout may leave its pod template to a Deployment, which is judged itself.
_by_reference("Rollout", rollout) if {
	value.field(value.field(rollout, "spec"), "template") == null
	value.field(value.field(rollout, "spec"), "workloadRef") != null
}
