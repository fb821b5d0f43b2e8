package output

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// WriteCoverage writes a coverage for people: a line for each place, and a last one
// with counts.
func WriteCoverage(w io.Writer, c *report.Coverage, paint Painter) error {
	var b bytes.Buffer
	if len(c.Judged)+len(c.Read) > 0 {
		rows := [][]string{{"JUDGED", "KIND", "HOW"}}
		for _, j := range c.Judged {
			how := "named"
			if j.Below != "" {
				how = "found below " + plaintext.Line(j.Below)
			}
			rows = append(rows, []string{plaintext.Cell(j.Path), j.Kind, how})
		}
		for _, r := range c.Read {
			rows = append(rows, []string{plaintext.Cell(r.Path), r.Kind, "read by " + plaintext.Line(readers(r.By))})
		}
		plaintext.WriteColumns(&b, rows)
		b.WriteByte('\n')
	}
	if len(c.NotJudged) > 0 {
		plaintext.WriteColumns(&b, NotJudgedRows(c.NotJudged, paint))
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s judged, %d read by them, %d not judged of which %d may be bound.\n",
		plaintext.Count(len(c.Judged), "target"), len(c.Read), len(c.NotJudged), len(report.Undecided(c.NotJudged)))
	return plaintext.Write(w, b.String())
}

// readers names some of those that read a place.
func readers(by []string) string {
	const most = 3
	if n := len(by) - most; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(by[:most], ", "), n)
	}
	return strings.Join(by, ", ")
}
