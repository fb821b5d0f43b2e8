package manual

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// toy is a command with all that a page has to write.
func toy() *cobra.Command {
	root := &cobra.Command{Use: "toy", Short: "Play"}
	one := &cobra.Command{
		Use:   "one FILE\n  toy one A B",
		Short: "Play <one>",
		Long: `.hidden files | 'quoted' and "said", with ` + "`a|b`" + `
and a*b.

  first   line
    second

  third

.end`,
		Example: "  toy one \\x",
		Run:     func(*cobra.Command, []string) {},
	}
	flags := one.Flags()
	flags.StringP("output", "o", "text", "`A|B` to write")
	flags.Int("n", 0, "how many")
	flags.Bool("no", false, "no")
	flags.String("said", "x", "it (default y)")
	flags.String("secret", "", "not shown")
	_ = flags.MarkHidden("secret")
	hidden := &cobra.Command{Use: "hidden", Hidden: true, Run: func(*cobra.Command, []string) {}}
	root.AddCommand(one, hidden)
	return root
}

func TestMan(t *testing.T) {
	const want = `.TH TOY\-ONE 1 "" nevermigrate "User Commands"
.SH NAME
toy\-one \- Play <one>
.SH SYNOPSIS
toy one FILE
.br
toy one A B [flags]
.SH DESCRIPTION
.PP
\&.hidden files | \(aqquoted\(aq and \(dqsaid\(dq, with a|b and a*b.
.PP
.RS
.nf
first   line
  second

third
.fi
.RE
.PP
\&.end
.SH OPTIONS
.TP
.B \-\-n int
how many
.TP
.B \-\-no
no
.TP
.B \-o, \-\-output A|B
A|B to write (default text)
.TP
.B \-\-said string
it (default y)
.SH EXAMPLES
.PP
.RS
.nf
toy one \ex
.fi
.RE
.SH SEE ALSO
.BR toy (1)
`
	root := toy()
	if diff := cmp.Diff(want, string(Man(Commands(root)[1]))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := ManName(Commands(root)[1]); got != "toy-one.1" {
		t.Errorf("its file is %s", got)
	}
}

func TestMarkdown(t *testing.T) {
	const want = "# Commands\n\nWhat `toy COMMAND --help` prints. This page is made of it, and so are the man pages.\n\n" +
		"| command | what it does |\n|---|---|\n| [`one`](#toy-one) | Play \\<one\\> |\n" +
		"\n## toy one\n\n```\ntoy one FILE\ntoy one A B [flags]\n```\n" +
		"\n.hidden files \\| 'quoted' and \"said\", with `a|b` and a\\*b.\n" +
		"\n```\nfirst   line\n  second\n\nthird\n```\n\n.end\n" +
		"\n```sh\ntoy one \\x\n```\n" +
		"\n| flag | what it is for |\n|---|---|\n| `--n int` | how many |\n| `--no` | no |\n" +
		"| `-o, --output A\\|B` | A\\|B to write (default text) |\n| `--said string` | it (default y) |\n"
	if diff := cmp.Diff(want, string(Markdown(toy()))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestManOfHelp: a help of another form makes no page.
func TestManOfHelp(t *testing.T) {
	for help, want := range map[string]string{
		"":                            `the help "" does not begin with a sentence and how the program is called`,
		"toy plays.\n\nNo synopsis.":  `the help "toy plays.\n\nNo synopsis." does not begin with a sentence and how the program is called`,
		"toy\n\n  toy FILE\n\nIt is.": `the help "toy\n\n  toy FILE\n\nIt is." does not say what toy does`,
	} {
		page, err := ManOfHelp(help)
		if err == nil || err.Error() != want || page != nil {
			t.Errorf("%q: page %q, error %v, want %s", help, page, err, want)
		}
	}
}
