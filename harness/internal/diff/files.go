package diff

import (
	"errors"
	"fmt"
	"slices"

	"github.com/proompteng/nevermigrate/harness/report"
)

// File is a report and the name of the file that it was read from.
type File struct {
	Name   string
	Report *report.Report
}

// FileName is how a message names a file; "-" is standard input.
func FileName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

// Files compares the report in one file with that in another. Neither needs the
// repository. What moved is known by its workloads.
func Files(base, head File) (*Diff, error) {
	for _, file := range []File{base, head} {
		if err := file.refuse(); err != nil {
			return nil, fmt.Errorf("read report %s: %w", FileName(file.Name), err)
		}
	}
	baseJudged, baseWholeRun := split(base.Report)
	headJudged, headWholeRun := split(head.Report)
	// Verdicts and counts are made anew: a file may say what its findings do not.
	return Compare(base.Report.With(baseJudged, baseWholeRun...), head.Report.With(headJudged, headWholeRun...), Known{
		Base:     Base{File: base.Name},
		HeadFile: head.Name,
		Moved:    movedByWorkloads(slices.DeleteFunc(slices.Clone(baseJudged), isStillThere(head.Report)), headJudged),
	}), nil
}

// isStillThere reports whether a target is where it was, though a report does not judge
// it: it did not move.
func isStillThere(head *report.Report) func(report.Target) bool {
	return func(t report.Target) bool {
		isThis := func(o report.Target) bool { return o.Path == t.Path }
		return !slices.ContainsFunc(head.Targets, isThis) && lostIn(head, t.Path) != nil
	}
}

// refuse refuses a report that is no verdict on all that its run was asked about.
func (f File) refuse() error {
	if shard := f.Report.Shard; shard != nil {
		return fmt.Errorf("it is of shard %d/%d only: join the reports of all shards with `nevermigrate merge`, and name what it writes", shard.Index, shard.Count)
	}
	if len(f.Report.Targets) == 0 {
		return errors.New("it has no targets, so nothing was judged: make it with `nevermigrate check -o json`")
	}
	return nil
}
