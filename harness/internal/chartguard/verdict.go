package chartguard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// An origin is what a guard was made from. The guard says it in its comment, so
// that it can be made once more to see whether somebody edited it.
type origin struct {
	Options
	Parameters map[string]any `json:"parameters,omitempty"`
}

// originOf is the origin as it stands in a comment, which nothing in it can end.
func originOf(o Options) (string, error) {
	encoded, err := json.Marshal(origin{o, o.Constraint.Parameters()})
	return strings.ReplaceAll(string(encoded), "*/", `*\u002f`), err
}

// start is how a guard starts.
var start = regexp.MustCompile(`\A\{\{- /\*\nThe chart guard: [^\n]*\n\nMade by:\n  ([^\n]*)\nfrom\n  ([^\n]*)\n`)

// verdicts are the last words of the names of the templates that judge.
var verdicts = []string{
	"files", "file", "object", "entry", "pods", "names", "workload", "container", "directives",
	"environment", "replaced", "expanded", "commands", "line", "judged", "plain",
	"uncommented", "values", "changes", "hides", "hidden",
	"add", "at", "written", "expect", "unreadable",
}

// Verdicts are the names of the templates with which a guard judges what other
// templates write; none when the file is not a guard, letter by letter as this
// program makes it. Who follows a chart's templates need not follow them where
// the guard itself executes them: what they are given was written by templates
// that are followed, and what they write is findings. Its error is that of the
// context.
func Verdicts(ctx context.Context, source string) (map[string]bool, error) {
	m := start.FindStringSubmatch(source)
	if m == nil {
		return nil, nil
	}
	var from origin
	if err := json.Unmarshal([]byte(m[2]), &from); err != nil {
		return nil, nil
	}
	from.Command = m[1]
	if from.Parameters != nil {
		from.Constraint = withParameters("origin", from.Parameters)
	}
	guard, err := Print(ctx, from.Options)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("make the chart guard again: %w", context.Cause(ctx))
	}
	if err != nil || !bytes.Equal(guard, []byte(source)) {
		return nil, nil
	}
	names := map[string]bool{}
	for _, word := range verdicts {
		names[from.Name+"."+word] = true
	}
	return names, nil
}
