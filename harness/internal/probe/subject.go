package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
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
	// bound are the containers that the contract binds under the base.
	bound []who
	// watched is the chart as the search executes it.
	watched *watch.Chart
	// refusals are what refusedAsApp has said, by what was rendered.
	refusals memo[error]
}

// outcome is what is said of one configuration.
type outcome struct {
	verdict Verdict
	// files are those with findings, or from which controllers workloads have
	// vanished, sorted by name.
	files []judgedFile
	// digest is as that of judged, for all files.
	digest digest
	// reason is why it is refused.
	reason error
	// writers are what the templates gave that wrote controllers workloads.
	writers []render.File
	// quotes are those in which lineBreak was written as it is.
	quotes []string
}

type judgedFile struct {
	name string
	*judged
}

// render renders one configuration and judges each template's objects. Refused
// is what Helm or kustomize say against the configuration.
func (s *subject) render(ctx context.Context, c configuration) (files []judgedFile, refused, err error) {
	texts, err := s.chart.TemplateAs(ctx, c.over(s.base), render.Execution{Told: c.told()})
	return s.judged(ctx, c, texts, err)
}

// judged judges what a chart gave with a configuration.
func (s *subject) judged(ctx context.Context, c configuration, texts []render.File, err error) (files []judgedFile, refused, failed error) {
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
	return files, nil, nil
}

// observe is try for the search: only what may have a part in a workload is
// executed, and it is watched. What is not harmless is tried as a whole.
func (s *subject) observe(ctx context.Context, c configuration) (outcome, *watch.Trace, error) {
	texts, trace, err := s.watched.Template(ctx, c.over(s.base), c.told())
	quotes := quotesOf(texts)
	files, refused, err := s.judged(ctx, c, texts, err)
	if err != nil || refused != nil {
		return outcome{verdict: Refused, reason: refused, quotes: quotes}, trace, err
	}
	o := s.outcomeOf(files)
	if o.verdict != Harmless {
		if o, err = s.try(ctx, c); err != nil {
			return o, trace, err
		}
	}
	o.quotes = quotes
	for _, file := range files {
		if i := slices.IndexFunc(texts, func(text render.File) bool { return text.Name == file.name }); file.controllers > 0 && i >= 0 {
			o.writers = append(o.writers, texts[i])
		}
	}
	return o, trace, nil
}

// try renders one configuration and judges it.
func (s *subject) try(ctx context.Context, c configuration) (outcome, error) {
	files, refused, err := s.render(ctx, c)
	if err != nil || refused != nil {
		return outcome{verdict: Refused, reason: refused}, err
	}
	if len(files) == 0 {
		return outcome{verdict: Refused, reason: render.ErrNothingRendered}, nil
	}
	o := s.outcomeOf(files)
	if o.malformed() {
		refused, err := s.refusedAsApp(ctx, o.digest, c)
		if err != nil || refused != nil {
			return outcome{verdict: Refused, reason: refused}, err
		}
	}
	return o, nil
}

// outcomeOf is what is said of some files.
func (s *subject) outcomeOf(files []judgedFile) outcome {
	o := outcome{verdict: Harmless}
	var digests []any
	bound := map[string]bool{}
	for _, file := range files {
		bound[file.name] = file.controllers > 0
		digests = append(digests, file.name, file.digest)
		if v := file.verdict(); v != Harmless {
			o.files = append(o.files, file)
			if v == Escaped || o.verdict == Harmless {
				o.verdict = v
			}
		}
	}
	o.digest = digestOf(digests...)
	if o.verdict == Harmless {
		for _, name := range s.writers {
			if !bound[name] {
				o.verdict = Vanished
				o.files = append(o.files, judgedFile{name, &judged{}})
			}
		}
	}
	return o
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
	if err := s.chart.WriteApp(dir, c.over(s.base), c.told()); err != nil {
		return nil, nil, err
	}
	objects, refused = render.Objects(ctx, dir, s.options)
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	return objects, refused, nil
}
