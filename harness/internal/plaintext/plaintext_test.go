package plaintext

import (
	"bytes"
	"testing"
)

func TestTextIsNothingButText(t *testing.T) {
	for _, test := range []struct{ what, got, want string }{
		{"control characters", Line("a\x1b[2J\nb\u202e"), `a\x1b[2J\nb\u202e`},
		{"commands to a log", Line("##[error]x ##vso[task.complete]"), "# #[error]x # #vso[task.complete]"},
		{"quotes", Quoted("\"##[a\x00"), `"\"# #[a\x00"`},
		{"lines", Lines("\n a\r\n\tb \n\n::error::c\n  ::warning::d\n"), "a\n    b\n\n: :error::c\n  : :warning::d"},
		{"indented lines", Indented("a\nb", 2), "a\n  b"},
		{"a cut in a character", Cut("aä", 2), "a…"},
		{"nothing to cut", Cut("aä", 3), "aä"},
		{"one", Count(1, "target"), "1 target"},
		{"none", Count(0, "target"), "0 targets"},
		{"a sentence", UpperFirst("über"), "Über"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %q, want %q", test.what, test.got, test.want)
		}
	}
}

func TestColumns(t *testing.T) {
	for leftOut, want := range map[string]string{
		"":  "  A   B  C\n  aa     c\n  a\n",
		"B": "  A   C\n  aa  c\n  a\n",
		"C": "  A  B\n  aa\n  a\n",
	} {
		var b bytes.Buffer
		WriteColumns(&b, [][]string{{"A", "B", "C"}, {"aa", "", "c"}, {"a", "", ""}}, leftOut)
		if b.String() != want {
			t.Errorf("without %q: got %q, want %q", leftOut, b.String(), want)
		}
	}
}

func TestJSONShowsNothingUnseen(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJSON(&b, "<\u202e\U000e0001\x1b"); err != nil {
		t.Fatal(err)
	}
	if want := "\"<\\u202e\\udb40\\udc01\\u001b\"\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
