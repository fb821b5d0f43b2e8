# METADATA
# scope: package
# title: Parameters
# description: >-
#   What spec.parameters of the constraint says, or its defaults. Gatekeeper
#   gives them with the input; without Gatekeeper they come from the constraint
#   that was given as data.
package lib.parameters

import data.lib.constraint
import data.lib.review
import data.lib.text
import data.lib.value

_given := input.parameters if review.is_review

_given := constraint.parameters if not review.is_review

# METADATA
# title: The migrations variable
default env_var := "JANGAR_MIGRATIONS"

env_var := _given.envVar if is_string(_given.envVar)

# METADATA
# title: The values that keep the service from migrating
default skip_values := ["skip", "disabled", "false", "0", "off"]

skip_values := _given.skipValues if is_array(_given.skipValues)

# METADATA
# title: The spelling that the remedies recommend
default plain_skip := "skip"

plain_skip := skip_values[0] if not "skip" in skip_values

# METADATA
# title: Patterns for the names of controllers workloads
default controllers := ["*-controllers"]

controllers := _given.controllers if is_array(_given.controllers)

# METADATA
# title: Images that are not judged
default exempt_images := []

exempt_images := _given.exemptImages if is_array(_given.exemptImages)

# METADATA
# title: What is wrong with the parameters
# description: >-
#   A typo must not disarm the contract, so nothing unknown, mistyped or empty
#   is passed over.
problems := value.by_path(_problems)

_path(key) := sprintf("spec.parameters.%s", [key])

_lists := {"skipValues", "controllers", "exemptImages"}

_known := _lists | {"envVar"}

_problems contains {
	"path": "spec.parameters",
	"message": sprintf("spec.parameters is %s where a map is expected.", [value.described_type(_given)]),
	"remedy": sprintf("Write a map with the keys %s, or leave it out.", [concat(", ", _known)]),
} if {
	value.mistyped(_given, "object")
}

_problems contains {
	"path": _path(key),
	"message": sprintf("%s is not a parameter.%s", [_path(key), _meant(key)]),
	"remedy": sprintf("Use one of %s.", [concat(", ", _known)]),
} if {
	is_object(_given)
	some key in (object.keys(_given) - _known)
}

default _meant(_) := ""

_meant(key) := sprintf(" Is %s meant?", [concat(" or ", near)]) if {
	near := sort([known | some known in _known; text.similar(key, known)])
	count(near) > 0
}

_problems contains {
	"path": _path("envVar"),
	"message": sprintf("%s is %s where a string is expected.", [_path("envVar"), value.described_type(found)]),
	"remedy": "Write the name of the environment variable as a string.",
} if {
	found := _given.envVar
	not is_string(found)
}

_problems contains {
	"path": _path("envVar"),
	"message": sprintf("%s is %s, which cannot be the name of an environment variable.", [
		_path("envVar"), text.quoted(found),
	]),
	"remedy": "Use letters, digits, _, - and . only, and do not start with a digit.",
} if {
	found := _given.envVar
	is_string(found)
	not regex.match(`\A[-._a-zA-Z][-._a-zA-Z0-9]*\z`, found)
}

_problems contains {
	"path": _path(key),
	"message": sprintf("%s is %s where a list of strings is expected.", [_path(key), value.described_type(found)]),
	"remedy": "Write a list of strings.",
} if {
	some key in _lists
	found := _given[key]
	not is_array(found)
}

_problems contains {
	"path": _path(key),
	"message": sprintf("%s is empty.", [_path(key)]),
	"remedy": "Name at least one, or leave the key out to use the default.",
} if {
	some key in {"skipValues", "controllers"}
	_given[key] == []
}

_problems contains {
	"path": sprintf("%s[%d]", [_path(key), i]),
	"message": sprintf("%s[%d] is %s where a string is expected.", [_path(key), i, value.described_type(entry)]),
	"remedy": "Write it in quotes.",
} if {
	some key in _lists
	some i, entry in value.entries(_given[key])
	not is_string(entry)
}

_problems contains {
	"path": sprintf("%s[%d]", [_path(key), i]),
	"message": sprintf("%s[%d] is an empty string.", [_path(key), i]),
	"remedy": "Remove the entry or write what it stands for.",
} if {
	some key in _lists
	some i, "" in value.entries(_given[key])
}

_problems contains {
	"path": sprintf("%s[%d]", [_path("skipValues"), i]),
	"message": sprintf("%s[%d] is %s, and no value of the service is compared with that.", [
		_path("skipValues"), i, text.quoted(entry),
	]),
	"remedy": "Write skip values in lower case, in ASCII, without $ and without white space around them.",
} if {
	some i, entry in value.entries(_given.skipValues)
	is_string(entry)
	entry != ""
	not _comparable(entry)
}

_problems contains {
	"path": sprintf("%s[%d]", [_path("skipValues"), i]),
	"message": sprintf("%s[%d] is \"auto\", which makes the service migrate.", [_path("skipValues"), i]),
	"remedy": "Remove the entry.",
} if {
	some i, "auto" in value.entries(_given.skipValues)
}

# The service compares with the trimmed, lower-cased value.
_comparable(entry) if {
	regex.match(`\A[!-~]([ -~]*[!-~])?\z`, entry)
	lower(entry) == entry
	not contains(entry, "$")
}
