// Package evaluate judges objects by the policy, with conftest's engine: what
// `conftest test` says of an object and what this package says cannot differ.
package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/conftest/output"
	conftest "github.com/open-policy-agent/conftest/policy"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/proompteng/nevermigrate/harness/constraint"
	"github.com/proompteng/nevermigrate/harness/manifest"
	"github.com/proompteng/nevermigrate/harness/report"
	"github.com/proompteng/nevermigrate/policy"
)

// namespace is the Rego package with the rules, which conftest looks for too.
const namespace = "main"

// forbiddenBuiltins reach out of the process or tell its environment.
var forbiddenBuiltins = []string{"http.send", "net.lookup_ip_addr", "opa.runtime"}

// Evaluator is the policy, compiled, under one constraint. It is safe for
// concurrent use.
type Evaluator struct {
	constraint *constraint.Constraint
	workloads  rego.PreparedEvalQuery

	mu     sync.Mutex // conftest's engine notes the file under test in its store
	engine *conftest.Engine
}

// Result is what the policy says of a stream of objects, in their order.
type Result struct {
	Workloads []report.Workload
	Findings  []report.Finding
}

// New compiles a policy for a constraint. An empty dir is the policy in this
// binary; a nil constraint is the defaults. It is an error when the folder has
// no policy, when it does not compile or is not a controllers-never-migrate
// policy, and when the policy finds a problem in the constraint.
func New(ctx context.Context, dir string, c *constraint.Constraint) (*Evaluator, error) {
	// Conftest loads from files only.
	work, err := os.MkdirTemp("", "nevermigrate-policy-")
	if err != nil {
		return nil, fmt.Errorf("make folder for the policy: %w", err)
	}
	defer os.RemoveAll(work)
	source := "the built-in policy"
	if dir == "" {
		dir = filepath.Join(work, "policy")
		if err := os.CopyFS(dir, policy.FS); err != nil {
			return nil, fmt.Errorf("unpack the policy: %w", err)
		}
	} else {
		source = "policy " + dir
		if _, err := fs.Stat(os.DirFS(dir), "."); err != nil {
			return nil, fmt.Errorf("load %s: no such folder", source)
		}
	}
	var data []string
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
	engine, err := conftest.LoadWithData([]string{dir}, data, conftest.CompilerOptions{
		RegoVersion:  "v1",
		Capabilities: capabilities(),
	})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", source, innermost(err))
	}
	if !slices.Contains(engine.Namespaces(), namespace) {
		return nil, fmt.Errorf("load %s: it has no package %s", source, namespace)
	}
	e := &Evaluator{constraint: c, engine: engine}
	if err := e.refuseProblems(ctx, source); err != nil {
		return nil, err
	}
	if e.workloads, err = e.prepare(ctx, "data.lib.summary.workloads"); err != nil {
		return nil, fmt.Errorf("load %s: %w", source, err)
	}
	return e, nil
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
	for _, p := range problems {
		messages = append(messages, fmt.Errorf("load constraint %s: %s %s", e.constraint.File, p.Message, p.Remedy))
	}
	return errors.Join(messages...)
}

// Evaluate judges a stream of objects; target is its name for conftest.
func (e *Evaluator) Evaluate(ctx context.Context, target string, objects []manifest.Object) (*Result, error) {
	result := &Result{}
	for _, object := range objects {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		workloads, err := e.objectWorkloads(ctx, object)
		if err != nil {
			return nil, fmt.Errorf("evaluate document %d: %w", object.Document, err)
		}
		findings, err := e.objectFindings(ctx, target, object)
		if err != nil {
			return nil, fmt.Errorf("evaluate document %d: %w", object.Document, err)
		}
		result.Workloads = append(result.Workloads, workloads...)
		result.Findings = append(result.Findings, findings...)
	}
	return result, nil
}

func (e *Evaluator) objectWorkloads(ctx context.Context, object manifest.Object) ([]report.Workload, error) {
	var workloads []report.Workload
	if err := evaluate(ctx, e.workloads, object.Content, &workloads); err != nil {
		return nil, fmt.Errorf("data.lib.summary.workloads: %w", err)
	}
	for i := range workloads {
		workloads[i].Constraint = e.ConstraintName()
		if workloads[i].Containers == nil {
			workloads[i].Containers = []report.Container{}
		}
	}
	return workloads, nil
}

func (e *Evaluator) objectFindings(ctx context.Context, target string, object manifest.Object) ([]report.Finding, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	results, err := e.engine.Check(ctx, map[string]any{target: object.Content}, namespace)
	if err != nil {
		return nil, err
	}
	var findings []report.Finding
	for _, result := range results {
		for _, one := range slices.Concat(result.Failures, result.Warnings) {
			finding, err := fromResult(one)
			if err != nil {
				return nil, err
			}
			finding.Constraint = e.ConstraintName()
			findings = append(findings, finding)
		}
	}
	return findings, nil
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
	if e.constraint != nil {
		if spec, ok := e.constraint.Content["spec"].(map[string]any); ok {
			if action, ok := spec["enforcementAction"].(string); ok {
				return action
			}
		}
	}
	return "deny"
}

// Constraint is the constraint given to New.
func (e *Evaluator) Constraint() *constraint.Constraint { return e.constraint }

// fromResult turns a result of a rule into a finding. A result without the
// details that ours have is a rule's mistake, and no reason to pass.
func fromResult(result output.Result) (report.Finding, error) {
	var details struct {
		report.Finding
		Enforcement string `json:"enforcement"`
	}
	if err := convert(result.Metadata["details"], &details); err != nil {
		return report.Finding{}, fmt.Errorf("read the result %q: %w", result.Message, err)
	}
	if details.Code == "" || details.Message == "" || details.Severity == "" {
		return report.Finding{}, fmt.Errorf("the result %q has no details with code, severity and message", result.Message)
	}
	finding := details.Finding
	if finding.Enforcement = details.Enforcement; finding.Enforcement == "deny" {
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

// innermost drops conftest's words before the loader's or compiler's own.
func innermost(err error) error {
	message := err.Error()
	for _, prefix := range []string{"loading policies: ", "load: ", "get compiler: "} {
		message = strings.TrimPrefix(message, prefix)
	}
	return errors.New(message)
}
