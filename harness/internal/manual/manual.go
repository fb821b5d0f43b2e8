// Package manual makes the reference of a command line of its commands: one page of
// Markdown with all of them, and a man page each. What they say is the help of the
// commands and nothing else, so it cannot differ.
package manual

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Commands are a command and all below it, each before those below it, without those
// that are hidden, and without help.
func Commands(cmd *cobra.Command) []*cobra.Command {
	found := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			found = append(found, Commands(sub)...)
		}
	}
	return found
}

// flag is what is said of a flag.
type flag struct {
	// name is how it is given: "-o, --output FORMAT[=FILE]".
	name, usage string
}

// flagsOf are the flags of a command but for --help, sorted by name. The default is
// said where the usage does not, as in the help.
func flagsOf(cmd *cobra.Command) []flag {
	var found []flag
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if value != "" {
			name += " " + value
		}
		if !slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) && !strings.Contains(usage, "(default") {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		found = append(found, flag{name, usage})
	})
	return found
}

// block is a paragraph of a help text, or lines that stand as they are.
type block struct {
	text    string
	literal bool
}

// blocksOf splits a help text at its empty lines. A block whose first line is indented
// stands as it is; neighbours of that kind are one.
func blocksOf(text string) []block {
	var found []block
	for part := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		if part = strings.Trim(part, "\n"); part == "" {
			continue
		}
		b := block{text: part, literal: strings.HasPrefix(part, "  ")}
		if last := len(found) - 1; b.literal && last >= 0 && found[last].literal {
			found[last].text += "\n\n" + part
			continue
		}
		found = append(found, b)
	}
	return found
}

// unindented is a literal block without what all of its lines begin with.
func unindented(text string) string {
	lines := strings.Split(text, "\n")
	for {
		for _, line := range lines {
			if line != "" && !strings.HasPrefix(line, " ") {
				return strings.Join(lines, "\n")
			}
		}
		for i := range lines {
			lines[i] = strings.TrimPrefix(lines[i], " ")
		}
	}
}

// synopsis are the ways to call a command, one a line.
func synopsis(cmd *cobra.Command) []string {
	if !cmd.HasParent() {
		return []string{cmd.Name() + " COMMAND"}
	}
	if cmd.HasAvailableSubCommands() {
		return []string{cmd.CommandPath() + strings.TrimPrefix(cmd.Use, cmd.Name())}
	}
	line := cmd.UseLine()
	var found []string
	for one := range strings.SplitSeq(line, "\n") {
		found = append(found, strings.TrimSpace(one))
	}
	return found
}
