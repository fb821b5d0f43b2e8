package policytest

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
)

// TestMalformedManifestsAreNeverSilent breaks a controllers workload at random
// places. Whatever comes out, the evaluation succeeds, and it is silent only
// when the summary shows each container as skip or exempt.
func TestMalformedManifestsAreNeverSilent(t *testing.T) {
	prepared := prepare(t,
		`{"violations": data.main.violation, "warnings": data.main.warn, "workloads": data.lib.summary.workloads}`)
	random := rand.New(rand.NewPCG(3, 4))
	silent, loud := 0, 0
	rounds := lane.Rounds(t, 300, 3000)
	for range rounds {
		manifest := clone(sound())
		for range 1 + random.IntN(3) {
			breakOne(random, manifest)
		}
		metadata, _ := manifest["metadata"].(map[string]any)
		if metadata == nil || metadata["name"] != "x-controllers" {
			// Without its name it may be another workload.
			manifest["metadata"] = map[string]any{"name": "x-controllers"}
		}
		manifest["kind"] = "Deployment"
		if version := manifest["apiVersion"]; version == "v1" || version == "skip" {
			manifest["apiVersion"] = "apps/v1"
		}
		got := evaluate(t, prepared, manifest).(map[string]any)
		if len(got["violations"].([]any)) > 0 {
			loud++
			continue
		}
		silent++
		if !allSkip(got["workloads"].([]any)) {
			text, _ := json.Marshal(manifest)
			t.Errorf("no violation for %s\nwith the summary %v", text, got["workloads"])
		}
	}
	t.Logf("%d manifests were denied, %d were not", loud, silent)
	if loud < rounds/6 || silent < rounds/30 {
		t.Errorf("%d denied and %d not: the mixture is not telling", loud, silent)
	}
}

// sound is a controllers workload that keeps the contract and has most fields
// that the rules read.
func sound() map[string]any {
	variable := func(value string) any {
		return map[string]any{"name": "JANGAR_MIGRATIONS", "value": value}
	}
	probe := map[string]any{"exec": map[string]any{"command": []any{"true"}}}
	manifest := deployment("x-controllers",
		map[string]any{
			"name": "app", "image": "app:1",
			"env":       []any{map[string]any{"name": "PORT", "value": "80"}, variable("skip")},
			"envFrom":   []any{map[string]any{"secretRef": map[string]any{"name": "s"}}},
			"command":   []any{"sh", "-c", "exec node main.js"},
			"args":      []any{"--verbose"},
			"lifecycle": map[string]any{"preStop": probe}, "livenessProbe": probe,
		},
		map[string]any{"name": "sidecar", "image": "app:2", "env": []any{variable("off")}},
	)
	template := manifest["spec"].(map[string]any)["template"].(map[string]any)
	template["metadata"] = map[string]any{"labels": map[string]any{"app.kubernetes.io/name": "x-controllers"}}
	template["spec"].(map[string]any)["initContainers"] = []any{
		map[string]any{"name": "init", "env": []any{variable("skip")}},
	}
	return manifest
}

// breakOne replaces, removes or doubles one value below a map or a list.
func breakOne(random *rand.Rand, at any) {
	odd := []any{
		nil, true, false, 0.0, -1.5, "", "skip", "auto", "v1", "\x00", "$(JANGAR_MIGRATIONS)",
		[]any{}, []any{nil}, []any{"x"}, map[string]any{}, map[string]any{"name": nil}, map[string]any{"name": "JANGAR_MIGRATIONS"},
		[]any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": "auto"}},
	}
	switch node := at.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(node))
		if len(keys) == 0 {
			return
		}
		key := keys[random.IntN(len(keys))]
		if isTree(node[key]) && random.IntN(5) > 0 {
			breakOne(random, node[key])
		} else if random.IntN(4) == 0 {
			delete(node, key)
		} else {
			node[key] = odd[random.IntN(len(odd))]
		}
	case []any:
		if len(node) == 0 {
			return
		}
		i := random.IntN(len(node))
		if isTree(node[i]) && random.IntN(5) > 0 {
			breakOne(random, node[i])
		} else if random.IntN(4) == 0 {
			node[i] = node[random.IntN(len(node))]
		} else {
			node[i] = odd[random.IntN(len(odd))]
		}
	}
}

func isTree(value any) bool {
	switch node := value.(type) {
	case map[string]any:
		return len(node) > 0
	case []any:
		return len(node) > 0
	}
	return false
}

func clone(manifest map[string]any) map[string]any {
	text, err := json.Marshal(manifest)
	if err != nil {
		panic(err)
	}
	var copied map[string]any
	if err := json.Unmarshal(text, &copied); err != nil {
		panic(err)
	}
	return copied
}

func allSkip(workloads []any) bool {
	if len(workloads) != 1 {
		return false
	}
	containers := workloads[0].(map[string]any)["containers"].([]any)
	for _, container := range containers {
		shown := container.(map[string]any)
		if shown["mode"] != "skip" && shown["exempt"] != true {
			return false
		}
	}
	return len(containers) > 0
}
