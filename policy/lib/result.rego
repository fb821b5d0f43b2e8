# METADATA
# scope: package
# title: Results
# description: >-
#   The form in which a finding leaves the policy, the same for conftest,
#   Gatekeeper and the harness.
package lib.result

import data.lib.contract

# METADATA
# title: A finding about an object, for the rules to give
# description: Takes the code, the object, and what was found and where.
finding(code, workload, container, found) := {
	"code": code,
	"workload": sprintf("%s/%s", [workload.kind, workload.name]),
	"namespace": workload.namespace,
	"container": container,
	"path": found.path,
	"message": found.message,
	"remedy": found.remedy,
}

# METADATA
# title: A finding as a result
from_finding(finding, severity) := {
	"msg": sprintf("%s %s%s: %s %s", [
		finding.code, finding.workload, _in_container(finding.container), finding.message, finding.remedy,
	]),
	"details": object.union(finding, {"severity": severity, "enforcement": contract.enforcement}),
}

_in_container("") := ""

_in_container(name) := sprintf(" container %s", [name]) if name != ""
