package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

var consolePattern = regexp.MustCompile("(?s)```console\n\\$ nevermigrate ([^\n]*)\n(.*?)```")

// TestReadmeSessions runs the sessions of the README: what it shows is what the
// command prints. With -update it writes them.
func TestReadmeSessions(t *testing.T) {
	t.Chdir(stock.Root(t))
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	sessions := 0
	got := consolePattern.ReplaceAllStringFunc(string(readme), func(session string) string {
		sessions++
		command := consolePattern.FindStringSubmatch(session)[1]
		var stdout, stderr bytes.Buffer
		run(t.Context(), strings.Fields(command), nil, &stdout, &stderr)
		return "```console\n$ nevermigrate " + command + "\n" + stdout.String() + stderr.String() + "```"
	})
	if sessions == 0 {
		t.Fatal("the README has no session")
	}
	if *update {
		if err := os.WriteFile("README.md", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(readme), got); diff != "" {
		t.Errorf("README.md (-shown +printed):\n%s", diff)
	}
}
