package check

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/bounded"
	"github.com/proompteng/nevermigrate/harness/internal/decider"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// look finds what is there, within limits.
func look(ctx context.Context, paths []string, options Options) (*find.Coverage, error) {
	return bounded.Do(ctx, options.limits("looking for what is to be judged", 0), func(context.Context) (*find.Coverage, error) {
		return find.Cover(paths, options.Excluded)
	})
}

// List returns the coverage of paths and judges nothing. Its error is that of All.
func List(ctx context.Context, paths []string, options Options) (*report.Coverage, error) {
	evaluators, err := loadEvaluators(ctx, options)
	if err != nil {
		return nil, err
	}
	found, deploys, err := options.found(ctx, paths)
	if err != nil {
		return nil, err
	}
	defer deploys.close()
	refused, err := deploys.refused(ctx, found.Targets, options)
	if err != nil {
		return nil, err
	}
	found.Targets = append(found.Targets, deploys.back(ctx, found, refused, options)...)
	return coverage(ctx, found, refused, evaluators), nil
}

// coverage is what a report says of what was there. It takes what the objects of
// the targets make of something else.
func coverage(ctx context.Context, found *find.Coverage, delivered []find.NotJudged, evaluators []*evaluate.Evaluator) *report.Coverage {
	c := &report.Coverage{Judged: []report.Judged{}, NotJudged: []report.NotJudged{}, Read: []report.Reading{}}
	seen := newSight(ctx, evaluators)
	for _, target := range found.Targets {
		isThis := func(n find.NotJudged) bool { return n.Path == target.Path && n.Kind == target.Kind }
		if slices.ContainsFunc(delivered, isThis) {
			continue // it could not be
		}
		c.Judged = append(c.Judged, report.Judged{Path: target.Path, Kind: string(target.Kind), Below: belowOf(target)})
	}
	for _, n := range found.NotJudged {
		c.NotJudged = append(c.NotJudged, report.NotJudged{Path: n.Path, Kind: string(n.Kind), Reason: relativeMessage(errors.New(n.Reason)), MayBind: seen.mayBind(n)})
	}
	for _, n := range delivered {
		one := report.NotJudged{Path: n.Path, Kind: string(n.Kind), Reason: n.Reason, MayBind: seen.mayBind(n)}
		// What is written in a file is said of the file.
		isKnown := func(o report.NotJudged) bool {
			return o.Kind == one.Kind && o.Reason == one.Reason && (o.MayBind || !one.MayBind)
		}
		if !slices.ContainsFunc(c.NotJudged, isKnown) {
			c.NotJudged = append(c.NotJudged, one)
		}
	}
	for _, e := range found.Excluded {
		c.NotJudged = append(c.NotJudged, report.NotJudged{Path: e.Path, Kind: string(e.Kind), Reason: "excluded", Excluded: e.Reason})
	}
	slices.SortStableFunc(c.NotJudged, func(a, b report.NotJudged) int { return strings.Compare(a.Path, b.Path) })
	for _, r := range found.Read {
		c.Read = append(c.Read, report.Reading{Path: r.Path, Kind: string(r.Kind), By: r.By})
	}
	return c
}

// isOptional reports whether a target need not render by itself: a component or a
// chart that was found and not named.
func isOptional(t find.Target) bool {
	return (t.Kind == find.Component || t.Kind == find.Chart) && belowOf(t) != ""
}

// filesOf are the files of such a target.
func filesOf(t find.Target) []string {
	if t.Kind == find.Chart {
		return find.FilesBelow(t.Path)
	}
	return find.FilesReadBy(t.Path)
}

// belowOf is the folder below which a target was found; empty when it was named.
func belowOf(t find.Target) string {
	if argument := find.DisplayPath(t.Argument); argument != t.Path {
		return argument
	}
	return ""
}

// sight is what to look for in texts that nobody judges: what a constraint binds.
type sight struct {
	variables []string
	names     []*regexp.Regexp
	// blind says that nobody knows what to look for.
	blind bool
}

// newSight asks the evaluators for the migrations variable and the patterns of
// controllers.
func newSight(ctx context.Context, evaluators []*evaluate.Evaluator) sight {
	var l sight
	for _, evaluator := range evaluators {
		var found struct {
			Variable string   `json:"variable"`
			Patterns []string `json:"patterns"`
		}
		err := evaluator.Value(ctx, `{"variable": data.lib.parameters.env_var, "patterns": [p | some p in data.lib.parameters.controllers]}`, &found)
		if err != nil || found.Variable == "" {
			l.blind = true // a policy of somebody else
			continue
		}
		l.variables = append(l.variables, found.Variable)
		for _, pattern := range found.Patterns {
			l.names = append(l.names, regexp.MustCompile("^(?:"+decider.Glob(pattern)+")$"))
		}
	}
	return l
}

// namePattern finds what may be a name, or the end of one that is put together.
var namePattern = regexp.MustCompile(`[A-Za-z0-9_.-]+`)

// hidden finds escapes, behind which a text may hold any name: a number of a
// character, and a line that goes on without a blank.
var hidden = regexp.MustCompile(`\\(?:[xuU][0-9A-Fa-f]|\r?\n)`)

// mayBind reports whether the text of what is not judged holds the migrations
// variable, or a name by which a workload is bound. What cannot be read may hold
// anything.
func (l sight) mayBind(n find.NotJudged) bool {
	if l.blind || n.Unread || l.holds([]byte(n.Path)) || l.holds(n.Text) || n.Kind == find.PackedChart && hidden.Match(n.Text) {
		return true
	}
	return slices.ContainsFunc(n.Files, func(file string) bool {
		info, err := os.Stat(file)
		if err == nil && info.IsDir() {
			return false
		}
		text, err := render.ReadRegular(file)
		return err != nil || hidden.Match(text) || l.holds(text)
	})
}

func (l sight) holds(text []byte) bool {
	for _, variable := range l.variables {
		if strings.Contains(string(text), variable) {
			return true
		}
	}
	return slices.ContainsFunc(namePattern.FindAll(text, -1), func(name []byte) bool {
		return slices.ContainsFunc(l.names, func(pattern *regexp.Regexp) bool { return pattern.Match(name) })
	})
}

// releaseOf is the release for which a chart is templated: only one that was named
// has values of its own.
func releaseOf(t find.Target, options Options) render.Release {
	if belowOf(t) != "" {
		return render.Release{}
	}
	return options.Release
}

// requireChart refuses values for a release when there is not exactly one chart
// that was named.
func requireChart(targets []find.Target, release render.Release) error {
	values := release.Values
	if release.Name == "" && release.Namespace == "" && len(values.Files)+len(values.SetJSON)+len(values.Set)+len(values.SetString) == 0 {
		return nil
	}
	charts := 0
	for _, t := range targets {
		if t.Kind == find.Chart && belowOf(t) == "" {
			charts++
		}
	}
	if charts != 1 {
		return fmt.Errorf("values, a release name or a namespace are for one chart, and %d are named: name a folder with a Chart.yaml; an app says its own values", charts)
	}
	return nil
}
