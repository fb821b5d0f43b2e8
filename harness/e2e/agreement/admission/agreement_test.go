package admission_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/fixtures"
	"github.com/proompteng/nevermigrate/harness"
	policyof "github.com/proompteng/nevermigrate/harness/admission"
	"github.com/proompteng/nevermigrate/harness/constraint"
	"github.com/proompteng/nevermigrate/harness/e2e/agreement"
	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/manifest"
)

// stricter are the ways in which the policy of the API server may differ from
// the Rego policy, always by a refusal. No other difference is let pass.
var stricter = []struct {
	why  string
	when func(rego, cel []string, refusal error) bool
}{
	// There is none: they give the same codes for the same containers.
}

var found = regexp.MustCompile(`(?:: | )(CNM[0-9]{3}) [A-Za-z]+/[^ ]*?(?: container ([^ :]+))?:`)

// findingsOf are the codes in a refusal, each with its container.
func findingsOf(refusal error) []string {
	if refusal == nil {
		return nil
	}
	var all []string
	for _, match := range found.FindAllStringSubmatch(refusal.Error(), -1) {
		all = append(all, match[1]+" "+match[2])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// enforcers are the two policies of a constraint.
type enforcers struct {
	rego *evaluate.Evaluator
	cel  *apiServer
}

func newEnforcers(t testing.TB, c *constraint.Constraint) enforcers {
	t.Helper()
	evaluator, err := evaluate.New(t.Context(), nil, c)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := policyof.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	// What is found counts here, not what is done about it.
	policy.Binding.Spec.ValidationActions = []admissionv1.ValidationAction{admissionv1.Deny}
	return enforcers{evaluator, compile(t, policy)}
}

// findings are what Rego finds in an object, but for doubts, which the cluster
// does not know.
func (e enforcers) findings(t testing.TB, object map[string]any) []string {
	result, err := e.rego.Evaluate(t.Context(), []manifest.Object{{Content: object}})
	if err != nil {
		t.Error(err)
		return nil
	}
	var all []string
	for _, finding := range result.Findings {
		if !strings.HasPrefix(finding.Code, "CNM1") {
			all = append(all, finding.Code+" "+finding.Container)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// requests are the objects that a client sends for a document: a list is sent
// item by item, an object without a namespace goes to one, and an object that
// names no resource of a workload is not sent where the policy looks.
func requests(document any, kind, apiVersion any) []map[string]any {
	object, ok := document.(map[string]any)
	if !ok {
		return nil
	}
	object = maps.Clone(object)
	if object["kind"] == nil && kind != nil {
		object["kind"], object["apiVersion"] = kind, apiVersion
	}
	if items, ok := object["items"].([]any); ok {
		var all []map[string]any
		of, _ := object["kind"].(string)
		for _, item := range items {
			all = append(all, requests(item, strings.TrimSuffix(of, "List"), object["apiVersion"])...)
		}
		return all
	}
	if resourceOf(object) == "" {
		return nil
	}
	if metadata, ok := object["metadata"].(map[string]any); ok {
		namespace, _ := metadata["namespace"].(string)
		if namespace != "" && !slices.Contains(namespaces, namespace) {
			return nil
		}
		metadata = maps.Clone(metadata)
		if namespace == "" {
			metadata["namespace"] = namespaces[0]
		}
		object["metadata"] = metadata
	}
	return []map[string]any{object}
}

// versions are those of the groups of workloads that are or were served.
var versions = map[string]string{"": "v1", "apps": "v1", "argoproj.io": "v1alpha1", "batch": "v1", "extensions": "v1beta1"}

func resourceOf(object map[string]any) string {
	kind, _ := object["kind"].(string)
	apiVersion, _ := object["apiVersion"].(string)
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil || gv.Version != versions[gv.Group] {
		return ""
	}
	return resources[schema.GroupKind{Group: gv.Group, Kind: kind}]
}

// tally counts what was compared.
type tally struct {
	mu       sync.Mutex
	counts   map[string]int
	problems int
}

func (y *tally) count(what string, n int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.counts == nil {
		y.counts = map[string]int{}
	}
	y.counts[what] += n
}

// compare gives the objects of a document to both policies, in the forms in
// which an API server has them: of any shape, as custom resources are; and if
// asked for as a type, which is what is given to CEL from 1.37 on, and what
// earlier ones make of the type.
func (y *tally) compare(t testing.TB, e enforcers, document map[string]any, typed bool) {
	for _, object := range requests(document, nil, nil) {
		want := e.findings(t, object)
		y.one(t, e, "objects of any shape", object, asUnstructured(object), want)
		for _, finding := range want {
			y.count(finding[:6]+" found by Rego", 1)
		}
		if len(want) == 0 {
			y.count("nothing found by Rego", 1)
		}
		if !typed {
			continue
		}
		read := asTyped(object)
		if read == nil {
			continue
		}
		converted, err := runtime.DefaultUnstructuredConverter.ToUnstructured(read)
		if err != nil {
			t.Error(err)
			return
		}
		// To read an object as a type can repair it: null becomes an empty text.
		if !equal(object, converted) {
			want = e.findings(t, converted)
		}
		y.one(t, e, "typed objects", converted, read, want)
		if len(want) > 0 {
			y.one(t, e, "converted objects", converted, asUnstructured(converted), want)
		}
	}
}

// equal reports whether a type kept an object, but for what it always adds.
func equal(object, converted map[string]any) bool {
	one, _ := json.Marshal(object)
	other, _ := json.Marshal(converted)
	added := strings.NewReplacer(`"creationTimestamp":null,`, "", `"resources":{},`, "", `,"resources":{}`, "", `,"status":{}`, "", `,"strategy":{}`, "", `"strategy":{},`, "", `,"updateStrategy":{}`, "", `"selector":null,`, "")
	return added.Replace(string(one)) == added.Replace(string(other))
}

func (y *tally) one(t testing.TB, e enforcers, form string, object map[string]any, given runtime.Object, want []string) {
	refusal := e.cel.review(t, request{operation: admission.Create, object: given}.attributes(t))
	got := findingsOf(refusal)
	y.count(form+" compared", 1)
	if slices.Equal(want, got) && (refusal != nil) == (len(want) > 0) {
		return
	}
	for _, class := range stricter {
		if refusal != nil && class.when(want, got, refusal) {
			y.count("stricter: "+class.why, 1)
			return
		}
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.problems++; y.problems <= 10 {
		text, _ := json.Marshal(object)
		t.Errorf("%s: Rego finds %q, the API server %q: %v\n%s", form, want, got, refusal, text)
	}
}

// report prints the counts and requires some to be high enough for the
// comparison to say anything.
func (y *tally) report(t *testing.T, floors map[string]int) {
	t.Helper()
	for _, what := range slices.Sorted(maps.Keys(y.counts)) {
		t.Logf("%7d %s", y.counts[what], what)
	}
	for what, floor := range floors {
		if y.counts[what] < floor {
			t.Errorf("%d %s, want at least %d", y.counts[what], what, floor)
		}
	}
}

func parse(t testing.TB, text string) *constraint.Constraint {
	t.Helper()
	var content map[string]any
	if err := yaml.Unmarshal([]byte("apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: ControllersNeverMigrate\nmetadata: {name: chosen}\nspec: "+text), &content); err != nil {
		t.Fatal(err)
	}
	return &constraint.Constraint{File: "chosen", Name: "chosen", Content: content}
}

// settings are the constraints under which the corpus is compared, in turn.
func settings(t testing.TB) []enforcers {
	var all []enforcers
	all = append(all, newEnforcers(t, nil))
	for _, spec := range []string{
		fmt.Sprintf("{parameters: {exemptImages: [%q, %q]}, match: {excludedNamespaces: [%q]}}", agreement.ExemptImage, agreement.ExemptPrefix+"*", agreement.ExcludedNamespace),
		`{enforcementAction: warn, match: {namespaces: ["agents*"], kinds: [{apiGroups: [apps, ""], kinds: ["*"]}]}, parameters: {controllers: ["agents*", "x-*", "*init*"], skipValues: ["off", never]}}`,
		`{enforcementAction: dryrun, match: {namespaces: [agents, kube-system], excludedNamespaces: ["*-system"]}, parameters: {envVar: AGENTS_MIGRATIONS}}`,
	} {
		all = append(all, newEnforcers(t, parse(t, spec)))
	}
	return all
}

// TestCorpus compares random objects.
func TestCorpus(t *testing.T) {
	objects := 22000
	if testing.Short() {
		objects = 1000
	}
	all := settings(t)
	var y tally
	var wg sync.WaitGroup
	corpus := agreement.Corpus(2, objects)
	const parts = 4
	for part := range parts {
		wg.Go(func() {
			for i := part; i < len(corpus); i += parts {
				// The first setting gets half of them. A third are given as types too.
				round, turn := i/parts/(2*len(all)-2), i/parts%(2*len(all)-2)
				y.compare(t, all[max(0, turn-len(all)+2)], corpus[i], round%3 == 0)
			}
		})
	}
	wg.Wait()
	floors := map[string]int{
		"objects of any shape compared": objects * 10 / 11,
		"typed objects compared":        objects * 2 / 10,
		"converted objects compared":    objects * 5 / 100,
		"nothing found by Rego":         objects * 2 / 10,
	}
	for _, code := range []string{"CNM001", "CNM002", "CNM003", "CNM004", "CNM005", "CNM006"} {
		floors[code+" found by Rego"] = objects / 30
	}
	y.report(t, floors)
}

// TestCases compares each object of each case, under the case's constraints.
func TestCases(t *testing.T) {
	cases, err := fixtures.Cases(filepath.Join("..", "..", "..", "..", "fixtures", "cases"))
	if err != nil {
		t.Fatal(err)
	}
	var y tally
	defaults := newEnforcers(t, nil)
	for _, c := range cases {
		under := []enforcers{defaults}
		if len(c.Constraints) > 0 {
			constraints, err := constraint.Load(c.ConstraintPaths())
			if err != nil {
				t.Fatal(err)
			}
			under = nil
			for i := range constraints {
				under = append(under, newEnforcers(t, &constraints[i]))
			}
		}
		text, err := harness.Render(t.Context(), c.Path(), harness.Options{AllowAbsent: c.AllowAbsent})
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		objects, err := manifest.Read(text)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		y.count("cases", 1)
		for _, object := range objects {
			text, err := json.Marshal(object.Content)
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			content := decode(t, string(text))
			for _, e := range under {
				y.compare(t, e, content, true)
			}
		}
	}
	y.report(t, map[string]int{"cases": 250, "objects of any shape compared": 400, "typed objects compared": 400, "nothing found by Rego": 200})
}
