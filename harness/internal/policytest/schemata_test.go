package policytest

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
	"golang.org/x/sync/errgroup"
)

// Many mutants are compiled at once, with all tests. A rule stands there as it is,
// and once more for each mutant of it; the first condition of each is the number
// at the rule's switch in the data, 0 for the rule as it is. To try a mutant is to
// set one switch and to evaluate the tests that ask for the rule, the quickest first,
// until one is red. Which tests ask for it is seen when they run without a mutant: what
// never asks for a rule goes the same way whatever the rule says. Only a default
// cannot have conditions: its mutants are compiled one by one.

// batch is how many mutants are compiled at once. The compiler's work grows faster
// than their number.
const batch = 250

// judgeMutants sets the outcome of each mutant.
func judgeMutants(t *testing.T, all map[string]*ast.Module, mutants []*mutant) {
	t.Helper()
	tests := observe(t, all)
	var together, alone []*mutant
	for _, m := range mutants {
		if all[m.file].Rules[m.rule].Default {
			alone = append(alone, m)
		} else {
			together = append(together, m)
		}
	}
	for len(together) > 0 {
		count := min(batch, len(together))
		for count < len(together) && together[count].at() == together[count-1].at() {
			count++
		}
		judgeTogether(t, all, tests, together[:count])
		together = together[count:]
	}
	for _, m := range alone {
		compiler := compileAlone(all, m)
		if compiler == nil {
			m.outcome = stillborn
			continue
		}
		m.outcome = newRunner(compiler, nil).run(t.Context(), asking(tests, m, all))
	}
}

// judgeTogether compiles mutants at once and tries one after the other.
func judgeTogether(t *testing.T, all map[string]*ast.Module, tests []test, mutants []*mutant) {
	t.Helper()
	rules := maps.Clone(all)
	maps.DeleteFunc(rules, func(file string, _ *ast.Module) bool { return strings.HasSuffix(file, "_test.rego") })
	bury(rules, mutants)
	mutants = compiling(mutants)
	compiler, switches := compileTogether(all, mutants)
	if compiler.Failed() {
		t.Fatalf("compile the mutants: %v", compiler.Errors)
	}
	// The mutants of one rule are tried by one runner: they die of the same tests.
	var queue sync.Mutex
	next := 0
	take := func() []*mutant {
		queue.Lock()
		defer queue.Unlock()
		first := next
		for next < len(mutants) && mutants[next].at() == mutants[first].at() {
			next++
		}
		return mutants[first:next]
	}
	var group errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		r := newRunner(compiler, switches)
		group.Go(func() error {
			for {
				mutants := take()
				if len(mutants) == 0 {
					return nil
				}
				those := asking(tests, mutants[0], all)
				r.deadly = nil
				for _, m := range mutants {
					if err := r.set(t.Context(), m, m.number); err != nil {
						return err
					}
					m.outcome = r.run(t.Context(), those)
				}
				if err := r.set(t.Context(), mutants[0], 0); err != nil {
					return err
				}
				if outcome := r.runDeadly(t.Context()); outcome != alive {
					return fmt.Errorf("a test is red without a mutant: %s", outcome)
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// at names the switch of a mutant's rule.
func (m *mutant) at() string { return fmt.Sprintf("%s %d", m.file, m.rule) }

// bury marks the mutants that the compiler refuses.
func bury(rules map[string]*ast.Module, mutants []*mutant) {
	for {
		compiler, _ := compileTogether(rules, mutants)
		if !compiler.Failed() {
			return
		}
		if len(mutants) == 1 {
			mutants[0].outcome = stillborn
			return
		}
		for _, err := range compiler.Errors {
			// The place of other errors may be that of another rule.
			if i, ok := placeOf(err); ok && err.Code == ast.UnsafeVarErr {
				mutants[i].outcome = stillborn
			}
		}
		left := compiling(mutants)
		if len(left) == len(mutants) {
			bury(rules, mutants[:len(mutants)/2])
			bury(rules, mutants[len(mutants)/2:])
			return
		}
		mutants = left
	}
}

func compiling(mutants []*mutant) []*mutant {
	return slices.DeleteFunc(slices.Clone(mutants), func(m *mutant) bool { return m.outcome == stillborn })
}

// compileTogether compiles modules with mutants, each of which stands, for the
// errors, in a file of its own. It returns the switches, all at 0.
func compileTogether(all map[string]*ast.Module, mutants []*mutant) (*ast.Compiler, map[string]any) {
	with, switches := maps.Clone(all), map[string]any{}
	for i, m := range mutants {
		if with[m.file] == all[m.file] {
			with[m.file] = all[m.file].Copy()
		}
		module := with[m.file]
		if switches[m.at()] == nil {
			switches[m.at()] = 0
			guard(module.Rules[m.rule], m.at(), 0)
		}
		if m.mutated != nil {
			mutated := m.mutated.Copy()
			locate(mutated, fmt.Sprintf("%s%d", placeOfMutant, i))
			guard(mutated, m.at(), m.number)
			module.Rules = append(module.Rules, mutated)
		}
	}
	compiler := ast.NewCompiler().SetErrorLimit(0)
	compiler.Compile(with)
	return compiler, switches
}

const placeOfMutant = "mutant "

// placeOf is the index of the mutant of which an error is told, if it is one.
func placeOf(err *ast.Error) (int, bool) {
	number, ok := strings.CutPrefix(err.Location.File, placeOfMutant)
	i, _ := strconv.Atoi(number)
	return i, ok
}

// compileAlone compiles modules with one mutant; nil when it is refused.
func compileAlone(all map[string]*ast.Module, m *mutant) *ast.Compiler {
	with := maps.Clone(all)
	module := all[m.file].Copy()
	with[m.file] = module
	if m.mutated == nil {
		module.Rules = slices.Delete(module.Rules, m.rule, m.rule+1)
	} else {
		module.Rules[m.rule] = m.mutated
	}
	compiler := ast.NewCompiler()
	if compiler.Compile(with); compiler.Failed() {
		return nil
	}
	return compiler
}

// guard puts the condition before the conditions of a rule.
func guard(rule *ast.Rule, at string, number int) {
	condition := fmt.Sprintf("data.mutants[%q] == %d", at, number)
	for r := rule; r != nil; r = r.Else {
		first := ast.MustParseExpr(condition)
		locate(first, r.Location.File)
		r.Body = ast.NewBody(append([]*ast.Expr{first}, r.Body...)...)
	}
}

// locate says of all nodes that they stand in a file.
func locate(node any, file string) {
	place := ast.NewLocation(nil, file, 1, 1)
	ast.NewGenericVisitor(func(node any) bool {
		switch node := node.(type) {
		case *ast.Term:
			node.Location = place
		case ast.Node:
			node.SetLoc(place)
		}
		return false
	}).Walk(node)
}

// test is a Rego test.
type test struct {
	name, file string
	// asked are the rules for which it asks, itself or by others, and steps is how long
	// it takes.
	asked map[string]bool
	steps int
}

// observe runs each Rego test without a mutant, and returns them with the quickest
// first.
func observe(t *testing.T, all map[string]*ast.Module) []test {
	t.Helper()
	compiler := ast.NewCompiler()
	if compiler.Compile(all); compiler.Failed() {
		t.Fatal(compiler.Errors)
	}
	var tests []test
	for _, file := range slices.Sorted(maps.Keys(all)) {
		path := all[file].Package.Path
		for _, rule := range all[file].Rules {
			if strings.HasPrefix(rule.Head.Name.String(), "test_") {
				tests = append(tests, test{name: path.Extend(rule.Head.Ref()).String(), file: file, asked: map[string]bool{}})
			}
		}
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range tests {
		group.Go(func() error {
			if outcome := newRunner(compiler, nil).evaluate(t.Context(), tests[i].name, rego.EvalQueryTracer(&tests[i])); outcome != alive {
				return fmt.Errorf("a test is red without a mutant: %s", outcome)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(tests, func(a, b test) int { return a.steps - b.steps })
	return tests
}

// Enabled implements topdown.QueryTracer.
func (*test) Enabled() bool { return true }

// Config implements topdown.QueryTracer.
func (*test) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

// TraceEvent implements topdown.QueryTracer: it notes each rule that is looked up.
func (one *test) TraceEvent(event topdown.Event) {
	one.steps++
	if event.Op == topdown.IndexOp {
		one.asked[event.Ref.String()] = true
	}
}

// asking are the tests that ask for the rule of a mutant, those of its own package
// first.
func asking(tests []test, m *mutant, all map[string]*ast.Module) []test {
	module := all[m.file]
	name := module.Package.Path.Extend(module.Rules[m.rule].Head.Ref().GroundPrefix()).String()
	own := strings.TrimSuffix(m.file, ".rego") + "_test.rego"
	var first, rest []test
	for _, one := range tests {
		switch {
		case !one.asked[name]:
		case one.file == own:
			first = append(first, one)
		default:
			rest = append(rest, one)
		}
	}
	return append(first, rest...)
}

// runner evaluates tests, one at a time.
type runner struct {
	compiler *ast.Compiler
	store    storage.Store
	prepared map[string]rego.PreparedEvalQuery
	// deadly are tests that killed a mutant of the same rule; the last comes last.
	deadly []string
}

func newRunner(compiler *ast.Compiler, switches map[string]any) *runner {
	return &runner{
		compiler: compiler,
		store:    inmem.NewFromObject(map[string]any{"mutants": maps.Clone(switches)}),
		prepared: map[string]rego.PreparedEvalQuery{},
	}
}

// set puts the switch of a mutant's rule to a number.
func (r *runner) set(ctx context.Context, m *mutant, number int) error {
	return storage.WriteOne(ctx, r.store, storage.ReplaceOp, storage.Path{"mutants", m.at()}, number)
}

// tooLong bounds a test; a mutant that needs longer is killed.
const tooLong = time.Minute

// run evaluates tests until one is red, those first that were red for the mutants
// before this one, and returns the outcome.
func (r *runner) run(ctx context.Context, tests []test) string {
	order := slices.Clone(tests)
	slices.SortStableFunc(order, func(a, b test) int {
		return slices.Index(r.deadly, b.name) - slices.Index(r.deadly, a.name)
	})
	for _, one := range order {
		if outcome := r.evaluate(ctx, one.name); outcome != alive {
			r.deadly = append(slices.DeleteFunc(r.deadly, func(name string) bool { return name == one.name }), one.name)
			return outcome
		}
	}
	return alive
}

// runDeadly evaluates the tests that killed mutants, which must be green again when the
// rule is as it was: a condition of a switch changes nothing else.
func (r *runner) runDeadly(ctx context.Context) string {
	for _, name := range r.deadly {
		if outcome := r.evaluate(ctx, name); outcome != alive {
			return outcome
		}
	}
	return alive
}

// evaluate evaluates a test, which is green when it is true. An error inside a
// built-in function is an error of the test.
func (r *runner) evaluate(ctx context.Context, name string, options ...rego.EvalOption) string {
	limited, cancel := context.WithTimeout(ctx, tooLong)
	defer cancel()
	prepared, ok := r.prepared[name]
	if !ok {
		var err error
		prepared, err = rego.New(
			rego.Query(name), rego.Compiler(r.compiler), rego.Store(r.store), rego.StrictBuiltinErrors(true),
		).PrepareForEval(limited)
		if err != nil {
			return name + ": " + err.Error()
		}
		r.prepared[name] = prepared
	}
	results, err := prepared.Eval(limited, options...)
	switch {
	case err != nil:
		return name + ": " + err.Error()
	case len(results) == 1 && results[0].Expressions[0].Value == true:
		return alive
	}
	return name
}
