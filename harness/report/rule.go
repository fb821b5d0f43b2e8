package report

import (
	"strings"
	"unicode"
)

// Rule is what is known of a rule by its code, whatever it was broken by.
type Rule struct {
	Code string
	// Title is a short sentence without a full stop.
	Title       string
	Description string
	// Remedy is what to do in general; a finding has a remedy of its own.
	Remedy   string
	Severity Severity
}

// CodeUndecided stands where a format needs a code for a target that could not
// be judged: there is no finding, and what is not shown would look right.
const CodeUndecided = "undecided"

var undecided = Rule{
	Code:        CodeUndecided,
	Title:       "The target could not be judged",
	Description: "It does not render, or it cannot be read. Nothing is proven about it.",
	Remedy:      "Repair what the message names.",
	Severity:    Deny,
}

// name is the title as one word in camel case, for formats that want a name
// without spaces.
func (r Rule) name() string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(r.Title, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		first := []rune(word)
		first[0] = unicode.ToUpper(first[0])
		b.WriteString(string(first))
	}
	if b.Len() == 0 {
		return r.Code
	}
	return b.String()
}
