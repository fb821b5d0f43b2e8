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
import data.lib.loading
import data.lib.mode
import data.lib.mounted
import data.lib.parameters
import data.lib.plain
import data.lib.process
import data.lib.resemblance
import data.lib.result
import data.lib.summary
import data.lib.text
import data.lib.unreadable
import data.lib.value
import data.lib.workload

# METADATA
# title: What breaks the contract
# description: These deny.
violation contains broken if {
	some broken in _results
	broken.details.severity == "deny"
}

# METADATA
# title: What is doubtful, and what is broken under a constraint that only warns
# description: These do not deny.
warn contains doubtful if {
	some doubtful in _results
	doubtful.details.severity == "warn"
}

# The rules below find; the words are the catalogue's.
_results := {result.of(found) | some found in _findings}

# The containers that the contract binds and that do not plainly keep it, each with its
# workload and its declarations of the migrations variable.
_bound := [{"workload": found, "container": container, "declared": env.declarations(container.spec)} |
	some found in workload.controllers
	some container in found.containers
	not container.exempt
	not plain.keeps(found, container)
]

_in_container(bound, found) := object.union(found, {"workload": bound.workload, "container": bound.container.name})

_in_workload(found, problem) := object.union(problem, {"workload": found, "container": ""})

_env_path(bound, place) := sprintf("%s.%s", [bound.container.path, place])

_findings contains _in_workload(found, {
	"code": "CNM000",
	"path": "",
	"says": ["unusable"],
	"args": {"problems": concat(" ", [sprintf("%s %s", [problem.message, problem.remedy]) | some problem in contract.problems])},
}) if {
	not contract.usable
	some found in array.concat(workload.all, document.problems)
}

_findings contains _in_container(bound, {
	"code": "CNM001",
	"path": _env_path(bound, "env"),
	"says": array.concat([absent.says], alike.says),
	"args": object.union(absent.args, alike.args),
}) if {
	some bound in _bound
	count(bound.declared) == 0
	env.is_readable(bound.container.spec)
	env.directives(bound.container.spec, bound.container.path) == []
	absent := _absent(env.sources(bound.container.spec))
	alike := _alike(bound.container.spec)
}

_absent([]) := {"says": "undeclared", "args": {}}

_absent(sources) := {"says": "env_from", "args": {"sources": env.described_sources(sources)}} if count(sources) > 0

default _alike(_) := {"says": [], "args": {}}

_alike(spec) := {"says": ["look_alike"], "args": {"index": i, "name": text.quoted(name)}} if {
	[_, i, name] := env.look_alike(spec)
}

_findings contains _in_container(bound, {
	"code": "CNM002",
	"path": _env_path(bound, _place_of_value(bound, declared)),
	"says": [_auto(declared.value)],
	"args": {"place": _env_path(bound, declared.place), "value": text.quoted(declared.value)},
}) if {
	some bound in _bound
	some declared in bound.declared
	declared.is == "literal"
	declared.mode == "auto"
}

_auto(set) := "no_value" if {
	set == ""
} else := "auto" if {
	mode.means_auto(set)
} else := "no_skip_value"

_place_of_value(bound, declared) := sprintf("%s.value", [declared.place]) if {
	"value" in object.keys(bound.container.spec.env[declared.index])
} else := declared.place

_findings contains _in_container(bound, {
	"code": "CNM003",
	"path": _env_path(bound, sprintf("%s.%s", [declared.place, unproven.field])),
	"says": [unproven.says],
	"args": object.union(unproven.args, {"place": _env_path(bound, declared.place)}),
}) if {
	some bound in _bound
	some declared in bound.declared
	some unproven in _unproven(declared)
}

_unproven(declared) := array.concat(
	[{"field": "valueFrom", "says": "value_from", "args": {"source": env.described_source(source)}} |
		source := declared.from
	],
	[{"field": "value", "says": "reference", "args": {"value": text.quoted(declared.value)}} |
		declared.is == "reference"
	],
)

_findings contains _in_container(bound, {
	"code": "CNM004",
	"path": _env_path(bound, bound.declared[count(bound.declared) - 1].place),
	"says": [repeated.says],
	"args": repeated.args,
}) if {
	some bound in _bound
	repeated := _repeated(bound)
}

_repeated(bound) := {"says": "repeated", "args": {
	"count": count(bound.declared),
	"env": _env_path(bound, "env"),
	"declarations": concat(", ", [sprintf("%s %s", [declared.place, env.described(declared)]) | some declared in bound.declared]),
}} if {
	count(bound.declared) > 1
}

_repeated(bound) := {"says": "value_and_value_from", "args": {"declaration": env.described(declared)}} if {
	[declared] := bound.declared
	env.has_value_and_source(declared)
}

_findings contains _in_container(bound, {
	"code": "CNM005",
	"path": change.path,
	"says": [change.says],
	"args": {"text": text.quoted(env.shown(change.text)), "source": change.source},
}) if {
	some bound in _bound
	some change in array.concat(
		[object.union(found, {"says": found.how, "source": ""}) |
			some found in process.changes(bound.container.spec, bound.container.path)
		],
		mounted.changes(bound.workload, bound.container),
	)
}

_findings contains object.union(found, {"code": "CNM006"}) if some found in _unreadable

_unreadable contains _in_workload(found, problem) if {
	some found in workload.controllers
	some problem in array.concat(found.unreadable, found.missing)
}

_unreadable contains _in_container(bound, problem) if {
	some bound in _bound
	some problem in array.concat(
		array.concat(
			env.problems(bound.container.spec, bound.container.path),
			env.directives(bound.container.spec, bound.container.path),
		),
		process.problems(bound.container.spec, bound.container.path),
	)
}

_unreadable contains _in_container(bound, problem) if {
	some bound in _bound
	parameters.reads_images
	some problem in unreadable.mistyped([[
		_env_path(bound, "image"),
		value.field(bound.container.spec, "image"),
		"string",
	]])
}

_unreadable contains _in_workload(list, list.problem) if {
	contract.usable
	some list in document.problems
}

_findings contains _in_container(bound, {
	"code": "CNM101",
	"path": _env_path(bound, sprintf("%s.value", [declared.place])),
	"says": ["spelling"],
	"args": {"place": _env_path(bound, declared.place), "value": text.quoted(declared.value)},
}) if {
	some bound in _bound
	[declared] := bound.declared
	declared.is == "literal"
	declared.mode == "skip"
	not env.has_value_and_source(declared)
	declared.value != parameters.plain_skip
}

_findings contains {
	"code": "CNM102",
	"workload": found,
	"container": container.name,
	"path": sprintf("%s.%s.value", [container.path, declared.place]),
	"says": ["neither"],
	"args": {"place": sprintf("%s.%s", [container.path, declared.place]), "value": text.quoted(declared.value)},
} if {
	some found in workload.others
	some container in found.containers
	not container.exempt
	some declared in env.declarations(container.spec)
	declared.is == "literal"
	declared.mode == "auto"
	not mode.means_auto(declared.text)
}

_findings contains _in_container(bound, {
	"code": "CNM104",
	"path": load.path,
	"says": [load.says],
	"args": {"text": text.quoted(env.shown(load.text)), "source": load.source},
}) if {
	some bound in _bound
	some load in loading.of(bound.workload, bound.container)
}

_findings contains {
	"code": "CNM105",
	"workload": found,
	"container": "",
	"path": resembling.path,
	"says": ["looks_alike"],
	"args": {
		"place": resembling.place,
		"name": text.quoted(resembling.name),
		"line": sprintf("controllers: %s", [json.marshal(array.concat(parameters.controllers, [resembling.pattern]))]),
	},
} if {
	some found in workload.others
	_may_migrate(found)
	resembling := resemblance.of(found)
}

_may_migrate(found) if {
	some container in found.containers
	not container.exempt
	count(env.declarations(container.spec)) > 0
	summary.mode_of(found, container) != "skip"
}
