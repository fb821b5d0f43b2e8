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
import data.lib.text
import data.lib.unreadable
import data.lib.value

# METADATA
# title: The workloads of the document, in order
all := [workload |
	some entry in document.objects
	place := kind.template(entry.kind, entry.object)
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
# title: The contract binds a workload
# description: One whose names cannot be read could be a controllers workload, so it is bound.
is_controllers(workload) if count(workload.unreadable) > 0

is_controllers(workload) if {
	some name in workload.names
	some pattern in parameters.controllers
	text.matches(pattern, name)
}

_workload(entry, place) := {
	"kind": _kind(entry.kind),
	"group": kind.group(entry.object),
	"name": _name(value.field(entry.object, "metadata")),
	"namespace": value.text(value.at(entry.object, ["metadata", "namespace"])),
	"names": _names(entry.object, place),
	"path": entry.path,
	"containers": _containers(entry, place),
	"unreadable": _unreadable(entry, place),
	"missing": _missing(entry, place),
}

# The path of something in an object, as it is printed.
_written(entry, path) := replace(
	sprintf("%s%s", [entry.path, concat(".", path)]),
	sprintf(".%s", [_label]), sprintf("[%q]", [_label]),
)

# What stands for a kind that cannot be read.
_kind(name) := "unknown" if value.text(name) == ""

_kind(name) := name if value.text(name) != ""

_name(metadata) := name if {
	name := value.text(value.field(metadata, "name"))
	name != ""
} else := value.text(value.field(metadata, "generateName"))

_label := "app.kubernetes.io/name"

_label_of(place) := array.concat(place, ["metadata", "labels", _label])

# The names by which the contract knows a controllers workload.
_names(object, place) := {value.text(name) |
	some name in array.concat(
		[value.at(object, path) | some path in [["metadata", "name"], _label_of(place)]],
		[value.field(spec, "name") |
			some list in _lists
			some spec in value.entries(value.at(object, _list_of(place, list)))
		],
	)
}

_lists := ["containers", "initContainers", "ephemeralContainers"]

_types := {
	"containers": "container",
	"initContainers": "initContainer",
	"ephemeralContainers": "ephemeralContainer",
}

_list_of(place, list) := array.concat(place, ["spec", list])

_containers(entry, place) := [container |
	some list in _lists
	path := _list_of(place, list)
	some i, spec in value.entries(value.at(entry.object, path))
	is_object(spec)
	container := {
		"name": value.text(value.field(spec, "name")),
		"type": _types[list],
		"path": sprintf("%s[%d]", [_written(entry, path), i]),
		"exempt": _is_exempt(value.field(spec, "image")),
		"spec": spec,
	}
]

default _is_exempt(_) := false

_is_exempt(image) if image in parameters.exempt_images

# The rules of the Gatekeeper policy library: a trailing * makes a prefix.
_is_exempt(image) if {
	some entry in parameters.exempt_images
	endswith(entry, "*")
	startswith(value.text(image), trim_suffix(entry, "*"))
}

# What stands in the way of knowing whether the contract binds a workload: the
# kind, the names, and what they are read from.
_unreadable(entry, place) := array.concat(
	_unreadable_kind(entry),
	array.concat(
		array.concat(
			unreadable.mistyped([[_written(entry, path), value.at(entry.object, path), expected] |
				some [path, expected] in _decisive(place)
			]),
			_nameless(entry),
		),
		[problem |
			some list in _lists
			path := _list_of(place, list)
			some i, spec in value.entries(value.at(entry.object, path))
			some problem in _unreadable_container(sprintf("%s[%d]", [_written(entry, path), i]), spec)
		],
	),
)

_unreadable_kind(entry) := [unreadable.missing(sprintf("%skind", [entry.path]), "string")] if {
	entry.kind in {null, ""}
} else := unreadable.mistyped([[sprintf("%skind", [entry.path]), entry.kind, "string"]])

# Places and the types that they must have. A Pod is its own template.
_decisive(place) := array.concat(
	[[path, "object"] | some path in _maps(place)],
	array.concat(
		[[path, "string"] | some path in {["metadata", "name"], _label_of(place)}],
		[[_list_of(place, list), "array"] | some list in _lists],
	),
)

_maps(place) := {path |
	some path in array.concat(
		[array.slice(place, 0, i + 1) | some i, _ in place],
		[
			["metadata"],
			array.concat(place, ["metadata"]),
			array.concat(place, ["metadata", "labels"]),
			array.concat(place, ["spec"]),
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
	path := _list_of(place, "containers")
	value.at(entry.object, path) in {null, []}
	every above in _maps(place) {
		not value.mistyped(value.at(entry.object, above), "object")
	}
]
