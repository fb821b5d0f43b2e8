package cause

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// commands are the arguments by which a process is started with another
// environment.
func (s *search) commands() []attempt {
	var attempts []attempt
	texts := s.places(func(p *place) bool {
		return p.isScalar() && p.key == "" && p.parent != nil && p.parent.parent != nil &&
			(strings.Contains(p.text(), s.envVar) || s.offender != "" && p.text() == s.offender)
	})
	clearing := s.places(func(p *place) bool {
		return p.key == "" && p.isScalar() && p.parent != nil && len(p.parent.children) > 1 && p.parent.children[0].isScalar() &&
			slices.Contains([]string{"env", "/usr/bin/env"}, p.parent.children[0].text()) &&
			slices.Contains([]string{"-", "-i", "--ignore-environment"}, p.text())
	})
	for _, p := range clearing {
		attempts = append(attempts, removal(p, p))
	}
	for _, p := range texts {
		if shorter, cut := s.without(p.text()); cut != "" && shorter != "" {
			attempts = append(attempts, attempt{place: p, edits: []edit{set(p, shorter)}, change: fmt.Sprintf("take %q out of %s", cut, p.path), fixAt: p, path: p.path})
			continue
		}
		list := p.parent
		at := slices.Index(list.children, p)
		edits := []edit{remove(p)}
		// `-u NAME` are two arguments.
		if at > 0 && slices.Contains([]string{"-u", "--unset"}, list.children[at-1].text()) {
			edits = append(edits, remove(list.children[at-1]))
		}
		attempts = append(attempts, attempt{place: p, edits: edits, change: "remove " + p.path, fixAt: p, path: p.path})
	}
	for _, p := range texts {
		attempts = append(attempts, s.removals(p.parent)...)
	}
	return attempts
}

// without takes the first thing that changes the variable out of a command, and
// returns what is left and what was taken.
func (s *search) without(text string) (left, cut string) {
	name := regexp.QuoteMeta(s.envVar)
	for _, pattern := range []string{
		`(export\s+)?\b` + name + `=("[^"]*"|'[^']*'|[^\s;&|]*)\s*(;|&&)?\s*`,
		`\bunset\s+(-v\s+)?` + name + `\s*(;|&&)?\s*`,
		`\benv\s+(-u|--unset=?)\s*` + name + `\s+`,
		`\bdelete\s+process\.env\.` + name + `\s*;?\s*`,
		`\bprocess\.env\.` + name + `\s*=[^=;][^;]*;?\s*`,
	} {
		found := regexp.MustCompile(pattern).FindStringIndex(text)
		if found != nil {
			return text[:found[0]] + text[found[1]:], strings.TrimSpace(text[found[0]:found[1]])
		}
	}
	return text, ""
}
