package repository

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/repository/repositorytest"
)

// TestWrite: whatever the number of workers, the same files are written and left out, and
// the error is that of the first file that has one.
func TestWrite(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	repositorytest.Git(t, dir, "init", "-q", ".")
	for i := range 5 * perWorker {
		file := filepath.Join(dir, fmt.Sprintf("folder-%02d", i/20), fmt.Sprintf("file-%03d", i))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		switch i % 50 {
		case 7:
			err = os.Symlink("../../outside", file)
		case 8:
			err = os.Symlink(fmt.Sprintf("file-%03d", i-2), file)
		case 9:
			err = os.WriteFile(file, []byte("run"), 0o755)
		case 10:
			err = os.WriteFile(file, []byte(strings.Repeat("large ", 100)), 0o644)
		default:
			err = os.WriteFile(file, fmt.Appendf(nil, "text %d", i), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	repositorytest.Git(t, dir, "add", "-A")
	repositorytest.Git(t, dir, "commit", "-q", "-m", "test")

	write := func(workers int, maxTree int64) (files map[string]string, leftOut []string, err error) {
		t.Helper()
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(workers))
		repository := open(t, dir)
		commit, err := repository.Resolve("HEAD")
		if err != nil {
			t.Fatal(err)
		}
		folder := t.TempDir()
		leftOut, err = repository.Write(t.Context(), commit, folder, 100, maxTree)
		files = map[string]string{}
		found, globErr := filepath.Glob(filepath.Join(folder, "*", "*"))
		if globErr != nil {
			t.Fatal(globErr)
		}
		for _, file := range found {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, _ := filepath.Rel(folder, file)
			files[name] = fmt.Sprintf("%s %s", info.Mode(), text)
		}
		return files, leftOut, err
	}
	one, leftOutOfOne, err := write(1, MaxTreeBytes)
	if err != nil {
		t.Fatal(err)
	}
	if len(one) != 480 || len(leftOutOfOne) != 20 {
		t.Fatalf("%d files and %d left out, want 480 and 20", len(one), len(leftOutOfOne))
	}
	many, leftOut, err := write(4, MaxTreeBytes)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(one, many); diff != "" {
		t.Errorf("files (-one worker +several):\n%s", diff)
	}
	if diff := cmp.Diff(leftOutOfOne, leftOut); diff != "" {
		t.Errorf("left out (-one worker +several):\n%s", diff)
	}

	if _, _, err := write(4, 1000); err == nil || err.Error() != "more than 0 MiB of files" {
		t.Errorf("a tree that is too large: %v", err)
	}

	for _, name := range []string{"folder-04/file-095", "folder-20/file-401"} {
		hash := repositorytest.Git(t, dir, "rev-parse", "HEAD:"+name)
		if err := os.Remove(filepath.Join(dir, ".git", "objects", hash[:2], hash[2:])); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		if _, _, err := write(4, MaxTreeBytes); err == nil || !strings.HasPrefix(err.Error(), "folder-04/file-095 is not in this repository: ") {
			t.Errorf("without two files: %v", err)
		}
	}
}
