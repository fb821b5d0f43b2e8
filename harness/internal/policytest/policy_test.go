package policytest

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/proompteng/nevermigrate/policy"
)

// folder is the policy with its tests.
const folder = "../../../policy"

// parse parses the Rego files of a file system, without their tests unless they
// are asked for.
func parse(fsys fs.FS, withTests bool) (map[string]*ast.Module, error) {
	parsed := map[string]*ast.Module{}
	err := fs.WalkDir(fsys, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !strings.HasSuffix(path, ".rego") || (!withTests && strings.HasSuffix(path, "_test.rego")) {
			return nil
		}
		text, err := fs.ReadFile(fsys, path)
		if err != nil {
			return err
		}
		parsed[path], err = ast.ParseModuleWithOpts(path, string(text), ast.ParserOptions{ProcessAnnotation: true})
		return err
	})
	if err == nil && len(parsed) == 0 {
		err = errors.New("there is no policy")
	}
	return parsed, err
}

// embedded are the rules in the binary, inFolder those on disk with their tests.
// Both are parsed once and must not be changed.
var (
	embedded = sync.OnceValues(func() (map[string]*ast.Module, error) { return parse(policy.FS, false) })
	inFolder = sync.OnceValues(func() (map[string]*ast.Module, error) { return parse(os.DirFS(folder), true) })
)

// modules are those that a function parses.
func modules(t testing.TB, parse func() (map[string]*ast.Module, error)) map[string]*ast.Module {
	t.Helper()
	parsed, err := parse()
	if err != nil {
		t.Fatalf("read policy: %v", err)
	}
	return parsed
}

// compile compiles modules.
func compile(parsed map[string]*ast.Module) (*ast.Compiler, error) {
	compiler := ast.NewCompiler().WithStrict(true)
	if compiler.Compile(parsed); compiler.Failed() {
		return nil, compiler.Errors
	}
	return compiler, nil
}

// compiled are the rules in the binary.
var compiled = sync.OnceValues(func() (*ast.Compiler, error) {
	parsed, err := embedded()
	if err != nil {
		return nil, err
	}
	return compile(parsed)
})

// prepare prepares a query of the rules in the binary.
func prepare(t testing.TB, query string) rego.PreparedEvalQuery {
	t.Helper()
	compiler, err := compiled()
	if err != nil {
		t.Fatalf("compile policy: %v", err)
	}
	return prepareWith(t, compiler, query)
}

// prepareWith prepares a query. An error inside a built-in function is an error
// of the query: it would make a rule undefined.
func prepareWith(t testing.TB, compiler *ast.Compiler, query string) rego.PreparedEvalQuery {
	t.Helper()
	prepared, err := rego.New(
		rego.Query(query), rego.Compiler(compiler), rego.StrictBuiltinErrors(true),
	).PrepareForEval(context.Background())
	if err != nil {
		t.Fatalf("prepare %s: %v", query, err)
	}
	return prepared
}

// evaluate gives the value of the only expression of a query.
func evaluate(t testing.TB, prepared rego.PreparedEvalQuery, input any) any {
	t.Helper()
	results, err := prepared.Eval(context.Background(), rego.EvalInput(input))
	if err != nil {
		t.Fatalf("evaluate: %v", err)
	}
	if len(results) != 1 || len(results[0].Expressions) != 1 {
		t.Fatalf("evaluate: the query is undefined for input %v", input)
	}
	return results[0].Expressions[0].Value
}

func TestEveryRuleFileIsEmbedded(t *testing.T) {
	var want []string
	for _, pattern := range []string{"*.rego", "lib/*.rego"} {
		found, err := fs.Glob(os.DirFS(folder), pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if !strings.HasSuffix(path, "_test.rego") {
				want = append(want, path)
			}
		}
	}
	var got []string
	parsed, err := parse(policy.FS, true)
	if err != nil {
		t.Fatal(err)
	}
	for path := range parsed {
		got = append(got, path)
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) < 10 || !slices.Equal(got, want) {
		t.Errorf("embedded files:\n%v\nfiles in the folder:\n%v", got, want)
	}
}

func TestVersion(t *testing.T) {
	if !regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`).MatchString(policy.Version) {
		t.Errorf("Version is %q, not three numbers", policy.Version)
	}
}

// TestRego runs the Rego tests as `opa test --coverage` does. Each line of each
// file must be reached.
func TestRego(t *testing.T) {
	parsed := modules(t, inFolder)
	coverage := cover.New()
	results, err := tester.NewRunner().
		SetCompiler(ast.NewCompiler().WithStrict(true).WithEnablePrintStatements(true)).
		SetParallel(1).
		RaiseBuiltinErrors(true).
		SetModules(parsed).
		SetCoverageQueryTracer(coverage).
		RunTests(context.Background(), nil)
	if err != nil {
		t.Fatalf("run Rego tests: %v", err)
	}
	ran := 0
	for result := range results {
		ran++
		if !result.Pass() {
			t.Errorf("%s: %v", result, result.Error)
		}
	}
	t.Logf("%d Rego tests", ran)
	if ran < 100 {
		t.Errorf("only %d Rego tests ran", ran)
	}
	report := coverage.Report(parsed)
	if report.Coverage != 100 {
		t.Errorf("coverage is %v, not 100", report.Coverage)
	}
	for path, file := range report.Files {
		for _, lines := range file.NotCovered {
			t.Errorf("%s: lines %d to %d are not covered", path, lines.Start.Row, lines.End.Row)
		}
	}
}

// TestWithoutTheConstraintFile runs the policy as the cluster does, where
// Gatekeeper reads the constraint and only data.lib may be imported.
func TestWithoutTheConstraintFile(t *testing.T) {
	parsed := maps.Clone(modules(t, embedded))
	delete(parsed, "lib/constraint.rego")
	for path, module := range parsed {
		for _, imported := range module.Imports {
			if name := imported.Path.String(); !strings.HasPrefix(name, "data.lib.") {
				t.Errorf("%s imports %s", path, name)
			}
		}
	}
	compiler, err := compile(parsed)
	if err != nil {
		t.Fatal(err)
	}
	prepared := prepareWith(t, compiler, "{code: count(data.main.violation) | code := data.main.violation[_].details.code}")
	object := func(value string) map[string]any {
		return deployment("agents-controllers", map[string]any{
			"name": "app", "env": []any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": value}},
		})
	}
	review := func(object, parameters any) map[string]any {
		return map[string]any{"review": map[string]any{"object": object}, "parameters": parameters}
	}
	for name, test := range map[string]struct {
		input any
		code  string
	}{
		"good":              {review(object("skip"), nil), ""},
		"auto":              {review(object("auto"), map[string]any{}), "CNM002"},
		"another variable":  {review(object("skip"), map[string]any{"envVar": "OTHER"}), "CNM001"},
		"broken parameters": {review(object("skip"), map[string]any{"envvar": "OTHER"}), "CNM000"},
		"no review":         {object("auto"), "CNM002"},
	} {
		t.Run(name, func(t *testing.T) {
			got := evaluate(t, prepared, test.input).(map[string]any)
			if test.code == "" {
				if len(got) != 0 {
					t.Errorf("violations %v, want none", got)
				}
				return
			}
			if _, ok := got[test.code]; !ok || len(got) != 1 {
				t.Errorf("violations %v, want one of %s", got, test.code)
			}
		})
	}
}

func deployment(name string, containers ...any) map[string]any {
	return map[string]any{
		"apiVersion": "apps/v1",
		"kind":       "Deployment",
		"metadata":   map[string]any{"name": name, "namespace": "agents"},
		"spec":       map[string]any{"template": map[string]any{"spec": map[string]any{"containers": containers}}},
	}
}
