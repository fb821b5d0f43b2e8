package chartguard

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// matches is the condition of a template that an expression matches a text. Helm
// compiles an expression each time, so what every match contains is looked for
// first. It is an error when the expression cannot be read.
func matches(expression, text string) (string, error) {
	read, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", expression, err)
	}
	match := fmt.Sprintf("(mustRegexMatch %s %s)", literal(expression), text)
	needed := needs(read)
	if len(needed) == 0 {
		return match, nil
	}
	var contained []string
	for _, part := range needed {
		contained = append(contained, fmt.Sprintf("(contains %s %s)", strconv.QuoteToASCII(part), text))
	}
	found := contained[0]
	if len(contained) > 1 {
		found = "(or " + strings.Join(contained, " ") + ")"
	}
	return fmt.Sprintf("(and %s %s)", found, match), nil
}

// mostNeeded bounds what is looked for before an expression is tried.
const mostNeeded = 24

// needs are texts of which every match of an expression contains one; none when
// no such texts are known.
func needs(e *syntax.Regexp) []string {
	switch e.Op {
	case syntax.OpLiteral:
		if e.Flags&syntax.FoldCase != 0 && slices.ContainsFunc(e.Rune, unicode.IsLetter) {
			return nil
		}
		return []string{string(e.Rune)}
	case syntax.OpCapture, syntax.OpPlus:
		return needs(e.Sub[0])
	case syntax.OpRepeat:
		if e.Min > 0 {
			return needs(e.Sub[0])
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range e.Sub {
			if found := needs(sub); rank(found) > 0 && rank(found) >= rank(best) {
				best = found
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range e.Sub {
			found := needs(sub)
			if found == nil {
				return nil
			}
			all = append(all, found...)
		}
		return shortest(all)
	}
	return nil
}

// rank says how well texts tell a match: by the length of the shortest.
func rank(texts []string) int {
	if len(texts) == 0 || len(texts) > mostNeeded {
		return 0
	}
	least := len(texts[0])
	for _, text := range texts {
		least = min(least, len(text))
	}
	return least
}

// shortest leaves out texts that contain another one.
func shortest(texts []string) []string {
	slices.Sort(texts)
	texts = slices.Compact(texts)
	return slices.DeleteFunc(slices.Clone(texts), func(text string) bool {
		return slices.ContainsFunc(texts, func(other string) bool { return other != text && strings.Contains(text, other) })
	})
}
