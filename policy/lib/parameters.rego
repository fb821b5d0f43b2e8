# METADATA
# scope: package
# title: Parameters
# description: >-
#   What spec.parameters of the constraint says, or its defaults. Gatekeeper
#   gives them with the input; without Gatekeeper they come from the constraint
#   that was given as data.
package lib.parameters

import data.lib.constraint
import data.lib.review
import data.lib.text
import data.lib.value

_given := review.parameters if review.is_review

_given := constraint.parameters if not review.is_review

# METADATA
# title: The parameters, in the order in which a constraint has them
# description: >-
#   Each with its schema, as the API server takes it; with what is said of a value
#   that its pattern refuses; and with the flag that sets it where a constraint is
#   printed.
described := [
	{
		"name": "envVar",
		"flag": "env-var",
		"usage": "`VARIABLE` that decides",
		"schema": {
			"type": "string",
			"description": "The variable that decides.",
			"default": "JANGAR_MIGRATIONS",
			"minLength": 1,
			"pattern": `^[-._a-zA-Z][-._a-zA-Z0-9]*$`,
		},
		"mistyped": "Write the name of the environment variable as a string.",
		"refused": "which cannot be the name of an environment variable",
		"remedy": "Use letters, digits, _, - and . only, and do not start with a digit.",
	},
	{
		"name": "skipValues",
		"flag": "skip-value",
		"usage": "`VALUE` that keeps the service from migrating, in place of the default ones",
		"schema": {
			"type": "array",
			"description": "The values that keep the service from migrating.",
			"default": ["skip", "disabled", "false", "0", "off"],
			"minItems": 1,
			"items": {
				"type": "string",
				"description": "In lower case, in ASCII, without $ and without white space around it. Not auto.",
				"minLength": 1,
				"pattern": `^[!-#%-@\[-~]([ -#%-@\[-~]*[!-#%-@\[-~])?$`,
				"not": {"enum": ["auto"]},
			},
		},
		"refused": "and no value of the service is compared with that",
		"remedy": "Write skip values in lower case, in ASCII, without $ and without white space around them.",
	},
	{
		"name": "controllers",
		"flag": "controllers",
		"usage": "`PATTERN` for the names of controllers workloads, in place of the default ones",
		"schema": {
			"type": "array",
			"description": "Which workloads are controllers: a name, a label or a container matches.",
			"default": ["*-controllers", "*-controllers-*"],
			"minItems": 1,
			"items": {"type": "string", "description": "A name; * stands for any text.", "minLength": 1},
		},
	},
	{
		"name": "images",
		"flag": "image",
		"usage": "`IMAGE` of the service: only containers with one are bound",
		"schema": {
			"type": "array",
			"description": "The service's images. When there are any, only their containers are bound.",
			"default": [],
			"items": {"type": "string", "description": _image, "minLength": 1, "pattern": _more_than_globs},
		},
		"refused": "which stands for every image",
		"remedy": "Name the repository of the service's image.",
	},
	{
		"name": "exemptImages",
		"flag": "exempt-image",
		"usage": "`IMAGE` that holds no service, in place of the default ones",
		"schema": {
			"type": "array",
			"description": "Images that hold no service. Their containers are not bound.",
			"default": known_images,
			"items": {"type": "string", "description": _image, "minLength": 1, "pattern": _more_than_globs},
		},
		"refused": "which stands for every image, so nothing would be judged",
		"remedy": "Name the repositories that hold no service.",
	},
]

_image := "An image as the container has it, or its repository; * stands for any text."

_more_than_globs := `[A-Za-z0-9]`

# METADATA
# title: Images that are known to hold no service
# description: >-
#   What is injected into pods, what looks into them, and what test pods run. A
#   controllers workload of another project is here too, for its name is one
#   that the default patterns match.
known_images := [
	"asm/proxyv2",
	"aws-observability/aws-for-fluent-bit",
	"brancz/kube-rbac-proxy",
	"busybox",
	"calico/kube-controllers",
	"cloud-sql-connectors/cloud-sql-proxy",
	"cloudsql-docker/gce-proxy",
	"curlimages/curl",
	"datadog/agent",
	"datadog/dd-lib-*-init",
	"datadoghq/agent",
	"datadoghq/apm-inject",
	"datadoghq/dd-lib-*-init",
	"envoyproxy/envoy",
	"fluent/fluent-bit",
	"fluent/fluentd",
	"hashicorp/vault",
	"istio/install-cni",
	"istio/proxyv2",
	"istio-release/proxyv2",
	"kubebuilder/kube-rbac-proxy",
	"linkerd/proxy",
	"linkerd/proxy-init",
	"mirrored-calico-kube-controllers",
	"nicolaka/netshoot",
	"open-telemetry/opentelemetry-collector-releases/opentelemetry-collector*",
	"open-telemetry/opentelemetry-operator/autoinstrumentation-*",
	"otel/opentelemetry-collector",
	"otel/opentelemetry-collector-contrib",
	"pause",
	"rancher/mirrored-calico-kube-controllers",
	"rancher/mirrored-pause",
	"tailscale/tailscale",
	"tigera/kube-controllers",
]

# METADATA
# title: The parameters by name, with what is given or else with their defaults
values := {name: set |
	some name, parameter in _by_name
	set := _value(name, parameter.schema)
}

_by_name := {parameter.name: parameter | some parameter in described}

_value(name, schema) := given if {
	given := _given[name]
	type_name(given) == schema.type
} else := schema.default

# METADATA
# title: The migrations variable
env_var := values.envVar

# METADATA
# title: The values that keep the service from migrating
skip_values := values.skipValues

# METADATA
# title: The spelling that the remedies recommend
default plain_skip := "skip"

plain_skip := skip_values[0] if not "skip" in skip_values

# METADATA
# title: Patterns for the names of controllers workloads
controllers := values.controllers

# METADATA
# title: The expression for the names of controllers workloads
controllers_pattern := text.one_of(controllers)

# METADATA
# title: The expression for the images that hold no service
# description: Empty when there are none.
exempt_pattern := _any(values.exemptImages)

# METADATA
# title: The expression for the images of the service
# description: Empty when every image that is not exempt may hold it.
service_pattern := _any(values.images)

_any(images) := concat("|", [text.image(image) | some image in images])

# METADATA
# title: The image decides whether a container is bound
reads_images if count(values.exemptImages) + count(values.images) > 0

# METADATA
# title: A container of an image is not bound
exempts(image) if {
	some name in text.image_names(image)
	name in values.exemptImages
}

exempts(image) if {
	_exempt_globs != ""
	regex.match(_exempt_globs, image)
}

# An image that is not there, or cannot be read, could be the service's.
exempts(image) if {
	image != ""
	not regex.match(service_pattern, image)
}

_exempt_globs := _any([entry | some entry in values.exemptImages; contains(entry, "*")])

# METADATA
# title: The constraint exempts an image that is not known to hold no service
exempts_by_name(image) if {
	some entry in values.exemptImages
	not entry in known_images
	regex.match(text.image(entry), image)
}

# METADATA
# title: What is wrong with the parameters
# description: >-
#   A typo must not disarm the contract, so nothing unknown, mistyped or empty
#   is passed over.
problems := value.by_path(_problems)

_path(key) := sprintf("spec.parameters.%s", [key])

_known := object.keys(_by_name)

_problems contains {
	"path": "spec.parameters",
	"message": sprintf("spec.parameters is %s where a map is expected.", [value.described_type(_given)]),
	"remedy": sprintf("Write a map with the keys %s, or leave it out.", [concat(", ", _known)]),
} if {
	value.mistyped(_given, "object")
}

_problems contains {
	"path": _path(key),
	"message": sprintf("%s is not a parameter.%s", [_path(key), _meant(key)]),
	"remedy": sprintf("Use one of %s.", [concat(", ", _known)]),
} if {
	is_object(_given)
	some key in (object.keys(_given) - _known)
}

default _meant(_) := ""

_meant(key) := sprintf(" Is %s meant?", [concat(" or ", near)]) if {
	near := sort([known | some known in _known; text.similar(key, known)])
	count(near) > 0
}

_problems contains {
	"path": _path(key),
	"message": sprintf("%s is %s where %s is expected.", [_path(key), value.described_type(found), _expected[parameter.schema.type]]),
	"remedy": object.get(parameter, "mistyped", "Write a list of strings."),
} if {
	some key, parameter in _by_name
	found := _given[key]
	type_name(found) != parameter.schema.type
}

_expected := {"string": "a string", "array": "a list of strings"}

_problems contains {
	"path": _path(key),
	"message": sprintf("%s is empty.", [_path(key)]),
	"remedy": "Name at least one, or leave the key out to use the default.",
} if {
	some key, parameter in _by_name
	parameter.schema.minItems == 1
	_given[key] == []
}

# The texts that are given, each with its path, its parameter and its schema.
_texts contains {"path": _path(key), "text": _given[key], "parameter": parameter, "schema": parameter.schema} if {
	some key, parameter in _by_name
	is_string(_given[key])
	parameter.schema.type == "string"
}

_texts contains {"path": path, "text": entry, "parameter": parameter, "schema": parameter.schema.items} if {
	some key, parameter in _by_name
	some i, entry in value.entries(_given[key])
	is_string(entry)
	path := sprintf("%s[%d]", [_path(key), i])
	parameter.schema.items
}

_problems contains {
	"path": sprintf("%s[%d]", [_path(key), i]),
	"message": sprintf("%s[%d] is %s where a string is expected.", [_path(key), i, value.described_type(entry)]),
	"remedy": "Write it in quotes.",
} if {
	some key, parameter in _by_name
	parameter.schema.items
	some i, entry in value.entries(_given[key])
	not is_string(entry)
}

_problems contains {
	"path": given.path,
	"message": sprintf("%s is an empty string.", [given.path]),
	"remedy": "Remove the entry or write what it stands for.",
} if {
	some given in _texts
	given.parameter.schema.items
	given.text == ""
}

_problems contains {
	"path": given.path,
	"message": sprintf("%s is %s, %s.", [given.path, text.quoted(given.text), given.parameter.refused]),
	"remedy": given.parameter.remedy,
} if {
	some given in _texts
	not _is_empty_entry(given)
	not regex.match(given.schema.pattern, given.text)
}

# It is refused as one already.
_is_empty_entry(given) if {
	given.parameter.schema.items
	given.text == ""
}

_problems contains {
	"path": given.path,
	"message": sprintf("%s is %q, which makes the service migrate.", [given.path, given.text]),
	"remedy": "Remove the entry.",
} if {
	some given in _texts
	given.text in given.schema["not"].enum
}
