package lib.summary_test

import data.lib.constraint
import data.lib.summary
import data.lib.testing

_container(name, type, mode, exempt) := {"name": name, "type": type, "mode": mode, "exempt": exempt}

test_workloads_in_order if {
	bare := {"name": "bare", "image": "proxy:1"}
	pod := {
		"containers": [bare, testing.good],
		"initContainers": [{"name": "init", "env": [testing.entry("skip")]}],
		"ephemeralContainers": [{"name": "debug", "envFrom": [{"secretRef": {"name": "s"}}]}],
	}
	spec := {"spec": {"template": {"spec": pod}}}
	summary.workloads == [
		{
			"kind": "Deployment", "namespace": "agents", "name": "agents", "path": "items[0].", "role": "control-plane",
			"containers": [_container("app", "container", "skip", false), _container("init", "initContainer", "skip", false)],
		},
		{
			"kind": "Deployment", "namespace": "agents", "name": "agents-controllers", "path": "items[2].", "role": "controllers",
			"containers": [
				_container("bare", "container", "auto", true),
				_container("app", "container", "skip", false),
				_container("init", "initContainer", "skip", false),
				_container("debug", "ephemeralContainer", "unknown", false),
			],
		},
	] with input as {"kind": "List", "items": [
		object.union(testing.control_plane([]), spec),
		testing.deployment("other", [bare]),
		object.union(testing.controllers([]), spec),
		{"kind": "Service", "metadata": {"name": "x-controllers"}},
	]}
		with constraint.parameters as {"exemptImages": ["proxy:*"]}
}

test_a_control_plane_with_one_declaration if {
	[shown.containers | some shown in summary.workloads] == [[_container("app", "container", "skip", false)]] with input as testing.control_plane([testing.good])
}

test_controllers_without_containers if {
	summary.workloads == [{
		"kind": "Deployment", "namespace": "agents", "name": "agents-controllers",
		"path": "", "role": "controllers", "containers": [],
	}] with input as testing.controllers(null)
}

test_what_is_no_container_is_not_shown if {
	[shown.containers | some shown in summary.workloads] == [[]] with input as testing.controllers(["app", null])
}

test_none if {
	summary.workloads == [] with input as testing.with_value("skip") with constraint.match as {"excludedNamespaces": ["agents"]}
	summary.workloads == [] with input as testing.with_value("skip") with constraint.problems as ["p"]
	summary.workloads == [] with input as {"kind": "ConfigMap"}
}

test_the_mode_of_what_is_started if {
	modes := {
		"skip": {}, "unknown": {"command": ["sh", "-c", ". /app/env"]},
	}
	every mode, fields in modes {
		summary.workloads[0].containers[0].mode == mode with input as testing.controllers([testing.good_with(fields)])
	}
	summary.workloads[0].containers[0].mode == "unknown" with input as testing.controllers([testing.good_with({"command": ["sh", "-c", "JANGAR_MIGRATIONS=auto node"]})])
	summary.workloads[0].containers[0].mode == "auto" with input as testing.controllers([testing.good_with({
		"env": [testing.entry("auto")],
		"command": ["sh", "-c", ". /app/env"],
	})])
	summary.workloads[0].containers[0].mode == "unknown" with input as testing.control_plane([testing.good_with({"command": ["env-cmd", "node"]})])
}

test_what_is_left_out if {
	summary.exempted == [] with input as testing.controllers([testing.good])
	summary.exempted == ["Deployment/agents-controllers"] with input as testing.controllers([testing.good])
		with constraint.parameters as {"exemptImages": ["registry.example.com/app"]}
}
