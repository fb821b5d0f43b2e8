// Package configured joins what a configuration says with what is given by flags or by
// a program, which wins. It is the one place that does so, for every command and for
// both sides of a comparison.
package configured

import (
	"cmp"
	"path/filepath"

	"github.com/proompteng/nevermigrate/harness/internal/chartcache"
	"github.com/proompteng/nevermigrate/harness/internal/chartlock"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/config"
	"github.com/proompteng/nevermigrate/harness/internal/exempt"
	"github.com/proompteng/nevermigrate/harness/internal/repository"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Given is what a person or a program says. What is empty is not given.
type Given struct {
	Paths       []string
	Constraints []string
	KubeVersion string
	APIVersions []string
	// Baseline is a file with known findings.
	Baseline string
	// NoBaseline says that none is read, whatever the configuration says.
	NoBaseline bool
	// Cache is the folder with charts that were downloaded. Empty: that of the user.
	Cache string
}

// Run is what is judged, and how.
type Run struct {
	Check check.Options
	Paths []string
	// Baseline is the file with known findings; empty: there is none.
	Baseline string

	charts *chartcache.Locked
}

// Close removes what was unpacked for the run.
func (r Run) Close() {
	if r.charts != nil {
		r.charts.Close()
	}
}

// Charts are those of the lock of a work tree, in the cache that is given; file is as in
// Join.
func Charts(given Given, c *config.Config, file func(path string) string) *chartcache.Locked {
	lock := c.AtTop(chartlock.Name)
	return chartcache.New(filepath.FromSlash(file(lock)), lock, chartcache.Cache{Dir: cmp.Or(given.Cache, chartcache.Default())})
}

// Join is a run by what is given or else by a configuration, over options that neither
// says. File is where the file of the configuration is that has a path; nil: there. It
// is an error when the baseline cannot be read.
func Join(options check.Options, given Given, c *config.Config, file func(path string) string) (Run, error) {
	if file == nil {
		file = func(path string) string { return path }
	}
	local := func(texts []config.Text, at func(string) string) (values []string) {
		for _, text := range texts {
			values = append(values, at(text.Value))
		}
		return values
	}
	asItIs := func(text string) string { return text }
	inFile := func(text string) string { return file(c.Local(text)) }

	run := Run{Check: options, Baseline: given.Baseline}
	run.Paths = either(either(given.Paths, local(c.Paths, c.Local)), options.Roots)
	run.Check.Constraints = either(given.Constraints, local(c.Constraints, inFile))
	run.Check.Render.KubeVersion = cmp.Or(given.KubeVersion, c.KubeVersion.Value, options.Render.KubeVersion)
	run.Check.Render.APIVersions = either(given.APIVersions, local(c.APIVersions, asItIs))
	run.charts = Charts(given, c, file)
	run.Check.Render.Charts = run.charts
	run.Check.Excluded = c.Excludes()
	run.Check.Provenance = report.Provenance{Configuration: c.Source(), Commit: repository.HeadCommit(".")}
	run.Check.ArgoCD = instanceOf(c)
	run.Check.Exempt = exempt.New(c, run.Paths)
	if given.NoBaseline {
		run.Baseline = ""
		return run, nil
	}
	if run.Baseline == "" && c.Baseline.Value != "" {
		run.Baseline = inFile(c.Baseline.Value)
	}
	if run.Baseline == "" {
		return run, nil
	}
	var err error
	run.Check.Exempt, err = run.Check.Exempt.WithBaseline(run.Baseline)
	return run, err
}

func either(given, configured []string) []string {
	if len(given) > 0 {
		return given
	}
	return configured
}
