package report

import (
	"bytes"
	"io"
	"regexp"

	"github.com/open-policy-agent/conftest/output"
)

var junitProperties = regexp.MustCompile(`(?s)\t*<properties>.*?</properties>\n`)

// writeJUnit writes JUnit's XML, a test case for each finding and for each
// container that is right. Conftest names a case by its message, which changes
// with the value that is set: here each is a check result of its own, named by
// what it is about. A warning that does not fail is a skipped case, since
// JUnit knows no warnings and conftest makes failures of them.
func (r *Report) writeJUnit(w io.Writer, options WriteOptions) error {
	var cases output.CheckResults
	add := func(target *Target, subject, constraint string) *output.CheckResult {
		name := clean(target.Path) + ": " + subject
		if constraint != "" {
			name += " (constraint " + clean(constraint) + ")"
		}
		cases = append(cases, output.CheckResult{FileName: name, Namespace: regoPackage})
		return &cases[len(cases)-1]
	}
	for i := range r.Targets {
		target := &r.Targets[i]
		for _, e := range target.entries() {
			constraint := ""
			if e.finding != nil {
				constraint = e.finding.Constraint
			}
			result := []output.Result{{Message: e.body()}}
			if check := add(target, e.heading(), constraint); e.fails(options.FailOnWarn) {
				check.Failures = result
			} else {
				check.Skipped = result
			}
		}
		for _, success := range target.successes() {
			add(target, success.where(), success.Constraint).Successes = 1
		}
	}
	var text bytes.Buffer
	if err := output.NewJUnit(&text, true).Output(cases); err != nil {
		return err
	}
	// What conftest and its formatter say of themselves: the name of the suite,
	// and the version of Go. In XML no text contains a quote or a tag.
	named := bytes.ReplaceAll(text.Bytes(), []byte(`="conftest.`+regoPackage+`"`), []byte(`="nevermigrate"`))
	_, err := w.Write(junitProperties.ReplaceAll(named, nil))
	return err
}
