package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

var (
	// blockPattern finds the sessions of a page, and the files that it shows: those
	// whose first line is a comment with their name.
	blockPattern   = regexp.MustCompile("(?s)```console\n(.*?)```|```yaml\n# ([\\w./-]+\\.yaml)\n(.*?)```")
	commandPattern = regexp.MustCompile(`(?m)^\$ (.*)\n`)
)

// shownDay is the day that pages show where one in the future is needed.
const shownDay = "2027-01-31"

// TestReadmeSessions runs the sessions of the README and of the pages in docs: what they
// show is what the command prints. They run in this repository or, where testdata/pages
// has one by the name of the page, in the repository of that archive; there the files
// that the page shows are written. With -update it writes the sessions.
func TestReadmeSessions(t *testing.T) {
	root := stock.Root(t)
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	sessions := 0
	for _, page := range append(pages, filepath.Join(root, "README.md")) {
		name, _ := filepath.Rel(root, page)
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			got, ran := runPage(t, root, name, string(text))
			sessions += ran
			if *update {
				if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(text), got); diff != "" {
				t.Errorf("%s (-shown +printed); scripts/generate writes it:\n%s", name, diff)
			}
		})
	}
	if sessions < 12 {
		t.Errorf("the pages have %d sessions", sessions)
	}
}

// runPage returns a page with what its commands print, and how many they are.
func runPage(t *testing.T, root, name, text string) (string, int) {
	t.Helper()
	archive := filepath.Join(root, "harness/cmd/nevermigrate/testdata/pages", strings.TrimSuffix(filepath.Base(name), ".md")+".txtar")
	own := repositoryOf(t, archive)
	day := time.Now().UTC().AddDate(0, 0, 14).Format(time.DateOnly)
	if own {
		text = strings.ReplaceAll(text, shownDay, day)
	} else {
		t.Chdir(root)
	}
	ran := 0
	text = blockPattern.ReplaceAllStringFunc(text, func(block string) string {
		match := blockPattern.FindStringSubmatch(block)
		if file := match[2]; file != "" {
			if own {
				writePageFile(t, file, match[3])
			}
			return block
		}
		printed := "```console\n"
		for _, command := range commandPattern.FindAllStringSubmatch(match[1], -1) {
			ran++
			printed += command[0] + runShown(t, command[1])
		}
		return printed + "```"
	})
	if own {
		text = strings.ReplaceAll(text, day, shownDay)
	}
	return text, ran
}

// repositoryOf makes the repository of an archive, if there is one, and goes there.
func repositoryOf(t *testing.T, archive string) bool {
	t.Helper()
	files, err := txtar.ParseFile(archive)
	if os.IsNotExist(err) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir(".git", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range files.Files {
		writePageFile(t, file.Name, string(file.Data))
	}
	return true
}

func writePageFile(t *testing.T, name, text string) {
	t.Helper()
	if !filepath.IsLocal(name) {
		t.Fatalf("%s is outside of the repository", name)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// runShown runs a command that a page shows, and returns what it prints. A page that
// shows another program, quotes or a pipe cannot be run.
func runShown(t *testing.T, command string) string {
	t.Helper()
	words := strings.Fields(command)
	if words[0] != "nevermigrate" || strings.ContainsAny(command, `'"|<>$`) {
		t.Fatalf("%q: a session has commands of nevermigrate only, without quotes", command)
	}
	if words[1] == "init" {
		words = append(words, "--revision", "v0.1.0") // a release knows its own
	}
	var stdout, stderr bytes.Buffer
	run(t.Context(), words[1:], nil, &stdout, &stderr)
	return stdout.String() + stderr.String()
}
