package agreement_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"
	admissionv1 "k8s.io/api/admission/v1"

	"github.com/proompteng/nevermigrate/harness/e2e/agreement"
	"github.com/proompteng/nevermigrate/harness/internal/gatekeeper"
)

// requests are the requests of the life of an object, with how many findings
// each may have: as many as creating it has, or none.
var requests = []struct {
	name      string
	operation admissionv1.Operation
	resource  string // the subresource
	object    func(map[string]any) map[string]any
	old       func(map[string]any) map[string]any
	judged    bool
}{
	{"deletion", admissionv1.Delete, "", none, same, false},
	{"update of nothing", admissionv1.Update, "", same, same, false},
	{"update of an annotation", admissionv1.Update, "", annotated, same, false},
	{"removal of a finalizer", admissionv1.Update, "", same, withFinalizer, false},
	{"update of the replicas", admissionv1.Update, "", scaled, same, false},
	{"update of the status", admissionv1.Update, "status", withStatus, same, false},
	{"repeated creation", admissionv1.Create, "", annotated, none, true},
	{"update of a container", admissionv1.Update, "", same, withOtherContainers, true},
	{"connection", admissionv1.Connect, "exec", podExec, none, false},
	{"scaling", admissionv1.Update, "scale", scale, scale, false},
}

func none(map[string]any) map[string]any { return nil }

func same(object map[string]any) map[string]any { return object }

// with sets a key of a part of an object, if that part is a map or is not there.
func with(object map[string]any, part, key string, value any) map[string]any {
	changed := clone(object)
	if changed[part] == nil {
		changed[part] = map[string]any{}
	}
	if of, ok := changed[part].(map[string]any); ok {
		of[key] = value
	}
	return changed
}

func annotated(object map[string]any) map[string]any {
	return with(object, "metadata", "annotations", map[string]any{"example.com/owner": "agents"})
}

func withFinalizer(object map[string]any) map[string]any {
	return with(object, "metadata", "finalizers", []any{"example.com/drain"})
}

func withStatus(object map[string]any) map[string]any {
	return with(object, "status", "observedGeneration", 7)
}

// scaled changes the replicas, where an object has a spec with some.
func scaled(object map[string]any) map[string]any {
	if _, ok := object["spec"].(map[string]any); !ok {
		return object
	}
	return with(object, "spec", "replicas", 9)
}

// withOtherContainers is what an object was before its containers were changed.
func withOtherContainers(object map[string]any) map[string]any {
	changed := clone(object)
	var change func(any)
	change = func(in any) {
		switch in := in.(type) {
		case map[string]any:
			for key, below := range in {
				if list, ok := below.([]any); ok && (key == "containers" || key == "initContainers" || key == "ephemeralContainers") {
					in[key] = append(slices.Clone(list), map[string]any{"name": "removed"})
					continue
				}
				change(below)
			}
		case []any:
			for _, below := range in {
				change(below)
			}
		}
	}
	change(changed)
	return changed
}

func podExec(object map[string]any) map[string]any {
	return map[string]any{"apiVersion": "v1", "kind": "PodExecOptions", "command": []any{"sh", "-c", "JANGAR_MIGRATIONS=auto node x"}, "container": "app-0"}
}

func scale(object map[string]any) map[string]any {
	return map[string]any{"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": object["metadata"], "spec": map[string]any{"replicas": 3}}
}

// TestRequests sends the requests of the life of each object of the corpus. Only
// what can start a process that was not there before is judged, and no update
// that has nothing to do with the contract is refused.
func TestRequests(t *testing.T) {
	b := newBoth(t, chosen(t, func(*gatekeeper.Constraint) {}))
	counts := &tally{counts: map[string]int{}}
	var group errgroup.Group
	group.SetLimit(4)
	for _, document := range agreement.Corpus(t, 2, 1200) {
		group.Go(func() error {
			objects, err := requested(document)
			if err != nil {
				return nil // a list that no client can read
			}
			for _, object := range objects {
				if err := sendRequests(t, b, counts, object); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // nothing above returns an error
	counts.report(t, map[string]int{
		"objects with findings": 300, "objects without findings": 300,
		"pods and replica sets of sound workloads let pass": 100, "pods of broken workloads refused": 25,
		"requests of update of a container": 500,
	})
}

func sendRequests(t *testing.T, b both, counts *tally, object map[string]any) error {
	created, err := b.engine.create(t.Context(), object)
	if errors.Is(err, errNoRequest) {
		return nil
	}
	if err != nil {
		return err
	}
	counts.add(map[bool]string{true: "objects with findings", false: "objects without findings"}[len(created) > 0], 1)
	for _, r := range requests {
		now, old := r.object(object), r.old(object)
		sent, err := request(r.operation, now, old)
		if err != nil {
			return err
		}
		sent.SubResource = r.resource
		got, err := b.engine.review(t.Context(), sent)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		want := created
		if !r.judged || isUnchanged(r.operation, now, old) {
			want = nil
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("%s of %v: %+v, want %+v", r.name, object, got, want)
		}
		counts.add("requests of "+r.name, 1)
	}
	return sendMade(t, b, counts, object, created)
}

// isUnchanged reports whether an update leaves the pod template as it was: what
// looks like containers somewhere else in an object is none.
func isUnchanged(operation admissionv1.Operation, now, old map[string]any) bool {
	return operation == admissionv1.Update && fmt.Sprint(podTemplate(now)) == fmt.Sprint(podTemplate(old))
}

// podTemplate is the pod template of an object, nil when there is none.
func podTemplate(object map[string]any) any {
	var at any = object
	place := []string{"spec", "template"}
	switch object["kind"] {
	case "Pod":
		place = []string{"spec"}
	case "PodTemplate":
		place = []string{"template"}
	case "CronJob":
		place = []string{"spec", "jobTemplate", "spec", "template"}
	}
	for _, key := range place {
		of, _ := at.(map[string]any)
		at = of[key]
	}
	return at
}

// sendMade sends what the cluster's own controllers make of a Deployment: its
// ReplicaSet, and a Pod. When the Deployment was let pass, so are they.
func sendMade(t *testing.T, b both, counts *tally, object map[string]any, created []finding) error {
	spec, _ := object["spec"].(map[string]any)
	template, _ := spec["template"].(map[string]any)
	podSpec, _ := template["spec"].(map[string]any)
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	if object["kind"] != "Deployment" || object["apiVersion"] != "apps/v1" || podSpec == nil || name == "" {
		return nil
	}
	var labels map[string]any
	if of, ok := template["metadata"].(map[string]any); ok {
		labels, _ = of["labels"].(map[string]any)
	}
	labels = maps.Clone(labels)
	if labels == nil {
		labels = map[string]any{}
	}
	labels["pod-template-hash"] = "6d4cf56db6"
	made := func(suffix string) map[string]any {
		return map[string]any{"name": name + suffix, "namespace": metadata["namespace"], "labels": labels}
	}
	for _, child := range []map[string]any{
		{"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": made("-6d4cf56db6"), "spec": map[string]any{"replicas": 1, "template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": podSpec}}},
		{"apiVersion": "v1", "kind": "Pod", "metadata": made("-6d4cf56db6-x2x7k"), "spec": podSpec},
	} {
		got, err := b.engine.create(t.Context(), child)
		if err != nil {
			return err
		}
		switch {
		case len(created) == 0 && len(got) > 0:
			return fmt.Errorf("%v was let pass, but not what is made of it: %+v", object, got)
		case len(created) == 0:
			counts.add("pods and replica sets of sound workloads let pass", 1)
		case len(got) > 0 && child["kind"] == "Pod":
			counts.add("pods of broken workloads refused", 1)
		}
	}
	return nil
}
