// Package contributing follows the recipes of CONTRIBUTING.md with toys.
package contributing

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// root is the repository.
const root = "../../.."

// placeholders are what CONTRIBUTING.md calls the toys.
var placeholders = strings.NewReplacer("NNN", "099", "KIND", "toyset", "NAME", "toy")

// listed are the files that a section of CONTRIBUTING.md lists, one or more for
// each item.
func listed(t *testing.T, heading string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("CONTRIBUTING.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	item := regexp.MustCompile("(?m)^- `([^`]+)`(?: and `([^`]+)`)?")
	var files []string
	for _, match := range item.FindAllStringSubmatch(section, -1) {
		for _, file := range match[1:] {
			if file != "" {
				files = append(files, placeholders.Replace(file))
			}
		}
	}
	slices.Sort(files)
	return files
}

// touched are the files that a recipe edits or makes; those of a new folder count
// as the folder.
func (r recipe) touched() []string {
	files := map[string]bool{}
	for _, e := range r.edits {
		files[e.file] = true
	}
	for file := range r.files {
		if strings.HasPrefix(file, "fixtures/cases/") {
			file = filepath.Dir(file) + "/"
		}
		files[file] = true
	}
	for _, c := range r.copies {
		files[c.to] = true
	}
	return slices.Sorted(maps.Keys(files))
}

// TestRecipesNameTheirFiles: what a recipe touches is what CONTRIBUTING.md lists.
func TestRecipesNameTheirFiles(t *testing.T) {
	for _, r := range recipes {
		if diff := cmp.Diff(listed(t, r.heading), r.touched()); diff != "" {
			t.Errorf("%s (-CONTRIBUTING.md +touched):\n%s", r.heading, diff)
		}
	}
}

// TestRecipes does what the recipes say in a copy of the repository, runs the
// generator and the quick lane there, and uses what came of it.
func TestRecipes(t *testing.T) {
	if os.Getenv("NEVERMIGRATE_RECIPES") == "" {
		t.Skip("builds and tests a copy of the repository: scripts/recipes")
	}
	dir := copyOfRepository(t)
	for _, r := range recipes {
		if err := r.follow(dir); err != nil {
			t.Fatalf("%s: %v", r.heading, err)
		}
	}
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		// The quick lane is meant, whatever lane this test runs in; and the copy makes
		// no copy.
		cmd.Env = append(os.Environ(), "NEVERMIGRATE_TESTS=", "NEVERMIGRATE_RECIPES=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	run("scripts/generate", "--quick")
	run("go", "test", "-timeout", "30m", "./...")

	program := filepath.Join(dir, "nevermigrate")
	run("go", "build", "-o", program, "./harness/cmd/nevermigrate")
	for _, want := range []struct{ says, by string }{
		{"CNM099 (deny): The container is a toy", "explain CNM099"},
		{"--toy NAME", "template constraint --help"},
		{"ToySet", "template constraint --toy car"},
		{"toys: [car]", "template constraint --toy car"},
		{"toysets", "template admission-policy"},
		{"CNM099", "template admission-policy"},
		{"CNM099", "template chart-guard"},
		{"1 targets", "check -o toy fixtures/argocd/applications/agents"},
	} {
		if out := run(program, strings.Fields(want.by)...); !strings.Contains(out, want.says) {
			t.Errorf("nevermigrate %s does not say %q:\n%s", want.by, want.says, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "docs", "rules", "CNM099.md")); err != nil {
		t.Error(err)
	}
}

// copyOfRepository copies what git tracks or would, into a repository of its own.
func copyOfRepository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	git := func(in string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=toy", "-c", "user.email=toy@example.com"}, args...)...)
		cmd.Dir = in
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %s: %v", strings.Join(args, " "), err)
		}
		return string(out)
	}
	files := 0
	for file := range strings.SplitSeq(git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00") {
		info, err := os.Lstat(filepath.Join(root, file))
		if file == "" || err != nil {
			continue // it is deleted
		}
		if err := copyFile(filepath.Join(root, file), filepath.Join(dir, file), info); err != nil {
			t.Fatal(err)
		}
		files++
	}
	if files < 500 {
		t.Fatalf("only %d files were copied", files)
	}
	git(dir, "init", "-q")
	git(dir, "add", "-A")
	git(dir, "commit", "-q", "-m", "copy")
	return dir
}

func copyFile(from, to string, info os.FileInfo) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		link, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(link, to)
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode())
}

// follow does what a recipe says in a copy of the repository.
func (r recipe) follow(dir string) error {
	for _, e := range r.edits {
		file := filepath.Join(dir, e.file)
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if n := strings.Count(string(text), e.anchor); n != 1 {
			return fmt.Errorf("%s has %d places with %q, want one", e.file, n, e.anchor)
		}
		instead := e.instead
		if instead == "" {
			instead = e.anchor + e.after
		}
		changed := strings.Replace(string(text), e.anchor, instead, 1)
		if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
			return err
		}
	}
	for name, text := range r.files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, c := range r.copies {
		text, err := os.ReadFile(filepath.Join(dir, c.from))
		if err != nil {
			return err
		}
		made := strings.NewReplacer("argoproj.io/v1alpha1", "toys.example.com/v1alpha1", "Rollout", "ToySet").Replace(string(text))
		if err := os.WriteFile(filepath.Join(dir, c.to), []byte(made), 0o644); err != nil {
			return err
		}
	}
	return nil
}
