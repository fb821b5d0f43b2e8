package cause

import (
	"os"
	"strings"
	"testing"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/report"
)

// FuzzPlaces requires of any text: its places can be found again and changed,
// the changed text is YAML that holds what was set, and no key twice, and a path
// leads to one place or to none.
func FuzzPlaces(f *testing.F) {
	cases, err := fixtures.Cases("../../../fixtures/cases")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range cases {
		for _, name := range []string{"values.yaml", "kustomization.yaml", c.Manifest} {
			if text, err := os.ReadFile(c.Dir + "/" + name); err == nil && name != "" {
				f.Add(text, "spec.template.spec.containers[0].env[3].value")
			}
		}
	}
	f.Add([]byte("a: &a [1, {b: c}]\nd: *a\n? {e: f}\n: g\n\"x.y\": |\n  z\n"), "items[1].a.b[2][3]")
	f.Fuzz(func(t *testing.T, text []byte, path string) {
		if objects, err := manifest.Read(text); err == nil {
			read := NewManifest("f.yaml", text, objects, nil)
			for of := range read.objects {
				finding := &report.Finding{Workload: of.workload, Namespace: of.namespace, Path: path}
				if read.Find(t.Context(), nil, finding) == nil && !strings.HasPrefix(path, finding.Causes[0].Path) {
					t.Errorf("the path %q leads to %q", path, finding.Causes[0].Path)
				}
			}
		}
		budget := 200
		s := &source{file: "f.yaml", shown: "f.yaml", text: text, layer: report.KustomizationLayer, kustomization: true}
		s.read(&budget)
		isBroken := manifest.Fault(text, true) != nil
		for i, p := range s.places {
			if p.parent != nil && !p.under(p.parent) || p.line < 0 {
				t.Errorf("the place %s stands nowhere", p.path)
			}
			if i > 12 && i%8 > 0 {
				continue
			}
			changes := []edit{set(p, "fuzzed"), remove(p), add(p, []string{"fuzzed", "too"}, stringNode("x")), add(p, nil, entryNode("a", "b"))}
			if p.parent != nil && p.parent.node.Kind == yaml.MappingNode {
				changes = append(changes, rename(p, "fuzzed"))
			}
			for _, change := range changes {
				files, written, err := overlay([]edit{change})
				if err != nil {
					continue // two members of the same name, or a whole document
				}
				if _, err := manifest.Nodes(files["f.yaml"]); err != nil {
					t.Errorf("with a change at %s it is no YAML: %v\n%s", p.path, err, files["f.yaml"])
				}
				if written && !isBroken {
					if err := manifest.Fault(files["f.yaml"], true); err != nil && strings.Contains(err.Error(), "twice") {
						t.Errorf("with a change at %s: %v\n%s", p.path, err, files["f.yaml"])
					}
				}
			}
		}
	})
}
