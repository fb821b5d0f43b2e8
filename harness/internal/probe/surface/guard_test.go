package surface_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/chartguard"
	"github.com/proompteng/nevermigrate/harness/internal/probe/surface"
)

// TestForgedGuard: only where a chart guard itself judges, nothing is looked for.
// A file that looks like one hides nothing, nor does a template that uses those
// of a guard for something else.
func TestForgedGuard(t *testing.T) {
	printed, err := chartguard.Print(t.Context(), chartguard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	guard := string(printed)
	const object = `{{- define "controllersMigrationsGuard.object" -}}`
	for _, test := range []struct {
		name, guard, template string
		want                  []string
	}{
		{
			name:     "a guard",
			guard:    guard,
			template: `{{ include "controllersMigrationsGuard.annotations" . }}`,
			want:     []string{"controllersMigrationsGuard"},
		},
		{
			name:     "a template of a guard is changed",
			guard:    strings.Replace(guard, object, object+`{{ .hidden }}`, 1),
			template: `{{ include "controllersMigrationsGuard.object" (dict "hidden" .Values.hidden) }}`,
			// In templates that call themselves not all can be told apart, so the
			// values as a whole are taken for written.
			want: []string{"", "controllersMigrationsGuard", "hidden"},
		},
		{
			name:     "a template of a guard is used by another file",
			guard:    guard,
			template: `{{ $d := dict "from" .Values "path" (list "hidden") }}{{ include "controllersMigrationsGuard.at" $d }}{{ $d.value }}`,
			want:     []string{"controllersMigrationsGuard", "hidden", "hidden.hidden"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := surface.Find(t.Context(), chartOf(t, map[string]string{
				"templates/guard.yaml":                  test.guard,
				"templates/deployment-controllers.yaml": test.template,
			}))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, place := range s.Places {
				got = append(got, strings.Join(place.Path, "."))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
		})
	}
}
