package cause

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/report"
)

// templateHit is an experiment with a template that changed the finding.
type templateHit struct {
	cause  report.Cause
	effect effect
	files  map[string][]byte // the change
	change string
}

var definePattern = regexp.MustCompile(`\{\{-?\s*define\s+"([^"]+)"`)

// definition is a named template.
type definition struct {
	name       string
	chart      *chart
	template   template
	start, end int // of the name in the text
}

func (s *search) definitionsOf() []definition {
	var found []definition
	for _, c := range s.sources.charts {
		for _, t := range c.templates {
			for _, at := range definePattern.FindAllStringSubmatchIndex(t.text, -1) {
				found = append(found, definition{t.text[at[2]:at[3]], c, t, at[2], at[3]})
			}
		}
	}
	return found
}

// overrides takes away each named template that replaces one of the same name
// in a chart below.
func (s *search) overrides(ctx context.Context) ([]templateHit, error) {
	all := s.definitionsOf()
	var hits []templateHit
	for _, d := range all {
		i := slices.IndexFunc(all, func(other definition) bool {
			return other.name == d.name && other.chart.top() == d.chart.top() && len(other.chart.prefix) > len(d.chart.prefix)
		})
		if i < 0 {
			continue
		}
		files := map[string][]byte{d.template.file: []byte(d.template.text[:d.start] + "nevermigrate.unused." + d.template.text[d.start:])}
		effect, err := s.effectOfFiles(ctx, files)
		if err != nil {
			return hits, err
		}
		if effect == nothing {
			continue
		}
		line, column := position(d.template.text, d.start)
		hits = append(hits, templateHit{
			report.Cause{File: d.template.shown, Line: line, Column: column, Path: d.name, Layer: report.Template}, effect, files,
			fmt.Sprintf("remove the template %q, which replaces the one in %s", d.name, all[i].template.shown)})
	}
	return hits, nil
}

func (s *search) effectOfFiles(ctx context.Context, files map[string][]byte) (effect, error) {
	after, err := s.lab.render(ctx, files)
	if err != nil {
		return nothing, err
	}
	return s.measure(ctx, after)
}

// writers looks for the line of a template that writes the variable or, when
// it is not there, the container.
func (s *search) writers(ctx context.Context) ([]templateHit, error) {
	base, err := s.lab.render(ctx, nil)
	if err != nil {
		return nil, err
	}
	at := containerOf{s.finding.Workload, s.finding.Namespace, s.finding.Container}
	if s.rendered.declared || s.finding.Code != "CNM001" {
		line, err := s.lab.variableLine(ctx, s.sources, at, s.envVar, base)
		if err != nil || line != nil {
			return hitsOf(line, s.value(s.rendered)), err
		}
	}
	line, err := s.lab.containerLine(ctx, s.sources, at)
	return hitsOf(line, ""), err
}

func (s *search) value(d declaration) string {
	if !d.literal {
		return ""
	}
	return short(d.value)
}

func hitsOf(cause *report.Cause, value string) []templateHit {
	if cause == nil {
		return nil
	}
	cause.Value = value
	return []templateHit{{cause: *cause, effect: changed}}
}

// containerOf names a container of what is rendered.
type containerOf struct{ workload, namespace, container string }

func (w *world) declared(at containerOf, envVar string) declaration {
	object, ok := w.object(at.workload, at.namespace)
	if !ok {
		return declaration{}
	}
	return declared(object.Content, at.container, envVar)
}

func (w *world) has(at containerOf) bool {
	object, ok := w.object(at.workload, at.namespace)
	found := false
	if ok {
		visitContainers(object.Content, func(spec map[string]any) {
			found = found || at.container == "" || spec["name"] == at.container
		})
	}
	return found
}

// variableLine finds the line of a template that writes the variable: renamed
// there, the container does not declare it as before.
func (l *lab) variableLine(ctx context.Context, s *sources, at containerOf, envVar string, base *world) (*report.Cause, error) {
	name := regexp.MustCompile(`\b` + regexp.QuoteMeta(envVar) + `\b`)
	return l.line(ctx, s, name, func(text string, start, end int) string {
		return text[:end] + "_UNUSED" + text[end:]
	}, func(w *world) bool {
		return w.has(at) && w.declared(at, envVar) != base.declared(at, envVar)
	})
}

// containerLine finds the line of a template that writes a container's name
// or, where the name is put together, the environment of the template that
// writes the workload.
func (l *lab) containerLine(ctx context.Context, s *sources, at containerOf) (*report.Cause, error) {
	gone := func(w *world) bool { return !w.has(at) }
	if at.container != "" {
		name := regexp.MustCompile(`\bname:\s*["']?` + regexp.QuoteMeta(at.container) + `\b`)
		cause, err := l.line(ctx, s, name, func(text string, start, end int) string {
			return text[:end] + "-unused" + text[end:]
		}, gone)
		if err != nil || cause != nil {
			return cause, err
		}
	}
	kind, _, _ := strings.Cut(at.workload, "/")
	whole := regexp.MustCompile(`(?m)^kind:\s*` + regexp.QuoteMeta(kind) + `\s*$`)
	cause, err := l.line(ctx, s, whole, func(string, int, int) string { return "" }, gone)
	if cause == nil || err != nil {
		return cause, err
	}
	for _, c := range s.charts {
		for _, t := range c.templates {
			if t.shown != cause.File {
				continue
			}
			for _, key := range []string{"env:", "containers:"} {
				if i := regexp.MustCompile(`(?m)^[ -]*` + key).FindStringIndex(t.text); i != nil {
					cause.Line, cause.Column = position(t.text, i[1]-len(key))
					cause.Path = strings.TrimSuffix(key, ":")
					return cause, nil
				}
			}
		}
	}
	return cause, nil
}

// line finds the first match of a pattern in a template which, when the text is
// changed there, makes a difference.
func (l *lab) line(ctx context.Context, s *sources, pattern *regexp.Regexp, change func(text string, start, end int) string, differs func(*world) bool) (*report.Cause, error) {
	tried := map[string]bool{}
	for _, c := range s.charts {
		for _, t := range c.templates {
			if tried[t.file] {
				continue
			}
			tried[t.file] = true
			for _, at := range pattern.FindAllStringIndex(t.text, -1) {
				if inComment(t.text, at[0]) {
					continue
				}
				after, err := l.render(ctx, map[string][]byte{t.file: []byte(change(t.text, at[0], at[1]))})
				if err != nil {
					return nil, err
				}
				if after.err != nil || !differs(after) {
					continue
				}
				line, column := position(t.text, at[0])
				return &report.Cause{File: t.shown, Line: line, Column: column, Path: enclosing(t.text, at[0]), Layer: report.Template}, nil
			}
		}
	}
	return nil, nil
}

// inComment reports whether a place of a template is in a comment.
func inComment(text string, at int) bool {
	opened := strings.LastIndex(text[:at], "/*")
	return opened >= 0 && !strings.Contains(text[opened:at], "*/")
}

// enclosing is the name of the definition that a place of a template is in.
func enclosing(text string, at int) string {
	name := ""
	for _, d := range definePattern.FindAllStringSubmatchIndex(text[:at], -1) {
		name = text[d[2]:d[3]]
	}
	return name
}

// position is the line and column of a place in a text.
func position(text string, at int) (line, column int) {
	before := text[:at]
	return 1 + strings.Count(before, "\n"), at - strings.LastIndex(before, "\n")
}
