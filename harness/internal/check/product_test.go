package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/argocd"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// TestProduct: the fixture is judged as its ApplicationSet deploys it. As it is the
// contract holds; with one line changed it does not, and the line is named.
func TestProduct(t *testing.T) {
	const set = "argocd/applicationsets/product.yaml"
	text, err := os.ReadFile("../../../fixtures/" + set)
	if err != nil {
		t.Fatal(err)
	}
	agents := "argocd/applications/agents (Application %s, from " + set + ")"
	preview := "charts/agents (Application agents-preview, from " + set + ")"
	for i, test := range []struct {
		name, old, changed string
		// what fails or cannot be decided, and where that comes from: the first cause and
		// the fix, or, of what cannot be decided, the end of the chain and the error.
		target string
		want   []string
	}{
		{name: "as it is"},
		{
			"a Helm parameter, by an element", "migrations: skip", "migrations: auto", preview,
			[]string{"CNM002", set + ":22 spec.generators[0].matrix.generators[1].list.elements[2].migrations", set + `:22 set spec.generators[0].matrix.generators[1].list.elements[2].migrations to "skip"`},
		},
		{
			"a Helm parameter, in the patch", "              value: {{ . | quote }}\n      {{- end }}\n      {{- with index . \"patch\"", "              value: auto\n      {{- end }}\n      {{- with index . \"patch\"", preview,
			[]string{"CNM002", set + ":81 spec.templatePatch.spec.source.helm.parameters[0].value", set + `:81 set spec.templatePatch.spec.source.helm.parameters[0].value to "skip"`},
		},
		{
			"a patch, by an element", "patch: skip", "patch: on", fmt.Sprintf(agents, "agents-canary"),
			[]string{"CNM002", set + ":23 spec.generators[0].matrix.generators[1].list.elements[3].patch", set + `:23 set spec.generators[0].matrix.generators[1].list.elements[3].patch to "skip"`},
		},
		{
			"a patch that clears", "                            - name: JANGAR_MIGRATIONS\n                              value: {{ . | quote }}", "                            - name: JANGAR_MIGRATIONS\n                              $patch: delete", fmt.Sprintf(agents, "agents-canary"),
			[]string{"CNM001", set + ":99 spec.templatePatch.spec.source.kustomize.patches[0].patch.spec.template.spec.containers[0].env[0]", set + `:99 remove spec.templatePatch.spec.source.kustomize.patches[0].patch.spec.template.spec.containers[0].env[0] and leave spec.templatePatch.spec.source.kustomize.patches[0].patch.spec.template.spec.containers[0].env: []`},
		},
		{
			"a path", "agents-preview, path: charts/agents", "agents-preview, path: charts/agent", "charts/agent (Application agents-preview, from " + set + ")",
			[]string{set + ":22 spec.generators[0].matrix.generators[1].list.elements[2]", "Application agents-preview: spec.source.path: charts/agent does not exist; correct it"},
		},
		{
			"a second source", "      {{- with index . \"migrations\" }}\n      source:\n", "      {{- with index . \"migrations\" }}\n      sources: [{repoURL: https://github.com/example/platform.git, path: charts/agents, helm: {parameters: [{name: controllers.env.vars.JANGAR_MIGRATIONS, value: auto}]}}]\n      source:\n", preview,
			[]string{"CNM002", set + ":77 spec.templatePatch.spec.sources[0].helm.parameters[0].value", set + `:77 set spec.templatePatch.spec.sources[0].helm.parameters[0].value to "skip"`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if i > 1 {
				lane.Full(t)
			}
			top := render.RealPath(t.TempDir())
			if err := os.CopyFS(top, os.DirFS("../../../fixtures")); err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(text), test.old) < 1 {
				t.Fatalf("%q is not in %s", test.old, set)
			}
			changed := strings.Replace(string(text), test.old, test.changed, 1)
			if err := os.WriteFile(filepath.Join(top, set), []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Chdir(top)
			r, err := check.All(t.Context(), []string{"argocd"}, check.Options{
				Render: render.Options{Root: top, KubeVersion: "1.35.0"},
				ArgoCD: func() (*argocd.Instance, error) {
					return &argocd.Instance{
						URLs: []string{"https://github.com/example/platform"}, Revisions: []string{"main"},
						Plugins: map[string]string{"lovely": source.KustomizeEnableHelm}, Settings: "argocd/argocd-cm.yaml",
					}, nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, judged := range r.Coverage.Judged {
				if find.Kind(judged.Kind) != find.Application {
					t.Errorf("%s is judged by itself", judged.Path)
				}
			}
			if got := len(r.Targets); got != 18 {
				t.Errorf("%d targets, want the 18 of 20 elements that are enabled", got)
			}
			got := map[string][]string{}
			for _, target := range r.Targets {
				last := target.Chain[len(target.Chain)-1]
				switch target.Status {
				case report.Error:
					got[target.Path] = []string{fmt.Sprintf("%s:%d %s", last.File, last.Line, last.Path), target.Error}
				case report.Fail:
					f := target.Findings[0]
					got[target.Path] = []string{f.Code, "no cause", "no fix"}
					if len(f.Causes) > 0 {
						got[target.Path][1] = fmt.Sprintf("%s:%d %s", f.Causes[0].File, f.Causes[0].Line, f.Causes[0].Path)
					}
					if f.Fix != nil && f.Fix.Verified {
						got[target.Path][2] = fmt.Sprintf("%s:%d %s", f.Fix.File, f.Fix.Line, f.Fix.Change)
					}
				}
			}
			want := map[string][]string{}
			if test.target != "" {
				want[test.target] = test.want
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
