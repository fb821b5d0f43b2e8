package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/open-policy-agent/conftest/output"
)

// Escapes of GitHub's workflow commands. The older form of a command starts
// anywhere in a line with ##[, and has no escape.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", "##[", "# #[")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C", "##[", "# #[")
	githubCommand  = regexp.MustCompile(`^::(error|warning|notice) file=([^,]*),line=([^:]*)::(.*)$`)
)

// writeGitHub writes GitHub's workflow commands, which become annotations at
// the causes. Conftest's output is close, and not enough, in these ways:
//   - it takes messages for format strings and does not escape them, so percent
//     signs are doubled and escapes are made here;
//   - for a place in another file than the one that was tested it writes a second
//     annotation, at the target, which for us is a folder, and GitHub shows ten of
//     a kind and no more;
//   - it makes an annotation of each count of successes;
//   - an annotation has no title and no column.
func (r *Report) writeGitHub(w io.Writer) error {
	results := r.checkResults(
		func(file string) string { return strings.ReplaceAll(file, "##[", "# #[") },
		func(e entry) string { return strings.ReplaceAll(githubData.Replace(e.body()), "%", "%%") },
	)
	var text bytes.Buffer
	if err := output.NewGitHub(&text, false).Output(results); err != nil {
		return err
	}
	entries := r.entries()
	target := 0
	for line := range strings.Lines(text.String()) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "::group::") {
			line = fmt.Sprintf("::group::%s: %s", githubData.Replace(clean(r.Targets[target].Path)), r.Targets[target].Status)
			target++
		}
		command := githubCommand.FindStringSubmatch(line)
		if command == nil {
			fmt.Fprintln(w, line)
			continue
		}
		kind, file, number, message := command[1], command[2], command[3], command[4]
		if count, ok := strings.CutPrefix(message, "Number of successful checks: "); ok && kind == "notice" {
			fmt.Fprintf(w, "%s passed\n", count)
			continue
		}
		if strings.HasPrefix(message, "(ORIGINATING FROM ") {
			continue
		}
		if len(entries) == 0 {
			return fmt.Errorf("conftest wrote more annotations than there are findings")
		}
		e := entries[0]
		entries = entries[1:]
		properties := fmt.Sprintf("file=%s,line=%s", file, number)
		if cause := e.cause(); cause != nil && cause.Line > 0 && cause.Column > 0 {
			properties += fmt.Sprintf(",col=%d", cause.Column)
		}
		fmt.Fprintf(w, "::%s %s,title=%s::%s\n", kind, properties, githubProperty.Replace(e.heading()), message)
	}
	if len(entries) > 0 {
		return fmt.Errorf("conftest left out %d annotations", len(entries))
	}
	return nil
}
