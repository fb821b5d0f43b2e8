package agreement_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/proompteng/nevermigrate/harness/e2e/agreement"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/fixtures"
	"github.com/proompteng/nevermigrate/harness/internal/gatekeeper"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// tally counts, by what it counts.
type tally struct {
	sync.Mutex
	counts map[string]int
}

func (c *tally) add(what string, n int) {
	c.Lock()
	defer c.Unlock()
	c.counts[what] += n
}

// report prints the counts, and fails where one is below its floor.
func (c *tally) report(t *testing.T, floors map[string]int) {
	t.Helper()
	for _, what := range slices.Sorted(maps.Keys(c.counts)) {
		t.Logf("%d %s", c.counts[what], what)
	}
	for what, floor := range floors {
		if c.counts[what] < floor {
			t.Errorf("only %d %s, want at least %d: the mixture is not telling", c.counts[what], what, floor)
		}
	}
}

// count counts a compared document by its codes and its class.
func (c *tally) count(verdict judged, requests int) {
	c.add("objects compared", requests)
	codes := map[string]bool{}
	for _, f := range verdict.findings {
		codes[f.Code] = true
	}
	for code := range codes {
		c.add("documents with "+code, 1)
	}
	switch {
	case len(verdict.findings) > 0:
		c.add("documents with findings", 1)
	case verdict.controllers > 0:
		c.add("documents with sound controllers", 1)
	case verdict.workloads > 0:
		c.add("documents with other workloads only", 1)
	default:
		c.add("documents without a workload, or left out by the constraint", 1)
	}
}

// TestGatekeeperAgreesOnFixtures compares each object of each case, under the
// case's constraints.
func TestGatekeeperAgreesOnFixtures(t *testing.T) {
	cases, err := fixtures.Cases(filepath.Join("..", "..", "..", "fixtures", "cases"))
	if err != nil {
		t.Fatal(err)
	}
	defaults := chosen(t, func(*gatekeeper.Constraint) {})
	enforcers := map[string]both{}
	counts := &tally{counts: map[string]int{}}
	for _, c := range cases {
		given := []constraint.Constraint{defaults}
		if len(c.Constraints) > 0 {
			if given, err = constraint.Load(c.ConstraintPaths()); err != nil {
				t.Fatal(err)
			}
		}
		var key strings.Builder
		for _, path := range c.ConstraintPaths() {
			key.Write(readFile(t, path))
		}
		if _, ok := enforcers[key.String()]; !ok {
			enforcers[key.String()] = newBoth(t, given...)
		}
		text, err := check.Render(t.Context(), c.Path(), check.Options{AllowAbsent: c.AllowAbsent, Constraints: c.ConstraintPaths()})
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		objects, err := manifest.Read(text)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		counts.add("cases", 1)
		for _, object := range objects {
			// Of a kind that the constraint does not match, the cluster judges the Pods.
			if group, _, _ := strings.Cut(fmt.Sprint(object.Content["apiVersion"]), "/"); group == "apps.kruise.io" {
				counts.add("documents of a kind that the constraint does not match", 1)
				continue
			}
			verdict, requests, err := enforcers[key.String()].compare(t.Context(), object.Content)
			if errors.Is(err, errNoRequest) {
				counts.add("documents of which no request can be made", 1)
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", c.Name, err)
				continue
			}
			counts.count(verdict, requests)
		}
	}
	counts.add("sets of constraints", len(enforcers))
	counts.report(t, map[string]int{"cases": 250, "objects compared": 1000, "documents with findings": 100, "sets of constraints": 10})
}

// settings are the constraints under which the corpus is compared, in turn.
func settings(t testing.TB) []both {
	return []both{
		newBoth(t, chosen(t, func(*gatekeeper.Constraint) {})),
		newBoth(t, chosen(t, func(c *gatekeeper.Constraint) {
			c.Parameters["exemptImages"] = []string{agreement.ExemptImage, agreement.ExemptPrefix + "*"}
			c.ExcludedNamespaces = []string{agreement.ExcludedNamespace}
		})),
		newBoth(t, chosen(t, func(c *gatekeeper.Constraint) {
			c.EnforcementAction = "warn"
			c.Namespaces = []string{"agents*"}
			c.Parameters["controllers"] = []string{"agents*", "x-*", "*init*"}
			c.Parameters["skipValues"] = []string{"off", "never"}
		})),
		newBoth(t,
			chosen(t, func(c *gatekeeper.Constraint) { c.Name, c.EnforcementAction = "old", "dryrun" }),
			chosen(t, func(c *gatekeeper.Constraint) { c.Name, c.Parameters["envVar"] = "new", []string{"AGENTS_MIGRATIONS"} }),
		),
	}
}

// TestGatekeeperAgreesOnCorpus compares random objects.
func TestGatekeeperAgreesOnCorpus(t *testing.T) {
	const documents = 20500
	// Evaluating makes much short-lived garbage.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	enforcers := settings(t)
	counts := &tally{counts: map[string]int{}}
	var group errgroup.Group
	group.SetLimit(4)
	for i, document := range agreement.Corpus(t, 1, documents) {
		group.Go(func() error {
			verdict, requests, err := enforcers[i%len(enforcers)].compare(t.Context(), document)
			switch {
			case err != nil && !errors.Is(err, errNoRequest) && agreement.IsOfOtherKind(t, document):
				counts.add("documents of a kind that the constraint does not match", 1)
			case errors.Is(err, errNoRequest):
				counts.add("documents of which no request can be made", 1)
			case err != nil:
				t.Error(err)
			default:
				counts.count(verdict, requests)
			}
			return nil
		})
	}
	_ = group.Wait() // nothing above returns an error
	counts.report(t, map[string]int{
		"objects compared":                                            20000,
		"documents with sound controllers":                            1500,
		"documents with other workloads only":                         1500,
		"documents without a workload, or left out by the constraint": 800,
		"documents with CNM001":                                       2000,
		"documents with CNM002":                                       2000,
		"documents with CNM003":                                       1000,
		"documents with CNM004":                                       1000,
		"documents with CNM005":                                       500,
		"documents with CNM006":                                       500,
	})
}
