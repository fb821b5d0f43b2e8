package steer

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// suggested are the suggestions for a template with some values.
func suggested(t *testing.T, values, template string) []string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n", "values.yaml": values, "templates/a.yaml": "kind: Pod\na: " + template,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	chart, err := render.OpenChart(dir, "", "default", render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	watched, err := watch.New(t.Context(), chart, nil, watch.Everything)
	if err != nil {
		t.Fatal(err)
	}
	_, trace, err := watched.Template(t.Context(), nil, render.Told{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range Read(watched, trace, nil, func(*watch.Site, int, any) bool { return true }) {
		text := s.Place.String() + "=" + inJSON(s.Value)
		for _, with := range s.With {
			text += " with " + with.Place.String() + "=" + inJSON(with.Value)
		}
		all = append(all, text)
	}
	return all
}

// TestRead: what is suggested, whole, for a branch, a comparison, a look-up, what
// a value is made into, and what only several values do.
func TestRead(t *testing.T) {
	for _, test := range []struct {
		values, template string
		want             []string
	}{
		{"flag: false", `{{ if .Values.flag }}b{{ end }}`, []string{`flag=true`}},
		{"mode: a", `{{ eq .Values.mode "b" }}`, []string{`mode="b"`, `mode="probe"`}},
		{"n: 1", `{{ gt (int .Values.n) 10 }}`, []string{`n=11`, `n=9`, `n=10`}},
		{"l: [a]", `{{ has "b" .Values.l }}`, []string{`l=["a","b"]`, `l=["a"]`}},
		{"m: {}", `{{ hasKey .Values.m "k" }}`, []string{`m.k=true`, `m.k="probe"`, `m.k={"probe":"probe"}`}},
		{"k: a", `{{ index (dict "a" 1 "b" 2) .Values.k }}`, []string{`k="a"`, `k="b"`, `k="probe"`}},
		{"k: a", `{{ eq (printf "x-%s" .Values.k) "x-b" }}`, []string{`k="b"`, `k="x-b"`, `k="probe"`}},
		{"k: YQ==", `{{ eq (b64dec .Values.k) "b" }}`, []string{`k="Yg=="`, `k="cHJvYmU="`}},
		{"a: {}", `{{ if .Values.a.b }}b{{ end }}`, []string{`a.b=true`, `a.b="probe"`, `a.b=1`, `a.b=["probe"]`, `a.b={"probe":"probe"}`}},
		{"p: false\nq: false", `{{ all .Values.p .Values.q }}`, []string{`p=true with q=true`, `p=true`, `q=true`}},
	} {
		if diff := cmp.Diff(test.want, suggested(t, test.values, test.template)); diff != "" {
			t.Errorf("%s with %s (-want +got):\n%s", test.template, test.values, diff)
		}
	}
}

// TestMatches: what is made of a pattern matches it.
func TestMatches(t *testing.T) {
	for _, pattern := range []string{`^a$`, `^dev-[0-9]{2}$`, `(x|y)+z?`, `^v\d+\.\d+`, `[^a]b*`, `^(lab|test)-.*$`} {
		for _, text := range Matches(pattern) {
			if !regexp.MustCompile(pattern).MatchString(text.(string)) {
				t.Errorf("%s: %q", pattern, text)
			}
		}
	}
	if got := Matches("("); got != nil {
		t.Errorf("of no pattern: %q", got)
	}
}
