package diff

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/cause"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

// ContractOf is a contract: how to judge by it, and the files that hold it.
type ContractOf struct {
	Check check.Options
	// Paths are what it judges besides what was asked about.
	Paths []string
	// Config is the file with the configuration; it need not be there. Added are the
	// places in that of the head side that let something pass and are not in the base's.
	Config string
	Added  []report.Cause
	// Baseline is the file with known findings; empty: there is none.
	Baseline string
}

// files are those that hold the contract.
func (c ContractOf) files() []string {
	return append([]string{c.Config, c.Baseline}, c.Check.Constraints...)
}

// changed is the first file in which a contract differs from another one, letter by
// letter; empty when there is none.
func (c ContractOf) changed(from ContractOf) string {
	own, others := c.files(), from.files()
	for i, file := range own {
		if i >= len(others) || !isSame(file, others[i]) {
			return file
		}
	}
	if len(others) > len(own) {
		return c.Config
	}
	return ""
}

func isSame(a, b string) bool {
	textA, errA := os.ReadFile(a)
	textB, errB := os.ReadFile(b)
	return (errA == nil) == (errB == nil) && bytes.Equal(textA, textB)
}

// addWeaker adds to the report on the head side, which was judged by the contract of
// the base side, what its own contract takes away. Nothing is judged when the two are
// alike.
func (c *comparison) addWeaker(ctx context.Context, head *report.Report, base, own ContractOf) (*report.Report, error) {
	if own.changed(base) == "" {
		return head, nil
	}
	places, err := weakened(ctx, base.Check.Constraints, own.Check.Constraints)
	if err != nil {
		return nil, err
	}
	// What is judged by the head's own contract is found by it, too.
	side := &side{top: c.head.top, workDir: c.head.workDir, realWorkDir: c.head.realWorkDir, exclude: own.Check.Excluded}
	for _, path := range own.Paths {
		if err := side.add(path); err != nil {
			continue // there is nothing on the head side
		}
	}
	options := own.Check
	options.WithoutCauses, options.Progress, options.Stdin = true, nil, nil
	options.AllowAbsent = true
	byOwn, err := side.judge(ctx, side.all(), options)
	if err != nil {
		return nil, fmt.Errorf("the contract of the head side: %w", err)
	}
	effects := taken(head, byOwn)
	// What lets nothing pass today may do so tomorrow.
	places = append(places, own.Added...)
	known, err := newlyKnown(base.Baseline, own.Baseline)
	if err != nil {
		return nil, err
	}
	if known > 0 {
		effects = append(effects, fmt.Sprintf("%s more in the baseline %s", plaintext.Count(known, "finding"), c.head.path(own.Baseline)))
	}
	if len(effects)+len(places) == 0 {
		return head, nil
	}
	for _, p := range places {
		effects = append(effects, fmt.Sprintf("%s in %s:%d", p.Path, p.File, p.Line))
	}
	const most = 8
	if n := len(effects); n > most {
		effects = append(effects[:most:most], fmt.Sprintf("and %d more", n-most))
	}
	finding, err := stated.New(ctx).Weaker(ctx, strings.Join(effects, "; "))
	if err != nil {
		return nil, err
	}
	finding.Causes = append(finding.Causes, places...)
	at := own.changed(base)
	judged, wholeRun := split(head)
	return head.With(judged, append(slices.Clone(wholeRun), report.Target{Path: c.head.path(at), Findings: []report.Finding{finding}})...), nil
}

// newlyKnown counts the findings in a baseline that another one lacks.
func newlyKnown(base, own string) (int, error) {
	type key struct{ target, code, constraint, workload, namespace, container, message string }
	keys := func(file string) (map[key]int, error) {
		counts := map[key]int{}
		if file == "" {
			return counts, nil
		}
		opened, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("read baseline: %w", err)
		}
		defer opened.Close()
		known, err := report.Read(opened)
		if err != nil {
			return nil, fmt.Errorf("read baseline %s: %w", file, err)
		}
		for _, t := range known.Targets {
			for _, f := range t.Findings {
				counts[key{t.Path, f.Code, f.Constraint, f.Workload, f.Namespace, f.Container, f.Message}]++
			}
		}
		return counts, nil
	}
	before, err := keys(base)
	if err != nil {
		return 0, err
	}
	now, err := keys(own)
	if err != nil {
		return 0, err
	}
	more := 0
	for k, n := range now {
		more += max(0, n-before[k])
	}
	return more, nil
}

// taken lists what a report says by the contract of the base side and another one, of
// the same files, does not say by the head's own.
func taken(byBase, byOwn *report.Report) []string {
	type key [5]string
	own := map[key]bool{}
	each := func(r *report.Report, visit func(what string, k key, says string)) {
		judged, _ := split(r)
		for _, t := range judged {
			visit("targets", key{"target", t.Path}, t.Path+" is not judged")
			for _, w := range t.Workloads {
				if w.Role != report.Controllers {
					continue
				}
				name := w.Kind + "/" + w.Name
				visit("workloads", key{"workload", t.Path, name, w.Namespace}, fmt.Sprintf("%s of %s is not bound", name, t.Path))
				for _, one := range w.Containers {
					if !one.Exempt {
						visit("containers", key{"container", t.Path, name, w.Namespace, one.Name}, fmt.Sprintf("container %s of %s of %s is exempt", one.Name, name, t.Path))
					}
				}
			}
			for _, f := range t.Findings {
				if f.Severity == report.Deny {
					visit("findings", key{"finding " + f.Code, t.Path, f.Workload, f.Namespace, f.Container}, fmt.Sprintf("%s of %s passes", f.Code, cmp.Or(f.Workload, t.Path)))
				}
			}
		}
	}
	each(byOwn, func(_ string, k key, _ string) { own[k] = true })
	var lost []string
	gone := map[string]bool{} // what is said of a whole is not said of its parts
	each(byBase, func(what string, k key, says string) {
		whole := k[1]
		if what == "containers" {
			whole = k[1] + "\x00" + k[2] + "\x00" + k[3]
		}
		if own[k] || gone[k[1]] || gone[whole] {
			return
		}
		switch what {
		case "targets":
			gone[k[1]] = true
		case "workloads":
			gone[k[1]+"\x00"+k[2]+"\x00"+k[3]] = true
		}
		lost = append(lost, plaintext.Line(says))
	})
	return lost
}

// weakened are the places in the constraints of the head side that make them weaker
// than those of the base side, as far as the two tell it without judging anything.
func weakened(ctx context.Context, baseFiles, headFiles []string) ([]report.Cause, error) {
	base, err := constraint.Load(baseFiles)
	if err != nil {
		return nil, err
	}
	head, err := constraint.Load(headFiles)
	if err != nil {
		return nil, err
	}
	var places []report.Cause
	for i := range head {
		now, before := &head[i], (*constraint.Constraint)(nil)
		if i := slices.IndexFunc(base, func(c constraint.Constraint) bool { return c.Name == now.Name }); i >= 0 {
			before = &base[i]
		} else if len(base) > 0 {
			continue // one more does no harm; one that is gone shows in what is judged
		}
		was, err := parametersOf(ctx, before)
		if err != nil {
			return nil, err
		}
		is, err := parametersOf(ctx, now)
		if err != nil {
			return nil, err
		}
		paths := weakerParameters(was, is)
		if rankOf(now) < rankOf(before) {
			paths = append(paths, "spec.enforcementAction")
		}
		if match := now.Spec()["match"]; match != nil && fmt.Sprint(match) != fmt.Sprint(before.Spec()["match"]) {
			paths = append(paths, "spec.match")
		}
		slices.Sort(paths)
		for _, path := range paths {
			place, _ := cause.InValues(now.File, path)
			place.Path, place.Layer = path, report.ConstraintLayer
			places = append(places, place)
		}
	}
	return places, nil
}

// rankOf says how much a constraint enforces.
func rankOf(c *constraint.Constraint) int {
	action, _ := c.Spec()["enforcementAction"].(string)
	return slices.Index([]string{"dryrun", "warn", "deny"}, cmp.Or(action, "deny"))
}

// parameters are those of a constraint, or the defaults.
type parameters struct {
	EnvVar       any      `json:"envVar"`
	Controllers  []string `json:"controllers"`
	SkipValues   []string `json:"skipValues"`
	Images       []string `json:"images"`
	ExemptImages []string `json:"exemptImages"`
}

func parametersOf(ctx context.Context, c *constraint.Constraint) (parameters, error) {
	var p parameters
	evaluator, err := evaluate.New(ctx, nil, c)
	if err == nil {
		err = evaluator.Value(ctx, "data.lib.parameters.values", &p)
	}
	return p, err
}

// weakerParameters are the paths of those that are weaker than before.
func weakerParameters(was, is parameters) []string {
	lacks := func(list, other []string) bool {
		return slices.ContainsFunc(other, func(entry string) bool { return !slices.Contains(list, entry) })
	}
	var paths []string
	for name, weaker := range map[string]bool{
		"envVar":       fmt.Sprint(is.EnvVar) != fmt.Sprint(was.EnvVar),
		"controllers":  lacks(is.Controllers, was.Controllers),
		"skipValues":   lacks(was.SkipValues, is.SkipValues),
		"exemptImages": lacks(was.ExemptImages, is.ExemptImages),
		// Without images all are bound.
		"images": len(is.Images) > 0 && (len(was.Images) == 0 || lacks(is.Images, was.Images)),
	} {
		if weaker {
			paths = append(paths, "spec.parameters."+name)
		}
	}
	return paths
}
