package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
	"github.com/proompteng/nevermigrate/policy"
)

const (
	pod = `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x-controllers"},
		"spec": {"containers": [{"name": "main", "env": [{"name": "AGENTS_MIGRATIONS", "value": "skip"}]}]}}`
	renamed = `{"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "ControllersNeverMigrate",
		"metadata": {"name": "renamed"}, "spec": {"parameters": {"envVar": "AGENTS_MIGRATIONS"}}}`
)

// opaPrints runs the stock opa, which must succeed, and returns what it prints.
func opaPrints(t *testing.T, opa string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), opa, args...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", command, err, out, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// TestStockEval: `opa eval` judges by the bundle, signed or not, and takes the
// constraint beside it.
func TestStockEval(t *testing.T) {
	lane.Full(t)
	opa := stock.Tool(t, "opa")
	input, constraint := file(t, "pod.json", pod), file(t, "constraint.json", renamed)
	codes := "[v.details.code | some v in data.main.violation]"
	for name, bundle := range map[string]string{
		"unsigned": written(t, Signing{}),
		"signed":   written(t, Signing{KeyFile: newKeys(t, "RS").private}),
	} {
		t.Run(name, func(t *testing.T) {
			if got := opaPrints(t, opa, "eval", "--format", "raw", "--bundle", bundle, "--input", input, codes); got != `["CNM001"]` {
				t.Errorf("with the defaults: %s", got)
			}
			if got := opaPrints(t, opa, "eval", "--format", "raw", "--bundle", bundle, "--data", constraint, "--input", input, codes); got != `[]` {
				t.Errorf("with the constraint: %s", got)
			}
		})
	}
}

// TestStockInspect: `opa inspect` finds the packages and the manifest.
func TestStockInspect(t *testing.T) {
	lane.Full(t)
	opa := stock.Tool(t, "opa")
	var got struct {
		Manifest struct {
			Revision    string
			Roots       []string
			RegoVersion int `json:"rego_version"`
		}
		Namespaces map[string][]string
	}
	bundle := written(t, Signing{})
	if err := json.Unmarshal([]byte(opaPrints(t, opa, "inspect", "--format", "json", bundle)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"lib", "main"}, got.Manifest.Roots); diff != "" || got.Manifest.RegoVersion != 1 || !strings.HasPrefix(got.Manifest.Revision, policy.Version+"+") {
		t.Errorf("manifest %+v", got.Manifest)
	}
	loaded, err := Load(bundle, Verification{})
	if err != nil {
		t.Fatal(err)
	}
	for name := range loaded.Modules {
		space := "data." + strings.ReplaceAll(strings.TrimSuffix(name, ".rego"), "/", ".")
		if diff := cmp.Diff([]string{"/" + name}, got.Namespaces[space]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", space, diff)
		}
	}
}

// TestStockBuild: `opa build` and `opa run` verify what is signed here, and what
// `opa build` signs is verified here.
func TestStockBuild(t *testing.T) {
	lane.Full(t)
	opa := stock.Tool(t, "opa")
	keys, other := newKeys(t, "ES"), newKeys(t, "ES")
	theirs := filepath.Join(t.TempDir(), "theirs.tar.gz")
	mine := written(t, Signing{KeyFile: keys.private, Algorithm: "ES256"})
	loaded, err := Load(mine, Verification{KeyFile: keys.public, Algorithm: "ES256"})
	if err != nil {
		t.Fatal(err)
	}
	opaPrints(t, opa, "build", "--bundle", mine, "--output", theirs, "--signing-alg", "ES256", "--signing-key", keys.private, "--verification-key", keys.public)
	got, err := Load(theirs, Verification{KeyFile: keys.public, Algorithm: "ES256"})
	if err != nil {
		t.Fatal(err)
	}
	// It puts the path of what it built from before the names.
	modules := map[string]string{}
	for name, text := range got.Modules {
		_, name, _ = strings.Cut(name, filepath.Base(mine)+"/")
		modules[name] = string(text)
	}
	want := map[string]string{}
	for name, text := range loaded.Modules {
		want[name] = string(text)
	}
	if diff := cmp.Diff(want, modules); diff != "" {
		t.Errorf("(-ours +theirs):\n%s", diff)
	}
	if _, err := Load(theirs, Verification{KeyFile: other.public, Algorithm: "ES256"}); err == nil {
		t.Error("another key verifies it")
	}

	t.Run("run", func(t *testing.T) {
		args := []string{"--signing-alg", "ES256", "--bundle", mine, "--verification-key"}
		query := startOPA(t, opa, append(args, keys.public)...)
		if got := codes(t, query("data/main/violation", pod)); got != "CNM001" {
			t.Errorf("violations %s, want CNM001", got)
		}
		refused := exec.CommandContext(t.Context(), opa,
			append(append([]string{"run", "--server", "--addr", "unix://" + socket(t)}, args...), other.public)...)
		if out, err := refused.CombinedOutput(); err == nil || !strings.Contains(string(out), "failed to verify JWT signature") {
			t.Errorf("with another key: %v\n%s", err, out)
		}
	})
}

// TestStockRun: `opa run` judges by the bundle, and takes the constraint as a
// bundle beside it, whose roots are those that the policy leaves free.
func TestStockRun(t *testing.T) {
	lane.Full(t)
	opa := stock.Tool(t, "opa")
	constraint := t.TempDir()
	for name, text := range map[string]string{"data.json": renamed, ".manifest": `{"roots": ["apiVersion", "kind", "metadata", "spec"]}`} {
		if err := os.WriteFile(filepath.Join(constraint, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rules := written(t, Signing{})
	for name, test := range map[string]struct {
		bundles []string
		want    string
	}{
		"the defaults": {[]string{rules}, "CNM001"},
		"a constraint": {[]string{rules, constraint}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			query := startOPA(t, opa, append([]string{"--bundle"}, test.bundles...)...)
			if got := codes(t, query("data/main/violation", pod)); got != test.want {
				t.Errorf("violations %q, want %q", got, test.want)
			}
		})
	}
}

// codes are the codes in an answer of opa, which must have a result.
func codes(t *testing.T, answer string) string {
	t.Helper()
	var got struct {
		Result *[]struct{ Details struct{ Code string } }
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil || got.Result == nil {
		t.Fatalf("opa answers %s (%v)", answer, err)
	}
	var all []string
	for _, violation := range *got.Result {
		all = append(all, violation.Details.Code)
	}
	return strings.Join(all, " ")
}

// socket is the path of a socket that is not there: the name must be short.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "opa-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "opa.sock")
}

// startOPA starts a stock `opa run` as a server on a socket, until the test ends,
// and returns a function that asks it for a document, with an input or without.
func startOPA(t *testing.T, opa string, args ...string) func(path, input string) string {
	t.Helper()
	address := socket(t)
	ctx, stop := context.WithCancel(t.Context())
	command := exec.CommandContext(ctx, opa, append([]string{"run", "--server", "--addr", "unix://" + address, "--skip-version-check"}, args...)...)
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", address)
	}}}
	ask := func(path, input string) (string, error) {
		method, body := http.MethodGet, io.Reader(nil)
		if input != "" {
			method, body = http.MethodPost, strings.NewReader(`{"input": `+input+`}`)
		}
		request, err := http.NewRequestWithContext(t.Context(), method, "http://opa/v1/"+path, body)
		if err != nil {
			return "", err
		}
		response, err := client.Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return strings.TrimSpace(string(text)), err
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		_, err := ask("data", "")
		if err == nil {
			break
		}
		select {
		case early := <-ended:
			ended <- early
			t.Fatalf("opa run ended: %v\n%s", early, log.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("opa run does not answer: %v", err)
		}
	}
	return func(path, input string) string {
		t.Helper()
		text, err := ask(path, input)
		if err != nil {
			t.Fatalf("ask opa for %s: %v", path, err)
		}
		return text
	}
}
