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

	"github.com/proompteng/nevermigrate/harness/internal/argocd"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/bounded"
	"github.com/proompteng/nevermigrate/harness/internal/bundle"
	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/internal/cause"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/exempt"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/internal/reads"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/shard"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/internal/version"
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
	// Release says for what release the chart that is named is templated.
	Release render.Release
	// Excluded says for a path that was found whether it is not to be judged, and
	// why. Nil: none.
	Excluded func(path string) (reason string, excluded bool)
	// WithoutCauses leaves out the search for the causes of findings.
	WithoutCauses bool
	// CausesOf is asked once, when all targets are judged, and says of each finding of
	// each whether to look for its causes. Nil: for those of each.
	CausesOf func([]report.Target) ([][]bool, error)
	// Verdicts keeps verdicts. Nil: each target is judged.
	Verdicts *Verdicts
	// WorkDir is the folder from which paths are seen in the tree that is judged. Empty:
	// the working directory.
	WorkDir string
	keeper  *keeper
	// Exempt lets findings pass. Nil: none.
	Exempt *exempt.Set
	// PathOf is the path by which Exempt knows a target. Nil: its own.
	PathOf func(string) string
	// ArgoCD says what is known of the Argo CD that deploys the repository; it is asked
	// when there is an Application. Nil: nothing is known, and what it deploys is not
	// judged.
	ArgoCD func() (*argocd.Instance, error)
	// Roots are files with Applications and ApplicationSets. What these lead to is
	// judged, and nothing else. Empty: everything is.
	Roots []string
	// deploys are made of them.
	deploys *deployments
	// Provenance is what the caller knows of it: the configuration and the commit.
	Provenance report.Provenance
	// Stdin is what the path "-" reads. Nil: nothing.
	Stdin io.Reader
	// Shard is the part of the targets to judge; see package shard.
	Shard shard.Shard
	// Jobs is how many targets are judged at the same time. Zero: one for each
	// processor, and one more.
	Jobs int
	// Trace is where to write how each object is judged. Nil: nowhere.
	Trace io.Writer
	// Progress is told, now and then, how many of the targets are judged. Its
	// calls do not overlap.
	Progress func(judged, targets int)
}

// evaluationTimeout bounds the evaluation of one target.
const evaluationTimeout = 2 * time.Minute

// All judges paths and returns the report on all of them, with its coverage. An
// error means that nothing was judged: a path that does not exist or has nothing to
// judge, a constraint or a policy that cannot be used. What goes wrong with one
// target (it does not render, it is no YAML) stands in the report, as its Error; so
// does one bad path among several.
func All(ctx context.Context, paths []string, options Options) (*report.Report, error) {
	return allBy(ctx, paths, options, func() ([]*evaluate.Evaluator, error) { return loadEvaluators(ctx, options) })
}

// allBy is All by the evaluators that a function loads.
func allBy(ctx context.Context, paths []string, options Options, load func() ([]*evaluate.Evaluator, error)) (*report.Report, error) {
	load = sync.OnceValues(load)
	// The policy takes longer than anything else that one app needs.
	var loading sync.WaitGroup
	loading.Go(func() { _, _ = load() })
	defer loading.Wait()
	found, err := look(ctx, paths, options)
	if err != nil {
		return nil, err
	}
	return coveredBy(ctx, found, options, load)
}

// Covered is All for what was found before. When there is no target at all, the
// report says so with CNM007: nothing was judged.
func Covered(ctx context.Context, found *find.Coverage, options Options) (*report.Report, error) {
	load := sync.OnceValues(func() ([]*evaluate.Evaluator, error) { return loadEvaluators(ctx, options) })
	return coveredBy(ctx, found, options, load)
}

func coveredBy(ctx context.Context, found *find.Coverage, options Options, load func() ([]*evaluate.Evaluator, error)) (*report.Report, error) {
	if err := requireChart(found.Targets, options.Release); err != nil {
		return nil, err
	}
	if options.Render.Schemas == nil {
		options.Render.Schemas = &render.Schemas{}
	}
	if options.Verdicts != nil { // they are known by what judges
		evaluators, err := load()
		if err != nil {
			return nil, err
		}
		if options.keeper, err = options.newKeeper(evaluators); err != nil {
			return nil, err
		}
	}
	found, deploys, err := options.deployments(ctx, found)
	if err != nil {
		return nil, err
	}
	defer deploys.close()
	r, delivered, err := targetsBy(ctx, found, deploys, options, load)
	if err != nil {
		return nil, err
	}
	evaluators, err := load()
	if err != nil {
		return nil, err
	}
	r.Cover(coverage(ctx, found, delivered, evaluators))
	if r.Provenance, err = provenance(evaluators, options); err != nil {
		return nil, err
	}
	options.keeper.finish(r)
	return r, nil
}

// provenance says what judges.
func provenance(evaluators []*evaluate.Evaluator, options Options) (*report.Provenance, error) {
	p := options.Provenance
	program := version.Program()
	p.Program, p.ProgramCommit, p.ProgramDate = program.Version, program.Commit, program.Date
	if options.Render.Charts != nil {
		if file, digest := options.Render.Charts.Used(); file != "" {
			p.Lock = &report.FileSource{File: file, SHA256: digest}
		}
	}
	p.Constraints = []report.ConstraintSource{}
	for _, evaluator := range evaluators {
		if c := evaluator.Constraint(); c != nil {
			p.Constraints = append(p.Constraints, report.ConstraintSource{
				Name: c.Name, FileSource: report.FileSource{File: find.DisplayPath(c.File), SHA256: c.SHA256},
			})
		}
	}
	var err error
	p.Policy, err = evaluators[0].Policy().Source()
	return &p, err
}

// targetsBy judges the targets of a coverage, without that, by the evaluators that a
// function loads. It adds those that no Application that is judged deploys, and returns
// what their objects make of something else.
func targetsBy(ctx context.Context, found *find.Coverage, deploys *deployments, options Options, load func() ([]*evaluate.Evaluator, error)) (*report.Report, []find.NotJudged, error) {
	// The policy is compiled while the first apps are rendered.
	evaluators := sync.OnceValues(load)
	rules := stated.New(ctx)
	if options.Trace != nil {
		options.Trace = &inTurn{w: options.Trace}
	}
	isMine := func(t find.Target) bool { return options.Shard.Has(t.Path) }
	mine := slices.DeleteFunc(slices.Clone(found.Targets), func(t find.Target) bool { return !isMine(t) })
	causesOf := options.CausesOf
	options.WithoutCauses = options.WithoutCauses || causesOf != nil
	judged, made, err := judgeAll(ctx, mine, evaluators, rules, options)
	if err != nil {
		return nil, nil, err
	}
	back := deploys.back(ctx, found, made, options)
	more, madeToo, err := judgeAll(ctx, back, evaluators, rules, options)
	if err != nil {
		return nil, nil, err
	}
	judged = append(judged, more...)
	delivered := deploys.unknown(append(made, madeToo...))
	deploys.tell(judged)
	loaded, err := evaluators()
	if err != nil {
		return nil, nil, err
	}
	if causesOf != nil {
		if err := causesLater(ctx, slices.Concat(mine, back), judged, causesOf, loaded, options); err != nil {
			return nil, nil, err
		}
	}
	all := whole(found.Targets, loaded, options)
	all.Mine = len(mine)
	found.Targets = append(slices.Clone(found.Targets), back...)
	if options.Shard.N > 0 {
		r := report.New(judged)
		r.Shard = &all
		options.Exempt.Finish(r, options.Shard.Has)
		return r, delivered, nil
	}
	absent, err := rules.AbsentFromRun(ctx, judged, all)
	if err != nil {
		return nil, nil, err
	}
	for _, late := range [][]report.Target{judged, absent} {
		for i := range late {
			options.exempt(&late[i])
		}
	}
	r := report.New(judged, absent...)
	options.Exempt.Finish(r, nil)
	return r, delivered, nil
}

// judgeAll judges targets, several at the same time. It also returns what their objects
// make of something else.
func judgeAll(ctx context.Context, mine []find.Target, evaluators func() ([]*evaluate.Evaluator, error), rules *stated.Rules, options Options) ([]report.Target, []find.NotJudged, error) {
	judged := make([]report.Target, len(mine))
	delivered := make([][]find.NotJudged, len(mine))
	var group errgroup.Group
	group.SetLimit(options.jobs())
	group.Go(func() error {
		_, err := evaluators()
		return err
	})
	var progress sync.Mutex
	done := 0
	for i, target := range mine {
		group.Go(func() error {
			var err error
			judged[i], delivered[i], err = judge(ctx, target, evaluators, rules, options)
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
		return nil, nil, err
	}
	// What could not be judged has no verdict.
	judged = slices.DeleteFunc(judged, func(t report.Target) bool { return t.Path == "" })
	return judged, slices.Concat(delivered...), nil
}

// jobs is how many targets are worked on at the same time.
func (o Options) jobs() int { return cmp.Or(o.Jobs, runtime.GOMAXPROCS(0)+1) }

// exempt lets findings of a target pass.
func (o Options) exempt(target *report.Target) { o.Exempt.Apply(target, o.pathOf(target.Path)) }

// pathOf is a path as the configuration names it.
func (o Options) pathOf(path string) string {
	if o.PathOf != nil {
		return o.PathOf(path)
	}
	return path
}

func loadEvaluators(ctx context.Context, options Options) ([]*evaluate.Evaluator, error) {
	if options.Verdicts != nil {
		return options.Verdicts.evaluators(options, func() ([]*evaluate.Evaluator, error) { return newEvaluators(ctx, options) })
	}
	return newEvaluators(ctx, options)
}

func newEvaluators(ctx context.Context, options Options) ([]*evaluate.Evaluator, error) {
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

// judge judges one target under every constraint, and returns what its objects make
// of something else. The target is empty when nobody can know what it is. Its error is that of the evaluators: what goes wrong with the
// target stands in the report.
func judge(ctx context.Context, target find.Target, evaluators func() ([]*evaluate.Evaluator, error), rules *stated.Rules, options Options) (report.Target, []find.NotJudged, error) {
	judged := report.Target{Path: target.Path}
	if application, ok := target.By.(*argocd.Application); ok {
		judged.Chain = chainOf(application)
	}
	if known, ok := options.keeper.again(target, judged, options); ok {
		return known, nil, nil
	}
	what, err := contentOf(ctx, target, options)
	options = options.by(what.log)
	loaded, loadErr := evaluators()
	if loadErr != nil {
		return report.Target{}, nil, loadErr
	}
	isEmpty := errors.Is(err, render.ErrNothingRendered)
	if isEmpty {
		judged.Note, err = "nothing was rendered, so nothing is applied", nil
		options.WithoutCauses = true // what is not there has none
	}
	delivered := find.Delivered(target.Path, what.objects)
	var before report.Target
	if err == nil {
		var exempted map[string][]string
		if exempted, err = evaluateAll(ctx, &judged, what.objects, loaded, options); err == nil {
			if options.deploys != nil && slices.ContainsFunc(delivered, isArgoCD) {
				target.Required = false // an app of apps
			}
			err = addStated(ctx, target, &judged, exempted, loaded, rules, options)
			if err == nil && target.Kind == find.Application {
				err = addLive(ctx, target, &judged, append(slices.Clone(options.deploys.live[target.Path]), what.live...), loaded, rules)
			}
			before = judged
			options.exempt(&judged)
		}
	}
	searched := options.wanted(judged, isEmpty)
	before.Findings = slices.Clone(before.Findings)
	if err == nil && slices.Contains(searched, true) {
		search, done := newSearcher(target, what, judged.Workloads, loaded, options)
		findCauses(ctx, &judged, searched, loaded, search)
		done()
	}
	if err != nil && isRefused(err) {
		return report.Target{}, []find.NotJudged{notRendered(target, err)}, nil
	}
	if err != nil && isOptional(target) {
		// It is there for others to use, or it lacks the values that it needs. When
		// nothing in it can be bound, that is no reason to decide nothing.
		alone := find.NotJudged{Path: target.Path, Kind: target.Kind, Reason: relativeMessage(err), Files: filesOf(target)}
		if !newSight(ctx, loaded).mayBind(alone) {
			judged.Note, judged.Workloads, judged.Findings, judged.Exempted = "it does not render by itself", nil, nil, nil
			return judged, []find.NotJudged{alone}, nil
		}
	}
	if err != nil {
		// Half a verdict would look like a whole one.
		judged.Error, judged.Workloads, judged.Findings, judged.Exempted = relativeMessage(err), nil, nil, nil
		return judged, nil, nil
	}
	if what.note != "" {
		judged.Note = what.note
	}
	if options.deploys == nil && len(delivered) > 0 && len(judged.Workloads)+len(judged.Findings)+len(judged.Exempted) == 0 {
		judged.Note = "no workload is bound here, and " + plaintext.Count(len(delivered), "object") + " of it make others that are not judged"
	}
	if len(delivered) == 0 {
		options.keeper.keep(target, before, judged, searched, isEmpty, options)
	}
	return judged, delivered, nil
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
		if options.Trace != nil {
			if err := trace(ctx, evaluator, judged.Path, objects, options); err != nil {
				return nil, err
			}
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
	if t.IsKustomization() {
		return addTwice(ctx, t.Path, judged, evaluators, rules, options)
	}
	return nil
}

// addLive adds what the rule finds in an Application that leaves something as it is in
// the cluster, for each constraint that binds controllers of it.
func addLive(ctx context.Context, t find.Target, judged *report.Target, places []live, evaluators []*evaluate.Evaluator, rules *stated.Rules) error {
	for _, evaluator := range evaluators {
		c := constraintOf(evaluator)
		if !stated.Binds(c, judged.Workloads) {
			continue
		}
		for _, l := range places {
			finding, err := rules.Live(ctx, c, t.By.(*argocd.Application).Name, l.what, l.place)
			if err != nil {
				return err
			}
			judged.Findings = append(judged.Findings, finding)
		}
	}
	return nil
}

// addTwice adds what the rule finds that looks into an app's files.
func addTwice(ctx context.Context, dir string, judged *report.Target, evaluators []*evaluate.Evaluator, rules *stated.Rules, options Options) error {
	for _, evaluator := range evaluators {
		variable, _ := evaluator.Variable()
		maps, err := bounded.Do(ctx, options.limits("reading", options.Render.Timeout), func(context.Context) ([][]report.Cause, error) {
			return cause.Twice(dir, variable, options.Render)
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

// content is what a target holds.
type content struct {
	objects []manifest.Object
	// note is what else is to be known of it.
	note string
	// live are the places by which what runs may differ from the objects.
	live []live
	// sources are those of an Application.
	sources []source.Source
	// files are the texts that were read; none for an app, whose objects come without
	// the detour through text.
	files []file
	// log has what was read for it; nil: nothing does.
	log *reads.Log
}

// file is a text with the objects in it.
type file struct {
	path    string
	text    []byte
	objects []manifest.Object
}

// contentOf renders or reads a target, unless that was done to look for Applications.
func contentOf(ctx context.Context, t find.Target, options Options) (content, error) {
	if options.deploys != nil {
		if known, ok := options.deploys.looked[t.Path]; ok {
			return known.content, known.err
		}
	}
	options = options.watched(t)
	what, err := made(ctx, t, options)
	what.log = options.Render.Reads
	return what, err
}

// made renders or reads a target.
func made(ctx context.Context, t find.Target, options Options) (content, error) {
	switch t.Kind {
	case find.Missing:
		return content{}, fmt.Errorf("read %s: %w", t, t.Err)
	case find.App, find.Component:
		rendered, err := render.Objects(ctx, t.Path, options.Render)
		if err != nil {
			return content{}, fmt.Errorf("render %s: %w", t.Path, located(ctx, t.Path, err, options))
		}
		return content{objects: manifest.Rendered(rendered)}, nil
	case find.Application:
		return applicationOf(ctx, t, options)
	case find.Manifests:
		var all content
		for _, path := range t.Files {
			one, err := readFile(ctx, find.Target{Path: path, Kind: find.Manifest}, options)
			if err != nil {
				return content{}, err
			}
			all.files = append(all.files, one)
			all.objects = append(all.objects, one.objects...)
		}
		all.objects = manifest.WithBeside(all.objects)
		return all, nil
	default:
		one, err := readFile(ctx, t, options)
		if err != nil {
			return content{}, err
		}
		return content{objects: manifest.WithBeside(one.objects), files: []file{one}}, nil
	}
}

// readFile reads a manifest or standard input, or templates a chart into one.
func readFile(ctx context.Context, t find.Target, options Options) (file, error) {
	text, err := textOf(ctx, t, options)
	if err != nil {
		return file{}, err
	}
	objects, err := bounded.Do(ctx, options.limits("reading", options.Render.Timeout), func(context.Context) ([]manifest.Object, error) {
		return manifest.Read(text)
	})
	if err != nil {
		return file{}, fmt.Errorf("read %s: %w", t, err)
	}
	return file{find.DisplayPath(t.Path), text, objects}, nil
}

// textOf is the text of a target that is no app.
func textOf(ctx context.Context, t find.Target, options Options) ([]byte, error) {
	if t.Kind == find.Chart {
		text, err := render.Template(ctx, t.Path, releaseOf(t, options), options.Render)
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", t.Path, err)
		}
		return text, nil
	}
	text, err := read(ctx, t, options)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t, err)
	}
	return text, nil
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
	var chart *render.ChartError
	if errors.As(err, &chart) {
		return err
	}
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
		file, err := options.Render.Reads.Open(t.Path)
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
	isHere := func(t find.Target) bool { return t.Path == find.DisplayPath(path) }
	i := slices.IndexFunc(targets, isHere)
	if i < 0 {
		return nil, fmt.Errorf("render %s: it is a folder of apps: name one of the %d apps below it", path, len(targets))
	}
	var manifests []byte
	switch target := targets[i]; target.Kind {
	case find.App, find.Component:
		if manifests, err = render.App(ctx, target.Path, options.Render); err != nil {
			err = fmt.Errorf("render %s: %w", target.Path, located(ctx, target.Path, err, options))
		}
	case find.Manifests:
		for _, path := range target.Files {
			var text []byte
			if text, err = textOf(ctx, find.Target{Path: path, Kind: find.Manifest}, options); err != nil {
				break
			}
			manifests = append(manifests, "---\n"+strings.TrimRight(string(text), "\n")+"\n"...)
		}
	default:
		manifests, err = textOf(ctx, target, options)
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
