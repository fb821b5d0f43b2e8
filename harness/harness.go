// Package harness checks that controllers never migrate: it renders apps the
// way Argo CD does, evaluates the policy against every rendered workload, and
// returns a report.
//
// Data flows one way: path → target → render → objects → evaluate → report.
package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/proompteng/nevermigrate/harness/bundle"
	"github.com/proompteng/nevermigrate/harness/constraint"
	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/bounded"
	"github.com/proompteng/nevermigrate/harness/manifest"
	"github.com/proompteng/nevermigrate/harness/render"
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
	// Stdin is what the path "-" reads. Nil: nothing.
	Stdin io.Reader
	// Shard is the part of the targets to judge; see Merge.
	Shard Shard
	// Progress is told, now and then, how many of the targets are judged. Its
	// calls do not overlap.
	Progress func(judged, targets int)
}

// evaluationTimeout bounds the evaluation of one target.
const evaluationTimeout = 2 * time.Minute

// Check judges one path: an app, a manifest file, or a folder below which every
// app is found. See CheckAll.
func Check(ctx context.Context, path string, options Options) (*report.Report, error) {
	return CheckAll(ctx, []string{path}, options)
}

// CheckAll judges paths and returns the report on all of them. An error means
// that nothing was judged: a path that does not exist or has no app, a
// constraint or a policy that cannot be used. What goes wrong with one target
// (it does not render, it is no YAML) stands in the report, as its Error.
func CheckAll(ctx context.Context, paths []string, options Options) (*report.Report, error) {
	targets, err := FindTargets(paths)
	if err != nil {
		return nil, err
	}
	return CheckTargets(ctx, targets, options)
}

// CheckTargets is CheckAll for targets that were found before. When there is
// none at all, the report says so with CNM007: nothing was judged.
func CheckTargets(ctx context.Context, targets []Target, options Options) (*report.Report, error) {
	mine := slices.DeleteFunc(slices.Clone(targets), func(t Target) bool { return !options.Shard.has(t) })
	// The policy is compiled while the first apps are rendered.
	evaluators := sync.OnceValues(func() ([]*evaluate.Evaluator, error) { return loadEvaluators(ctx, options) })
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
			judged[i], err = judge(ctx, target, evaluators, options)
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
		return r, nil
	}
	return report.New(judged, absentEverywhere(judged, all)...), nil
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
	if len(constraints) == 0 {
		evaluator, err := evaluate.New(ctx, policy, nil)
		return []*evaluate.Evaluator{evaluator}, err
	}
	var evaluators []*evaluate.Evaluator
	for i := range constraints {
		evaluator, err := evaluate.New(ctx, policy, &constraints[i])
		if err != nil {
			return nil, err
		}
		evaluators = append(evaluators, evaluator)
	}
	return evaluators, nil
}

// judge judges one target under every constraint. Its error is that of the
// evaluators: what goes wrong with the target stands in the report.
func judge(ctx context.Context, target Target, evaluators func() ([]*evaluate.Evaluator, error), options Options) (report.Target, error) {
	judged := report.Target{Path: target.Path}
	objects, manifests, err := target.objects(ctx, options)
	loaded, loadErr := evaluators()
	if loadErr != nil {
		return report.Target{}, loadErr
	}
	if err == nil {
		err = target.evaluate(ctx, &judged, objects, loaded, options)
	}
	if err == nil && !options.WithoutCauses {
		findCauses(ctx, &judged, target, manifests, loaded, options)
	}
	if err != nil {
		// Half a verdict would look like a whole one.
		judged.Error, judged.Workloads, judged.Findings = relativeMessage(err), nil, nil
	}
	return judged, nil
}

// evaluate judges the objects of a target under every constraint.
func (t Target) evaluate(ctx context.Context, judged *report.Target, objects []manifest.Object, evaluators []*evaluate.Evaluator, options Options) error {
	limits := options.limits("evaluation", evaluationTimeout)
	var doubtful []report.Finding
	for _, evaluator := range evaluators {
		result, err := bounded.Do(ctx, limits, func(ctx context.Context) (*evaluate.Result, error) {
			return evaluator.Evaluate(ctx, objects)
		})
		if err != nil {
			return err
		}
		judged.Workloads = append(judged.Workloads, result.Workloads...)
		judged.Findings = append(judged.Findings, result.Findings...)
		doubtful = append(doubtful, fallbackFindings(constraintOf(evaluator), result.Workloads)...)
	}
	if t.required && !options.AllowAbsent && !hasControllers(judged.Workloads) {
		judged.Findings = append(judged.Findings, absentFinding(constraintOf(evaluators[0]),
			"No controllers workload was rendered, so the check says nothing about controllers."))
	}
	judged.Findings = append(judged.Findings, doubtful...)
	return nil
}

// objects renders or reads a target. What was read it also returns as it was;
// an app's objects come without the detour through text.
func (t Target) objects(ctx context.Context, options Options) ([]manifest.Object, []byte, error) {
	if t.kind == app {
		rendered, err := render.Objects(ctx, t.Path, options.Render)
		if err != nil {
			return nil, nil, fmt.Errorf("render %s: %w", t.Path, err)
		}
		objects := make([]manifest.Object, len(rendered))
		for i, content := range rendered {
			objects[i] = manifest.Object{Document: i + 1, Content: content}
		}
		return objects, nil, nil
	}
	data, err := t.manifests(ctx, options)
	if err != nil {
		return nil, nil, err
	}
	objects, err := bounded.Do(ctx, options.limits("reading", options.Render.Timeout), func(context.Context) ([]manifest.Object, error) {
		return manifest.Read(data)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", t.describe(), err)
	}
	return objects, data, nil
}

// manifests returns the bytes that are judged.
func (t Target) manifests(ctx context.Context, options Options) ([]byte, error) {
	limit := options.Render.MaxBytes
	if limit == 0 {
		limit = render.DefaultMaxBytes
	}
	switch t.kind {
	case standardInput:
		if options.Stdin == nil {
			return nil, errors.New("read standard input: there is none")
		}
		data, err := readLimited(options.Stdin, limit)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return data, nil
	case manifestFile:
		return readFile(ctx, t.Path, limit, options)
	default:
		manifests, err := render.App(ctx, t.Path, options.Render)
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", t.Path, err)
		}
		return manifests, nil
	}
}

// readFile reads a manifest, which may be a pipe. Opening and reading one waits
// for somebody to write, which may never be.
func readFile(ctx context.Context, path string, limit int64, options Options) ([]byte, error) {
	data, err := bounded.Do(ctx, options.limits("reading", options.Render.Timeout), func(context.Context) ([]byte, error) {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return readLimited(file, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}

// limits are those on a piece of work; no time is the default for rendering.
func (o Options) limits(what string, time time.Duration) bounded.Limits {
	limits := bounded.Limits{What: what, Time: time, Memory: o.Render.MaxMemory}
	if limits.Time == 0 {
		limits.Time = render.DefaultTimeout
	}
	if limits.Memory == 0 {
		limits.Memory = render.DefaultMaxMemory
	}
	return limits
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
	targets, err := FindTargets([]string{path})
	if err != nil {
		return nil, err
	}
	if len(targets) != 1 || !targets[0].required && targets[0].kind == app {
		return nil, fmt.Errorf("render %s: it is a folder of apps: name one of the %d apps below it", path, len(targets))
	}
	manifests, err := targets[0].manifests(ctx, options)
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
