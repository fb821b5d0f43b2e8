package cause

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/report"
)

// isValue reports whether a place is the value that a map or a list of entries
// gives to a variable.
func isValue(p *place, envVar string) bool {
	if !p.isScalar() {
		return false
	}
	if p.key == envVar {
		return true
	}
	if p.key != "value" || p.parent == nil {
		return false
	}
	if p.parent.scalarMember("name") == envVar {
		return true
	}
	target := p.parent.scalarMember("path") // of a JSON patch
	return p.parent.member("op") != nil && strings.Contains(target, "/env/") && strings.HasSuffix(target, "/value")
}

// values are attempts with what gives the variable a value.
func (s *search) values() []attempt {
	var attempts []attempt
	for _, p := range s.places(func(p *place) bool { return isValue(p, s.envVar) }) {
		if s.finding.Code == "CNM004" {
			attempts = append(attempts, removals(entryOf(p))...)
		} else {
			attempts = append(attempts, setting(p, s.right))
		}
	}
	return attempts
}

// lookAlikes are attempts with the name that the policy takes for the variable's,
// misspelled.
func (s *search) lookAlikes() []attempt {
	if s.lookAlike == "" {
		return nil
	}
	var attempts []attempt
	for _, p := range s.places((*place).isScalar) {
		switch {
		case p.key == s.lookAlike:
			attempts = append(attempts, attempt{place: p, edits: []edit{rename(p, s.envVar)}}.at(p, p.path, fmt.Sprintf("rename %s to %s", p.path, s.envVar)))
		case p.key == "name" && p.text() == s.lookAlike:
			attempts = append(attempts, setting(p, s.envVar))
		}
	}
	return attempts
}

// entryOf is the list item that a value belongs to (in a JSON patch, the
// operation), or the map member itself.
func entryOf(p *place) *place {
	for at := p.parent; at != nil && p.key == "value"; at = at.parent {
		if at.member("op") != nil {
			return at
		}
		if at.key != "value" {
			break
		}
	}
	if p.key == "value" && p.parent != nil && p.parent.key == "" && p.parent.parent != nil {
		return p.parent
	}
	return p
}

// removals removes a place and, because what is left may be empty and mean
// something else, what holds it.
func removals(p *place) []attempt {
	var attempts []attempt
	for at := p; at != nil && at.parent != nil && len(attempts) < 8; at = at.parent {
		if at.inText {
			continue // the document in a text: the text is removed with what holds it
		}
		if nestedPattern.MatchString(at.path) && at.key == "patch" {
			continue
		}
		attempts = append(attempts, removal(p, at))
		if len(at.parent.children) > 1 && !onlyNamed(at) || slices.Contains(patchLists, at.parent.path) {
			break
		}
	}
	return attempts
}

// onlyNamed reports whether what remains beside a place only says where it
// belongs: the name of a container, or the head of a patch.
func onlyNamed(at *place) bool {
	return at.key != "" && !slices.ContainsFunc(at.parent.children, func(p *place) bool {
		return p != at && !slices.Contains([]string{"name", "apiVersion", "kind", "metadata", "target", "options", "op", "path"}, p.key)
	})
}

// entries are attempts with whole entries and operations about the variable.
func (s *search) entries() []attempt {
	var attempts []attempt
	// What a template puts there stands somewhere else.
	for _, p := range s.places(func(p *place) bool {
		return p.scalarMember("name") == s.envVar && !strings.Contains(p.scalarMember("value"), mask)
	}) {
		from := p.member("valueFrom")
		switch {
		case from != nil && s.finding.Code != "CNM001":
			attempts = append(attempts, s.literal(p, from))
		case p.member("value") == nil && (len(p.children) == 1 || p.member("<<") != nil):
			added := attempt{place: p, edits: []edit{add(p, []string{"value"}, stringNode(s.skip))}}
			attempts = append(attempts, added.at(p, p.path+".value", fmt.Sprintf("add %s.value: %q", p.path, s.skip)))
		default:
			attempts = append(attempts, removals(p)...)
		}
	}
	for _, p := range s.places(func(p *place) bool {
		return p.member("op") != nil && (strings.Contains(p.scalarMember("path"), "/env") || mentions(p, s.envVar))
	}) {
		attempts = append(attempts, removals(p)...)
	}
	return attempts
}

// literal gives an entry a value in place of where it is from.
func (s *search) literal(entry, from *place) attempt {
	a := attempt{place: from, edits: replace(from, "value", stringNode(s.right))}
	if value := entry.member("value"); value != nil {
		return a.at(from, from.path, fmt.Sprintf("remove %s and set %s to %q", from.path, value.path, s.right))
	}
	return a.at(from, from.path, fmt.Sprintf("replace %s by value: %q", from.path, s.right))
}

// mentions reports whether a text stands anywhere below a place.
func mentions(p *place, text string) bool {
	if strings.Contains(p.key, text) || p.isScalar() && strings.Contains(p.text(), text) {
		return true
	}
	return slices.ContainsFunc(p.children, func(c *place) bool { return mentions(c, text) })
}

// definitions are attempts with containers that are written out in values or
// manifests and lack the variable.
func (s *search) definitions() []attempt {
	if s.finding.Code != "CNM001" {
		return nil
	}
	var attempts []attempt
	for _, p := range s.places(func(p *place) bool {
		return p.layer != report.Patch && p.layer != report.Component && s.finding.Container != "" &&
			p.scalarMember("name") == s.finding.Container && p.parent != nil && holdsContainers(p.parent.key)
	}) {
		at := cmp.Or(p.member("env"), p)
		added := attempt{place: at, edits: []edit{add(p, []string{"env"}, entryNode(s.envVar, s.skip))}}
		attempts = append(attempts, added.at(at, p.path+".env", fmt.Sprintf("add {name: %s, value: %q} to %s.env", s.envVar, s.skip, p.path)))
	}
	return attempts
}

// wholePatches takes away each patch and each replacement, whatever it says.
func (s *search) wholePatches() []attempt {
	var attempts []attempt
	for _, p := range s.places(func(p *place) bool {
		return p.source.kustomization && p.parent != nil && p.key == "" && slices.Contains(patchLists, p.parent.path)
	}) {
		all := removals(p)
		attempts = append(attempts, all[:min(len(all), 2)]...)
	}
	return attempts
}

var patchLists = []string{"patches", "patchesJson6902", "patchesStrategicMerge", "replacements", "transformers"}

// commands are attempts with the arguments by which a process is started with
// another environment.
func (s *search) commands() []attempt {
	var attempts []attempt
	scripts := s.places(func(p *place) bool {
		return p.isScalar() && p.key != "" && p.documents == nil && strings.Contains(p.text(), s.envVar)
	})
	for _, p := range scripts { // of a ConfigMap
		if shorter, cut := s.without(p.text()); cut != "" {
			attempts = append(attempts, attempt{place: p, edits: []edit{set(p, shorter)}}.at(p, p.path, fmt.Sprintf("take %q out of %s", cut, p.path)))
		}
	}
	attempts = append(attempts, s.scripts()...)
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
			attempts = append(attempts, attempt{place: p, edits: []edit{set(p, shorter)}}.at(p, p.path, fmt.Sprintf("take %q out of %s", cut, p.path)))
			continue
		}
		at, list := slices.Index(p.parent.children, p), p.parent.children
		removed := removal(p, p)
		// `-u NAME` are two arguments.
		if at > 0 && slices.Contains([]string{"-u", "--unset"}, list[at-1].text()) {
			removed.edits = append(removed.edits, remove(list[at-1]))
			removed.fix.Change = fmt.Sprintf("remove %s and %s", list[at-1].path, p.path)
		}
		attempts = append(attempts, removed)
	}
	for _, p := range texts {
		attempts = append(attempts, removals(p.parent)...)
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
