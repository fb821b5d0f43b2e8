package gatekeeper_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

// The suite that `gator verify` runs, as far as it is used.
type (
	suite struct {
		APIVersion, Kind string
		Metadata         map[string]string
		Tests            []suiteTest
	}
	suiteTest struct {
		Name, Template, Constraint string
		Invalid                    bool
		Cases                      []suiteCase
	}
	suiteCase struct {
		Name, Object string
		Assertions   []assertion
	}
	// assertion is a number of violations whose messages match.
	assertion struct {
		Violations int
		Message    string
	}
)

var samples = filepath.Join("..", "..", "..", "policy", "gatekeeper")

// defaults are the samples that are written, and the constraint with the defaults.
const defaults = "controllers-never-migrate"

// fileOf is the file of a case, as Gatekeeper's own library calls it.
func fileOf(name string) string { return strings.ReplaceAll(name, "-", "_") + ".yaml" }

func readSuite(t *testing.T, file string) suite {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(samples, file))
	if err != nil {
		t.Fatal(err)
	}
	var s suite
	if err := yaml.UnmarshalStrict(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// codes are the codes that a case asserts, each as often as it must come.
func (c suiteCase) codes(t *testing.T) []string {
	t.Helper()
	codes, total := []string{}, -1
	for _, a := range c.Assertions {
		if a.Message == "" {
			total = a.Violations
			continue
		}
		code := strings.TrimSuffix(strings.TrimPrefix(a.Message, "^"), " ")
		if a.Message != "^"+code+" " {
			t.Errorf("%s: the message %q is not one code", c.Name, a.Message)
		}
		codes = append(codes, slices.Repeat([]string{code}, a.Violations)...)
	}
	if len(codes) != total {
		t.Errorf("%s asserts %d violations and the codes %v", c.Name, total, codes)
	}
	return codes
}

func (c suiteCase) isAllowed() bool { return strings.HasPrefix(c.Name, "example-allowed-") }

// TestSuiteIsComplete looks at what the suite asserts: each rule that denies an
// object, and each kind, has an allowed and a disallowed sample, and each file
// is used. gator says whether it is true.
func TestSuiteIsComplete(t *testing.T) {
	s := readSuite(t, "suite.yaml")
	if len(s.Tests) < 15 {
		t.Fatalf("the suite has only %d tests", len(s.Tests))
	}
	used := map[string]bool{}
	allowed, disallowed := map[string]int{}, map[string]int{}
	for _, test := range s.Tests {
		used[test.Constraint] = true
		if test.Template != "template.yaml" || test.Invalid == (len(test.Cases) > 0) || test.Constraint != "samples/"+test.Name+"/constraint.yaml" {
			t.Errorf("test %s has another template or constraint, or no cases", test.Name)
		}
		for _, c := range test.Cases {
			used[c.Object] = true
			codes := c.codes(t)
			if c.isAllowed() == strings.HasPrefix(c.Name, "example-disallowed-") || c.isAllowed() != (len(codes) == 0) {
				t.Errorf("case %s of %s asserts %v", c.Name, test.Name, codes)
			}
			if c.Object != "samples/"+test.Name+"/"+fileOf(c.Name) {
				t.Errorf("case %s of %s judges %s", c.Name, test.Name, c.Object)
			}
			about, _, _ := strings.Cut(test.Name, "-")
			about = strings.ToUpper(about)
			switch last := c.Name[strings.LastIndex(c.Name, "-")+1:]; test.Name {
			case "kinds":
				about = last
			case defaults:
				about = strings.ToUpper(last)
			}
			switch {
			case c.isAllowed():
				allowed[about]++
			case test.Name == "kinds" || slices.Contains(codes, about):
				disallowed[about]++
			}
		}
	}
	known, err := catalogue.BuiltIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rules, err := known.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var must []string
	for _, rule := range rules {
		// CNM007 is about a whole target and CNM008 about a change, and the cluster sees
		// single objects.
		if rule.Severity == report.Deny && rule.Code != stated.Absent && rule.Code != stated.Weaker {
			must = append(must, rule.Code)
		}
	}
	for _, kind := range kinds(t) {
		must = append(must, strings.ToLower(kind))
	}
	if len(must) < 17 {
		t.Errorf("only %v need samples", must)
	}
	for _, about := range must {
		if allowed[about] == 0 || disallowed[about] == 0 {
			t.Errorf("%s has %d allowed and %d disallowed samples", about, allowed[about], disallowed[about])
		}
	}
	files := 0
	err = fs.WalkDir(os.DirFS(samples), "samples", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files++
			if !used[path] {
				t.Errorf("%s is not used", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files of samples", files)
}

// kinds are the kinds that the committed constraint selects.
func kinds(t *testing.T) []string {
	t.Helper()
	loaded := loadConstraint(t, "samples/"+defaults+"/constraint.yaml")
	var found []string
	match := loaded.Content["spec"].(map[string]any)["match"].(map[string]any)
	for _, entry := range match["kinds"].([]any) {
		for _, kind := range entry.(map[string]any)["kinds"].([]any) {
			found = append(found, kind.(string))
		}
	}
	return found
}

func loadConstraint(t *testing.T, file string) *constraint.Constraint {
	t.Helper()
	loaded, err := constraint.Load([]string{filepath.Join(samples, filepath.FromSlash(file))})
	if err != nil {
		t.Fatal(err)
	}
	return &loaded[0]
}

// TestSamplesInTheGate judges the samples as the gate does: it must say what
// the suite asserts of Gatekeeper. Reviews of requests are the cluster's only.
func TestSamplesInTheGate(t *testing.T) {
	judged, refused := 0, 0
	for _, test := range readSuite(t, "suite.yaml").Tests {
		t.Run(test.Name, func(t *testing.T) {
			evaluator, err := evaluate.New(t.Context(), nil, loadConstraint(t, test.Constraint))
			if test.Invalid || test.Name == "cnm000-unusable-constraint" {
				refused++
				if err == nil {
					t.Errorf("%s is refused in the cluster and not in the gate", test.Constraint)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range test.Cases {
				text, err := os.ReadFile(filepath.Join(samples, filepath.FromSlash(c.Object)))
				if err != nil {
					t.Fatal(err)
				}
				objects, err := manifest.Read(text)
				if err != nil || len(objects) != 1 {
					t.Fatalf("%s: %d objects, %v", c.Object, len(objects), err)
				}
				if objects[0].Content["kind"] == "AdmissionReview" {
					continue
				}
				judged++
				result, err := evaluator.Evaluate(t.Context(), objects)
				if err != nil {
					t.Fatal(err)
				}
				got := []string{}
				for _, finding := range result.Findings {
					if finding.Severity == report.Deny {
						got = append(got, finding.Code)
					}
				}
				slices.Sort(got)
				if diff := cmp.Diff(c.codes(t), got); diff != "" {
					t.Errorf("%s (-suite +gate):\n%s", c.Object, diff)
				}
			}
		})
	}
	t.Logf("%d samples judged, %d constraints refused", judged, refused)
	if judged < 60 || refused < 10 {
		t.Error("samples are missing")
	}
}
