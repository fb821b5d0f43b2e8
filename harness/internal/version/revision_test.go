package version

import (
	"runtime/debug"
	"testing"
)

func TestRevisionOf(t *testing.T) {
	const hash = "0123456789abcdef0123456789abcdef01234567"
	built := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Path: module, Version: version}, Settings: settings}
	}
	commit, clean := debug.BuildSetting{Key: "vcs.revision", Value: hash}, debug.BuildSetting{Key: "vcs.modified", Value: "false"}
	changed := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for _, test := range []struct {
		what, want string
		info       *debug.BuildInfo
	}{
		{"from a clone, at a tag", hash, built("v0.1.0", commit, clean)},
		{"from a clone, between tags", hash, built("v0.1.1-0.20261128050000-0123456789ab", commit, clean)},
		{"from changed files", "", built("v0.1.1-0.20261128050000-0123456789ab+dirty", commit, changed)},
		{"from changed files, at a tag", "", built("v0.1.0+dirty", commit, changed)},
		{"from the module proxy, a tag", "v0.1.0", built("v0.1.0")},
		{"from the module proxy, a tag before a version", "v0.2.0-rc.1", built("v0.2.0-rc.1")},
		{"from the module proxy, a commit", "", built("v0.0.0-20261128050000-0123456789ab")},
		{"not stamped", "", built("")},
		{"linked into another program", "v0.2.0", &debug.BuildInfo{
			Main:     debug.Module{Path: "example.com/other", Version: "v9.9.9"},
			Deps:     []*debug.Module{{Path: module, Version: "v0.2.0"}},
			Settings: []debug.BuildSetting{commit, clean},
		}},
	} {
		if got := revisionOf(test.info); got != test.want {
			t.Errorf("%s: got %q, want %q", test.what, got, test.want)
		}
	}
}

func TestIsRevision(t *testing.T) {
	for text, want := range map[string]bool{
		"0123456789abcdef0123456789abcdef01234567":                         true,
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef": true,
		"v1.2.3": true, "v1.2.3-rc.1": true,
		"": false, "main": false, "v1": false, "1.2.3": false, "0123456789ab": false, "0123456789ABCDEF0123456789ABCDEF01234567": false,
		"v1.2.3+dirty": false, "v0.0.0-20261128050000-0123456789ab": false, "v1.2.3\nx": false, "v1.2.3 # x": false,
	} {
		if got := IsRevision(text); got != want {
			t.Errorf("IsRevision(%q) = %t, want %t", text, got, want)
		}
	}
}
