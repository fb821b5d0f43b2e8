// Package pages holds the pages of this repository to the truth: links lead somewhere,
// each page is listed, and tables are those that tests know.
package pages

import (
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/generated"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

var update = flag.Bool("update", false, "write the tables of the pages")

// readmeWords is how many words the README may have: it is a first screen.
const readmeWords = 1000

// read is the text of a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(stock.Root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages are the pages that people read, by their paths in the repository.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/rules/*.md", ".github/*.md", ".github/actions/*/*.md", "fixtures/*.md", "fixtures/charts/*/*.md"} {
		files, err := fs.Glob(os.DirFS(stock.Root(t)), pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, files...)
	}
	if len(found) < 40 {
		t.Fatalf("only %d pages are there", len(found))
	}
	return found
}

var (
	fencePattern   = regexp.MustCompile("(?ms)^```.*?^```$")
	codePattern    = regexp.MustCompile("`[^`\n]*`")
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
)

// anchors are the names of a page's headings, as GitHub makes them.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, heading := range headingPattern.FindAllStringSubmatch(fencePattern.ReplaceAllString(text, ""), -1) {
		found[anchor(heading[1])] = true
	}
	return found
}

func anchor(heading string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == ' ':
			return '-'
		case unicode.IsLetter(c), unicode.IsDigit(c), c == '-', c == '_':
			return unicode.ToLower(c)
		}
		return -1
	}, heading)
}

// links are what a page links to in this repository: a path from its top, and an anchor.
func links(page, text string) [][2]string {
	text = codePattern.ReplaceAllString(fencePattern.ReplaceAllString(text, ""), "")
	var found [][2]string
	for _, link := range linkPattern.FindAllStringSubmatch(text, -1) {
		if strings.Contains(link[1], "://") || strings.HasPrefix(link[1], "mailto:") {
			continue
		}
		path, to, _ := strings.Cut(link[1], "#")
		if path = filepath.Join(filepath.Dir(page), path); strings.HasPrefix(link[1], "#") {
			path = page
		}
		found = append(found, [2]string{path, to})
	}
	return found
}

// TestLinks: each link of a page leads to a file or folder that is there, and to a
// heading that is there.
func TestLinks(t *testing.T) {
	seen := 0
	for _, page := range pages(t) {
		for _, link := range links(page, read(t, page)) {
			seen++
			path, to := link[0], link[1]
			if _, err := os.Stat(filepath.Join(stock.Root(t), path)); err != nil {
				t.Errorf("%s links to %s, which is not there", page, path)
				continue
			}
			if to != "" && !anchors(read(t, path))[to] {
				t.Errorf("%s links to #%s of %s, which has no such heading", page, to, path)
			}
		}
	}
	if seen < 150 {
		t.Errorf("the pages have %d links only", seen)
	}
}

// TestIndex: docs/README.md links to each page of docs; those of the rules stand in
// docs/contract.md.
func TestIndex(t *testing.T) {
	for index, pattern := range map[string]string{"docs/README.md": "docs/*.md", "docs/contract.md": "docs/rules/*.md"} {
		linked := map[string]bool{index: true}
		for _, link := range links(index, read(t, index)) {
			linked[link[0]] = true
		}
		files, err := fs.Glob(os.DirFS(stock.Root(t)), pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			if !linked[file] {
				t.Errorf("%s does not link to %s", index, file)
			}
		}
	}
}

// TestShortAnswers: docs/README.md answers what a reader asks first, and each answer
// leads to the page that has it, by its first link.
func TestShortAnswers(t *testing.T) {
	rows := table(t, "docs/README.md", "| question | answer |")
	got := map[string]string{}
	for _, row := range rows {
		got[row[0]] = ""
		if found := linkPattern.FindStringSubmatch(row[1]); found != nil {
			got[row[0]] = found[1]
		}
	}
	want := map[string]string{
		"Why was I denied?":                 "contract.md#the-rules",
		"What do I change?":                 "causes.md#what-a-verified-fix-is",
		"How do I exempt it for two weeks?": "adopting.md#two-weeks-for-one-finding",
		"Does it look at everything?":       "coverage.md",
		"What may it not know?":             "coverage.md#what-it-may-not-know",
		"How fast is it?":                   "performance.md",
		"How do I roll back?":               "roll-out.md",
		"How do I add a rule?":              "add-a-rule.md",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("questions, and the first page that answers each (-want +got):\n%s", diff)
	}
}

// TestAddARule: who reads docs alone finds the recipe of CONTRIBUTING.md there. With
// -update it writes it.
func TestAddARule(t *testing.T) {
	const page, begin, end = "docs/add-a-rule.md", "<!-- recipe -->\n", "<!-- end of recipe -->\n"
	_, rest, found := strings.Cut(read(t, "CONTRIBUTING.md"), "\n## Add a rule\n\n")
	recipe, _, more := strings.Cut(rest, "\n## ")
	if !found || !more {
		t.Fatal("CONTRIBUTING.md has no section \"Add a rule\" with another after it")
	}
	generated.Between(t, *update, page, begin, end, recipe)
}

// TestReadmeIsAFirstScreen: what is long has a page.
func TestReadmeIsAFirstScreen(t *testing.T) {
	if words := len(strings.Fields(read(t, "README.md"))); words > readmeWords {
		t.Errorf("README.md has %d words, more than %d: give what is long a page in docs", words, readmeWords)
	}
}

// TestCodeowners: each path of the file is there.
func TestCodeowners(t *testing.T) {
	owned := map[string]bool{}
	for line := range strings.Lines(read(t, ".github/CODEOWNERS")) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		path, rooted := strings.CutPrefix(words[0], "/")
		if len(words) < 2 || !rooted {
			t.Errorf("%q: give the path from the top and an owner", line)
			continue
		}
		owned[path] = true
		if _, err := os.Stat(filepath.Join(stock.Root(t), path)); err != nil {
			t.Errorf("%s has an owner, and is not there", path)
		}
	}
	for _, path := range []string{"policy/", ".nevermigrate.yaml", ".github/"} {
		if !owned[path] {
			t.Errorf("%s has no owner", path)
		}
	}
}

// TestDependabot: each Go module of the repository is looked after, but for one.
func TestDependabot(t *testing.T) {
	root := stock.Root(t)
	want := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "testdata") {
			return fs.SkipDir
		}
		if entry.Name() == "go.mod" {
			folder, err := filepath.Rel(root, filepath.Dir(path))
			want[strings.TrimSuffix("/"+filepath.ToSlash(folder), ".")] = true
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(want, "/.ci/charts") // by hand: `go get` would add what its modules need to be built
	var config struct {
		Updates []struct {
			Ecosystem   string   `json:"package-ecosystem"`
			Directories []string `json:"directories"`
		} `json:"updates"`
	}
	if err := yaml.Unmarshal([]byte(read(t, ".github/dependabot.yml")), &config); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, updates := range config.Updates {
		if updates.Ecosystem != "gomod" {
			continue
		}
		for _, folder := range updates.Directories {
			got[folder] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("folders with a go.mod (-there +in .github/dependabot.yml):\n%s", diff)
	}
}

// table are the rows of the table of a page that begins with a line, by their cells.
func table(t *testing.T, page, header string) [][]string {
	t.Helper()
	_, rest, found := strings.Cut(read(t, page), "\n"+header+"\n")
	if !found {
		t.Fatalf("%s has no table that begins with %q", page, header)
	}
	var rows [][]string
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			break
		}
		if strings.HasPrefix(line, "|---") {
			continue
		}
		rows = append(rows, strings.Split(strings.TrimSpace(strings.Trim(line, "|")), " | "))
	}
	if len(rows) == 0 {
		t.Fatalf("the table of %s that begins with %q is empty", page, header)
	}
	return rows
}
