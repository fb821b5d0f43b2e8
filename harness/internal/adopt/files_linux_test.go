package adopt

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	try := func(mode os.FileMode) string {
		if err := os.Chmod(inside, mode); err != nil {
			return err.Error()
		}
		go func() {
			runtime.LockOSThread()
			if os.Geteuid() == 0 {
				// It returns the user before, whatever happens.
				_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0)
			}
			if err := Write(inside, all); err != nil {
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
	got := []string{try(0o555), try(0o777)}
	want := []string{
		"write controllers-never-migrate.yaml: permission denied; nothing was written",
		"write .github/workflows/controllers-never-migrate.yml: permission denied; nothing was written",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{".github": "/", ".github/workflows": "/"}, written(t, inside)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
