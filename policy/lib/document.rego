# METADATA
# scope: package
# title: The objects of one document
# description: >-
#   A document is an object, a list of objects, or a Gatekeeper review of an
#   object. Lists are looked into.
package lib.document

import data.lib.kind
import data.lib.review
import data.lib.text
import data.lib.value

_document := input.target.object if {
	review.is_target
} else := input if {
	not review.is_review
} else := input.review.object if {
	not review.starts_nothing
}

# METADATA
# title: What stands beside the document in its target
# description: Rollouts that refer to a workload, and ConfigMaps that one mounts.
default beside := []

beside := input.target.beside if review.is_target

# The harness takes long lists apart: then the document is an item, and it is told the
# kind of its list and its place there.
_top := {
	"object": _document,
	"kind": _kind_of_item(input.target.list.kind, value.field(_document, "kind")),
	"path": input.target.list.path,
} if {
	input.target.list
	review.is_target
} else := {"object": _document, "kind": value.field(_document, "kind"), "path": ""}

# METADATA
# title: Each object with its kind and its place in the document
# description: >-
#   In order. Lists in lists are looked into to a depth of three; what lies
#   deeper is a problem below, for Rego has no recursion.
objects := [entry |
	some entry in _expanded
	is_object(entry.object)
]

_expanded := array.concat([_top], [below |
	some item in _items(_top)
	some below in _with_items_twice(item)
])

_with_items_twice(entry) := array.concat([entry], [below |
	some item in _items(entry)
	some below in _with_items(item)
])

_with_items(entry) := array.concat([entry], _items(entry))

_is_deepest(entry) if strings.count(entry.path, "[") == 3

# Everything with items counts as a list, for kubectl and Argo CD apply it so; a
# Template of OpenShift has objects.
_items(entry) := [child |
	some key in kind.lists
	items := entry.object[key]
	is_array(items)
	not _is_deepest(entry)
	some i, item in items
	child := {
		"object": item,
		"kind": _kind_of_item(entry.kind, value.field(item, "kind")),
		"path": sprintf("%s%s[%d].", [entry.path, key, i]),
	}
]

# An item of a DeploymentList need not repeat that it is a Deployment.
_kind_of_item(list_kind, kind) := trim_suffix(list_kind, "List") if {
	kind in {null, ""}
	is_string(list_kind)
} else := kind

_is_list(entry) if endswith(value.text(entry.kind), "List")

# METADATA
# title: What hides objects from the rules
# description: >-
#   A list that cannot be read could hold a workload, so it is reported as one
#   that is broken.
problems := [problem |
	some entry in _expanded
	_may_hide(entry)
	some problem in _hidden(entry)
]

# Whatever is no list hides nothing.
_may_hide(entry) if not is_object(entry.object)

_may_hide(entry) if entry.object.items

_may_hide(entry) if _is_list(entry)

_hidden(entry) := [hidden |
	some problem in _unreadable(entry)
	hidden := {
		"kind": value.text(entry.kind),
		"name": value.text(value.field(value.field(entry.object, "metadata"), "name")),
		"namespace": value.text(value.field(value.field(entry.object, "metadata"), "namespace")),
		"problem": problem,
	}
]

_unreadable(entry) := [{"path": "", "says": ["documents"], "args": {}}] if {
	entry.path == ""
	is_array(entry.object)
} else := [{"path": sprintf("%sitems", [entry.path]), "says": ["list_too_deep"], "args": {}}] if {
	_is_deepest(entry)
	count(value.entries(value.field(entry.object, "items"))) > 0
} else := [{
	"path": sprintf("%sitems", [entry.path]),
	"says": ["list_is_none"],
	"args": {"kind": text.quoted(entry.kind), "found": value.described_type(entry.object.items)},
}] if {
	_is_list(entry)
	value.mistyped(value.field(entry.object, "items"), "array")
} else := [found |
	_is_list(entry)
	some i, item in value.entries(value.field(entry.object, "items"))
	value.mistyped(item, "object")
	found := {
		"path": sprintf("%sitems[%d]", [entry.path, i]),
		"says": ["item_is_none"],
		"args": {"found": value.described_type(item)},
	}
]
