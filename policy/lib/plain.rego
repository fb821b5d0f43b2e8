# METADATA
# scope: package
# title: Containers in which all is well
# description: >-
#   Nearly every container keeps the contract in the plainest way, or has nothing to do
#   with it. A few looks tell that, so that the rules, which look at each word and write
#   each path, are asked about the others only. What is not plain is not wrong yet.
package lib.plain

import data.lib.env
import data.lib.mounted
import data.lib.parameters
import data.lib.process

# METADATA
# title: A container without a finding, and with the mode skip
# description: >-
#   It declares the variable once, as the recommended value, in an env that can be
#   read, and nothing that it starts or loads can change that.
keeps(workload, container) if {
	spec := container.spec
	{"name": parameters.env_var, "value": parameters.plain_skip} in spec.env
	count(env.names(spec) & env.loaders) == 0
	count((object.keys(spec) | object.keys(object.union_n(spec.env))) - _fields) == 0
	is_string(spec.image)
	process.probes_run_nothing(spec)
	mounted.unrun(workload, container) == []
}

# No other field of a container and of an entry of env is known here, and what is not
# known is looked at. None of these starts something, but for the probes.
_fields := {
	"env", "envFrom", "image", "imagePullPolicy", "livenessProbe", "name", "ports",
	"readinessProbe", "resizePolicy", "resources", "restartPolicy", "securityContext",
	"startupProbe", "stdin", "stdinOnce", "terminationMessagePath",
	"terminationMessagePolicy", "tty", "value", "valueFrom", "volumeDevices",
	"volumeMounts", "workingDir",
}
