package lib.value_test

import data.lib.value

test_field if {
	value.field({"a": 1}, "a") == 1
	value.field({"a": false}, "a") == false
	value.field({"a": 1}, "b") == null
	value.field({"a": null}, "a") == null
	every thing in [null, "a", 5, true, ["a"]] {
		value.field(thing, "a") == null
	}
}

test_at if {
	value.at({"a": {"b": 1}}, ["a", "b"]) == 1
	value.at({"a": 1}, []) == {"a": 1}
	value.at({"a": 1}, ["b", "c"]) == null
	value.at("x", ["a"]) == null
	value.at("x", []) == "x"
	every thing in [null, "a", 5, ["b"]] {
		value.at({"a": thing}, ["a", "b"]) == null
	}
}

test_entries if {
	value.entries([1, 2]) == [1, 2]
	every thing in [null, "a", 5, {"a": 1}] {
		value.entries(thing) == []
	}
}

test_text if {
	value.text("a") == "a"
	every thing in [null, 5, ["a"], {"a": 1}] {
		value.text(thing) == ""
	}
}

test_mistyped if {
	value.mistyped(5, "string")
	value.mistyped({}, "array")
	not value.mistyped("", "string")
	not value.mistyped(null, "string")
}

test_described_type if {
	[value.described_type(thing) | some thing in [[], true, null, 5, {}, ""]] == [
		"a list", "a boolean", "null",
		"a number", "a map", "a string",
	]
	value.described("array") == "a list"
}

test_written_with_a_dot if {
	value.written(["a.b"]) == "[\"a.b\"]"
	value.written(["a", "b c"]) == "a[\"b c\"]"
	value.written(["a", "b", "c"]) == "a.b.c"
	value.written(["a", 0, "b"]) == "a[0].b"
	value.written([]) == ""
}
