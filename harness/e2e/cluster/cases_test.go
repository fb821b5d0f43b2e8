package cluster_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/proompteng/nevermigrate/harness/e2e/agreement"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/report"
)

// judgedCase is a fixture case with what the gate says about its objects.
type judgedCase struct {
	fixtures.Case
	objects []map[string]any
	// denied are the findings that deny, by kind, name and namespace.
	denied map[string][]report.Finding
	// warned are those under a constraint that warns.
	warned map[string][]report.Finding
	// namespace is where an object without one goes: where the case's
	// constraints bind it.
	namespace string
}

// judgeCases renders every case and judges it by the gate.
func judgeCases(t *testing.T, root string) []judgedCase {
	t.Helper()
	cases, err := fixtures.Cases(filepath.Join(root, "fixtures", "cases"))
	if err != nil {
		t.Fatal(err)
	}
	var all []judgedCase
	for _, c := range cases {
		rendered, err := check.Render(t.Context(), c.Path(), check.Options{})
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		objects, err := manifest.Read(rendered)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		judged := judgedCase{
			Case: c, namespace: boundNamespace(t, c),
			denied: map[string][]report.Finding{}, warned: map[string][]report.Finding{},
		}
		for _, object := range objects {
			judged.objects = append(judged.objects, unlisted(object.Content)...)
		}
		result, err := check.All(t.Context(), []string{"-"}, check.Options{
			Stdin: bytes.NewReader(rendered), AllowAbsent: true, Constraints: c.ConstraintPaths(),
		})
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		for _, target := range result.Targets {
			if target.Error != "" {
				t.Fatalf("%s: %s", c.Name, target.Error)
			}
			for _, finding := range target.Findings {
				// What judges a whole target is nothing that a cluster could know.
				if finding.Workload == "" {
					continue
				}
				key := finding.Workload + "/" + finding.Namespace
				switch {
				case finding.Severity == report.Deny:
					judged.denied[key] = append(judged.denied[key], finding)
				case finding.Enforcement == "warn":
					judged.warned[key] = append(judged.warned[key], finding)
				}
			}
		}
		all = append(all, judged)
	}
	return all
}

// boundNamespace is a namespace that the constraints of a case bind.
func boundNamespace(t *testing.T, c fixtures.Case) string {
	t.Helper()
	constraints, err := constraint.Load(c.ConstraintPaths())
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	for _, one := range constraints {
		bound, _, err := unstructured.NestedStringSlice(one.Content, "spec", "match", "namespaces")
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		if len(bound) > 0 {
			return strings.ReplaceAll(bound[0], "*", "x")
		}
	}
	return "default"
}

// unlisted is an object, or the objects of a List.
func unlisted(object map[string]any) []map[string]any {
	items, ok := object["items"].([]any)
	if !ok || object["kind"] != "List" {
		return []map[string]any{object}
	}
	var all []map[string]any
	for _, item := range items {
		if content, ok := item.(map[string]any); ok {
			all = append(all, unlisted(content)...)
		}
	}
	return all
}

// warnings are what the API server says beside its answer.
type warnings struct {
	sync.Mutex
	texts []string
}

// HandleWarningHeader implements rest.WarningHandler.
func (w *warnings) HandleWarningHeader(_ int, _ string, text string) {
	w.Lock()
	defer w.Unlock()
	w.texts = append(w.texts, text)
}

func (w *warnings) take() string {
	w.Lock()
	defer w.Unlock()
	defer func() { w.texts = nil }()
	return strings.Join(w.texts, "\n")
}

// sender creates objects without keeping them.
type sender struct {
	client   dynamic.Interface
	mapper   meta.RESTMapper
	warnings *warnings
}

func newSender(t *testing.T, config *rest.Config) *sender {
	t.Helper()
	s := &sender{warnings: &warnings{}}
	config = rest.CopyConfig(config)
	config.WarningHandler = s.warnings
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	s.client, s.mapper = client, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))
	return s
}

// send creates an object in a dry run, which goes through all of admission.
func (s *sender) send(ctx context.Context, content map[string]any, namespace string) (outcome, error) {
	object := &unstructured.Unstructured{Object: content}
	kind := object.GroupVersionKind()
	mapping, err := s.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return outcome{}, err
	}
	resource := dynamic.ResourceInterface(s.client.Resource(mapping.Resource))
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		resource = s.client.Resource(mapping.Resource).Namespace(namespace)
	}
	_, err = resource.Create(ctx, object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	text := s.warnings.take()
	if err != nil {
		text = err.Error()
	}
	return outcomeOf(err != nil, text), nil
}

// namespacesOf makes the namespaces of the objects of the cases.
func (r *run) namespacesOf(t *testing.T, cases []judgedCase) {
	t.Helper()
	made := map[string]bool{}
	for _, c := range cases {
		for _, object := range c.objects {
			namespace := c.namespaceOf(object)
			if made[namespace] {
				continue
			}
			made[namespace] = true
			if _, stderr, err := r.Kubectl("", "create", "namespace", namespace); err != nil && !strings.Contains(stderr, "already exists") {
				t.Fatalf("create namespace %s: %v: %s", namespace, err, stderr)
			}
			// The fixture app forbids there what the cases do not care about.
			r.MustKubectl("", "label", "namespace", namespace, "pod-security.kubernetes.io/enforce-")
		}
	}
}

// namespaceOf is where an object of the case goes.
func (c judgedCase) namespaceOf(object map[string]any) string {
	u := unstructured.Unstructured{Object: object}
	return cmp.Or(u.GetNamespace(), c.namespace)
}

// isKept reports whether what a finding is about reaches admission. A directive of a
// patch is no field, and the API server drops it when an object is created.
func isKept(f report.Finding) bool { return !strings.Contains(f.Path, ".$") }

// fixtureCases sends every workload of every fixture case: what the gate denies
// is refused, with its codes and places, and the rest is admitted.
func (r *run) fixtureCases(t *testing.T, cases []judgedCase) {
	sender := newSender(t, r.Config)
	r.namespacesOf(t, cases)
	byConstraints := map[string][]judgedCase{}
	kinds := agreement.Facts(t).Kinds
	for _, c := range cases {
		key := strings.Join(c.ConstraintPaths(), "\n")
		byConstraints[key] = append(byConstraints[key], c)
	}
	denied, refused, others, admitted, unserved, dropped := 0, 0, 0, 0, 0, 0
	itself := map[string]int{}
	for _, key := range slices.Sorted(maps.Keys(byConstraints)) {
		files := strings.Split(key, "\n")
		if key == "" {
			files = []string{r.constraint(t)}
		}
		r.enforce(t, files...)
		for _, c := range byConstraints[key] {
			for _, object := range c.objects {
				u := unstructured.Unstructured{Object: object}
				if _, isWorkload := kinds[u.GetKind()]; !isWorkload {
					continue
				}
				complete(object)
				name := fmt.Sprintf("%s/%s", u.GetKind(), u.GetName())
				findings := c.denied[name+"/"+u.GetNamespace()]
				o, err := sender.send(t.Context(), object, c.namespaceOf(object))
				if meta.IsNoMatchError(err) {
					unserved++
					t.Logf("%s: %s: %v", c.Name, name, err)
					continue
				}
				if err != nil {
					t.Fatalf("%s: %s: %v", c.Name, name, err)
				}
				switch {
				case o.refused && o.by != "policy":
					itself[map[bool]string{true: "denied by the gate", false: "not denied by the gate"}[len(findings) > 0]]++
					t.Logf("%s: %s: refused by the API server itself: %s", c.Name, name, o.text)
				case len(findings) > 0 && !slices.ContainsFunc(findings, isKept):
					dropped++
					if o.refused {
						t.Errorf("%s: %s is refused for a directive that the API server drops:\n%s", c.Name, name, o.text)
					}
				case len(findings) > 0:
					denied++
					if !o.refused {
						t.Errorf("%s: %s is admitted, and the gate denies it: %+v", c.Name, name, findings)
						continue
					}
					refused++
					for _, finding := range findings {
						says := finding.Code + " " + finding.Workload
						if finding.Container != "" {
							says += " container " + finding.Container
						}
						if !strings.Contains(o.text, says) {
							t.Errorf("%s: %s: the refusal does not say %q:\n%s", c.Name, name, says, o.text)
						}
					}
				default:
					others++
					if o.refused {
						t.Errorf("%s: %s is refused, and the gate lets it pass:\n%s", c.Name, name, o.text)
						continue
					}
					admitted++
					for _, finding := range c.warned[name+"/"+u.GetNamespace()] {
						if !strings.Contains(o.text, finding.Code) {
							t.Errorf("%s: %s is admitted without the warning %s: %q", c.Name, name, finding.Code, o.text)
						}
					}
				}
			}
		}
	}
	r.enforce(t)
	r.table.set("fixture cases: workloads that the gate denies", r.name, fmt.Sprintf("refused %d of %d", refused, denied))
	r.table.set("fixture cases: workloads that the gate lets pass", r.name, fmt.Sprintf("admitted %d of %d", admitted, others))
	r.table.set("fixture cases: with a directive, which the API server drops", r.name, fmt.Sprintf("admitted %d", dropped))
	for _, why := range slices.Sorted(maps.Keys(itself)) {
		r.table.set("fixture cases: "+why+", malformed for Kubernetes too", r.name, fmt.Sprintf("refused by the API server itself %d", itself[why]))
	}
	if denied < 100 || others < 100 {
		t.Errorf("%d workloads were denied by the gate and %d not: too few, cases are lost", denied, others)
	}
	r.table.set("fixture cases: of an API version that 1.35 does not serve", r.name, fmt.Sprintf("refused by the API server itself %d", unserved))
	if unserved > 3 {
		t.Errorf("the API server does not know the kinds of %d workloads", unserved)
	}
}
