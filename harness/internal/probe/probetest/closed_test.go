package probetest

import (
	"io"
	"log"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common/util"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
)

// TestTwinsAreClosed and its neighbour try, at each place of the values, what a
// template or a person could mean: a chart that is said to have no hole has none
// that so little finds.
func TestTwinsAreClosed(t *testing.T) {
	for _, c := range lane.Part(t, Cases(t), 39) {
		t.Run(c.Name, func(t *testing.T) {
			_, twin := c.Write(t)
			tryAll(t, twin, c.Twin, Settings{}, c.Hole.Values)
			if c.Kind != Values {
				tryAll(t, twin, c.Twin, c.Hole, c.Hole.Values)
			}
		})
	}
}

func TestRandomWithoutHoleIsClosed(t *testing.T) {
	var closed []uint64
	for seed := range uint64(seeds) {
		if Random(seed).Hole == nil {
			closed = append(closed, seed)
		}
	}
	for _, seed := range lane.Part(t, closed, 39) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			c := Random(seed)
			tryAll(t, c.Write(t), c.Files, Settings{}, c.wanted)
		})
	}
}

// tryAll judges a chart with one place after the other changed, once from its
// defaults and once from the values of a hole.
func tryAll(t *testing.T, dir string, files map[string]string, settings Settings, hole map[string]any) {
	t.Helper()
	// Helm warns of values of another type than the chart's.
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	j := newJudge(t, dir, settings)
	defaults, err := util.CoalesceValues(j.chart.Loaded(), map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	if hole["image"] == nil {
		delete(defaults, "image") // each chart has it
	}
	reached := map[string]bool{}
	paths(defaults, nil, reached)
	paths(hole, nil, reached)
	tried := 0
	for _, path := range slices.Sorted(maps.Keys(reached)) {
		for _, value := range candidates(files) {
			for _, base := range []map[string]any{nil, hole} {
				values := clone(base).(map[string]any)
				put(values, strings.Split(path, "\x00"), value)
				tried++
				if said := j.of(values); len(said.denied) > 0 {
					t.Errorf("with %v: denied %q", values, said.denied)
				}
			}
		}
	}
	t.Logf("%d configurations", tried)
}

// paths collects the paths of values, of maps and of what is in them.
func paths(values map[string]any, above []string, into map[string]bool) {
	for key, value := range values {
		path := append(slices.Clone(above), key)
		into[strings.Join(path, "\x00")] = true
		if below, isMap := value.(map[string]any); isMap {
			paths(below, path, into)
		}
	}
}

// clone copies a value, all the way down.
func clone(value any) any {
	switch value := value.(type) {
	case map[string]any:
		copied := map[string]any{}
		for key, below := range value {
			copied[key] = clone(below)
		}
		return copied
	case []any:
		copied := make([]any, len(value))
		for i, below := range value {
			copied[i] = clone(below)
		}
		return copied
	}
	return value
}

var (
	quoted = regexp.MustCompile(`"[^"\n]*"`)
	digits = regexp.MustCompile(`\b[0-9]+\b`)
)

// candidates are values for any place: odd ones, and what the templates hold.
func candidates(files map[string]string) []any {
	entry := map[string]any{"name": "JANGAR_MIGRATIONS", "value": "auto"}
	found := []any{
		nil, "", true, false, []any{}, map[string]any{}, -1.0, 0.0, 1.0, 1000.0, "auto", "AUTO", " auto ", "[", "*",
		"skip\n              value: auto", `x", "y`, []any{entry}, map[string]any{"JANGAR_MIGRATIONS": "auto"},
		map[string]any{"JANGAR_MIGRATIONS": map[string]any{"a": "b"}}, map[string]any{"JANGAR_MIGRATIONS": nil},
		map[string]any{"JANGAR_MIGRATIONS": []any{}}, map[string]any{"controllers": map[string]any{"migrations": "auto"}},
	}
	words := map[string]bool{}
	for _, word := range quoted.FindAllString(templates(files), -1) {
		if text, err := strconv.Unquote(word); err == nil {
			words[text] = true
		}
	}
	for _, word := range slices.Sorted(maps.Keys(words)) {
		found = append(found, word, strings.ToUpper(word), "x-"+word, word+"-1", []any{word}, []any{"server", word}, map[string]any{word: true})
	}
	for _, number := range slices.Compact(slices.Sorted(slices.Values(digits.FindAllString(templates(files), -1)))) {
		if n, err := strconv.ParseFloat(number, 64); err == nil && n < 10000 {
			found = append(found, n-1, n, n+1, number, "v-"+number, number+".0.0")
		}
	}
	return found
}
