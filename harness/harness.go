// Package harness checks that controllers never migrate, from any program: it
// renders apps the way Argo CD does, evaluates the policy against every rendered
// workload, and returns a report, which Write writes in any format.
//
// To assert the contract in a test, see package contract. What a report holds is
// package report's to say.
package harness

import (
	"context"
	"io"
	"time"

	"github.com/proompteng/nevermigrate/harness/internal/bundle"
	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/config"
	"github.com/proompteng/nevermigrate/harness/internal/configured"
	"github.com/proompteng/nevermigrate/harness/internal/output"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/shard"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Options say how to check. The zero value is ready to use.
type Options struct {
	// Config is a file with a configuration, whose constraints, versions, exemptions
	// and baseline are taken where the options have none. Empty: none is read.
	Config string
	// Constraints are files with constraints; each constraint is evaluated.
	// Empty: the policy's defaults.
	Constraints []string
	// AllowAbsent accepts that there is no controllers workload.
	AllowAbsent bool
	// WithoutCauses leaves out the search for the causes of findings, which
	// takes longer than the check itself.
	WithoutCauses bool
	// Stdin is what the path "-" reads. Nil: nothing.
	Stdin io.Reader

	// Policy is a folder or an OPA bundle with a policy to use in place of the
	// built-in one.
	Policy string
	// VerificationKey is the file with the key by which the bundle must be
	// signed, as `opa run` takes it. Empty: a bundle that is signed is refused.
	VerificationKey string
	// SigningAlgorithm is the algorithm of that signature. Empty: RS256.
	SigningAlgorithm string

	// KubeVersion is the version of Kubernetes that charts see. Empty: 1.35.0.
	KubeVersion string
	// APIVersions are what charts see in .Capabilities.APIVersions besides
	// Helm's own.
	APIVersions []string
	// ChartCache is the folder into which `nevermigrate vendor` downloaded the charts of
	// the lock, nevermigrate.lock at the top of the work tree that the working directory
	// is in. Empty: the default of that command. The network is not used.
	ChartCache string
	// HelmCommand is a helm to run in place of the embedded one. Empty: no
	// command is run.
	HelmCommand string
	// Timeout bounds the rendering of one app. Zero: two minutes.
	Timeout time.Duration
	// MaxBytes bounds each file that is read and what is rendered, in bytes.
	// Zero: 64 MiB.
	MaxBytes int64

	// Shard judges the K-th of N parts of the targets only; see Merge. The zero
	// value is all of them.
	Shard Shard
	// Progress is told, now and then, how many of the targets are judged. Its
	// calls do not overlap.
	Progress func(judged, targets int)
}

// Shard is the K-th of N parts, with K from 1 to N.
type Shard struct{ K, N int }

// Check judges one path: an app, a manifest file (.yaml, .yml, .json), "-" for
// Options.Stdin, or a folder below which every app is found. See CheckAll.
func Check(ctx context.Context, path string, options Options) (*report.Report, error) {
	return CheckAll(ctx, []string{path}, options)
}

// CheckAll judges paths and returns the report on all of them. An error means
// that nothing was judged: a path that does not exist or has no app, a
// constraint or a policy that cannot be used. What goes wrong with one target
// (it does not render, it is no YAML) stands in the report, as its Error.
func CheckAll(ctx context.Context, paths []string, options Options) (*report.Report, error) {
	judging, done, err := options.configured(paths)
	if err != nil {
		return nil, err
	}
	defer done()
	return check.All(ctx, paths, judging)
}

// Explain tells what decides the mode of each container of the workloads that
// the contract binds or that declare the variable. Its error is CheckAll's.
func Explain(ctx context.Context, paths []string, options Options) (*report.Explanation, error) {
	judging, done, err := options.configured(paths)
	if err != nil {
		return nil, err
	}
	defer done()
	return check.Explain(ctx, paths, judging)
}

// Render returns the manifests of one path, the bytes that Check judges: for an
// app those of `kustomize build --enable-helm`. The path must be an app, a
// manifest file or "-". It is an error when it does not render or cannot be read.
func Render(ctx context.Context, path string, options Options) ([]byte, error) {
	judging, done, err := options.configured([]string{path})
	if err != nil {
		return nil, err
	}
	defer done()
	return check.Render(ctx, path, judging)
}

// Merge joins the reports of all shards of one run into its verdict: targets in
// the order of their paths, counts and CNM007 over the whole. It is an error
// when a shard is missing, is there twice, or is of another run.
func Merge(ctx context.Context, reports []*report.Report) (*report.Report, error) {
	return shard.Merge(ctx, reports)
}

// WriteOptions say how a report is written. The zero value is ready to use.
type WriteOptions struct {
	// Color paints the table for a terminal.
	Color bool
	// FailOnWarn says that the verdict counts warnings; see Report.ExitStatus.
	FailOnWarn bool
	// Version is the version of the program that made the report.
	Version string
	// Check says how the report was made: SARIF and HTML describe the rules of its
	// policy.
	Check Options
}

// Formats lists the formats of a report, the one for people first: table, json,
// sarif, junit and others.
func Formats() []report.Format { return output.Formats() }

// Write writes a report in one of the Formats. In every format, characters that
// cannot be seen are written as escapes, and so is what the reader of the format
// would take for more than text: names come from files that nobody has reviewed
// yet.
func Write(ctx context.Context, w io.Writer, r *report.Report, format report.Format, options WriteOptions) error {
	return output.Write(w, r, format, output.Options{
		Color: options.Color, FailOnWarn: options.FailOnWarn, Version: options.Version,
		Rules: func() ([]catalogue.Rule, error) { return check.Rules(ctx, options.Check.internal()) },
	})
}

// WriteExplanation writes an explanation for people.
func WriteExplanation(w io.Writer, e *report.Explanation) error { return output.WriteExplanation(w, e) }

// configured are the options with what the configuration says where they say
// nothing, and what is to be called in the end.
func (o Options) configured(paths []string) (judging check.Options, done func(), err error) {
	c, err := config.None()
	if o.Config != "" {
		c, err = config.Load(o.Config, time.Now())
	}
	if err != nil {
		return check.Options{}, nil, err
	}
	run, err := configured.Join(o.internal(), configured.Given{
		Paths: paths, Constraints: o.Constraints, KubeVersion: o.KubeVersion, APIVersions: o.APIVersions, Cache: o.ChartCache,
	}, c, nil)
	return run.Check, run.Close, err
}

func (o Options) internal() check.Options {
	return check.Options{
		Constraints: o.Constraints, AllowAbsent: o.AllowAbsent, WithoutCauses: o.WithoutCauses, Stdin: o.Stdin,
		Policy:       o.Policy,
		Verification: bundle.Verification{KeyFile: o.VerificationKey, Algorithm: o.SigningAlgorithm},
		Render: render.Options{
			KubeVersion: o.KubeVersion, APIVersions: o.APIVersions, HelmCommand: o.HelmCommand,
			Timeout: o.Timeout, MaxBytes: o.MaxBytes,
		},
		Shard: shard.Shard(o.Shard), Progress: o.Progress,
	}
}
