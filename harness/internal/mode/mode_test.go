package mode_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
)

// The values of the service are compared with JavaScript beside the policy,
// which has the corpus; these are the turning points.
func TestResolve(t *testing.T) {
	renamed := mode.Rules{Variable: "X", SkipValues: []string{"never again"}}
	broken := mode.Rules{SkipValues: []string{""}}
	for _, test := range []struct {
		rules mode.Rules
		value string
		set   bool
		want  mode.Mode
	}{
		{mode.Defaults(), "", false, mode.Auto},
		{mode.Defaults(), "skip", false, mode.Auto},
		{mode.Defaults(), "", true, mode.Auto},
		{mode.Defaults(), " ", true, mode.Auto},
		{mode.Defaults(), "auto", true, mode.Auto},
		{mode.Defaults(), "skip", true, mode.Skip},
		{mode.Defaults(), "\ufeff SKIP\u2029", true, mode.Skip},
		{mode.Defaults(), "Disabled", true, mode.Skip},
		{mode.Defaults(), "FALSE", true, mode.Skip},
		{mode.Defaults(), "0", true, mode.Skip},
		{mode.Defaults(), "off", true, mode.Skip},
		{mode.Defaults(), "no", true, mode.Auto},
		{mode.Defaults(), "\u0085skip", true, mode.Auto},
		{mode.Defaults(), "s\u212aip", true, mode.Auto},
		{mode.Defaults(), "\xffskip", true, mode.Auto},
		{mode.Defaults(), "skip\xe2\x80", true, mode.Auto},
		{mode.Defaults(), strings.Repeat(" ", 1<<17) + "skip", true, mode.Skip},
		{renamed, "Never Again", true, mode.Skip},
		{renamed, "skip", true, mode.Auto},
		{mode.Rules{}, "skip", true, mode.Auto},
		{broken, "", true, mode.Auto},
	} {
		if got := test.rules.Resolve(test.value, test.set); got != test.want {
			t.Errorf("%v: %.40q, set %v: got %s, want %s", test.rules, test.value, test.set, got, test.want)
		}
	}
}

func TestModeAsReportsWriteIt(t *testing.T) {
	got, err := json.Marshal([]mode.Mode{mode.Skip, mode.Auto, mode.Unknown})
	if err != nil || string(got) != `["skip","auto","unknown"]` {
		t.Errorf("got %s, %v", got, err)
	}
	if mode.Unknown.String() != "unknown" {
		t.Errorf("got %s", mode.Unknown)
	}
}

func TestFromParameters(t *testing.T) {
	for _, test := range []struct {
		parameters map[string]any
		want       mode.Rules
		err        string
	}{
		{nil, mode.Defaults(), ""},
		{map[string]any{"controllers": 5}, mode.Defaults(), ""},
		{map[string]any{"envVar": "X", "skipValues": []any{"no", "skip"}}, mode.Rules{Variable: "X", SkipValues: []string{"no", "skip"}}, ""},
		{map[string]any{"envVar": "a.B-1", "skipValues": []any{"never again", "~"}}, mode.Rules{Variable: "a.B-1", SkipValues: []string{"never again", "~"}}, ""},
		{map[string]any{"envVar": nil, "skipValues": nil}, mode.Rules{}, "read parameters: envVar: null where a string is expected\n" +
			"skipValues: null where a list of strings is expected"},
		{map[string]any{"envVar": "", "skipValues": []any{}}, mode.Rules{}, "read parameters: envVar: \"\" cannot be the name of an environment variable: use letters, digits, _, - and . only, and do not start with a digit\n" +
			"skipValues: empty: name at least one, or leave it out to use the default"},
		{map[string]any{"skipValues": []any{"skip", false, 0}}, mode.Rules{}, "read parameters: skipValues[1]: a boolean where a string is expected: write it in quotes\n" +
			"skipValues[2]: a number where a string is expected: write it in quotes"},
		{map[string]any{"envVar": "A=B", "skipValues": []any{"", "Skip", "auto", "a$", "\u001b[31m"}}, mode.Rules{}, "read parameters: envVar: \"A=B\" cannot be the name of an environment variable: use letters, digits, _, - and . only, and do not start with a digit\n" +
			"skipValues[0]: an empty string: remove the entry or write what it stands for\n" +
			"skipValues[1]: no value of the service is compared with \"Skip\": write skip values in lower case, in ASCII, without $ and without white space around them\n" +
			"skipValues[2]: \"auto\" makes the service migrate: remove the entry\n" +
			"skipValues[3]: no value of the service is compared with \"a$\": write skip values in lower case, in ASCII, without $ and without white space around them\n" +
			"skipValues[4]: no value of the service is compared with \"\\x1b[31m\": write skip values in lower case, in ASCII, without $ and without white space around them"},
	} {
		got, err := mode.FromParameters(test.parameters)
		message := ""
		if err != nil {
			message = err.Error()
		}
		if diff := cmp.Diff([]any{test.want, test.err}, []any{got, message}); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.parameters, diff)
		}
	}
}

func TestPlain(t *testing.T) {
	for want, values := range map[string][]string{
		"skip": {"off", "skip"},
		"no":   {"no", "never"},
	} {
		if got := (mode.Rules{SkipValues: values}).Plain(); got != want {
			t.Errorf("%v: got %q, want %q", values, got, want)
		}
	}
}

// The cases are those of the package in Kubernetes, and what it does with bytes
// that are no characters.
func TestExpand(t *testing.T) {
	variables := map[string]string{"VAR_A": "A", "VAR_B": "B", "VAR_REF": "$(VAR_A)", "VAR_EMPTY": ""}
	for text, want := range map[string]string{
		"":                         "",
		"foo":                      "foo",
		"$(VAR_A)":                 "A",
		"___$(VAR_B)___":           "___B___",
		"$(VAR_REF)":               "$(VAR_A)",
		"foo$(VAR_EMPTY)bar":       "foobar",
		"$(VAR_DNE)":               "$(VAR_DNE)",
		"$$(VAR_A)":                "$(VAR_A)",
		"$$$(VAR_A)":               "$A",
		"$$$$$$$(VAR_A)":           "$$$A",
		"$(VAR_A)$$(VAR_B)":        "A$(VAR_B)",
		"foo\\$(VAR_A)bar":         "foo\\Abar",
		"f000-$VAR_A":              "f000-$VAR_A",
		"$$$":                      "$$",
		"$":                        "$",
		"foo$":                     "foo$",
		"$(":                       "$(",
		"foo$(bar":                 "foo$(bar",
		"$(VAR_A":                  "$(VAR_A",
		"$(VAR_A)$(VAR_B":          "A$(VAR_B",
		"$()":                      "$()",
		"$(VAR_A))":                "A)",
		"$($(VAR_A))":              "$($(VAR_A))",
		"$?_boo_$(VAR_A)":          "$?_boo_A",
		"$(VAR_\n)$(VAR_A)":        "$(VAR_\n)A",
		"\u00e9$(VAR_A)":           "\u00e9A",
		"$\u00e9":                  "$\u00c3\xa9",
		strings.Repeat("x", 10000): strings.Repeat("x", 10000),
	} {
		got, ok := mode.Expand(text, func(name string) (string, bool) {
			value, defined := variables[name]
			return value, defined
		})
		if got != want || !ok {
			t.Errorf("%q: got %q, %v, want %q", text, got, ok, want)
		}
	}
}

func TestExpandStopsAtWhatAProcessCanBeGiven(t *testing.T) {
	long := strings.Repeat("x", 128<<10)
	value := func(string) (string, bool) { return long, true }
	if got, ok := mode.Expand("$(A)", value); got != long || !ok {
		t.Errorf("got %d bytes, %v", len(got), ok)
	}
	for _, text := range []string{"$(A)x", "x$(A)", strings.Repeat("$(A)", 1<<20)} {
		if _, ok := mode.Expand(text, value); ok {
			t.Errorf("%.20q became too long and was not refused", text)
		}
	}
}

func TestErrorsCanBeAskedFor(t *testing.T) {
	_, err := mode.FromParameters(map[string]any{"envVar": "", "skipValues": []any{}})
	joined, ok := errors.Unwrap(err).(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 2 {
		t.Errorf("got %v, not two errors", err)
	}
}
