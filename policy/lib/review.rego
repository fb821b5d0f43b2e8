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
	place := kind.template(value.field(input.review.object, "kind"), input.review.object)
	_judged(input.review.object, place) == _judged(input.review.oldObject, place)
}

# A new pod template starts new pods, whatever was changed in it. A Pod's own
# labels, finalizers and tolerations change while it runs.
_judged(object, place) := value.at(object, place) if place != []

_judged(object, []) := [value.at(object, path) | some path in _of_a_pod]

_of_a_pod := [
	["metadata", "labels", "app.kubernetes.io/name"],
	["spec", "containers"],
	["spec", "initContainers"],
	["spec", "ephemeralContainers"],
]
