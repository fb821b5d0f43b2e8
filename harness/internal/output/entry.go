package output

import (
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// codeUndecided stands where a format needs a code for a target that could not
// be judged: there is no finding, and what is not shown would look right.
const codeUndecided = "undecided"

// codeNotJudged is the code for a place that was not judged.
const codeNotJudged = "not-judged"

// Entry is one thing that a report says of a target: a finding, or, when there
// is none, that the target could not be judged.
type Entry struct {
	Target  *report.Target
	Finding *report.Finding
	// exempted is there when the finding passes.
	exempted *report.Exempted
	// passed says that the finding stands for there being none: it only names
	// what is right.
	passed bool
	// notJudged says that the finding stands for a place that was not judged.
	notJudged bool
}

// level says how bad an entry is, the worst first.
type level int

const (
	denied level = iota
	warned
	// dryRun is broken, and not refused.
	dryRun
	// exempted was found, and passes.
	exempted
	passed
	levels
)

func (e Entry) level() level {
	switch {
	case e.passed:
		return passed
	case e.exempted != nil:
		return exempted
	case e.Finding == nil || e.Finding.Severity == report.Deny:
		return denied
	case e.Finding.Enforcement == "dryrun":
		return dryRun
	default:
		return warned
	}
}

// severity is the word for how bad it is.
func (e Entry) severity() string {
	switch {
	case e.Finding == nil:
		return "error"
	case e.notJudged:
		return "not judged"
	case e.level() == dryRun:
		return "dry run"
	case e.exempted != nil:
		return "exempted"
	default:
		return string(e.Finding.Severity)
	}
}

// fails reports whether the entry alone would make the exit status other than 0.
func (e Entry) fails(failOnWarn bool) bool {
	level := e.level()
	return level == denied || level == warned && failOnWarn
}

func (e Entry) code() string {
	if e.Finding == nil {
		return codeUndecided
	}
	return e.Finding.Code
}

// heading is the code and what the entry is about.
func (e Entry) heading() string {
	switch {
	case e.Finding == nil:
		return codeUndecided
	case e.passed || e.notJudged:
		return plainStyle.subject(e.Finding)
	default:
		return plaintext.Line(e.Finding.Code) + " " + plainStyle.subject(e.Finding)
	}
}

// lines are what is wrong and what to do, and where it comes from.
func (e Entry) lines() []string {
	if e.Finding == nil {
		return strings.Split(plaintext.Lines(e.Target.Error), "\n")
	}
	message := plaintext.Line(e.Finding.Message)
	if e.Finding.Remedy != "" {
		message += " " + plaintext.Line(e.Finding.Remedy)
	}
	lines := append([]string{message}, plainStyle.origin(e.Finding)...)
	if e.exempted != nil {
		lines = append(lines, plainStyle.exempted(e.exempted))
	}
	return lines
}

// right says what is right: a container that skips, or a target in which nothing is
// bound.
func (e Entry) right() string {
	if e.Finding == nil || e.Finding.Workload == "" {
		if e.Target.Note != "" {
			return plaintext.Line(e.Target.Note)
		}
		return noWorkload
	}
	return plainStyle.subject(e.Finding) + plainStyle.constraint(e.Finding.Constraint) + ": cannot migrate"
}

// message is the lines as a text.
func (e Entry) message() string { return strings.Join(e.lines(), "\n") }

// body is the message with the page of the rule below it.
func (e Entry) body() string {
	if e.Finding == nil {
		return e.message()
	}
	return strings.Join(append(e.lines(), page(e.Finding)...), "\n")
}

// line is the heading and the message, for formats that have one line for them.
func (e Entry) line() string {
	lines := slices.DeleteFunc(e.lines(), func(line string) bool { return line == "" })
	return strings.Join(strings.Fields(e.heading()+": "+strings.Join(lines, " | ")), " ")
}

// cause is the most decisive cause, or nil.
func (e Entry) cause() *report.Cause {
	if e.Finding == nil || len(e.Finding.Causes) == 0 || e.Finding.Causes[0].File == "" {
		return nil
	}
	return &e.Finding.Causes[0]
}

// place is where a reader should look: the file of the cause, where an Application comes
// from, or the target.
// Line and column are 0 when they are not known.
func (e Entry) place() (file string, line, column int) {
	if cause := e.cause(); cause != nil {
		return placeOf(*cause)
	}
	if chain := e.Target.Chain; len(chain) > 0 {
		last := chain[len(chain)-1]
		return plaintext.Line(last.File), last.Line, 0
	}
	return plaintext.Line(e.Target.Path), 0, 0
}

// placeOf is a file that a reader can open: of a file in a packed chart the archive,
// without a line.
func placeOf(c report.Cause) (file string, line, column int) {
	archive, _, isPacked := strings.Cut(c.File, "!/")
	if isPacked || c.Line == 0 {
		return plaintext.Line(archive), 0, 0
	}
	return plaintext.Line(archive), c.Line, c.Column
}

// byLevel sorts the worst first.
func byLevel(entries []Entry) []Entry {
	slices.SortStableFunc(entries, func(a, b Entry) int { return int(a.level() - b.level()) })
	return entries
}

// resultsOf lists what is said of a target, the worst first, and after it what
// was judged and is right: each container of a controllers workload that no finding
// is about. A target of which there is nothing to list is right itself, so that
// every target is seen.
func resultsOf(target *report.Target) []Entry {
	var results []Entry
	if target.Error != "" {
		results = append(results, Entry{Target: target})
	}
	for i := range target.Findings {
		results = append(results, Entry{Target: target, Finding: &target.Findings[i]})
	}
	for i := range target.Exempted {
		results = append(results, exemptedEntry(target, &target.Exempted[i]))
	}
	for _, m := range modesOf(target) {
		isJudged := m.Workload.Role == report.Controllers && m.Container.Type != "" && !m.Container.Exempt
		if isJudged && !isConcerned(target, m) {
			right := &report.Finding{Constraint: m.Workload.Constraint, Workload: m.workload(), Namespace: m.Workload.Namespace, Container: m.Container.Name}
			results = append(results, Entry{Target: target, Finding: right, passed: true})
		}
	}
	if len(results) == 0 {
		return []Entry{{Target: target, Finding: &report.Finding{}, passed: true}}
	}
	return byLevel(results)
}

// isConcerned reports whether a finding is about a container, exempted or not.
func isConcerned(target *report.Target, m containerMode) bool {
	return slices.ContainsFunc(target.Findings, func(f report.Finding) bool { return m.isConcernedBy(&f) }) ||
		slices.ContainsFunc(target.Exempted, func(e report.Exempted) bool { return m.isConcernedBy(&e.Finding) })
}

// allResults lists the results of each target, and after them, each by itself, the
// places that were not judged.
func allResults(r *report.Report) [][]Entry {
	var all [][]Entry
	for i := range r.Targets {
		all = append(all, resultsOf(&r.Targets[i]))
	}
	if r.Coverage == nil {
		return all
	}
	for i := range r.Coverage.NotJudged {
		all = append(all, []Entry{entryOf(&r.Coverage.NotJudged[i])})
	}
	return all
}

// entryOf is an entry for a place that was not judged. One without which nothing is
// proven fails; any other is like a dry run, which is shown and never fails.
func entryOf(n *report.NotJudged) Entry {
	target := &report.Target{Path: n.Path, Status: report.Pass}
	finding := &report.Finding{
		Code: codeNotJudged, Severity: report.Warn, Enforcement: "dryrun",
		Workload: "not judged: " + n.Kind, Message: reasonOf(n) + ".",
	}
	if n.Undecided() {
		target.Status = report.Error
		finding.Severity, finding.Enforcement = report.Deny, ""
		finding.Remedy = notJudgedRemedy
	}
	return Entry{Target: target, Finding: finding, notJudged: true}
}

const notJudgedRemedy = "It may hold a workload that the contract binds: judge what it makes, or exclude it with a reason."

// reasonOf says why a place was not judged.
func reasonOf(n *report.NotJudged) string {
	if n.Excluded != "" {
		return n.Reason + ": " + n.Excluded
	}
	return n.Reason
}

// problems lists the results that are not right.
func problems(r *report.Report) []Entry {
	return slices.DeleteFunc(slices.Concat(allResults(r)...), func(e Entry) bool { return e.passed })
}

// isInformation reports whether the entry is about a place that was not judged and
// proves nothing: it has a line, and is no annotation and no alert.
func (e Entry) isInformation() bool { return e.notJudged && e.level() == dryRun }
