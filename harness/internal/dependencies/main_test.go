package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPackageOf(t *testing.T) {
	for symbol, want := range map[string]string{
		"main.main": "main",
		"github.com/open-policy-agent/opa/v1/ast.(*Compiler).Compile": "github.com/open-policy-agent/opa/v1/ast",
		"github.com/open-policy-agent/opa/v1/ast.init":                "github.com/open-policy-agent/opa/v1/ast",
		"gopkg.in/evanphx/json-patch%2ev4.init":                       "gopkg.in/evanphx/json-patch.v4",
		"type:.eq.k8s.io/api/core/v1.Pod":                             "k8s.io/api/core/v1",
		"type:*k8s.io/api/core/v1.Pod":                                "k8s.io/api/core/v1",
		"go:itab.*os.File,io.Writer":                                  "os",
		"slices.SortFunc[go.shape.[]string]":                          "slices",
	} {
		if got := packageOf(symbol); got != want {
			t.Errorf("%s is of %q, want %q", symbol, got, want)
		}
	}
}

func TestInitTimes(t *testing.T) {
	const trace = `init runtime @0.1 ms, 0.5 ms clock, 8 bytes, 1 allocs
init a.b/c/d @1.0 ms, 1.25 ms clock, 8 bytes, 1 allocs
what a program says besides
init a.b/c @2.0 ms, 0.25 ms clock, 8 bytes, 1 allocs
`
	got, err := initTimes(strings.NewReader(trace), map[string]string{"runtime": "std", "a.b/c": "a.b/c", "a.b/c/d": "a.b/c"})
	want := map[string]time.Duration{"std": 500 * time.Microsecond, "a.b/c": 1500 * time.Microsecond}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

func TestTable(t *testing.T) {
	m := measured{modules: map[string]*module{
		"std":                                {path: "std", packages: 3, compile: 2 * time.Second, bytes: 2_000_000},
		"helm.sh/helm/v4":                    {path: "helm.sh/helm/v4", packages: 1, compile: 4 * time.Second, bytes: 1_500_000, start: 250 * time.Microsecond},
		"no one knows of it":                 {path: "no one knows of it", packages: 1},
		"github.com/proompteng/nevermigrate": {path: "github.com/proompteng/nevermigrate", packages: 5, compile: time.Second},
	}, linking: 3 * time.Second, size: 20_000_000, small: 15_000_000, starts: 20 * time.Millisecond}
	const want = ": 10 packages of 2 modules; a cold build takes 10 CPU seconds, 3 of them for linking; the program has 20.0 MB, 15.0 stripped, and starts in 20 ms.\n" + `
| module | packages | compile, CPU s | linked, MB | before main, ms | what for |
|---|---|---|---|---|---|
| helm.sh/helm/v4 | 1 | 4.0 | 1.5 | 0.2 | charts: loading, the engine, the client for registries |
| std | 3 | 2.0 | 2.0 | 0.0 | Go's own library |
| no one knows of it | 1 | 0.0 | 0.0 | 0.0 |  |
`
	_, got, _ := strings.Cut(m.table(), ":")
	if diff := cmp.Diff(want, ":"+got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
