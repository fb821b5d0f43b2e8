package lib.catalogue_test

import data.lib.catalogue

test_texts_fill_in_the_arguments if {
	catalogue.texts("CNM003", ["value_from"], {"variable": "X", "place": "env[0]", "source": "{skip}", "skip": "\"skip\""}) == {
		"message": "X in env[0] comes from {skip}, which the manifest does not prove.",
		"remedy": "Remove valueFrom. Set it to value: \"skip\".",
	}
}

_declare := concat(" ", [
	"Declare it once in env of this container, as name: X with value: s.",
	"If its image holds no service, name the image in the constraint's exemptImages, or the service's in images.",
])

test_texts_join_forms if {
	catalogue.texts("CNM001", ["undeclared", "look_alike"], {"path": "p", "variable": "X", "skip": "s", "index": 2, "name": "Y"}) == {
		"message": "p does not declare X, so the service migrates. env[2] declares Y, which is another variable.",
		"remedy": concat(" ", [
			_declare,
			"If the service reads that other variable, name it in the constraint as envVar.",
		]),
	}
}

test_texts_name_what_the_catalogue_lacks if {
	catalogue.texts("CNM001", ["no_such_form"], {"variable": "X", "skip": "s"}) == {
		"message": "(no_such_form)",
		"remedy": _declare,
	}
	catalogue.texts("CNM999", ["undeclared"], {}) == {"message": "(undeclared)", "remedy": "(no remedy)"}
}

test_described_for_pages if {
	catalogue.described({"variable": "X", "skip": "s"}).CNM101 == {
		"severity": "warn",
		"title": "Another spelling of skip",
		"description": "The contract holds, but a reader may not see that.",
		"remedy": "Set it to value: s.",
	}
	catalogue.described({}).CNM001.title == "The variable is not declared"
	object.keys(catalogue.described({})) == object.keys(catalogue.rules)
}

test_decided_in_another_language if {
	decided := catalogue.decided({"variable": "X", "skip": "s"})
	decided.CNM003 == {
		"": "The value of X cannot be proven. Set it to value: s.",
		"reference": "The value of X cannot be proven. Set it to value: s.",
		"value_from": "The value of X cannot be proven. Remove valueFrom. Set it to value: s.",
	}
	decided.CNM006 == {
		"": "The object cannot be read. Write the value with the type that Kubernetes expects.",
		"directive": "The object cannot be read. Move it to a patch of the kustomization, or remove it.",
		"documents": "The object cannot be read. Run conftest without --combine.",
		"item_is_none": "The object cannot be read. Make each item an object with apiVersion, kind and metadata.",
		"list_too_deep": "The object cannot be read. Write the objects as separate documents.",
		"no_yaml": "The object cannot be read. Make it write one YAML object for each document.",
		"value_is_no_string": "The object cannot be read. Write it in quotes: value: s.",
	}
}

# A page or a report has a place for each of them.
test_each_code_is_complete if {
	every code, rule in catalogue.rules {
		regex.match(`\ACNM[0-9]{3}\z`, code)
		object.keys(rule) == {"severity", "title", "description", "remedy", "forms"}
		rule.severity in {"deny", "warn"}
		regex.match(`[a-z}]\z`, rule.title)
		every text in [rule.description, rule.remedy] {
			endswith(text, ".")
		}
		count(rule.forms) > 0
		every name, form in rule.forms {
			regex.match(`\A[a-z]+(_[a-z]+)*\z`, name)
			regex.match(`(\.|\{problems\})\z`, form.message)
			object.keys(form) - {"message", "remedy"} == set()
			endswith(object.get(form, "remedy", "."), ".")
		}
	}
	count(catalogue.rules) >= 14
}
