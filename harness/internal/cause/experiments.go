package cause

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// errBound says that no more experiments may be made.
var errBound = errors.New("the bound on renderings was reached")

// experiments renders an app with changes and remembers what came of each. No
// file is written.
type experiments struct {
	options render.Options
	// objects renders the app.
	objects    func(ctx context.Context, options render.Options) ([]map[string]any, error)
	evaluators []*evaluate.Evaluator
	deadline   time.Time
	left       int // renderings that the search may still make
	known      map[[sha256.Size]byte]*rendering
}

// rendering is what is rendered from the app, as it is or after a change.
type rendering struct {
	err       error
	documents []manifest.Object // that the policy looks at
	objects   map[container][]object
}

// try renders the app with edits.
func (e *experiments) try(ctx context.Context, edits ...edit) (*rendering, error) {
	files, _, err := overlay(edits)
	if err != nil {
		return &rendering{err: err}, nil
	}
	hash := sha256.New()
	for _, file := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(hash, "%d:%s%d:", len(file), file, len(files[file]))
		hash.Write(files[file])
	}
	key := [sha256.Size]byte(hash.Sum(nil))
	if known, ok := e.known[key]; ok {
		return known, nil
	}
	if e.left <= 0 || time.Now().After(e.deadline) {
		return nil, errBound
	}
	e.left--
	options := e.options
	options.Overlay = files
	objects, err := e.objects(ctx, options)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	made := &rendering{err: err}
	for _, object := range manifest.Rendered(objects) {
		if e.evaluators[0].LooksAt(object) {
			made.documents = append(made.documents, object)
		}
	}
	made.objects = byWorkload(made.documents)
	e.known[key] = made
	return made, nil
}

// has reports whether the container was rendered.
func (r *rendering) has(c container) bool {
	found := false
	c.visit(r.objects, func(map[string]any, string) { found = true })
	return found
}

// judge is what some evaluators say of the workload of a container or, of the
// zero container, of all workloads. It is nil when there is no such workload, and
// when a change made of it what cannot be judged.
func (r *rendering) judge(ctx context.Context, c container, by ...*evaluate.Evaluator) *evaluate.Result {
	documents := r.documents
	if c != (container{}) {
		documents = nil
		for _, o := range c.objects(r.objects) {
			documents = append(documents, o.document)
		}
	}
	if r.err != nil || len(documents) == 0 {
		return nil
	}
	all := &evaluate.Result{}
	for _, evaluator := range by {
		result, err := evaluator.Evaluate(ctx, documents)
		if err != nil {
			return nil
		}
		all.Findings = append(all.Findings, result.Findings...)
		all.Workloads = append(all.Workloads, result.Workloads...)
	}
	return all
}
