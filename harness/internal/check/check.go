// Package check takes a run from its paths to its report: targets are found,
// rendered or read, judged by the policy, and the causes of what is wrong are
// looked for.
package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/proompteng/nevermigrate/harness/internal/bounded"
	"github.com/proompteng/nevermigrate/harness/internal/bundle"
	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/internal/cause"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/exempt"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/shard"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Options say how to check. The zero value is ready to use.
type Options struct {
	// Constraints are files with constraints; each constraint is evaluated.
	// Empty: the policy's defaults.
	Constraints []string
	// Policy is a folder or an OPA bundle with a policy to use in place of the
	// built-in one.
	Policy string
	// Verification is the key that must have signed the bundle. Zero: a bundle
	// that is signed is refused.
	Verification bundle.Verification
	// AllowAbsent accepts that there is no controllers workload.
	AllowAbsent bool
	// Render says how apps are rendered.
	Render render.Options
	// WithoutCauses leaves out the search for the causes of findings.
	WithoutCauses bool
	// CausesOf says for each finding of a target whether to look for its causes.
	// Nil: for those of each. Its calls may overlap.
	CausesOf func(report.Target) []bool
	// Exempt lets findings pass. Nil: none.
	Exempt *exempt.Set
	// PathOf is the path by which Exempt knows a target. Nil: its own.
	PathOf func(string) string
	// Stdin is what the path "-" reads. Nil: nothing.
	Stdin io.Reader
	// Shard is the part of the targets to judge; see package shard.
	Shard shard.Shard
	// Progress is told, now and then, how many of the targets are judged. Its
	// calls do not overlap.
	Progress func(judged, targets int)
}

// evaluationTimeout bounds the evaluation of one target.
const evaluationTimeout = 2 * time.Minute

// All judges paths and returns the report on all of them. An error means
// that nothing was judged: a path that does not exist or has no app, a
// constraint or a policy that cannot be used. What goes wrong with one target
// (it does not render, it is no YAML) stands in the report, as its Error.
func All(ctx context.Context, paths []string, options Options) (*report.Report, error) {
	targets, err := find.Targets(paths)
	if err != nil {
		return nil, err
	}
	return Targets(ctx, targets, options)
}

// Targets is All for targets that were found before. When there is
// none at all, the report says so with CNM007: nothing was judged.
func Targets(ctx context.Context, targets []find.Target, options Options) (*report.Report, error) {
	return targetsBy(ctx, targets, options, func() ([]*evaluate.Evaluator, error) { return loadEvaluators(ctx, options) })
}

// targetsBy is Targets by the evaluators that a function loads.
func targetsBy(ctx context.Context, targets []find.Target, options Options, load func() ([]*evaluate.Evaluator, error)) (*report.Report, error) {
	mine := slices.DeleteFunc(slices.Clone(targets), func(t find.Target) bool { return !options.Shard.Has(t.Path) })
	// The policy is compiled while the first apps are rendered.
	evaluators := sync.OnceValues(load)
	rules := stated.New(ctx)
	judged := make([]report.Target, len(mine))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0) + 1)
	group.Go(func() error {
		_, err := evaluators()
		return err
	})
	var progress sync.Mutex
	done := 0
	for i, target := range mine {
		group.Go(func() error {
			var err error
			judged[i], err = judge(ctx, target, evaluators, rules, options)
			if options.Progress != nil {
				progress.Lock()
				defer progress.Unlock()
				done++
				options.Progress(done, len(mine))
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	loaded, err := evaluators()
	if err != nil {
		return nil, err
	}
	all := whole(targets, loaded, options)
	if options.Shard.N > 0 {
		r := report.New(judged)
		r.Shard = &all
		options.Exempt.Finish(r, options.Shard.Has)
		return r, nil
	}
	absent, err := rules.AbsentFromRun(ctx, judged, all)
	if err != nil {
		return nil, err
	}
	for _, late := range [][]report.Target{judged, absent} {
		for i := range late {
			options.exempt(&late[i])
		}
	}
	r := report.New(judged, absent...)
	options.Exempt.Finish(r, nil)
	return r, nil
}

// exempt lets findings of a target pass.
func (o Options) exempt(target *report.Target) {
	path := target.Path
	if o.PathOf != nil {
		path = o.PathOf(path)
	}
	o.Exempt.Apply(target, path)
}

func loadEvaluators(ctx context.Context, options Options) ([]*evaluate.Evaluator, error) {
	constraints, err := constraint.Load(options.Constraints)
	if err != nil {
		return nil, err
	}
	policy, err := evaluate.LoadPolicy(options.Policy, options.Verification)
	if err != nil {
		return nil, err
	}
	var evaluators []*evaluate.Evaluator
	for _, c := range constraint.OrDefaults(constraints) {
		evaluator, err := evaluate.New(ctx, policy, c)
		if err != nil {
			return nil, err
		}
		evaluators = append(evaluators, evaluator)
	}
	return evaluators, nil
}

// Rules are what the policy of the options knows of each code.
func Rules(ctx context.Context, options Options) ([]catalogue.Rule, error) {
	policy, err := evaluate.LoadPolicy(options.Policy, options.Verification)
	if err != nil {
		return nil, err
	}
	known, err := catalogue.Load(ctx, policy.Rules())
	if err != nil {
		return nil, err
	}
	return known.Rules(ctx)
}

// judge judges one target under every constraint. Its error is that of the
// evaluators: what goes wrong with the target stands in the report.
func judge(ctx context.Context, target find.Target, evaluators func() ([]*evaluate.Evaluator, error), rules *stated.Rules, options Options) (report.Target, error) {
	judged := report.Target{Path: target.Path}
	objects, manifests, err := objectsOf(ctx, target, options)
	loaded, loadErr := evaluators()
	if loadErr != nil {
		return report.Target{}, loadErr
	}
	if err == nil {
		var exempted map[string][]string
		if exempted, err = evaluateAll(ctx, &judged, objects, loaded, options); err == nil {
			err = addStated(ctx, target, &judged, exempted, loaded, rules, options)
			options.exempt(&judged)
		}
	}
	if err == nil && !options.WithoutCauses {
		findCauses(ctx, &judged, loaded, options, func() searcher { return newSearcher(target, objects, manifests, loaded, options) })
	}
	if err != nil {
		// Half a verdict would look like a whole one.
		judged.Error, judged.Workloads, judged.Findings, judged.Exempted = relativeMessage(err), nil, nil, nil
	}
	return judged, nil
}

// evaluateAll evaluates the objects of a target under every constraint. It returns
// the workloads that a constraint, by its name, exempts by their images.
func evaluateAll(ctx context.Context, judged *report.Target, objects []manifest.Object, evaluators []*evaluate.Evaluator, options Options) (map[string][]string, error) {
	exempted := map[string][]string{}
	limits := options.limits("evaluation", evaluationTimeout)
	for _, evaluator := range evaluators {
		result, err := bounded.Do(ctx, limits, func(ctx context.Context) (*evaluate.Result, error) {
			return evaluator.Evaluate(ctx, objects)
		})
		if err != nil {
			return nil, err
		}
		judged.Workloads = append(judged.Workloads, result.Workloads...)
		judged.Findings = append(judged.Findings, result.Findings...)
		exempted[evaluator.ConstraintName()] = result.Exempted
	}
	return exempted, nil
}

// addStated adds what the rules find that judge a whole target.
func addStated(ctx context.Context, t find.Target, judged *report.Target, exempted map[string][]string, evaluators []*evaluate.Evaluator, rules *stated.Rules, options Options) error {
	vacuous := false
	for _, evaluator := range evaluators {
		all, err := rules.AllExempt(ctx, constraintOf(evaluator), judged.Workloads, exempted[evaluator.ConstraintName()])
		if err != nil {
			return err
		}
		vacuous = vacuous || len(all) > 0
		judged.Findings = append(judged.Findings, all...)
	}
	if t.Required && !options.AllowAbsent && !vacuous && !stated.HasControllers(judged.Workloads) {
		absent, err := rules.AbsentFromTarget(ctx, constraintOf(evaluators[0]))
		if err != nil {
			return err
		}
		judged.Findings = append(judged.Findings, absent)
	}
	for _, evaluator := range evaluators {
		nobody, err := rules.Fallback(ctx, constraintOf(evaluator), judged.Workloads)
		if err != nil {
			return err
		}
		judged.Findings = append(judged.Findings, nobody...)
	}
	if t.Kind == find.App {
		return addTwice(ctx, t.Path, judged, evaluators, rules, options)
	}
	return nil
}

// addTwice adds what the rule finds that looks into an app's files.
func addTwice(ctx context.Context, dir string, judged *report.Target, evaluators []*evaluate.Evaluator, rules *stated.Rules, options Options) error {
	for _, evaluator := range evaluators {
		variable, _ := evaluator.Variable()
		maps, err := bounded.Do(ctx, options.limits("reading", options.Render.Timeout), func(context.Context) ([][]report.Cause, error) {
			return cause.Twice(dir, variable, options.Render.MaxBytes)
		})
		if err != nil {
			return fmt.Errorf("read %s: %w", dir, err)
		}
		twice, err := rules.Twice(ctx, constraintOf(evaluator), variable, maps)
		if err != nil {
			return err
		}
		judged.Findings = append(judged.Findings, twice...)
	}
	return nil
}

// objectsOf renders or reads a target. What was read it also returns as it was;
// an app's objects come without the detour through text.
func objectsOf(ctx context.Context, t find.Target, options Options) ([]manifest.Object, []byte, error) {
	if t.Kind == find.App {
		rendered, err := render.Objects(ctx, t.Path, options.Render)
		if err != nil {
			return nil, nil, fmt.Errorf("render %s: %w", t.Path, located(ctx, t.Path, err, options))
		}
		return manifest.Rendered(rendered), nil, nil
	}
	data, err := read(ctx, t, options)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", t, err)
	}
	objects, err := bounded.Do(ctx, options.limits("reading", options.Render.Timeout), func(context.Context) ([]manifest.Object, error) {
		return manifest.Read(data)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", t, err)
	}
	return manifest.WithBeside(objects), data, nil
}

var (
	// readingPattern is how kustomize and Helm say that they cannot read a file.
	// Of some files they do not say the name, of others not the line.
	readingPattern = regexp.MustCompile(`(?i)yaml|json|unable to parse|wrong node kind|missing Resource metadata`)
	twicePattern   = regexp.MustCompile(`mapping key ".*" already defined at line`)
	// quotedPattern is an object that kustomize quotes in its error. It may hold
	// values which are nobody's business.
	quotedPattern = regexp.MustCompile(`(?s) for the following resource:\n.*|: node contents:\n.*`)
)

// located is an error of rendering an app; where a file cannot be read, with the
// file and the line.
func located(ctx context.Context, dir string, err error, options Options) error {
	message := quotedPattern.ReplaceAllString(err.Error(), "")
	if readingPattern.MatchString(message) {
		fault, boundErr := bounded.Do(ctx, options.limits("reading", options.Render.Timeout), func(context.Context) (error, error) {
			return cause.Fault(dir, twicePattern.MatchString(message), options.Render.MaxBytes), nil
		})
		if boundErr == nil && fault != nil {
			return fault
		}
	}
	if message != err.Error() {
		return errors.New(message)
	}
	return err
}

// read reads standard input or a manifest. A manifest may be a pipe: opening and
// reading one waits for somebody to write, which may never be.
func read(ctx context.Context, t find.Target, options Options) ([]byte, error) {
	limit := cmp.Or(options.Render.MaxBytes, render.DefaultMaxBytes)
	if t.Kind == find.StandardInput {
		if options.Stdin == nil {
			return nil, errors.New("there is none")
		}
		return readLimited(options.Stdin, limit)
	}
	return bounded.Do(ctx, options.limits("reading", options.Render.Timeout), func(context.Context) ([]byte, error) {
		file, err := os.Open(t.Path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return readLimited(file, limit)
	})
}

// limits are those on a piece of work; no time is the default for rendering.
func (o Options) limits(what string, time time.Duration) bounded.Limits {
	return bounded.Limits{
		What: what, Time: cmp.Or(time, render.DefaultTimeout), Memory: cmp.Or(o.Render.MaxMemory, render.DefaultMaxMemory),
	}
}

func readLimited(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("it is larger than the limit of %d bytes: split it, or leave out what is no workload", limit)
	}
	return data, nil
}

// Render returns the manifests of one path, the bytes that Check judges. The
// path must be an app, a manifest file or "-".
func Render(ctx context.Context, path string, options Options) ([]byte, error) {
	targets, err := find.Targets([]string{path})
	if err != nil {
		return nil, err
	}
	if len(targets) != 1 || !targets[0].Required && targets[0].Kind == find.App {
		return nil, fmt.Errorf("render %s: it is a folder of apps: name one of the %d apps below it", path, len(targets))
	}
	var manifests []byte
	if target := targets[0]; target.Kind == find.App {
		if manifests, err = render.App(ctx, target.Path, options.Render); err != nil {
			err = fmt.Errorf("render %s: %w", target.Path, located(ctx, target.Path, err, options))
		}
	} else if manifests, err = read(ctx, target, options); err != nil {
		err = fmt.Errorf("read %s: %w", target, err)
	}
	if err != nil {
		return nil, errors.New(relativeMessage(err))
	}
	return manifests, nil
}

// relativeMessage is an error's message with paths relative to the working
// directory: kustomize and Helm know absolute ones only.
func relativeMessage(err error) string {
	message := shortened(strings.TrimSpace(err.Error()))
	dir, dirErr := os.Getwd()
	if dirErr != nil {
		return message
	}
	dirs := []string{dir}
	if real, err := filepath.EvalSymlinks(dir); err == nil && real != dir {
		dirs = append(dirs, real)
	}
	for _, dir := range dirs {
		message = strings.ReplaceAll(message, dir+string(filepath.Separator), "")
	}
	return message
}

// longestMessage bounds the message on a target: templates that call each other
// without end say so once for each call.
const longestMessage = 4096

// shortened is a message without its middle when it is too long: its beginning
// says where something went wrong, and its end what.
func shortened(message string) string {
	if len(message) <= longestMessage {
		return message
	}
	const half = longestMessage / 2
	left := strings.ToValidUTF8(message[:half], "")
	right := strings.ToValidUTF8(message[len(message)-half:], "")
	return fmt.Sprintf("%s … (%d bytes are left out) … %s", left, len(message)-len(left)-len(right), right)
}

// whole says what is judged over all targets together.
func whole(targets []find.Target, evaluators []*evaluate.Evaluator, options Options) report.Shard {
	shard := report.Shard{
		Index: options.Shard.K, Count: options.Shard.N, Targets: len(targets),
		AllowAbsent: options.AllowAbsent, Arguments: []string{}, Exempting: options.Exempt.Exempting(),
	}
	for _, target := range targets {
		argument := find.DisplayPath(target.Argument)
		if !target.Required && !slices.Contains(shard.Arguments, argument) {
			shard.Arguments = append(shard.Arguments, argument)
		}
	}
	for _, evaluator := range evaluators {
		shard.Constraints = append(shard.Constraints, constraintOf(evaluator))
	}
	return shard
}

func constraintOf(evaluator *evaluate.Evaluator) report.ShardConstraint {
	c := report.ShardConstraint{Name: evaluator.ConstraintName(), Enforcement: evaluator.EnforcementAction()}
	if evaluator.Constraint() != nil {
		c.File = find.DisplayPath(evaluator.Constraint().File)
	}
	return c
}
