package policytest

import (
	"encoding/json"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
)

// FuzzParameters requires of any parameters: the policy and the package mode
// accept the same variable and skip values, and neither panics.
func FuzzParameters(f *testing.F) {
	for _, parameters := range []string{
		`{}`, `{"envVar": "AGENTS_MIGRATIONS"}`, `{"envVar": ""}`, `{"envVar": 1}`, `{"envVar": null}`, `{"envVar": "1A"}`, `{"envVar": "A\n"}`, `{"envVar": "a.B-1"}`,
		`{"skipValues": []}`, `{"skipValues": ["skip", "never again"]}`, `{"skipValues": ["Skip"]}`, `{"skipValues": ["auto"]}`, `{"skipValues": [" a"]}`,
		`{"skipValues": "skip"}`, `{"skipValues": [false]}`, `{"skipValues": ["a$"]}`, `{"skipValues": ["s\u212aip"]}`, `{"skipValues": null}`, `{"skipValues": ["~"]}`,
	} {
		f.Add([]byte(parameters))
	}
	prepared := prepare(f, "[p | some p in data.lib.parameters.problems]")
	f.Fuzz(func(t *testing.T, text []byte) {
		var all map[string]any
		if json.Unmarshal(text, &all) != nil {
			return
		}
		// The others say nothing about the mode.
		parameters := map[string]any{}
		for _, key := range []string{"envVar", "skipValues"} {
			if value, ok := all[key]; ok {
				parameters[key] = value
			}
		}
		problems := evaluate(t, prepared, map[string]any{"review": map[string]any{"object": map[string]any{}}, "parameters": parameters}).([]any)
		if _, err := mode.FromParameters(parameters); (err == nil) != (len(problems) == 0) {
			t.Errorf("%s: the policy finds %v, the package mode %v", text, problems, err)
		}
	})
}
