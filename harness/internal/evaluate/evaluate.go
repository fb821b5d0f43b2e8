// Package evaluate judges objects by the policy, with conftest's engine: what
// `conftest test` says of an object and what this package says cannot differ.
package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	conftest "github.com/open-policy-agent/conftest/policy"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/proompteng/nevermigrate/harness/internal/bundle"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/mode"
	"github.com/proompteng/nevermigrate/harness/internal/ordered"
	"github.com/proompteng/nevermigrate/harness/report"
)

// namespace is the Rego package with the rules, which conftest looks for too.
const namespace = "main"

// Evaluator is the policy, compiled by conftest's engine, under one constraint.
// It is safe for concurrent use.
type Evaluator struct {
	policy     *Policy
	constraint *constraint.Constraint
	rules      *compiled
	store      storage.Store          // the policy's data and the constraint
	object     rego.PreparedEvalQuery // see objectQuery
	// askers are those that are not at work, each with what it keeps in mind.
	askers *sync.Pool
	// kinds are the kinds that the rules look at, and podKeys keys of which there is
	// one below any other object that they look at; nil when that is not known.
	kinds   map[string]any
	podKeys []string
}

// Result is what the policy says of a stream of objects, in their order.
type Result struct {
	Workloads []report.Workload
	Findings  []report.Finding
	// Exempted are workloads, as kind and name, that would be bound if the
	// constraint did not exempt the images of all their containers.
	Exempted []string
}

// New makes an evaluator of a policy and a constraint. The rules of a policy are
// compiled once, whatever the number of its evaluators: they read the constraint as
// data. A nil policy is the one in this binary; a nil constraint is the defaults. It
// is an error when there are no rules, when they do not compile, are not a
// controllers-never-migrate policy or contradict the policy's data, and when the
// policy finds a problem in the constraint.
func New(ctx context.Context, p *Policy, c *constraint.Constraint) (*Evaluator, error) {
	if p == nil {
		var err error
		if p, err = LoadPolicy("", bundle.Verification{}); err != nil {
			return nil, err
		}
	}
	rules, err := p.compiled()
	if err != nil {
		return nil, err
	}
	e := &Evaluator{policy: p, constraint: c, rules: rules}
	if e.store, err = p.dataWith(c); err != nil {
		return nil, err
	}
	if err := e.refuseConflicts(ctx); err != nil {
		return nil, fmt.Errorf("load %s: %w", p.name, p.shown(err, rules.folder))
	}
	if err := e.refuseProblems(ctx); err != nil {
		return nil, err
	}
	if err := e.prepareQueries(ctx); err != nil {
		return nil, fmt.Errorf("load %s: %w", p.name, p.shown(err, rules.folder))
	}
	return e, nil
}

// With is an evaluator with the same policy and another constraint; see New.
func (e *Evaluator) With(ctx context.Context, c *constraint.Constraint) (*Evaluator, error) {
	return New(ctx, e.policy, c)
}

// refuseConflicts refuses data at the place of a rule, as OPA does for a bundle:
// the rule would win without a word.
func (e *Evaluator) refuseConflicts(ctx context.Context) error {
	return storage.Txn(ctx, e.store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		conflicts := ast.CheckPathConflicts(e.rules.engine.Compiler(), storage.NonEmpty(ctx, e.store, txn))
		if len(conflicts) > 0 {
			return conflicts
		}
		return nil
	})
}

// prepareQueries makes the query for objects. It asks the policy for the kinds
// that it looks at, so that the many other objects of an app need not be
// evaluated. Another policy's rules may look at any object.
func (e *Evaluator) prepareQueries(ctx context.Context) error {
	query, err := objectQuery(e.rules.engine)
	if err != nil {
		return err
	}
	if e.object, err = e.prepare(ctx, query); err != nil {
		return err
	}
	go e.rules.constants() // beside what follows
	e.askers = &sync.Pool{New: func() any { return &asker{query: e.object, memory: newMemory(e.rules.constants())} }}
	if !e.policy.builtin {
		return nil
	}
	if err := e.value(ctx, "data.lib.kind.pod_keys", &e.podKeys); err != nil {
		return err
	}
	return e.value(ctx, "data.lib.kind.workloads", &e.kinds)
}

// LooksAt reports whether the rules can say anything of an object: one of their
// kinds, something that lists objects, or one that may hold a pod spec at any
// depth, which package lib.kind of the policy looks for.
func (e *Evaluator) LooksAt(object manifest.Object) bool {
	kind, readable := object.Content["kind"].(string)
	_, judged := e.kinds[kind]
	return e.kinds == nil || !readable || judged || strings.HasSuffix(kind, "List") || holds(object.Content, e.podKeys)
}

// holds reports whether a map at any depth has one of some keys.
func holds(value any, keys []string) bool {
	switch value := value.(type) {
	case map[string]any:
		for key, below := range value {
			if slices.Contains(keys, key) || holds(below, keys) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(value, func(below any) bool { return holds(below, keys) })
	}
	return false
}

// ruleNames are the names by which conftest finds rules, failures first.
var ruleNames = []*regexp.Regexp{
	regexp.MustCompile("^(deny|violation)(_[a-zA-Z0-9]+)*$"),
	regexp.MustCompile("^warn(_[a-zA-Z0-9]+)*$"),
}

// objectQuery is one query for all that is asked of an object: the results of
// each rule that conftest would query, and the workloads. Conftest's own Check
// compiles a query for each rule and object, which takes far longer than to
// answer it. Two things that Check does besides are refused in a policy.
func objectQuery(engine *conftest.Engine) (string, error) {
	// Modules and policies are the same files, not always by the same paths.
	policies := engine.Policies()
	for _, file := range slices.Sorted(maps.Keys(policies)) {
		if strings.Contains(policies[file], "data.conftest") {
			return "", fmt.Errorf("%s refers to data.conftest, which is not there", file)
		}
	}
	names := map[string]bool{}
	for file, module := range engine.Modules() {
		if module.Package.Path.String() != "data."+namespace {
			continue
		}
		for _, rule := range module.Rules {
			name := strings.Trim(rule.Head.Ref()[0].Value.String(), `"`)
			if name == "exception" {
				return "", fmt.Errorf("%s:%d: exceptions are not supported: they would disarm rules", file, rule.Loc().Row)
			}
			names[name] = true
		}
	}
	var results []string
	for _, pattern := range ruleNames {
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if pattern.MatchString(name) {
				results = append(results, fmt.Sprintf("[r | some r in data.%s.%s]", namespace, name))
			}
		}
	}
	if len(results) == 0 {
		return "", fmt.Errorf("package %s has no rule violation, deny or warn", namespace)
	}
	return fmt.Sprintf(`{"results": [%s], "workloads": data.lib.summary.workloads, "exempted": [w | some w in data.lib.summary.exempted]}`, strings.Join(results, ", ")), nil
}

func (e *Evaluator) prepare(ctx context.Context, query string) (rego.PreparedEvalQuery, error) {
	return rego.New(rego.Query(query), rego.Compiler(e.rules.engine.Compiler()), rego.Store(e.store)).PrepareForEval(ctx)
}

func (e *Evaluator) refuseProblems(ctx context.Context) error {
	var problems []struct{ Message, Remedy string }
	const query = "data.lib.constraint.problems"
	if err := e.value(ctx, query, &problems); err != nil {
		return fmt.Errorf("load %s: %s: %w", e.policy.name, query, err)
	}
	var messages []error
	where := "load " + e.policy.name + ": it finds a problem in the constraint, and none was given"
	if e.constraint != nil {
		where = "load constraint " + e.constraint.File
	}
	for _, p := range problems {
		messages = append(messages, fmt.Errorf("%s: %s %s", where, p.Message, p.Remedy))
	}
	return errors.Join(messages...)
}

// Evaluate judges a stream of objects, several at the same time.
func (e *Evaluator) Evaluate(ctx context.Context, objects []manifest.Object) (*Result, error) {
	var inputs []manifest.Object
	var ends []int // of the inputs of each object
	for _, object := range objects {
		if !e.LooksAt(object) {
			continue
		}
		if err := checkSize(object.Content); err != nil {
			return nil, fmt.Errorf("evaluate document %d: %w", object.Document, err)
		}
		inputs = append(inputs, e.inputs(object)...)
		ends = append(ends, len(inputs))
	}
	answers, err := e.askAll(ctx, inputs)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	result, begin := &Result{}, 0
	for _, end := range ends {
		if err := e.add(result, answers[begin:end]); err != nil {
			return nil, fmt.Errorf("evaluate document %d: %w", inputs[begin].Document, err)
		}
		begin = end
	}
	return result, nil
}

// inputs are what is asked of an object: the object, or of a list this program's own
// policy is asked item by item, which takes far less memory.
func (e *Evaluator) inputs(object manifest.Object) []manifest.Object {
	if !e.policy.builtin {
		return []manifest.Object{object}
	}
	rest, items := object.Items()
	return append([]manifest.Object{rest}, slices.DeleteFunc(items, func(item manifest.Object) bool { return !e.looksAtItem(item) })...)
}

// answer is what the policy says of one input.
type answer struct {
	// results are those of each rule that conftest would query: all of an answer, or of
	// the answers for the items of a list, together.
	Results   [][]any
	Workloads []report.Workload
	Exempted  []string
}

// add adds what the answers for one object say. The result is that for the whole object.
func (e *Evaluator) add(result *Result, answers []answer) error {
	for _, answer := range answers {
		result.Exempted = append(result.Exempted, answer.Exempted...)
		for _, workload := range answer.Workloads {
			workload.Constraint = e.ConstraintName()
			if workload.Containers == nil {
				workload.Containers = []report.Container{}
			}
			result.Workloads = append(result.Workloads, workload)
		}
	}
	found, err := together(answers)
	if err != nil {
		return err
	}
	for _, one := range found {
		finding, err := one.finding()
		if err != nil {
			return err
		}
		finding.Constraint = e.ConstraintName()
		result.Findings = append(result.Findings, finding)
	}
	return nil
}

// looksAtItem is LooksAt for an item of a list, which may leave its kind to the list.
func (e *Evaluator) looksAtItem(item manifest.Object) bool {
	kind, _ := item.Content["kind"].(string)
	return kind == "" || e.LooksAt(item)
}

// perWorker is how many objects are worth another worker, which knows nothing at first.
const perWorker = 8

// askAll asks the policy for each of some objects, several at the same time. The error
// is that of the first document that has one.
func (e *Evaluator) askAll(ctx context.Context, objects []manifest.Object) ([]answer, error) {
	if len(objects) == 0 {
		return nil, nil
	}
	answers := make([]answer, len(objects))
	workers := min(1+(len(objects)-1)/perWorker, runtime.GOMAXPROCS(0))
	return answers, ordered.Do(len(objects), workers, func(_ int, each func(func(int) error)) error {
		asker := e.askers.Get().(*asker)
		defer e.askers.Put(asker)
		asker.cancel = topdown.NewCancel()
		defer context.AfterFunc(ctx, asker.cancel.Cancel)()
		each(func(i int) error {
			value, err := asker.ask(ctx, inputOf(objects[i]))
			if err == nil {
				err = decode(value, &answers[i])
			}
			if err != nil {
				return fmt.Errorf("evaluate document %d: %w", objects[i].Document, err)
			}
			return nil
		})
		return nil
	})
}

// together is what the rules found for all of some inputs, in the order in which they
// find it for one: that of a set for each rule.
func together(answers []answer) ([]ruleResult, error) {
	var all []ruleResult
	for rule := range answers[0].Results {
		found := ast.NewSet()
		for _, answer := range answers {
			for _, one := range answer.Results[rule] {
				value, err := ast.InterfaceToValue(one)
				if err != nil {
					return nil, err
				}
				found.Add(ast.NewTerm(value))
			}
		}
		for _, term := range found.Slice() {
			value, err := ast.JSON(term.Value)
			if err != nil {
				return nil, err
			}
			var one ruleResult
			if err := decode(value, &one); err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// inputOf is the input for an object.
func inputOf(object manifest.Object) any {
	if len(object.Beside) == 0 && object.List == nil {
		return object.Content
	}
	target := map[string]any{"object": object.Content, "beside": object.Beside}
	if object.List != nil {
		target["list"] = map[string]any{"kind": object.List.Kind, "path": object.List.Path}
	}
	return map[string]any{"target": target}
}

// ConstraintName is the name of the constraint given to New, or empty.
func (e *Evaluator) ConstraintName() string {
	if e.constraint == nil {
		return ""
	}
	return e.constraint.Name
}

// EnforcementAction is the constraint's, deny unless it says otherwise.
func (e *Evaluator) EnforcementAction() string {
	if action, ok := e.constraint.Spec()["enforcementAction"].(string); ok {
		return action
	}
	return "deny"
}

// Variable is the migrations variable and the value that remedies recommend,
// as the constraint sets them.
func (e *Evaluator) Variable() (envVar, skip string) {
	rules, err := mode.FromParameters(e.constraint.Parameters())
	if err != nil {
		// The policy in this binary has refused such a constraint by now; another
		// one judges as it likes, and this only words what is said about it.
		rules = mode.Defaults()
	}
	return rules.Variable, rules.Plain()
}

// Policy is what the evaluator judges by.
func (e *Evaluator) Policy() *Policy { return e.policy }

// Constraint is the constraint given to New.
func (e *Evaluator) Constraint() *constraint.Constraint { return e.constraint }

// ruleResult is an element of a rule's set, in the shape that conftest and
// Gatekeeper read.
type ruleResult struct {
	Msg     string
	Details report.Finding
}

// finding turns a result into a finding. A result without the details that ours
// have is a rule's mistake, and no reason to pass.
func (r ruleResult) finding() (report.Finding, error) {
	finding := r.Details
	if finding.Code == "" || finding.Message == "" || finding.Severity == "" {
		return report.Finding{}, fmt.Errorf("the result %q has no details with code, severity and message", r.Msg)
	}
	if finding.Enforcement == "deny" {
		finding.Enforcement = ""
	}
	finding.Causes = []report.Cause{}
	return finding, nil
}

// evaluate runs a query for one input and decodes its only value.
func evaluate(ctx context.Context, query rego.PreparedEvalQuery, input, into any) error {
	results, err := query.Eval(ctx, rego.EvalInput(input))
	if err != nil {
		return err
	}
	value, err := only(results)
	if err != nil {
		return err
	}
	return decode(value, into)
}

// only is the only value of a query.
func only(results rego.ResultSet) (any, error) {
	if len(results) != 1 || len(results[0].Expressions) != 1 {
		return nil, errors.New("the policy does not define it")
	}
	return results[0].Expressions[0].Value, nil
}

// decode turns a value of the policy into one of Go.
func decode(value, into any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// Value decodes a value of the policy, such as data.lib.parameters.env_var, as
// it is under the constraint given to New. It is for programs that state the
// contract in another language and must not state it twice. It is an error when
// the policy does not define the value.
func (e *Evaluator) Value(ctx context.Context, query string, into any) error {
	if err := e.value(ctx, query, into); err != nil {
		return fmt.Errorf("read %s from the policy: %w", query, err)
	}
	return nil
}

func (e *Evaluator) value(ctx context.Context, query string, into any) error {
	prepared, err := e.prepare(ctx, query)
	if err != nil {
		return err
	}
	return evaluate(ctx, prepared, map[string]any{}, into)
}

// Misspelling gives the first of some names in env that the policy takes for the
// migrations variable, misspelled; empty when there is none.
func (e *Evaluator) Misspelling(ctx context.Context, names []string) (string, error) {
	var env []map[string]string
	for _, name := range names {
		env = append(env, map[string]string{"name": name})
	}
	text, err := json.Marshal(env)
	if err != nil {
		return "", fmt.Errorf("look for a misspelling: %w", err)
	}
	// 1 is the rank of a name that differs by a slip.
	var found []string
	query := `[alike[2] | alike := data.lib.env.look_alike({"env": %s}); alike[0] == 1]`
	if err := e.value(ctx, fmt.Sprintf(query, text), &found); err != nil {
		return "", fmt.Errorf("look for a misspelling: %w", err)
	}
	return strings.Join(found, ""), nil
}
