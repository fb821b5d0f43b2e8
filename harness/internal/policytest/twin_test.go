package policytest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/mode"
)

// TestContainersAgainstTheTwin compares the mode of a container by the rules
// with that by the package mode, which follows the kubelet's source and knows
// nothing of the rules. The rules are coarser where Rego cannot follow or need
// not: never is a mode given that the twin does not give.
func TestContainersAgainstTheTwin(t *testing.T) {
	prepared := prepare(t,
		"[found | some container in input.containers; found := data.lib.env.mode_of(container)]")
	random := rand.New(rand.NewPCG(11, 12))
	rules := mode.Defaults()
	equal := map[mode.Mode]int{}
	prefixed, deep := 0, 0
	rounds := lane.Rounds(t, 4, 15)
	for range rounds {
		containers := make([]any, 1000)
		for i := range containers {
			containers[i] = environment(random)
		}
		modes := evaluate(t, prepared, map[string]any{"containers": containers}).([]any)
		if len(modes) != len(containers) {
			t.Fatalf("%d containers gave %d modes", len(containers), len(modes))
		}
		for i, container := range containers {
			container := container.(map[string]any)
			twin := rules.Container(container)
			switch {
			case modes[i] == twin.Mode.String():
				equal[twin.Mode]++
			case modes[i] == "unknown" && hasPrefix(container):
				// The rules do not look at the prefix of a source.
				prefixed++
			case modes[i] == "unknown" && strings.Count(written(t, container), "$(") > 3:
				// The rules follow three references, one behind the other.
				deep++
			default:
				t.Errorf("%s: the rules say %s, the twin %s: %s", written(t, container), modes[i], twin.Mode, twin.Reason)
			}
		}
	}
	t.Logf("%d containers: both say skip for %d, auto for %d, unknown for %d; the rules alone say unknown for %d with a prefix, for %d with many references",
		rounds*1000, equal[mode.Skip], equal[mode.Auto], equal[mode.Unknown], prefixed, deep)
	for _, count := range []int{equal[mode.Skip], equal[mode.Auto], equal[mode.Unknown], prefixed, deep} {
		if count < 20 {
			t.Error("some outcome is too rare for this to mean anything")
		}
	}
}

// environment gives a container whose variables refer to each other, come from
// elsewhere, or have the wrong type.
func environment(random *rand.Rand) map[string]any {
	names := []string{"JANGAR_MIGRATIONS", "JANGAR_MIGRATIONS", "A", "B", "C", "DB_X", ""}
	values := []any{
		"skip", "Off ", "auto", "", "$(A)", "$(B)", "$(C)", "$(A)$(B)", "$(DB_X)", " $(A)", "$$(A)", "$$", "$(", "$(A", "s$(C)p", "ki",
		"$()", "$(JANGAR_MIGRATIONS)", "$x", "$\u00e9", "a)$(A)", "$$$(A)", nil,
	}
	env := []any{}
	for range random.IntN(9) {
		entry := map[string]any{"name": oneOf(random, names), "value": oneOf(random, values)}
		switch random.IntN(40) {
		case 0:
			entry["valueFrom"] = map[string]any{"secretKeyRef": map[string]any{"name": "s", "key": "k"}}
		case 1:
			entry["value"] = oneOf(random, []any{0, 1.5, false, []any{}, map[string]any{}})
		case 2:
			entry["valueFrom"] = oneOf(random, []any{map[string]any{}, "x", nil, false})
		case 3:
			delete(entry, "value")
		}
		env = append(env, entry)
	}
	if random.IntN(30) == 0 {
		env = chain(random.IntN(8))
	}
	container := map[string]any{"name": "controllers", "env": env}
	if random.IntN(6) == 0 {
		container["envFrom"] = oneOf(random, []any{
			[]any{}, nil, "x", []any{nil}, []any{map[string]any{}},
			[]any{map[string]any{"configMapRef": map[string]any{"name": "c"}}},
			[]any{map[string]any{"prefix": "DB_", "secretRef": map[string]any{"name": "c"}}},
			[]any{map[string]any{"prefix": "JANGAR", "secretRef": map[string]any{"name": "c"}}},
		})
	}
	if random.IntN(60) == 0 {
		container["env"] = oneOf(random, []any{nil, "x", map[string]any{}, []any{"x"}, []any{nil}, []any{map[string]any{"name": 5}}})
	}
	return container
}

// chain gives variables each of which refers to the one before.
func chain(length int) []any {
	env := []any{map[string]any{"name": "V0", "value": "skip"}}
	for i := range length {
		env = append(env, map[string]any{"name": fmt.Sprintf("V%d", i+1), "value": fmt.Sprintf("$(V%d)", i)})
	}
	return append(env, map[string]any{"name": "JANGAR_MIGRATIONS", "value": fmt.Sprintf("$(V%d)", length)})
}

func hasPrefix(container map[string]any) bool {
	sources, _ := container["envFrom"].([]any)
	return slices.ContainsFunc(sources, func(source any) bool {
		fields, _ := source.(map[string]any)
		return fields["prefix"] != nil
	})
}

func oneOf[T any](random *rand.Rand, choices []T) T {
	return choices[random.IntN(len(choices))]
}

func written(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestParametersAgainstTheTwin requires that the package mode refuses in
// envVar and skipValues what the rules refuse, at the same places, and that
// both read the same rules from what they accept.
func TestParametersAgainstTheTwin(t *testing.T) {
	prepared := prepare(t, `[found |
		some parameters in input.all
		found := {
			"problems": [problem.path | some problem in data.lib.parameters.problems],
			"envVar": data.lib.parameters.env_var,
			"skipValues": data.lib.parameters.skip_values,
			"plain": data.lib.parameters.plain_skip,
		} with input as {"review": {"object": {}}, "parameters": parameters}
	]`)
	var all []any
	for _, name := range []any{"JANGAR_MIGRATIONS", "a.b-c_D1", "", "1A", "A B", "A=B", "A\n", "É", "$(A)", nil, 5, true, []any{}, map[string]any{}} {
		all = append(all, map[string]any{"envVar": name})
	}
	for _, values := range []any{nil, "skip", 5, []any{}, map[string]any{}, []any{nil}, []any{"skip", false, 0, "", "auto"}} {
		all = append(all, map[string]any{"skipValues": values})
	}
	for point := range 0x250 {
		odd := string(rune(point))
		for _, value := range []string{odd, odd + "skip", "skip" + odd, "sk" + odd + "p"} {
			all = append(all, map[string]any{"envVar": value, "skipValues": []any{"no", value}})
		}
	}
	for _, value := range []string{"", "auto", "AUTO", "auto ", "Skip", "never again", "$(X)", "a,b", "\u212a", "none"} {
		all = append(all, map[string]any{"skipValues": []any{value}})
	}
	all = append(all, map[string]any{}, map[string]any{"envVar": "X", "skipValues": []any{"none", "skip"}})

	place := regexp.MustCompile(`(?m)(?:^|: )(envVar|skipValues(?:\[\d+\])?): `)
	accepted, refused := 0, 0
	for i, found := range evaluate(t, prepared, map[string]any{"all": all}).([]any) {
		theirs := found.(map[string]any)
		var paths []string
		for _, path := range theirs["problems"].([]any) {
			paths = append(paths, strings.TrimPrefix(path.(string), "spec.parameters."))
		}
		rules, err := mode.FromParameters(all[i].(map[string]any))
		if len(paths) == 0 {
			accepted++
			ours := map[string]any{"problems": []any{}, "envVar": rules.Variable, "plain": rules.Plain(), "skipValues": []any{}}
			for _, value := range rules.SkipValues {
				ours["skipValues"] = append(ours["skipValues"].([]any), value)
			}
			if got, want := written(t, ours), written(t, theirs); err != nil || got != want {
				t.Errorf("%s: the rules read\n%s\nthe twin\n%s (%v)", written(t, all[i]), want, got, err)
			}
			continue
		}
		refused++
		var ours []string
		for _, match := range place.FindAllStringSubmatch(fmt.Sprint(err), -1) {
			ours = append(ours, match[1])
		}
		if !slices.Equal(ours, paths) {
			t.Errorf("%s: the rules refuse %v, the twin %v (%v)", written(t, all[i]), paths, ours, err)
		}
	}
	t.Logf("%d parameters compared: both accept %d, both refuse %d", len(all), accepted, refused)
	if accepted < 100 || refused < 100 {
		t.Error("too few of one outcome for this to mean anything")
	}
}
