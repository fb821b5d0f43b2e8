package output

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// TAP is the Test Anything Protocol.
const TAP report.Format = "tap"

// A directive starts with a number sign: "# SKIP" in the name of a workload
// would turn a failure into none.
var tapEscape = strings.NewReplacer(`\`, `\\`, "#", `\#`)

// writeTAP writes a test for each result. A warning that does not fail is a
// failure with the directive TODO, which TAP does not count.
func writeTAP(b *bytes.Buffer, r *report.Report, options Options) error {
	sections := [levels]string{warned: "warnings", dryRun: "exceptions", exempted: "exceptions", passed: "successes"}
	all := allResults(r)
	fmt.Fprintf(b, "1..%d\n", len(slices.Concat(all...)))
	number := 0
	for _, results := range all {
		name := tapEscape.Replace(plaintext.Line(results[0].Target.Path))
		if name != "-" {
			name = "- " + name
		}
		section := denied
		for _, e := range results {
			if before := sections[section]; section != e.level() {
				if section = e.level(); sections[section] != before {
					fmt.Fprintln(b, "#", sections[section])
				}
			}
			number++
			word, text := "not ok", tapEscape.Replace(e.line())
			switch {
			case section == passed:
				word, text = "ok", "SUCCESS"
			case section == dryRun || section == exempted:
				word = "ok"
			case !e.fails(options.FailOnWarn):
				text += " # TODO only a warning"
			}
			fmt.Fprintf(b, "%s %d %s - main - %s\n", word, number, name, text)
		}
	}
	for _, line := range Warnings(r) {
		fmt.Fprintln(b, "# warning:", line)
	}
	return nil
}
