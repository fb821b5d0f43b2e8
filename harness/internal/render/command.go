package render

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
)

// commandHelm runs a helm on the machine, as kustomize would, but with an
// environment of its own, a time limit and a limit on what it prints.
type commandHelm struct {
	path     string
	maxBytes int64
}

// newCommandHelm finds the command and checks that it is Helm 3 or 4.
func newCommandHelm(ctx context.Context, command string, maxBytes int64) (commandHelm, error) {
	path, err := exec.LookPath(command)
	if err != nil {
		return commandHelm{}, fmt.Errorf("find helm command: %w", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return commandHelm{}, fmt.Errorf("find helm command: %w", err)
	}
	h := commandHelm{path: path, maxBytes: maxBytes}
	out, err := h.run(ctx, "version", "--short")
	if err != nil {
		return commandHelm{}, fmt.Errorf("run %s version: %w", command, err)
	}
	if !regexp.MustCompile(`^v?[34]\.\d`).Match(bytes.TrimSpace(out)) {
		return commandHelm{}, fmt.Errorf("%s is not Helm 3 or 4: `%s version --short` prints %q", command, command, firstLine(out))
	}
	return h, nil
}

func (h commandHelm) template(ctx context.Context, chart types.HelmChart, home string, values []byte) ([]byte, error) {
	folder, err := os.MkdirTemp("", "nevermigrate-values-")
	if err != nil {
		return nil, fmt.Errorf("make folder for values: %w", err)
	}
	defer os.RemoveAll(folder)
	chart.ValuesFile = filepath.Join(folder, "values.yaml")
	if err := os.WriteFile(chart.ValuesFile, values, 0o600); err != nil {
		return nil, fmt.Errorf("write values: %w", err)
	}
	return h.run(ctx, chart.AsHelmArgs(home)...)
}

func (h commandHelm) run(ctx context.Context, args ...string) ([]byte, error) {
	home, err := os.MkdirTemp("", "nevermigrate-helm-")
	if err != nil {
		return nil, fmt.Errorf("make folder for helm: %w", err)
	}
	defer os.RemoveAll(home)
	stdout, stderr := &limitedBuffer{limit: h.maxBytes}, &limitedBuffer{limit: 1 << 20}
	cmd := exec.CommandContext(ctx, h.path, args...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.Env = helmEnvironment(os.Environ(), home)
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if stdout.full {
			return nil, fmt.Errorf("helm printed more than the limit of %d bytes", h.maxBytes)
		}
		if text := strings.TrimSpace(stderr.String()); text != "" {
			return nil, errors.New(strings.TrimPrefix(text, "Error: "))
		}
		return nil, err
	}
	return stdout.Bytes(), nil
}

// helmEnvironment is the caller's environment without what would change a
// rendering: Helm's own variables, the kubeconfig and the cluster of a pod.
func helmEnvironment(environment []string, home string) []string {
	var kept []string
	for _, entry := range environment {
		if !strings.HasPrefix(entry, "HELM_") && !strings.HasPrefix(entry, "KUBE") {
			kept = append(kept, entry)
		}
	}
	return append(kept,
		"HELM_CONFIG_HOME="+home,
		"HELM_CACHE_HOME="+filepath.Join(home, ".cache"),
		"HELM_DATA_HOME="+filepath.Join(home, ".data"),
		"KUBECONFIG="+filepath.Join(home, "no-kubeconfig"),
	)
}

func firstLine(out []byte) string {
	line, _, _ := strings.Cut(string(bytes.TrimSpace(out)), "\n")
	return line
}

// limitedBuffer is a buffer that refuses to grow beyond its limit.
type limitedBuffer struct {
	bytes.Buffer
	limit int64
	full  bool
}

// Write implements io.Writer.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if int64(b.Len()+len(p)) > b.limit {
		b.full = true
		return 0, errors.New("output is larger than the limit")
	}
	return b.Buffer.Write(p)
}
