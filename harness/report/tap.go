package report

import (
	"io"
	"strings"

	"github.com/open-policy-agent/conftest/output"
)

// A directive starts with a number sign: "# SKIP" in the name of a workload
// would turn a failure into none.
var tapEscape = strings.NewReplacer(`\`, `\\`, "#", `\#`)

// writeTAP writes the Test Anything Protocol. A warning that does not fail is a
// failure with the directive TODO, which TAP does not count.
func (r *Report) writeTAP(w io.Writer, options WriteOptions) error {
	results := r.checkResults(tapEscape.Replace, func(e entry) string {
		line := tapEscape.Replace(e.line())
		if e.level() == warned && !e.fails(options.FailOnWarn) {
			line += " # TODO only a warning"
		}
		return line
	})
	return output.NewTAP(w).Output(results)
}
