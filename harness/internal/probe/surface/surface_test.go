package surface_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"

	"github.com/proompteng/nevermigrate/harness/internal/probe/surface"
)

var update = flag.Bool("update", false, "write the golden files")

// describe writes a whole surface, a line for each place:
//
//	path: kinds, flags, what is allowed, default, sources -> files
func describe(t *testing.T, s *surface.Surface) string {
	t.Helper()
	var out strings.Builder
	for _, p := range s.Places {
		fmt.Fprintf(&out, "%s: %s", pathOf(p.Path), describeShape(t, &p.Shape))
		if !p.Read {
			out.WriteString(" unread")
		}
		if p.Default != nil {
			fmt.Fprintf(&out, " default=%s", asJSON(t, p.Default))
		}
		byFile := map[string][]string{}
		for _, source := range p.Sources {
			byFile[source.File] = append(byFile[source.File], fmt.Sprint(source.Line))
		}
		for _, file := range slices.Sorted(maps.Keys(byFile)) {
			fmt.Fprintf(&out, " %s:%s", file, strings.Join(byFile[file], ","))
		}
		for i, file := range p.Files {
			sep := ","
			if i == 0 {
				sep = " -> "
			}
			out.WriteString(sep + path.Base(file))
		}
		out.WriteString("\n")
	}
	for _, note := range s.Notes {
		fmt.Fprintf(&out, "note: %s\n", note)
	}
	return out.String()
}

func pathOf(path []string) string {
	if len(path) == 0 {
		return "(all)"
	}
	return strings.Join(path, ".")
}

func describeShape(t *testing.T, s *surface.Shape) string {
	t.Helper()
	words := []string{s.Kinds.String()}
	if s.Kinds == 0 {
		words[0] = "any"
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{{s.Raw, "raw"}, {s.Template, "template"}, {s.Switch, "switch"}, {s.Name, "name"}, {s.Closed, "closed"}} {
		if flag.set {
			words = append(words, flag.name)
		}
	}
	if len(s.Types) > 0 {
		words = append(words, "types="+strings.Join(s.Types, "|"))
	}
	if len(s.Enum) > 0 {
		words = append(words, "enum="+asJSON(t, s.Enum))
	}
	if len(s.Compared) > 0 {
		words = append(words, "compared="+asJSON(t, s.Compared))
	}
	for _, key := range slices.Sorted(maps.Keys(s.Fields)) {
		words = append(words, key+"("+describeShape(t, s.Fields[key])+")")
	}
	if s.Element != nil {
		words = append(words, "*("+describeShape(t, s.Element)+")")
	}
	return strings.Join(words, " ")
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func load(t *testing.T, folder string) *chart.Chart {
	t.Helper()
	c, err := loader.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func fixture(t *testing.T) *chart.Chart {
	t.Helper()
	return load(t, filepath.Join("..", "..", "..", "..", "fixtures", "charts", "agents"))
}

// TestFindInFixture compares the whole surface of the fixture chart with
// testdata/agents.txt.
func TestFindInFixture(t *testing.T) {
	s, err := surface.Find(t.Context(), fixture(t))
	if err != nil {
		t.Fatal(err)
	}
	got := describe(t, s)
	golden := filepath.Join("testdata", "agents.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
