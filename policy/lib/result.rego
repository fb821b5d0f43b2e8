# METADATA
# scope: package
# title: Results
# description: >-
#   The form in which a finding leaves the policy, the same for conftest,
#   Gatekeeper and the harness.
package lib.result

import data.lib.catalogue
import data.lib.contract
import data.lib.parameters

# METADATA
# title: A finding as a result, with the words of the catalogue
# description: >-
#   Takes what a rule found: the code, the workload, the name of the container,
#   empty for the whole workload, the path, which forms of the catalogue say it,
#   and their arguments.
of(found) := {
	"msg": sprintf("%s %s%s: %s %s", [
		found.code, workload, _in_container(found.container), texts.message, texts.remedy,
	]),
	"details": {
		"code": found.code,
		"workload": workload,
		"namespace": found.workload.namespace,
		"container": found.container,
		"path": found.path,
		"message": texts.message,
		"remedy": texts.remedy,
		"severity": severity(found.code),
		"enforcement": contract.enforcement,
	},
} if {
	workload := sprintf("%s/%s", [found.workload.kind, found.workload.name])
	texts := catalogue.texts(found.code, found.says, object.union(found.args, {
		"path": found.path,
		"variable": parameters.env_var,
		"skip": sprintf("%q", [parameters.plain_skip]),
	}))
}

# METADATA
# title: What a finding of a code does
# description: >-
#   The severity of the catalogue, or a warning under a constraint that does not
#   deny. A code that the catalogue does not know denies.
default severity(_) := "deny"

severity(code) := "warn" if {
	catalogue.rules[code].severity == "warn"
} else := "warn" if {
	contract.enforcement != "deny"
}

_in_container("") := ""

_in_container(name) := sprintf(" container %s", [name]) if name != ""
