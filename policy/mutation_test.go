package policy_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"golang.org/x/sync/errgroup"

	"github.com/proompteng/nevermigrate/policy"
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
// error too, so that the list stays true.
func TestMutation(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the Rego tests hundreds of times")
	}
	rules, all := modules(t, policy.FS, false), modules(t, os.DirFS("."), true)
	var mutants []mutant
	for _, file := range sortedKeys(rules) {
		mutants = append(mutants, mutantsOf(file, rules[file])...)
	}
	if len(mutants) < 2000 {
		t.Fatalf("only %d mutants", len(mutants))
	}
	only, err := regexp.Compile(*onlyMutants)
	if err != nil {
		t.Fatal(err)
	}
	mutants = slices.DeleteFunc(mutants, func(m mutant) bool { return !only.MatchString(m.id) })
	outcomes := make([]string, len(mutants))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, m := range mutants {
		group.Go(func() error {
			outcome, err := m.judge(t.Context(), all)
			outcomes[i] = outcome
			if *listMutants {
				t.Logf("%s: %s", m.id, outcome)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	survived := map[string]bool{}
	for i, m := range mutants {
		switch outcomes[i] {
		case stillborn:
			counts[stillborn]++
		case alive:
			survived[m.id] = true
		default:
			counts["killed"]++
		}
	}
	equivalent := map[string]string{}
	text, err := os.ReadFile(equivalentFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &equivalent); err != nil {
		t.Fatalf("%s: %v", equivalentFile, err)
	}
	for _, id := range sortedKeys(survived) {
		if equivalent[id] == "" {
			t.Errorf("no test turns red for: %s", id)
		}
	}
	for _, id := range sortedKeys(equivalent) {
		if only.MatchString(id) && !survived[id] {
			t.Errorf("%s lists a mutant that is killed or not there: %s", equivalentFile, id)
		}
	}
	t.Logf("%d of %d mutants killed, %d equivalent, %d do not compile",
		counts["killed"], len(mutants)-counts[stillborn], len(survived), counts[stillborn])
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// mutant is one change of one file.
type mutant struct {
	id, file string
	module   *ast.Module
}

// What becomes of a mutant, when it is not the name of the test that killed it.
const (
	alive     = "survived"
	stillborn = "does not compile"
)

// tooLong bounds the tests of one file; a mutant that needs longer is killed.
const tooLong = time.Minute

// judge compiles a mutant with the tests of its own package and runs them, and
// if none turns red, all others.
func (m mutant) judge(ctx context.Context, all map[string]*ast.Module) (string, error) {
	own := strings.TrimSuffix(m.file, ".rego") + "_test.rego"
	if _, ok := all[own]; ok {
		few := map[string]*ast.Module{}
		addWithImports(few, all, own)
		if outcome, err := m.run(ctx, few, []string{own}); err != nil || outcome != alive {
			return outcome, err
		}
	}
	var rest []string
	for _, file := range sortedKeys(all) {
		if strings.HasSuffix(file, "_test.rego") && file != own {
			rest = append(rest, file)
		}
	}
	return m.run(ctx, all, rest)
}

// addWithImports adds a file and all that it imports to others.
func addWithImports(to, all map[string]*ast.Module, file string) {
	if to[file] != nil {
		return
	}
	to[file] = all[file]
	for _, imported := range all[file].Imports {
		for _, other := range sortedKeys(all) {
			if all[other].Package.Path.String() == imported.Path.String() {
				addWithImports(to, all, other)
			}
		}
	}
}

// run compiles a mutant with other files and runs the tests of some of them.
func (m mutant) run(ctx context.Context, with map[string]*ast.Module, tests []string) (string, error) {
	parsed := maps.Clone(with)
	parsed[m.file] = m.module
	compiler := ast.NewCompiler()
	if compiler.Compile(parsed); compiler.Failed() {
		return stillborn, nil
	}
	for _, file := range tests {
		outcome, err := runTests(ctx, compiler, with[file])
		if err != nil || outcome != alive {
			return outcome, err
		}
	}
	return alive, nil
}

// runTests evaluates a package of tests as one document: a test that fails is
// not in it.
func runTests(ctx context.Context, compiler *ast.Compiler, tests *ast.Module) (string, error) {
	limited, cancel := context.WithTimeout(ctx, tooLong)
	defer cancel()
	query := tests.Package.Path.String()
	results, err := rego.New(rego.Query(query), rego.Compiler(compiler), rego.StrictBuiltinErrors(true)).Eval(limited)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return query + ": " + err.Error(), nil
	case len(results) != 1:
		return query, nil
	}
	passed := results[0].Expressions[0].Value.(map[string]any)
	for _, rule := range tests.Rules {
		name := rule.Head.Name.String()
		if strings.HasPrefix(name, "test_") && passed[name] != true {
			return query + "." + name, nil
		}
	}
	return alive, nil
}

// mutantsOf gives every mutant of a module.
func mutantsOf(file string, module *ast.Module) []mutant {
	seen := map[string]int{}
	var mutants []mutant
	for i := range changes(module.Copy()) {
		mutated := module.Copy()
		change := changes(mutated)[i]
		id := fmt.Sprintf("%s %s: %s", file, change.rule, change.what)
		change.apply()
		if seen[id]++; seen[id] > 1 {
			id = fmt.Sprintf("%s (%d)", id, seen[id])
		}
		mutants = append(mutants, mutant{id, file, mutated})
	}
	return mutants
}

// change is one thing that can be altered in a syntax tree.
type change struct {
	rule, what string
	apply      func()
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

// changes lists what can be altered in a module, always in the same order, so
// that the same index names the same change in every copy.
func changes(module *ast.Module) []change {
	var found []change
	for i, rule := range module.Rules {
		name := rule.Head.Ref().String()
		add := func(apply func(), format string, args ...any) {
			found = append(found, change{name, fmt.Sprintf(format, args...), apply})
		}
		add(func() { module.Rules = slices.Delete(module.Rules, i, i+1) }, "drop the rule %s", short(rule.Head))
		for r := rule; r != nil; r = r.Else {
			changesOfBodies(r, add)
			changesOfTerms(r, add)
			if r.Else != nil {
				add(func() { r.Else = nil }, "drop the else %s", short(r.Else.Head))
			}
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
