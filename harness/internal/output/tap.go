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

// writeTAP writes a test for each result. A warning that does not fail is a failure
// with the directive TODO, which TAP does not count.
func writeTAP(b *bytes.Buffer, r *report.Report, options Options) error {
	all := slices.Concat(allResults(r)...)
	fmt.Fprintf(b, "1..%d\n", len(all))
	for i, e := range all {
		word, text := "not ok", tapEscape.Replace(e.line())
		switch {
		case e.passed:
			word, text = "ok", tapEscape.Replace(e.right())
		case e.level() == dryRun || e.level() == exempted:
			word = "ok"
		case !e.fails(options.FailOnWarn):
			text += " # TODO only a warning"
		}
		fmt.Fprintf(b, "%s %d - %s: %s\n", word, i+1, tapEscape.Replace(plaintext.Line(e.Target.Path)), text)
	}
	for _, line := range Warnings(r) {
		fmt.Fprintln(b, "# warning:", line)
	}
	fmt.Fprintln(b, "#", conclusion(r, options))
	return nil
}
