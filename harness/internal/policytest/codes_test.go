package policytest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	goast "go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/report"
)

var codePattern = regexp.MustCompile(`\ACNM[0-9]{3}\z`)

// known is what the catalogue has of a code.
type known struct {
	Remedy string          `json:"remedy"`
	Forms  map[string]form `json:"forms"`
}

// form is one way to say a finding.
type form struct{ Message, Remedy string }

// wordsOf is the catalogue by code, with the rule's remedy where a form has none.
func wordsOf(t *testing.T) map[string]known {
	t.Helper()
	value := evaluate(t, prepare(t, "data.lib.catalogue.rules"), nil)
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]known
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, rule := range all {
		for name, form := range rule.Forms {
			form.Remedy = cmp.Or(form.Remedy, rule.Remedy)
			rule.Forms[name] = form
		}
	}
	return all
}

// codesOf are the codes that a file of rules holds, as often as it does.
func codesOf(module *ast.Module) []string {
	var codes []string
	ast.WalkTerms(module, func(term *ast.Term) bool {
		if text, ok := term.Value.(ast.String); ok && codePattern.MatchString(string(text)) {
			codes = append(codes, string(text))
		}
		return false
	})
	return codes
}

// TestCodes: the catalogue knows each code of a rule, which is written once, in
// main.ast. Every other code of the catalogue is stated in Go.
func TestCodes(t *testing.T) {
	words := wordsOf(t)
	given := map[string]bool{}
	for path, module := range modules(t, embedded) {
		codes := codesOf(module)
		switch path {
		case "lib/catalogue.rego":
		case "main.rego":
			for _, code := range codes {
				if given[code] {
					t.Errorf("%s is written twice in %s", code, path)
				}
				given[code] = true
			}
		default:
			if len(codes) > 0 {
				t.Errorf("%s holds the codes %v, which belong to main.rego", path, codes)
			}
		}
	}
	if len(given) < 9 {
		t.Errorf("main.rego gives only %v", slices.Sorted(maps.Keys(given)))
	}
	for _, code := range goStrings(t, "stated") {
		if codePattern.MatchString(code) {
			given[code] = true
		}
	}
	got, want := slices.Sorted(maps.Keys(given)), slices.Sorted(maps.Keys(words))
	if !slices.Equal(got, want) {
		t.Errorf("the rules give %v, and the catalogue has %v", got, want)
	}
}

// said is a finding that was put into words: its code, one of its forms, and the
// names of all its arguments.
type said struct {
	code  string
	forms []string
	args  []string
}

// TestForms: each form of the catalogue is used, and no other; and a finding has
// all arguments that its forms name, and none that no form of its code names.
// Three are always there.
func TestForms(t *testing.T) {
	words := wordsOf(t)
	used := map[string]bool{}
	use := func(where, code, name string) form {
		found, ok := words[code].Forms[name]
		if !ok {
			t.Errorf("%s says %s %s, which the catalogue does not have", where, code, name)
		}
		used[code+" "+name] = true
		return found
	}

	findings := saidByTests(t)
	for _, one := range findings {
		var needed []string
		for _, name := range one.forms {
			needed = append(needed, argumentsOf(use("a rule", one.code, name))...)
		}
		allowed := []string{"path", "skip", "variable"}
		for _, form := range words[one.code].Forms {
			allowed = append(allowed, argumentsOf(form)...)
		}
		for _, name := range needed {
			if !slices.Contains(one.args, name) {
				t.Errorf("%s %v lacks the argument %s", one.code, one.forms, name)
			}
		}
		for _, name := range one.args {
			if !slices.Contains(allowed, name) {
				t.Errorf("%s %v has the argument %s, which none of its forms names", one.code, one.forms, name)
			}
		}
	}
	if len(findings) < 100 {
		t.Errorf("the Rego tests say only %d findings", len(findings))
	}

	stated := goStrings(t, "stated")
	for code, rule := range words {
		if !slices.Contains(stated, code) {
			continue
		}
		for name := range rule.Forms {
			if !slices.Contains(stated, name) {
				continue
			}
			for _, argument := range argumentsOf(use("package stated", code, name)) {
				if !slices.Contains(stated, argument) {
					t.Errorf("%s %s is stated without the argument %s", code, name, argument)
				}
			}
		}
	}

	for _, template := range []string{"../admission/spec.yaml.tmpl", "../chartguard/guard.yaml.tmpl"} {
		decided := decidedBy(t, template)
		for _, one := range decided {
			if one[1] != "" {
				use(template, one[0], one[1])
			} else if _, ok := words[one[0]]; !ok {
				t.Errorf("%s finds %s, which the catalogue does not have", template, one[0])
			}
		}
		if len(decided) < 9 {
			t.Errorf("%s finds only %v", template, decided)
		}
	}

	for code, rule := range words {
		for name := range rule.Forms {
			if !used[code+" "+name] {
				t.Errorf("nothing says %s %s", code, name)
			}
		}
	}
}

// argumentsOf are the names of the arguments in the words of a form.
func argumentsOf(f form) []string {
	var names []string
	for _, match := range regexp.MustCompile(`\{([a-z_]+)\}`).FindAllStringSubmatch(f.Message+f.Remedy, -1) {
		names = append(names, match[1])
	}
	return names
}

// saidByTests runs the Rego tests, but those of the catalogue and of results,
// which say what no rule finds, and returns all that was put into words.
func saidByTests(t *testing.T) []said {
	t.Helper()
	tracer := &textsTracer{}
	results, err := tester.NewRunner().
		SetCompiler(ast.NewCompiler().WithStrict(true).WithEnablePrintStatements(true)).
		SetModules(modules(t, inFolder)).
		SetCoverageQueryTracer(tracer).
		SetParallel(1).
		Filter(`^data\.main_test\.`).
		RunTests(context.Background(), nil)
	if err != nil {
		t.Fatalf("run Rego tests: %v", err)
	}
	for result := range results {
		if !result.Pass() {
			t.Errorf("%s: %v", result, result.Error)
		}
	}
	if tracer.err != nil {
		t.Fatal(tracer.err)
	}
	return tracer.found
}

// textsTracer looks at each call of the catalogue's texts.
type textsTracer struct {
	found []said
	err   error
}

func (*textsTracer) Enabled() bool { return true }

func (*textsTracer) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

func (c *textsTracer) TraceEvent(event topdown.Event) {
	rule, ok := event.Node.(*ast.Rule)
	if !ok || event.Op != topdown.ExitOp || rule.Head.Name != "texts" || rule.Module.Package.Path.String() != "data.lib.catalogue" {
		return
	}
	var one said
	var args map[string]any
	for i, into := range []any{&one.code, &one.forms, &args} {
		if err := ast.As(event.Plug(rule.Head.Args[i]).Value, into); err != nil {
			c.err = fmt.Errorf("read the arguments of texts: %w", err)
			return
		}
	}
	one.args = slices.Sorted(maps.Keys(args))
	c.found = append(c.found, one)
}

// goStrings are the strings in the source of a package beside this one, without
// its tests.
func goStrings(t *testing.T, name string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", name, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		goast.Inspect(parsed, func(node goast.Node) bool {
			if literal, ok := node.(*goast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, text)
			}
			return true
		})
	}
	if len(all) == 0 {
		t.Fatalf("there are no strings in package %s", name)
	}
	return all
}

// decidedBy are the codes that the template of a decider finds, each with its
// form, which may be empty.
func decidedBy(t *testing.T, file string) [][2]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// {{finding CODE SUBJECT PATH FORM}}, where the path may be in brackets, and
	// <% says CODE FORM %>.
	finding := regexp.MustCompile(`finding "(CNM[0-9]{3})"\s+"[^"]*"\s+(?:"[^"]*"|\(print [^}]*\))(?:\s+"([a-z_]+)")?`)
	says := regexp.MustCompile(`says "(CNM[0-9]{3})"(?:\s+"([a-z_]+)")?`)
	var found [][2]string
	for _, call := range []*regexp.Regexp{finding, says} {
		for _, match := range call.FindAllStringSubmatch(string(text), -1) {
			found = append(found, [2]string{match[1], match[2]})
		}
	}
	return found
}

func TestPackagesAreAnnotated(t *testing.T) {
	for path, module := range modules(t, embedded) {
		titled := false
		for _, annotation := range module.Annotations {
			if annotation.Scope == "package" && annotation.Title != "" {
				titled = true
			}
		}
		if !titled {
			t.Errorf("%s has no title", path)
		}
		if want := "data." + strings.ReplaceAll(strings.TrimSuffix(path, ".rego"), "/", "."); module.Package.Path.String() != want {
			t.Errorf("%s holds %s, want %s", path, module.Package.Path, want)
		}
	}
}

// TestEachRuleHasItsTests holds the names of the tests to a convention: a case
// that fires, a near miss, and one where a field is missing.
func TestEachRuleHasItsTests(t *testing.T) {
	known, err := catalogue.BuiltIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rules, err := known.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, test := range modules(t, inFolder)["main_test.rego"].Rules {
		names = append(names, test.Head.Name.String())
	}
	inRego := codesOf(modules(t, embedded)["main.rego"])
	for _, rule := range rules {
		if !slices.Contains(inRego, rule.Code) {
			continue
		}
		fires := map[report.Severity]string{report.Deny: "denies", report.Warn: "warns"}[rule.Severity]
		for _, verb := range []string{fires, "allows", "missing"} {
			prefix := fmt.Sprintf("test_%s_%s_", verb, strings.ToLower(rule.Code))
			if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, prefix) }) {
				t.Errorf("no test is named %s…", prefix)
			}
		}
	}
}
