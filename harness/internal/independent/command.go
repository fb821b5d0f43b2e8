package independent

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
)

// StartsMigrating reports whether a container's command clearly starts a process
// that migrates, whatever env declares. It reads env's words and the plainest of
// shell scripts; of everything else it says no, for what it says of a command that
// the policy passes is taken for a mistake in the policy.
func (p Rules) StartsMigrating(container map[string]any) bool {
	words, ok := expandedCommand(container)
	return ok && starter{rules: p.Mode}.runs(words) == migrates
}

// expandedCommand is what a container starts, as the kubelet expands it. ok is
// false when something in it is no text, or is known at run time only.
func expandedCommand(container map[string]any) (words []string, ok bool) {
	held := map[string]string{}
	unknown := map[string]bool{}
	sources, _ := container["envFrom"].([]any)
	expand := func(text string) (string, bool) {
		known := true
		text, short := mode.Expand(text, func(name string) (string, bool) {
			value, defined := held[name]
			known = known && !unknown[name] && (defined || len(sources) == 0)
			return value, defined
		})
		return text, known && short
	}
	entries, _ := container["env"].([]any)
	for _, item := range entries {
		fields, _ := item.(map[string]any)
		name := textAt(fields, "name")
		value, known := expand(textAt(fields, "value"))
		delete(held, name)
		if unknown[name] = !known || fields["valueFrom"] != nil; !unknown[name] {
			held[name] = value
		}
	}
	for _, word := range command(container) {
		text, isText := word.(string)
		text, known := expand(text)
		if !isText || !known {
			return nil, false
		}
		words = append(words, text)
	}
	if script, isText := container["source"].(string); isText {
		words = append(words, script)
	}
	return words, len(words) > 0
}

// outcomeOf is what a command makes of the variable.
type outcomeOf int

const (
	unclear outcomeOf = iota
	keeps             // it starts nothing that migrates, as far as it was read
	migrates
)

// starter follows a command with what it has done to the variable so far.
type starter struct {
	rules   mode.Rules
	changed bool // the variable is gone, or set to what is no skip value
}

var (
	shell         = regexp.MustCompile(`\A(ba|da|k|z|a)?sh\z`)
	shellFlag     = regexp.MustCompile(`\A-[euxo]+\z`)
	scriptFlag    = regexp.MustCompile(`\A-[eux]*c\z`)
	assignment    = regexp.MustCompile(`(?s)\A([A-Za-z_][A-Za-z0-9_]*)=(.*)\z`)
	notTheService = []string{"echo", "printf", "cd", "set", "true", ":", "sleep", "mkdir", "test", "[", "grep", "date", "wait", "logger", "umask", "ls", "cat"}
)

// set follows an assignment. A value that is known to the shell only is unclear.
func (s *starter) set(name, value string) (ok bool) {
	if name != s.rules.Variable {
		return true
	}
	s.changed = s.rules.Resolve(value, true) != mode.Skip
	return !strings.ContainsAny(value, "$`*~{")
}

// runs follows the words of a program.
func (s starter) runs(words []string) outcomeOf {
	if len(words) == 0 {
		return keeps
	}
	switch program := path.Base(words[0]); {
	case program == "env":
		return s.env(words[1:])
	case shell.MatchString(program):
		rest := words[1:]
		for len(rest) > 0 && shellFlag.MatchString(rest[0]) {
			rest = rest[1:]
		}
		if len(rest) > 1 && scriptFlag.MatchString(rest[0]) {
			return s.script(rest[1])
		}
		if len(rest) == 0 || strings.HasPrefix(rest[0], "-") {
			return unclear
		}
	case slices.Contains(notTheService, program):
		return keeps
	}
	if s.changed {
		return migrates
	}
	return keeps
}

// env follows the words of env, as coreutils reads them.
func (s starter) env(words []string) outcomeOf {
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		name, value, _ := strings.Cut(word, "=")
		switch {
		case word == "-i" || word == "-" || word == "--ignore-environment":
			s.changed = true
		case word == "-u" || word == "--unset":
			if len(words) == 0 {
				return unclear
			}
			s.changed = s.changed || words[0] == s.rules.Variable
			words = words[1:]
		case strings.HasPrefix(word, "-u"):
			s.changed = s.changed || word[2:] == s.rules.Variable
		case name == "--unset":
			s.changed = s.changed || value == s.rules.Variable
		case word == "--":
		case strings.HasPrefix(word, "-"):
			return unclear
		case strings.Contains(word, "="):
			if !s.set(name, value) {
				return unclear
			}
		default:
			return s.runs(append([]string{word}, words...))
		}
	}
	return keeps
}

// script follows a script of commands one after the other, without any other
// syntax of a shell.
func (s starter) script(text string) outcomeOf {
	commands, ok := split(text)
	if !ok {
		return unclear
	}
	for _, words := range commands {
		here := s
		for len(words) > 0 {
			m := assignment.FindStringSubmatch(words[0])
			if m == nil {
				break
			}
			if !here.set(m[1], m[2]) {
				return unclear
			}
			words = words[1:]
		}
		if len(words) == 0 {
			s = here // it holds for what follows
			continue
		}
		switch words[0] {
		case "export":
			for _, word := range words[1:] {
				name, value, isSet := strings.Cut(word, "=")
				if strings.HasPrefix(word, "-") || isSet && !s.set(name, value) {
					return unclear
				}
			}
			continue
		case "unset":
			for _, word := range words[1:] {
				if word == "-v" {
					continue
				}
				if strings.ContainsAny(word, "-$") {
					return unclear
				}
				s.changed = s.changed || word == s.rules.Variable
			}
			continue
		case "exec":
			if len(words) > 1 && strings.HasPrefix(words[1], "-") {
				return unclear
			}
			return here.runs(words[1:])
		case "if", "then", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "function", "return", "exit",
			"eval", ".", "source", "trap", "read", "declare", "typeset", "local", "readonly", "alias", "command", "!", "[[":
			return unclear
		}
		if here.runs(words) == migrates {
			return migrates
		}
	}
	return keeps
}

// split gives the words of each command of a script; ok is false when it has other
// syntax than words, quotes, and what ends a command.
func split(script string) (commands [][]string, ok bool) {
	var words []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	endWord := func() {
		if inWord {
			words = append(words, word.String())
		}
		word.Reset()
		inWord = false
	}
	runes := []rune(script)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == '"' && (r == '\\' || r == '`'), quote == 0 && strings.ContainsRune("\\`()|<>#", r):
			return nil, false
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ' ' || r == '\t':
			endWord()
		case r == '&' && i+1 < len(runes) && runes[i+1] == '&':
			i++
			fallthrough
		case r == ';' || r == '\n':
			endWord()
			commands = append(commands, words)
			words = nil
		case r == '&':
			return nil, false
		default:
			inWord = true
			word.WriteRune(r)
		}
	}
	endWord()
	return append(commands, words), quote == 0
}
