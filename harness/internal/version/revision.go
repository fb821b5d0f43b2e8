package version

import (
	"regexp"
	"runtime/debug"
)

var (
	// tagPattern is a version that is a tag, and pseudoPattern one that is none: Go makes
	// it of a time and the beginning of a hash.
	tagPattern    = regexp.MustCompile(`\Av[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?\z`)
	pseudoPattern = regexp.MustCompile(`[-.][0-9]{14}-[0-9a-f]{12}\z`)
	hashPattern   = regexp.MustCompile(`\A(?:[0-9a-f]{40}|[0-9a-f]{64})\z`)
)

// Revision is what this program was made from, so that others can take the same: the
// whole hash of a commit or else a tag. It is empty when neither is known, as of a
// program that was made from changed files.
func Revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return revisionOf(info)
}

// IsRevision reports whether a text is the whole hash of a commit or a tag of a version.
// Nobody can move the one, and the other is not moved.
func IsRevision(text string) bool {
	return hashPattern.MatchString(text) || tagPattern.MatchString(text) && !pseudoPattern.MatchString(text)
}

func revisionOf(info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	if info.Main.Path == module && settings["vcs.modified"] == "false" && hashPattern.MatchString(settings["vcs.revision"]) {
		return settings["vcs.revision"]
	}
	if made := of(info).Version; IsRevision(made) {
		return made
	}
	return ""
}
