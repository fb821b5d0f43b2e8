package independent

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/bundle"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
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

func TestGlob(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"*-controllers", "agents-controllers", true}, {"*-controllers", "-controllers", true},
		{"*-controllers", "agents-controllers-2", false}, {"a*c*e", "abcde", true}, {"a*c*e", "abde", false},
		{"agents", "agents", true}, {"agents", "agents2", false}, {"*", "", true}, {"a*a", "a", false},
	} {
		if got := glob(test.pattern).MatchString(test.name); got != test.want {
			t.Errorf("%s on %s: %v", test.pattern, test.name, got)
		}
	}
}

// compiled is the built-in policy, once for all tests.
var compiled = sync.OnceValues(func() (*evaluate.Evaluator, error) {
	policy, err := evaluate.LoadPolicy("", bundle.Verification{})
	if err != nil {
		return nil, err
	}
	return evaluate.New(context.Background(), policy, nil)
})

func defaultEvaluator(t *testing.T) *evaluate.Evaluator {
	t.Helper()
	evaluator, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return evaluator
}
