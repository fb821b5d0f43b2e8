package agreement_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/frameworks/constraint/pkg/apis/constraints"
	templatesv1 "github.com/open-policy-agent/frameworks/constraint/pkg/apis/templates/v1"
	"github.com/open-policy-agent/frameworks/constraint/pkg/client"
	"github.com/open-policy-agent/frameworks/constraint/pkg/client/drivers/rego"
	"github.com/open-policy-agent/frameworks/constraint/pkg/client/reviews"
	mutation "github.com/open-policy-agent/gatekeeper/v3/pkg/mutation/types"
	"github.com/open-policy-agent/gatekeeper/v3/pkg/target"
	"github.com/open-policy-agent/gatekeeper/v3/pkg/util"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/gatekeeper"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// finding is what both sides say of a container or an object.
type finding struct {
	Constraint, Action                   string
	Code, Workload, Namespace, Container string
	Message, Remedy                      string
}

func sorted(findings []finding) []finding {
	slices.SortFunc(findings, func(a, b finding) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	return findings
}

// withoutTexts leaves out what names a place in a document: in a list an object
// has another place than alone.
func withoutTexts(findings []finding) []finding {
	var short []finding
	for _, f := range findings {
		f.Message, f.Remedy = "", ""
		short = append(short, f)
	}
	return sorted(short)
}

// engine is Gatekeeper's own engine, with the template that this project
// writes, and what the API server does with a constraint before.
type engine struct {
	*client.Client
	structural *schema.Structural
	validator  validation.SchemaValidator
}

func newEngine(t testing.TB) *engine {
	t.Helper()
	driver, err := rego.New(rego.Tracing(false), rego.DisableBuiltins("http.send"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.NewClient(
		client.Targets(&target.K8sValidationTarget{}), client.Driver(driver),
		client.EnforcementPoints(util.WebhookEnforcementPoint),
	)
	if err != nil {
		t.Fatal(err)
	}
	text, err := gatekeeper.Template(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// A field that Gatekeeper does not know would be dropped in the cluster.
	var versioned templatesv1.ConstraintTemplate
	if err := yaml.UnmarshalStrict(text, &versioned); err != nil {
		t.Fatal(err)
	}
	template, err := versioned.ToVersionless()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddTemplate(t.Context(), template); err != nil {
		t.Fatal(err)
	}
	crd, err := c.CreateCRD(t.Context(), template)
	if err != nil {
		t.Fatal(err)
	}
	of := crd.Spec.Validation
	if of == nil {
		of = crd.Spec.Versions[0].Schema
	}
	structural, err := schema.NewStructural(of.OpenAPIV3Schema)
	if err != nil {
		t.Fatal(err)
	}
	if problems := schema.ValidateStructural(nil, structural); len(problems) > 0 {
		t.Fatal(problems.ToAggregate())
	}
	problems, err := defaulting.ValidateDefaults(t.Context(), nil, structural, true, true)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems.ToAggregate())
	}
	validator, _, err := validation.NewSchemaValidator(of.OpenAPIV3Schema)
	if err != nil {
		t.Fatal(err)
	}
	return &engine{c, structural, validator}
}

// apply gives a constraint to the cluster: the API server drops unknown keys
// that the schema does not keep, fills in defaults and checks the schema, then
// Gatekeeper's webhook checks it, and its controller takes it.
func (e *engine) apply(ctx context.Context, content map[string]any) error {
	object := &unstructured.Unstructured{Object: clone(content)}
	pruning.Prune(object.Object, e.structural, true)
	defaulting.PruneNonNullableNullsWithoutDefaults(object.Object, e.structural)
	defaulting.Default(object.Object, e.structural)
	if problems := validation.ValidateCustomResource(nil, object.Object, e.validator); len(problems) > 0 {
		return fmt.Errorf("API server: %w", problems.ToAggregate())
	}
	return e.take(ctx, object)
}

// take gives a constraint to Gatekeeper past the API server, as gator does.
func (e *engine) take(ctx context.Context, object *unstructured.Unstructured) error {
	if err := e.ValidateConstraint(object); err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	action, err := constraints.GetEnforcementAction(object)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	if err := util.ValidateEnforcementAction(util.EnforcementAction(action), object.Object); err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	_, err = e.AddConstraint(ctx, object)
	return err
}

// errNoRequest says that no client could ask an API server about an object.
var errNoRequest = errors.New("no request can be made of it")

// request is the request that the API server would send of an object.
func request(operation admissionv1.Operation, object, old map[string]any) (*admissionv1.AdmissionRequest, error) {
	about := &unstructured.Unstructured{Object: object}
	if object == nil {
		about.Object = old
	}
	kind, _ := about.Object["kind"].(string)
	apiVersion, _ := about.Object["apiVersion"].(string)
	version, err := runtimeschema.ParseGroupVersion(apiVersion)
	// The group without a name has one version only.
	if kind == "" || version.Version == "" || err != nil || version.Group == "" && version.Version != "v1" {
		return nil, errNoRequest
	}
	r := &admissionv1.AdmissionRequest{
		Kind:      metav1.GroupVersionKind{Group: version.Group, Version: version.Version, Kind: kind},
		Name:      about.GetName(),
		Namespace: about.GetNamespace(),
		Operation: operation,
	}
	for _, side := range []struct {
		from map[string]any
		to   *runtime.RawExtension
	}{{object, &r.Object}, {old, &r.OldObject}} {
		if side.from == nil {
			continue
		}
		if side.to.Raw, err = json.Marshal(side.from); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// review is what Gatekeeper's webhook makes of a request.
func (e *engine) review(ctx context.Context, r *admissionv1.AdmissionRequest) ([]finding, error) {
	review := &target.AugmentedReview{AdmissionRequest: r, Source: mutation.SourceTypeOriginal, IsAdmission: true}
	if r.Namespace != "" {
		review.Namespace = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: r.Namespace}}
	}
	responses, err := e.Review(ctx, review, reviews.EnforcementPoint(util.WebhookEnforcementPoint))
	if err != nil {
		return nil, err
	}
	var findings []finding
	for _, result := range responses.Results() {
		details, ok := result.Metadata["details"].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("a result without details: %s", result.Msg)
		}
		text := func(key string) string { s, _ := details[key].(string); return s }
		f := finding{
			Constraint: result.Constraint.GetName(), Action: result.EnforcementAction,
			Code: text("code"), Workload: text("workload"), Namespace: text("namespace"), Container: text("container"),
			Message: text("message"), Remedy: text("remedy"),
		}
		// The message is all that a developer sees.
		if !strings.HasPrefix(result.Msg, f.Code+" "+f.Workload) || !strings.HasSuffix(result.Msg, f.Message+" "+f.Remedy) {
			return nil, fmt.Errorf("the message %q does not tell the finding %+v", result.Msg, f)
		}
		findings = append(findings, f)
	}
	return sorted(findings), nil
}

// create reviews the request to create an object.
func (e *engine) create(ctx context.Context, object map[string]any) ([]finding, error) {
	r, err := request(admissionv1.Create, object, nil)
	if err != nil {
		return nil, err
	}
	return e.review(ctx, r)
}

// gate is what the harness says of an object under constraints: what it would
// deny, or would if the constraint denied.
type gate []*evaluate.Evaluator

func newGate(t testing.TB, given ...constraint.Constraint) gate {
	t.Helper()
	var g gate
	for i := range given {
		evaluator, err := evaluate.New(t.Context(), nil, &given[i])
		if err != nil {
			t.Fatal(err)
		}
		g = append(g, evaluator)
	}
	return g
}

// judged is the verdict on an object, and whether a controllers workload is in it.
type judged struct {
	findings               []finding
	controllers, workloads int
}

func (g gate) judge(ctx context.Context, object map[string]any) (judged, error) {
	var verdict judged
	for _, evaluator := range g {
		result, err := evaluator.Evaluate(ctx, []manifest.Object{{Document: 1, Content: clone(object)}})
		if err != nil {
			return verdict, err
		}
		for _, workload := range result.Workloads {
			verdict.workloads++
			if workload.Role == "controllers" {
				verdict.controllers++
			}
		}
		for _, f := range result.Findings {
			// What only warns is for the gate: Gatekeeper has violations only.
			if strings.HasPrefix(f.Code, "CNM1") {
				continue
			}
			if deny := evaluator.EnforcementAction() == "deny"; deny != (f.Severity == "deny") {
				return verdict, fmt.Errorf("%s is %s under %s", f.Code, f.Severity, evaluator.EnforcementAction())
			}
			verdict.findings = append(verdict.findings, finding{
				Constraint: evaluator.ConstraintName(), Action: evaluator.EnforcementAction(),
				Code: f.Code, Workload: f.Workload, Namespace: f.Namespace, Container: f.Container,
				Message: f.Message, Remedy: f.Remedy,
			})
		}
	}
	verdict.findings = sorted(verdict.findings)
	return verdict, nil
}

// clone copies an object through JSON, as it reaches either side.
func clone(object map[string]any) map[string]any {
	text, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	var copied map[string]any
	if err := json.Unmarshal(text, &copied); err != nil {
		panic(err)
	}
	return copied
}

// requested are the objects that a client asks the API server about when it
// applies a document: it looks into lists. It is an error when a client cannot
// read the list.
func requested(document map[string]any) ([]map[string]any, error) {
	var all []map[string]any
	if kind, _ := document["kind"].(string); !strings.HasSuffix(kind, "List") {
		all = append(all, document)
	}
	if document["items"] == nil {
		return all, nil
	}
	if items, ok := document["items"].([]any); ok && slices.Contains(items, any(nil)) {
		return nil, errNoRequest // the decoder would make objects of what is none
	}
	text, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	decoded, _, err := unstructured.UnstructuredJSONScheme.Decode(text, nil, nil)
	if err != nil {
		return nil, errNoRequest
	}
	list, ok := decoded.(*unstructured.UnstructuredList)
	if !ok {
		return nil, errNoRequest
	}
	for _, item := range list.Items {
		below, err := requested(item.Object)
		if err != nil {
			return nil, err
		}
		all = append(all, below...)
	}
	return all, nil
}

// constraintOf reads a constraint.
func constraintOf(t testing.TB, text []byte) constraint.Constraint {
	t.Helper()
	objects, err := manifest.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	metadata := objects[0].Content["metadata"].(map[string]any)
	return constraint.Constraint{Name: metadata["name"].(string), Content: objects[0].Content}
}

// chosen is a constraint as `nevermigrate template constraint` writes it.
func chosen(t testing.TB, choose func(*gatekeeper.Constraint)) constraint.Constraint {
	t.Helper()
	c, err := gatekeeper.Defaults(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	choose(&c)
	text, err := c.YAML(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return constraintOf(t, text)
}

// both are Gatekeeper and the gate under the same constraints.
type both struct {
	engine *engine
	gate   gate
}

func newBoth(t testing.TB, given ...constraint.Constraint) both {
	t.Helper()
	e := newEngine(t)
	for _, c := range given {
		if err := e.apply(t.Context(), c.Content); err != nil {
			t.Fatal(err)
		}
	}
	return both{e, newGate(t, given...)}
}

// compare judges a document both ways. It gives the gate's verdict, how many
// requests Gatekeeper reviewed, and an error when the verdicts differ.
func (b both) compare(ctx context.Context, document map[string]any) (judged, int, error) {
	verdict, err := b.gate.judge(ctx, document)
	if err != nil {
		return verdict, 0, fmt.Errorf("gate: %w", err)
	}
	objects, err := requested(document)
	if err != nil {
		return verdict, 0, err
	}
	var got []finding
	for _, object := range objects {
		found, err := b.engine.create(ctx, object)
		if err != nil {
			return verdict, 0, err
		}
		got = append(got, found...)
	}
	want := verdict.findings
	if len(objects) != 1 || document["items"] != nil {
		got, want = withoutTexts(got), withoutTexts(want)
	}
	if !slices.Equal(sorted(got), want) {
		text, _ := json.Marshal(document)
		return verdict, len(objects), fmt.Errorf("%s\nGatekeeper: %+v\ngate:       %+v", text, got, want)
	}
	return verdict, len(objects), nil
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
