package admission_test

import (
	"path/filepath"
	"testing"

	"k8s.io/apiserver/pkg/admission"

	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
)

// stricter are the manifests in which CEL denies more than Rego, each with the
// reason. To be stricter is allowed, to be laxer never.
var stricter = map[string]string{
	"clears-su-login-but-the-variable":          "what su is told to keep is not read",
	"clears-sudo-keeps-the-variable":            "what sudo is told to keep is not read",
	"reads-beside-a-variable-of-another-option": "what variables hold is not read as a script is",
	"expansion-nested-too-early":                "a reference in a value is followed to later entries too",
}

// TestManifests compares each manifest of a kind that the API server has.
func TestManifests(t *testing.T) {
	manifests, err := fixtures.Manifests(filepath.Join("..", "..", "..", "..", "fixtures", "manifests"))
	if err != nil {
		t.Fatal(err)
	}
	both := newEnforcers(t, nil)
	var y tally
	for _, m := range manifests {
		for _, object := range requests(m.Object, nil, nil) {
			want := both.findings(t, object)
			refusal := both.cel.review(t, request{operation: admission.Create, object: asUnstructured(object)}.attributes(t))
			got := findingsOf(refusal)
			y.count("manifests compared", 1)
			if len(want) > 0 {
				y.count("manifests denied", 1)
			}
			_, agree := compareFindings(want, got)
			_, known := stricter[m.Name]
			switch {
			case agree && (refusal != nil) == (len(want) > 0):
				if known {
					t.Errorf("%s: CEL is not stricter", m.Name)
				}
			case known && refusal != nil && len(got) > len(want):
				y.count("manifests in which CEL is stricter", 1)
			default:
				t.Errorf("%s %s: Rego finds %+v, the API server %+v: %.300v", m.File, m.Name, want, got, refusal)
			}
		}
	}
	y.report(t, map[string]int{"manifests compared": 450, "manifests denied": 180})
}
