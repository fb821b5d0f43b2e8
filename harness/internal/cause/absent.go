package cause

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/report"
)

// findAbsent looks for what keeps a target without controllers: a constraint
// that binds nothing of what is rendered, or a switch or a patch of the app.
func (s *search) findAbsent(ctx context.Context) {
	base := s.base(ctx)
	for _, e := range s.experiments.evaluators {
		if found := s.narrowing(ctx, e.Constraint(), base); found != nil {
			s.bindings = append(s.bindings, found)
		}
	}
	if len(s.bindings) > 0 {
		return
	}
	_ = s.batches(ctx, s.conditions(true)) || s.batches(ctx, s.conditions(false)) || s.stage(ctx, s.wholePatches())
	s.fix = s.bestFix(ctx)
}

// narrowing is the place in a constraint's file without which it would bind a
// workload, or nil.
func (s *search) narrowing(ctx context.Context, c *constraint.Constraint, base *rendering) *place {
	if c == nil {
		return nil
	}
	for _, keys := range [][]string{{"spec", "match"}, {"spec", "parameters", "controllers"}} {
		wider := *c
		wider.Content = runtime.DeepCopyJSON(c.Content)
		if _, found, err := unstructured.NestedFieldNoCopy(wider.Content, keys...); err != nil || !found {
			continue
		}
		unstructured.RemoveNestedField(wider.Content, keys...)
		e, err := s.experiments.evaluators[0].With(ctx, &wider)
		if err != nil {
			s.err = err
			return nil
		}
		if judged := base.judge(ctx, container{}, e); judged != nil && hasControllers(judged) {
			return constraintPlace(c, keys)
		}
	}
	return nil
}

// constraintPlace is a place of a constraint's file, or nil.
func constraintPlace(c *constraint.Constraint, keys []string) *place {
	files := newSources(maxManifestText, nil)
	read := files.file(c.File, source{layer: report.ConstraintLayer})
	if read == nil {
		return nil
	}
	for _, p := range read.places {
		if p.parent == nil && p.member("metadata").scalarMember("name") == c.Name {
			for _, key := range keys {
				p = p.member(key)
			}
			return p
		}
	}
	return nil
}
