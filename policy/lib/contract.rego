# METADATA
# scope: package
# title: How far the contract reaches
# description: >-
#   In the cluster Gatekeeper decides what is matched and what a finding does.
#   Without it, the constraint given as data decides. What is not given has the
#   meaning that it has in the cluster.
package lib.contract

import data.lib.constraint
import data.lib.kind
import data.lib.parameters
import data.lib.review
import data.lib.value

# METADATA
# title: What makes the constraint unusable
default problems := []

problems := parameters.problems if review.is_review

problems := constraint.problems if not review.is_review

# METADATA
# title: The constraint can be used
usable if count(problems) == 0

# METADATA
# title: What a finding does
# description: A constraint that cannot be used denies, whatever it asks for.
default enforcement := "deny"

enforcement := constraint.enforcement if {
	usable
	not review.is_review
}

_match := constraint.match if not review.is_review

# METADATA
# title: The constraint leaves an object out
# description: >-
#   An object without a namespace gets one when it is applied, and an unknown
#   API group could be any, so neither is left out.
excludes(object) if {
	count(_match) > 0
	_is_outside(object)
}

_is_outside(object) if {
	object.namespace != ""
	_lists_no_namespace(object.namespace)
}

_is_outside(object) if {
	object.namespace != ""
	some pattern in _match.excludedNamespaces
	_in_namespace(pattern, object.namespace)
}

_is_outside(object) if {
	count(_match.kinds) > 0
	every entry in _match.kinds {
		not _selects(entry, object)
	}
}

_lists_no_namespace(namespace) if {
	count(_match.namespaces) > 0
	every pattern in _match.namespaces {
		not _in_namespace(pattern, namespace)
	}
}

# Gatekeeper's rules: * counts at the start and at the end.
_in_namespace(pattern, namespace) if pattern == namespace

_in_namespace(pattern, namespace) if {
	startswith(pattern, "*")
	endswith(pattern, "*")
	contains(namespace, trim(pattern, "*"))
}

_in_namespace(pattern, namespace) if {
	startswith(pattern, "*")
	endswith(namespace, trim_prefix(pattern, "*"))
}

_in_namespace(pattern, namespace) if {
	endswith(pattern, "*")
	startswith(namespace, trim_suffix(pattern, "*"))
}

# The pods of a kind that is not in the table are judged as Pods.
_selects(entry, object) if {
	not _is_in_table(object)
	_names(value.entries(value.field(entry, "kinds")), "Pod")
	_names(value.entries(value.field(entry, "apiGroups")), "")
}

_selects(entry, object) if {
	_names(value.entries(value.field(entry, "kinds")), object.kind)
	_names(value.entries(value.field(entry, "apiGroups")), object.group)
}

_is_in_table(object) if object.group in (kind.workloads[object.kind].groups | {"*"})

_is_in_table(object) if object.kind == "unknown"

_names([], _)

_names(names, name) if name in names

_names(names, _) if "*" in names

# An API group or a kind that cannot be read.
_names(_, name) if name in {"*", "unknown"}
