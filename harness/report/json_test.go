package report

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

func TestReadReadsWhatWriteJSONWrites(t *testing.T) {
	hostile := "\u202e\U000e0001\x1b[31m</script>\n\u2028"
	want := New([]Target{{Path: hostile, Findings: []Finding{{Code: "CNM002", Severity: Deny, Message: hostile, Causes: []Cause{{Value: hostile, Layer: Patch}}, Fix: &Fix{}}},
		Workloads: []Workload{{Name: hostile, Role: Controllers, Containers: []Container{{Name: "main", Mode: Unknown}}}}}})
	want.Shard = &Shard{Index: 1, Count: 2, Targets: 14, Arguments: []string{"apps"}, Constraints: []ShardConstraint{{Name: "first"}}}
	var text bytes.Buffer
	if err := want.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	for _, c := range text.String() {
		if c != '\n' && !unicode.IsPrint(c) {
			t.Errorf("it holds the character %q", c)
		}
	}
	got, err := Read(&text)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("want (-), got (+):\n%s", difference)
	}
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "EOF",
		"kind: Pod":                 "no report",
		`{"version":1,"verdict":1}`: `unknown field "verdict"`,
		`{"version":2}`:             "it has version 2, and this program reads version 1",
		`{}`:                        "it has version 0",
		`{"version":1}{}`:           "there is more after it",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}
