package cause

import (
	"context"
	"maps"
	"os"
	"slices"

	"github.com/proompteng/nevermigrate/harness/constraint"
	"github.com/proompteng/nevermigrate/harness/report"
)

// onTarget is the measure for the finding that no controllers workload was
// rendered: it is gone when one is.
func (s *search) onTarget(ctx context.Context, after *world) (effect, error) {
	if after.err != nil {
		return nothing, nil
	}
	_, workloads, err := s.lab.verdict(ctx, after)
	if err != nil || !slices.ContainsFunc(workloads, func(w report.Workload) bool { return w.Role == report.Controllers }) {
		return nothing, err
	}
	return gone, nil
}

// findAbsent looks for what keeps a target without controllers: a constraint
// that binds nothing of what is rendered, or a switch or a patch of the app.
func (r *result) findAbsent(ctx context.Context, s *search) error {
	base, err := s.lab.render(ctx, nil)
	if err != nil || base.err != nil {
		return err
	}
	for _, e := range s.lab.evaluators {
		found, err := s.unbound(ctx, e.Constraint(), base)
		if err != nil {
			return err
		}
		r.causes = append(r.causes, found...)
	}
	if len(r.causes) > 0 {
		return nil
	}
	for _, relevant := range []bool{true, false} {
		if err := s.batches(ctx, s.leaves(relevant)); err != nil || len(s.hits) > 0 {
			break
		}
	}
	if len(s.hits) == 0 {
		if _, err := s.stage(ctx, s.wholePatches()); err != nil {
			return err
		}
	}
	r.collect(s, nil)
	r.fix, err = s.fix(ctx, s.proposals(nil))
	return err
}

// unbound tries a constraint without what narrows it.
func (s *search) unbound(ctx context.Context, c *constraint.Constraint, base *world) ([]report.Cause, error) {
	if c == nil {
		return nil, nil
	}
	for _, keys := range [][]string{{"match"}, {"parameters", "controllers"}} {
		wider, ok := without(c.Spec(), keys)
		if !ok {
			continue
		}
		content := maps.Clone(c.Content)
		content["spec"] = wider
		e, err := s.lab.evaluators[0].With(ctx, &constraint.Constraint{File: c.File, Name: c.Name, Content: content})
		if err != nil {
			return nil, err
		}
		result, err := e.Evaluate(ctx, base.objects)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(result.Workloads, func(w report.Workload) bool { return w.Role == report.Controllers }) {
			return causeInConstraint(c, append([]any{"spec"}, anys(keys)...)), nil
		}
	}
	return nil, nil
}

func anys(keys []string) []any {
	var all []any
	for _, key := range keys {
		all = append(all, key)
	}
	return all
}

// without is a map without what stands at keys.
func without(node map[string]any, keys []string) (map[string]any, bool) {
	value, ok := node[keys[0]]
	if !ok {
		return nil, false
	}
	node = maps.Clone(node)
	if len(keys) == 1 {
		delete(node, keys[0])
		return node, true
	}
	below, _ := value.(map[string]any)
	below, ok = without(below, keys[1:])
	node[keys[0]] = below
	return node, ok
}

// causeInConstraint is a place of a constraint's file.
func causeInConstraint(c *constraint.Constraint, path []any) []report.Cause {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return nil
	}
	documents, err := parse(text)
	if err != nil {
		return nil
	}
	for _, document := range documents {
		if len(document.Content) != 1 {
			continue
		}
		root := document.Content[0]
		if name, _ := deepest(root, []any{"metadata", "name"}); name.Value != c.Name {
			continue
		}
		cause, depth := deepest(root, path)
		if depth < len(path) {
			continue
		}
		cause.File, cause.Layer, cause.Value = shownFile(c.File), report.ConstraintLayer, ""
		for _, segment := range path {
			cause.Path = join(cause.Path, segment.(string))
		}
		return []report.Cause{cause}
	}
	return nil
}
