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

// memory is OPA's cache of what rules and functions say, as topdown has it but for two
// things. It keeps what they say whatever the object is: parameters, patterns, what is
// made of a short text. Without it that would be evaluated for each object. And it is one
// table that is used again, where topdown makes a tree of tables for each evaluation. It
// is for one evaluation at a time.
type memory struct {
	rules *constants
	kept  table // whatever the object is
	asked table // of this object
	below []topdown.VirtualCache
}

// maxKept is how many answers are kept at most: a bound for what hostile or very many
// objects can make it hold.
const maxKept = 10_000

func newMemory(rules *constants) *memory { return &memory{rules: rules} }

// begin forgets all that an object was asked for.
func (m *memory) begin() {
	m.asked.clear()
	m.below = nil
}

// Push begins what is evaluated below a `with`, in which another answer may be true.
func (m *memory) Push() { m.below = append(m.below, topdown.NewVirtualCache()) }

func (m *memory) Pop() { m.below = m.below[:len(m.below)-1] }

func (m *memory) Get(ref ast.Ref) (*ast.Term, bool) {
	if len(m.below) > 0 {
		return m.below[len(m.below)-1].Get(ref)
	}
	if isSmall(ref) {
		return nil, false
	}
	hash := hashOf(ref)
	if known := m.asked.get(hash, ref); known != nil {
		return known.term, known.term == nil
	}
	if known := m.kept.get(hash, ref); known != nil {
		return known.term, known.term == nil
	}
	return nil, false
}

func (m *memory) Put(ref ast.Ref, term *ast.Term) {
	switch {
	case len(m.below) > 0:
		m.below[len(m.below)-1].Put(ref, term)
	case isSmall(ref):
	case len(m.kept.all) < maxKept && m.rules.hold(ref):
		m.kept.put(hashOf(ref), ref, term)
	default:
		m.asked.put(hashOf(ref), ref, term)
	}
}

// Keys is for debuggers, of which there is none.
func (m *memory) Keys() []ast.Ref { return nil }

// table holds answers by what was asked.
type table struct {
	first map[int]int // the place of an answer, by the hash of what was asked
	all   []known
	refs  []*ast.Term // what was asked, one after the other
}

type known struct {
	ref  ast.Ref
	term *ast.Term // nil when it is undefined
	next int       // the place of another answer with the same hash, or -1
}

func (t *table) get(hash int, ref ast.Ref) *known {
	place, ok := t.first[hash]
	for ok && place >= 0 {
		if one := &t.all[place]; one.ref.Equal(ref) {
			return one
		}
		place = t.all[place].next
	}
	return nil
}

func (t *table) put(hash int, ref ast.Ref, term *ast.Term) {
	if one := t.get(hash, ref); one != nil {
		one.term = term
		return
	}
	if t.first == nil {
		t.first = map[int]int{}
	}
	next, ok := t.first[hash]
	if !ok {
		next = -1
	}
	begin := len(t.refs)
	t.refs = append(t.refs, ref...) // the caller uses its own again
	t.first[hash] = len(t.all)
	t.all = append(t.all, known{ref: t.refs[begin:len(t.refs):len(t.refs)], term: term, next: next})
}

func (t *table) clear() {
	clear(t.first)
	clear(t.all)
	clear(t.refs)
	t.all, t.refs = t.all[:0], t.refs[:0]
}

func hashOf(ref ast.Ref) int {
	hash := 0
	for _, term := range ref {
		hash = hash*31 + term.Hash()
	}
	return hash
}

// isSmall reports whether a reference is a call, with its arguments, of a function that
// takes less time than to look up what it said.
func isSmall(ref ast.Ref) bool {
	function, ok := ref[0].Value.(ast.Ref)
	if !ok || len(function) != rulePath || function[rulePath-2].Value != ast.String("value") {
		return false
	}
	name, ok := function[rulePath-1].Value.(ast.String)
	return ok && (name == "at" || name == "entries" || name == "field" || name == "mistyped" || name == "text")
}

// constants are the rules whose value does not depend on the object, and the functions
// whose value depends on their arguments only.
type constants struct {
	rules, functions map[string]bool
}

// rulePath is how many parts the reference of a rule in a library has: data.lib.x.rule.
const rulePath = 4

// hold reports whether an answer may be kept: that of a constant rule, or of such a
// function of short texts.
func (c *constants) hold(ref ast.Ref) bool {
	function, ok := ref[0].Value.(ast.Ref)
	if !ok {
		return len(ref) >= rulePath && c.rules[ref[:rulePath].String()]
	}
	for _, argument := range ref[1:] {
		if !isShort(argument) {
			return false
		}
	}
	return c.functions[function.String()]
}

// isShort reports whether a term is a text, or a list of some, that others will have too.
func isShort(term *ast.Term) bool {
	switch value := term.Value.(type) {
	case ast.String:
		return len(value) <= 256
	case *ast.Array:
		return value.Len() <= 8 && !value.Until(func(one *ast.Term) bool {
			text, ok := one.Value.(ast.String)
			return !ok || len(text) > 256
		})
	}
	return false
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
			if ref := rule.Ref().GroundPrefix(); len(ref) >= rulePath {
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
	c := &constants{rules: map[string]bool{}, functions: map[string]bool{}}
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
		if len(rules[0].Head.Args) > 0 {
			c.functions[ref] = true
		} else {
			c.rules[ref] = true
		}
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
