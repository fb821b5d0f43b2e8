# METADATA
# scope: package
# title: The objects of one document
# description: >-
#   A document is an object, a list of objects, or a Gatekeeper review of an
#   object. Lists are looked into.
package lib.document

import data.lib.review
import data.lib.text
import data.lib.value

_document := input.review.object if {
	review.is_review
	not review.starts_nothing
}

_document := input if not review.is_review

_top := {"object": _document, "kind": value.field(_document, "kind"), "path": ""}

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

_is_deepest(entry) if strings.count(entry.path, "items[") == 3

# Everything with items counts as a list, for kubectl and Argo CD apply it so.
_items(entry) := [child |
	some i, item in value.entries(value.field(entry.object, "items"))
	child := {
		"object": item,
		"kind": _kind_of_item(entry.kind, value.field(item, "kind")),
		"path": sprintf("%sitems[%d].", [entry.path, i]),
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
	some problem in _hidden(entry)
]

_hidden(entry) := [problem |
	some found in _unreadable(entry)
	problem := {
		"kind": value.text(entry.kind),
		"name": value.text(value.field(value.field(entry.object, "metadata"), "name")),
		"namespace": value.text(value.field(value.field(entry.object, "metadata"), "namespace")),
		"path": found.path,
		"message": found.message,
		"remedy": found.remedy,
	}
]

_unreadable(entry) := [{
	"path": "",
	"message": "The input is a list of documents, and the rules judge one document at a time.",
	"remedy": "Run conftest without --combine.",
}] if {
	entry.path == ""
	is_array(entry.object)
} else := [{
	"path": sprintf("%sitems", [entry.path]),
	"message": sprintf("%sitems is a list inside three other lists, and the rules look no deeper.", [entry.path]),
	"remedy": "Write the objects as separate documents.",
}] if {
	_is_deepest(entry)
	count(value.entries(value.field(entry.object, "items"))) > 0
} else := [{
	"path": sprintf("%sitems", [entry.path]),
	"message": sprintf("%sitems of %s is %s, so the objects in it cannot be read.", [
		entry.path, text.quoted(entry.kind), value.described_type(entry.object.items),
	]),
	"remedy": sprintf("Write %sitems as a list of objects.", [entry.path]),
}] if {
	_is_list(entry)
	value.mistyped(value.field(entry.object, "items"), "array")
} else := [found |
	_is_list(entry)
	some i, item in value.entries(value.field(entry.object, "items"))
	value.mistyped(item, "object")
	found := {
		"path": sprintf("%sitems[%d]", [entry.path, i]),
		"message": sprintf("%sitems[%d] is %s, so it cannot be read as an object.", [
			entry.path, i, value.described_type(item),
		]),
		"remedy": "Make each item an object with apiVersion, kind and metadata.",
	}
]
