package appset

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
)

// TestPathspec: patterns of files as git takes them.
func TestPathspec(t *testing.T) {
	for _, test := range []struct {
		pattern, file string
		want          bool
	}{
		{"a/b.yaml", "a/b.yaml", true},
		{"a", "a/b.yaml", true},
		{"a/", "a/b.yaml", true},
		{"a/b", "a/b.yaml", false},
		{"*.yaml", "a/b.yaml", true},
		{"a/*", "a/b/c", true},
		{"a/?/c", "a/b/c", true},
		{"a?b", "a/b", true},
		{"a/**/c", "a/c", false},
		{"[a-c]/[!x]", "b/y", true},
		{"[a-c]/[!x]", "b/x", false},
		{"[[:digit:]]", "7", true},
		{"[[:nosuch:]]", "7", false},
		{"[]-a]", "]", true},
		{`\*`, "*", true},
		{`a\`, "a", false},
		{".", "a", true},
		{"./a/../b", "b", true},
		{"b/.", "b/c", true},
		{"[", "[", true},
		{"[a", "a", false},
	} {
		spec, err := newPathspec(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
		}
		if got := spec.matches(test.file); got != test.want {
			t.Errorf("%q matches %q: %t", test.pattern, test.file, got)
		}
	}
	for _, pattern := range []string{"..", "a/../../b", "/a", ":(glob)a"} {
		if _, err := newPathspec(pattern); err == nil {
			t.Errorf("%q is a pattern", pattern)
		}
	}
}

// TestPathspecIsGits: random patterns match what git ls-files lists.
func TestPathspecIsGits(t *testing.T) {
	lane.Full(t)
	dir := t.TempDir()
	git := func(arguments ...string) (string, error) {
		command := exec.Command("git", arguments...)
		command.Dir = dir
		out, err := command.Output()
		return string(out), err
	}
	files := []string{"a", "b/a", "b/ab", "b/c/a-b", "]", "[a]", "-", "*x", "ab/.a/b", "b/c/d/[", `b\a`, "a b", "B/A1", "é/a"}
	for _, file := range files {
		name := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, arguments := range [][]string{{"init", "-q"}, {"add", "-A"}} {
		if _, err := git(arguments...); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "b", "c", "/", "*", "**", "?", "[", "]", "-", "!", "^", `\`, "[:alpha:]", "[[:upper:]]", ".", "..", "é", "[a-c]", "[!a]", "[]a]"}
	compared := 0
	for range 3000 {
		var pattern strings.Builder
		for range 1 + random.IntN(6) {
			pattern.WriteString(parts[random.IntN(len(parts))])
		}
		said, gitErr := git("ls-files", "--full-name", "-z", "--", pattern.String())
		want := strings.Split(strings.TrimSuffix(said, "\x00"), "\x00")
		spec, err := newPathspec(pattern.String())
		if (err != nil) != (gitErr != nil) {
			t.Errorf("%q: git says %v, here it is %v", pattern.String(), gitErr, err)
			continue
		}
		if err != nil {
			continue
		}
		got := slices.DeleteFunc(slices.Sorted(slices.Values(files)), func(file string) bool { return !spec.matches(file) })
		if said == "" {
			want = nil
		}
		slices.Sort(want)
		if compared++; !slices.Equal(got, want) {
			t.Errorf("%q: git lists %q, here it is %q", pattern.String(), want, got)
		}
	}
	t.Logf("compared %d patterns with git", compared)
	if compared < 1500 {
		t.Error("too few patterns")
	}
}
