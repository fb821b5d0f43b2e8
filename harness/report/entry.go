package report

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/conftest/output"
)

// entry is one thing that a target's report says: a finding, or that the target
// could not be judged. Conftest's formats write one result for each.
type entry struct {
	target  *Target
	finding *Finding // nil: the target could not be judged
}

// level orders entries as conftest's formats do.
type level int

const (
	denied level = iota
	warned
	// dryRun is what conftest calls an exception: broken, and not refused.
	dryRun
)

func (e entry) level() level {
	switch {
	case e.finding == nil || e.finding.Severity == Deny:
		return denied
	case e.finding.Enforcement == "dryrun":
		return dryRun
	default:
		return warned
	}
}

// fails reports whether the entry alone would make the exit status other than 0.
func (e entry) fails(failOnWarn bool) bool {
	return e.finding == nil || e.finding.fails(failOnWarn)
}

func (e entry) code() string {
	if e.finding == nil {
		return CodeUndecided
	}
	return e.finding.Code
}

// heading is the code and what the entry is about.
func (e entry) heading() string {
	if e.finding == nil {
		return CodeUndecided
	}
	return clean(e.finding.Code) + " " + e.finding.where()
}

// lines are what is wrong and what to do, and where it comes from.
func (e entry) lines() []string {
	if e.finding == nil {
		return strings.Split(cleanLines(e.target.Error), "\n")
	}
	message := clean(e.finding.Message)
	if e.finding.Remedy != "" {
		message += " " + clean(e.finding.Remedy)
	}
	return append([]string{message}, e.finding.chain()...)
}

// body is the lines as a text.
func (e entry) body() string { return strings.Join(e.lines(), "\n") }

// line is the heading and the body, for formats that have one line for them.
func (e entry) line() string {
	lines := slices.DeleteFunc(e.lines(), func(line string) bool { return line == "" })
	return strings.Join(strings.Fields(e.heading()+": "+strings.Join(lines, " | ")), " ")
}

// cause is the most decisive cause, or nil.
func (e entry) cause() *Cause {
	if e.finding == nil || len(e.finding.Causes) == 0 || e.finding.Causes[0].File == "" {
		return nil
	}
	return &e.finding.Causes[0]
}

// result is the entry as conftest's. Its place is the cause's.
func (e entry) result(message string) output.Result {
	result := output.Result{Message: message}
	if cause := e.cause(); cause != nil {
		result.Location = &output.Location{File: clean(cause.File), Line: json.Number(strconv.Itoa(max(cause.Line, 1)))}
	}
	return result
}

// entries lists what is said of a target, what is denied first: the order of
// conftest's formats.
func (t *Target) entries() []entry {
	var entries []entry
	if t.Error != "" {
		entries = append(entries, entry{target: t})
	}
	for _, wanted := range []level{denied, warned, dryRun} {
		for i := range t.Findings {
			if e := (entry{t, &t.Findings[i]}); e.level() == wanted {
				entries = append(entries, e)
			}
		}
	}
	return entries
}

func (r *Report) entries() []entry {
	var entries []entry
	for i := range r.Targets {
		entries = append(entries, r.Targets[i].entries()...)
	}
	return entries
}

// successes lists what was judged and is right: each container of a controllers
// workload without a finding, or the target when nothing else speaks for it. So
// every target is seen in every format. Each is named as a finding about it
// would be.
func (t *Target) successes() []Finding {
	var successes []Finding
	for _, workload := range t.Workloads {
		if workload.Role != Controllers {
			continue
		}
		for _, container := range workload.Containers {
			if !container.Exempt && !t.concerns(workload, container) {
				successes = append(successes, Finding{Constraint: workload.Constraint,
					Workload: workload.Kind + "/" + workload.Name, Namespace: workload.Namespace, Container: container.Name})
			}
		}
	}
	if len(successes) == 0 && t.Error == "" && len(t.Findings) == 0 {
		return []Finding{{}}
	}
	return successes
}

// concerns reports whether a finding is about a container, or about its whole
// workload.
func (t *Target) concerns(workload Workload, container Container) bool {
	for _, f := range t.Findings {
		if f.Constraint == workload.Constraint && f.Workload == workload.Kind+"/"+workload.Name &&
			f.Namespace == workload.Namespace && (f.Container == "" || f.Container == container.Name) {
			return true
		}
	}
	return false
}

// regoPackage is what conftest calls a namespace.
const regoPackage = "main"

// checkResults is the report as conftest would have it, one result for each
// target, with file names and messages escaped for a format.
func (r *Report) checkResults(file func(string) string, message func(entry) string) output.CheckResults {
	var results output.CheckResults
	for i := range r.Targets {
		target := &r.Targets[i]
		check := output.CheckResult{FileName: file(clean(target.Path)), Namespace: regoPackage, Successes: len(target.successes())}
		for _, e := range target.entries() {
			result := e.result(message(e))
			switch e.level() {
			case denied:
				check.Failures = append(check.Failures, result)
			case warned:
				check.Warnings = append(check.Warnings, result)
			default:
				check.Exceptions = append(check.Exceptions, result)
			}
		}
		results = append(results, check)
	}
	return results
}
