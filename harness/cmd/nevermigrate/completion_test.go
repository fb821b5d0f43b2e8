package main

import (
	"bytes"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/repository/repositorytest"
)

// TestCompleteRevision: HEAD, branches and tags are offered for --base, and no name that
// a shell would read as more than a name: who may push chooses names.
func TestCompleteRevision(t *testing.T) {
	r := repositorytest.New(t)
	r.WriteFiles("-- sub/a.txt --\na\n")
	hash := r.Commit("main")
	for _, name := range []plumbing.ReferenceName{
		"refs/heads/feature/one", "refs/remotes/origin/main", "refs/tags/v1.0.0", "refs/heads/größe",
		"refs/heads/$(touch${IFS}owned)", "refs/heads/`id`", "refs/heads/a;b", "refs/heads/-f", "refs/heads/a'b", "refs/heads/a\"b", "refs/heads/#a", "refs/heads/a|b", "refs/heads/a&b", "refs/heads/\u202eb",
	} {
		r.Must(r.Storage.SetReference(plumbing.NewHashReference(name, hash)))
	}
	for _, dir := range []string{r.Dir, r.Dir + "/sub"} {
		t.Chdir(dir)
		for _, args := range [][]string{{"diff", "--base", ""}, {"diff", "--base="}, {"diff", "apps", "--base", ""}} {
			var stdout, stderr bytes.Buffer
			if status := run(t.Context(), append([]string{"__complete"}, args...), nil, &stdout, &stderr); status != 0 {
				t.Fatalf("%v: exit status %d; %s", args, status, stderr.String())
			}
			want := `HEAD	what is checked out
feature/one	branch
größe	branch
main	branch
origin/main	branch of a remote
v1.0.0	tag
:36
`
			if diff := cmp.Diff(want, stdout.String()); diff != "" {
				t.Errorf("%s: %v (-want +got):\n%s", dir, args, diff)
			}
		}
	}
}
