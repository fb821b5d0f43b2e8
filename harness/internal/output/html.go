package output

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// HTML is one file that a browser shows without fetching anything.
const HTML report.Format = "html"

var (
	//go:embed html/report.html.tmpl
	htmlText string
	//go:embed html/report.css
	htmlStyle string
	//go:embed html/report.js
	htmlScript string
)

// htmlPage is what the template reads.
type htmlPage struct {
	Targets  []report.Target
	Warnings []string
	// NotJudged are rows of cells.
	NotJudged [][]string
	Verdict   report.Status
	Sentence  string
	Counts    string
	Version   string
	// Provenance is what made the report; nil when that is not known.
	Provenance *report.Provenance
	CSS        template.CSS
	JS         template.JS
	// Policy is the content security policy. It allows this style and this script
	// and nothing else, so that a name from a manifest could not run even if it
	// got past the escapes.
	Policy string
}

func writeHTML(b *bytes.Buffer, r *report.Report, options Options) error {
	rules, err := options.rules()
	if err != nil {
		return err
	}
	titles := map[string]string{}
	for _, rule := range rules {
		titles[rule.Code] = rule.Title
	}
	html, err := template.New("report").Funcs(template.FuncMap{
		"line":          plaintext.Line,
		"lines":         plaintext.Lines,
		"findings":      func(findings []report.Finding) string { return plaintext.Count(len(findings), "finding") },
		"hasConstraint": hasConstraint,
		"modes":         func(target report.Target) []containerMode { return modesOf(&target) },
		"containerName": func(c report.Container) string { return containerName(c, plaintext.Line, plaintext.Line) },
		"severity":      htmlSeverity,
		"severityClass": func(f report.Finding) string { return strings.ReplaceAll(htmlSeverity(f), " ", "") },
		"title":         func(f report.Finding) string { return titles[f.Code] },
		"page":          func(f report.Finding) string { return report.PageOf(f.Code) },
		"subject":       func(f report.Finding) string { return plainStyle.subject(&f) },
		"causePlace":    causePlace,
		"searchNote":    func(f report.Finding) string { return plaintext.Line(searchNote(&f)) },
		"fixTitle":      fixTitle,
		"fileLine":      fileLine,
		"exemptedTitle": exemptedTitle,
	}).Parse(htmlText)
	if err != nil {
		return err
	}
	verdict, sentence := Verdict(r, options.FailOnWarn)
	var notJudged [][]string
	if r.Coverage != nil && len(r.Coverage.NotJudged) > 0 {
		notJudged = NotJudgedRows(r.Coverage.NotJudged, false)[1:]
	}
	return html.Execute(b, htmlPage{
		Targets: r.Targets, Warnings: Warnings(r), NotJudged: notJudged,
		Verdict: verdict, Sentence: plaintext.UpperFirst(sentence), Counts: counts(r.Summary), Version: options.Version, Provenance: r.Provenance,
		CSS: template.CSS(htmlStyle), JS: template.JS(htmlScript),
		Policy: fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; base-uri 'none'; form-action 'none'",
			sourceHash(htmlStyle), sourceHash(htmlScript)),
	})
}

// sourceHash is how a content security policy names an inline source.
func sourceHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func htmlSeverity(f report.Finding) string { return Entry{Finding: &f}.severity() }

func hasConstraint(workloads []report.Workload) bool {
	return slices.ContainsFunc(workloads, func(w report.Workload) bool { return w.Constraint != "" })
}
