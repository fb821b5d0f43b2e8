# METADATA
# scope: package
# title: Building blocks of the tests
# description: >-
#   Small constructors for manifests, constraints and results. Only tests use
#   them.
package lib.testing

# METADATA
# title: An entry of env with a value
entry(value) := {"name": "JANGAR_MIGRATIONS", "value": value}

# METADATA
# title: A container with an env
container(env) := {"name": "app", "image": "registry.example.com/app:1", "env": env}

# METADATA
# title: A container that keeps the contract
good := container([entry("skip")])

# METADATA
# title: A container that keeps the contract, but for some fields
good_with(fields) := object.union(good, fields)

# METADATA
# title: A Deployment of a name with containers
deployment(name, containers) := {
	"apiVersion": "apps/v1",
	"kind": "Deployment",
	"metadata": {"name": name, "namespace": "agents"},
	"spec": {"template": {"spec": {"containers": containers}}},
}

# METADATA
# title: A controllers workload
controllers(containers) := deployment("agents-controllers", containers)

# METADATA
# title: A workload that the contract does not bind
control_plane(containers) := deployment("agents", containers)

# METADATA
# title: A controllers workload with one value of the variable
with_value(value) := controllers([container([entry(value)])])

# METADATA
# title: A constraint with a spec
constraint(spec) := {
	"apiVersion": "constraints.gatekeeper.sh/v1beta1",
	"kind": "ControllersNeverMigrate",
	"metadata": {"name": "controllers-never-migrate"},
	"spec": spec,
}

# METADATA
# title: Where the first container stands
first := "spec.template.spec.containers[0]"

# METADATA
# title: A result about a container of the controllers workload
about_container(code, severity, enforcement, container, found) := {
	"msg": sprintf("%s Deployment/agents-controllers container %s: %s %s", [
		code, container, found.message, found.remedy,
	]),
	"details": object.union(found, {
		"code": code,
		"severity": severity,
		"enforcement": enforcement,
		"workload": "Deployment/agents-controllers",
		"namespace": "agents",
		"container": container,
	}),
}

# METADATA
# title: A denial of the first container
denial(code, found) := about_container(code, "deny", "deny", "app", found)

# METADATA
# title: A doubt about the first container
doubt(code, found) := about_container(code, "warn", "deny", "app", found)

# METADATA
# title: A denial of a whole workload
denial_of(code, workload, namespace, found) := {
	"msg": sprintf("%s %s: %s %s", [code, workload, found.message, found.remedy]),
	"details": object.union(found, {
		"code": code,
		"severity": "deny",
		"enforcement": "deny",
		"workload": workload,
		"namespace": namespace,
		"container": "",
	}),
}

# METADATA
# title: What is expected of a container without the variable
undeclared := denial("CNM001", {
	"path": sprintf("%s.env", [first]),
	"message": sprintf("%s.env does not declare JANGAR_MIGRATIONS, so the service migrates.", [first]),
	"remedy": declare_it,
})

# METADATA
# title: The remedy for a missing variable
declare_it := concat(" ", [
	"Declare it once in env of this container, as name: JANGAR_MIGRATIONS with value: \"skip\".",
	"If its image holds no service, name the image in the constraint's exemptImages, or the service's in images.",
])

# METADATA
# title: The remedy for a wrong value
set_it := "Set it to value: \"skip\"."

# METADATA
# title: A value of the wrong type
mistyped(path, found, expected) := {
	"path": path,
	"message": sprintf("%s is %s where %s is expected, so the rules cannot read it.", [path, found, expected]),
	"remedy": sprintf("Write %s as %s.", [path, expected]),
}

# METADATA
# title: A value that is not there
missing(path, expected) := {
	"path": path,
	"message": sprintf("%s is missing or empty, so the rules have nothing to read.", [path]),
	"remedy": sprintf("Write %s as %s that is not empty.", [path, expected]),
}

# METADATA
# title: What the rules find of a value of the wrong type
wrong_type(path, found, expected) := {
	"path": path,
	"says": ["wrong_type"],
	"args": {"found": found, "expected": expected},
}

# METADATA
# title: What the rules find of a value that is not there
not_there(path, expected) := {
	"path": path,
	"says": ["missing"],
	"args": {"expected": expected},
}
