package check_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/conftest/parser"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
	"github.com/proompteng/nevermigrate/harness/report"
)

// pod is one of the controllers that is right or wrong by its value, as a text.
func pod(name, value string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "-controllers}\nspec:\n  containers:\n  - name: main\n    env:\n" +
		"    - name: JANGAR_MIGRATIONS\n      value: " + value + "\n"
}

// hidden are texts with a wrong object that conftest does not see, by what the
// docs/conftest.md says of them. The first word of each is the ending of the file's name.
func hidden() map[string][]string {
	good, bad := pod("good", "skip"), pod("bad", "auto")
	flow := `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "NAME-controllers"}, "spec": {"containers": [{"name": "main", "env": [{"name": "JANGAR_MIGRATIONS", "value": "VALUE"}]}]}}`
	goodJSON := strings.NewReplacer("NAME-", "good-", "VALUE", "skip").Replace(flow)
	badJSON := strings.NewReplacer("NAME-", "bad-", "VALUE", "auto").Replace(flow)
	breaks := func(text, by string) string { return strings.ReplaceAll(text, "\n", by) }
	return map[string][]string{
		"nothing, or comments only": {"yaml ", "yaml # nothing\n---\n# at all\n"},
		"a document after `---` and a space, a tab or a comment": {
			"yaml " + good + "--- \n" + bad, "yaml " + good + "---\t\n" + bad, "yaml " + good + "--- # next\n" + bad,
		},
		"a document that begins on the line of its `---`": {"yaml " + good + "--- " + badJSON + "\n", "yaml " + good + "--- !!map\n" + bad},
		"a document after `...` without a `---`":          {"yaml " + good + "...\n" + bad},
		"lines that end in CR only, or some in CRLF and some in LF": {
			"yaml " + breaks(good+"---\n"+bad, "\r"), "yaml " + breaks(good, "\r\n") + "---\n" + bad, "yaml " + good + "---\r\n" + bad,
		},
		"lines that end in U+0085, U+2028 or U+2029": {
			"yaml " + breaks(good+"---\n"+bad, "\u0085"), "yaml " + good + "---\u2028" + bad, "yaml " + good + "---\u2029" + bad,
		},
		"JSON objects one after the other, on standard input or in a YAML file": {
			"yaml " + goodJSON + "\n" + badJSON + "\n", "yaml " + goodJSON + badJSON,
		},
		"a key twice in YAML": {"yaml " + bad + "      value: skip\n"},
		"a key twice in JSON": {"json " + strings.Replace(badJSON, `"auto"`, `"auto", "value": "skip"`, 1)},
		"U+0085 in double quotes (`\\N`) in a stream of several documents, which becomes a space": {
			"yaml " + good + "---\n" + pod("bad", `"skip\N"`), "yaml " + pod("bad", `"skip\x85"`) + "---\n" + good,
		},
	}
}

// pageList is what docs/conftest.md says that conftest does not see, with what check
// says of it.
func pageList(t *testing.T) map[string]string {
	t.Helper()
	_, list, found := strings.Cut(read(t, "../../../docs/conftest.md"), "<!-- conftest -->\n")
	list, _, ended := strings.Cut(list, "<!-- end of conftest -->")
	if !found || !ended {
		t.Fatal("docs/conftest.md has no list of what conftest reads in another way")
	}
	says := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(list), "\n")[2:] {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 2 {
			t.Fatalf("%q has not two cells", line)
		}
		says[cells[0]] = cells[1]
	}
	return says
}

// TestConftestReads holds what docs/conftest.md says true, by conftest's own
// reader: it finds nothing to deny, and check does.
func TestConftestReads(t *testing.T) {
	got := map[string]string{}
	for says, texts := range hidden() {
		for i, text := range texts {
			file := writeHidden(t, text)
			if denied := deniedByConftest(t, file); len(denied) > 0 {
				t.Errorf("%s, text %d: conftest denies %v", says, i+1, denied)
			}
			verdict := verdictOf(t, file)
			if before, ok := got[says]; ok && before != verdict {
				t.Errorf("%s, text %d: check says %s, and of another %s", says, i+1, verdict, before)
			}
			got[says] = verdict
		}
	}
	if diff := cmp.Diff(pageList(t), got); diff != "" {
		t.Errorf("(-docs/conftest.md +got):\n%s", diff)
	}
}

// What differs from the texts above in one character is read alike.
func TestConftestReadsAlike(t *testing.T) {
	good, bad := pod("good", "skip"), pod("bad", "auto")
	for name, text := range map[string]string{
		"a line of its own":           "yaml " + good + "---\n" + bad,
		"a separator after the end":   "yaml " + good + "...\n---\n" + bad,
		"CRLF":                        "yaml " + strings.ReplaceAll(good+"---\n"+bad, "\n", "\r\n"),
		"a directive":                 "yaml %YAML 1.1\n---\n" + good + "---\n" + bad,
		"an empty document before it": "yaml " + good + "---\n# nothing\n---\n" + bad,
		"U+0085 in one document":      "yaml " + pod("bad", `"skip\N"`),
		"U+2028 in several":           "yaml " + good + "---\n" + pod("bad", `"auto\L"`),
	} {
		t.Run(name, func(t *testing.T) {
			file := writeHidden(t, text)
			if denied := deniedByConftest(t, file); len(denied) != 1 || denied[0] != "CNM002" {
				t.Errorf("conftest denies %v", denied)
			}
			if verdict := verdictOf(t, file); verdict != "CNM002" {
				t.Errorf("check says %s", verdict)
			}
		})
	}
}

// TestStockConftestReads is TestConftestReads with the stock command.
func TestStockConftestReads(t *testing.T) {
	lane.Full(t)
	conftest := stock.Tool(t, "conftest")
	for says, texts := range hidden() {
		for i, text := range texts {
			command := exec.Command(conftest, "test", writeHidden(t, text))
			command.Dir = stock.Root(t)
			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("%s, text %d: %v\n%s", says, i+1, err, out)
			}
		}
	}
}

// writeHidden writes a text whose first word is the ending of its file.
func writeHidden(t *testing.T, text string) string {
	t.Helper()
	ending, text, _ := strings.Cut(text, " ")
	file := filepath.Join(t.TempDir(), "f."+ending)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// deniedByConftest are the codes that the policy denies in what conftest reads from
// a file.
func deniedByConftest(t *testing.T, file string) []string {
	t.Helper()
	configurations, err := parser.ParseConfigurations([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	var objects []manifest.Object
	for _, documents := range configurations {
		all, isList := documents.([]any)
		if !isList {
			all = []any{documents}
		}
		for _, document := range all {
			if object, ok := document.(map[string]any); ok {
				objects = append(objects, manifest.Object{Document: len(objects) + 1, Content: object})
			}
		}
	}
	evaluator, err := evaluate.New(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	result, err := evaluator.Evaluate(t.Context(), objects)
	if err != nil {
		t.Fatal(err)
	}
	return deniedCodes(result.Findings)
}

func deniedCodes(findings []report.Finding) []string {
	var codes []string
	for _, finding := range findings {
		if finding.Severity == report.Deny {
			codes = append(codes, finding.Code)
		}
	}
	return codes
}

// verdictOf is what check says of a file: the codes that it denies, or error.
func verdictOf(t *testing.T, file string) string {
	t.Helper()
	result, err := check.AllOnce(t.Context(), []string{file}, check.Options{WithoutCauses: true, AllowAbsent: true})
	if err != nil {
		t.Fatal(err)
	}
	if result.Targets[0].Error != "" {
		return "error"
	}
	return strings.Join(deniedCodes(result.Targets[0].Findings), ", ")
}
