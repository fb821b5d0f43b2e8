# METADATA
# scope: package
# title: What the rules cannot read
# description: >-
#   Unreadable is not innocent: what has the wrong type is stated, with the
#   place, what stands there and what should.
package lib.unreadable

import data.lib.value

# METADATA
# title: The values at some places that have another type than expected
# description: Takes triples of place, value and expected type.
mistyped(triples) := [wrong_type(path, found, expected) |
	some [path, found, expected] in triples
	value.mistyped(found, expected)
]

# METADATA
# title: A value of the wrong type
wrong_type(path, found, expected) := {
	"path": path,
	"message": sprintf("%s is %s where %s is expected, so the rules cannot read it.", [
		path, value.described_type(found), value.described(expected),
	]),
	"remedy": sprintf("Write %s as %s.", [path, value.described(expected)]),
}

# METADATA
# title: A value that must be there and is not
missing(path, expected) := {
	"path": path,
	"message": sprintf("%s is missing or empty, so the rules have nothing to read.", [path]),
	"remedy": sprintf("Write %s as %s that is not empty.", [path, value.described(expected)]),
}
