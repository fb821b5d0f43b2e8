package policytest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dop251/goja"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/mode"
)

// service is the resolver of the service, in the language of the service.
const service = `
(function (values) {
	const skip = ["skip", "disabled", "false", "0", "off"];
	return values.map(function (value) {
		if (value === undefined || value === null || value === "") return "auto";
		return skip.includes(value.trim().toLowerCase()) ? "skip" : "auto";
	});
})`

// TestModeAgainstJavaScript compares the mode rule, and its twin in Go, with the
// service's own resolver: never laxer for any string, and equal for ASCII. The
// rule and its twin are equal for all.
func TestModeAgainstJavaScript(t *testing.T) {
	words := []string{"skip", "disabled", "false", "0", "off"}
	values := append(lane.Part(t, points(words), 101), mixtures(words, lane.Rounds(t, 10_000, 200_000))...)
	prepared := prepare(t, "[mode | some value in input.values; mode := data.lib.mode.of(value)]")

	vm := goja.New()
	compiled, err := vm.RunString(service)
	if err != nil {
		t.Fatalf("compile the resolver: %v", err)
	}
	resolve, ok := goja.AssertFunction(compiled)
	if !ok {
		t.Fatal("the resolver is no function")
	}

	twin := mode.Defaults()
	agreed, stricter := 0, 0
	for chunk := range slices.Chunk(values, 100_000) {
		resolved, err := resolve(goja.Undefined(), vm.ToValue(chunk))
		if err != nil {
			t.Fatalf("run the resolver: %v", err)
		}
		var theirs []string
		if err := vm.ExportTo(resolved, &theirs); err != nil {
			t.Fatalf("read the modes: %v", err)
		}
		ours := evaluate(t, prepared, map[string]any{"values": chunk}).([]any)
		if len(ours) != len(chunk) || len(theirs) != len(chunk) {
			t.Fatalf("%d values gave %d and %d modes", len(chunk), len(ours), len(theirs))
		}
		for i, value := range chunk {
			if got := twin.Resolve(value, true); ours[i] != got.String() {
				t.Errorf("%q: the rule says %s, its twin in Go %s", value, ours[i], got)
			}
			switch {
			case ours[i] == theirs[i] && ours[i] == "skip":
				agreed++
			case ours[i] == theirs[i]:
			case ours[i] == "skip":
				t.Errorf("%q: the rule says skip, the service migrates", value)
			case ascii(value):
				t.Errorf("%q: the rule says auto, the service skips", value)
			default:
				stricter++
			}
		}
	}
	t.Logf("%d strings, both skip for %d, the rule and its twin are stricter for %d", len(values), agreed, stricter)
	// The Kelvin sign lower-cases to k in JavaScript. If nothing was stricter,
	// or nothing skipped, the comparison did not run as meant.
	if agreed < 1000 || stricter == 0 {
		t.Errorf("both skip for %d strings, stricter for %d: too few", agreed, stricter)
	}
}

// points gives each code point of Unicode around and inside the words. Beyond the
// basic plane one word stands for all, for there are a million code points.
func points(words []string) []string {
	var values []string
	for point := range utf8.MaxRune + 1 {
		odd := string(point)
		switch {
		case !utf8.ValidRune(point): // A surrogate cannot stand in YAML or JSON.
		case point <= 0xffff:
			values = append(values, around(odd, words)...)
		default:
			values = append(values, odd+"skip"+odd, "sk"+odd+"p")
		}
	}
	return values
}

// around gives a text around and inside the words, and in place of letters.
func around(odd string, words []string) []string {
	values := []string{odd, "sk" + odd + "p", "s" + odd + "ip", odd + "ff", "di" + odd + "abled"}
	for _, word := range words {
		values = append(values, odd+word, word+odd, word[:1]+odd+word[1:])
	}
	return values
}

// mixtures gives each mixture of cases of the words, the words with what is odd
// in them, and so many random strings.
func mixtures(words []string, count int) []string {
	var values []string
	for _, word := range words {
		for mask := range 1 << len(word) {
			mixed := []byte(word)
			for i := range mixed {
				if mask>>i&1 == 1 {
					mixed[i] = strings.ToUpper(word)[i]
				}
			}
			values = append(values, string(mixed), " "+string(mixed)+"\r\n", "\ufeff"+string(mixed)+"\u2003")
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	pieces := append([]string{
		" ", "\t", "\n", "\v", "\f", "\r", "\u0085", "\u00a0", "\u180e", "\u200b", "\u2028", "\u3000", "\ufeff", "\x00",
		"\u212a", "\u0130", "\u017f", "S", "K", "I", "P", "s", "k", "i", "p", "o", "f", "F", "auto", "\"", "$", "\u0307",
	}, words...)
	for _, piece := range pieces {
		values = append(values, around(piece, words)...)
	}
	for range count {
		var value strings.Builder
		for range random.IntN(6) {
			value.WriteString(pieces[random.IntN(len(pieces))])
		}
		values = append(values, value.String())
	}
	return values
}

func ascii(value string) bool {
	return !strings.ContainsFunc(value, func(point rune) bool { return point >= utf8.RuneSelf })
}
