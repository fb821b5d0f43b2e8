// Package version tells which version of nevermigrate a program is or links: one
// answer for the command line, for reports and for releases. It is what Go stamped in,
// so that a release and `go install` at its tag say the same version.
package version

import (
	"runtime/debug"
	"slices"
	"strings"
)

// module is the path of this module.
const module = "github.com/proompteng/nevermigrate"

// unknown is the version of what Go has not stamped, as Go itself calls it.
const unknown = "(devel)"

// Stamp is what Go stamped into a program about this module.
type Stamp struct {
	// Version is a tag, a pseudo-version, or "(devel)".
	Version string
	// Commit and Date are the commit that the program was built of in a clone, and
	// its time by RFC 3339. They are empty when it was not built in a clone: what the
	// version names is then the one thing that is known.
	Commit, Date string
}

// String is the version, and below it a line each for the commit and its time, where
// they are known. It ends with a line feed.
func (s Stamp) String() string {
	var b strings.Builder
	b.WriteString(s.Version + "\n")
	if s.Commit != "" {
		b.WriteString("commit " + s.Commit + "\n")
	}
	if s.Date != "" {
		b.WriteString("date " + s.Date + "\n")
	}
	return b.String()
}

// Program is what Go stamped into this program.
func Program() Stamp {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Stamp{Version: unknown}
	}
	return of(info)
}

func of(info *debug.BuildInfo) Stamp {
	stamped := &info.Main
	if stamped.Path != module {
		i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == module })
		if i < 0 {
			return Stamp{Version: unknown}
		}
		if stamped = info.Deps[i]; stamped.Replace != nil {
			stamped = stamped.Replace
		}
	}
	s := Stamp{Version: stamped.Version}
	if s.Version == "" {
		s.Version = unknown
	}
	// The commit that is stamped is that of the program, so it says nothing of a
	// module that is linked.
	if stamped != &info.Main {
		return s
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			s.Commit = setting.Value
		case "vcs.time":
			s.Date = setting.Value
		}
	}
	return s
}

// Modules are the versions of the modules that are linked in, by their paths.
func Modules() map[string]string {
	modules := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			modules[m.Path] = m.Version
		}
	}
	return modules
}
