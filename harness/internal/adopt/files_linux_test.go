package adopt

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/config"
)

// TestReadOnlyFolder: nothing is written where nothing may be, and where a folder below
// may not be written to.
func TestReadOnlyFolder(t *testing.T) {
	top := t.TempDir()
	inside := filepath.Join(top, "repository")
	if err := os.MkdirAll(filepath.Join(inside, ".github", "workflows"), 0o755); err != nil {
		t.Fatal(err)
	}
	// Who is root may write everywhere: this thread looks at files as somebody else, and
	// is thrown away after it.
	done := make(chan string)
	try := func(mode os.FileMode, files []File) string {
		if err := os.Chmod(inside, mode); err != nil {
			return err.Error()
		}
		go func() {
			runtime.LockOSThread()
			if os.Geteuid() == 0 {
				// It returns the user before, whatever happens.
				_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0)
			}
			if err := Write(inside, files); err != nil {
				done <- err.Error()
				return
			}
			done <- "it was written"
		}()
		return <-done
	}
	for dir := top; dir != filepath.Dir(os.TempDir()) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(inside, ".github", "workflows"), 0o555); err != nil {
		t.Fatal(err)
	}
	got := []string{try(0o555, all), try(0o555, []File{{Path: "new/x", Text: "a"}}), try(0o777, all)}
	want := []string{
		"write controllers-never-migrate.yaml: permission denied; nothing was written",
		"write new/x: permission denied; nothing was written",
		"write .github/workflows/controllers-never-migrate.yml: permission denied; nothing was written",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{".github": "/", ".github/workflows": "/"}, written(t, inside)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestModes: everybody may read the files and only the owner may write them, as far as
// the mask of the user allows it.
func TestModes(t *testing.T) {
	top := t.TempDir()
	before := syscall.Umask(0)
	err := Write(top, all)
	syscall.Umask(before)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]os.FileMode{}
	for _, name := range []string{config.Name, ConstraintFile, ".github", ".github/workflows", WorkflowFile, HookFile} {
		info, err := os.Lstat(filepath.Join(top, name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = info.Mode()
	}
	want := map[string]os.FileMode{
		config.Name: 0o644, ConstraintFile: 0o644, ".github": os.ModeDir | 0o755, ".github/workflows": os.ModeDir | 0o755, WorkflowFile: 0o644, HookFile: 0o644,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
}

// TestHalfWritten: a file that cannot be written to its end is taken back with the others.
func TestHalfWritten(t *testing.T) {
	top := t.TempDir()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	err := Write(top, []File{{Path: "a/b", Text: "1"}, {Path: "a/c", Text: "12"}, {Path: "d", Text: "3"}})
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if want := "write a/c: file too large; nothing was written"; err == nil || err.Error() != want {
		t.Errorf("got the error %v, want %s", err, want)
	}
	if diff := cmp.Diff(map[string]string{}, written(t, top)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestLeft: what cannot be taken back is named. Somebody writes into a folder as soon as
// it is there; who is too late for that tries again.
func TestLeft(t *testing.T) {
	files := []File{{Path: "a/b/c", Text: "1"}}
	for i := range 500 {
		files = append(files, File{Path: fmt.Sprint(i), Text: "1"})
	}
	files = append(files, File{Path: "there", Text: "1"})
	for range 100 {
		top := t.TempDir()
		lay(t, top, map[string]string{"there": "mine"})
		stop, done := make(chan bool), make(chan bool)
		go func() {
			defer close(done)
			for os.WriteFile(filepath.Join(top, "a/b/theirs"), nil, 0o644) != nil {
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
		err := Write(top, files)
		close(stop)
		<-done
		if _, missed := os.Lstat(filepath.Join(top, "a")); missed != nil {
			continue
		}
		const want = "write there: file exists; nothing was written, but a/b is left: directory not empty, but a is left: directory not empty"
		if err == nil || err.Error() != want {
			t.Errorf("got the error %v, want %s", err, want)
		}
		if diff := cmp.Diff(map[string]string{"there": "mine", "a": "/", "a/b": "/", "a/b/theirs": ""}, written(t, top)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		return
	}
	t.Error("nobody was in time, a hundred times")
}
