// Package exempt lets findings pass: those that an exemption of the configuration
// matches, and those that are known from the baseline. They stay in the report,
// with the reason, and do not count.
package exempt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/config"
	"github.com/proompteng/nevermigrate/harness/internal/same"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

// never is the code that nothing exempts: the constraint cannot be used, so
// nothing is judged.
const never = "CNM000"

// Set is what lets findings pass. A nil Set lets none pass.
type Set struct {
	exemptions []report.Exemption
	// partial says that the run judges a part of what the configuration names.
	partial bool
	// workDir is the working directory from the top of the work tree, and fromTop
	// does that for any path; nil: what is absolute is nowhere.
	workDir string
	fromTop func(string) (string, bool)

	baseline *baseline
	// goneBefore counts what the shards say is gone of the baseline.
	goneBefore int
}

// baseline is a report with known findings. The paths of its targets are from the
// top of the work tree.
type baseline struct {
	file             string
	judged, wholeRun []report.Target
}

// New is the exemptions of a configuration, for a run that judges paths.
func New(c *config.Config, paths []string) *Set {
	s := &Set{exemptions: c.FromTopExemptions(), workDir: c.WorkDir(), fromTop: c.FromTop}
	var named []string
	for _, text := range c.Paths {
		named = append(named, c.Local(text.Value))
	}
	s.partial = len(named) > 0 && !slices.Equal(named, paths)
	return s
}

// maxBytes bounds a baseline.
const maxBytes = 64 << 20

// WithBaseline is the set and what is known from a file, as WriteBaseline or check
// -o json writes it at the top of the work tree.
func (s *Set) WithBaseline(file string) (*Set, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read baseline %s: no such file: write it with `check --write-baseline`", file)
	}
	if err != nil {
		return nil, fmt.Errorf("read baseline: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxBytes {
		return nil, fmt.Errorf("read baseline %s: it is no regular file of at most %d bytes", file, maxBytes)
	}
	opened, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read baseline: %w", err)
	}
	defer opened.Close()
	known, err := report.Read(opened)
	if err != nil {
		return nil, fmt.Errorf("read baseline %s: %w: write it with `check --write-baseline`", file, err)
	}
	if known.Shard != nil {
		return nil, fmt.Errorf("read baseline %s: it is of shard %d/%d only: write it without --shard", file, known.Shard.Index, known.Shard.Count)
	}
	return s.with(file, known), nil
}

func (s *Set) with(file string, known *report.Report) *Set {
	with := *s
	judged := min(known.Summary.Targets, len(known.Targets))
	with.baseline = &baseline{filepath.ToSlash(file), known.Targets[:judged], known.Targets[judged:]}
	return &with
}

// path is the path of a target from the top of the work tree.
func (s *Set) path(target string) (string, bool) {
	switch {
	case target == "-":
		return target, true
	case s.fromTop != nil:
		return s.fromTop(target)
	case path.IsAbs(target):
		return "", false
	}
	fromTop := path.Join(s.workDir, target)
	return fromTop, fromTop != ".." && !strings.HasPrefix(fromTop, "../")
}

// matches reports whether an exemption matches a finding of the target at a path
// from the top of the work tree; not ok is a target outside of it.
func matches(e report.Exemption, path string, ok bool, f *report.Finding) bool {
	return f.Code != never && e.Code == f.Code &&
		(e.Workload == "" || config.MatchesName(e.Workload, f.Workload)) &&
		(e.Container == "" || config.MatchesName(e.Container, f.Container)) &&
		(e.Path == "" || ok && config.Matches(e.Path, path))
}

// Apply moves the findings of a target that pass. The path is that by which
// exemptions know the target. Applied twice it moves none twice.
func (s *Set) Apply(target *report.Target, path string) {
	if s == nil || target.Error != "" {
		return
	}
	fromTop, ok := s.path(path)
	var left []report.Finding
	for i := range target.Findings {
		f := &target.Findings[i]
		j := slices.IndexFunc(s.exemptions, func(e report.Exemption) bool { return matches(e, folderOf(fromTop), ok, f) })
		if j < 0 {
			left = append(left, *f)
			continue
		}
		target.Exempted = append(target.Exempted, report.Exempted{Finding: *f, Reason: s.exemptions[j].Reason, Until: s.exemptions[j].Until})
	}
	target.Findings = left
	if s.baseline == nil {
		return
	}
	// What passes already is known first, so that nothing is known twice.
	exempted := len(target.Exempted)
	all := append(passing(target), left...)
	known := same.Exactly(s.baseline.of(fromTop, ok), all)
	target.Findings = nil
	for i := range all[exempted:] {
		if f := all[exempted+i]; known[&all[exempted+i]] && f.Code != never {
			target.Exempted = append(target.Exempted, report.Exempted{Finding: f, Reason: "baseline " + s.baseline.file})
		} else {
			target.Findings = append(target.Findings, f)
		}
	}
}

// folderOf is the folder of a target that an Application deploys, which is called
// "FOLDER (Application NAME, from FILE)"; of any other the path.
func folderOf(path string) string {
	if folder, _, deployed := strings.Cut(path, " (Application "); deployed {
		return folder
	}
	return path
}

func passing(target *report.Target) []report.Finding {
	var findings []report.Finding
	for _, e := range target.Exempted {
		findings = append(findings, e.Finding)
	}
	return findings
}

// of are the known findings of the target at a path from the top of the work tree.
// What a run says of a path as a whole may be said of the target there, too.
func (b *baseline) of(path string, ok bool) []report.Finding {
	var findings []report.Finding
	for _, target := range slices.Concat(b.judged, b.wholeRun) {
		if ok && target.Path == path {
			findings = append(findings, target.Findings...)
		}
	}
	return findings
}

// ofRun is what only all targets together show. A run may say it of a target.
func (b *baseline) ofRun() []report.Target {
	var targets []report.Target
	for _, t := range slices.Concat(b.judged, b.wholeRun) {
		t.Findings = slices.DeleteFunc(slices.Clone(t.Findings), func(f report.Finding) bool { return f.Code != stated.Absent })
		if len(t.Findings) > 0 {
			targets = append(targets, t)
		}
	}
	return targets
}

// Finish says of a report, whose findings were moved, which exemptions match
// nothing, and how much of the baseline is gone. Judged reports whether a target,
// by its path from the working directory, is one that the report is to judge; nil:
// each is.
func (s *Set) Finish(r *report.Report, isJudged func(path string) bool) {
	if s == nil {
		return
	}
	if !s.partial && isJudged == nil {
		r.UnusedExemptions = s.unused(r)
	}
	if s.baseline != nil {
		r.Baseline = &report.Baseline{File: s.baseline.file, Gone: s.goneBefore + s.gone(r, isJudged)}
	}
}

// unused are the exemptions that match nothing. One that comes after another that
// matches the same is used.
func (s *Set) unused(r *report.Report) []report.Exemption {
	unused := slices.Clone(s.exemptions)
	for _, t := range r.Targets {
		path, ok := s.path(t.Path)
		for _, f := range t.Exempted {
			unused = slices.DeleteFunc(unused, func(e report.Exemption) bool { return matches(e, folderOf(path), ok, &f.Finding) })
		}
	}
	return unused
}

// gone counts the findings of the baseline that are there no more. Of a target
// that could not be judged, or was not to be, nothing is known.
func (s *Set) gone(r *report.Report, isJudged func(string) bool) int {
	there := map[string][]report.Finding{}
	undecided, seen := map[string]bool{}, map[string]bool{}
	for i := range r.Targets {
		t := &r.Targets[i]
		path, ok := s.path(t.Path)
		if !ok {
			continue
		}
		seen[path] = true
		undecided[path] = undecided[path] || t.Error != ""
		there[path] = append(there[path], append(passing(t), t.Findings...)...)
	}
	known := map[string][]report.Finding{}
	for _, t := range slices.Concat(s.baseline.judged, s.baseline.wholeRun) {
		for _, f := range t.Findings {
			// What concerns the run as a whole is for merge to judge.
			if isJudged == nil || f.Code != stated.Absent {
				known[t.Path] = append(known[t.Path], f)
			}
		}
	}
	gone := 0
	for path, findings := range known {
		if undecided[path] || !seen[path] && (s.partial || isJudged != nil && !isJudged(s.local(path))) {
			continue
		}
		left := same.Exactly(findings, there[path])
		for i := range findings {
			if !left[&findings[i]] {
				gone++
			}
		}
	}
	return gone
}

// local is a path from the top of the work tree as the working directory sees it.
func (s *Set) local(fromTop string) string {
	relative, err := filepath.Rel(filepath.FromSlash(s.workDir), filepath.FromSlash(fromTop))
	if err != nil {
		return fromTop
	}
	return filepath.ToSlash(relative)
}

// Exempting is what merge needs to know of the set; nil when it lets nothing pass.
func (s *Set) Exempting() *report.Exempting {
	if s == nil || len(s.exemptions) == 0 && s.baseline == nil {
		return nil
	}
	e := &report.Exempting{WorkDir: s.workDir, Exemptions: s.exemptions, Partial: s.partial}
	if s.baseline != nil {
		e.Known = s.baseline.ofRun()
	}
	return e
}

// ForMerge is the set of the shards of a run: what it let pass, and what each of
// them says of the baseline. Nil: nothing may pass.
func ForMerge(e *report.Exempting, baselines []*report.Baseline) *Set {
	if e == nil {
		return nil
	}
	s := &Set{exemptions: e.Exemptions, partial: e.Partial, workDir: e.WorkDir}
	for _, b := range baselines {
		if b == nil {
			continue
		}
		if s.baseline == nil {
			s.baseline = &baseline{file: b.File, wholeRun: e.Known}
		}
		s.goneBefore += b.Gone
	}
	return s
}

// ErrUndecided says that there is no baseline to write.
var ErrUndecided = errors.New("the run could not be decided, so what is known is not either: repair what the report names first")

// Known is the report that is written as a baseline, from one that was made
// without any: what is found, and where, and nothing of how it came about.
func (s *Set) Known(r *report.Report) (*report.Report, error) {
	if r.ExitStatus(false) == report.ExitUndecided {
		return nil, ErrUndecided
	}
	judged := min(r.Summary.Targets, len(r.Targets))
	var targets [2][]report.Target
	for i, t := range r.Targets {
		path, ok := s.path(t.Path)
		if slices.ContainsFunc(t.Findings, func(f report.Finding) bool { return f.Code == never }) {
			return nil, ErrUndecided
		}
		if len(t.Findings) == 0 {
			continue
		}
		if !ok {
			return nil, fmt.Errorf("%s is outside of the repository, so a baseline cannot know it", t.Path)
		}
		known := report.Target{Path: path}
		for _, f := range t.Findings {
			f.Causes, f.Overridden, f.Fix, f.CausesTruncated, f.CausesError = []report.Cause{}, nil, nil, false, ""
			known.Findings = append(known.Findings, f)
		}
		part := 0
		if i >= judged {
			part = 1
		}
		targets[part] = append(targets[part], known)
	}
	known := report.New(targets[0], targets[1]...)
	if known.Targets == nil {
		known.Targets = []report.Target{}
	}
	return known, nil
}

// WithKnown is the set and what is known from a report that Known made, which is
// to be in a file.
func (s *Set) WithKnown(file string, known *report.Report) *Set { return s.with(file, known) }

// Again is a report with what passes by this set besides.
func (s *Set) Again(r *report.Report) *report.Report {
	judged := min(r.Summary.Targets, len(r.Targets))
	targets := slices.Clone(r.Targets)
	for i := range targets {
		s.Apply(&targets[i], targets[i].Path)
	}
	again := r.With(targets[:judged], targets[judged:]...)
	s.Finish(again, nil)
	return again
}

// Partial reports whether the run judges a part of what the configuration names.
func (s *Set) Partial() bool { return s.partial }
