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
	"says": ["wrong_type"],
	"args": {"found": value.described_type(found), "expected": value.described(expected)},
}

# METADATA
# title: A value that must be there and is not
missing(path, expected) := {
	"path": path,
	"says": ["missing"],
	"args": {"expected": value.described(expected)},
}
