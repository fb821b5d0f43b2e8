package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// ManName is the name of the file with a command's man page.
func ManName(cmd *cobra.Command) string {
	return strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
}

// Man is the man page of a command, by the macros of man(7).
func Man(cmd *cobra.Command) []byte {
	var b strings.Builder
	name := strings.TrimSuffix(ManName(cmd), ".1")
	head(&b, name, cmd.Short)
	section(&b, "SYNOPSIS")
	for i, line := range synopsis(cmd) {
		if i > 0 {
			b.WriteString(".br\n")
		}
		fmt.Fprintf(&b, "%s\n", roff(line))
	}
	section(&b, "DESCRIPTION")
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	text(&b, long)
	if flags := flagsOf(cmd); len(flags) > 0 {
		section(&b, "OPTIONS")
		for _, f := range flags {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(f.name), roff(f.usage))
		}
	}
	if cmd.Example != "" {
		section(&b, "EXAMPLES")
		literal(&b, cmd.Example)
	}
	var others []string
	if cmd.HasParent() {
		others = append(others, see(cmd.Parent()))
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			others = append(others, see(sub))
		}
	}
	section(&b, "SEE ALSO")
	b.WriteString(strings.Join(others, ",\n") + "\n")
	return []byte(b.String())
}

// ManOfHelp is the man page of a program whose help begins with its name and what it
// does, in one sentence, and goes on with how it is called.
func ManOfHelp(help string) ([]byte, error) {
	blocks := blocksOf(help)
	if len(blocks) < 3 || blocks[0].literal || !blocks[1].literal {
		return nil, fmt.Errorf("the help %.40q does not begin with a sentence and how the program is called", help)
	}
	name, does, found := strings.Cut(blocks[0].text, " ")
	if !found {
		return nil, fmt.Errorf("the help %.40q does not say what %s does", help, name)
	}
	var b strings.Builder
	head(&b, name, strings.TrimSuffix(does, "."))
	section(&b, "SYNOPSIS")
	b.WriteString(roff(strings.TrimSpace(blocks[1].text)) + "\n")
	section(&b, "DESCRIPTION")
	_, rest, _ := strings.Cut(help, blocks[1].text)
	text(&b, rest)
	return []byte(b.String()), nil
}

func head(b *strings.Builder, name, does string) {
	fmt.Fprintf(b, ".TH %s 1 \"\" nevermigrate \"User Commands\"\n", roff(strings.ToUpper(name)))
	section(b, "NAME")
	fmt.Fprintf(b, "%s \\- %s\n", roff(name), roff(does))
}

func section(b *strings.Builder, title string) { fmt.Fprintf(b, ".SH %s\n", title) }

// text writes a help text: paragraphs are filled, indented lines stand as they are.
func text(b *strings.Builder, help string) {
	for _, part := range blocksOf(help) {
		if part.literal {
			literal(b, part.text)
			continue
		}
		fmt.Fprintf(b, ".PP\n%s\n", roff(strings.Join(strings.Fields(part.text), " ")))
	}
}

func literal(b *strings.Builder, lines string) {
	b.WriteString(".PP\n.RS\n.nf\n")
	for line := range strings.SplitSeq(unindented(lines), "\n") {
		b.WriteString(roff(line) + "\n")
	}
	b.WriteString(".fi\n.RE\n")
}

func see(cmd *cobra.Command) string {
	return ".BR " + roff(strings.TrimSuffix(ManName(cmd), ".1")) + " (1)"
}

// roff is a text that roff prints as it is: backslashes, hyphens and quotes of code are
// no typography, and a point or an apostrophe at the start of a line is no request.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", "", `"`, `\(dq`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}
