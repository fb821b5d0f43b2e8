# METADATA
# scope: package
# title: What was judged
# description: Facts for a report, so that the mode is seen also when all is well.
package lib.summary

import data.lib.env
import data.lib.loading
import data.lib.plain
import data.lib.workload

# METADATA
# title: The workloads that the contract binds, and the control planes
# description: >-
#   In the order of the document. Of a control plane only the containers that
#   declare the migrations variable are shown.
workloads := [shown |
	some found in workload.judged
	shown := _shown(found)
]

_shown(found) := {
	"kind": found.kind,
	"namespace": found.namespace,
	"name": found.name,
	"path": found.path,
	"role": "controllers",
	"containers": [_shown_container(found, container) | some container in found.containers],
} if {
	workload.is_controllers(found)
} else := {
	"kind": found.kind,
	"namespace": found.namespace,
	"name": found.name,
	"path": found.path,
	"role": "control-plane",
	"containers": declaring,
} if {
	declaring := [_shown_container(found, container) |
		some container in found.containers
		count(env.declarations(container.spec)) > 0
	]
	count(declaring) > 0
}

_shown_container(workload, container) := {
	"name": container.name,
	"type": container.type,
	"mode": mode_of(workload, container),
	"exempt": container.exempt,
}

# METADATA
# title: The mode of what a container starts
# description: That of its environment, unless the start may change it.
mode_of(workload, container) := "skip" if {
	plain.keeps(workload, container)
} else := "unknown" if {
	env.mode_of(container.spec) == "skip"
	loading.makes_unknown(workload, container)
} else := env.mode_of(container.spec)

# METADATA
# title: The workloads that are left out because the constraint exempts their images
exempted := [sprintf("%s/%s", [found.kind, found.name]) | some found in workload.left_out]
