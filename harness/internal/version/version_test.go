package version

import (
	"runtime/debug"
	"testing"
)

func TestOf(t *testing.T) {
	const commit, date = "0123456789abcdef0123456789abcdef01234567", "2026-11-28T06:33:00Z"
	other := debug.Module{Path: "example.com/other", Version: "v9.9.9"}
	clone := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: commit}, {Key: "vcs.time", Value: date}, {Key: "vcs.modified", Value: "false"}}
	for _, test := range []struct {
		what string
		want Stamp
		text string
		info debug.BuildInfo
	}{
		{"installed from its module", Stamp{Version: "v0.1.0"}, "v0.1.0\n", debug.BuildInfo{Main: debug.Module{Path: module, Version: "v0.1.0"}}},
		{"built in a clone at the tag", Stamp{"v0.1.0", commit, date}, "v0.1.0\ncommit " + commit + "\ndate " + date + "\n",
			debug.BuildInfo{Main: debug.Module{Path: module, Version: "v0.1.0"}, Settings: clone}},
		{"not stamped", Stamp{Version: unknown}, unknown + "\n", debug.BuildInfo{Main: debug.Module{Path: module}}},
		{"linked", Stamp{Version: "v0.2.0"}, "v0.2.0\n",
			debug.BuildInfo{Main: other, Deps: []*debug.Module{&other, {Path: module, Version: "v0.2.0"}}, Settings: clone}},
		{"linked from a folder", Stamp{Version: unknown}, unknown + "\n", debug.BuildInfo{Main: other, Deps: []*debug.Module{
			{Path: module, Version: "v0.2.0", Replace: &debug.Module{Path: "../nevermigrate"}}}}},
		{"not linked", Stamp{Version: unknown}, unknown + "\n", debug.BuildInfo{Main: other, Deps: []*debug.Module{&other}}},
	} {
		got := of(&test.info)
		if got != test.want || got.String() != test.text {
			t.Errorf("%s: got %+v and %q, want %+v and %q", test.what, got, got.String(), test.want, test.text)
		}
	}
}
