package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

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
	*Report
	Policy   string
	CSS      template.CSS
	JS       template.JS
	Verdict  Status
	Sentence string
	Version  string
}

// writeHTML writes one file that a browser shows without fetching anything. Its
// content security policy allows this style and this script and nothing else,
// so that a name from a manifest could not run even if it got past the escapes.
func (r *Report) writeHTML(w io.Writer, options WriteOptions) error {
	titles := map[string]string{}
	for _, rule := range options.Rules {
		titles[rule.Code] = rule.Title
	}
	page, err := template.New("report").Funcs(template.FuncMap{
		"clean":       clean,
		"cleanLines":  cleanLines,
		"where":       func(f Finding) string { return f.where() },
		"place":       func(c Cause) string { return c.place() },
		"filePlace":   filePlace,
		"containers":  func(w Workload) []Container { return w.containersOrNone() },
		"constraints": namesConstraint,
		"severity":    htmlSeverity,
		"class":       func(f Finding) string { return strings.ReplaceAll(htmlSeverity(f), " ", "") },
		"title":       func(f Finding) string { return titles[f.Code] },
		"findings":    func(findings []Finding) string { return count(len(findings), "finding") },
		"judgement":   judgement,
		"mode":        modesOf,
		"truncated":   func() string { return truncatedNote },
	}).Parse(htmlText)
	if err != nil {
		return err
	}
	verdict, sentence := r.verdict(options.FailOnWarn)
	return page.Execute(w, htmlPage{
		Report: r, CSS: template.CSS(htmlStyle), JS: template.JS(htmlScript), Verdict: verdict, Sentence: upperFirst(sentence), Version: options.Version,
		Policy: fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; base-uri 'none'; form-action 'none'",
			sourceHash(htmlStyle), sourceHash(htmlScript)),
	})
}

// sourceHash is how a content security policy names an inline source.
func sourceHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func htmlSeverity(f Finding) string { return entry{finding: &f}.severity() }

func namesConstraint(workloads []Workload) bool {
	return slices.ContainsFunc(workloads, func(w Workload) bool { return w.Constraint != "" })
}

// judgement is the class of a mode: what matters is that a container of a
// controllers workload is right only with skip.
func judgement(workload Workload, container Container) string {
	switch {
	case container.Exempt || workload.Role != Controllers:
		return "neutral"
	case container.Mode == Skip:
		return "right"
	default:
		return "wrong"
	}
}

// htmlMode is a mode and its class.
type htmlMode struct {
	Mode  Mode
	Class string
}

// modesOf is the mode of the container that a finding is about, or nothing when
// the report does not have the container.
func modesOf(target Target, f Finding) []htmlMode {
	for _, workload := range target.Workloads {
		if workload.Kind+"/"+workload.Name != f.Workload || workload.Namespace != f.Namespace || workload.Constraint != f.Constraint {
			continue
		}
		for _, container := range workload.Containers {
			if container.Name == f.Container {
				return []htmlMode{{container.Mode, judgement(workload, container)}}
			}
		}
	}
	return nil
}
