package pages

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/proompteng/nevermigrate/harness/internal/generated"
	"github.com/proompteng/nevermigrate/harness/internal/markdown"
)

// hostileFile holds what check says of each hostile input: TestHostileInputs of
// harness/cmd/nevermigrate writes it.
const hostileFile = "harness/cmd/nevermigrate/testdata/hostile/output.txtar"

// saidRunes bounds what the table shows of an answer.
const saidRunes = 200

// TestHostileTable holds the table of docs/security.md to what check says of each
// hostile input.
func TestHostileTable(t *testing.T) {
	const page, start, end = "docs/security.md", "<!-- hostile -->\n", "<!-- end of hostile -->\n"
	list := "| input | exit status | what is said |\n|---|---|---|\n"
	answers := txtar.Parse([]byte(read(t, hostileFile)))
	if len(answers.Files) < 60 {
		t.Fatalf("%s has %d answers only", hostileFile, len(answers.Files))
	}
	for _, file := range answers.Files {
		first, output, _ := strings.Cut(string(file.Data), "\n")
		status, ok := strings.CutPrefix(first, "status ")
		if !ok {
			t.Fatalf("%s: %s: %q is no status", hostileFile, file.Name, first)
		}
		list += fmt.Sprintf("| %s | %s | %s |\n", markdown.Text(file.Name), status, markdown.Code(said(output)))
	}
	generated.Between(t, *update, page, start, end, list)
}

// said is the line of an output that says most: the error of a target, of the program,
// or else the verdict.
func said(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	line := lines[len(lines)-1]
	for i, l := range lines {
		if message, ok := strings.CutPrefix(l, "Error: "); ok {
			line = message
			break
		}
		if strings.HasSuffix(l, ": error") && i+1 < len(lines) {
			line = strings.TrimSpace(lines[i+1])
			break
		}
	}
	if runes := []rune(line); len(runes) > saidRunes {
		return string(runes[:saidRunes]) + "…"
	}
	return line
}

func TestSaid(t *testing.T) {
	for output, want := range map[string]string{
		"a: pass\n  TABLE\n\npass: the contract holds.\n":                  "pass: the contract holds.",
		"a: pass\n  TABLE\n\nb: error\n  render b: no\n  more\n\nerror: 1": "render b: no",
		"Error: load: no\n":      "load: no",
		strings.Repeat("ü", 300): strings.Repeat("ü", 200) + "…",
	} {
		if got := said(output); got != want {
			t.Errorf("%q: got %q, want %q", output, got, want)
		}
	}
}
