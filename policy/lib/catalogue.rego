# METADATA
# scope: package
# title: The catalogue
# description: >-
#   What is known of each code, as data: Gatekeeper drops annotations. The rules
#   of this policy, those that the harness states, and the contract in other
#   languages take their words from here. Nothing is imported, so that a program
#   can read this file alone.
package lib.catalogue

# METADATA
# title: Each code with what is known of it
# description: >-
#   The title is a sentence without a full stop. A finding names one or more of
#   the forms, whose messages make its own; a form that needs another remedy than
#   the rule's has it. {NAME} stands for an argument of the finding. Three are
#   always there: {path}, {variable}, and {skip}, the recommended value in quotes.
rules := {
	"CNM000": {
		"severity": "deny",
		"title": "The constraint cannot be used",
		"description": "A typo in the constraint must not disarm the contract, so each workload is denied until it is repaired.",
		"remedy": "Repair the constraint. Until then every workload is denied.",
		"forms": {"unusable": {"message": "The constraint cannot be used: {problems}"}},
	},
	"CNM001": {
		"severity": "deny",
		"title": "{variable} is not declared",
		"description": "Without the variable the service migrates.",
		"remedy": "Declare it once in env of this container, as name: {variable} with value: {skip}. If its image holds no service, name the image in the constraint's exemptImages, or the service's in images.",
		"forms": {
			"undeclared": {"message": "{path} does not declare {variable}, so the service migrates."},
			"env_from": {"message": "{path} does not declare {variable}. envFrom ({sources}) might set it, which the manifest does not prove."},
			"look_alike": {
				"message": "env[{index}] declares {name}, which is another variable.",
				"remedy": "If the service reads that other variable, name it in the constraint as envVar.",
			},
		},
	},
	"CNM002": {
		"severity": "deny",
		"title": "{variable} does not say skip",
		"description": "Every value that is no skip value makes the service migrate.",
		"remedy": "Set it to value: {skip}.",
		"forms": {
			"no_value": {"message": "{variable} in {place} has no value, so the service migrates."},
			"auto": {"message": "{variable} in {place} is {value}, so the service migrates."},
			"no_skip_value": {"message": "{variable} in {place} is {value}, which is not a skip value, so the service migrates."},
		},
	},
	"CNM003": {
		"severity": "deny",
		"title": "The value of {variable} cannot be proven",
		"description": "What is looked up when the container starts could be anything.",
		"remedy": "Set it to value: {skip}.",
		"forms": {
			"value_from": {
				"message": "{variable} in {place} comes from {source}, which the manifest does not prove.",
				"remedy": "Remove valueFrom. Set it to value: {skip}.",
			},
			"reference": {"message": "{variable} in {place} is {value}, which refers to another variable."},
		},
	},
	"CNM004": {
		"severity": "deny",
		"title": "{variable} is declared more than once",
		"description": "The last declaration wins, server-side apply rejects the list, and a later client-side apply can delete both. A value beside valueFrom is rejected.",
		"remedy": "Keep one declaration, with value: {skip}.",
		"forms": {
			"repeated": {
				"message": "{variable} is declared {count} times in {env}: {declarations}.",
				"remedy": "Keep one of them, with value: {skip}.",
			},
			"value_and_value_from": {
				"message": "{variable} in {path} {declaration}.",
				"remedy": "Remove valueFrom and keep value: {skip}.",
			},
		},
	},
	"CNM005": {
		"severity": "deny",
		"title": "The process is started without {variable}, or with another value",
		"description": "A command can change what env declares. Reading it is fine.",
		"remedy": "Leave {variable} to env of the container, and only read it in commands.",
		"forms": {
			"sets": {"message": "{path} sets {variable} by {text}, whatever env declares."},
			"removes": {"message": "{path} removes {variable} by {text}, whatever env declares."},
			"clears": {"message": "{path} clears the environment and {variable} with it by {text}, whatever env declares."},
			"sets_in_a_file": {"message": "{source} sets {variable} by {text}, whatever env declares, and {path} runs it."},
			"removes_in_a_file": {"message": "{source} removes {variable} by {text}, whatever env declares, and {path} runs it."},
			"clears_in_a_file": {"message": "{source} clears the environment and {variable} with it by {text}, whatever env declares, and {path} runs it."},
			"hides": {
				"message": "{path} runs {text}, which the manifest does not show, so it could set {variable}.",
				"remedy": "Write the command or the variable there in place of the reference.",
			},
		},
	},
	"CNM006": {
		"severity": "deny",
		"title": "The object cannot be read",
		"description": "What the rules must read is missing or has the wrong type. Unreadable is not innocent.",
		"remedy": "Write the value with the type that Kubernetes expects.",
		"forms": {
			"wrong_type": {
				"message": "{path} is {found} where {expected} is expected, so the rules cannot read it.",
				"remedy": "Write {path} as {expected}.",
			},
			"missing": {
				"message": "{path} is missing or empty, so the rules have nothing to read.",
				"remedy": "Write {path} as {expected} that is not empty.",
			},
			"directive": {
				"message": "{path} is a directive of a patch, which kubectl carries out when it applies the object, so the rules cannot tell what is left.",
				"remedy": "Move it to a patch of the kustomization, or remove it.",
			},
			"value_is_no_string": {
				"message": "{path} of {variable} is the {found} where a string is expected, so the rules cannot read it.",
				"remedy": "Write it in quotes: value: {skip}.",
			},
			"no_yaml": {
				"message": "{path} writes what cannot be read: {error}.",
				"remedy": "Make it write one YAML object for each document.",
			},
			"documents": {
				"message": "The input is a list of documents, and the rules judge one document at a time.",
				"remedy": "Run conftest without --combine.",
			},
			"list_too_deep": {
				"message": "{path} is a list inside three other lists, and the rules look no deeper.",
				"remedy": "Write the objects as separate documents.",
			},
			"list_is_none": {
				"message": "{path} of {kind} is {found}, so the objects in it cannot be read.",
				"remedy": "Write {path} as a list of objects.",
			},
			"item_is_none": {
				"message": "{path} is {found}, so it cannot be read as an object.",
				"remedy": "Make each item an object with apiVersion, kind and metadata.",
			},
		},
	},
	"CNM007": {
		"severity": "deny",
		"title": "There is no controllers workload",
		"description": "Where one is required and none is found, the check says nothing about controllers.",
		"remedy": "Check the path, the values that enable the controllers, and the constraint's controllers patterns and match. Pass --allow-absent when there are none on purpose.",
		"forms": {
			"in_target": {"message": "No controllers workload was rendered, so the check says nothing about controllers."},
			"nothing_to_judge": {"message": "There is no app, no chart and no manifest, so the check says nothing about controllers."},
			"anywhere": {"message": "No controllers workload was found anywhere, so the check says nothing about controllers."},
			"in_template": {
				"message": "{path} writes no controllers workload, so there is nothing to judge.",
				"remedy": "Let the template write a workload whose name, pod label or container matches the controllers patterns. If none is meant, switch the guard off.",
			},
			"all_exempt": {
				"message": "The constraint exempts the images of all containers of {workloads}, so no controllers workload is judged.",
				"remedy": "Name only images in exemptImages that hold no service. If the workload is no controllers, leave it out by the constraint's controllers patterns or match.",
			},
			"of_constraint": {"message": "The constraint binds no controllers workload of any target, so it checks nothing."},
		},
	},
	"CNM008": {
		"severity": "deny",
		"title": "The change makes the contract weaker",
		"description": "Constraints or the configuration of the change bind, judge or deny less than those that it would replace, so the change could let itself pass.",
		"remedy": "Leave the contract as it is. If it is meant, let who owns the contract make this change by itself, and judge it with --trust-head.",
		"forms": {"taken": {"message": "By its own contract less would be judged: {what}."}},
	},
	"CNM101": {
		"severity": "warn",
		"title": "Another spelling of skip",
		"description": "The contract holds, but a reader may not see that.",
		"remedy": "Set it to value: {skip}.",
		"forms": {"spelling": {"message": "{variable} in {place} is {value}, another spelling of {skip}."}},
	},
	"CNM102": {
		"severity": "warn",
		"title": "A control plane with a value that says neither auto nor skip",
		"description": "It means auto, which may not be what its author meant.",
		"remedy": "Set it to value: \"auto\" or to value: {skip}.",
		"forms": {"neither": {"message": "{variable} in {place} is {value}, which is neither auto nor a skip value, so the service migrates."}},
	},
	"CNM103": {
		"severity": "warn",
		"title": "Nobody applies migrations",
		"description": "Other workloads declare the variable, and all of them skip migrations: the emergency fallback is in force.",
		"remedy": "Set the control plane's variable to auto, unless migrations are applied by hand for now.",
		"forms": {"nobody": {"message": "Every workload that declares the migrations variable skips migrations, so nobody applies them."}},
	},
	"CNM104": {
		"severity": "warn",
		"title": "The start loads what the manifest does not show",
		"description": "A file, the output of a command or a launcher can change the environment before the service starts, and nobody can tell from the manifest. So the mode is unknown.",
		"remedy": "Start the service by the image's own entry point, or write in the manifest what it loads.",
		"forms": {
			"loads": {"message": "{path} loads what the manifest does not show: {text}."},
			"launcher": {"message": "{path} starts {text}, which changes the environment of what it starts."},
			"runs_variable": {"message": "{path} runs what {text} holds, and env does not show it."},
			"reference": {"message": "{path} has {text} in a script, and the manifest does not show what that is."},
			"mentions": {
				"message": "{path} mentions {variable} in {text}, which is neither clearly a change nor clearly a reading.",
				"remedy": "Leave {variable} to env of the container, and only read it in commands.",
			},
			"option": {"message": "{path} is {text}, by which a program loads code before it starts."},
			"not_run": {
				"message": "{path} mounts {source}, which would change {variable} by {text}, and no command shows whether it is run.",
				"remedy": "Remove that from the file, or start the service by the image's own entry point.",
			},
		},
	},
	"CNM105": {
		"severity": "warn",
		"title": "A workload looks like controllers and is not bound",
		"description": "It declares the variable and may migrate, and something of it has nearly the name of controllers. Either it is a control plane with an unlucky name, or controllers that slip through.",
		"remedy": "If it is controllers, add a pattern for its name to the constraint's controllers.",
		"forms": {"looks_alike": {
			"message": "{place} {name} looks like controllers and the workload is not bound, so the service may migrate.",
			"remedy": "If it is controllers, bind it in the constraint: {line}.",
		}},
	},
	"CNM106": {
		"severity": "warn",
		"title": "{variable} is set twice in one map",
		"description": "Two changes that were merged may have left both lines. Helm and kustomize take one of them without a word, whatever was meant.",
		"remedy": "Keep the line that is meant, and remove the others.",
		"forms": {"twice": {"message": "One map of {file} sets {variable} {count} times: {values}. The one that is taken, without a word, is in line {taken}."}},
	},
	"CNM107": {
		"severity": "warn",
		"title": "What runs may differ from what Git says",
		"description": "Argo CD leaves something as it is in the cluster, so controllers may run with another environment than the one that is judged here.",
		"remedy": "Remove it, or judge what runs too: hand what kubectl get deployments -A -o yaml prints to nevermigrate check.",
		"forms": {"live": {"message": "{field} of Application {name}: {what}."}},
	},
}

# METADATA
# title: The message and the remedy of a finding
# description: >-
#   Takes the code, the names of forms, and the arguments. What the catalogue
#   does not know is named: a finding is never lost for want of words.
texts(code, says, args) := {part: strings.replace_n(replaced, concat(" ", [_words(code, form, part) | some form in says])) |
	some part in ["message", "remedy"]
} if {
	replaced := _replaced(args)
}

_words(code, form, part) := rules[code].forms[form][part]

_words(code, form, "remedy") := rules[code].remedy if not rules[code].forms[form].remedy

_words(code, form, "message") := sprintf("(%s)", [form]) if not rules[code].forms[form]

_words(code, _, "remedy") := "(no remedy)" if not rules[code]

_filled(format, args) := strings.replace_n(_replaced(args), format)

_replaced(args) := {sprintf("{%s}", [name]): sprintf("%v", [value]) | some name, value in args}

# METADATA
# title: Each code as pages and rule lists describe it
# description: Takes the arguments that are the same for all findings.
described(args) := {code: described |
	some code, rule in rules
	described := {
		"severity": rule.severity,
		"title": _capitalized(_filled(rule.title, {"variable": "the variable"})),
		"description": rule.description,
		"remedy": _filled(rule.remedy, args),
	}
}

_capitalized(text) := concat("", [upper(substring(text, 0, 1)), substring(text, 1, -1)])

# METADATA
# title: What the contract in another language says of a finding
# description: >-
#   By code and form, the title and the remedy. A statement in another language
#   finds the place and knows no arguments, so a form whose remedy has other
#   arguments than the given ones is left out; the empty form has the rule's.
decided(args) := {code: forms |
	some code, rule in rules
	forms := {form: sprintf("%s. %s", [_filled(rule.title, args), remedy]) |
		some form in (object.keys(rule.forms) | {""})
		format := _words(code, form, "remedy")
		not contains(_filled(format, {name: "" | some name, _ in args}), "{")
		remedy := _filled(format, args)
	}
}
