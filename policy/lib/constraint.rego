# METADATA
# scope: package
# title: The constraint given as data
# description: >-
#   Without Gatekeeper the constraint is a file that lands at the root of the
#   data, with `conftest test --data constraint.yaml`. Only this file reads it;
#   in the cluster Gatekeeper does, and this file is left out there.
package lib.constraint

import data.lib.kind
import data.lib.parameters as checked
import data.lib.text
import data.lib.value

# METADATA
# title: A constraint was given
# description: >-
#   Any key that only a constraint has counts. A constraint with a misspelt
#   kind must be an error and not the same as none.
given if count({"apiVersion", "kind", "spec"} & object.keys(_root)) > 0

# The data holds the policy too, so the keys are named one by one.
_root["apiVersion"] := data.apiVersion

_root["kind"] := data.kind

_root["spec"] := data.spec

_root["enforcementAction"] := data.enforcementAction

_root["match"] := data.match

_root["parameters"] := data.parameters

_spec := _root.spec

# METADATA
# title: spec.parameters of the constraint
parameters := _spec.parameters

# METADATA
# title: What the cluster does with a finding
default enforcement := "deny"

enforcement := _spec.enforcementAction

# METADATA
# title: spec.match of the constraint
default match := {}

match := _spec.match if is_object(_spec.match)

# METADATA
# title: What is wrong with the constraint
problems := value.by_path(_problems | {problem | some problem in checked.problems}) if given

problems := [] if not given

_actions := {"deny", "warn", "dryrun"}

_spec_keys := {"enforcementAction", "match", "parameters"}

_match_keys := {"namespaces", "excludedNamespaces", "kinds"}

_cluster_match_keys := {"labelSelector", "namespaceSelector", "scope", "name", "source"}

_listed(names) := concat(", ", sort([name | some name in names]))

default _meant(_, _) := ""

_meant(key, known) := sprintf(" Is %s meant?", [concat(" or ", near)]) if {
	near := sort([name | some name in known; text.similar(key, name)])
	count(near) > 0
}

_problems contains {
	"path": "apiVersion",
	"message": "apiVersion does not name a version of constraints.gatekeeper.sh.",
	"remedy": "Set apiVersion to constraints.gatekeeper.sh/v1beta1.",
} if {
	not regex.match(`\Aconstraints\.gatekeeper\.sh/v1(alpha1|beta1)?\z`, value.text(value.field(_root, "apiVersion")))
}

_problems contains {
	"path": "kind",
	"message": "kind is not ControllersNeverMigrate.",
	"remedy": "Set kind to ControllersNeverMigrate.",
} if {
	not _root.kind == "ControllersNeverMigrate"
}

_problems contains {
	"path": key,
	"message": sprintf("%s stands beside spec.", [key]),
	"remedy": sprintf("Move it to spec.%s.", [key]),
} if {
	some key in (_spec_keys & object.keys(_root))
}

_problems contains {
	"path": "spec",
	"message": "The constraint has no spec.",
	"remedy": "Add spec, with enforcementAction, match or parameters where the defaults do not fit.",
} if {
	value.field(_root, "spec") == null
}

_problems contains {
	"path": "spec",
	"message": sprintf("spec is %s where a map is expected.", [value.described_type(_spec)]),
	"remedy": "Write spec as a map.",
} if {
	value.mistyped(_spec, "object")
}

_problems contains {
	"path": sprintf("spec.%s", [key]),
	"message": sprintf("spec.%s is not a key of a constraint.%s", [key, _meant(key, _spec_keys)]),
	"remedy": sprintf("Use one of %s.", [_listed(_spec_keys)]),
} if {
	is_object(_spec)
	some key in (object.keys(_spec) - _spec_keys)
}

_problems contains {
	"path": "spec.enforcementAction",
	"message": sprintf("spec.enforcementAction is %s, which is not supported.", [text.quoted(sprintf("%v", [_spec.enforcementAction]))]),
	"remedy": "Use deny, warn or dryrun.",
} if {
	found := _spec.enforcementAction
	not found in _actions
}

_problems contains {
	"path": "spec.match",
	"message": sprintf("spec.match is %s where a map is expected.", [value.described_type(_spec.match)]),
	"remedy": "Write spec.match as a map, or leave it out.",
} if {
	value.mistyped(_spec.match, "object")
}

_problems contains {
	"path": sprintf("spec.match.%s", [key]),
	"message": sprintf("spec.match.%s is not supported here, because it needs the cluster.", [key]),
	"remedy": sprintf("Use one of %s.", [_listed(_match_keys)]),
} if {
	some key in (object.keys(match) & _cluster_match_keys)
}

_problems contains {
	"path": sprintf("spec.match.%s", [key]),
	"message": sprintf("spec.match.%s is not a key of a match.%s", [key, _meant(key, _match_keys)]),
	"remedy": sprintf("Use one of %s.", [_listed(_match_keys)]),
} if {
	some key in ((object.keys(match) - _match_keys) - _cluster_match_keys)
}

_problems contains {
	"path": sprintf("spec.match.%s", [key]),
	"message": sprintf("spec.match.%s is %s where a list is expected.", [key, value.described_type(found)]),
	"remedy": "Write a list, or leave it out.",
} if {
	some key in _match_keys
	found := match[key]
	not is_array(found)
}

_problems contains {
	"path": sprintf("spec.match.%s[%d]", [key, i]),
	"message": sprintf("spec.match.%s[%d] cannot be the name of a namespace.", [key, i]),
	"remedy": "Use lower case letters, digits and -, with * at the start or the end only.",
} if {
	some key in {"namespaces", "excludedNamespaces"}
	some i, entry in value.entries(match[key])
	not _is_namespace_pattern(entry)
}

# The form that Gatekeeper accepts, but not empty.
_is_namespace_pattern(entry) if {
	is_string(entry)
	entry != ""
	regex.match(`\A\*?[-:a-z0-9]*\*?\z`, entry)
}

_kinds_problem(i, suffix, message, remedy) := {
	"path": sprintf("spec.match.kinds[%d]%s", [i, suffix]),
	"message": sprintf("spec.match.kinds[%d]%s %s", [i, suffix, message]),
	"remedy": remedy,
}

_problems contains _kinds_problem(i, "", "is not a map.", "Write it as a map with apiGroups and kinds.") if {
	some i, entry in value.entries(match.kinds)
	not is_object(entry)
}

_problems contains _kinds_problem(
	i, sprintf(".%s", [key]), "is not supported.",
	"Use apiGroups and kinds only.",
) if {
	some i, entry in value.entries(match.kinds)
	is_object(entry)
	some key in (object.keys(entry) - {"apiGroups", "kinds"})
}

_problems contains _kinds_problem(i, sprintf(".%s", [key]), "is not a list.", "Write a list of strings.") if {
	some i, entry in value.entries(match.kinds)
	some key in {"apiGroups", "kinds"}
	value.mistyped(value.field(entry, key), "array")
}

_problems contains _kinds_problem(
	i, sprintf(".%s[%d]", [key, j]), "does not name a workload, so the contract would bind less than it seems to.",
	sprintf("Use \"*\" or one of %s.", [_listed({sprintf("%q", [name]) | some name in names})]),
) if {
	some key, names in {"apiGroups": kind.groups, "kinds": object.keys(kind.workloads)}
	some i, entry in value.entries(match.kinds)
	some j, name in value.entries(value.field(entry, key))
	not name in (names | {"*"})
}
