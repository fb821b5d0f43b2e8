package output

import (
	"bytes"
	"fmt"
	"io"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// WriteExplanation writes an explanation for people.
func WriteExplanation(w io.Writer, e *report.Explanation) error {
	var b bytes.Buffer
	for i, target := range e.Targets {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s\n", plaintext.Line(target.Path))
		if target.Error != "" {
			fmt.Fprintf(&b, "  %s\n", plaintext.Indented(target.Error, 2))
		} else if len(target.Workloads) == 0 {
			fmt.Fprintf(&b, "  %s\n", noWorkload)
		}
		for _, workload := range target.Workloads {
			writeExplained(&b, workload)
		}
	}
	return plaintext.Write(w, b.String())
}

func writeExplained(b *bytes.Buffer, w report.ExplainedWorkload) {
	fmt.Fprintf(b, "  %s (%s%s)\n", plainStyle.subject(&report.Finding{Workload: w.Kind + "/" + w.Name, Namespace: w.Namespace}), w.Role, plainStyle.constraint(w.Constraint))
	for _, c := range w.Containers {
		fmt.Fprintf(b, "    %s: %s\n", containerName(c.Container, plaintext.Line, plaintext.Line), ModeText(c.Mode, c.Exempt))
		word := "Decided by"
		if !c.Declared {
			word = "Taken away by"
		}
		for _, cause := range c.Chain {
			fmt.Fprintf(b, "      %s: %s\n", word, plainStyle.cause(cause))
			word = "Overrides"
		}
		switch {
		case c.Truncated:
			fmt.Fprintf(b, "      The search ended at its bound, so there may be more.\n")
		case len(c.Chain) == 0 && c.Declared:
			fmt.Fprintf(b, "      Declared in env; the place was not found.\n")
		case len(c.Chain) == 0 && c.Mode == report.Auto:
			fmt.Fprintf(b, "      Nothing declares the variable, which means auto.\n")
		case len(c.Chain) == 0:
			fmt.Fprintf(b, "      Nothing declares the variable in env.\n")
		}
	}
}
