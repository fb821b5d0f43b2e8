// Package expansion_test compares what the policy says about an environment with
// what the kubelet makes of it.
package expansion_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"k8s.io/kubernetes/third_party/forked/golang/expansion"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/report"
)

const (
	variable   = "JANGAR_MIGRATIONS"
	workloads  = 1000
	containers = 20 // in each workload
)

// container is a container, and what only the cluster knows of it: what its
// sources and the Services hold.
type container struct {
	envFrom  []map[string]string
	env      []entry
	services map[string]string
}

// entry is an entry of env.
type entry struct {
	name  string
	value string
	// from: the value comes from a key of a ConfigMap, which may be missing.
	from    bool
	held    string
	missing bool
}

// kubelet is the value of the variable in the environment that the kubelet makes,
// empty when there is none.
func kubelet(c container) string { return environment(c)[variable] }

// environment is built as the kubelet builds it, in makeEnvironmentVariables of its
// kubelet_pods.go, with the kubelet's own expansion.
func environment(c container) map[string]string {
	env := map[string]string{}
	for _, source := range c.envFrom {
		for name, value := range source {
			env[name] = value
		}
	}
	mapping := expansion.MappingFuncFor(env, c.services)
	for _, e := range c.env {
		value := e.value
		if value != "" {
			value = expansion.Expand(value, mapping)
		} else if e.from {
			if e.missing {
				continue // It is optional, or the container would not start.
			}
			value = e.held
		}
		env[e.name] = value
	}
	return env
}

// service is what the service makes of a value. The generated values are ASCII,
// but for one letter that no skip value has.
func service(value string) report.Mode {
	if slices.Contains([]string{"skip", "disabled", "false", "0", "off"}, strings.ToLower(strings.TrimSpace(value))) {
		return report.Skip
	}
	return report.Auto
}

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

func generate(random *rand.Rand) container {
	names := []string{"A", "B", "C", "D", "E", variable, variable, variable}
	text := func() string {
		switch random.IntN(10) {
		case 0, 1, 2:
			return pick(random, "skip", "off", "0", " Skip ", "FALSE", "disabled")
		case 3, 4, 5:
			return "$(" + pick(random, names...) + ")"
		case 6:
			return pick(random, "", "auto", "on", "sk", "ip", "$(NOBODY)", "$(DB_SERVICE_HOST)")
		}
		var value strings.Builder
		for range 1 + random.IntN(4) {
			value.WriteString(pick(random,
				"sk", "ip", "skip", "off", " ", "", "$", "$$", "$(", ")", "(", "\n", "é", "$)", "$$$",
				"$(A)", "$(B)", "$(C)", "$(D)", "$("+variable+")", "$()", "$(NOBODY)", "$$(A)", "$$$(A)", "$$$$(B)", "$($(A))", "$(A",
			))
		}
		return value.String()
	}
	var c container
	for range random.IntN(8) {
		e := entry{name: pick(random, names...), value: text()}
		if random.IntN(12) == 0 {
			e.value, e.from = "", true
			e.held, e.missing = pick(random, "skip", "auto", "", "$(A)", "off"), random.IntN(2) == 0
		}
		c.env = append(c.env, e)
	}
	// Mostly the variable comes last and refers to what is before it: the rest
	// would only ever be decided by a literal.
	if random.IntN(3) == 0 {
		c.env = append(c.env, entry{name: variable, value: text()})
	}
	if random.IntN(8) == 0 {
		for range 1 + random.IntN(2) {
			source := map[string]string{}
			for range random.IntN(4) {
				source[pick(random, names...)] = pick(random, "skip", "auto", "off", "", "$(B)", "sk")
			}
			c.envFrom = append(c.envFrom, source)
		}
	}
	if random.IntN(2) == 0 {
		c.services = map[string]string{"DB_SERVICE_HOST": "10.0.0.7", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
	}
	return c
}

// manifestOf is a container as the policy sees it.
func manifestOf(name string, c container) map[string]any {
	spec := map[string]any{"name": name, "image": "registry.example.com/agents:1.0.0"}
	var env, envFrom []any
	for _, e := range c.env {
		one := map[string]any{"name": e.name}
		switch {
		case e.from:
			one["valueFrom"] = map[string]any{"configMapKeyRef": map[string]any{"name": "settings", "key": e.name, "optional": true}}
		case e.value != "":
			one["value"] = e.value
		}
		env = append(env, one)
	}
	for i := range c.envFrom {
		envFrom = append(envFrom, map[string]any{"configMapRef": map[string]any{"name": fmt.Sprintf("source-%d", i)}})
	}
	if env != nil {
		spec["env"] = env
	}
	if envFrom != nil {
		spec["envFrom"] = envFrom
	}
	return spec
}

// TestAgainstTheKubelet compares generated environments: the mode that the
// policy states is the mode that the service runs in, and a container that the
// policy lets pass skips.
func TestAgainstTheKubelet(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 35))
	judge, err := evaluate.New(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	counts, stricter := map[string]int{}, map[string]int{}
	compared := 0
	for w := range workloads {
		generated := map[string]container{}
		var specs []any
		for i := range containers {
			name := fmt.Sprintf("c%d", i)
			generated[name] = generate(random)
			specs = append(specs, manifestOf(name, generated[name]))
		}
		result, err := judge.Evaluate(t.Context(), []manifest.Object{{Document: 1, Content: map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment",
			"metadata": map[string]any{"name": fmt.Sprintf("w%d-controllers", w)},
			"spec":     map[string]any{"template": map[string]any{"spec": map[string]any{"containers": specs}}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Workloads) != 1 || len(result.Workloads[0].Containers) != containers {
			t.Fatalf("the policy judged %+v", result.Workloads)
		}
		denied := map[string][]string{}
		for _, finding := range result.Findings {
			if finding.Severity == report.Deny && !slices.Contains(denied[finding.Container], finding.Code) {
				denied[finding.Container] = append(denied[finding.Container], finding.Code)
			}
		}
		for _, judged := range result.Workloads[0].Containers {
			c := generated[judged.Name]
			value := kubelet(c)
			runs := service(value)
			compared++
			if judged.Mode != report.Unknown && judged.Mode != runs {
				t.Errorf("the policy says %s, and the kubelet gives %q, which means %s:\n%+v", judged.Mode, value, runs, c)
			}
			codes := denied[judged.Name]
			slices.Sort(codes)
			class := fmt.Sprintf("%-7s  %-4s  ", judged.Mode, runs)
			switch {
			case len(codes) == 0 && runs != report.Skip:
				t.Errorf("the policy lets pass what the kubelet gives %q:\n%+v", value, c)
			case len(codes) == 0:
				counts[class+"passes"]++
			default:
				counts[class+"is denied"]++
			}
			// Here the policy is stricter than the kubelet needs it to be, on
			// purpose: another apply, or another Secret, would make it another mode.
			if len(codes) > 0 && runs == report.Skip {
				stricter[strings.Join(codes, ", ")]++
			}
		}
	}
	t.Logf("compared %d environments with the kubelet's expansion", compared)
	for _, class := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d  the policy says / the service runs in: %s", counts[class], class)
	}
	for _, codes := range slices.Sorted(maps.Keys(stricter)) {
		t.Logf("%6d  the service would skip, and the policy denies: %s", stricter[codes], codes)
	}
	// Only a reference, valueFrom, or a second declaration may make it stricter.
	for codes := range stricter {
		if codes != "CNM001" && codes != "CNM003" && codes != "CNM004" && codes != "CNM002, CNM004" && codes != "CNM003, CNM004" &&
			codes != "CNM002, CNM003, CNM004" {
			t.Errorf("the policy denies %d environments in which the service skips, with %s", stricter[codes], codes)
		}
	}
	// Each of these must have occurred, or the generator is too poor: a mode that
	// is known through references, and one that only the cluster knows.
	for _, class := range []string{
		"skip     skip  passes", "skip     skip  is denied", "auto     auto  is denied",
		"unknown  skip  is denied", "unknown  auto  is denied",
	} {
		if counts[class] < 300 {
			t.Errorf("%d environments of class %q are too few", counts[class], class)
		}
	}
}
