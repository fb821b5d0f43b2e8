package output

import (
	"slices"
	"strconv"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// sharedBy is how many targets share a finding when it is told once for all of them.
const sharedBy = 3

// Shared is one finding that many targets have by one cause, such as a line of a
// chart that all of them use. The entries are in the order of the targets.
type Shared []Entry

// Sharing is what of some entries is told once for many targets.
type Sharing struct {
	// Groups come in the order of their first findings.
	Groups []Shared
	// Others are the entries that are in no group.
	Others []Entry
	of     map[*report.Finding]int
}

// Share groups the findings among entries that at least three targets have by one
// cause and in the same words.
func Share(entries []Entry) *Sharing {
	type key struct {
		code, enforcement, constraint, message, remedy string
		severity                                       report.Severity
		cause                                          report.Cause
	}
	groups := map[key]Shared{}
	targets := map[key]map[string]bool{}
	keys := make([]*key, len(entries))
	for i, e := range entries {
		cause := e.cause()
		if cause == nil || e.exempted != nil || e.passed || e.notJudged {
			continue
		}
		f := e.Finding
		k := key{f.Code, f.Enforcement, f.Constraint, f.Message, f.Remedy, f.Severity, *cause}
		if targets[k] == nil {
			targets[k] = map[string]bool{}
		}
		targets[k][e.Target.Path] = true
		groups[k] = append(groups[k], e)
		keys[i] = &k
	}
	s := &Sharing{of: map[*report.Finding]int{}}
	for i, e := range entries {
		k := keys[i]
		if k == nil || len(targets[*k]) < sharedBy {
			s.Others = append(s.Others, e)
			continue
		}
		if e.Finding == groups[*k][0].Finding {
			for _, of := range groups[*k] {
				s.of[of.Finding] = len(s.Groups)
			}
			s.Groups = append(s.Groups, groups[*k])
		}
	}
	return s
}

// Pointer is what stands at a target in place of a finding that is told once for many;
// ok is false for one that is not.
func (s *Sharing) Pointer(f *report.Finding, paint Painter) (line string, ok bool) {
	i, ok := s.of[f]
	if !ok {
		return "", false
	}
	return severityWord(f, paint) + " " + plainStyle.subject(f) + ": below, for " + s.Groups[i].targets(), true
}

// Told are entries as they are told: each by itself, but for what many targets share,
// which stands where its first finding stands.
func Told(entries []Entry) []Shared {
	sharing := Share(entries)
	var told []Shared
	for _, e := range entries {
		i, isShared := sharing.of[e.Finding]
		switch {
		case !isShared:
			told = append(told, Shared{e})
		case sharing.Groups[i][0].Finding == e.Finding:
			told = append(told, sharing.Groups[i])
		}
	}
	return told
}

// targets counts the targets.
func (s Shared) targets() string {
	paths := map[string]bool{}
	for _, e := range s {
		paths[e.Target.Path] = true
	}
	return plaintext.Count(len(paths), "target")
}

// origins divides what is said of where the findings come from: the lines that all of
// them have, and for each those that it has besides.
func (s Shared) origins(style style) (all []string, own [][]string) {
	lines := make([][]string, len(s))
	for i, e := range s {
		lines[i] = style.origin(e.Finding)
	}
	isOfAll := func(line string) bool {
		return !slices.ContainsFunc(lines, func(of []string) bool { return !slices.Contains(of, line) })
	}
	for _, line := range lines[0] {
		if isOfAll(line) {
			all = append(all, line)
		}
	}
	for i := range lines {
		own = append(own, slices.DeleteFunc(lines[i], func(line string) bool { return slices.Contains(all, line) }))
	}
	return all, own
}

// Lines are what the table says of the findings: what is wrong, what to do and where
// it comes from, once, and below it the targets.
func (s Shared) Lines(paint Painter) []string {
	f := s[0].Finding
	all, own := s.origins(plainStyle)
	lines := append([]string{
		severityWord(f, paint) + " in " + s.targets() + ", by one cause" + plainStyle.constraint(f.Constraint),
		plaintext.Line(f.Message),
		"Remedy: " + plaintext.Line(f.Remedy),
	}, append(all, page(f)...)...)
	for i, e := range s {
		lines = append(lines, plaintext.Line(e.Target.Path)+": "+plainStyle.subject(e.Finding))
		for _, line := range own[i] {
			lines = append(lines, "  "+line)
		}
	}
	return lines
}

// heading is the code and what the finding is about.
func (s Shared) heading() string {
	return plaintext.Line(s[0].Finding.Code) + " in " + s.targets() + ", by one cause"
}

// mostNamed is how many of the places of a group an annotation and a comment name.
const mostNamed = 50

// more says of how many places nothing is said for want of room; empty for none.
func (s Shared) more() string {
	if n := len(s) - mostNamed; n > 0 {
		return "and " + strconv.Itoa(n) + " more, which the table shows"
	}
	return ""
}

// body is what is wrong and what to do, and in which targets, for an annotation.
func (s Shared) body() string {
	all, own := s.origins(plainStyle)
	f := s[0].Finding
	lines := append([]string{strings.TrimSpace(plaintext.Line(f.Message) + " " + plaintext.Line(f.Remedy))}, append(all, page(f)...)...)
	for i, e := range s[:min(len(s), mostNamed)] {
		lines = append(lines, strings.Join(append([]string{plaintext.Line(e.Target.Path) + ": " + plainStyle.subject(e.Finding)}, own[i]...), "; "))
	}
	if more := s.more(); more != "" {
		lines = append(lines, more)
	}
	return strings.Join(lines, "\n")
}
