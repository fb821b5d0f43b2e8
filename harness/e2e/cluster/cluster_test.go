// Package cluster_test proves on a real API server that what the gate lets pass
// is admitted and what it denies is refused, by Gatekeeper and by a
// ValidatingAdmissionPolicy.
package cluster_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

var tableFile = flag.String("table", "", "write the table of what was admitted and refused to this `file`")

func TestCluster(t *testing.T) {
	root := stock.Root(t)
	program := filepath.Join(t.TempDir(), "nevermigrate")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./harness/cmd/nevermigrate")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build nevermigrate: %v\n%s", err, out)
	}
	// Judged once, for both mechanisms.
	cases := sync.OnceValue(func() []judgedCase { return judgeCases(t, root) })

	c := Start(t)
	c.MustKubectl("", "apply", "-f", "testdata/crds.yaml")
	c.MustKubectl("", "create", "namespace", scenarios)
	results := &table{}
	t.Cleanup(func() { publish(t, results) })

	t.Run("Gatekeeper", func(t *testing.T) {
		c := c.In(t)
		r := &run{Cluster: c, program: program, table: results, mechanism: mechanism{
			name:   "GATEKEEPER",
			audits: true,
			// The constraint is what Gatekeeper takes.
			manifests: func(t *testing.T, file string) string {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				return string(text)
			},
		}}
		c.StartGatekeeper()
		c.MustKubectl(r.nevermigrate(t, "template", "gatekeeper"), "apply", "-f", "-")
		c.MustKubectl("", "wait", "--for=jsonpath={.status.created}=true", "--timeout=180s", "constrainttemplate", "--all")
		c.MustKubectl("", "wait", "--for=create", "--timeout=180s", "crd/controllersnevermigrate.constraints.gatekeeper.sh")
		c.MustKubectl("", "wait", "--for=condition=Established", "--timeout=180s", "crd", "--all")
		r.everything(t, root, cases)
	})
	t.Run("ValidatingAdmissionPolicy", func(t *testing.T) {
		r := &run{Cluster: c.In(t), program: program, table: results}
		r.mechanism = mechanism{
			name: "VALIDATINGADMISSIONPOLICY",
			manifests: func(t *testing.T, file string) string {
				return r.nevermigrate(t, "template", "admission-policy", "--constraint", file)
			},
		}
		r.everything(t, root, cases)
	})
}

// everything is the list of what is tried, the same for both mechanisms.
func (r *run) everything(t *testing.T, root string, cases func() []judgedCase) {
	steps := []struct {
		name string
		run  func(*testing.T)
	}{
		{"the fixture app", func(t *testing.T) {
			r.fixtureApp(t, filepath.Join(root, "fixtures", "argocd", "applications", "agents"))
		}},
		{"new workloads", r.newWorkloads},
		{"updates", r.updates},
		{"ephemeral containers", r.ephemeral},
		{"an exempt image", r.exemptImage},
		{"warn and dryrun", r.softer},
		{"workloads of before", r.older},
		{"deletions", r.deletions},
		{"fixture cases", func(t *testing.T) { r.fixtureCases(t, cases()) }},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			whole := r.Cluster
			defer func() { r.Cluster = whole }()
			r.Cluster = whole.In(t)
			r.enforce(t, r.constraint(t))
			step.run(t)
			r.MustKubectl("", "--namespace", scenarios, "delete", "deployments,pods", "--all", "--wait=false")
		})
	}
	r.enforce(t)
}

func publish(t *testing.T, results *table) {
	var text strings.Builder
	if err := results.write(&text); err != nil {
		t.Error(err)
	}
	t.Logf("what was admitted and refused:\n%s", &text)
	if *tableFile != "" {
		if err := os.WriteFile(*tableFile, []byte(text.String()), 0o600); err != nil {
			t.Error(err)
		}
	}
}
