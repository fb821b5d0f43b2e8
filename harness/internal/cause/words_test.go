package cause_test

import (
	"strings"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/cause"
)

// A fix says all that is to be changed, so that a person who does so gets the file
// that was rendered; where that cannot be told, it is not verified.
func TestWordsOfAFix(t *testing.T) {
	entry := func(entry string) string {
		return strings.Replace(resource, "{name: JANGAR_MIGRATIONS, value: skip}", entry, 1) + "\n-- kustomization.yaml --\nresources: [deployment.yaml]\n"
	}
	const env = "spec.template.spec.containers[0].env"
	values := func(text string) string {
		return strings.Replace(chart, "mode: %s", "mode: skip", 1) + "\n-- kustomization.yaml --\nhelmCharts: [{name: agents, valuesFile: values.yaml}]\n-- values.yaml --\n" + text
	}
	for name, test := range map[string]struct{ files, want string }{
		"valueFrom": {
			entry("name: JANGAR_MIGRATIONS\n          valueFrom:\n            secretKeyRef: {name: a, key: b}"),
			"replace " + env + `[0].valueFrom by value: "skip"`,
		},
		"valueFrom beside null": {
			entry("name: JANGAR_MIGRATIONS\n          value: null\n          valueFrom: {secretKeyRef: {name: a, key: b}}"),
			"remove " + env + "[0].valueFrom and set " + env + `[0].value to "skip"`,
		},
		"null": {
			entry("name: JANGAR_MIGRATIONS\n          value: null"),
			"set " + env + `[0].value to "skip"`,
		},
		"a value over several lines": {
			values("mode: auto\n  of old\n"),
			`not verified: set mode to "skip"`,
		},
		"a value in CRLF": {values("mode: auto\r\n"), `set mode to "skip"`},
		"an option of env": {
			entry("{name: JANGAR_MIGRATIONS, value: skip}\n        command: [env, -u, JANGAR_MIGRATIONS, node]"),
			"remove spec.template.spec.containers[0].command[1] and spec.template.spec.containers[0].command[2]",
		},
		"the only patch": {
			resource + "\n-- kustomization.yaml --\nresources: [deployment.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - {op: remove, path: /spec/template/spec/containers/0/env/0}\n",
			"remove patches[0].patch[0] and leave patches[0].patch: []",
		},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, test.files)
			got := find(t, cause.Options{})[0]
			if change := changeOf(got.Fix); change != test.want {
				t.Errorf("%s, fix %q, want %q", got.Code, change, test.want)
			}
		})
	}
}
