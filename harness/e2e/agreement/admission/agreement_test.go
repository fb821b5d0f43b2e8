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

	"github.com/proompteng/nevermigrate/harness/e2e/agreement"
	policyof "github.com/proompteng/nevermigrate/harness/internal/admission"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// finding is what both policies say of a broken thing.
type finding struct{ code, workload, container, path string }

var refused = regexp.MustCompile(`(?:: | )(CNM[0-9]{3}) ([A-Za-z]+/[^ ]*?)(?: container ([^ ]+))? at (\S+?):?(?: |$)`)

// findingsOf are the findings in a refusal.
func findingsOf(refusal error) []finding {
	var all []finding
	if refusal != nil {
		for _, match := range refused.FindAllStringSubmatch(refusal.Error(), -1) {
			all = append(all, finding{match[1], match[2], match[3], match[4]})
		}
	}
	return all
}

// How the paths of two findings of the same code and container relate.
const (
	samePath    = "the same path"
	coarserPath = "the path of the list, or of its first equal item"
	otherPath   = "another path"
)

var index = regexp.MustCompile(`\[[0-9]+\]`)

// relation compares the paths of a finding in Rego and in CEL. CEL of Kubernetes
// 1.30 finds the index of an item by looking the item up. So it names the first of
// several that are equal, and of several declarations of the variable the list.
func relation(rego, cel string) string {
	switch {
	case rego == cel:
		return samePath
	case strings.HasPrefix(index.ReplaceAllString(rego, "[]"), index.ReplaceAllString(cel, "[]")):
		return coarserPath
	default:
		return otherPath
	}
}

// compareFindings tells how the findings of both policies relate at the most, and
// whether there are the same codes for the same workloads and containers, each
// with a path that fits.
func compareFindings(rego, cel []finding) (string, bool) {
	worst := samePath
	covers := func(ones, others []finding, relate func(one, other finding) string) bool {
		for _, one := range ones {
			best := otherPath
			for _, other := range others {
				if one.code != other.code || one.workload != other.workload || one.container != other.container {
					continue
				}
				if r := relate(one, other); r == samePath || best == otherPath {
					best = r
				}
			}
			if best == otherPath {
				return false
			}
			if best == coarserPath {
				worst = coarserPath
			}
		}
		return true
	}
	agree := covers(rego, cel, func(r, c finding) string { return relation(r.path, c.path) }) &&
		covers(cel, rego, func(c, r finding) string { return relation(r.path, c.path) })
	return worst, agree
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
func (e enforcers) findings(t testing.TB, object map[string]any) []finding {
	result, err := e.rego.Evaluate(t.Context(), []manifest.Object{{Content: object}})
	if err != nil {
		t.Error(err)
		return nil
	}
	var all []finding
	for _, found := range result.Findings {
		if !strings.HasPrefix(found.Code, "CNM1") {
			all = append(all, finding{found.Code, found.Workload, found.Container, found.Path})
		}
	}
	return all
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

func resourceOf(object map[string]any) string {
	kind, _ := object["kind"].(string)
	apiVersion, _ := object["apiVersion"].(string)
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil || gv.Version != known().Versions[gv.Group] {
		return ""
	}
	return resourceOfKind(gv.Group, kind)
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
		codes := map[string]bool{}
		for _, found := range want {
			codes[found.code+" "+found.container] = true
		}
		for code := range codes {
			y.count(code[:6]+" found by Rego", 1)
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

// celAlone counts the objects in which CEL denies a command and Rego does not.
const celAlone = "objects in which only CEL finds CNM005"

// isStricter reports whether CEL finds what Rego finds, and besides that only
// commands: there it may be coarser. A here-document that is only printed counts
// for it, and so does each reference in a value to a later entry.
func isStricter(rego, cel []finding) bool {
	var besides []finding
	rest := slices.DeleteFunc(slices.Clone(cel), func(f finding) bool {
		alone := f.code == "CNM005" && !slices.ContainsFunc(rego, func(r finding) bool {
			return r.code == f.code && r.container == f.container && r.workload == f.workload
		})
		if alone {
			besides = append(besides, f)
		}
		return alone
	})
	_, agree := compareFindings(rego, rest)
	return len(besides) > 0 && agree
}

func (y *tally) one(t testing.TB, e enforcers, form string, object map[string]any, given runtime.Object, want []finding) {
	refusal := e.cel.review(t, request{operation: admission.Create, object: given}.attributes(t))
	got := findingsOf(refusal)
	y.count(form+" compared", 1)
	if paths, agree := compareFindings(want, got); agree && (refusal != nil) == (len(want) > 0) {
		if len(want) > 0 {
			y.count("refusals with "+paths, 1)
		}
		return
	}
	if isStricter(want, got) {
		y.count(celAlone, 1)
		return
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.problems++; y.problems <= 10 {
		text, _ := json.Marshal(object)
		t.Errorf("%s: Rego finds %+v, the API server %+v: %v\n%s", form, want, got, refusal, text)
	}
}

// report prints the counts and requires some to be high enough for the
// comparison to say anything.
func (y *tally) report(t *testing.T, floors map[string]int) {
	t.Helper()
	for _, what := range slices.Sorted(maps.Keys(y.counts)) {
		t.Logf("%7d %s", y.counts[what], what)
	}
	if most := (y.counts["objects of any shape compared"] + y.counts["typed objects compared"]) / 50; y.counts[celAlone] > most {
		t.Errorf("%d %s, want at most %d", y.counts[celAlone], celAlone, most)
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
	corpus := agreement.Corpus(t, 2, objects)
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
		"refusals with " + samePath:     objects * 3 / 10,
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
		text, err := check.Render(t.Context(), c.Path(), check.Options{AllowAbsent: c.AllowAbsent})
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
