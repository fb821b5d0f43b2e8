// Package mode says what the service makes of the migrations variable: the
// service's own rules for a value, and the kubelet's rules for the environment
// of a container. It is written from the sources of both and shares nothing
// with the policy, so that the two can be held against each other. It depends
// on the standard library only: the start-up guard is built from it.
package mode

import (
	"slices"
	"strings"
	"unicode"
)

// Mode is what the service makes of the migrations variable.
type Mode string

// The modes. Unknown: it cannot be decided from the manifests. The contract
// treats it like Auto.
const (
	Skip    Mode = "skip"
	Auto    Mode = "auto"
	Unknown Mode = "unknown"
)

// String gives the mode as reports write it.
func (m Mode) String() string { return string(m) }

// whiteSpace is what String.prototype.trim removes: WhiteSpace and
// LineTerminator of ECMA-262. U+0085, which Go's unicode.IsSpace has, is not
// among them; U+FEFF is.
const whiteSpace = "\t\n\v\f\r " +
	"\u00a0\u1680" +
	"\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" +
	"\u2028\u2029\u202f\u205f\u3000\ufeff"

// Resolve gives the mode of a value that a process finds in its environment;
// set is false when the variable is not there. The service trims, lower-cases
// and compares as JavaScript does. Resolve may be stricter than the service and
// is never laxer: beyond ASCII, where languages disagree about lower case, a
// value is no skip value. It never gives Unknown.
func (r Rules) Resolve(value string, set bool) Mode {
	if !set {
		return Auto
	}
	trimmed := strings.Trim(value, whiteSpace)
	lower := strings.ToLower(trimmed)
	isASCII := !strings.ContainsFunc(trimmed, func(r rune) bool { return r > unicode.MaxASCII })
	// An empty value means auto, whatever the rules say.
	if isASCII && lower != "" && slices.Contains(r.SkipValues, lower) {
		return Skip
	}
	return Auto
}
