package policytest

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
)

var (
	listMutants = flag.Bool("mutants", false, "list every mutant with the test that turned red")
	onlyMutants = flag.String("only", "", "try only the mutants that match this `regexp`")
)

// equivalentFile lists the mutants that no test can kill, each with the reason.
const equivalentFile = "testdata/equivalent_mutants.json"

// TestMutation alters the rules one node of the syntax tree at a time, and
// requires a Rego test to turn red for every mutant that compiles. What cannot
// change a result is listed with a reason; an entry that is no survivor is an
// error too, so that the list stays true. The quick lane tries a part of them.
func TestMutation(t *testing.T) {
	only, err := regexp.Compile(*onlyMutants)
	if err != nil {
		t.Fatal(err)
	}
	rules, all := modules(t, embedded), modules(t, inFolder)
	mutants := mutantsOf(rules)
	if len(mutants) < 2000 {
		t.Fatalf("only %d mutants", len(mutants))
	}
	if *onlyMutants == "" {
		mutants = lane.Part(t, mutants, 61)
	}
	mutants = slices.DeleteFunc(mutants, func(m *mutant) bool { return !only.MatchString(m.id) })
	judgeMutants(t, all, mutants)

	counts := map[string]int{}
	tried, survived := map[string]bool{}, map[string]bool{}
	for _, m := range mutants {
		tried[m.id] = true
		if *listMutants {
			t.Logf("%s: %s", m.id, m.outcome)
		}
		switch m.outcome {
		case stillborn:
			counts[stillborn]++
		case alive:
			survived[m.id] = true
		default:
			counts["killed"]++
		}
	}
	full := lane.IsFull(t)
	equivalent := map[string]string{}
	text, err := os.ReadFile(equivalentFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &equivalent); err != nil {
		t.Fatalf("%s: %v", equivalentFile, err)
	}
	for _, id := range slices.Sorted(maps.Keys(survived)) {
		if equivalent[id] == "" {
			t.Errorf("no test turns red for: %s", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(equivalent)) {
		gone := full && *onlyMutants == "" && !tried[id]
		if gone || tried[id] && !survived[id] {
			t.Errorf("%s lists a mutant that is killed or not there: %s", equivalentFile, id)
		}
	}
	t.Logf("%d of %d mutants killed, %d equivalent, %d do not compile",
		counts["killed"], len(mutants)-counts[stillborn], len(survived), counts[stillborn])
}

// mutant is one change of one rule.
type mutant struct {
	id, file string
	// rule is the place of the rule in its module, number counts its mutants from
	// 1, and mutated is what becomes of it: nil when it is dropped.
	rule, number int
	mutated      *ast.Rule
	// outcome is the name of the test that killed it, or one of those below.
	outcome string
}

const (
	alive     = "survived"
	stillborn = "does not compile"
)

// mutantsOf gives every mutant of some modules.
func mutantsOf(modules map[string]*ast.Module) []*mutant {
	var mutants []*mutant
	for _, file := range slices.Sorted(maps.Keys(modules)) {
		seen := map[string]int{}
		add := func(rule, number int, what string, mutated *ast.Rule) {
			id := fmt.Sprintf("%s %s: %s", file, modules[file].Rules[rule].Head.Ref(), what)
			if seen[id]++; seen[id] > 1 {
				id = fmt.Sprintf("%s (%d)", id, seen[id])
			}
			mutants = append(mutants, &mutant{id: id, file: file, rule: rule, number: number, mutated: mutated})
		}
		for i, rule := range modules[file].Rules {
			add(i, 1, "drop the rule "+short(rule.Head), nil)
			for j, change := range changes(rule.Copy()) {
				mutated := rule.Copy()
				changes(mutated)[j].apply()
				add(i, j+2, change.what, mutated)
			}
		}
	}
	return mutants
}

// change is one thing that can be altered in a rule.
type change struct {
	what  string
	apply func()
}

// swapped gives what stands in for an operator.
var swapped = map[string][]string{
	"equal": {"neq"}, "neq": {"equal"},
	"lt": {"lte", "gt"}, "lte": {"lt", "gt"}, "gt": {"gte", "lt"}, "gte": {"gt", "lt"},
	"startswith": {"endswith", "contains"}, "endswith": {"startswith", "contains"},
	"contains":    {"startswith", "endswith"},
	"trim_prefix": {"trim_suffix"}, "trim_suffix": {"trim_prefix"},
	"plus": {"minus"}, "minus": {"plus"}, "and": {"or"}, "or": {"and"},
}

// changes lists what can be altered in a rule, always in the same order, so that
// the same index names the same change in every copy.
func changes(rule *ast.Rule) []change {
	var found []change
	add := func(apply func(), format string, args ...any) {
		found = append(found, change{fmt.Sprintf(format, args...), apply})
	}
	for r := rule; r != nil; r = r.Else {
		changesOfBodies(r, add)
		changesOfTerms(r, add)
		if r.Else != nil {
			add(func() { r.Else = nil }, "drop the else %s", short(r.Else.Head))
		}
	}
	return found
}

type adder func(apply func(), format string, args ...any)

// changesOfBodies drops and negates expressions, also in comprehensions.
func changesOfBodies(rule *ast.Rule, add adder) {
	visit(rule, func(node any) {
		var body ast.Body
		var set func(ast.Body)
		switch node := node.(type) {
		case *ast.Rule:
			body, set = node.Body, func(b ast.Body) { node.Body = b }
		case *ast.ArrayComprehension:
			body, set = node.Body, func(b ast.Body) { node.Body = b }
		case *ast.SetComprehension:
			body, set = node.Body, func(b ast.Body) { node.Body = b }
		case *ast.ObjectComprehension:
			body, set = node.Body, func(b ast.Body) { node.Body = b }
		case *ast.Every:
			body, set = node.Body, func(b ast.Body) { node.Body = b }
		default:
			return
		}
		for i, expr := range body {
			if text := expr.String(); text != "true" {
				add(func() {
					if len(body) == 1 {
						set(ast.NewBody(ast.NewExpr(ast.BooleanTerm(true))))
						return
					}
					set(slices.Delete(slices.Clone(body), i, i+1))
				}, "drop %s", short(expr))
			}
			if isTest(expr) {
				add(func() { expr.Negated = !expr.Negated }, "negate %s", short(expr))
			}
		}
	})
}

// isTest reports whether an expression only tests, and so can be negated.
func isTest(expr *ast.Expr) bool {
	if len(expr.With) > 0 || expr.IsAssignment() || expr.IsEquality() || expr.IsEvery() || expr.IsSome() {
		return false
	}
	if term, ok := expr.Terms.(*ast.Term); ok {
		_, constant := term.Value.(ast.Boolean)
		return !constant
	}
	return true
}

// changesOfTerms changes constants and swaps operators.
func changesOfTerms(rule *ast.Rule, add adder) {
	visit(rule, func(node any) {
		term, ok := node.(*ast.Term)
		if !ok {
			return
		}
		switch value := term.Value.(type) {
		case ast.String:
			add(func() { term.Value = value + "@" }, "change %s", value)
		case ast.Boolean:
			add(func() { term.Value = !value }, "change %s", value)
		case ast.Number:
			add(func() { n, _ := value.Int64(); term.Value = ast.Number(fmt.Sprint(n + 1)) }, "change %s", value)
		case ast.Ref:
			for _, name := range swapped[value.String()] {
				add(func() { term.Value = ast.Ref{ast.VarTerm(name)} }, "%s instead of %s", name, value)
			}
		case *ast.Array:
			for i := range value.Len() {
				add(func() {
					var kept []*ast.Term
					for j := range value.Len() {
						if j != i {
							kept = append(kept, value.Elem(j))
						}
					}
					term.Value = ast.NewArray(kept...)
				}, "drop element %d of %s", i, short(value))
			}
		case ast.Set:
			for i, dropped := range value.Slice() {
				add(func() {
					term.Value = ast.NewSet(slices.Delete(slices.Clone(value.Slice()), i, i+1)...)
				}, "drop %s of %s", short(dropped), short(value))
			}
		}
	})
}

// visit walks a rule without what other visits of the same rule cover: its
// else, and the names in references.
func visit(rule *ast.Rule, do func(node any)) {
	ast.NewGenericVisitor(func(node any) bool {
		switch node := node.(type) {
		case *ast.Rule:
			if node != rule {
				return true
			}
		case *ast.Head:
			// The rule's own name is no constant.
			terms := append(slices.Clone(node.Args), node.Value)
			if node.RuleKind() == ast.MultiValue {
				terms = append(terms, node.Key)
			}
			for _, term := range terms {
				if term != nil {
					ast.NewGenericVisitor(func(inner any) bool { return descend(inner, do) }).Walk(term)
				}
			}
			return true
		}
		return descend(node, do)
	}).Walk(rule)
}

// descend calls do, and reports whether a visit must not go deeper.
func descend(node any, do func(node any)) bool {
	do(node)
	if term, ok := node.(*ast.Term); ok {
		if ref, ok := term.Value.(ast.Ref); ok {
			for _, part := range ref[1:] {
				if _, name := part.Value.(ast.String); !name {
					ast.NewGenericVisitor(func(inner any) bool { return descend(inner, do) }).Walk(part)
				}
			}
			return true
		}
	}
	return false
}

// short is a node on one line, of bounded length.
func short(node fmt.Stringer) string {
	text := strings.Join(strings.Fields(node.String()), " ")
	if len(text) > 120 {
		text = text[:120] + "…"
	}
	return text
}
