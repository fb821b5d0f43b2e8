package evaluate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/proompteng/nevermigrate/harness/internal/bundle"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// TestConstants: what is kept from one object to the next does not look at the object.
func TestConstants(t *testing.T) {
	e, err := New(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := e.rules.constants()
	for ref, want := range map[string]bool{
		"data.lib.parameters.values":   true,
		"data.lib.parameters.problems": true,
		"data.lib.contract.usable":     true,
		"data.lib.reading.harmless":    true,
		"data.lib.constraint.problems": true,
		"data.lib.review.is_target":    false,
		"data.lib.document.objects":    false,
		"data.lib.document.beside":     false,
		"data.lib.workload.all":        false,
		"data.lib.summary.workloads":   false,
	} {
		if c.rules[ref] != want {
			t.Errorf("%s is kept: %v, want %v", ref, c.rules[ref], want)
		}
	}
	for ref, want := range map[string]bool{
		"data.lib.text.image_names":    true,
		"data.lib.mode.of":             true,
		"data.lib.value.written":       true,
		"data.lib.plain.keeps":         false,
		"data.lib.mounted.files":       false,
		"data.lib.workload._is_exempt": true,
	} {
		if c.functions[ref] != want {
			t.Errorf("answers of %s are kept: %v, want %v", ref, c.functions[ref], want)
		}
	}
}

// TestConstantsOfAnotherPolicy: nothing is assumed of rules that have the names of ours,
// and what looks at the input in a roundabout way, or answers otherwise each time, is
// not kept.
func TestConstantsOfAnotherPolicy(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"main.rego": `package main

import data.lib.own
import data.lib.review

violation contains {"msg": "m", "details": {"code": own.code, "severity": "deny", "message": own.plain, "remedy": own.of("x")}} if review.is_review
`,
		"lib/own.rego": `package lib.own

code := upper(_kind)

_kind := input.kind

plain := concat("", ["a", "b"])

of(text) := sprintf("%s %s", [text, code])

now := time.now_ns()

else_way := "x" if {
	1 > 2
} else := input.kind

other := y if y := data.lib.own.plain with input as {}
`,
		"lib/review.rego":     "package lib.review\n\nis_review if input.kind\n",
		"lib/summary.rego":    "package lib.summary\n\nworkloads := []\n\nexempted := []\n",
		"lib/constraint.rego": "package lib.constraint\n\nproblems := []\n",
	} {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := LoadPolicy(folder, bundle.Verification{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := constants{
		rules: map[string]bool{
			"data.lib.own.plain": true, "data.lib.summary.workloads": true,
			"data.lib.summary.exempted": true, "data.lib.constraint.problems": true,
		},
		functions: map[string]bool{},
	}
	if diff := cmp.Diff(want, *e.rules.constants(), cmp.AllowUnexported(constants{})); diff != "" {
		t.Errorf("other rules are kept (-want +got):\n%s", diff)
	}
	var got []string
	for _, kind := range []string{"Pod", "Job", "Pod"} {
		result, err := e.Evaluate(t.Context(), []manifest.Object{{Document: 1, Content: map[string]any{"kind": kind}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, finding := range result.Findings {
			got = append(got, finding.Code+" "+finding.Message+" "+finding.Remedy)
		}
	}
	if diff := cmp.Diff([]string{"POD ab x POD", "JOB ab x JOB", "POD ab x POD"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMemory: what is kept, what is forgotten, and what lies below a `with`.
func TestMemory(t *testing.T) {
	ref := func(text string) ast.Ref { return ast.MustParseRef(text) }
	call := func(text, argument string) ast.Ref {
		return ast.Ref{ast.NewTerm(ref(text)), ast.StringTerm(argument)}
	}
	m := newMemory(&constants{rules: map[string]bool{"data.lib.a.kept": true}, functions: map[string]bool{"data.lib.a.f": true}})
	m.begin()
	asked := map[string]ast.Ref{
		"kept": ref("data.lib.a.kept"), "of the object": ref("data.lib.a.object"), "undefined": ref("data.lib.a.none"),
		"a function": call("data.lib.a.f", "x"), "another argument": call("data.lib.a.f", "y"),
		"a function of the object": call("data.lib.a.g", "x"), "a small one": call("data.lib.value.text", "x"),
	}
	for what, ref := range asked {
		if what == "undefined" {
			m.Put(ref, nil)
		} else if what != "another argument" {
			m.Put(ref, ast.StringTerm(what))
		}
	}
	got := func() map[string]string {
		got := map[string]string{}
		for what, ref := range asked {
			term, undefined := m.Get(ref)
			switch {
			case undefined:
				got[what] = "undefined"
			case term != nil:
				got[what] = string(term.Value.(ast.String))
			}
		}
		return got
	}
	all := map[string]string{
		"kept": "kept", "of the object": "of the object", "undefined": "undefined",
		"a function": "a function", "a function of the object": "a function of the object",
	}
	if diff := cmp.Diff(all, got()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m.Push()
	if diff := cmp.Diff(map[string]string{}, got()); diff != "" {
		t.Errorf("below a with (-want +got):\n%s", diff)
	}
	m.Put(asked["kept"], ast.StringTerm("other"))
	if diff := cmp.Diff(map[string]string{"kept": "other"}, got()); diff != "" {
		t.Errorf("below a with (-want +got):\n%s", diff)
	}
	m.Pop()
	if diff := cmp.Diff(all, got()); diff != "" {
		t.Errorf("after a with (-want +got):\n%s", diff)
	}
	m.begin()
	if diff := cmp.Diff(map[string]string{"kept": "kept", "a function": "a function"}, got()); diff != "" {
		t.Errorf("of the next object (-want +got):\n%s", diff)
	}
}
