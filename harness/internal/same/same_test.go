package same

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/report"
)

func TestFindings(t *testing.T) {
	at := func(container, path, message string) report.Finding {
		return report.Finding{Code: "CNM002", Workload: "Pod/x", Container: container, Path: path, Message: message}
	}
	three, four := at("main", "env[3].value", `env[3] is "auto"`), at("main", "env[4].value", `env[4] is "auto"`)
	on, other := at("main", "env[3].value", `env[3] is "on"`), at("other", "env[3].value", `env[3] is "auto"`)
	for name, test := range map[string]struct {
		base, head     []report.Finding
		alike, exactly []bool // of the head's
	}{
		"the same":          {[]report.Finding{three}, []report.Finding{three}, []bool{true}, []bool{true}},
		"at another place":  {[]report.Finding{three}, []report.Finding{four}, []bool{true}, []bool{true}},
		"another value":     {[]report.Finding{three}, []report.Finding{on}, []bool{true}, []bool{false}},
		"another container": {[]report.Finding{three}, []report.Finding{other}, []bool{false}, []bool{false}},
		"one more":          {[]report.Finding{three}, []report.Finding{four, three}, []bool{false, true}, []bool{true, false}},
		"nothing":           {nil, []report.Finding{three}, []bool{false}, []bool{false}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, match := range []struct {
				of   func(base, head []report.Finding) map[*report.Finding]bool
				want []bool
			}{{Findings, test.alike}, {Exactly, test.exactly}} {
				found := match.of(test.base, test.head)
				var got []bool
				for i := range test.head {
					got = append(got, found[&test.head[i]])
				}
				if diff := cmp.Diff(match.want, got); diff != "" {
					t.Errorf("want (-), got (+):\n%s", diff)
				}
			}
		})
	}
}
