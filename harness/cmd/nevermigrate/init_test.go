package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestVersionOf: only the revision of this program stands for its version.
func TestVersionOf(t *testing.T) {
	hash, other := strings.Repeat("a", 40), strings.Repeat("b", 40)
	for _, test := range []struct{ revision, programs, own, want string }{
		{hash, hash, "v0.1.0", "v0.1.0"},
		{other, hash, "v0.1.0", ""},
		{"v0.2.0", hash, "v0.1.0", ""},
		{"v0.1.0", "v0.1.0", "v0.1.0", ""},
		{hash, hash, "v0.1.1-0.20261128050000-0123456789ab", ""},
		{hash, hash, "(devel)", ""},
		{"", "", "(devel)", ""},
	} {
		if got := versionOf(test.revision, test.programs, test.own); got != test.want {
			t.Errorf("versionOf(%q, %q, %q) = %q, want %q", test.revision, test.programs, test.own, got, test.want)
		}
	}
}

// TestInitErrors: what scripts cannot give, a revision of two lines and a full disk. What
// could not be said of the files is an error also when they are written.
func TestInitErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a-controllers}\nspec: {containers: [{name: a, image: a, env: [{name: JANGAR_MIGRATIONS, value: skip}]}]}\n"
	if err := os.WriteFile("pod.yaml", []byte(pod), 0o644); err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer full.Close()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--revision", "a\nError: b"}, "Error: --revision a\\nError: b: give the whole hash of a commit, or a tag such as v0.1.0: others can be moved\nRun `nevermigrate init --help` for usage.\n"},
		{[]string{"--revision", "none", "--dry-run"}, "Error: write what would be written: write /dev/full: no space left on device\n"},
		{[]string{"--revision", "none"}, "Error: write what was written: write /dev/full: no space left on device\n"},
	} {
		var stderr bytes.Buffer
		if got := run(t.Context(), append([]string{"init"}, test.args...), nil, full, &stderr); got != 2 {
			t.Errorf("%q: exit status %d, want 2", test.args, got)
		}
		if diff := cmp.Diff(test.want, stderr.String()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.args, diff)
		}
	}
	if _, err := os.Stat(".nevermigrate.yaml"); err != nil {
		t.Errorf("the files are not written: %v", err)
	}
}
