package probe

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/mode"
	"github.com/proompteng/nevermigrate/harness/report"
)

// TestPodTemplates compares the judge's own table of workloads with that of the
// policy: a kind that is in one of them only would be judged by one of them only.
func TestPodTemplates(t *testing.T) {
	var workloads map[string]struct{ Groups, Template []string }
	if err := defaultEvaluator(t).Value(t.Context(), "data.lib.kind.workloads", &workloads); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for kind, workload := range workloads {
		for _, group := range workload.Groups {
			want[group+"/"+kind] = workload.Template
		}
	}
	if diff := cmp.Diff(want, podTemplates); diff != "" || len(want) < 10 {
		t.Errorf("%d workloads (-policy +judge):\n%s", len(want), diff)
	}
}

// TestImagesWithoutService compares the judge's own list of images with that of
// the policy.
func TestImagesWithoutService(t *testing.T) {
	var known []string
	if err := defaultEvaluator(t).Value(t.Context(), "data.lib.parameters.known_images", &known); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(known, withoutService); diff != "" {
		t.Errorf("(-policy +judge):\n%s", diff)
	}
}

// TestIsImage compares the judge with the policy on what an entry stands for.
func TestIsImage(t *testing.T) {
	entries := []string{"busybox", "istio/proxyv2", "*proxy*", "a/*", "*/agents", "agents:1", "ghcr.io/a/agents", "datadog/dd-lib-*-init", "a/agents@sha256:0", "*:1"}
	matched := 0
	for _, repository := range []string{
		"", "busybox", "docker.io/busybox", "docker.io/library/busybox", "library/busybox", "mirror.local/x/library/busybox", "a/busybox", "localhost/busybox", "localhost:5000/busybox",
		"istio/proxyv2", "gcr.io/istio/proxyv2", "mirror/docker.io/istio/proxyv2", "my-istio/proxyv2", "proxy", "a/proxy/b", "ghcr.io/a/agents", "a/agents", "x.y/ghcr.io/a/agents", "datadog/dd-lib-js-init", "gcr.io/datadog/dd-lib-x-init/y",
	} {
		for _, suffix := range []string{"", ":1", ":1.2-alpine", "@sha256:0", ":1@sha256:0", ":", ":.a", "/"} {
			for _, entry := range entries {
				var want bool
				image, query := repository+suffix, `regex.match(data.lib.text.image(%q), %q)`
				if err := defaultEvaluator(t).Value(t.Context(), fmt.Sprintf(query, entry, image), &want); err != nil {
					t.Fatal(err)
				}
				if got := isImage(entry, image); got != want {
					t.Errorf("%s for %s: judge %v, policy %v", entry, image, got, want)
				}
				if want {
					matched++
				}
			}
		}
	}
	if matched < 100 {
		t.Errorf("only %d matches", matched)
	}
}

// TestManifests compares the judge's own rules with the policy on the corpus of
// manifests: what both bind, and what both deny by what the environment shows. Of
// commands the judge knows only what is clear, so it may miss a CNM005; whatever
// it says of a command the policy denies, and the run migrates.
func TestManifests(t *testing.T) {
	manifests, err := fixtures.Manifests(filepath.Join("..", "..", "..", "fixtures", "manifests"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := newParameters(nil)
	if err != nil {
		t.Fatal(err)
	}
	k := &judge{}
	counts := map[string]int{}
	for _, m := range manifests {
		result, err := defaultEvaluator(t).Evaluate(t.Context(), []manifest.Object{{Document: 1, Content: m.Object}})
		if err != nil {
			t.Fatal(err)
		}
		bound, judged := 0, 0
		for _, w := range result.Workloads {
			if w.Role == report.Controllers {
				bound++
			}
		}
		denied := policyFindings(result)
		for _, w := range workloadsOf(m.Object) {
			if !own.binds(w) {
				continue
			}
			judged++
			for _, container := range w.containers {
				if own.exempts(container) {
					continue
				}
				counts["containers"]++
				name, _ := container["name"].(string)
				var codes []string
				if f := of(denied, name); f != nil {
					codes = f.codes
				} else if whole := of(denied, ""); whole != nil {
					codes = whole.codes
				}
				resolved := k.resolve(container, own)
				clear := startsMigrating(own.rules, container)
				byEnvironment := slices.ContainsFunc(codes, func(code string) bool { return code != "CNM004" && code != "CNM005" })
				switch {
				case resolved.Mode != mode.Skip && codes == nil:
					t.Errorf("%s: %s: the judge says %s (%s), and the policy passes", m.Name, name, resolved.Mode, resolved.Reason)
				case resolved.Mode == mode.Skip && byEnvironment && strictlyPolicy[m.Name] == "":
					t.Errorf("%s: %s: the policy says %v, and the judge skip", m.Name, name, codes)
				case clear && !slices.Contains(codes, "CNM005"):
					t.Errorf("%s: %s: the judge says that the command migrates, and the policy %v", m.Name, name, codes)
				case clear && m.Runs && m.Starts != fixtures.StartsAuto && m.Except == "":
					t.Errorf("%s: the judge says that the command migrates, and the run %s", m.Name, m.Starts)
				}
				if slices.Contains(codes, "CNM005") {
					counts["CNM005"]++
				}
				if clear {
					counts["clear"]++
				}
				if byEnvironment {
					counts["environment"]++
				}
			}
		}
		if bound != judged && strictlyPolicy[m.Name] == "" {
			t.Errorf("%s: the policy binds %d workloads, and the judge %d", m.Name, bound, judged)
		}
	}
	t.Logf("%v", counts)
	for what, least := range map[string]int{"containers": 500, "clear": 30, "environment": 50} {
		if counts[what] < least {
			t.Errorf("only %d of %s", counts[what], what)
		}
	}
}

// strictlyPolicy are the manifests in which the policy denies, or binds, what the
// judge does not, with the reason.
var strictlyPolicy = map[string]string{
	"kind-jobset":          "two of its pods have a container of the same name, and one of them is right",
	"kind-leaderworkerset": "two of its pods have a container of the same name, and one of them is right",
}
