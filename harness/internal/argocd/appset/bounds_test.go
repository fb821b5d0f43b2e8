package appset_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/appset"
)

// hostile is an ApplicationSet of a list of numbers in each of some generators of a
// matrix, with a path.
func hostile(elements, generators int, path string) string {
	list := "list: {elements: ["
	for i := range elements {
		list += fmt.Sprintf("{k%%[1]d: '%d'},", i)
	}
	list += "]}"
	first, second := fmt.Sprintf(list, 1), fmt.Sprintf(list, 2)
	text := "kind: ApplicationSet\nmetadata: {name: hostile}\nspec:\n  goTemplate: true\n  generators:\n"
	if generators == 1 {
		text += "  - " + first + "\n"
	} else {
		text += "  - matrix: {generators: [{" + first + "}, {" + second + "}]}\n"
	}
	return text + "  template:\n    metadata: {name: 'a-{{ . | toJson | sha1sum }}'}\n    spec:\n      project: p\n      source:\n        repoURL: r\n        path: |\n          " + path + "\n"
}

// TestBounds: what is made to be slow or large ends in an error that says so, soon.
func TestBounds(t *testing.T) {
	for name, test := range map[string]struct{ set, want string }{
		"many Applications":  {hostile(200, 2, "p"), "more than 20000 Applications"},
		"a list of numbers":  {hostile(1, 1, "{{ until 2000000000 | len }}"), "more than 100000 items"},
		"a step of nothing":  {hostile(1, 1, "{{ untilStep 0 -9223372036854775808 -1 | len }}"), "more than 100000 items"},
		"a repeated text":    {hostile(1, 1, `{{ repeat 90000 (repeat 90000 "x") }}`), "longer than 4 MiB"},
		"an indented text":   {hostile(1, 1, `{{ repeat 1000 "\n" | indent 90000 }}`), "longer than 4 MiB"},
		"a long text":        {hostile(1, 1, `{{ range until 100000 }}{{ $.k1 | repeat 1000 }}{{ end }}`), "longer than 4 MiB"},
		"templates in depth": {hostile(1, 1, `{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}`), "exceeded maximum template depth"},
		"tpl in tpl":         {hostile(1, 1, "{{ tpl `{{ tpl . . }}` `{{ tpl . . }}` }}"), "maximum recursion depth"},
		"loops in loops":     {hostile(1, 1, strings.Repeat("{{ range until 100000 }}", 5)+strings.Repeat("{{ end }}", 5)), "the limit of 1s"},
		"a growing text":     {hostile(1, 1, `{{ $x := "x" }}{{ range until 100 }}{{ $x = cat $x $x }}{{ end }}`), "longer than 4 MiB"},
		"a growing list":     {hostile(1, 1, `{{ $x := list 1 }}{{ range until 100 }}{{ $x = concat $x $x }}{{ end }}`), "too large"},
		"a growing tree":     {hostile(1, 1, `{{ $x := dict "a" 1 }}{{ range until 100 }}{{ $x = dict "a" $x "b" $x }}{{ end }}{{ $x | toJson }}`), "too large"},
		"a wide number":      {hostile(1, 1, `{{ printf "%999999d" 1 }}`), "too large"},
		"a width of its own": {hostile(1, 1, `{{ printf "%[1]*[1]d" 999999 }}`), "too large"},
		"replacements":       {hostile(1, 1, `{{ regexReplaceAll "" (repeat 10000 "x") (repeat 10000 "y") }}`), "longer than 4 MiB"},
		"joined":             {hostile(1, 1, `{{ join (repeat 1000 "y") (until 10000) }}`), "longer than 4 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, options := parse(t, question{Name: name, Set: test.set})
			if strings.Contains(test.want, "the limit of 1s") {
				options.Timeout = time.Second
			}
			start := time.Now()
			_, err := appset.Generate(context.Background(), set, options)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want an error with %q: %v", test.want, err)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// TestCancelled: the context ends the work.
func TestCancelled(t *testing.T) {
	set, options := parse(t, question{Set: hostile(1, 1, "p")})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := appset.Generate(ctx, set, options); !errors.Is(err, context.Canceled) {
		t.Errorf("want %v: %v", context.Canceled, err)
	}
}
