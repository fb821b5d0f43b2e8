//go:build unix

package starts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/mode"
)

const (
	// patience is how long a command may take.
	patience = 10 * time.Second
	// fewestRuns is the number of commands below which a machine lacks so much
	// that this test says little.
	fewestRuns = 60
	// seen is the file, beside the container's folders, in which the service notes
	// what it sees.
	seen = "seen"
)

// TestStarts runs the commands, and holds what the service sees against what the
// manifest says that it sees.
func TestStarts(t *testing.T) {
	manifests, err := fixtures.Manifests(folder)
	if err != nil {
		t.Fatal(err)
	}
	var runs []fixtures.Manifest
	for _, m := range manifests {
		switch missing := missing(m); {
		case !m.Runs:
		case len(missing) > 0:
			t.Logf("%s %s: not run, this machine lacks %s", m.File, m.Name, strings.Join(missing, ", "))
		default:
			runs = append(runs, m)
		}
	}
	t.Logf("%d of %d manifests run", len(runs), len(manifests))
	if len(runs) < fewestRuns {
		t.Errorf("only %d commands can be run here, and it takes at least %d", len(runs), fewestRuns)
	}

	// All is written before anything starts: a process that is made while a file
	// is being written would hold it, and nobody could run the file.
	images := t.TempDir()
	for _, m := range runs {
		lay(t, filepath.Join(images, m.Name), m)
	}
	t.Run("runs", func(t *testing.T) {
		slots := make(chan struct{}, runtime.GOMAXPROCS(0))
		for _, m := range runs {
			t.Run(m.Name, func(t *testing.T) {
				t.Parallel()
				slots <- struct{}{}
				defer func() { <-slots }()
				run(t, filepath.Join(images, m.Name), m)
			})
		}
	})
}

// missing are the programs that a manifest needs and the machine lacks.
func missing(m fixtures.Manifest) []string {
	return slices.DeleteFunc(slices.Clone(m.Needs), func(program string) bool {
		if program == "root" {
			return os.Geteuid() == 0
		}
		_, err := exec.LookPath(program)
		return err == nil
	})
}

// run runs a command in the folder that was written for it.
func run(t *testing.T, root string, m fixtures.Manifest) {
	t.Helper()
	container := moved(root, containerOf(m)).(map[string]any)
	environment := environmentOf(t, container, m.Given)
	var words []string
	for _, word := range slices.Concat(list(container, "command"), list(container, "args")) {
		words = append(words, expand(t, word.(string), environment))
	}

	output, err := start(t, root, words, environment)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Errorf("%s: %v", m.File, err)
	}
	if got, values := starts(t, filepath.Join(root, seen)); got != m.Starts {
		t.Errorf("%s: want %s got %s: the service saw %q; %v\n%s", m.File, m.Starts, got, values, err, output)
	}
}

// lay writes the image and what is mounted: the service at /app/service and in
// /app/server.js, a program node for those who do not test node itself, and the
// files of the manifest.
func lay(t *testing.T, root string, m fixtures.Manifest) {
	t.Helper()
	const shell = `#!/bin/sh
if [ -n "${JANGAR_MIGRATIONS+set}" ]; then
  printf '=%%s\0' "$JANGAR_MIGRATIONS" >> '%s'
else
  printf 'unset\0' >> '%[1]s'
fi
`
	const script = `const mode = process.env.JANGAR_MIGRATIONS;
require('fs').appendFileSync(%q, (mode === undefined ? 'unset' : '=' + mode) + '\0');
`
	notes := filepath.Join(root, seen)
	service := fmt.Sprintf(shell, notes)
	files := map[string]string{"/app/service": service, "/app/server.js": fmt.Sprintf(script, notes), "/home/.keep": ""}
	if !slices.Contains(m.Needs, "node") {
		files["/bin/node"] = service
	}
	for name, text := range m.Files {
		files[name] = moved(root, text).(string)
	}
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// containerOf is the container of the Deployment that a manifest gives in short.
func containerOf(m fixtures.Manifest) map[string]any {
	pod := m.Object["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
	return pod["containers"].([]any)[0].(map[string]any)
}

func list(container map[string]any, key string) []any {
	entries, _ := container[key].([]any)
	return entries
}

var folders = regexp.MustCompile(`(^|[^A-Za-z0-9_./-])/(app|config)\b`)

// moved is a value with the folders of the container moved below another root.
func moved(root string, value any) any {
	switch value := value.(type) {
	case string:
		return folders.ReplaceAllString(value, "${1}"+root+"/$2")
	case []any:
		changed := make([]any, len(value))
		for i, entry := range value {
			changed[i] = moved(root, entry)
		}
		return changed
	case map[string]any:
		changed := map[string]any{}
		for key, entry := range value {
			changed[key] = moved(root, entry)
		}
		return changed
	default:
		return value
	}
}

// environmentOf is what the kubelet makes of env, with what it is given from
// elsewhere: first by envFrom, then in order.
func environmentOf(t *testing.T, container map[string]any, given map[string]string) map[string]string {
	t.Helper()
	environment := map[string]string{}
	if len(list(container, "envFrom")) > 0 {
		maps.Copy(environment, given)
	}
	for _, entry := range list(container, "env") {
		entry := entry.(map[string]any)
		name := entry["name"].(string)
		if entry["valueFrom"] != nil {
			value, ok := given[name]
			if !ok {
				t.Fatalf("%s is taken from elsewhere, and its value is not given", name)
			}
			environment[name] = value
			continue
		}
		value, _ := entry["value"].(string)
		environment[name] = expand(t, value, environment)
	}
	return environment
}

// expand is the kubelet's expansion, as the package mode states it and its tests
// hold it to Kubernetes' own cases.
func expand(t *testing.T, text string, environment map[string]string) string {
	t.Helper()
	expanded, ok := mode.Expand(text, func(name string) (string, bool) {
		value, ok := environment[name]
		return value, ok
	})
	if !ok {
		t.Fatal("the expansion is too long")
	}
	return expanded
}

// start runs the words as a container would: in /app, with an environment that
// has nothing of this one but the search path, and nobody left behind.
func start(t *testing.T, root string, words []string, environment map[string]string) (output []byte, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	image := map[string]string{
		"PATH": filepath.Join(root, "bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HOME": filepath.Join(root, "home"),
	}
	maps.Copy(image, environment)
	program := words[0]
	if !strings.Contains(program, "/") {
		if program, err = lookUp(program, image["PATH"]); err != nil {
			return nil, err
		}
	}
	var text bytes.Buffer
	cmd := &exec.Cmd{
		Path:        program,
		Args:        words,
		Dir:         filepath.Join(root, "app"),
		Stdout:      &text,
		Stderr:      &text,
		WaitDelay:   time.Second,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	for _, name := range slices.Sorted(maps.Keys(image)) {
		cmd.Env = append(cmd.Env, name+"="+image[name])
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	group := -cmd.Process.Pid
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
	defer stop()
	err = cmd.Wait()
	_ = syscall.Kill(group, syscall.SIGKILL)
	if ctx.Err() != nil {
		err = fmt.Errorf("it took longer than %s: %w", patience, ctx.Err())
	}
	return text.Bytes(), err
}

// lookUp finds a program by a search path.
func lookUp(program, path string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%s: %w", program, exec.ErrNotFound)
}

// starts is what the service's processes noted, and what that makes of them.
func starts(t *testing.T, notes string) (start string, values []string) {
	t.Helper()
	data, err := os.ReadFile(notes)
	if errors.Is(err, fs.ErrNotExist) {
		return fixtures.StartsNone, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	start = fixtures.StartsSkip
	for noted := range strings.SplitSeq(strings.TrimSuffix(string(data), "\x00"), "\x00") {
		value, set := strings.CutPrefix(noted, "=")
		if mode.Defaults().Resolve(value, set) != mode.Skip {
			start = fixtures.StartsAuto
		}
		values = append(values, noted)
	}
	return start, values
}
