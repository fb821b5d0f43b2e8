package check_test

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	yaml "sigs.k8s.io/yaml"
	goyaml "sigs.k8s.io/yaml/goyaml.v3"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/mode"
	"github.com/proompteng/nevermigrate/harness/report"
)

// FuzzCheck requires of any manifest: no panic; no hang; and no pass when a
// controllers workload is in it, as another YAML reader finds one that is more
// lenient, with a container that does not skip by the package mode, which knows
// nothing of the policy.
func FuzzCheck(f *testing.F) {
	cases, err := fixtures.Cases("../../../fixtures/cases")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range cases {
		if c.Manifest == "" || len(c.Constraints) > 0 {
			continue
		}
		text, err := os.ReadFile(c.Path())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	rules := mode.Defaults()
	evaluator, err := evaluate.New(f.Context(), nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	var exempt string
	if err := evaluator.Value(f.Context(), "data.lib.parameters.exempt_pattern", &exempt); err != nil {
		f.Fatal(err)
	}
	holdsNoService := regexp.MustCompile(exempt)
	f.Fuzz(func(t *testing.T, text []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		result, err := check.AllOnce(ctx, []string{"-"}, check.Options{Stdin: bytes.NewReader(text), AllowAbsent: true})
		if ctx.Err() != nil {
			t.Fatal("it takes too long")
		}
		if err != nil {
			t.Fatal(err)
		}
		if result.ExitStatus(false) != report.ExitHolds {
			return
		}
		for _, object := range lenientObjects(text) {
			for _, container := range boundContainers(object) {
				if image, _ := container["image"].(string); holdsNoService.MatchString(image) {
					continue
				}
				if got := rules.Container(container); got.Mode != mode.Skip {
					t.Errorf("it passes, and a container is %s: %s", got.Mode, got.Reason)
				}
			}
		}
	})
}

// lenientObjects reads what it can: each document by itself.
func lenientObjects(text []byte) []map[string]any {
	var objects []map[string]any
	decoder := goyaml.NewDecoder(bytes.NewReader(text))
	for {
		var document goyaml.Node
		if decoder.Decode(&document) != nil {
			return objects
		}
		written, err := goyaml.Marshal(&document)
		if err != nil {
			continue
		}
		var object map[string]any
		if yaml.Unmarshal(written, &object) == nil {
			objects = append(objects, object)
		}
	}
}

// boundContainers are the containers of an object that the default constraint
// binds: by its name, the pod label or a container's name. Only Deployments and
// Pods are looked at.
func boundContainers(object map[string]any) []map[string]any {
	child := func(of map[string]any, key string) map[string]any {
		found, _ := of[key].(map[string]any)
		return found
	}
	var pod map[string]any
	switch [2]any{object["apiVersion"], object["kind"]} {
	case [2]any{"apps/v1", "Deployment"}:
		pod = child(child(object, "spec"), "template")
	case [2]any{"v1", "Pod"}:
		pod = object
	default:
		return nil
	}
	bound := func(name any) bool {
		text, _ := name.(string)
		return strings.HasSuffix(text, "-controllers")
	}
	binds := bound(child(object, "metadata")["name"]) ||
		bound(child(child(pod, "metadata"), "labels")["app.kubernetes.io/name"])
	var containers []map[string]any
	for _, key := range []string{"containers", "initContainers", "ephemeralContainers"} {
		list, _ := child(pod, "spec")[key].([]any)
		for _, item := range list {
			if container, ok := item.(map[string]any); ok {
				containers = append(containers, container)
				binds = binds || bound(container["name"])
			}
		}
	}
	if !binds {
		return nil
	}
	return containers
}
