// Package version tells which version of nevermigrate a program is or links: one
// answer for the command line, for reports and for bundles.
package version

import (
	"runtime/debug"
	"slices"
)

// module is the path of this module.
const module = "github.com/proompteng/nevermigrate"

// unknown is the version of what Go has not stamped, as Go itself calls it.
const unknown = "(devel)"

// Program is the version of this module as Go stamped it into the program: a tag, a
// pseudo-version, or "(devel)".
func Program() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unknown
	}
	return of(info)
}

func of(info *debug.BuildInfo) string {
	stamped := &info.Main
	if stamped.Path != module {
		i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == module })
		if i < 0 {
			return unknown
		}
		if stamped = info.Deps[i]; stamped.Replace != nil {
			stamped = stamped.Replace
		}
	}
	if stamped.Version == "" {
		return unknown
	}
	return stamped.Version
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
