package mode

import "strings"

// longestExpansion is MAX_ARG_STRLEN of Linux: no process can be given a longer
// variable. It keeps entries that double each other from filling the memory.
const longestExpansion = 128 << 10

// Expand replaces $(NAME) in the value of an env entry as the kubelet does.
// value gives the text of a variable, and false when nothing defines it: the
// reference then stays as it is. $$ is an escape, so $$(NAME) becomes $(NAME).
// ok is false when the result would be longer than what Linux hands to a
// process.
//
// It does what Expand of k8s.io/kubernetes/third_party/forked/golang/expansion
// does, down to a $ before a byte that is no character of its own: the byte is
// taken for a code point.
func Expand(text string, value func(name string) (string, bool)) (expanded string, ok bool) {
	var out strings.Builder
	for out.Len() <= longestExpansion {
		dollar := strings.IndexByte(text, '$')
		if dollar < 0 || dollar+1 == len(text) {
			out.WriteString(text)
			return out.String(), out.Len() <= longestExpansion
		}
		out.WriteString(text[:dollar])
		next := text[dollar+1]
		text = text[dollar+2:]
		switch closer := strings.IndexByte(text, ')'); {
		case next == '$':
			out.WriteByte('$')
		case next == '(' && closer >= 0:
			name := text[:closer]
			text = text[closer+1:]
			if known, defined := value(name); defined {
				out.WriteString(known)
			} else {
				out.WriteString("$(" + name + ")")
			}
		default:
			out.WriteByte('$')
			out.WriteRune(rune(next))
		}
	}
	return "", false
}
