package output

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// WriteApplications writes what Argo CD deploys for people: a line for each
// Application, what is not judged, and a last line with counts.
func WriteApplications(w io.Writer, a *report.Applications, paint Painter) error {
	var b strings.Builder
	judged, errors := 0, 0
	if len(a.Applications) > 0 {
		rows := [][]string{{"APPLICATION", "PROJECT", "SOURCE", "DESTINATION", "FROM", "JUDGED"}}
		for _, one := range a.Applications {
			verdict := paint.Paint("no", "error")
			isBelow := slices.ContainsFunc(a.NotJudged, func(n report.NotJudged) bool { return n.Reason == one.Reason })
			switch {
			case one.Judged:
				judged++
				verdict = "yes"
			case !isBelow:
				errors++
				verdict += ": " + plaintext.Line(one.Reason)
			}
			from := one.Chain[0].File
			if one.Chain[0].Line > 0 {
				from += fmt.Sprintf(":%d", one.Chain[0].Line)
			}
			rows = append(rows, []string{plaintext.Cell(one.Name), plaintext.Cell(one.Project), plaintext.Cell(sourcesText(one.Sources)),
				plaintext.Cell(destinationText(one.Destination)), plaintext.Cell(from), verdict})
		}
		plaintext.WriteColumns(&b, rows)
		b.WriteByte('\n')
	}
	if len(a.NotJudged) > 0 {
		plaintext.WriteColumns(&b, NotJudgedRows(a.NotJudged, paint))
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s, %d judged, %s, %d not judged of which %d may be bound.\n",
		plaintext.Count(len(a.Applications), "Application"), judged, plaintext.Count(errors, "error"), len(a.NotJudged), len(report.Undecided(a.NotJudged)))
	return plaintext.Write(w, b.String())
}

// sourcesText are sources on one line: type, path or chart, and revision.
func sourcesText(sources []report.ApplicationSource) string {
	var texts []string
	for _, s := range sources {
		text := s.Path
		if s.Chart != "" {
			text = s.Chart
		}
		if s.Type != "" {
			text = s.Type + " " + text
		}
		if s.Revision != "" {
			text += "@" + s.Revision
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// destinationText is a destination on one line.
func destinationText(d report.Destination) string {
	text := d.Name
	if text == "" {
		text = strings.TrimPrefix(d.Server, "https://")
	}
	if d.Namespace != "" {
		text += "/" + d.Namespace
	}
	return text
}
