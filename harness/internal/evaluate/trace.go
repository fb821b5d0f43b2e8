package evaluate

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
)

// Trace judges objects once more and writes how: for each object that the policy looks
// at a line with its target and its name, and OPA's trace with the places in the Rego
// files. Each line begins with TRAC, as in conftest.
func (e *Evaluator) Trace(ctx context.Context, w io.Writer, target string, objects []manifest.Object) error {
	for _, object := range objects {
		if !e.LooksAt(object) {
			continue
		}
		tracer := topdown.NewBufferTracer()
		if _, err := e.object.Eval(ctx, rego.EvalInput(inputOf(object)), rego.EvalQueryTracer(tracer)); err != nil {
			return fmt.Errorf("trace document %d: %w", object.Document, err)
		}
		var b strings.Builder
		header := fmt.Sprintf("target: %s | object: %v/%v", target, object.Content["kind"], nameOf(object))
		if e.constraint != nil {
			header += " | constraint: " + e.constraint.Name
		}
		fmt.Fprintf(&b, "TRAC  %s\n", plaintext.Line(header))
		if e.policy.dir == "" {
			e.shorten(*tracer)
		}
		var trace strings.Builder
		topdown.PrettyTraceWithLocation(&trace, *tracer)
		for line := range strings.Lines(trace.String()) {
			fmt.Fprintf(&b, "TRAC  %s\n", plaintext.Line(strings.TrimRight(line, "\n")))
		}
		if err := plaintext.Write(w, b.String()); err != nil {
			return err
		}
	}
	return nil
}

// shorten gives the events of a trace the names of the files as the policy has them.
func (e *Evaluator) shorten(events []*topdown.Event) {
	for _, event := range events {
		if event.Location == nil {
			continue
		}
		place := *event.Location // that of the event is the rule's own
		place.File = strings.TrimPrefix(filepath.ToSlash(place.File), filepath.ToSlash(e.rules.folder)+"/")
		event.Location = &place
	}
}

// nameOf is the metadata.name of an object, whatever it is.
func nameOf(object manifest.Object) any {
	metadata, _ := object.Content["metadata"].(map[string]any)
	return metadata["name"]
}
