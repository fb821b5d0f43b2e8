package report_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/proompteng/nevermigrate/harness/report"
)

// A report of `nevermigrate check -o json` can be read again.
func ExampleRead() {
	text := `{"version": 1, "targets": [{"path": "apps/a", "status": "fail", "workloads": [], "findings": [
		{"code": "CNM007", "severity": "deny", "workload": "", "namespace": "", "container": "",
		 "message": "No controllers workload was found.", "remedy": "Check the path.", "causes": []}]}],
		"summary": {"targets": 1, "controllers": 0, "containers": 0, "denied": 1, "warned": 0, "errors": 0}}`
	result, err := report.Read(strings.NewReader(text))
	if err != nil {
		log.Fatal(err)
	}
	for _, finding := range result.Targets[0].Findings {
		fmt.Println(finding.Code, finding.Message)
	}
	fmt.Println("exit status", result.ExitStatus(false))
	// Output:
	// CNM007 No controllers workload was found.
	// exit status 1
}
