# METADATA
# title: Controllers never migrate
# description: >-
#   The rules of the contract. Each container of a controllers workload
#   declares the migrations variable exactly once, as a literal string that
#   resolves to skip.
package main

import data.lib.contract
import data.lib.document
import data.lib.env
import data.lib.mode
import data.lib.parameters
import data.lib.process
import data.lib.result
import data.lib.text
import data.lib.unreadable
import data.lib.value
import data.lib.workload

# METADATA
# title: Broken rules
# description: These deny.
violation contains result.from_finding(finding, "deny") if {
	contract.enforcement == "deny"
	some finding in _broken
}

# METADATA
# title: Broken rules under a constraint that only warns, and doubts
# description: These do not deny.
warn contains result.from_finding(finding, "warn") if {
	contract.enforcement != "deny"
	some finding in _broken
}

warn contains result.from_finding(finding, "warn") if {
	some finding in _doubtful
}

_controllers := [found |
	some found in workload.judged
	workload.is_controllers(found)
]

_control_planes := [found |
	some found in workload.judged
	not workload.is_controllers(found)
]

# The containers that the contract binds, each with its workload and its
# declarations of the migrations variable.
_bound := [{"workload": found, "container": container, "declared": env.declarations(container.spec)} |
	some found in _controllers
	some container in found.containers
	not container.exempt
]

_finding(code, bound, found) := result.finding(code, bound.workload, bound.container.name, found)

_env_path(bound, place) := sprintf("%s.%s", [bound.container.path, place])

_declare_it := sprintf("Declare it once in env of this container, as name: %s with value: %q.", [
	parameters.env_var, parameters.plain_skip,
])

_set_it := sprintf("Set it to value: %q.", [parameters.plain_skip])

# METADATA
# title: The constraint cannot be used
# description: >-
#   A typo in the constraint must not disarm the contract, so each workload is
#   denied until it is repaired.
# custom:
#   code: CNM000
#   severity: deny
#   remedy: Repair the constraint.
_broken contains result.finding("CNM000", found, "", {
	"path": "",
	"message": sprintf("The constraint cannot be used: %s", [
		concat(" ", [sprintf("%s %s", [problem.message, problem.remedy]) | some problem in contract.problems]),
	]),
	"remedy": "Repair the constraint. Until then every workload is denied.",
}) if {
	not contract.usable
	some found in array.concat(workload.all, document.problems)
}

# METADATA
# title: The variable is not declared
# description: Without the variable the service migrates.
# custom:
#   code: CNM001
#   severity: deny
#   remedy: Declare the variable once in env, with a skip value.
_broken contains _finding("CNM001", bound, {
	"path": _env_path(bound, "env"),
	"message": sprintf("%s does not declare %s%s%s", [
		_env_path(bound, "env"), parameters.env_var,
		_without(bound.container.spec), _instead(bound.container.spec),
	]),
	"remedy": concat("", [_declare_it, _renamed(bound.container.spec)]),
}) if {
	some bound in _bound
	count(bound.declared) == 0
	env.is_readable(bound.container.spec)
}

_without(spec) := ", so the service migrates." if count(env.sources(spec)) == 0

_without(spec) := sprintf(". envFrom (%s) might set it, which the manifest does not prove.", [
	env.described_sources(spec),
]) if {
	count(env.sources(spec)) > 0
}

default _instead(_) := ""

_instead(spec) := sprintf(" env[%d] declares %s, which is another variable.", [i, text.quoted(name)]) if {
	[_, i, name] := env.look_alike(spec)
}

default _renamed(_) := ""

_renamed(spec) := " If the service reads that other variable, name it in the constraint as envVar." if {
	env.look_alike(spec)
}

# METADATA
# title: The variable does not say skip
# description: Every value that is no skip value makes the service migrate.
# custom:
#   code: CNM002
#   severity: deny
#   remedy: Set a skip value.
_broken contains _finding("CNM002", bound, {
	"path": _env_path(bound, _place_of_value(bound, declared)),
	"message": sprintf("%s in %s %s, so the service migrates.", [
		parameters.env_var, _env_path(bound, declared.place), _auto(declared.value),
	]),
	"remedy": _set_it,
}) if {
	some bound in _bound
	some declared in bound.declared
	declared.is == "literal"
	declared.mode == "auto"
}

_auto(set) := "has no value" if {
	set == ""
} else := sprintf("is %s", [text.quoted(set)]) if {
	mode.means_auto(set)
} else := sprintf("is %s, which is not a skip value", [text.quoted(set)])

_place_of_value(bound, declared) := sprintf("%s.value", [declared.place]) if {
	"value" in object.keys(bound.container.spec.env[declared.index])
} else := declared.place

# METADATA
# title: The value cannot be proven
# description: What is looked up when the container starts could be anything.
# custom:
#   code: CNM003
#   severity: deny
#   remedy: Set a literal skip value.
_broken contains _finding("CNM003", bound, {
	"path": _env_path(bound, sprintf("%s.valueFrom", [declared.place])),
	"message": sprintf("%s in %s comes from %s, which the manifest does not prove.", [
		parameters.env_var, _env_path(bound, declared.place), env.described_source(declared.from),
	]),
	"remedy": sprintf("Remove valueFrom. %s", [_set_it]),
}) if {
	some bound in _bound
	some declared in bound.declared
	declared.from
}

_broken contains _finding("CNM003", bound, {
	"path": _env_path(bound, sprintf("%s.value", [declared.place])),
	"message": sprintf("%s in %s is %s, which refers to another variable.", [
		parameters.env_var, _env_path(bound, declared.place), text.quoted(declared.value),
	]),
	"remedy": _set_it,
}) if {
	some bound in _bound
	some declared in bound.declared
	declared.is == "reference"
}

# METADATA
# title: The variable is declared more than once
# description: >-
#   The last declaration wins, server-side apply rejects the list, and a later
#   client-side apply can delete both. A value beside valueFrom is rejected.
# custom:
#   code: CNM004
#   severity: deny
#   remedy: Keep one declaration with a literal skip value.
_broken contains _finding("CNM004", bound, {
	"path": _env_path(bound, bound.declared[count(bound.declared) - 1].place),
	"message": sprintf("%s is declared %d times in %s: %s.", [
		parameters.env_var, count(bound.declared), _env_path(bound, "env"),
		concat(", ", [sprintf("%s %s", [declared.place, _described(declared)]) | some declared in bound.declared]),
	]),
	"remedy": sprintf("Keep one of them, with value: %q.", [parameters.plain_skip]),
}) if {
	some bound in _bound
	count(bound.declared) > 1
}

_broken contains _finding("CNM004", bound, {
	"path": _env_path(bound, declared.place),
	"message": sprintf("%s in %s %s.", [
		parameters.env_var, _env_path(bound, declared.place), _described(declared),
	]),
	"remedy": sprintf("Remove valueFrom and keep value: %q.", [parameters.plain_skip]),
}) if {
	some bound in _bound
	count(bound.declared) == 1
	some declared in bound.declared
	_is_conflict(declared)
}

_is_conflict(declared) if {
	declared.value
	declared.from
}

_described(declared) := "cannot be read" if {
	declared.is == "unreadable"
} else := sprintf("has both the value %s and valueFrom %s", [
	text.quoted(declared.value), env.described_source(declared.from),
]) if {
	_is_conflict(declared)
} else := sprintf("comes from %s", [env.described_source(declared.from)]) if {
	declared.from
} else := "has no value" if {
	declared.value == ""
} else := sprintf("is %s", [text.quoted(declared.value)])

# METADATA
# title: The process is started without the variable, or with another value
# description: A command can change what env declares. Reading it is fine.
# custom:
#   code: CNM005
#   severity: deny
#   remedy: Leave the variable alone in commands.
_broken contains _finding("CNM005", bound, {
	"path": change.path,
	"message": sprintf("%s %s, whatever env declares.", [change.path, _deeds[change.how]]),
	"remedy": sprintf("Leave %s to env of the container, and only read it in commands.", [parameters.env_var]),
}) if {
	some bound in _bound
	some change in process.changes(bound.container.spec, bound.container.path)
}

_deeds := {
	"sets": sprintf("sets %s", [parameters.env_var]),
	"removes": sprintf("removes %s", [parameters.env_var]),
	"clears": sprintf("clears the environment and %s with it", [parameters.env_var]),
}

# METADATA
# title: The object cannot be read
# description: >-
#   What the rules must read is missing or has the wrong type. Unreadable is
#   not innocent.
# custom:
#   code: CNM006
#   severity: deny
#   remedy: Write the value with the type that Kubernetes expects.
_broken contains result.finding("CNM006", found, "", problem) if {
	some found in _controllers
	some problem in array.concat(found.unreadable, found.missing)
}

_broken contains _finding("CNM006", bound, problem) if {
	some bound in _bound
	some problem in array.concat(
		env.problems(bound.container.spec, bound.container.path),
		process.problems(bound.container.spec, bound.container.path),
	)
}

_broken contains _finding("CNM006", bound, problem) if {
	some bound in _bound
	count(parameters.exempt_images) > 0
	some problem in unreadable.mistyped([[
		_env_path(bound, "image"),
		value.field(bound.container.spec, "image"),
		"string",
	]])
}

_broken contains result.finding("CNM006", problem, "", problem) if {
	contract.usable
	some problem in document.problems
}

# METADATA
# title: Another spelling of skip
# description: The contract holds, but a reader may not see that.
# custom:
#   code: CNM101
#   severity: warn
#   remedy: Write skip.
_doubtful contains _finding("CNM101", bound, {
	"path": _env_path(bound, sprintf("%s.value", [declared.place])),
	"message": sprintf("%s in %s is %s, another spelling of %s.", [
		parameters.env_var, _env_path(bound, declared.place),
		text.quoted(declared.value), text.quoted(parameters.plain_skip),
	]),
	"remedy": _set_it,
}) if {
	some bound in _bound
	count(bound.declared) == 1
	some declared in bound.declared
	declared.is == "literal"
	declared.mode == "skip"
	not _is_conflict(declared)
	declared.value != parameters.plain_skip
}

# METADATA
# title: A control plane with a value that says neither auto nor skip
# description: It means auto, which may not be what its author meant.
# custom:
#   code: CNM102
#   severity: warn
#   remedy: Set auto, or a skip value.
_doubtful contains result.finding("CNM102", found, container.name, {
	"path": sprintf("%s.%s.value", [container.path, declared.place]),
	"message": sprintf("%s in %s.%s is %s, which is neither auto nor a skip value, so the service migrates.", [
		parameters.env_var, container.path, declared.place, text.quoted(declared.value),
	]),
	"remedy": sprintf("Set it to value: \"auto\" or to value: %q.", [parameters.plain_skip]),
}) if {
	some found in _control_planes
	some container in found.containers
	not container.exempt
	some declared in env.declarations(container.spec)
	declared.is == "literal"
	declared.mode == "auto"
	not mode.means_auto(declared.text)
}
