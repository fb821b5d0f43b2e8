# METADATA
# scope: package
# title: What looks like controllers
# description: >-
#   A name, a label, an owner or a container that holds the stem of one of the
#   constraint's patterns. The stem of *-controllers is controllers, and
#   controller is near enough.
package lib.resemblance

import data.lib.parameters
import data.lib.value

_stems := {stem |
	some pattern in parameters.controllers
	some part in split(lower(pattern), "*")
	stem := trim_suffix(trim(part, "-_."), "s")
	count(stem) >= 4
}

# METADATA
# title: The first of a workload's names that looks like controllers
# description: >-
#   With its place and with the pattern that would bind the workload. Undefined
#   when there is none.
of(workload) := [likeness |
	some candidate in _candidates(workload)
	_looks_alike(lower(candidate.name))
	likeness := object.union(candidate, {"pattern": _pattern(workload, candidate)})
][0]

# An owner, or a label that is no name, does not bind: then the workload's name does.
_pattern(workload, candidate) := candidate.name if {
	candidate.binds
} else := workload.name

_candidates(workload) := array.concat(
	[{"place": "The name", "path": sprintf("%smetadata.name", [workload.path]), "name": workload.name, "binds": true}],
	array.concat(
		[{"place": "The label", "path": sprintf("%s%s[%q]", [workload.path, value.written(path), key]), "name": label, "binds": label in workload.names} |
			some path in [["metadata", "labels"], array.concat(workload.place.template, ["metadata", "labels"])]
			labels := value.at(workload.object, path)
			is_object(labels)
			some key, label in labels
			is_string(label)
		],
		array.concat(
			[{"place": "The owner", "path": sprintf("%smetadata.ownerReferences[%d].name", [workload.path, i]), "name": value.text(value.field(owner, "name")), "binds": false} |
				some i, owner in value.entries(value.at(workload.object, ["metadata", "ownerReferences"]))
			],
			[{"place": "The container", "path": sprintf("%s.name", [container.path]), "name": container.name, "binds": true} |
				some container in workload.containers
				not container.exempt
			],
		),
	),
)

_looks_alike(name) if {
	some stem in _stems
	contains(name, stem)
}

# A name that is cut at the 63 characters of a label.
_looks_alike(name) if {
	count(name) >= 61
	some stem in _stems
	some length in numbers.range(3, count(stem))
	endswith(name, sprintf("-%s", [substring(stem, 0, length)]))
}
