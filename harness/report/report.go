// Package report holds what a check found: the verdict on a set of targets, their
// workloads and their findings. Its JSON form is stable and can be read again.
package report

import (
	_ "embed"
	"regexp"
	"slices"
)

// Version is the version of the JSON shape.
const Version = 1

// Schema is the JSON Schema of the JSON report.
//
//go:embed report.schema.json
var Schema []byte

// Status is the verdict on one target.
type Status string

// The verdicts. Error: it could not be decided.
const (
	Pass  Status = "pass"
	Fail  Status = "fail"
	Error Status = "error"
)

// Severity says whether a finding breaks the contract or is doubtful.
type Severity string

// The severities. A finding of a constraint that only warns, or only dry-runs,
// is a warning.
const (
	Deny Severity = "deny"
	Warn Severity = "warn"
)

// Role says whether the contract binds a workload.
type Role string

// The roles.
const (
	Controllers  Role = "controllers"
	ControlPlane Role = "control-plane"
)

// Mode is what the service makes of the migrations variable.
type Mode string

// The modes. Unknown: it cannot be decided from the manifests.
const (
	Skip    Mode = "skip"
	Auto    Mode = "auto"
	Unknown Mode = "unknown"
)

// Format names a way to write a report, such as "json" or "sarif".
type Format string

// Report is the verdict on a set of targets.
type Report struct {
	Version int `json:"version"`
	// Provenance says what made the report.
	Provenance *Provenance `json:"provenance,omitempty"`
	Targets    []Target    `json:"targets"`
	Summary    Summary     `json:"summary"`
	// UnusedExemptions are exemptions that match nothing of what was judged.
	UnusedExemptions []Exemption `json:"unusedExemptions,omitempty"`
	// Baseline is there when known findings pass.
	Baseline *Baseline `json:"baseline,omitempty"`
	// Coverage says what was there: what was judged, and what was not.
	Coverage *Coverage `json:"coverage,omitempty"`
	// Shard is there when the report judges a part of the targets.
	Shard *Shard `json:"shard,omitempty"`
}

// Shard says which part of the targets a report judges, and what is judged once
// all parts are together.
type Shard struct {
	Index int `json:"index"`
	Count int `json:"count"`
	// Targets counts those of all shards, and Mine those of this one.
	Targets     int  `json:"targets"`
	Mine        int  `json:"mine"`
	AllowAbsent bool `json:"allowAbsent"`
	// Arguments are the paths below which some target must have a controllers
	// workload.
	Arguments   []string          `json:"arguments"`
	Constraints []ShardConstraint `json:"constraints"`
	// Exempting is there when findings may pass.
	Exempting *Exempting `json:"exempting,omitempty"`
}

// Exempting is what lets findings pass over all shards together.
type Exempting struct {
	// WorkDir is the working directory, from the top of the work tree.
	WorkDir    string      `json:"workDir"`
	Exemptions []Exemption `json:"exemptions"`
	// Partial says that the run judges a part of what the configuration names, so
	// that nothing is known of exemptions that match nothing.
	Partial bool `json:"partial,omitempty"`
	// Known are the targets of the baseline that concern the run as a whole.
	Known []Target `json:"known,omitempty"`
}

// Baseline is a report whose findings are known, and pass.
type Baseline struct {
	File string `json:"file"`
	// Gone counts its findings that are there no more.
	Gone int `json:"gone"`
}

// ShardConstraint is a constraint that was evaluated; for the defaults it has
// no name and no file.
type ShardConstraint struct {
	Name        string `json:"name"`
	File        string `json:"file"`
	Enforcement string `json:"enforcement"`
}

// Target is an app or a stream of manifests that was judged.
type Target struct {
	// Path is relative to the working directory, with forward slashes; "-" is
	// standard input.
	Path   string `json:"path"`
	Status Status `json:"status"`
	// Error says why it could not be decided, in one message.
	Error string `json:"error,omitempty"`
	// Note says what else is to be known, such as that nothing was rendered.
	Note string `json:"note,omitempty"`
	// Chain are the places that an Application of Argo CD comes from: its file or that
	// of its ApplicationSet, then what gives the parameters.
	Chain     []ApplicationPlace `json:"chain,omitempty"`
	Workloads []Workload         `json:"workloads"`
	Findings  []Finding          `json:"findings"`
	// Exempted are findings that pass. They count as neither denied nor warned, and
	// their causes are not looked for.
	Exempted []Exempted `json:"exempted,omitempty"`
}

// Workload is one that the contract binds or that declares the migrations
// variable.
type Workload struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Role      Role   `json:"role"`
	// Constraint is the name of the constraint that it was judged by; empty
	// for the defaults.
	Constraint string      `json:"constraint,omitempty"`
	Containers []Container `json:"containers"`
}

// Container is a container of a workload, with the mode that results from its
// environment.
type Container struct {
	Name string `json:"name"`
	// Type is container, initContainer or ephemeralContainer.
	Type   string `json:"type"`
	Mode   Mode   `json:"mode"`
	Exempt bool   `json:"exempt"`
}

// Finding is one broken or doubtful thing.
type Finding struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// Enforcement is the constraint's enforcementAction where it is not deny.
	Enforcement string `json:"enforcement,omitempty"`
	// Constraint is the name of the constraint that is broken; empty for the
	// defaults.
	Constraint string `json:"constraint,omitempty"`
	// Workload is "Kind/name"; empty for a finding about the whole target.
	Workload  string `json:"workload"`
	Namespace string `json:"namespace"`
	// Container is empty for a finding about the whole workload.
	Container string `json:"container"`
	// Path is the place inside the object.
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
	// Page is the address of the rule's page, as PageOf has it. It is there once the
	// finding is in a report.
	Page string `json:"page,omitempty"`
	// Causes are the places in the repository that make it so, the most
	// decisive first.
	Causes []Cause `json:"causes"`
	// Overridden are the places that would decide if the first cause were not
	// there, in the order in which they would.
	Overridden []Cause `json:"overridden,omitempty"`
	// Fix is the smallest change that makes the finding go away.
	Fix *Fix `json:"fix,omitempty"`
	// CausesTruncated says that the search ended at its bound, so that there
	// may be other causes.
	CausesTruncated bool `json:"causesTruncated,omitempty"`
	// CausesError says why the search for causes failed, so that it says
	// nothing.
	CausesError string `json:"causesError,omitempty"`
}

// Cause is the place in the repository that makes a finding so.
type Cause struct {
	// File is relative to the working directory; a file in a packed chart is the
	// archive, !/, and the path in it.
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	// Path is the place inside the file: a value path or, for a template, the
	// name of what defines it.
	Path string `json:"path"`
	// Value is that of the migrations variable; empty where the place holds
	// anything else.
	Value string `json:"value"`
	// Layer says which of the things that make a manifest the file is.
	Layer Layer `json:"layer,omitempty"`
}

// Layer is one of the things that make a manifest.
type Layer string

// The layers. Of the values, those that come later here win.
const (
	Template             Layer = "template"
	ChartValues          Layer = "chart values"
	ValuesFile           Layer = "values file"
	InlineValues         Layer = "inline values"
	AdditionalValuesFile Layer = "additional values file"
	Resource             Layer = "resource"
	Component            Layer = "component"
	Patch                Layer = "patch"
	Replacement          Layer = "replacement"
	// KustomizationLayer is what a kustomization says beside values, patches,
	// components and replacements.
	KustomizationLayer Layer = "kustomization"
	// ApplicationLayer is what an Application of Argo CD, or the ApplicationSet that
	// makes it, lays over its sources.
	ApplicationLayer   Layer = "Application"
	ConstraintLayer    Layer = "constraint"
	ConfigurationLayer Layer = "configuration"
)

// Fix is a change of one file.
type Fix struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Path string `json:"path"`
	// Change says what to do, as in `set env.vars.X to "skip"`.
	Change string `json:"change"`
	// Verified says that the app was rendered with the change as a person would write
	// it, and that the finding was gone and no other was there that denies; of a
	// warning, no other warning either.
	Verified bool `json:"verified"`
}

// Home is the address of this project.
const Home = "https://github.com/proompteng/nevermigrate"

var codePattern = regexp.MustCompile(`\ACNM[0-9]{3}\z`)

// PageOf is the address of the page of the rule with a code: why it is there, what fires,
// and what to do. It is empty for a code that is not of this project's policy.
func PageOf(code string) string {
	if !codePattern.MatchString(code) {
		return ""
	}
	return Home + "/blob/main/docs/rules/" + code + ".md"
}

// Exempted is a finding that passes, and why: an exemption matches it, or it is
// known from the baseline.
type Exempted struct {
	Finding
	Reason string `json:"reason"`
	// Until is the last day of the exemption, as YYYY-MM-DD; empty: there is none.
	Until string `json:"until,omitempty"`
}

// Exemption says which findings pass, and why. It matches a finding by all that
// it says.
type Exemption struct {
	Code string `json:"code"`
	// Workload and Container are globs, in which * stands for any text; empty: any.
	Workload  string `json:"workload,omitempty"`
	Container string `json:"container,omitempty"`
	// Path is a glob for the path of the target, from the top of the work tree;
	// empty: any.
	Path   string `json:"path,omitempty"`
	Reason string `json:"reason"`
	// Until is the last day of the exemption, as YYYY-MM-DD; empty: there is none.
	Until string `json:"until,omitempty"`
}

// Summary counts.
type Summary struct {
	// Targets counts the apps and manifests that were judged.
	Targets int `json:"targets"`
	// Controllers counts controllers workloads.
	Controllers int `json:"controllers"`
	// Containers counts their containers that were judged: not the exempt.
	Containers int `json:"containers"`
	Denied     int `json:"denied"`
	Warned     int `json:"warned"`
	// Exempted counts findings that pass.
	Exempted int `json:"exempted,omitempty"`
	Errors   int `json:"errors"`
	// Cached counts the targets of which the verdict was kept from before; it is there
	// when verdicts are kept.
	Cached *int `json:"cached,omitempty"`
	// NotJudged counts the places that were not judged, MayBind those of them
	// without which nothing is proven.
	NotJudged int `json:"notJudged"`
	MayBind   int `json:"mayBind"`
}

// New makes a report of the targets that were judged: it sets the status of
// each and counts. What concerns the run as a whole comes after them, as
// targets that hold findings and do not count as judged.
func New(judged []Target, wholeRun ...Target) *Report {
	r := &Report{Version: Version, Targets: slices.Concat(judged, wholeRun), Summary: Summary{Targets: len(judged)}}
	for i := range r.Targets {
		target := &r.Targets[i]
		if target.Workloads == nil {
			target.Workloads = []Workload{}
		}
		if target.Findings == nil {
			target.Findings = []Finding{}
		}
		r.Summary.add(target)
	}
	return r
}

// With is the report with other targets, counted anew, and all else as it is.
func (r *Report) With(judged []Target, wholeRun ...Target) *Report {
	other := New(judged, wholeRun...)
	other.Provenance, other.UnusedExemptions, other.Baseline = r.Provenance, r.UnusedExemptions, r.Baseline
	other.Shard, other.Summary.Cached = r.Shard, r.Summary.Cached
	if r.Coverage != nil {
		other.Cover(r.Coverage)
	}
	return other
}

func (s *Summary) add(target *Target) {
	target.link()
	for _, workload := range target.Workloads {
		if workload.Role != Controllers {
			continue
		}
		s.Controllers++
		for _, container := range workload.Containers {
			if !container.Exempt {
				s.Containers++
			}
		}
	}
	target.Status = Pass
	for _, finding := range target.Findings {
		if finding.Severity == Deny {
			s.Denied++
			target.Status = Fail
		} else {
			s.Warned++
		}
	}
	s.Exempted += len(target.Exempted)
	if target.Error != "" {
		s.Errors++
		target.Status = Error
	}
}

// link tells the findings their pages.
func (t *Target) link() {
	for i := range t.Findings {
		t.Findings[i].Page = PageOf(t.Findings[i].Code)
	}
	for i := range t.Exempted {
		t.Exempted[i].Page = PageOf(t.Exempted[i].Code)
	}
}

// Exit statuses of the command line.
const (
	ExitHolds     = 0
	ExitBroken    = 1
	ExitUndecided = 2
)

// ExitStatus is the exit status for the report. What could not be decided
// outweighs what is broken. With failOnWarn a warning counts as broken, unless
// its constraint only dry-runs: a dry run never refuses.
func (r *Report) ExitStatus(failOnWarn bool) int {
	status := ExitHolds
	if r.Summary.MayBind > 0 {
		return ExitUndecided
	}
	for _, target := range r.Targets {
		if target.Status == Error {
			return ExitUndecided
		}
		for _, finding := range target.Findings {
			if finding.Severity == Deny || failOnWarn && finding.Enforcement != "dryrun" {
				status = ExitBroken
			}
		}
	}
	return status
}
