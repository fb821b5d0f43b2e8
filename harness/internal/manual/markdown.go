package manual

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// Markdown is the reference of a command and of all below it, as one page.
func Markdown(root *cobra.Command) []byte {
	var b strings.Builder
	commands := Commands(root)[1:]
	fmt.Fprintf(&b, "# Commands\n\nWhat `%s COMMAND --help` prints. This page is made of it, and so are the man pages.\n\n| command | what it does |\n|---|---|\n", root.Name())
	for _, cmd := range commands {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", strings.TrimPrefix(cmd.CommandPath(), root.Name()+" "), strings.ReplaceAll(cmd.CommandPath(), " ", "-"), plain(cmd.Short))
	}
	for _, cmd := range commands {
		fmt.Fprintf(&b, "\n## %s\n\n", cmd.CommandPath())
		fmt.Fprintf(&b, "```\n%s\n```\n", strings.Join(synopsis(cmd), "\n"))
		long := cmd.Long
		if long == "" {
			long = cmd.Short + "."
		}
		for _, part := range blocksOf(long) {
			if part.literal {
				fmt.Fprintf(&b, "\n```\n%s\n```\n", unindented(part.text))
			} else {
				fmt.Fprintf(&b, "\n%s\n", plain(part.text))
			}
		}
		if cmd.Example != "" {
			fmt.Fprintf(&b, "\n```sh\n%s\n```\n", unindented(cmd.Example))
		}
		if flags := flagsOf(cmd); len(flags) > 0 {
			b.WriteString("\n| flag | what it is for |\n|---|---|\n")
			for _, f := range flags {
				fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(f.name, "|", `\|`), plain(f.usage))
			}
		}
	}
	return []byte(b.String())
}

var (
	quotedPattern = regexp.MustCompile("`[^`]*`")
	markPattern   = regexp.MustCompile(`[\\*_<>\[\]|#~]`)
)

// plain is a text that Markdown shows as it is, but for what is quoted, on one line.
func plain(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	var b strings.Builder
	at := 0
	mark := func(s string) string { return markPattern.ReplaceAllString(s, `\$0`) }
	for _, quoted := range quotedPattern.FindAllStringIndex(text, -1) {
		b.WriteString(mark(text[at:quoted[0]]))
		b.WriteString(text[quoted[0]:quoted[1]])
		at = quoted[1]
	}
	b.WriteString(mark(text[at:]))
	return b.String()
}
