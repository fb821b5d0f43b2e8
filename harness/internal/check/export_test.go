package check

import (
	"context"
	"strings"
	"sync"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/report"
)

// compiled are the evaluators of the built-in policy, by the files of their
// constraints.
var compiled sync.Map

// evaluatorsOnce loads the evaluators of options with the built-in policy, once
// for all tests.
func evaluatorsOnce(ctx context.Context, options Options) ([]*evaluate.Evaluator, error) {
	load := sync.OnceValues(func() ([]*evaluate.Evaluator, error) {
		// The first test that asks must not end what others use.
		return loadEvaluators(context.WithoutCancel(ctx), options)
	})
	found, _ := compiled.LoadOrStore(strings.Join(options.Constraints, "\n"), load)
	return found.(func() ([]*evaluate.Evaluator, error))()
}

// AllOnce is All, with a policy that is compiled once for all tests.
func AllOnce(ctx context.Context, paths []string, options Options) (*report.Report, error) {
	return allBy(ctx, paths, options, func() ([]*evaluate.Evaluator, error) { return evaluatorsOnce(ctx, options) })
}
