package lib.parameters_test

import data.lib.constraint
import data.lib.parameters
import data.lib.text

_problems(given) := problems if problems := parameters.problems with constraint.parameters as given

_problem(path, message, remedy) := {
	"path": sprintf("spec.parameters%s", [path]),
	"message": sprintf("spec.parameters%s %s", [path, message]),
	"remedy": remedy,
}

_all := concat(", ", object.keys(parameters.values))

test_defaults if {
	parameters.env_var == "JANGAR_MIGRATIONS"
	parameters.skip_values == ["skip", "disabled", "false", "0", "off"]
	parameters.plain_skip == "skip"
	parameters.controllers == ["*-controllers", "*-controllers-*"]
	parameters.values.exemptImages == parameters.known_images
	parameters.problems == []
}

_given := {
	"envVar": "AGENTS_MIGRATIONS",
	"skipValues": ["never", "no"],
	"controllers": ["worker-*"],
	"exemptImages": ["proxy:1"],
}

test_given_in_a_constraint if {
	parameters.env_var == "AGENTS_MIGRATIONS" with constraint.parameters as _given
	parameters.skip_values == ["never", "no"] with constraint.parameters as _given
	parameters.plain_skip == "never" with constraint.parameters as _given
	parameters.controllers == ["worker-*"] with constraint.parameters as _given
	parameters.values.exemptImages == ["proxy:1"] with constraint.parameters as _given
	parameters.problems == [] with constraint.parameters as _given
	parameters.plain_skip == "skip" with constraint.parameters as {"skipValues": ["no", "skip"]}
}

test_given_in_a_review if {
	review := {"review": {"object": {}}, "parameters": _given}
	parameters.env_var == "AGENTS_MIGRATIONS" with input as review
	parameters.env_var == "AGENTS_MIGRATIONS" with input as review with constraint.parameters as {"envVar": "X"}
	parameters.env_var == "JANGAR_MIGRATIONS" with input as {"review": {}} with constraint.parameters as {"envVar": "X"}
}

test_a_manifest_cannot_give_them if {
	parameters.env_var == "JANGAR_MIGRATIONS" with input as {"kind": "Pod", "review": {}, "parameters": _given}
}

test_what_cannot_be_used_leaves_the_default if {
	mistyped := {"envVar": 5, "skipValues": "no", "controllers": {"x": "y"}, "exemptImages": "proxy:1"}
	parameters.env_var == "JANGAR_MIGRATIONS" with constraint.parameters as mistyped
	parameters.skip_values == ["skip", "disabled", "false", "0", "off"] with constraint.parameters as mistyped
	parameters.controllers == ["*-controllers", "*-controllers-*"] with constraint.parameters as mistyped
	parameters.values.exemptImages == parameters.known_images with constraint.parameters as mistyped
}

test_one_problem_each if {
	_problems({"envVar": [5, ""]}) == [_problem(
		".envVar", "is a list where a string is expected.",
		"Write the name of the environment variable as a string.",
	)]
	_problems({"other": [5, ""]}) == [_problem(
		".other", "is not a parameter.",
		sprintf("Use one of %s.", [_all]),
	)]
}

test_none_are_fine if {
	_problems(null) == []
	_problems({}) == []
	_problems({"exemptImages": []}) == []
}

test_parameters_of_another_type if {
	every given, found in {"x": "a string", false: "a boolean", 5: "a number"} {
		_problems(given) == [_problem(
			"", sprintf("is %s where a map is expected.", [found]),
			sprintf("Write a map with the keys %s, or leave it out.", [_all]),
		)]
	}
	count(_problems(["envVar"])) == 1
}

test_unknown_keys if {
	_problems({"envvar": "X", "other": 1, "skipvalue": []}) == [
		_problem(".envvar", "is not a parameter. Is envVar meant?", sprintf("Use one of %s.", [_all])),
		_problem(".other", "is not a parameter.", sprintf("Use one of %s.", [_all])),
		_problem(".skipvalue", "is not a parameter. Is skipValues meant?", sprintf("Use one of %s.", [_all])),
	]
}

test_env_var if {
	every name in ["A", "_a", "a-b", ".a", "A1"] {
		_problems({"envVar": name}) == []
	}
	every name in ["", "1A", "A=B", "A B", "A\n", "Ä", "$A"] {
		_problems({"envVar": name}) == [_problem(
			".envVar",
			sprintf("is %q, which cannot be the name of an environment variable.", [name]),
			"Use letters, digits, _, - and . only, and do not start with a digit.",
		)]
	}
	every name, found in {5: "a number", null: "null", false: "a boolean"} {
		_problems({"envVar": name}) == [_problem(
			".envVar", sprintf("is %s where a string is expected.", [found]),
			"Write the name of the environment variable as a string.",
		)]
	}
}

test_lists if {
	every key in ["skipValues", "controllers", "exemptImages"] {
		every text in ["skip", ""] {
			_problems({key: text}) == [_problem(
				sprintf(".%s", [key]), "is a string where a list of strings is expected.",
				"Write a list of strings.",
			)]
		}
		_problems({key: null}) == [_problem(
			sprintf(".%s", [key]), "is null where a list of strings is expected.",
			"Write a list of strings.",
		)]
		_problems({key: ["a", false, ""]}) == [
			_problem(sprintf(".%s[1]", [key]), "is a boolean where a string is expected.", "Write it in quotes."),
			_problem(sprintf(".%s[2]", [key]), "is an empty string.", "Remove the entry or write what it stands for."),
		]
	}
	every key in ["skipValues", "controllers"] {
		_problems({key: []}) == [_problem(
			sprintf(".%s", [key]), "is empty.",
			"Name at least one, or leave the key out to use the default.",
		)]
	}
}

test_skip_values if {
	every value in ["skip", "a b", "0", "x!"] {
		_problems({"skipValues": [value]}) == []
	}
	every value in ["Skip", " skip", "skip ", "skíp", "$skip", "a$b", "a\nb"] {
		_problems({"skipValues": ["skip", value]}) == [_problem(
			".skipValues[1]",
			sprintf("is %q, and no value of the service is compared with that.", [value]),
			"Write skip values in lower case, in ASCII, without $ and without white space around them.",
		)]
	}
	_problems({"skipValues": ["skip", "auto"]}) == [_problem(
		".skipValues[1]", "is \"auto\", which makes the service migrate.",
		"Remove the entry.",
	)]
}

# The schema and the flags of the command line are made of them.
test_each_parameter_is_complete if {
	every parameter in parameters.described {
		object.keys(parameter) - {"mistyped", "refused", "remedy"} == {"name", "flag", "usage", "schema"}
		regex.match(`\A[a-z]+(-[a-z]+)*\z`, parameter.flag)
		regex.match(`\A\x60[A-Z]+\x60 .*[a-z*]\z`, parameter.usage)
		every schema in array.concat([parameter.schema], [items | items := parameter.schema.items]) {
			endswith(schema.description, ".")
			object.keys(schema) - {"type", "description", "default", "minLength", "minItems", "pattern", "items", "not"} == set()
		}
		_texts_of(parameter.schema).type == "string"
		_texts_of(parameter.schema).minLength == 1
	}
}

# The schema of the texts of a parameter.
_texts_of(schema) := schema if schema.type == "string"

_texts_of(schema) := schema.items if schema.type == "array"

test_images_that_stand_for_every_image if {
	every image in ["*", "**", "*/*", "-*"] {
		_problems({"exemptImages": ["a", image]}) == [_problem(
			".exemptImages[1]", sprintf("is %q, which stands for every image, so nothing would be judged.", [image]),
			"Name the repositories that hold no service.",
		)]
		_problems({"images": [image]}) == [_problem(
			".images[0]", sprintf("is %q, which stands for every image.", [image]),
			"Name the repository of the service's image.",
		)]
	}
	_problems({"images": ["*a", "a*", "*/a/*"], "exemptImages": []}) == []
}

test_the_images_that_are_read if {
	parameters.reads_images
	parameters.reads_images with constraint.parameters as {"images": ["a"], "exemptImages": []}
	not parameters.reads_images with constraint.parameters as {"exemptImages": []}
	not parameters.exempts("a") with constraint.parameters as {"exemptImages": []}
}

test_the_expressions_for_images if {
	parameters.exempt_pattern == "" with constraint.parameters as {"exemptImages": []}
	parameters.service_pattern == ""
	regex.match(parameters.exempt_pattern, "istio/proxyv2:1")
	not regex.match(parameters.exempt_pattern, "agents:1")
	regex.match(parameters.service_pattern, "a:1") with constraint.parameters as {"images": ["a", "b/*"]}
	regex.match(parameters.service_pattern, "b/c") with constraint.parameters as {"images": ["a", "b/*"]}
	not regex.match(parameters.service_pattern, "c") with constraint.parameters as {"images": ["a", "b/*"]}
}

test_exempt_by_name if {
	not parameters.exempts_by_name("istio/proxyv2:1")
	not parameters.exempts_by_name("a") with constraint.parameters as {"exemptImages": ["b", "istio/proxyv2"]}
	parameters.exempts_by_name("a:1") with constraint.parameters as {"exemptImages": ["a"]}
}

# One image for each entry of the list, as it is in a pod.
_known_images := [
	"gcr.io/gke-release/asm/proxyv2:1.20", "public.ecr.aws/aws-observability/aws-for-fluent-bit:2", "gcr.io/brancz/kube-rbac-proxy",
	"busybox:1.36", "quay.io/calico/kube-controllers:v3", "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2",
	"gcr.io/cloudsql-docker/gce-proxy:1", "curlimages/curl:8", "datadog/agent:7", "datadog/dd-lib-js-init:v5",
	"gcr.io/datadoghq/agent:7", "gcr.io/datadoghq/apm-inject:0", "gcr.io/datadoghq/dd-lib-java-init", "envoyproxy/envoy:v1.30",
	"cr.fluentbit.io/fluent/fluent-bit:3", "fluent/fluentd:v1", "hashicorp/vault:1.17", "docker.io/istio/install-cni:1.22",
	"istio/proxyv2:1.22", "gcr.io/istio-release/proxyv2", "gcr.io/kubebuilder/kube-rbac-proxy:v0.16", "cr.l5d.io/linkerd/proxy:stable",
	"cr.l5d.io/linkerd/proxy-init:v2", "registry.example/mirrored-calico-kube-controllers:v3", "nicolaka/netshoot",
	"ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-k8s:0.1",
	"ghcr.io/open-telemetry/opentelemetry-operator/autoinstrumentation-nodejs:0.5", "otel/opentelemetry-collector:0.1",
	"otel/opentelemetry-collector-contrib:0.1", "registry.k8s.io/pause:3.9", "rancher/mirrored-calico-kube-controllers:v3",
	"rancher/mirrored-pause:3.6", "tailscale/tailscale:v1", "quay.io/tigera/kube-controllers:v3",
]

# What is said of an image in Rego and what its expression says are the same.
test_known_images if {
	count(_known_images) == count(parameters.known_images)
	every image in _known_images {
		parameters.exempts(image)
		regex.match(parameters.exempt_pattern, image)
	}
	every image in ["agents:1", "evil/busybox:1", "istio/proxyv2x", "xistio/proxyv2", "a/b/pause", ""] {
		not parameters.exempts(image)
		not regex.match(parameters.exempt_pattern, image)
	}
	every image in _known_images {
		others := [other | some other in parameters.known_images; not regex.match(text.image(other), image)]
		not parameters.exempts(image) with constraint.parameters as {"exemptImages": others}
		count(others) == count(parameters.known_images) - 1
	}
}
