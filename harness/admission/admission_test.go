package admission_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/admission"
)

var update = flag.Bool("update", false, "write the file in policy/admission")

// TestCommittedFile compares what is committed with what is written now.
func TestCommittedFile(t *testing.T) {
	policy, err := admission.New(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := policy.YAML()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "..", "policy", "admission", "policy.yaml")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what is written now: run go test ./harness/admission -update (-committed +now):\n%s", file, diff)
	}
}
