package lib.plain_test

import data.lib.document
import data.lib.parameters
import data.lib.plain
import data.lib.testing

_workload := {"namespace": "agents", "object": testing.controllers([]), "place": {"spec": ["spec", "template", "spec"]}}

_keeps(spec) if plain.keeps(_workload, {"spec": spec, "path": testing.first})

# Each field that says nothing of what is started.
_all := {
	"env": [
		{"name": "PORT", "value": "8080"},
		testing.entry("skip"),
		{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
	],
	"envFrom": [{"secretRef": {"name": "a"}}],
	"image": "registry.example.com/app:1",
	"imagePullPolicy": "Always",
	"livenessProbe": {"httpGet": {"port": 1}},
	"name": "app",
	"ports": [{"containerPort": 1}],
	"readinessProbe": {"tcpSocket": {"port": 1}},
	"resizePolicy": [],
	"resources": {"limits": {"memory": "1Gi"}},
	"restartPolicy": "Always",
	"securityContext": {"runAsUser": 1},
	"startupProbe": {"grpc": {"port": 1}},
	"stdin": false,
	"stdinOnce": false,
	"terminationMessagePath": "/dev/log",
	"terminationMessagePolicy": "File",
	"tty": false,
	"volumeDevices": [],
	"volumeMounts": [{"name": "config", "mountPath": "/config"}],
	"workingDir": "/app",
}

test_plain if {
	_keeps(testing.good)
	_keeps(_all)
	_keeps(object.remove(_all, ["envFrom"]))
	every key in ["livenessProbe", "readinessProbe", "startupProbe"] {
		_keeps(object.remove(_all, [key]))
	}
	parameters.plain_skip == "skip"
	_keeps(testing.container([{"name": "OTHER", "value": "off"}])) with parameters.env_var as "OTHER"
		with parameters.skip_values as ["off"]
}

# Whatever else is there is for the rules to look at.
test_not_plain if {
	every fields in [
		{"args": []}, {"command": []}, {"source": ""}, {"lifecycle": {}}, {"$patch": "delete"}, {"unknown": 1},
		{"image": 5}, {"image": null},
		{"livenessProbe": {"exec": {}}}, {"readinessProbe": {"exec": null}}, {"startupProbe": {"exec": []}},
		{"livenessProbe": null}, {"livenessProbe": "x"},
		{"envFrom": null}, {"envFrom": {}}, {"envFrom": ["x"]}, {"envFrom": [{}, 5]},
		{"env": []}, {"env": {"a": testing.entry("skip")}}, {"env": null},
		{"env": [testing.entry("off")]}, {"env": [testing.entry("Skip")]},
		{"env": [testing.entry("skip"), testing.entry("skip")]},
		{"env": [testing.entry("skip"), testing.entry("auto")]},
		{"env": [testing.entry("skip"), {"name": "JANGAR_MIGRATIONS", "valueFrom": {}}]},
		{"env": [object.union(testing.entry("skip"), {"valueFrom": {}})]},
		{"env": [object.union(testing.entry("skip"), {"$patch": "delete"})]},
		{"env": [testing.entry("skip"), {"name": "A", "$patch": "delete"}]},
		{"env": [testing.entry("skip"), {"name": "A"}, {"name": "A"}]},
		{"env": [testing.entry("skip"), {}]}, {"env": [testing.entry("skip"), "x"]},
		{"env": [testing.entry("skip"), {"name": 5}]}, {"env": [testing.entry("skip"), {"name": {}}]},
		{"env": [testing.entry("skip"), {"name": "BASH_ENV"}]},
		{"env": [testing.entry("skip"), {"name": "NODE_OPTIONS"}]},
		{"env": [testing.entry("skip"), {"name": "DOTENV_CONFIG_OVERRIDE"}]},
	] {
		not _keeps(object.union(object.remove(_all, object.keys(fields)), fields))
	}
	not _keeps(object.remove(_all, ["image"]))
	not _keeps(object.remove(_all, ["env"]))
	not _keeps(testing.good) with parameters.env_var as "OTHER"
	not _keeps(testing.good) with parameters.skip_values as ["off"]
}

test_what_is_mounted if {
	volumes := {"spec": {"template": {"spec": {"volumes": [{"name": "config", "configMap": {"name": "scripts"}}]}}}}
	mounting := object.union(_workload, {"object": object.union(testing.controllers([]), volumes)})
	every text, expected in {"export JANGAR_MIGRATIONS=auto": false, "echo hello": true} {
		kept := count([true |
			plain.keeps(mounting, {"spec": _all, "path": ""}) with document.beside as [{
				"kind": "ConfigMap",
				"metadata": {"name": "scripts"},
				"data": {"start.sh": text},
			}]
		]) == 1
		kept == expected
	}
}
