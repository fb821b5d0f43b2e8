package evaluate

import (
	"bytes"
	"context"
	"io/fs"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/proompteng/nevermigrate/policy"
)

// memory is OPA's own cache of what rules say, except that it keeps what they say
// whatever the object is: parameters, patterns and the like. Without it they would be
// evaluated for each object. It is for one evaluation at a time.
type memory struct {
	topdown.VirtualCache
	kept  topdown.VirtualCache
	rules *constants
	depth int // of `with`, in which nothing is kept
}

func newMemory(rules *constants) *memory {
	return &memory{kept: topdown.NewVirtualCache(), rules: rules}
}

// begin forgets all that an object was asked for.
func (m *memory) begin() {
	m.VirtualCache, m.depth = topdown.NewVirtualCache(), 0
}

func (m *memory) Push() { m.depth++; m.VirtualCache.Push() }

func (m *memory) Pop() { m.depth--; m.VirtualCache.Pop() }

func (m *memory) Get(ref ast.Ref) (*ast.Term, bool) {
	if m.depth == 0 && m.rules.mayHold(ref) {
		if term, undefined := m.kept.Get(ref); term != nil || undefined {
			return term, undefined
		}
	}
	return m.VirtualCache.Get(ref)
}

func (m *memory) Put(ref ast.Ref, term *ast.Term) {
	if m.depth == 0 && m.rules.mayHold(ref) && m.rules.refs[ref[:rulePath].String()] {
		m.kept.Put(ref.Copy(), term)
		return
	}
	m.VirtualCache.Put(ref, term)
}

// constants are the rules whose value does not depend on the object.
type constants struct {
	refs  map[string]bool
	names map[ast.String]bool // the last part of each
}

// rulePath is how many parts the reference of a rule in a library has: data.lib.x.rule.
const rulePath = 4

// mayHold is a quick look whether a reference may be one of a constant rule.
func (c *constants) mayHold(ref ast.Ref) bool {
	if len(ref) < rulePath {
		return false
	}
	name, ok := ref[rulePath-1].Value.(ast.String)
	return ok && c.names[name]
}

// reviewFile reads the input as a Gatekeeper review. What its rules say of an input
// that is none is known: nothing.
const reviewFile = "lib/review.rego"

// aboutReviews are the rules of that file by which others tell whether the input is a
// review, and what came with it.
var aboutReviews = map[string]bool{"data.lib.review.is_review": true, "data.lib.review.parameters": true}

// constantsOf finds the rules of a policy whose value is the same for every input that
// is no review.
func constantsOf(compiler *ast.Compiler, rules fs.FS) *constants {
	ours, _ := fs.ReadFile(policy.FS, reviewFile)
	theirs, _ := fs.ReadFile(rules, reviewFile)
	isOurs := bytes.Equal(ours, theirs)

	dependent := map[*ast.Rule]bool{}
	var queue []*ast.Rule
	depend := func(rule *ast.Rule) {
		if !dependent[rule] && (!isOurs || !aboutReviews[rule.Ref().String()]) {
			dependent[rule] = true
			queue = append(queue, rule)
		}
	}
	all := map[string][]*ast.Rule{}
	for _, module := range compiler.Modules {
		ast.WalkRules(module, func(rule *ast.Rule) bool {
			if looks(rule) {
				depend(rule)
			}
			return false
		})
		for _, rule := range module.Rules {
			if ref := rule.Ref().GroundPrefix(); len(rule.Head.Args) == 0 && len(ref) >= rulePath {
				path := ref[:rulePath].String()
				all[path] = append(all[path], rule)
			}
		}
	}
	for len(queue) > 0 {
		rule := queue[0]
		queue = queue[1:]
		for user := range compiler.Graph.Dependents(rule) {
			if user, ok := user.(*ast.Rule); ok {
				depend(user)
			}
		}
	}
	c := &constants{refs: map[string]bool{}, names: map[ast.String]bool{}}
	for ref, rules := range all {
		if slices.ContainsFunc(rules, func(rule *ast.Rule) bool {
			for ; rule != nil; rule = rule.Else {
				if dependent[rule] {
					return true
				}
			}
			return false
		}) {
			continue
		}
		c.refs[ref] = true
		c.names[rules[0].Ref()[rulePath-1].Value.(ast.String)] = true
	}
	return c
}

// looks reports whether a rule by itself reads the input, changes what others see, or
// calls what may answer otherwise the next time.
func looks(rule *ast.Rule) bool {
	found := false
	ast.WalkTerms(rule, func(term *ast.Term) bool {
		ref, ok := term.Value.(ast.Ref)
		if !ok {
			return false
		}
		builtin := ast.BuiltinMap[ref.String()]
		found = found || ref.HasPrefix(ast.InputRootRef) || builtin != nil && builtin.Nondeterministic
		return found
	})
	ast.WalkWiths(rule, func(*ast.With) bool {
		found = true
		return true
	})
	return found
}

// asker evaluates the query for objects, one after the other.
type asker struct {
	query  rego.PreparedEvalQuery
	memory *memory
	cancel topdown.Cancel
}

// ask gives what the policy says of an input.
func (a *asker) ask(ctx context.Context, input any) (any, error) {
	value, err := ast.InterfaceToValue(input)
	if err != nil {
		return nil, err
	}
	options := []rego.EvalOption{rego.EvalParsedInput(value), rego.EvalExternalCancel(a.cancel)}
	if !mayBeReview(input) {
		a.memory.begin()
		options = append(options, rego.EvalVirtualCache(a.memory))
	}
	results, err := a.query.Eval(ctx, options...)
	if err != nil {
		return nil, err
	}
	return only(results)
}

// mayBeReview reports whether the policy may take an input for a Gatekeeper review.
func mayBeReview(input any) bool {
	object, ok := input.(map[string]any)
	return ok && object["review"] != nil
}
