package version

import (
	"runtime/debug"
	"testing"
)

func TestOf(t *testing.T) {
	other := debug.Module{Path: "example.com/other", Version: "v9.9.9"}
	for _, test := range []struct {
		what, want string
		info       debug.BuildInfo
	}{
		{"the program itself", "v0.1.0", debug.BuildInfo{Main: debug.Module{Path: module, Version: "v0.1.0"}}},
		{"not stamped", unknown, debug.BuildInfo{Main: debug.Module{Path: module}}},
		{"linked", "v0.2.0", debug.BuildInfo{Main: other, Deps: []*debug.Module{&other, {Path: module, Version: "v0.2.0"}}}},
		{"linked from a folder", unknown, debug.BuildInfo{Main: other, Deps: []*debug.Module{
			{Path: module, Version: "v0.2.0", Replace: &debug.Module{Path: "../nevermigrate"}}}}},
		{"not linked", unknown, debug.BuildInfo{Main: other, Deps: []*debug.Module{&other}}},
	} {
		if got := of(&test.info); got != test.want {
			t.Errorf("%s: got %s, want %s", test.what, got, test.want)
		}
	}
}
