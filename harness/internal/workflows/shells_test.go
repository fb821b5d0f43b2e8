package workflows

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
)

// TestCompletionInShells: zsh and fish offer what the script of completion says, when the
// key is pressed in them. Bash is tried in testdata/completion.txtar of the command.
func TestCompletionInShells(t *testing.T) {
	lane.Full(t)
	needs(t, "zsh", "fish")
	program := program(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "out", "report"), "", 0o644)
	env := map[string]string{"PATH": filepath.Dir(program) + ":" + os.Getenv("PATH"), "HOME": dir, "TERM": "dumb", "LC_ALL": "C.UTF-8"}
	scripts := map[string]string{}
	for _, shell := range []string{"zsh", "fish"} {
		text, err := exec.Command(program, "completion", shell).Output()
		if err != nil {
			t.Fatal(err)
		}
		scripts[shell] = filepath.Join(dir, "script."+shell)
		write(t, scripts[shell], string(text), 0o644)
	}
	zsh, err := filepath.Abs(filepath.Join("testdata", "complete.zsh"))
	if err != nil {
		t.Fatal(err)
	}
	offered := map[string]func(line string) []string{
		"zsh": func(line string) []string {
			return strings.Fields(strings.ReplaceAll(run(t, dir, env, "zsh", "-f", zsh, scripts["zsh"], line).Out, "\r", ""))
		},
		"fish": func(line string) []string {
			got := run(t, dir, env, "fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", scripts["fish"], line)
			var words []string
			for one := range strings.Lines(got.Out) {
				word, _, _ := strings.Cut(strings.TrimSpace(one), "\t")
				words = append(words, word)
			}
			return words
		},
	}
	for _, test := range []struct {
		line string
		want []string
	}{
		{"nevermigrate expl", []string{"explain"}},
		{"nevermigrate check -o j", []string{"json", "junit"}},
		{"nevermigrate check -o sarif=o", []string{"sarif=out/"}},
		{"nevermigrate diff --bas", []string{"--base", "--baseline"}},
		{"nevermigrate explain CNM002", []string{"CNM002"}},
	} {
		for shell, of := range offered {
			if diff := cmp.Diff(test.want, of(test.line)); diff != "" {
				t.Errorf("%s, %q (-want +got):\n%s", shell, test.line, diff)
			}
		}
	}
}
