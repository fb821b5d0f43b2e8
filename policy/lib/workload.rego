# METADATA
# scope: package
# title: Workloads and their containers
# description: >-
#   A workload is an object with a pod template or a pod spec. The contract
#   binds the controllers workloads; each other workload that declares the
#   migrations variable is a control plane.
package lib.workload

import data.lib.contract
import data.lib.document
import data.lib.kind
import data.lib.parameters
import data.lib.unreadable
import data.lib.value

# METADATA
# title: The workloads of the document, in order
all := [workload |
	some entry in document.objects
	some place in kind.pods(entry.kind, entry.object)
	workload := _workload(entry, place)
]

# METADATA
# title: The workloads that the constraint does not leave out
judged := [workload |
	contract.usable
	some workload in all
	not contract.excludes(workload)
]

# METADATA
# title: The judged workloads that the contract binds
controllers := [workload | some workload in judged; is_controllers(workload)]

# METADATA
# title: The judged workloads that it does not bind
others := [workload | some workload in judged; not is_controllers(workload)]

# METADATA
# title: The contract binds a workload
# description: >-
#   One whose names cannot be read could be a controllers workload, so it is bound.
#   One whose containers all have images that hold no service is not.
is_controllers(workload) if count(workload.unreadable) > 0

is_controllers(workload) if {
	_is_named(workload)
	_may_hold_the_service(workload)
}

_is_named(workload) if {
	some name in workload.names
	regex.match(parameters.controllers_pattern, name)
}

_is_named(workload) if {
	some kind_name in [workload.kind, ""]
	[workload.name, kind_name] in _named_by_rollouts
}

# The workloads that Rollouts with the name of controllers take their pod template
# from, each with its name and its kind.
_named_by_rollouts contains [referred.name, referred.kind] if {
	some rollout in _rollouts
	referred := kind.referred(rollout.kind, rollout)
	some name in _object_names(rollout, {"template": [], "spec": []})
	regex.match(parameters.controllers_pattern, name)
}

_rollouts := array.concat(
	[entry.object | some entry in document.objects; entry.object.kind == "Rollout"],
	[object | some object in document.beside; object.kind == "Rollout"],
)

_may_hold_the_service(workload) if count(workload.containers) == 0

_may_hold_the_service(workload) if {
	some container in workload.containers
	not container.exempt
}

# METADATA
# title: The workloads that would be bound if the constraint did not exempt all their containers
# description: An image that is known to hold no service does not count.
left_out := [workload |
	some workload in others
	_is_named(workload)
	_is_exempt_by_name(workload)
]

_is_exempt_by_name(workload) if {
	some container in workload.containers
	parameters.exempts_by_name(value.text(value.field(container.spec, "image")))
}

# All is there with the right type, as nearly always. That is told without a path.
_workload(entry, place) := {
	"kind": entry.kind,
	"group": kind.group(entry.object),
	"name": metadata.name,
	"namespace": namespace,
	"names": ((_container_names(pod) | _names(heads)) | _component_names(entry.object, heads)),
	"path": entry.path,
	"place": place,
	"object": entry.object,
	"containers": _containers(entry, place.spec, pod),
	"unreadable": [],
	"missing": [],
} if {
	metadata := entry.object.metadata
	is_object(metadata)
	template := object.get(entry.object, array.concat(place.template, ["metadata"]), {})
	heads := [metadata, template]
	pod := object.get(entry.object, place.spec, null)
	namespace := object.get(metadata, "namespace", "")
	_are_readable_texts(array.concat(
		[entry.kind, metadata.name, namespace],
		array.concat(_label_texts(metadata), _label_texts(template)),
	))
	not "" in {entry.kind, metadata.name}
	_holders(place.spec) == []
	pod.containers[0]
	every containers in object.filter(pod, lists) {
		is_array(containers)
		every container in containers {
			is_string(container.name)
		}
	}
} else := {
	"kind": _kind(entry.kind),
	"group": kind.group(entry.object),
	"name": _name(value.field(entry.object, "metadata")),
	"namespace": value.text(value.at(entry.object, ["metadata", "namespace"])),
	"names": (_container_names(pod) | _object_names(entry.object, place)),
	"path": entry.path,
	"place": place,
	"object": entry.object,
	"containers": _containers(entry, place.spec, pod),
	"unreadable": _unreadable(entry, place),
	"missing": _missing(entry, place),
} if {
	pod := value.at(entry.object, place.spec)
}

# What lies between two strings when it is sorted is a string.
_are_readable_texts(texts) if {
	is_string(min(texts))
	is_string(max(texts))
}

# The labels that name something; undefined where there can be none.
_label_texts(metadata) := [text | text := labels[_label_keys[_]]] if {
	is_object(metadata)
	labels := object.get(metadata, "labels", {})
	is_object(labels)
}

_container_names(pod) := {name | name := pod[lists[_]][_].name; is_string(name)}

# The path of something in an object, as it is printed.
_written(entry, path) := sprintf("%s%s", [entry.path, value.written(path)])

# What stands for a kind that cannot be read.
_kind(name) := name if {
	value.text(name) != ""
} else := "unknown"

_name(metadata) := name if {
	name := value.text(value.field(metadata, "name"))
	name != ""
} else := value.text(value.field(metadata, "generateName"))

# METADATA
# title: The names by which the contract knows a controllers workload
# description: >-
#   Its own, those of its labels, and those of its pod template and of whatever
#   holds the pod spec. The name of a component is the name of the whole with the
#   component's behind it.
_object_names(object, place) := (_names(heads) | _component_names(object, heads)) | _names(holders) if {
	heads := [value.at(object, array.concat(above, ["metadata"])) | some above in [[], place.template]]
	holders := [value.at(object, array.concat(above, ["metadata"])) | some above in _holders(place.spec)]
}

# The names in some metadata.
_names(heads) := ({name | name := heads[_][["name", "generateName"][_]]; is_string(name)} | {name |
	name := heads[_].labels[kind.name_labels[_]]
	is_string(name)
}) - {""}

_component_names(object, heads) := {name |
	some head in heads
	component := head.labels[kind.component_label]
	value.text(component) != ""
	some whole in array.concat(
		[value.at(object, ["metadata", "name"])],
		[value.field(head.labels, label) | some label in kind.name_labels],
	)
	name := sprintf("%s-%s", [value.text(whole), component])
}

# What else holds a pod spec: in a kind that is not in the table all that is between.
_holders(spec) := [] if {
	is_string(min(spec)) # numbers come before strings
} else := [holder |
	some i, step in spec
	is_number(step)
	holder := array.slice(spec, 0, i + 1)
]

_label_keys := array.concat(kind.name_labels, [kind.component_label])

# METADATA
# title: The lists of containers of a pod
lists := ["containers", "initContainers", "ephemeralContainers"]

_types := {
	"containers": "container",
	"initContainers": "initContainer",
	"ephemeralContainers": "ephemeralContainer",
}

_containers(entry, spec, pod) := array.concat(
	[container |
		some list in lists
		some i, found in value.entries(pod[list])
		is_object(found)
		path := _written(entry, array.concat(spec, [list]))
		container := _container(found, _types[list], sprintf("%s[%d]", [path, i]))
	],
	[container |
		not kind.is_known(entry.kind, entry.object)
		some key in kind.singles
		found := pod[key]
		is_object(found)
		container := _container(found, "container", _written(entry, array.concat(spec, [key])))
	],
)

_container(spec, type, path) := {
	"name": value.text(object.get(spec, "name", null)),
	"type": type,
	"path": path,
	"exempt": _is_exempt(value.text(object.get(spec, "image", null))),
	"spec": spec,
}

default _is_exempt(_) := false

_is_exempt(image) if parameters.exempts(image)

# What stands in the way of knowing whether the contract binds a workload: the
# kind, the names, and what they are read from.
_unreadable(entry, place) := array.concat(
	_unreadable_kind(entry),
	array.concat(
		array.concat(
			[unreadable.wrong_type(_written(entry, path), found, expected) |
				some [path, expected] in _decisive(place)
				found := value.at(entry.object, path)
				value.mistyped(found, expected)
			],
			_nameless(entry),
		),
		[problem |
			some list in lists
			path := array.concat(place.spec, [list])
			some i, spec in value.entries(value.at(entry.object, path))
			not _is_readable_container(spec)
			some problem in _unreadable_container(sprintf("%s[%d]", [_written(entry, path), i]), spec)
		],
	),
)

_is_readable_container(spec) if {
	is_object(spec)
	not value.mistyped(value.field(spec, "name"), "string")
}

_unreadable_kind(entry) := [unreadable.missing(sprintf("%skind", [entry.path]), "string")] if {
	entry.kind in {null, ""}
} else := unreadable.mistyped([[sprintf("%skind", [entry.path]), entry.kind, "string"]])

# Places and the types that they must have. A Pod is its own template.
_decisive(place) := array.concat(
	[[path, "object"] | some path in _maps(place)],
	array.concat(
		[[path, "string"] | some path in ({["metadata", "name"]} | {array.concat(above, path) |
			some above in [[], place.template]
			some key in _label_keys
			path := ["metadata", "labels", key]
		})],
		[[array.concat(place.spec, [list]), "array"] | some list in lists],
	),
)

_maps(place) := {path |
	some path in array.concat(
		[array.slice(place.spec, 0, i + 1) | some i, _ in place.spec; every step in place.spec { is_string(step) }],
		[
			["metadata"],
			["metadata", "labels"],
			array.concat(place.template, ["metadata"]),
			array.concat(place.template, ["metadata", "labels"]),
		],
	)
}

_nameless(entry) := [unreadable.missing(_written(entry, ["metadata", "name"]), "string") |
	not value.mistyped(value.at(entry.object, ["metadata"]), "object")
	value.at(entry.object, ["metadata", "name"]) in {null, ""}
	value.text(value.at(entry.object, ["metadata", "generateName"])) == ""
]

_unreadable_container(path, spec) := [unreadable.wrong_type(path, spec, "object")] if not is_object(spec)

_unreadable_container(path, spec) := unreadable.mistyped([[
	sprintf("%s.name", [path]),
	value.field(spec, "name"),
	"string",
]]) if {
	is_object(spec)
}

# A pod without containers; only said where nothing else hides them.
_missing(entry, place) := [unreadable.missing(_written(entry, path), "array") |
	path := array.concat(place.spec, ["containers"])
	value.at(entry.object, path) in {null, []}
	not _has_single(entry, place.spec)
	every above in _maps(place) {
		not value.mistyped(value.at(entry.object, above), "object")
	}
]

_has_single(entry, spec) if {
	not kind.is_known(entry.kind, entry.object)
	some key in kind.singles
	value.at(entry.object, array.concat(spec, [key])) != null
}
