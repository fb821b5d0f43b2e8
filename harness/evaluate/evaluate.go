// Package evaluate judges objects by the policy, with conftest's engine: what
// `conftest test` says of an object and what this package says cannot differ.
package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	conftest "github.com/open-policy-agent/conftest/policy"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"

	"github.com/proompteng/nevermigrate/harness/bundle"
	"github.com/proompteng/nevermigrate/harness/constraint"
	"github.com/proompteng/nevermigrate/harness/manifest"
	"github.com/proompteng/nevermigrate/harness/report"
)

// namespace is the Rego package with the rules, which conftest looks for too.
const namespace = "main"

// forbiddenBuiltins reach out of the process or tell its environment.
var forbiddenBuiltins = []string{"http.send", "net.lookup_ip_addr", "opa.runtime"}

// Evaluator is the policy, compiled by conftest's engine, under one constraint.
// It is safe for concurrent use.
type Evaluator struct {
	policy     *Policy
	constraint *constraint.Constraint
	engine     *conftest.Engine
	object     rego.PreparedEvalQuery // see objectQuery
	// kinds are the kinds that the rules look at; nil when that is not known.
	kinds map[string]any
}

// Result is what the policy says of a stream of objects, in their order.
type Result struct {
	Workloads []report.Workload
	Findings  []report.Finding
}

// New compiles a policy for a constraint. A nil policy is the one in this binary;
// a nil constraint is the defaults. It is an error when there are no rules, when
// they do not compile, are not a controllers-never-migrate policy or contradict
// the policy's data, and when the policy finds a problem in the constraint.
func New(ctx context.Context, p *Policy, c *constraint.Constraint) (*Evaluator, error) {
	if p == nil {
		var err error
		if p, err = LoadPolicy("", bundle.Verification{}); err != nil {
			return nil, err
		}
	}
	work, err := os.MkdirTemp("", "nevermigrate-policy-")
	if err != nil {
		return nil, fmt.Errorf("make folder for the policy: %w", err)
	}
	defer os.RemoveAll(work)
	rules, data, err := p.unpack(work)
	if err != nil {
		return nil, err
	}
	if c != nil {
		file := filepath.Join(work, "constraint.json")
		text, err := json.Marshal(c.Content)
		if err != nil {
			return nil, fmt.Errorf("load constraint %s: %w", c.File, err)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return nil, fmt.Errorf("load constraint %s: %w", c.File, err)
		}
		data = append(data, file)
	}
	engine, err := conftest.LoadWithData([]string{rules}, data, conftest.CompilerOptions{
		RegoVersion:  "v1",
		Capabilities: capabilities(),
	})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", p.name, p.shown(err, rules))
	}
	if err := refuseConflicts(ctx, engine); err != nil {
		return nil, fmt.Errorf("load %s: %w", p.name, p.shown(err, rules))
	}
	if !slices.Contains(engine.Namespaces(), namespace) {
		return nil, fmt.Errorf("load %s: it has no package %s", p.name, namespace)
	}
	e := &Evaluator{policy: p, constraint: c, engine: engine}
	if err := e.refuseProblems(ctx, p.name); err != nil {
		return nil, err
	}
	query, err := objectQuery(engine)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", p.name, p.shown(err, rules))
	}
	if e.object, err = e.prepare(ctx, query); err != nil {
		return nil, fmt.Errorf("load %s: %w", p.name, err)
	}
	if p.builtin {
		if e.kinds, err = e.judgedKinds(ctx); err != nil {
			return nil, fmt.Errorf("load %s: %w", p.name, err)
		}
	}
	return e, nil
}

// With is an evaluator with the same policy and another constraint; see New.
func (e *Evaluator) With(ctx context.Context, c *constraint.Constraint) (*Evaluator, error) {
	return New(ctx, e.policy, c)
}

// refuseConflicts refuses data at the place of a rule, as OPA does for a bundle:
// the rule would win without a word.
func refuseConflicts(ctx context.Context, engine *conftest.Engine) error {
	return storage.Txn(ctx, engine.Store(), storage.TransactionParams{}, func(txn storage.Transaction) error {
		conflicts := ast.CheckPathConflicts(engine.Compiler(), storage.NonEmpty(ctx, engine.Store(), txn))
		if len(conflicts) > 0 {
			return conflicts
		}
		return nil
	})
}

// judgedKinds asks the policy for the kinds that it looks at, so that the many
// other objects of an app need not be evaluated. Another policy's rules may
// look at any object.
func (e *Evaluator) judgedKinds(ctx context.Context) (map[string]any, error) {
	query, err := e.prepare(ctx, "data.lib.kind.workloads")
	if err != nil {
		return nil, err
	}
	kinds := map[string]any{}
	err = evaluate(ctx, query, nil, &kinds)
	return kinds, err
}

// looksAt reports whether the rules can say anything of an object: one of their
// kinds, or something with items, which may be a list of them.
func (e *Evaluator) looksAt(object manifest.Object) bool {
	kind, readable := object.Content["kind"].(string)
	_, judged := e.kinds[kind]
	_, list := object.Content["items"]
	return e.kinds == nil || !readable || judged || list || strings.HasSuffix(kind, "List")
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
			name := rule.Head.Name.String()
			if name == "" {
				name = rule.Head.Reference[0].Value.String()
			}
			if strings.Trim(name, `"`) == "exception" {
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
	return fmt.Sprintf(`{"results": [%s], "workloads": data.lib.summary.workloads}`, strings.Join(results, ", ")), nil
}

func capabilities() *ast.Capabilities {
	all := ast.CapabilitiesForThisVersion()
	all.Builtins = slices.DeleteFunc(all.Builtins, func(b *ast.Builtin) bool {
		return slices.Contains(forbiddenBuiltins, b.Name)
	})
	all.AllowNet = []string{}
	return all
}

func (e *Evaluator) prepare(ctx context.Context, query string) (rego.PreparedEvalQuery, error) {
	return rego.New(rego.Query(query), rego.Compiler(e.engine.Compiler()), rego.Store(e.engine.Store())).PrepareForEval(ctx)
}

// problem is an element of data.lib.constraint.problems.
type problem struct {
	Message, Remedy string
}

func (e *Evaluator) refuseProblems(ctx context.Context, source string) error {
	query, err := e.prepare(ctx, "data.lib.constraint.problems")
	if err != nil {
		return fmt.Errorf("load %s: %w", source, err)
	}
	var problems []problem
	if err := evaluate(ctx, query, nil, &problems); err != nil {
		return fmt.Errorf("load %s: data.lib.constraint.problems: %w", source, err)
	}
	var messages []error
	where := "load " + source + ": it finds a problem in the constraint, and none was given"
	if e.constraint != nil {
		where = "load constraint " + e.constraint.File
	}
	for _, p := range problems {
		messages = append(messages, fmt.Errorf("%s: %s %s", where, p.Message, p.Remedy))
	}
	return errors.Join(messages...)
}

// Evaluate judges a stream of objects.
func (e *Evaluator) Evaluate(ctx context.Context, objects []manifest.Object) (*Result, error) {
	result := &Result{}
	for _, object := range objects {
		if !e.looksAt(object) {
			continue
		}
		if err := checkSize(object.Content); err != nil {
			return nil, fmt.Errorf("evaluate document %d: %w", object.Document, err)
		}
		if err := e.evaluateObject(ctx, object, result); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, fmt.Errorf("evaluate document %d: %w", object.Document, err)
		}
	}
	return result, nil
}

func (e *Evaluator) evaluateObject(ctx context.Context, object manifest.Object, result *Result) error {
	var answer struct {
		Results   [][]ruleResult
		Workloads []report.Workload
	}
	if err := evaluate(ctx, e.object, object.Content, &answer); err != nil {
		return err
	}
	for _, workload := range answer.Workloads {
		workload.Constraint = e.ConstraintName()
		if workload.Containers == nil {
			workload.Containers = []report.Container{}
		}
		result.Workloads = append(result.Workloads, workload)
	}
	for _, one := range slices.Concat(answer.Results...) {
		finding, err := one.finding()
		if err != nil {
			return err
		}
		finding.Constraint = e.ConstraintName()
		result.Findings = append(result.Findings, finding)
	}
	return nil
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
	if len(results) != 1 || len(results[0].Expressions) != 1 {
		return errors.New("the policy does not define it")
	}
	return convert(results[0].Expressions[0].Value, into)
}

func convert(from, into any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
