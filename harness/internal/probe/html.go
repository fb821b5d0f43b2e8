package probe

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
)

var (
	//go:embed report.html.tmpl
	htmlText string
	//go:embed report.css
	htmlStyle string

	htmlPage = template.Must(template.New("report").Funcs(template.FuncMap{"line": plaintext.Line, "lines": plaintext.Lines}).Parse(htmlText))
)

// WriteHTML writes the report as one file that a browser shows without fetching
// anything: the templates with their branches, and the way of each hole.
func (r *Report) WriteHTML(w io.Writer) error {
	sum := sha256.Sum256([]byte(htmlStyle))
	var b bytes.Buffer
	err := htmlPage.Execute(&b, map[string]any{
		"Report": r, "CSS": template.CSS(htmlStyle),
		"Policy": fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'", base64.StdEncoding.EncodeToString(sum[:])),
	})
	if err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return plaintext.Write(w, b.String())
}

// Way is how a hole comes from the values to the line: what is set, where templates
// read it, the template that writes the workload, and what is written.
func (h Hole) Way() []string {
	way := []string{h.Arguments}
	way = append(way, h.Read...)
	way = append(way, h.Template)
	if h.Workload != "" {
		way = append(way, strings.TrimSuffix(h.Workload+" "+h.Container, " "))
	}
	if h.Entry != "" {
		way = append(way, oneLine(h.Entry))
	}
	return way
}

// markedLine is a line of a template with what is known of its branches.
type markedLine struct {
	Number int
	Mark   string // "+" taken both ways, "-" not, " " without a branch
	Text   string
}

// Marked are the lines of a template.
func (t TemplateCoverage) Marked() []markedLine {
	marks := map[int]string{}
	for _, line := range t.Lines {
		marks[line.Line] = "-"
		if line.Taken {
			marks[line.Line] = "+"
		}
	}
	var all []markedLine
	for i, text := range strings.Split(strings.TrimSuffix(t.Text, "\n"), "\n") {
		mark := marks[i+1]
		if mark == "" {
			mark = " "
		}
		all = append(all, markedLine{i + 1, mark, text})
	}
	return all
}

// text writes the lines of a template with their marks.
func (t TemplateCoverage) text() string {
	var b strings.Builder
	for _, line := range t.Marked() {
		fmt.Fprintf(&b, "%-4d %s %s\n", line.Number, line.Mark, line.Text)
	}
	return b.String()
}
