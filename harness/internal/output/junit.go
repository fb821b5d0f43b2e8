package output

import (
	"bytes"
	"encoding/xml"

	"github.com/jstemmer/go-junit-report/formatter"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// JUnit is JUnit's XML.
const JUnit report.Format = "junit"

// writeJUnit writes a test case for each finding and for each container that is
// right, named by what it is about: a message changes with the value that is set.
// A warning that does not fail is a skipped case, since JUnit knows no warnings.
func writeJUnit(b *bytes.Buffer, r *report.Report, options Options) error {
	suite := formatter.JUnitTestSuite{Name: "nevermigrate", Time: "0.000"}
	for _, results := range allResults(r) {
		for _, e := range results {
			test := formatter.JUnitTestCase{Classname: suite.Name, Name: plaintext.Line(e.Target.Path) + ": " + e.heading(), Time: suite.Time}
			if e.Finding != nil && e.Finding.Constraint != "" {
				test.Name += " (constraint " + plaintext.Line(e.Finding.Constraint) + ")"
			}
			switch {
			case e.passed:
			case e.fails(options.FailOnWarn):
				suite.Failures++
				test.Failure = &formatter.JUnitFailure{Message: e.heading(), Type: plaintext.Line(e.code()), Contents: e.body()}
			default:
				test.SkipMessage = &formatter.JUnitSkipMessage{Message: e.body()}
			}
			suite.TestCases = append(suite.TestCases, test)
		}
	}
	suite.Tests = len(suite.TestCases)
	b.WriteString(xml.Header)
	encoder := xml.NewEncoder(b)
	encoder.Indent("", "\t")
	if err := encoder.Encode(formatter.JUnitTestSuites{Suites: []formatter.JUnitTestSuite{suite}}); err != nil {
		return err
	}
	return b.WriteByte('\n')
}
