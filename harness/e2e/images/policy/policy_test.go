// Package policy tests the policy as an artifact of a registry: stock conftest pushes
// it and pulls it back, and with what it pulled it agrees with the gate.
package policy

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/proompteng/nevermigrate/harness/internal/stock"
	"github.com/proompteng/nevermigrate/harness/report"
)

// prints runs a command, which must succeed, and returns its standard output.
func prints(t *testing.T, dir string, command string, args ...string) string {
	t.Helper()
	text, err := output(dir, command, args...)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// output runs a command. Its error has what was printed to standard error.
func output(dir string, command string, args ...string) (string, error) {
	cmd := exec.Command(command, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%v: %w\n%s", cmd, err, &stderr)
	}
	return string(out), err
}

// newKeys writes a key pair, and another public key.
func newKeys(t *testing.T) (private, public, other string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, kind string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	var pairs [2]*rsa.PrivateKey
	for i := range pairs {
		var err error
		if pairs[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	der, err := x509.MarshalPKCS8PrivateKey(pairs[0])
	private = write("private.pem", "PRIVATE KEY", der, err)
	der, err = x509.MarshalPKIXPublicKey(&pairs[0].PublicKey)
	public = write("public.pem", "PUBLIC KEY", der, err)
	der, err = x509.MarshalPKIXPublicKey(&pairs[1].PublicKey)
	return private, public, write("other.pem", "PUBLIC KEY", der, err)
}

// TestArtifact pushes a signed policy, pulls it, verifies it and judges by it.
func TestArtifact(t *testing.T) {
	root := stock.Root(t)
	conftest := stock.Tool(t, "conftest")
	dir := t.TempDir()
	gate := filepath.Join(dir, "nevermigrate")
	prints(t, root, "go", "build", "-o", gate, "./harness/cmd/nevermigrate")
	server := httptest.NewServer(registry.New())
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://") + "/acme/policy"

	private, public, other := newKeys(t)
	prints(t, dir, gate, "bundle", "--signing-key", private, "-o", "policy.tar.gz")
	pushed := strings.TrimSpace(prints(t, dir, filepath.Join(root, "scripts", "policy"), "policy.tar.gz", repository+":v0.1.0"))
	tag, err := name.NewTag(repository + ":v0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	there, err := remote.Head(tag)
	if err != nil {
		t.Fatal(err)
	}
	if want := repository + "@" + there.Digest.String(); pushed != want {
		t.Errorf("it prints %s, and what is there is %s", pushed, want)
	}
	// By the digest, as who verified it elsewhere does.
	prints(t, dir, conftest, "pull", "--policy", "policy", "oci://"+pushed)

	t.Run("conftest agrees with the gate", func(t *testing.T) {
		files := samples(t, root, dir)
		theirs := conftestFindings(t, prints(t, dir, conftest, append([]string{"test", "--no-fail", "--output", "json"}, files...)...))
		// The built-in policy, and the pulled one by its key.
		for _, flags := range [][]string{nil, {"--policy", "policy", "--verification-key", public}} {
			ours := gateFindings(t, gate, dir, append(flags, files...))
			if diff := gocmp.Diff(theirs, ours); diff != "" {
				t.Errorf("%v (-conftest +gate):\n%s", flags, diff)
			}
		}
		codes := map[string]int{}
		for _, findings := range theirs {
			for _, finding := range findings {
				codes[finding.Code]++
			}
		}
		t.Logf("compared %d files with findings %v", len(files), codes)
		if len(files) < 60 || len(codes) < 6 {
			t.Error("samples are missing")
		}
	})

	right := `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x-controllers"}, "spec": {"containers": [
		{"name": "main", "env": [{"name": "JANGAR_MIGRATIONS", "value": "skip"}]}]}}`
	if err := os.WriteFile(filepath.Join(dir, "pod.json"), []byte(right), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		change func() error
		key    string
		want   string
	}{
		"as it was pulled": {func() error { return nil }, public, ""},
		"by another key":   {func() error { return nil }, other, "load policy policy: its signature does not hold by the RS256 key " + other},
		"without a key":    {func() error { return nil }, "", "load policy policy: it is signed: give the key that verifies it with --verification-key"},
		"a rule is changed": {func() error {
			return replace(filepath.Join(dir, "policy/lib/mode.rego"), "package lib.mode", "package lib.mode # changed")
		}, public, "load policy policy: lib/mode.rego: digest mismatch"},
		"a rule is added": {func() error {
			return os.WriteFile(filepath.Join(dir, "policy/lib/more.rego"), []byte("package lib.more\n"), 0o600)
		}, public, "load policy policy: file lib/more.rego not included in bundle signature"},
		"a rule is missing": {func() error { return os.Remove(filepath.Join(dir, "policy/lib/mode.rego")) }, public, "load policy policy: "},
	} {
		t.Run(what, func(t *testing.T) {
			if err := os.RemoveAll(filepath.Join(dir, "policy")); err != nil {
				t.Fatal(err)
			}
			prints(t, dir, conftest, "pull", "--policy", "policy", "oci://"+repository+":v0.1.0")
			if err := test.change(); err != nil {
				t.Fatal(err)
			}
			args := []string{"check", "--policy", "policy", "pod.json"}
			if test.key != "" {
				args = append(args, "--verification-key", test.key)
			}
			_, err := output(dir, gate, args...)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(err.Error(), "\nError: "+test.want) {
				t.Errorf("%v\nwant status 2 and %s", err, test.want)
			}
		})
	}
}

func replace(file, old, with string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), old) {
		return fmt.Errorf("%s has no %q", file, old)
	}
	return os.WriteFile(file, []byte(strings.Replace(string(text), old, with, 1)), 0o600)
}

// notJudged are the kinds of what conftest does not judge among the samples.
var notJudged = regexp.MustCompile(`(?m)^kind: (ControllersNeverMigrate|AdmissionReview)$`)

// samples copies the samples for Gatekeeper into a folder of dir, and returns their
// names from there. Each rule that denies an object fires in some of them.
func samples(t *testing.T, root, dir string) []string {
	t.Helper()
	folder := os.DirFS(filepath.Join(root, "policy", "gatekeeper", "samples"))
	if err := os.Mkdir(filepath.Join(dir, "samples"), 0o700); err != nil {
		t.Fatal(err)
	}
	var files []string
	err := fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := fs.ReadFile(folder, path)
		if err != nil || notJudged.Match(text) {
			return err
		}
		file := filepath.Join("samples", strings.ReplaceAll(path, "/", "-"))
		files = append(files, file)
		return os.WriteFile(filepath.Join(dir, file), text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// conftestFindings are conftest's results by file, as test TestStockToolsAgree of the
// package check reads them.
func conftestFindings(t *testing.T, out string) map[string][]report.Finding {
	t.Helper()
	type result struct {
		Metadata struct{ Details report.Finding }
	}
	var files []struct {
		Filename           string
		Failures, Warnings []result
	}
	if err := json.Unmarshal([]byte(out), &files); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	findings := map[string][]report.Finding{}
	for _, file := range files {
		all := []report.Finding{}
		for _, r := range append(file.Failures, file.Warnings...) {
			details := r.Metadata.Details
			details.Page = report.PageOf(details.Code) // which a report adds
			all = append(all, details)
		}
		findings[file.Filename] = sorted(all)
	}
	return findings
}

// aboutTargets are the rules about a whole target, which conftest never sees.
var aboutTargets = []string{"CNM007", "CNM103", "CNM106"}

func gateFindings(t *testing.T, gate, dir string, args []string) map[string][]report.Finding {
	t.Helper()
	out, err := output(dir, gate, append([]string{"check", "-o", "json", "--allow-absent"}, args...)...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("check: %v", err)
	}
	var judged report.Report
	if err := json.Unmarshal([]byte(out), &judged); err != nil {
		t.Fatal(err)
	}
	findings := map[string][]report.Finding{}
	for _, target := range judged.Targets {
		if target.Error != "" {
			t.Errorf("%s: %s", target.Path, target.Error)
		}
		all := []report.Finding{}
		for _, finding := range target.Findings {
			if slices.Contains(aboutTargets, finding.Code) {
				continue
			}
			finding.Causes, finding.Constraint = nil, ""
			finding.Enforcement = cmp.Or(finding.Enforcement, "deny")
			all = append(all, finding)
		}
		findings[target.Path] = sorted(all)
	}
	return findings
}

func sorted(findings []report.Finding) []report.Finding {
	slices.SortFunc(findings, func(a, b report.Finding) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return findings
}
