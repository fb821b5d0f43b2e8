package cluster_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// scenarios is the namespace of what the scenarios make.
const scenarios = "scenarios"

// fixtureApp applies the fixture app as `nevermigrate render` prints it, and
// waits for the Pods of both Deployments.
func (r *run) fixtureApp(t *testing.T, app string) {
	rendered := r.nevermigrate(t, "render", app)
	var crds, others []string
	for _, document := range strings.Split(rendered, "\n---\n") {
		if strings.Contains(document, "\nkind: CustomResourceDefinition\n") {
			crds = append(crds, document)
		} else {
			others = append(others, document)
		}
	}
	if len(crds) == 0 || len(others) < 20 {
		t.Fatalf("the app has %d custom resource definitions and %d other objects", len(crds), len(others))
	}
	r.MustKubectl(strings.Join(crds, "\n---\n"), "apply", "-f", "-")
	r.MustKubectl("", "wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	r.try(t, fmt.Sprintf("the fixture app, %d objects", len(crds)+len(others)), "admitted",
		strings.Join(others, "\n---\n"), "apply", "-f", "-")
	for _, name := range []string{"agents", "agents-controllers"} {
		r.podsOf(t, "agents", "app.kubernetes.io/name="+name, 1)
	}
	r.record(t, "the Pods that their ReplicaSets make", "admitted", "admitted", "")
	r.MustKubectl("", "--namespace", "agents", "delete", "deployments", "--all")
}

// podsOf waits until a selector finds so many Pods that are not on their way
// out, and no others.
func (r *run) podsOf(t *testing.T, namespace, selector string, count int) {
	t.Helper()
	r.Eventually(fmt.Sprintf("there are %d pods %s", count, selector), func(ctx context.Context) (bool, error) {
		pods, err := r.running(ctx, namespace, selector)
		return len(pods) == count, errors.Join(err, fmt.Errorf("there are %d", len(pods)))
	})
}

// running are the Pods that a selector finds and that are not on their way out.
// It does the kubelet's part and says of them that they are ready, so that the
// deployment controller goes on.
func (r *run) running(ctx context.Context, namespace, selector string) ([]corev1.Pod, error) {
	pods := r.Clients().CoreV1().Pods(namespace)
	list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	var running []corev1.Pod
	for _, one := range list.Items {
		if one.DeletionTimestamp != nil {
			continue
		}
		running = append(running, one)
		if one.Status.Phase == corev1.PodRunning {
			continue
		}
		one.Status.Phase = corev1.PodRunning
		one.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}}
		if _, err := pods.UpdateStatus(ctx, &one, metav1.UpdateOptions{}); err != nil {
			return running, err
		}
	}
	return running, nil
}

// newWorkloads sends workloads that were not there before, under the default
// constraint.
func (r *run) newWorkloads(t *testing.T) {
	apply := []string{"apply", "-f", "-"}
	r.try(t, "controllers, skip", "admitted", asYAML(deployment("good-controllers", "main", "skip")), apply...)
	r.try(t, "controllers, skip by another spelling", "admitted", asYAML(deployment("off-controllers", "main", " Off ")), apply...)
	r.try(t, "control plane, auto", "admitted", asYAML(deployment("agents", "main", "auto")), apply...)
	r.try(t, "control plane, not declared", "admitted", asYAML(deployment("gateway", "main")), apply...)
	r.try(t, "controllers, not declared", "refused CNM001", asYAML(deployment("bad-controllers", "main")), apply...)
	r.try(t, "controllers, auto", "refused CNM002", asYAML(deployment("bad-controllers", "main", "auto")), apply...)
	r.try(t, "controllers, a reference", "refused CNM003", asYAML(deployment("bad-controllers", "main", "$(OTHER)")), apply...)
	r.try(t, "controllers by the name of a container", "refused CNM002", asYAML(deployment("worker", "agents-controllers", "auto")), apply...)
	r.try(t, "a Pod of its own", "refused CNM002", asYAML(pod("bad-controllers", "auto")), apply...)
	r.try(t, "two declarations, client-side apply", "refused CNM004",
		asYAML(deployment("twice-controllers", "main", "skip", "skip")), apply...)
	r.try(t, "two declarations, server-side apply", "refused by the API server itself",
		asYAML(deployment("twice-controllers", "main", "skip", "skip")), "apply", "--server-side", "-f", "-")
}

// updates changes a workload that keeps the contract.
func (r *run) updates(t *testing.T) {
	r.MustKubectl(asYAML(deployment("good-controllers", "main", "skip")), "apply", "-f", "-")
	good := "deployment/good-controllers"
	in := []string{"--namespace", scenarios}
	r.try(t, "update to auto, apply", "refused CNM002", asYAML(deployment("good-controllers", "main", "auto")), "apply", "-f", "-")
	r.try(t, "update to auto, kubectl set env", "refused CNM002", "", append(in, "set", "env", good, variable+"=auto")...)
	r.try(t, "update that removes it, kubectl set env", "refused CNM001", "", append(in, "set", "env", good, variable+"-")...)
	r.try(t, "update to another skip value", "admitted", "", append(in, "set", "env", good, variable+"=off")...)
	r.try(t, "rollout restart of one that skips", "admitted", "", append(in, "rollout", "restart", good)...)
	r.try(t, "scale of one that skips", "admitted", "", append(in, "scale", good, "--replicas=1")...)
	r.podsOf(t, scenarios, "app=good-controllers", 1)
}

// ephemeral adds containers to a running Pod.
func (r *run) ephemeral(t *testing.T) {
	r.MustKubectl(asYAML(pod("debug-controllers", "skip")), "apply", "-f", "-")
	debug := []string{"--namespace", scenarios, "debug", "pod/debug-controllers", "--image", image, "--profile=general"}
	r.try(t, "kubectl debug, not declared", "refused CNM001", "", debug...)
	r.try(t, "kubectl debug --env skip", "admitted", "", append(debug, "--env", variable+"=skip")...)
}

// exemptImage exempts an image and not the others.
func (r *run) exemptImage(t *testing.T) {
	r.enforce(t, r.constraint(t, "--exempt-image", "registry.example.com/proxy*"))
	object := deployment("proxied-controllers", "main", "skip")
	template := object["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
	template["containers"] = append(template["containers"].([]any), map[string]any{"name": "proxy", "image": "registry.example.com/proxy:2"})
	r.try(t, "exempt image beside it, not declared", "admitted", asYAML(object), "apply", "-f", "-")
	template["containers"].([]any)[1].(map[string]any)["image"] = "registry.example.com/other:2"
	r.try(t, "the same with another image", "refused CNM001", asYAML(object), "apply", "-f", "-")
}

// softer enforces with warn and with dryrun.
func (r *run) softer(t *testing.T) {
	r.enforce(t, r.constraint(t, "--enforcement", "warn"))
	r.try(t, "enforcement warn, controllers auto", "admitted, warning CNM002",
		asYAML(deployment("warned-controllers", "main", "auto")), "apply", "-f", "-")

	r.enforce(t, r.constraint(t, "--enforcement", "dryrun"))
	r.try(t, "enforcement dryrun, controllers auto", "admitted",
		asYAML(deployment("dryrun-controllers", "main", "auto")), "apply", "-f", "-")
	const what = "enforcement dryrun is seen in"
	if r.audits {
		r.audited(t, "dryrun-controllers", "CNM002")
		r.record(t, what, "the constraint's status", "the constraint's status", "")
	} else {
		r.inAuditLog(t, "dryrun-controllers", "CNM002")
		r.record(t, what, "the audit log", "the audit log", "")
	}
}

// audited waits until the status of the constraint names a Deployment.
func (r *run) audited(t *testing.T, name, code string) {
	t.Helper()
	r.Eventually("the audit finds "+name, func(context.Context) (bool, error) {
		stdout, stderr, err := r.Kubectl("", "get", "controllersnevermigrate", "controllers-never-migrate", "-o", "json")
		if err != nil {
			return false, fmt.Errorf("%w: %s", err, stderr)
		}
		var constraint struct {
			Status struct {
				Violations []struct{ Kind, Name, Namespace, Message string }
			}
		}
		if err := json.Unmarshal([]byte(stdout), &constraint); err != nil {
			return false, err
		}
		for _, violation := range constraint.Status.Violations {
			if violation.Kind == "Deployment" && violation.Name == name && violation.Namespace == scenarios && strings.Contains(violation.Message, code) {
				return true, nil
			}
		}
		return false, fmt.Errorf("the violations are %+v", constraint.Status.Violations)
	})
}

// inAuditLog waits until the API server's audit log has a failed validation of
// a Deployment.
func (r *run) inAuditLog(t *testing.T, name, code string) {
	t.Helper()
	r.Eventually("the audit log names "+name, func(context.Context) (bool, error) {
		file, err := os.Open(r.AuditLog())
		if err != nil {
			return false, err
		}
		defer func() { _ = file.Close() }()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			var event struct {
				ObjectRef   struct{ Resource, Name string }
				Annotations map[string]string
			}
			if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
				continue // The last line may still be written.
			}
			failure := event.Annotations["validation.policy.admission.k8s.io/validation_failure"]
			if event.ObjectRef.Resource == "deployments" && event.ObjectRef.Name == name && strings.Contains(failure, code) {
				return true, nil
			}
		}
		return false, lines.Err()
	})
}

// older is what is done with a workload that was there before the constraint.
func (r *run) older(t *testing.T) {
	in := []string{"--namespace", scenarios}
	r.enforce(t)
	held := pod("held-controllers", "auto")
	held["metadata"].(map[string]any)["finalizers"] = []any{"example.com/hold"}
	r.try(t, "nothing enforced, controllers auto", "admitted", asYAML(deployment("old-controllers", "main", "auto"), held), "apply", "-f", "-")
	r.podsOf(t, scenarios, "app=old-controllers", 2)

	r.enforce(t, r.constraint(t))
	old := "deployment/old-controllers"
	if r.audits {
		r.audited(t, "old-controllers", "CNM002")
		r.record(t, "older workload: found by the audit", "yes", "yes", "")
	}
	r.try(t, "older workload: kubectl annotate", "admitted", "", append(in, "annotate", old, "example.com/note=1")...)
	r.try(t, "older workload: status update", "admitted", "", append(in, "patch", old, "--subresource=status", "--type=merge", "-p", `{"status":{"collisionCount":0}}`)...)
	r.try(t, "older workload: kubectl rollout restart", "refused CNM002", "", append(in, "rollout", "restart", old)...)
	r.try(t, "older workload: kubectl scale to 3", "admitted", "", append(in, "scale", old, "--replicas=3")...)
	r.podOfOlder(t)
	r.try(t, "older workload: kubectl scale back to 2", "admitted", "", append(in, "scale", old, "--replicas=2")...)

	r.try(t, "older workload: the repair, kubectl set env", "admitted", "", append(in, "set", "env", old, variable+"=skip")...)
	r.repaired(t)

	r.try(t, "older Pod: kubectl label", "admitted", "", append(in, "label", "pod/held-controllers", "example.com/note=1")...)
	r.try(t, "older Pod: kubectl delete", "admitted", "", append(in, "delete", "pod/held-controllers", "--wait=false")...)
	r.try(t, "older Pod: its finalizer removed", "admitted", "", append(in, "patch", "pod/held-controllers", "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)...)
	r.Eventually("the held pod is gone", func(context.Context) (bool, error) {
		stdout, _, err := r.Kubectl("", append(in, "get", "pods", "-o", "name")...)
		return err == nil && !strings.Contains(stdout, "held-controllers"), err
	})
}

// podOfOlder waits for the refusal of the third Pod, which the status of the
// ReplicaSet shows.
func (r *run) podOfOlder(t *testing.T) {
	t.Helper()
	var told string
	r.Eventually("the ReplicaSet tells that its Pod is refused", func(ctx context.Context) (bool, error) {
		sets, err := r.Clients().AppsV1().ReplicaSets(scenarios).List(ctx, metav1.ListOptions{LabelSelector: "app=old-controllers"})
		if err != nil {
			return false, err
		}
		for _, set := range sets.Items {
			for _, condition := range set.Status.Conditions {
				if condition.Type == "ReplicaFailure" && condition.Status == corev1.ConditionTrue {
					told = condition.Message
					return true, nil
				}
			}
		}
		return false, fmt.Errorf("no condition ReplicaFailure in %d ReplicaSets", len(sets.Items))
	})
	r.record(t, "older workload: another Pod of its ReplicaSet", "refused CNM002", outcomeOf(true, told).String(), told)
}

// repaired waits until the ReplicaSet of before has no Pods and the new one has
// all: the deployment controller's updates of the old one were admitted.
func (r *run) repaired(t *testing.T) {
	t.Helper()
	const what = "older workload: its old ReplicaSet scaled down after the repair"
	r.Eventually("the repaired Deployment has replaced its Pods", func(ctx context.Context) (bool, error) {
		pods, err := r.running(ctx, scenarios, "app=old-controllers")
		skip := 0
		for _, one := range pods {
			if one.Spec.Containers[0].Env[0].Value == "skip" {
				skip++
			}
		}
		return skip == 2 && len(pods) == 2, errors.Join(err, fmt.Errorf("%d pods, %d of them skip", len(pods), skip))
	})
	r.record(t, what, "admitted", "admitted", "")
}

// deletions removes workloads that break the contract.
func (r *run) deletions(t *testing.T) {
	in := []string{"--namespace", scenarios}
	r.enforce(t)
	r.MustKubectl(asYAML(deployment("doomed-controllers", "main", "auto")), "apply", "-f", "-")
	r.podsOf(t, scenarios, "app=doomed-controllers", 2)
	r.enforce(t, r.constraint(t))
	r.try(t, "older workload: kubectl delete", "admitted", "", append(in, "delete", "deployment/doomed-controllers", "--cascade=foreground")...)
	r.podsOf(t, scenarios, "app=doomed-controllers", 0)
}
