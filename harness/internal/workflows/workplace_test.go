package workflows

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// workplace is a folder in which repositories are made.
type workplace struct {
	t    *testing.T
	root string
}

// git runs git in a folder, without the configuration of who runs the test.
func (w workplace) git(dir string, args ...string) string {
	w.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+w.root, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit makes a repository of a folder, or commits what is new in it.
func (w workplace) commit(dir, branch string) string {
	w.t.Helper()
	w.git(dir, "init", "-q", "-b", branch)
	if head, err := os.ReadFile(filepath.Join(dir, ".git", "HEAD")); err == nil && strings.TrimSpace(string(head)) != "ref: refs/heads/"+branch {
		w.git(dir, "checkout", "-q", "-b", branch)
	}
	w.git(dir, "add", "-A")
	w.git(dir, "commit", "-q", "--allow-empty", "-m", branch)
	return w.git(dir, "rev-parse", "HEAD")
}

// built tells whether a file is needed to build the program, to run the workflows, or to
// judge the app of this repository.
func built(file string) bool {
	if strings.Contains(file, "/testdata/") || strings.HasSuffix(file, "_test.go") {
		return false
	}
	top, below, _ := strings.Cut(file, "/")
	switch top {
	case ".github", ".nevermigrate.yaml", ".pre-commit-hooks.yaml", "go.mod", "go.sum", "harness", "policy", "scripts":
		return true
	case "fixtures":
		return strings.HasPrefix(below, "argocd/") || strings.HasPrefix(below, "charts/agents/") || strings.HasSuffix(below, ".go")
	}
	return false
}

// snapshot copies what the work tree of this repository has that is built, committed or
// not.
func (w workplace) snapshot(to string) {
	w.t.Helper()
	root := stock.Root(w.t)
	for file := range strings.SplitSeq(strings.Trim(w.git(root, "ls-files", "-z", "-co", "--exclude-standard"), "\x00"), "\x00") {
		if built(file) {
			w.copyFile(root, to, file)
		}
	}
}

// builds is the folder with the program, when a test needed it.
var builds string

// build makes the program, once for all tests, with the flags that they are built with, so
// that they share packages.
var build = sync.OnceValues(func() (string, error) {
	var err error
	if builds, err = os.MkdirTemp("", "workflows-"); err != nil {
		return "", err
	}
	program := filepath.Join(builds, "nevermigrate")
	out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "../../cmd/nevermigrate").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build nevermigrate: %w: %s", err, out)
	}
	return program, nil
})

// program is the path of nevermigrate, which lies in a folder of its own.
func program(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain(m *testing.M) {
	status := m.Run()
	if builds != "" {
		os.RemoveAll(builds)
	}
	os.Exit(status)
}

// copyFile takes a file of this repository into a folder.
func (w workplace) copyFile(from, to, file string) {
	w.t.Helper()
	info, err := os.Lstat(filepath.Join(from, file))
	if os.IsNotExist(err) {
		return
	} else if err != nil {
		w.t.Fatal(err)
	}
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(filepath.Join(from, file))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(to, file)), 0o755)
		}
		if err == nil {
			err = os.Symlink(target, filepath.Join(to, file))
		}
		if err != nil {
			w.t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(filepath.Join(from, file))
	if err != nil {
		w.t.Fatal(err)
	}
	write(w.t, filepath.Join(to, file), string(text), info.Mode().Perm())
}
