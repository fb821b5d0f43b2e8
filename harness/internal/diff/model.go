package diff

import "github.com/proompteng/nevermigrate/harness/report"

// Version is the version of the JSON shape.
const Version = 1

// Change says what became of something between the two sides.
type Change string

// The changes. Unknown: the base side could not be judged.
const (
	Added     Change = "added"
	Removed   Change = "removed"
	Moved     Change = "moved"
	Changed   Change = "changed"
	Unchanged Change = "unchanged"
	Unknown   Change = "unknown"
)

// Diff is what a change did to the contract.
type Diff struct {
	Version int  `json:"version"`
	Base    Base `json:"base"`
	// HeadFile is the file of the head's report, when two reports were compared;
	// else the head is the working tree.
	HeadFile string `json:"headFile,omitempty"`
	// Provenance says what judged the head side; the base side was judged by the same
	// unless the diff is of two reports.
	Provenance *report.Provenance `json:"provenance,omitempty"`
	Targets    []Target           `json:"targets"`
	// NotJudged are the places that were not judged, when both sides say which.
	NotJudged *NotJudged `json:"notJudged,omitempty"`
	Summary   Summary    `json:"summary"`

	// head is the verdict on the head side, and headNew that on what is new there.
	head, headNew *report.Report
}

// NotJudged are places that were not judged. One that may be bound and was not
// before is new.
type NotJudged struct {
	New  []report.NotJudged `json:"new"`
	Kept []report.NotJudged `json:"kept"`
	Gone []report.NotJudged `json:"gone"`
}

// Base is what was compared with: a commit, or the report in a file.
type Base struct {
	*BaseCommit
	// File is "-" for standard input.
	File string `json:"file,omitempty"`
}

// BaseCommit is the commit that was compared with.
type BaseCommit struct {
	// Revision is as it was given.
	Revision string `json:"revision"`
	// Commit is the hash of what was compared with: the merge base of Revision
	// and HEAD, or with MergeBase false that of Revision itself.
	Commit    string `json:"commit"`
	MergeBase bool   `json:"mergeBase"`
	// Contract is the side whose configuration and constraints both sides were judged
	// by.
	Contract Contract `json:"contract"`
	// LeftOut are files of the commit that could not be part of the base side:
	// symbolic links that lead out of the repository, and files that are too
	// large to be read.
	LeftOut []string `json:"leftOut,omitempty"`
}

// Contract is a side, as one to take the contract from.
type Contract string

// The sides.
const (
	BaseSide Contract = "base"
	HeadSide Contract = "head"
)

// Target is an app, or a manifest, on both sides. What concerns the run as a
// whole comes after them, as targets that hold findings only.
type Target struct {
	// Path is that of the head side; of a removed target that of the base side.
	Path string `json:"path"`
	// BasePath is that of the base side when the target moved.
	BasePath string `json:"basePath,omitempty"`
	// Change concerns the contract: a target of which other things changed is
	// unchanged.
	Change Change `json:"change"`
	// Kind is what it is on both sides, when that changed.
	Kind *Sides[string] `json:"kind,omitempty"`
	// Status is the verdict on the head side; empty for a removed target.
	Status report.Status `json:"status,omitempty"`
	// Error says why the head side could not be decided.
	Error string `json:"error,omitempty"`
	// BaseError says why the base side could not be decided; all findings count
	// as new then.
	BaseError string     `json:"baseError,omitempty"`
	Workloads []Workload `json:"workloads"`
	Findings  Findings   `json:"findings"`
	// Exempted are findings of the head side that pass. They are neither new nor
	// kept nor fixed.
	Exempted []report.Exempted `json:"exempted,omitempty"`
	// LostControllers says that the target had controllers workloads on the
	// base side and has none on the head side.
	LostControllers bool `json:"lostControllers,omitempty"`
}

// Sides is something on both sides; nil where it is not there.
type Sides[T any] struct {
	Base *T `json:"base,omitempty"`
	Head *T `json:"head,omitempty"`
}

// Workload is a workload on both sides.
type Workload struct {
	Kind       string             `json:"kind"`
	Namespace  string             `json:"namespace"`
	Name       string             `json:"name"`
	Constraint string             `json:"constraint,omitempty"`
	Change     Change             `json:"change"`
	Role       Sides[report.Role] `json:"role"`
	Containers []Container        `json:"containers"`
}

// Container is a container on both sides.
type Container struct {
	Name   string             `json:"name"`
	Type   string             `json:"type"`
	Change Change             `json:"change"`
	Mode   Sides[report.Mode] `json:"mode"`
	Exempt Sides[bool]        `json:"exempt"`
}

// Findings are those of both sides. New and kept ones are the head side's, with
// their causes; fixed ones the base side's.
type Findings struct {
	New   []report.Finding `json:"new"`
	Kept  []report.Finding `json:"kept"`
	Fixed []report.Finding `json:"fixed"`
}

// Summary counts.
type Summary struct {
	// Targets counts what is on one side at least.
	Targets   int `json:"targets"`
	Added     int `json:"added"`
	Removed   int `json:"removed"`
	Moved     int `json:"moved"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`

	New   Counts `json:"new"`
	Kept  Counts `json:"kept"`
	Fixed Counts `json:"fixed"`
	// Exempted counts findings of the head side that pass.
	Exempted int `json:"exempted,omitempty"`

	// Cached counts the targets of the head side of which the verdict was kept from
	// before, and Head all of them; they are there when verdicts are kept.
	Cached *int `json:"cached,omitempty"`
	Head   int  `json:"head,omitempty"`

	// Errors counts targets that could not be decided on the head side,
	// BaseErrors those on the base side.
	Errors     int `json:"errors"`
	BaseErrors int `json:"baseErrors"`
}

// Counts counts findings.
type Counts struct {
	Denied int `json:"denied"`
	Warned int `json:"warned"`
}

func (c *Counts) add(findings []report.Finding) {
	for _, finding := range findings {
		if finding.Severity == report.Deny {
			c.Denied++
		} else {
			c.Warned++
		}
	}
}

// Head is the verdict on the head side: with newOnly, on what is new there. It
// is what a format of `nevermigrate check` shows.
func (d *Diff) Head(newOnly bool) *report.Report {
	if newOnly {
		return d.headNew
	}
	return d.head
}

// ExitStatus is the exit status of the command line: that of check for the head
// side, or, with newOnly, for what is new there. What could not be decided on
// the head side is never forgiven.
func (d *Diff) ExitStatus(newOnly, failOnWarn bool) int {
	return d.Head(newOnly).ExitStatus(failOnWarn)
}
