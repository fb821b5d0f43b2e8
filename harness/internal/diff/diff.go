// Package diff tells what a change did to the contract. Compare compares two
// reports by container and by finding. Files does so with reports that check
// wrote, and Run with those that it makes: of the working tree, and of a commit
// from the repository's object store.
//
// Run writes nothing of the repository: the commit's files go into a folder of
// their own, which is removed. No git command is run.
package diff

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/repository"
	"github.com/proompteng/nevermigrate/harness/internal/same"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Options say what to compare with.
type Options struct {
	// Base names the commit to compare with: a branch, a tag, a hash, HEAD~2,
	// origin/main.
	Base string
	// NoMergeBase compares with Base itself, and not with the commit at which
	// the working tree's history left it. What others changed on Base since
	// then shows as undone.
	NoMergeBase bool
	// CausesOfNew looks for the causes of new findings only. The search for
	// causes takes longer than all else, and old findings may be many.
	CausesOfNew bool
	// Check says how both sides are judged, with constraints and a configuration of
	// today: a change of the contract is not a change of an app.
	Check check.Options
	// Contract returns the contract of the base side, its configuration and its
	// constraints, by which both sides are judged in place of Check, and the head's
	// own. A change cannot disarm the gate then, and what its own contract takes away
	// is a finding. It takes a function that gives the file of the base side at a path,
	// as seen from the working directory. Nil: Check it is.
	Contract func(file func(path string) string) (base, head ContractOf, err error)
	// Charts returns what finds the charts of the base side that are not in its tree;
	// it takes the function of Contract. Nil: what Check has.
	Charts func(file func(path string) string) render.ChartStore

	// twice judges everything on both sides, for tests.
	twice bool
}

// Run compares the targets of paths, in the working tree as it is, uncommitted
// changes and untracked files included, with those of the base. An error means
// that nothing was compared. What goes wrong with one target stands in the
// result: on the head side as its Error, on the base side as its BaseError, in
// which case all its findings count as new.
func Run(ctx context.Context, paths []string, options Options) (*Diff, error) {
	workDir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if workDir, err = filepath.EvalSymlinks(workDir); err != nil {
		return nil, err
	}
	repo, err := repository.Open(workDir)
	if err != nil {
		return nil, err
	}
	defer repo.Close()
	asked, err := pathsOf(paths, repo.Top, workDir)
	if err != nil {
		return nil, err
	}
	if len(asked) == 0 {
		return nil, errors.New("no path: name an app, a manifest or a folder with apps")
	}
	commit, err := baseCommit(repo, options)
	if err != nil {
		return nil, err
	}
	base := BaseCommit{Revision: options.Base, Commit: commit.Hash.String(), MergeBase: !options.NoMergeBase}
	folder, err := writeBase(ctx, repo, commit, &base, options)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	workDirInTree, err := filepath.Rel(repo.Top, workDir)
	if err != nil {
		return nil, err
	}
	c := comparison{
		asked:   asked,
		base:    &side{top: folder, workDir: filepath.Join(folder, workDirInTree), realWorkDir: workDir, leftOut: base.LeftOut, exclude: options.Check.Excluded},
		head:    &side{top: repo.Top, workDir: workDir, realWorkDir: workDir, exclude: options.Check.Excluded},
		options: options,
	}
	c.baseCharts = options.Check.Render.Charts
	if options.Charts != nil {
		c.baseCharts = options.Charts(c.base.file)
	}
	base.Contract = HeadSide
	if options.Contract != nil {
		base.Contract = BaseSide
		before, own, err := options.Contract(c.base.file)
		if err != nil {
			return nil, fmt.Errorf("the contract of the base side: %s", c.base.message(err.Error()))
		}
		own.Paths = asked
		c.contracts = &[2]ContractOf{before, own}
		judging := before.Check
		judging.Render.Charts = options.Check.Render.Charts // which are no contract
		more, err := pathsOf(before.Paths, repo.Top, workDir)
		if err != nil {
			return nil, fmt.Errorf("the contract of the base side: %w", err)
		}
		for _, path := range more {
			if !slices.Contains(c.asked, path) {
				c.asked = append(c.asked, path)
			}
		}
		judging.Progress = options.Check.Progress
		c.options.Check = judging
		c.base.exclude, c.head.exclude = judging.Excluded, judging.Excluded
	}
	d, err := c.run(ctx, Known{Base: Base{BaseCommit: &base}, WorkDir: filepath.ToSlash(workDirInTree)})
	if err != nil && strings.Contains(err.Error(), folder) {
		// The folder is gone when somebody reads it.
		return nil, fmt.Errorf("the base side, %s: %s", base.Revision, c.base.message(err.Error()))
	}
	return d, err
}

// maxInMemory is how large a base side may be to be held in memory, in bytes.
const maxInMemory = 64 << 20

// inMemory is the folder of a file system in memory, where a system has one. To make a
// file there takes a tenth of what it takes on a disk, and a base side has many.
const inMemory = "/dev/shm"

// writeBase writes the base side into a folder, which is to be removed.
func writeBase(ctx context.Context, repo *repository.Repository, commit *repository.Commit, base *BaseCommit, options Options) (folder string, err error) {
	maxBytes := cmp.Or(options.Check.Render.MaxBytes, render.DefaultMaxBytes)
	write := func(places []string, maxTree int64) error {
		if folder, err = folderOutside(repo.Top, places); err != nil {
			return fmt.Errorf("make folder for the base side: %w", err)
		}
		if base.LeftOut, err = repo.Write(ctx, commit, folder, maxBytes, maxTree); err != nil {
			_ = os.RemoveAll(folder)
			return fmt.Errorf("read the files of %s (%.12s): %w", base.Revision, base.Commit, err)
		}
		return nil
	}
	if os.Getenv("TMPDIR") == "" && write([]string{inMemory}, maxInMemory) == nil {
		return folder, nil
	}
	err = write(temporary(), repository.MaxTreeBytes)
	return folder, err
}

// temporary are the places for temporary files: that of the environment, and others
// for when that is inside of the repository.
func temporary() []string {
	places := []string{os.TempDir(), "/tmp", "/var/tmp"}
	if cache, err := os.UserCacheDir(); err == nil {
		places = append(places, cache)
	}
	return places
}

// folderOutside makes a folder in the first of some places that is outside of a working
// tree: below it, the head side would hold the base side.
func folderOutside(top string, places []string) (folder string, err error) {
	for _, place := range places {
		real, placeErr := filepath.EvalSymlinks(place)
		if placeErr != nil || isBelow(top, real) {
			continue
		}
		if folder, err = os.MkdirTemp(real, "nevermigrate-base-"); err == nil {
			return folder, nil
		}
	}
	if err == nil {
		err = fmt.Errorf("%s is inside of the repository: set TMPDIR to a folder outside of it", places[0])
	}
	return "", err
}

// baseCommit finds the commit to compare with.
func baseCommit(r *repository.Repository, options Options) (*repository.Commit, error) {
	commit, err := r.Resolve(options.Base)
	if err != nil || options.NoMergeBase {
		return commit, err
	}
	head, err := r.Resolve("HEAD")
	if err != nil {
		return nil, fmt.Errorf("find HEAD, to know where it left %s: %w", options.Base, err)
	}
	return r.MergeBase(commit, head)
}

// comparison finds and judges the targets of two sides, and compares the reports.
type comparison struct {
	// asked are the paths that were asked about, as seen from the working
	// directory.
	asked      []string
	base, head *side
	options    Options
	// baseCharts are those of the base side.
	baseCharts render.ChartStore
	// contracts are those of both sides, when that of the base is in force.
	contracts *[2]ContractOf
}

func (c *comparison) run(ctx context.Context, known Known) (*Diff, error) {
	err := c.find(known.Base.Revision)
	if err != nil {
		return nil, err
	}
	if known.Moved, err = c.findMoved(ctx); err != nil {
		return nil, err
	}
	c.head.sort(known.order)
	c.base.sort(func(a, b string) int { return known.order(known.headPath(a), known.headPath(b)) })
	// The head side comes first: what is the same on the base side is judged once, and a
	// verdict of the head side has the causes.
	options := c.options.Check
	if options.Verdicts == nil {
		if options.Verdicts, err = check.NewVerdicts(""); err != nil {
			return nil, err
		}
	}
	options.Verdicts.Remember()
	if c.options.twice {
		options.Verdicts = nil
	}
	c.options.Check.Verdicts = options.Verdicts
	judgedBase := sync.OnceValues(func() (*report.Report, error) { return c.judgeBase(ctx) })
	if c.options.CausesOfNew {
		options.CausesOf = func(head []report.Target) ([][]bool, error) {
			base, err := judgedBase()
			if err != nil {
				return nil, err
			}
			var wanted [][]bool
			for _, target := range head {
				wanted = append(wanted, areNew(base, target, known))
			}
			return wanted, nil
		}
	}
	head, err := c.head.judge(ctx, c.head.all(), options)
	if err != nil {
		return nil, err
	}
	base, err := judgedBase()
	if err != nil {
		return nil, err
	}
	if c.contracts != nil {
		if head, err = c.addWeaker(ctx, head, c.contracts[0], c.contracts[1]); err != nil {
			return nil, err
		}
	}
	// A constraint, too, may be what a finding is about, and its file is that of the
	// base side.
	for i := range head.Targets {
		c.base.rename(&head.Targets[i].Path)
	}
	if head.Provenance != nil {
		for i := range head.Provenance.Constraints {
			c.base.rename(&head.Provenance.Constraints[i].File)
		}
	}
	return Compare(base, head, known), nil
}

// judgeBase judges the base side.
func (c *comparison) judgeBase(ctx context.Context) (*report.Report, error) {
	// Without a target there is no verdict that a finding could be kept from.
	if len(c.base.targets) == 0 && (c.options.Check.ArgoCD == nil || len(c.base.notJudged) == 0) {
		return report.New(nil), nil
	}
	return c.base.judge(ctx, c.base.all(), c.baseOptions())
}

// areNew says of each finding of a target of the head side whether it is new.
func areNew(base *report.Report, head report.Target, known Known) []bool {
	var before []report.Finding
	judged, _ := split(base)
	if i := slices.IndexFunc(judged, func(t report.Target) bool { return known.headPath(t.Path) == head.Path }); i >= 0 {
		before = judged[i].Findings
	}
	kept := same.Findings(before, head.Findings)
	isNew := make([]bool, len(head.Findings))
	for i := range isNew {
		isNew[i] = !kept[&head.Findings[i]]
	}
	return isNew
}

// baseOptions are for judging the base side. Causes point into files, and those
// of the base side are gone.
func (c *comparison) baseOptions() check.Options {
	options := c.options.Check
	options.Stdin, options.WithoutCauses = nil, true
	options.Render.Charts = c.baseCharts
	return options
}

// find finds the targets of both sides. A path that was asked about must have
// some on one side at least.
func (c *comparison) find(revision string) error {
	for _, path := range c.asked {
		var headErr error
		var both sync.WaitGroup
		both.Go(func() { headErr = c.head.add(path) })
		baseErr := c.base.add(path)
		both.Wait()
		var absent absentError
		switch {
		case headErr == nil:
		case !errors.As(headErr, &absent):
			return headErr
		case baseErr != nil:
			return fmt.Errorf("%s: %w, neither in the working tree nor in %s", path, absent, revision)
		}
	}
	if err := c.base.addAsIn(c.head, false); err != nil {
		return err
	}
	return c.head.addAsIn(c.base, true)
}
