package lib.document_test

import data.lib.document
import data.lib.testing

_listed := [[entry.kind, entry.path, _name(entry.object)] | some entry in document.objects]

_name(thing) := object.get(thing, ["metadata", "name"], "")

_object(kind, name) := {"kind": kind, "metadata": {"name": name}}

_list(items) := {"apiVersion": "v1", "kind": "List", "items": items}

test_an_object if {
	_listed == [["Pod", "", "a"]] with input as _object("Pod", "a")
}

test_what_is_no_object if {
	every thing in [null, "text", 5, true] {
		document.objects == [] with input as thing
		document.problems == [] with input as thing
	}
	document.objects == []
}

test_a_list_in_order if {
	nested := _list([_object("A", "1"), _list([_object("B", "2"), _list([_object("C", "3")])]), _object("D", "4")])
	_listed == [
		["List", "", ""],
		["A", "items[0].", "1"],
		["List", "items[1].", ""],
		["B", "items[1].items[0].", "2"],
		["List", "items[1].items[1].", ""],
		["C", "items[1].items[1].items[0].", "3"],
		["D", "items[2].", "4"],
	] with input as nested
	document.problems == [] with input as nested
}

test_what_only_looks_like_a_list if {
	every kind in ["Listener", "PriceListing"] {
		document.problems == [] with input as {"kind": kind, "items": "x"}
	}
}

test_a_list_too_deep if {
	deep := _list([_list([_list([_list([_object("Deployment", "a")])])])])
	document.problems == [_hidden("List", "items[0].items[0].items[0].items", "list_too_deep", {})] with input as deep
	document.problems == [] with input as _list([_list([_list([_list([])])])])
}

test_items_take_the_kind_of_a_typed_list if {
	list := {"kind": "DeploymentList", "items": [
		{"metadata": {"name": "a"}},
		{"kind": "", "metadata": {"name": "b"}},
		{"kind": null, "metadata": {"name": "c"}},
		_object("Pod", "d"),
		{"kind": 5, "metadata": {"name": "e"}},
	]}
	_listed == [
		["DeploymentList", "", ""],
		["Deployment", "items[0].", "a"],
		["Deployment", "items[1].", "b"],
		["Deployment", "items[2].", "c"],
		["Pod", "items[3].", "d"],
		[5, "items[4].", "e"],
	] with input as list
}

test_items_of_anything_are_looked_into if {
	_listed == [["ConfigMap", "", ""], ["Pod", "items[0].", "a"]] with input as {
		"kind": "ConfigMap",
		"items": [_object("Pod", "a")],
	}
	_listed == [[null, "", ""], ["Pod", "items[0].", "a"]] with input as {"items": [_object("Pod", "a")]}
	_listed == [[5, "", ""], [null, "items[0].", ""]] with input as {"kind": 5, "items": [{}]}
}

_hidden(kind, path, form, args) := {
	"kind": kind,
	"name": "",
	"namespace": "",
	"problem": {"path": path, "says": [form], "args": args},
}

_hidden_in_list(path, form, args) := object.union(
	_hidden("List", path, form, args),
	{"name": "l", "namespace": "n"},
)

test_items_that_cannot_be_read if {
	list := {"kind": "List", "metadata": {"name": "l", "namespace": "n"}, "items": {"a": {}}}
	document.problems == [_hidden_in_list("items", "list_is_none", {
		"kind": "\"List\"",
		"found": "a map",
	})] with input as list
	document.problems == [_hidden_in_list("items[1]", "item_is_none", {"found": "a string"})] with input as object.union(list, {"items": [_object("A", "1"), "x", null]})
	document.problems == [_hidden_in_list("items", "list_is_none", {
		"kind": "\"List\"",
		"found": "a boolean",
	})] with input as object.union(list, {"items": false})
	document.problems == [] with input as object.union(list, {"items": null})
	document.problems == [] with input as {"kind": "Allowance", "items": {"a": {}}}
	document.problems == [] with input as {"kind": "Allowance", "items": ["a"]}
}

test_a_list_that_is_an_item if {
	[hidden.problem.path | some hidden in document.problems] == ["items[0]"] with input as {"kind": "List", "items": [[]]}
}

test_names_of_a_list_that_cannot_be_read if {
	document.problems == [_hidden("List", "items[0].items", "list_is_none", {
		"kind": "\"List\"",
		"found": "a number",
	})] with input as {"kind": "List", "items": [{
		"kind": "List",
		"metadata": {"name": 5, "namespace": []},
		"items": 5,
	}]}
}

test_combined_input if {
	document.problems == [_hidden("", "", "documents", {})] with input as [{"path": "a.yaml", "contents": testing.with_value("auto")}]
}

test_a_review if {
	_listed == [["Pod", "", "a"]] with input as {"review": {"object": _object("Pod", "a")}}
	document.objects == [] with input as {"review": {"oldObject": _object("Pod", "a")}}
}

test_a_review_that_starts_nothing if {
	deletion := {"operation": "DELETE", "object": testing.with_value("auto")}
	document.objects == [] with input as {"review": deletion}
	document.problems == [] with input as {"review": object.union(deletion, {"object": _list("x")})}
}

test_what_stands_beside_it if {
	target := {"target": {"object": _object("Pod", "a"), "beside": [_object("ConfigMap", "b")]}}
	_listed == [["Pod", "", "a"]] with input as target
	document.beside == [_object("ConfigMap", "b")] with input as target
	document.beside == [] with input as _object("Pod", "a")
	document.beside == [] with input as {"target": {"object": _object("Pod", "a")}}
	manifest := object.union(target, _object("Pod", "b"))
	document.beside == [] with input as manifest
	_listed == [["Pod", "", "b"]] with input as manifest
}

# As the harness takes a list apart, an item gives what it gives in its list.
test_an_item_of_a_list if {
	item := {"metadata": {"name": "a"}, "items": [_list([_list([_object("Pod", "b"), _list([{}])])])]}
	apart := {"target": {"object": item, "beside": [], "list": {"kind": "DeploymentList", "path": "items[7]."}}}
	_listed == [
		["Deployment", "items[7].", "a"],
		["List", "items[7].items[0].", ""],
		["List", "items[7].items[0].items[0].", ""],
	] with input as apart
	document.problems == [object.union(
		_hidden("List", "items[7].items[0].items[0].items", "list_too_deep", {}),
		{"name": "", "namespace": ""},
	)] with input as apart
	whole := {"kind": "DeploymentList", "items": [item]}
	deep := object.union(apart, {"target": {"list": {"path": "items[0]."}}})
	objects := document.objects with input as deep
	array.slice(document.objects, 1, 10) == objects with input as whole
	problems := document.problems with input as deep
	document.problems == problems with input as whole
	_listed == [["Pod", "objects[0].", "c"]] with input as {"target": {
		"object": _object("Pod", "c"),
		"list": {"kind": 5, "path": "objects[0]."},
	}}
	_listed == [["Pod", "", "c"]] with input as {"target": {"object": _object("Pod", "c")}}
	_listed == [["Pod", "", "c"]] with input as object.union(_object("Pod", "c"), {"target": {"list": {"kind": 5, "path": "x"}}})
}

test_objects_of_a_template if {
	_listed == [["Template", "", ""], ["Pod", "items[0].", "b"], ["Pod", "objects[0].", "a"]] with input as {
		"kind": "Template",
		"objects": [_object("Pod", "a")],
		"items": [_object("Pod", "b")],
	}
	document.problems == [] with input as {"kind": "Template", "objects": "x"}
}

test_what_is_no_list_of_objects if {
	_listed == [["List", "", ""]] with input as {"kind": "List", "items": {"a": _object("Pod", "a")}}
	_listed == [["Other", "", ""]] with input as {"kind": "Other", "pods": [_object("Pod", "a")]}
}
