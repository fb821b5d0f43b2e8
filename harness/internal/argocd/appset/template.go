package appset

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/valyala/fasttemplate"
)

// renderer fills in templates: Render of applicationset/utils/utils.go. It belongs
// to one goroutine.
type renderer struct {
	ctx        context.Context
	goTemplate bool
	base       *template.Template
	// optionsAt is where the options stand.
	optionsAt Place
	// reversed turns the order of maps round, where Argo CD leaves it to chance.
	reversed bool
	// ordered says that a function was called whose answer can depend on it.
	ordered bool
}

func newRenderer(ctx context.Context, goTemplate bool, optionsAt Place) *renderer {
	r := &renderer{ctx: ctx, goTemplate: goTemplate, optionsAt: optionsAt}
	if goTemplate {
		r.base = template.New("base").Funcs(r.functions())
	}
	return r
}

// stable is what a function that fills in templates gives, or a refusal where it
// gives something else when maps have another order. The first run may change the
// parameters, as it does in Argo CD.
func stable[T any](r *renderer, params map[string]any, fill func(params map[string]any) (T, error)) (T, error) {
	var again map[string]any
	if r.goTemplate {
		again = copyOf(params)
	}
	r.ordered = false
	filled, err := fill(params)
	if !r.ordered {
		return filled, err
	}
	r.reversed = true
	other, otherErr := fill(again)
	r.reversed = false
	// What was changed in the parameters, others that share it can see.
	if (err == nil) != (otherErr == nil) || err == nil && !(sameJSON(filled, other) && sameJSON(params, again)) {
		err = &refusal{
			"it depends on the order of a map, which Argo CD leaves to chance",
			"sort what keys and values give with sortAlpha, and change no parameters in a template",
		}
	}
	return filled, err
}

// replace fills in one text.
func (r *renderer) replace(text string, params map[string]any, options []string) (string, error) {
	if r.goTemplate {
		return r.goReplace(text, params, options)
	}
	return fastReplace(text, params)
}

func (r *renderer) goReplace(text string, params map[string]any, options []string) (string, error) {
	for _, option := range options {
		if !slices.Contains(knownOptions, option) {
			return "", &Problem{
				Place:   r.optionsAt,
				Message: fmt.Sprintf("%q is no option of text/template, and Argo CD fails on it", option),
				Remedy:  "use missingkey=error, missingkey=zero or missingkey=default",
			}
		}
	}
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	cloned, err := r.base.Clone()
	if err != nil {
		return "", err
	}
	cloned = cloned.Option(options...)
	cloned = cloned.Funcs(template.FuncMap{"tpl": r.tpl(cloned)})
	parsed, err := cloned.Parse(text)
	if err != nil {
		return "", fmt.Errorf("the template cannot be read: %w", err)
	}
	out := &boundedText{ctx: r.ctx}
	if err := parsed.Execute(out, params); err != nil {
		return "", fmt.Errorf("the template fails: %w", err)
	}
	return out.text.String(), nil
}

var knownOptions = []string{"missingkey=default", "missingkey=invalid", "missingkey=zero", "missingkey=error"}

// maxCalls is TPL_FUNC_MAX_RECURSION_DEPTH of Argo CD.
const maxCalls = 3

// tpl is the function tpl of a template: tplFun of
// applicationset/utils/template_functions.go.
func (r *renderer) tpl(parent *template.Template) func(string, any) (string, error) {
	calls := 0
	return func(text string, values any) (string, error) {
		calls++
		defer func() { calls-- }()
		if calls > maxCalls {
			return "", fmt.Errorf("maximum recursion depth %d exceeded in tpl function", maxCalls)
		}
		cloned, err := parent.Clone()
		if err != nil {
			return "", err
		}
		cloned, err = cloned.New(parent.Name()).Parse(text)
		if err != nil {
			return "", fmt.Errorf("cannot parse template %q: %w", text, err)
		}
		out := &boundedText{ctx: r.ctx}
		if err := cloned.Execute(out, values); err != nil {
			return "", fmt.Errorf("error during tpl function execution: %w", err)
		}
		return strings.ReplaceAll(out.text.String(), "<no value>", ""), nil
	}
}

// isTemplated must find both ends in one line, as it does in Argo CD.
var isTemplated = regexp.MustCompile(".*{{.*}}.*")

// fastReplace fills in {{name}}; an unknown name stays as it is.
func fastReplace(text string, params map[string]any) (string, error) {
	if !isTemplated.MatchString(text) {
		return text, nil
	}
	parsed, err := fasttemplate.NewTemplate(text, "{{", "}}")
	if err != nil {
		return "", fmt.Errorf("invalid template: %w", err)
	}
	return parsed.ExecuteFuncString(func(w io.Writer, tag string) (int, error) {
		trimmed := strings.TrimSpace(tag)
		value, ok := params[trimmed].(string)
		if trimmed == "" || !ok {
			return fmt.Fprintf(w, "{{%s}}", tag)
		}
		return io.WriteString(w, value)
	}), nil
}

// boundedText is what a template writes, up to maxText and while its context lives.
type boundedText struct {
	ctx  context.Context
	text bytes.Buffer
}

func (b *boundedText) Write(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	if b.text.Len()+len(p) > maxText {
		return 0, errTooLong
	}
	return b.text.Write(p)
}

// isMissingKey tells by the words, as Argo CD does it.
func isMissingKey(err error) bool {
	return strings.Contains(err.Error(), "map has no entry for key") || strings.Contains(err.Error(), "can't evaluate field")
}
