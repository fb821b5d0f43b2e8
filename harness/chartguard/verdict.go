package chartguard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/proompteng/nevermigrate/harness/constraint"
)

// An origin is what a guard was made from. The guard says it in its comment, so
// that it can be made once more to see whether somebody edited it.
type origin struct {
	Name       string         `json:"name"`
	Templates  []string       `json:"templates"`
	Others     []string       `json:"others,omitempty"`
	ValuesKey  string         `json:"valuesKey"`
	ValuePath  string         `json:"valuePath,omitempty"`
	Parameters map[string]any `json:"parameters,omitempty"`
}

func originOf(o Options) origin {
	return origin{o.Name, o.Templates, o.Others, o.ValuesKey, o.ValuePath, o.Constraint.Parameters()}
}

// text is the origin as it stands in a comment, which nothing in it can end.
func (o origin) text() (string, error) {
	encoded, err := json.Marshal(o)
	return strings.ReplaceAll(string(encoded), "*/", `*\u002f`), err
}

func (o origin) options(command string) Options {
	options := Options{
		Templates: o.Templates, Others: o.Others, ValuesKey: o.ValuesKey,
		ValuePath: o.ValuePath, Name: o.Name, Command: command,
	}
	if o.Parameters != nil {
		options.Constraint = &constraint.Constraint{Name: "origin", Content: map[string]any{
			"apiVersion": "constraints.gatekeeper.sh/v1beta1",
			"kind":       constraint.Kind,
			"metadata":   map[string]any{"name": "origin"},
			"spec":       map[string]any{"parameters": o.Parameters},
		}}
	}
	return options
}

// start is how a guard starts.
var start = regexp.MustCompile(`\A\{\{- /\*\nThe chart guard: [^\n]*\n\nMade by:\n  ([^\n]*)\nfrom\n  ([^\n]*)\n`)

// verdicts are the last words of the names of the templates that judge.
var verdicts = []string{
	"file", "object", "entry", "workload", "container", "commands", "line", "how",
	"add", "at", "type", "expect", "missing", "source", "alike",
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
	guard, err := Print(ctx, from.options(m[1]))
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
