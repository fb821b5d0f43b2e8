package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/proompteng/nevermigrate/harness/internal/startcases"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// engine runs containers with podman and runc, which keep what they have in a folder
// of the test.
type engine struct{ global []string }

// newEngine skips the test where there is no podman.
func newEngine(t *testing.T) engine {
	t.Helper()
	if _, err := exec.LookPath("podman"); err != nil {
		t.Skip("no container runs: there is no podman here; install Debian's podman and runc, as .ci/run does")
	}
	folder := t.TempDir()
	e := engine{[]string{
		"--root", filepath.Join(folder, "root"), "--runroot", filepath.Join(folder, "run"), "--storage-driver", "vfs",
		"--runtime", "runc", "--cgroup-manager", "cgroupfs", "--log-level", "error",
	}}
	t.Cleanup(func() {
		if out, err := e.command("system", "reset", "--force").CombinedOutput(); err != nil {
			t.Errorf("podman system reset: %v\n%s", err, out)
		}
	})
	return e
}

func (e engine) command(args ...string) *exec.Cmd {
	return exec.Command("podman", append(e.global[:len(e.global):len(e.global)], args...)...)
}

// load makes the image of a layout known to podman, and returns its identifier.
func (e engine) load(t *testing.T, folder, tag string) string {
	t.Helper()
	var stderr bytes.Buffer
	command := e.command("pull", "--quiet", "oci:"+filepath.Base(folder)+":"+tag)
	// podman calls the image by the path, in which it wants no capitals.
	command.Dir = filepath.Dir(folder)
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("podman pull: %v\n%s", err, &stderr)
	}
	return strings.TrimSpace(string(out))
}

// started is a container that was started.
type started struct {
	t              *testing.T
	command        *exec.Cmd
	stdout, stderr buffer
}

// buffer can be read while it is written.
type buffer struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (b *buffer) Write(text []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(text)
}

func (b *buffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}

// begin starts a container that can write nowhere and reach nobody. The arguments
// are more flags, the image and what follows it.
func (e engine) begin(t *testing.T, args ...string) *started {
	t.Helper()
	s := &started{t: t, command: e.command(append([]string{
		"run", "--rm", "--network", "none", "--read-only", "--read-only-tmpfs=false", "--cap-drop", "all", "--security-opt", "no-new-privileges",
		"--ulimit", "nofile=1000:1000", "--ulimit", "nproc=1000:1000",
	}, args...)...)}
	s.command.Stdout, s.command.Stderr = &s.stdout, &s.stderr
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *started) wait() startcases.Result {
	s.t.Helper()
	timer := time.AfterFunc(2*time.Minute, func() { _ = s.command.Process.Kill() })
	err := s.command.Wait()
	if !timer.Stop() {
		s.t.Fatalf("the container did not end:\n%s", &s.stderr)
	}
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		s.t.Fatal(err)
	}
	return startcases.Result{Status: s.command.ProcessState.ExitCode(), Stdout: s.stdout.String(), Stderr: s.stderr.String()}
}

// variables are the flags for an environment.
func variables(environ []string) []string {
	var flags []string
	for _, entry := range environ {
		flags = append(flags, "--env", entry)
	}
	return flags
}

// withCommand is the image of a service: that of the guard, with a command and what
// startcases needs below /cases, and the entry point that docs/start-up-guard-image.md
// gives it.
func withCommand(t *testing.T, guard v1.Image) v1.Image {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "command")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./testdata/command")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v\n%s", err, out)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	add := func(header tar.Header, text []byte) {
		header.Size, header.Uid, header.Gid = int64(len(text)), 65532, 65532
		if err := writer.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	add(tar.Header{Name: "command", Typeflag: tar.TypeReg, Mode: 0o555}, program)
	add(tar.Header{Name: "cases", Typeflag: tar.TypeDir, Mode: 0o755}, nil)
	for name, file := range startcases.Files {
		add(tar.Header{Name: "cases/" + name, Typeflag: tar.TypeReg, Mode: int64(file.Mode)}, []byte(file.Text))
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		t.Fatal(err)
	}
	service, err := mutate.AppendLayers(guard, layer)
	if err != nil {
		t.Fatal(err)
	}
	config, err := service.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.Config.Entrypoint, config.Config.Cmd = []string{"/migrations-guard", "--"}, []string{"/command", "exit", "5"}
	service, err = mutate.ConfigFile(service, config)
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// TestGuardInContainers starts the guard in each way in which it can be started.
func TestGuardInContainers(t *testing.T) {
	e := newEngine(t)
	folder := layoutOf(t, "migrations-guard", native)
	images, _ := read(t, folder)
	if len(images) != 1 {
		t.Fatalf("%d images", len(images))
	}
	serviceFolder := filepath.Join(t.TempDir(), "service")
	path, err := layout.Write(serviceFolder, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := path.AppendImage(withCommand(t, images[0]), layout.WithAnnotations(map[string]string{referenceName: "v0"})); err != nil {
		t.Fatal(err)
	}
	guard, service := e.load(t, folder, "v0"), e.load(t, serviceFolder, "v0")

	// What the guard calls its version depends on how this clone is stamped; the commit and
	// its time come below it, where they are known.
	version := e.begin(t, guard, "--version").wait()
	first, below, _ := strings.Cut(version.Stdout, "\n")
	stamp, known := strings.CutPrefix(first, "migrations-guard ")
	if diff := cmp.Diff(startcases.Result{Stdout: "migrations-guard " + stamp + "\n" + below}, version); diff != "" || !known {
		t.Fatalf("--version (-want +got):\n%s", diff)
	}
	stamped := func(result startcases.Result) startcases.Result {
		result.Stderr = strings.Replace(result.Stderr, startcases.Version, `"`+stamp+`"`, 1)
		return result
	}
	ran := 0
	compare := func(t *testing.T, want, got startcases.Result) {
		t.Helper()
		ran++
		if diff := cmp.Diff(stamped(want), got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	// runCase runs a case, with more flags before the image and arguments after it.
	runCase := func(t *testing.T, test startcases.Case, flags []string, image string, args ...string) {
		t.Helper()
		t.Run(test.Name, func(t *testing.T) {
			if test.ProcessOnly != "" {
				t.Skipf("not in a container: %s", test.ProcessOnly)
			}
			compare(t, test.Want, e.begin(t, append(append(append(variables(test.Environ), flags...), image), args...)...).wait())
		})
	}

	t.Run("a check, as an init container", func(t *testing.T) {
		for _, test := range startcases.Modes("", 0) {
			runCase(t, test, nil, guard)
		}
	})
	t.Run("a check, by the path that charts name", func(t *testing.T) {
		for _, test := range startcases.Modes("", 0)[:4] {
			runCase(t, test, []string{"--entrypoint", "/migrations-guard"}, guard)
		}
	})
	t.Run("an entry point", func(t *testing.T) {
		for _, test := range startcases.Modes("/command", 5) {
			runCase(t, test, nil, service)
		}
	})
	t.Run("an entry point, with another command", func(t *testing.T) {
		for _, test := range startcases.Modes("/command", 78)[:4] {
			runCase(t, test, nil, service, "/command", "exit", "78")
		}
	})
	t.Run("settings", func(t *testing.T) {
		for _, test := range startcases.Settings() {
			runCase(t, test, nil, guard, test.Args...)
		}
	})
	t.Run("commands that cannot start", func(t *testing.T) {
		for _, test := range startcases.CannotStart("/cases") {
			// The entry point of the service brings the dashes.
			runCase(t, test, nil, service, test.Args[1:]...)
		}
	})

	skip := []string{"--env", "JANGAR_MIGRATIONS=skip", "--hostname", "here"}
	t.Run("becomes the command", func(t *testing.T) {
		show := []string{"show", "a b", "--variable", "--"}
		want := e.begin(t, append(append(skip, "--entrypoint", "/command", service), show...)...).wait()
		// Number 1, and not root.
		if !strings.HasPrefix(want.Stdout, "1 65532 65532 [") || want.Status != 0 || want.Stderr != "" {
			t.Fatalf("without the guard: %+v", want)
		}
		want.Stderr = startcases.Line("command", `"/command"`)
		compare(t, want, e.begin(t, append(append(skip, service, "/command"), show...)...).wait())
	})
	started := startcases.Result{Stderr: startcases.Line("command", `"/command"`)}
	for name, test := range map[string]struct {
		mode, signal string
		status       int
		stdout       string
	}{
		"ended":         {"wait", "TERM", 9, "ready\nbye\n"},
		"interrupted":   {"wait", "INT", 7, "ready\ninterrupted\n"},
		"reloaded":      {"wait", "USR1", 0, "ready\nreload\n"},
		"killed":        {"ignore", "KILL", 137, "ready\n"},
		"stopped":       {"wait", "", 9, "ready\nbye\n"},
		"does not stop": {"ignore", "", 137, "ready\n"},
	} {
		t.Run("signals: "+name, func(t *testing.T) {
			container := "nevermigrate-" + strings.ReplaceAll(name, " ", "-")
			s := e.begin(t, append(skip, "--name", container, service, "/command", test.mode)...)
			for deadline := time.Now().Add(time.Minute); s.stdout.String() != "ready\n"; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) || !strings.HasPrefix(stamped(started).Stderr, s.stderr.String()) {
					_ = s.command.Process.Kill()
					t.Fatalf("the command did not start:\n%s", &s.stderr)
				}
			}
			order := []string{"kill", "--signal", test.signal, container}
			if test.signal == "" {
				order = []string{"stop", "--time", "1", container}
			}
			if out, err := e.command(order...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", order, err, out)
			}
			compare(t, startcases.Result{Status: test.status, Stdout: test.stdout, Stderr: started.Stderr}, s.wait())
		})
	}
	t.Logf("ran %d containers", ran)
	if ran < 70 {
		t.Error("cases are missing")
	}
}

// TestCheckInContainer: in its image nevermigrate says what it says outside, about a
// repository that it can only read.
func TestCheckInContainer(t *testing.T) {
	e := newEngine(t)
	folder := layoutOf(t, "nevermigrate", native)
	images, _ := read(t, folder)
	binary, err := file(images[0], "/ko-app/nevermigrate")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "nevermigrate")
	if err := os.WriteFile(program, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	// The user in the container must be able to read it.
	repository := t.TempDir()
	if err := os.CopyFS(filepath.Join(repository, "fixtures"), os.DirFS(filepath.Join(stock.Root(t), "fixtures"))); err != nil {
		t.Fatal(err)
	}
	id := e.load(t, folder, "v0")
	// run runs it with more flags of podman before the image.
	run := func(t *testing.T, args []string, flags ...string) startcases.Result {
		t.Helper()
		return e.begin(t, append(append([]string{"--volume", repository + ":/work:ro", "--workdir", "/work"}, append(flags, id)...), args...)...).wait()
	}
	for name, test := range map[string]struct {
		status int
		args   []string
	}{
		"holds":             {0, []string{"check", "fixtures/argocd/applications/agents"}},
		"holds, as JSON":    {0, []string{"check", "-o", "json", "fixtures/argocd/applications/agents"}},
		"broken":            {1, []string{"check", "--set", "controllersMigrationsGuard=off", "--set", "controllers.env.vars.JANGAR_MIGRATIONS=auto", "fixtures/charts/agents"}},
		"cannot be decided": {2, []string{"check", "fixtures/nowhere"}},
		"version":           {0, []string{"version"}},
	} {
		t.Run(name, func(t *testing.T) {
			outside := exec.Command(program, test.args...)
			outside.Dir = repository
			outside.Env = []string{"PATH=/ko-app"}
			var stdout, stderr bytes.Buffer
			outside.Stdout, outside.Stderr = &stdout, &stderr
			if err := outside.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
				t.Fatal(err)
			}
			want := startcases.Result{Status: outside.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
			if want.Status != test.status {
				t.Fatalf("outside: %+v", want)
			}
			if diff := cmp.Diff(want, run(t, test.args, "--tmpfs", "/tmp")); diff != "" {
				t.Errorf("-outside +in the image:\n%s", diff)
			}
		})
	}
	t.Run("nowhere to write", func(t *testing.T) {
		got := run(t, []string{"check", "fixtures/argocd/applications/agents"})
		got.Stderr = regexp.MustCompile(`[0-9]+: `).ReplaceAllString(got.Stderr, "N: ")
		want := startcases.Result{Status: 2, Stderr: "Error: make folder for the policy: mkdir /tmp/nevermigrate-policy-N: read-only file system\n"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}
