package config

import (
	"regexp"
	"slices"
	"strings"
)

// Matches reports whether a glob matches a path or a folder that it is below.
// Both have forward slashes. In the glob * stands for any text within a segment,
// and the segment ** for any number of segments, none among them; all else stands
// for itself.
func Matches(glob, path string) bool {
	return matchSegments(strings.Split(glob, "/"), strings.Split(path, "/"))
}

// matchSegments remembers of each part of the glob which parts of the path it
// matched up to, so that many ** take no more time than their number times the
// length of the path.
func matchSegments(glob, path []string) bool {
	// matched[i] says that the glob so far matches the first i segments.
	matched := make([]bool, len(path)+1)
	matched[0] = true
	for _, segment := range glob {
		next := make([]bool, len(path)+1)
		if segment == "**" {
			reached := false
			for i := range next {
				reached = reached || matched[i]
				next[i] = reached
			}
		} else {
			for i := range path {
				next[i+1] = matched[i] && MatchesName(segment, path[i])
			}
		}
		matched = next
	}
	// A glob that matches a folder matches what is below it.
	return slices.Contains(matched[1:], true)
}

// MatchesName reports whether a glob matches a name, in which * stands for any
// text.
func MatchesName(glob, name string) bool {
	pattern := `(?s)\A` + strings.ReplaceAll(regexp.QuoteMeta(glob), `\*`, `.*`) + `\z`
	return regexp.MustCompile(pattern).MatchString(name)
}
