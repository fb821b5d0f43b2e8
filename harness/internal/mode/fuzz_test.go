package mode_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dop251/goja"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
)

// FuzzResolve requires of any value: what is skip here is skip for the service,
// whose own code runs beside it; and of ASCII that both say the same.
func FuzzResolve(f *testing.F) {
	for _, value := range []string{"skip", " SKIP\t", "Disabled", "FALSE", "0", "off", "auto", "", "\ufeffskip", "\u0085skip", "s\u212aip", "\u0130", "\u00a0off\u2029", "\x00skip", "skip\x00", "0.0", "-0"} {
		f.Add(value)
	}
	vm := goja.New()
	compiled, err := vm.RunString(`(function (value) {
	if (value === undefined || value === null || value === "") return "auto";
	return ["skip", "disabled", "false", "0", "off"].includes(value.trim().toLowerCase()) ? "skip" : "auto";
})`)
	if err != nil {
		f.Fatal(err)
	}
	service, ok := goja.AssertFunction(compiled)
	if !ok {
		f.Fatal("the resolver is no function")
	}
	rules := mode.Defaults()
	f.Fuzz(func(t *testing.T, value string) {
		if !utf8.ValidString(value) {
			// No manifest can hold it; a process may have it in its environment.
			if got := rules.Resolve(value, true); got != mode.Auto {
				t.Errorf("%q: got %s, want auto", value, got)
			}
			return
		}
		resolved, err := service(goja.Undefined(), vm.ToValue(value))
		if err != nil {
			t.Fatal(err)
		}
		want, got := mode.Mode(resolved.String()), rules.Resolve(value, true)
		ascii := !strings.ContainsFunc(value, func(c rune) bool { return c > 0x7f })
		if got == mode.Skip && want != mode.Skip || ascii && got != want {
			t.Errorf("%q: got %s, and the service says %s", value, got, want)
		}
		if got := rules.Resolve(value, false); got != mode.Auto {
			t.Errorf("%q, not set: got %s, want auto", value, got)
		}
	})
}

// FuzzContainer requires of any container: no panic, and skip only when the
// variable is declared by an entry whose text can mean that.
func FuzzContainer(f *testing.F) {
	for _, container := range []string{
		`{}`, `{"env": null}`, `{"env": [{"name": "JANGAR_MIGRATIONS", "value": "skip"}]}`,
		`{"env": [{"name": "A", "value": "sk"}, {"name": "JANGAR_MIGRATIONS", "value": "$(A)ip"}]}`,
		`{"env": [{"name": "A", "value": "$(A)$(A)"}, {"name": "JANGAR_MIGRATIONS", "value": "$$(A)"}]}`,
		`{"envFrom": [{"prefix": "JANGAR_"}], "env": [{"name": "JANGAR_MIGRATIONS", "value": "$(JANGAR_X)"}]}`,
		`{"env": [{"name": "JANGAR_MIGRATIONS", "value": "skip", "valueFrom": {"x": 1}}]}`,
		`{"env": [{"name": "JANGAR_MIGRATIONS", "value": false}, 1]}`, `{"env": {"JANGAR_MIGRATIONS": "skip"}}`,
		`{"env": [{"name": "JANGAR_MIGRATIONS", "value": "auto"}, {"name": "JANGAR_MIGRATIONS", "value": "skip"}], "envFrom": "x"}`,
	} {
		f.Add([]byte(container))
	}
	rules := mode.Defaults()
	f.Fuzz(func(t *testing.T, text []byte) {
		var container map[string]any
		if json.Unmarshal(text, &container) != nil {
			return
		}
		got := rules.Container(container)
		if !slices.Contains([]mode.Mode{mode.Skip, mode.Auto, mode.Unknown}, got.Mode) || got.Reason == "" {
			t.Errorf("%s: %+v", text, got)
		}
		if got.Mode != mode.Skip {
			return
		}
		entries, _ := container["env"].([]any)
		declared := slices.ContainsFunc(entries, func(entry any) bool {
			fields, _ := entry.(map[string]any)
			value, _ := fields["value"].(string)
			return fields["name"] == rules.Variable && fields["valueFrom"] == nil &&
				(rules.Resolve(value, true) == mode.Skip || strings.Contains(value, "$("))
		})
		if !declared || got.Declarations == 0 {
			t.Errorf("%s is skip by %+v, and nothing in it says so", text, got)
		}
	})
}

// FuzzExpand requires of any text that references end: the result is bounded,
// and a text without references stays as it is.
func FuzzExpand(f *testing.F) {
	for _, text := range []string{"", "a", "$", "$$", "$(A)", "$$(A)", "$(", "$(B)", "$(A)$(A)", "a$\xffb", "$()", "$x"} {
		f.Add(text, "text")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		got, ok := mode.Expand(text, func(name string) (string, bool) { return value, name == "A" })
		if len(got) > 128<<10 {
			t.Errorf("%d bytes", len(got))
		}
		if !strings.Contains(text, "$") && len(text) <= 128<<10 && (got != text || !ok) {
			t.Errorf("%q became %q, %v", text, got, ok)
		}
	})
}
