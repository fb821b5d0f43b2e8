package cluster_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mechanism is a way to enforce constraints in the cluster.
type mechanism struct {
	name string
	// manifests are what a user applies for a constraint in a file.
	manifests func(t *testing.T, file string) string
	// audits: it looks at what is there already.
	audits bool
}

// run is the test of one mechanism on the cluster.
type run struct {
	*Cluster
	mechanism
	program string // nevermigrate
	table   *table

	applied  string
	sentinel int
}

// nevermigrate runs the program and returns what it prints.
func (r *run) nevermigrate(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), r.program, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("nevermigrate %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out)
}

// constraint writes what `nevermigrate template constraint` prints for flags,
// and returns the file.
func (r *run) constraint(t *testing.T, flags ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "constraint.yaml")
	text := r.nevermigrate(t, append([]string{"template", "constraint"}, flags...)...)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// enforce makes the cluster enforce the constraints in the files and no others.
// It returns when the cluster does.
func (r *run) enforce(t *testing.T, files ...string) {
	t.Helper()
	var all []string
	for _, file := range files {
		all = append(all, r.manifests(t, file))
	}
	manifests := strings.Join(all, "\n---\n")
	if r.applied != "" && r.applied != manifests {
		r.MustKubectl(r.applied, "delete", "-f", "-")
	}
	r.applied = manifests
	if manifests != "" {
		r.MustKubectl(manifests, "apply", "-f", "-")
	}
	r.settle(t)
}

// settle waits until what was applied and deleted before is in force. Both
// mechanisms take in changes one after the other: when a constraint that was
// changed last binds, those before it do.
func (r *run) settle(t *testing.T) {
	t.Helper()
	r.sentinel++
	name := fmt.Sprintf("sentinel-%d", r.sentinel)
	r.MustKubectl(r.manifests(t, r.constraint(t, "--name", "sentinel", "--controllers", name)), "apply", "-f", "-")
	probe := asYAML(deployment(name, name))
	r.Eventually("the sentinel binds", func(context.Context) (bool, error) {
		_, stderr, err := r.Kubectl(probe, "create", "--dry-run=server", "-f", "-")
		return err != nil && strings.Contains(stderr, "CNM001"), fmt.Errorf("kubectl: %w: %s", err, stderr)
	})
}

// outcome is what became of a request.
type outcome struct {
	refused bool
	by      string   // who refused it: "policy" or "API server"
	codes   []string // of the refusal, or of the warnings
	text    string
}

var code = regexp.MustCompile(`\bCNM\d{3}\b`)

// outcomeOf reads what a client is told: whether it failed, and the text.
func outcomeOf(failed bool, text string) outcome {
	o := outcome{refused: failed, text: text}
	o.codes = code.FindAllString(text, -1)
	slices.Sort(o.codes)
	o.codes = slices.Compact(o.codes)
	if failed {
		o.by = "API server"
		if strings.Contains(text, `admission webhook "validation.gatekeeper.sh" denied the request`) ||
			strings.Contains(text, "ValidatingAdmissionPolicy 'controllers-never-migrate") ||
			strings.Contains(text, "ValidatingAdmissionPolicy") && strings.Contains(text, "denied request") {
			o.by = "policy"
		}
	}
	return o
}

// String is the outcome as the table has it.
func (o outcome) String() string {
	codes := strings.Join(o.codes, " ")
	switch {
	case o.refused && o.by == "policy":
		return strings.TrimSpace("refused " + codes)
	case o.refused:
		return "refused by the API server itself"
	case len(o.codes) > 0:
		return "admitted, warning " + codes
	}
	return "admitted"
}

// try runs kubectl and holds what became of it against what should have.
func (r *run) try(t *testing.T, what, want, stdin string, args ...string) outcome {
	t.Helper()
	stdout, stderr, err := r.Kubectl(stdin, args...)
	o := outcomeOf(err != nil, stdout+stderr)
	r.record(t, what, want, o.String(), o.text)
	return o
}

// record puts a result into the table. It fails the test when it is another
// than it should be.
func (r *run) record(t *testing.T, what, want, got, text string) {
	t.Helper()
	r.table.set(what, r.name, got)
	if got != want {
		t.Errorf("%s: %s, want %s:\n%s", what, got, want, text)
	}
}
