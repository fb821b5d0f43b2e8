package appset

import (
	"errors"
	"strings"
)

// pathspec is a pattern as `git ls-files -- PATTERN` takes it at the top of a
// repository: the path of a file, of a folder, or a pattern whose * and ? match /
// too. Argo CD's newer globbing, which an installation can switch on, is not this.
type pathspec string

// newPathspec is a pattern as git normalizes it.
func newPathspec(pattern string) (pathspec, error) {
	if pattern == "" {
		pattern = "."
	}
	if strings.HasPrefix(pattern, ":") {
		return "", &refusal{"a path that begins with a colon is magic of git, which is not looked into", "write a plain path or pattern"}
	}
	outside := errors.New("the path leads out of the repository")
	if strings.HasPrefix(pattern, "/") {
		return "", outside
	}
	var parts []string
	folder := false
	for part := range strings.SplitSeq(pattern, "/") {
		folder = part == "" || part == "." || part == ".."
		switch {
		case part == "..":
			if len(parts) == 0 {
				return "", outside
			}
			parts = parts[:len(parts)-1]
		case !folder:
			parts = append(parts, part)
		}
	}
	normalized := strings.Join(parts, "/")
	if folder && normalized != "" {
		normalized += "/"
	}
	return pathspec(normalized), nil
}

// matches is match_pathspec_item of git's dir.c.
func (p pathspec) matches(file string) bool {
	pattern := string(p)
	if pattern == "" {
		return true
	}
	if rest, ok := strings.CutPrefix(file, pattern); ok {
		if rest == "" || rest[0] == '/' || strings.HasSuffix(pattern, "/") {
			return true
		}
	}
	literal := strings.IndexAny(pattern, `*?[\`)
	return literal >= 0 && strings.HasPrefix(file, pattern[:literal]) && wildmatch(pattern[literal:], file[literal:]) == matched
}

type match int

const (
	matched match = iota
	unmatched
	// aborted is unmatched however much of the text a star takes.
	aborted
)

// wildmatch is dowild of git's wildmatch.c without flags: by bytes, and / is one
// like others.
func wildmatch(pattern, text string) match {
	for ; pattern != ""; pattern = pattern[1:] {
		if text == "" && pattern[0] != '*' {
			return aborted
		}
		switch pattern[0] {
		case '\\':
			if pattern = pattern[1:]; pattern == "" || pattern[0] != text[0] {
				return unmatched
			}
		case '?':
		case '*':
			return wildmatchStar(strings.TrimLeft(pattern, "*"), text)
		case '[':
			rest, found, ok := bracket(pattern[1:], text[0])
			if !ok {
				return aborted
			}
			if !found {
				return unmatched
			}
			pattern = rest
		default:
			if pattern[0] != text[0] {
				return unmatched
			}
		}
		text = text[1:]
	}
	if text != "" {
		return unmatched
	}
	return matched
}

// wildmatchStar matches what follows stars.
func wildmatchStar(pattern, text string) match {
	if pattern == "" {
		return matched
	}
	for ; text != ""; text = text[1:] {
		if result := wildmatch(pattern, text); result != unmatched {
			return result
		}
	}
	return aborted
}
