package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// subject is a chart under a base, with what judges its configurations.
type subject struct {
	chart   *render.Chart
	base    map[string]any
	judge   *judge
	options render.Options // for rendering as an app
	// writers are the templates that write controllers workloads under the base.
	writers []string
	// controllers is how many of them there are.
	controllers int
	// refusals are what refusedAsApp has said, by what was rendered.
	refusals memo[error]
}

// outcome is what is said of one configuration.
type outcome struct {
	verdict Verdict
	// files are those with findings, or from which controllers workloads have
	// vanished, sorted by name.
	files []judgedFile
	// digest and declared are as those of judged, for all files.
	digest, declared digest
	// reason is why it is refused.
	reason error
}

type judgedFile struct {
	name string
	*judged
}

// render renders one configuration and judges each template's objects. Refused
// is what Helm or kustomize say against the configuration.
func (s *subject) render(ctx context.Context, c configuration) (files []judgedFile, refused, err error) {
	texts, err := s.chart.Template(ctx, c.over(s.base))
	var refusal render.ErrRefused
	if errors.As(err, &refusal) {
		return nil, refusal, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("template with %s: %w", c.arguments(), err)
	}
	seen := map[string]bool{}
	for _, text := range texts {
		j, err := s.judge.file(ctx, s.chart, text)
		if err != nil {
			return nil, nil, fmt.Errorf("judge %s with %s: %w", text.Name, c.arguments(), err)
		}
		if j.refused != nil {
			return nil, j.refused, nil
		}
		for _, id := range j.ids {
			if seen[id] {
				return nil, fmt.Errorf("%s is written twice", id), nil
			}
			seen[id] = true
		}
		files = append(files, judgedFile{text.Name, j})
	}
	if len(seen) == 0 {
		return nil, render.ErrNothingRendered, nil
	}
	return files, nil, nil
}

// try renders one configuration and judges it.
func (s *subject) try(ctx context.Context, c configuration) (outcome, error) {
	files, refused, err := s.render(ctx, c)
	if err != nil || refused != nil {
		return outcome{verdict: Refused, reason: refused}, err
	}
	o := outcome{verdict: Harmless}
	var digests, declared []any
	bound := map[string]bool{}
	for _, file := range files {
		bound[file.name] = file.controllers > 0
		digests = append(digests, file.name, file.digest)
		declared = append(declared, file.name, file.declared)
		if v := file.verdict(); v != Harmless {
			o.files = append(o.files, file)
			if v == Escaped || o.verdict == Harmless {
				o.verdict = v
			}
		}
	}
	o.digest, o.declared = digestOf(digests...), digestOf(declared...)
	if o.malformed() {
		refused, err := s.refusedAsApp(ctx, o.digest, c)
		if err != nil || refused != nil {
			return outcome{verdict: Refused, reason: refused}, err
		}
	}
	if o.verdict == Harmless {
		for _, name := range s.writers {
			if !bound[name] {
				o.verdict = Vanished
				o.files = append(o.files, judgedFile{name, &judged{}})
			}
		}
	}
	return o, nil
}

// malformed reports whether all that is broken is that something cannot be read.
func (o *outcome) malformed() bool {
	return o.verdict == Migrates && !slices.ContainsFunc(o.files, func(file judgedFile) bool {
		return slices.ContainsFunc(file.findings, func(f *finding) bool { return !slices.Equal(f.codes, []string{"CNM006"}) })
	})
}

// refusedAsApp renders a configuration as an app and returns what kustomize says
// against it: its transformers read some of what is malformed, and fail.
func (s *subject) refusedAsApp(ctx context.Context, rendered digest, c configuration) (refused, err error) {
	return s.refusals.get(rendered, func() (error, error) {
		_, refused, err := s.asApp(ctx, c)
		return refused, err
	})
}

// asApp renders a configuration as an app, the whole road through kustomize.
func (s *subject) asApp(ctx context.Context, c configuration) (objects []map[string]any, refused, err error) {
	dir, err := os.MkdirTemp("", "nevermigrate-probe-")
	if err != nil {
		return nil, nil, fmt.Errorf("make folder for an app: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := s.chart.WriteApp(dir, c.over(s.base)); err != nil {
		return nil, nil, err
	}
	objects, refused = render.Objects(ctx, dir, s.options)
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	return objects, refused, nil
}
