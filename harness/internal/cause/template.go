package cause

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/report"
)

var definePattern = regexp.MustCompile(`\{\{-?\s*define\s+"([^"]+)"`)

// definition is a named template.
type definition struct {
	name   string
	chart  *chart
	source *source
	at     int // where the name is in the text
}

func (s *search) templateDefinitions() []definition {
	var found []definition
	for _, c := range s.sources.charts {
		for _, t := range c.templates {
			for _, at := range definePattern.FindAllSubmatchIndex(t.text, -1) {
				found = append(found, definition{string(t.text[at[2]:at[3]]), c, t, at[2]})
			}
		}
	}
	return found
}

// overrides takes away each named template that replaces one of the same name
// in a chart below.
func (s *search) overrides() []attempt {
	all := s.templateDefinitions()
	var attempts []attempt
	for _, d := range all {
		i := slices.IndexFunc(all, func(other definition) bool {
			return other.name == d.name && other.chart.top == d.chart.top && len(other.chart.prefix) > len(d.chart.prefix)
		})
		if i < 0 {
			continue
		}
		a := templateAttempt(d.source, d.at, d.at, "nevermigrate.unused.")
		a.cause.Path, a.without = d.name, a.edits
		a.fix = report.Fix{File: a.cause.File, Line: a.cause.Line, Path: d.name,
			Change: fmt.Sprintf("remove the template %q, which replaces the one in %s", d.name, all[i].source.shown)}
		attempts = append(attempts, a)
	}
	return attempts
}

// templateAttempt replaces a part of a template's text.
func templateAttempt(t *source, start, end int, by string) attempt {
	before := string(t.text[:start])
	return attempt{
		cause: &report.Cause{
			File: t.shown, Line: 1 + strings.Count(before, "\n"), Column: start - strings.LastIndex(before, "\n"),
			Path: enclosing(before), Layer: report.Template,
		},
		edits: []edit{{source: t, start: start, end: end, text: by}},
	}
}

// variableLines renames the variable in each place of a template that writes it.
func (s *search) variableLines() []attempt {
	return s.lines(regexp.MustCompile(`\b`+regexp.QuoteMeta(s.envVar)+`\b`), "_UNUSED")
}

// lines adds a suffix to what matches a pattern in each template, outside of
// comments.
func (s *search) lines(pattern *regexp.Regexp, suffix string) []attempt {
	var attempts []attempt
	for _, t := range s.sources.templates {
		for _, at := range pattern.FindAllIndex(t.text, -1) {
			if !inComment(string(t.text[:at[0]])) {
				attempts = append(attempts, templateAttempt(t, at[0], at[1], string(t.text[at[0]:at[1]])+suffix))
			}
		}
	}
	return attempts
}

// containerLine finds the line of a template that writes the container's name
// or, where the name is put together, the environment of the template that
// writes the workload.
func (s *search) containerLine(ctx context.Context) *attempt {
	isGone := func(after *rendering) bool { return !after.has(s.container) }
	if s.container.name != "" {
		name := regexp.MustCompile(`\bname:\s*["']?` + regexp.QuoteMeta(s.container.name) + `\b`)
		if found := s.first(ctx, nil, s.lines(name, "-unused"), isGone); found != nil {
			return found
		}
	}
	kind, _, _ := strings.Cut(s.container.workload, "/")
	templates := s.lines(regexp.MustCompile(`(?m)^kind:\s*`+regexp.QuoteMeta(kind)+`\s*$`), "")
	for _, a := range templates {
		a.edits[0] = edit{source: a.edits[0].source, end: len(a.edits[0].source.text)}
	}
	found := s.first(ctx, nil, templates, isGone)
	if found == nil {
		return nil
	}
	for _, key := range []string{"env:", "containers:"} {
		t := found.edits[0].source
		if at := regexp.MustCompile(`(?m)^[ -]*` + key).FindIndex(t.text); at != nil {
			*found = templateAttempt(t, at[1]-len(key), at[1], "")
			found.cause.Path = strings.TrimSuffix(key, ":")
			break
		}
	}
	return found
}

// inComment reports whether a template's text ends inside a comment.
func inComment(before string) bool {
	opened := strings.LastIndex(before, "/*")
	return opened >= 0 && !strings.Contains(before[opened:], "*/")
}

// enclosing is the name of the last definition that begins in a text.
func enclosing(before string) string {
	all := definePattern.FindAllStringSubmatch(before, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}

// surrounding is the definition that a place of a template is in, or what
// stands before the first.
func surrounding(text string, at int) string {
	start, end := 0, len(text)
	for _, begin := range definePattern.FindAllStringIndex(text, -1) {
		if begin[0] > at {
			end = begin[0]
			break
		}
		start = begin[0]
	}
	return text[start:end]
}
