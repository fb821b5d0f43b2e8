# METADATA
# scope: package
# title: Gatekeeper reviews
# description: >-
#   In the cluster the input is a review of an object: a request to the API
#   server, or an audit of what is there.
package lib.review

import data.lib.kind
import data.lib.value

# METADATA
# title: The input is a Gatekeeper review
# description: >-
#   A manifest may have a key named review too. It has a kind or an apiVersion
#   or items, and a review has none of them.
default is_review := false

is_review if {
	is_object(input.review)
	count({"kind", "apiVersion", "items"} & object.keys(input)) == 0
}

# METADATA
# title: The parameters of the constraint, which come with a review
parameters := input.parameters if is_review

# METADATA
# title: The input is an object with objects of the same target beside it
# description: >-
#   The harness sees the whole target. No manifest has this form: it has a kind, or
#   other keys beside this one.
default is_target := false

is_target if {
	is_object(input.target)
	object.keys(input) == {"target"}
}

# METADATA
# title: The request cannot start a process that was not there before
# description: >-
#   A deletion, or an update that leaves alone what the rules read. To refuse
#   it would not undo anything: it would keep the old pods of a workload that
#   was repaired, and keep finalizers from being removed.
default starts_nothing := false

starts_nothing if {
	is_review
	input.review.operation == "DELETE"
}

starts_nothing if {
	is_review
	input.review.operation == "UPDATE"
	is_object(input.review.oldObject)
	judged := _judged(input.review.object)
	count(judged) > 0
	judged == _judged(input.review.oldObject)
}

# A new pod template starts new pods, whatever was changed in it. A Pod's own
# labels, finalizers and tolerations change while it runs.
_judged(object) := [part |
	some place in kind.pods(value.field(input.review.object, "kind"), object)
	some part in _parts(object, place)
]

_parts(object, place) := [place, value.at(object, place.template)] if {
	place.template != []
} else := [value.at(object, path) | some path in _of_a_pod]

_of_a_pod := array.concat(
	[["metadata", "labels", label] | some label in array.concat(kind.name_labels, [kind.component_label])],
	[["spec", "containers"], ["spec", "initContainers"], ["spec", "ephemeralContainers"]],
)
