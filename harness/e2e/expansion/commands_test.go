package expansion_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"k8s.io/kubernetes/third_party/forked/golang/expansion"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
)

// hidden marks, in the policy, a reference to what the manifest does not show.
var hidden = regexp.MustCompile("\ue000([^\ue001]*)\ue001")

// word is a word of a command with references.
func word(random *rand.Rand) string {
	var text strings.Builder
	for range 1 + random.IntN(6) {
		text.WriteString(pick(random,
			"export ", "node", " ", "$", "$$", "$(", ")", "(", "\n", "é", "'", "$)", "$$$", "=auto;", "$x",
			"$(A)", "$(B)", "$(C)", "$(D)", "$("+variable+")", "$()", "$(NOBODY)", "$(date)", "$$(A)", "$$$(A)", "$$$$(B)", "$($(A))", "$(A", "$(B)_$(C)",
		))
	}
	return text.String()
}

// TestCommandsAgainstTheKubelet compares the words of commands and of probes: as
// the policy reads them, with what it marks as hidden put in, they are what the
// kubelet gives the process. Hooks are not expanded.
func TestCommandsAgainstTheKubelet(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 35))
	judge, err := evaluate.New(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	const rounds, each = 40, 250
	marked, changed := 0, 0
	for range rounds {
		var all []container
		var specs []map[string]any
		for range each {
			c := generate(random)
			c.services = nil // Addresses and ports, which no manifest shows.
			spec := manifestOf("app", c)
			text := word(random)
			spec["command"] = []any{text}
			spec["livenessProbe"] = map[string]any{"exec": map[string]any{"command": []any{text}}}
			spec["lifecycle"] = map[string]any{"preStop": map[string]any{"exec": map[string]any{"command": []any{text}}}}
			all, specs = append(all, c), append(specs, spec)
		}
		given, err := json.Marshal(specs)
		if err != nil {
			t.Fatal(err)
		}
		var got [][]struct{ Path, Text string }
		query := fmt.Sprintf(`[[w | some line in data.lib.process.lines; some w in data.lib.process.words(c, line, "c")] | some c in %s]`, given)
		if err := judge.Value(t.Context(), query, &got); err != nil {
			t.Fatal(err)
		}
		for i, c := range all {
			text := specs[i]["command"].([]any)[0].(string)
			env := environment(c)
			static := map[string]string{}
			for _, e := range c.env {
				static[e.name] = e.value
			}
			want := map[string]string{
				"c.command[0]": expansion.Expand(text, expansion.MappingFuncFor(env)),
				// ExpandContainerCommandOnlyStatic of the kubelet's helpers.go.
				"c.livenessProbe.exec.command[0]":     expansion.Expand(text, expansion.MappingFuncFor(static)),
				"c.lifecycle.preStop.exec.command[0]": text,
			}
			if len(got[i]) != len(want) {
				t.Fatalf("the policy reads %+v", got[i])
			}
			for _, read := range got[i] {
				shown := hidden.ReplaceAllStringFunc(read.Text, func(mark string) string {
					marked++
					return expansion.MappingFuncFor(env)(hidden.FindStringSubmatch(mark)[1])
				})
				// The kubelet cuts a letter beyond ASCII behind a $ into its bytes.
				if shown != strings.ReplaceAll(want[read.Path], "Ã\xa9", "é") {
					t.Errorf("%s %q: the policy reads %q, which is %q, and the kubelet gives %q:\n%+v", read.Path, text, read.Text, shown, want[read.Path], c)
				}
				if want[read.Path] != text {
					changed++
				}
			}
		}
	}
	t.Logf("compared %d words, of which %d are changed; %d references are hidden", 3*rounds*each, changed, marked)
	if changed < 8000 || marked < 1000 {
		t.Error("the generator is too poor")
	}
}
